"""Targeted predictors: which of many indicators say something about the target, chosen inside the fit and anew at each of them.

Bai & Ng (2008, J. Econometrics 146). Hard: each indicator on its own, by the t-statistic of its coefficient in a regression of the
target on its own lags and the indicator. Soft: all at once, in the order in which least angle regression takes them up (Efron,
Hastie, Johnstone & Tibshirani 2004, Annals of Statistics 32), which passes over those that repeat what is already in.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from engine.errors import BadInput, NotEnoughData
from engine.panel import Panel
from engine.typing import Bools, Floats
from modelzoo.nowcast import stack as stacks
from modelzoo.nowcast.moments import least_squares

Selection: TypeAlias = Literal["all", "hard", "soft"]
"""all: no selection. hard: by t-statistics. soft: by least angle regression."""

LAGS = 4  # of the target, held in every regression
T_VALUE = 1.65  # the middle one of the three thresholds in Bai & Ng
MOST = 30  # how many soft targeting keeps, as in Bai & Ng
FEWEST = 30  # rows


def hard(y: Floats, X: Floats, lags: int = LAGS) -> Floats:
    """``(N,)`` t-statistics of each column of X ``(n, N)``, given ``lags`` lags of y ``(n,)`` and a constant.

    NaN where it is not identified. Rows follow each other in time; those with a NaN among y, its lags and the column are left out.
    """
    n, N = X.shape
    Z = own_lags(y, lags)
    whole = ~np.isnan(X) & ~np.isnan(np.column_stack([Z, y])).any(1, keepdims=True)
    D = np.concatenate([np.broadcast_to(Z[:, None], (n, N, lags + 1)), X[:, :, None]], axis=2)
    D, t = np.where(whole[:, :, None], D, 0.0), np.where(whole, y[:, None], 0.0)
    gram, cross = np.einsum("tnj,tnk->njk", D, D), np.einsum("tnk,tn->nk", D, t)
    beta = least_squares(gram, cross, np.square(t).sum(0))
    ssr = np.square(t - np.einsum("tnk,nk->tn", D, beta)).sum(0)
    freedom = whole.sum(0) - (lags + 2)
    inner = gram[:, :-1, -1]
    left = gram[:, -1, -1] - np.einsum("nk,nk->n", inner, least_squares(gram[:, :-1, :-1], inner, ssr))
    live = (freedom > 0) & (left > 1e-10 * gram[:, -1, -1])
    with np.errstate(divide="ignore", invalid="ignore"):
        t_value: Floats = np.where(live, beta[:, -1] / np.sqrt(ssr / freedom / left), np.nan)
    return t_value


def soft(y: Floats, X: Floats, most: int = MOST, lags: int = LAGS) -> list[int]:
    """Columns of X ``(n, N)`` in the order of least angle regression, ``most`` at most; own lags of y are taken out of all first.

    Cells that are not known stand at the mean of their column; a column without variance is never taken.
    """
    from sklearn.linear_model import lars_path  # slow to import

    Z = own_lags(y, lags)
    rows = ~np.isnan(y) & ~np.isnan(Z).any(1)
    y, Z, X = y[rows], Z[rows], X[rows]
    known = ~np.isnan(X)
    centre = np.where(known, X, 0.0).sum(0) / np.maximum(known.sum(0), 1)
    X = np.where(known, X - centre, 0.0)
    project = Z @ np.linalg.pinv(Z)
    before = np.sqrt(np.square(X).sum(0))
    X, y = X - project @ X, y - project @ y
    size = np.sqrt(np.square(X).sum(0))
    live = np.flatnonzero(size > 1e-8 * np.maximum(before, 1e-300))
    if not len(live):
        return []
    taken = lars_path(X[:, live] / size[live], y, method="lar", max_iter=most, return_path=False)[1]
    return [int(live[i]) for i in taken]


def own_lags(y: Floats, lags: int) -> Floats:
    """``(n, 1 + lags)`` a constant and the lags of y, NaN where not known."""
    n = len(y)
    return np.column_stack(
        [np.ones(n), *(np.r_[np.full(min(j, n), np.nan), y[: max(n - j, 0)]] for j in range(1, lags + 1))]
    )


def keep(y: Floats, X: Floats, how: Selection, t_value: float = T_VALUE, most: int = MOST) -> Bools:
    """``(N,)`` which columns are kept; if no t-statistic is large enough, that of the largest. A column without a value never."""
    kept = np.zeros(X.shape[1], bool)
    if how == "all":
        return np.asarray(~np.isnan(X).all(0))
    if how == "soft":
        kept[soft(y, X, most)] = True
    else:
        t = np.nan_to_num(np.abs(hard(y, X)), nan=0.0)
        kept = t >= min(t_value, t.max(initial=0.0))
        kept &= t > 0
    return kept


def targeted(
    panel: Panel,
    target: str,
    indicators: tuple[str, ...],
    how: Selection,
    since: str = "",
    t_value: float = T_VALUE,
    most: int = MOST,
) -> tuple[str, ...]:
    """The indicators that this panel says to keep, in their order: for any model that takes a list of them, the factor model too.

    Each indicator is read as its sum over the target's period, which has to be known (``nowcast.bridges``). Raises NotEnoughData if
    the target is not known for 30 periods, or if no indicator can be used; BadInput for options out of range.
    """
    if how not in ("all", "hard", "soft") or most < 1 or t_value < 0:
        raise BadInput(f"a selection is all, hard or soft, of one indicator or more, not {how} of {most}")
    stack = stacks.learn(panel, target, indicators, 1, "sums", since)
    if how == "all":
        return tuple(name for name, on in zip(indicators, stack.used[1:], strict=True) if on)
    _, y = stack.rows(panel)
    if (~np.isnan(y)).sum() < FEWEST:
        raise NotEnoughData(f"{target}: a selection needs {FEWEST} periods as of {panel.day}")
    kept = keep(y, stack.history(panel)(0)[1][:, :, 0], how, t_value, most)
    return tuple(name for name, on in zip(indicators, kept, strict=True) if on)
