"""Many small equations of one target, one for each indicator, combined: what bridges, U-MIDAS and MIDAS share.

At each horizon y = a + b × (own expectation) + x_i' β_i + e for each indicator i, by least squares on the complete rows.
Combination, and its weights: Timmermann (2006, Handbook of Economic Forecasting 1); Kuzin, Marcellino & Schumacher (2013, J. Appl.
Econometrics 28) on pools of MIDAS equations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np

from engine.align import published
from engine.calendar import Period
from engine.errors import NotConverged, NotEnoughData
from engine.estimate import Estimate
from engine.model import State
from engine.panel import Panel
from engine.typing import Bools, Floats
from modelzoo.nowcast import ordered
from modelzoo.nowcast.moments import least_squares
from modelzoo.nowcast.stack import HORIZONS, Stack
from modelzoo.nowcast.targeted import Selection, keep

Weights: TypeAlias = Literal["equal", "mse", "bic"]
"""equal; inverse to the mean squared error of rows predicted in the order of time; by the approximate posterior exp(-BIC/2)."""


@dataclass(frozen=True)
class Equations:
    """coefficients ``(H, N, 2 + L)``: constant, own expectation, indicator; weight ``(H, N)`` sums to 1; sigma ``(H + 1,)``."""

    coefficients: Floats
    weight: Floats
    sigma: Floats

    def state(self) -> dict[str, Floats]:
        return {"coefficients": self.coefficients, "weight": self.weight, "sigma": self.sigma}

    def estimate(
        self,
        stack: Stack,
        panel: Panel,
        periods: Sequence[Period],
        regressors: Callable[[Floats], Floats] = lambda X: X,
    ) -> Estimate:
        """Every period by the equations of its horizon. regressors: from features ``(1, N, lags)`` to those of the equations."""
        target = stack.ids[0]
        mean, sd = published(panel, target, periods), np.zeros(len(periods))
        for j, period in enumerate(periods):
            if np.isnan(mean[j]):
                index, own, features = stack.now(panel, period)
                if np.isnan(own[0]):
                    raise NotEnoughData(
                        f"{target}: too few values in a row are known as of {panel.day} to reach {period}"
                    )
                h = min(index, len(HORIZONS) - 1)
                D = design(own, regressors(features))[0]
                value = float(self.weight[h] @ np.einsum("nk,nk->n", D, self.coefficients[h]))
                mean[j] = stack.mean[0] + stack.sd[0] * value
                sd[j] = stack.sd[0] * self.sigma[index]
        return Estimate.normal(target, panel.asof, periods, mean, sd)


def restored(state: State) -> Equations:
    c, w, s = (np.asarray(state[k], float) for k in ("coefficients", "weight", "sigma"))
    return Equations(c, w, s)


def design(own: Floats, X: Floats) -> Floats:
    """``(n, N, 2 + L)`` a constant, the own expectation ``(n,)`` and the regressors ``(n, N, L)`` of each equation."""
    n, N, _ = X.shape
    return np.concatenate([np.ones((n, N, 1)), np.broadcast_to(own[:, None, None], (n, N, 1)), X], axis=2)


Solver: TypeAlias = Callable[[Floats, Floats, Floats], Floats]
"""From moments of the regressors ``(N, K, K)``, with the target ``(N, K)`` and of the target ``(N,)`` to ``(N, K)`` coefficients.

A row of NaN: no solution was found for that equation.
"""


def learn_horizon(
    y: Floats,
    own: Floats,
    X: Floats,
    how: Weights,
    name: str,
    solve: Solver = least_squares,
    free: int = 0,
    select: Selection = "all",
) -> tuple[Floats, Floats, float]:
    """Coefficients ``(N, 2 + L)``, weights ``(N,)`` and the spread of errors of the combination at one horizon.

    y, own: ``(n,)``; X: ``(n, N, L)``; rows with a NaN are left out of an equation. Weights of a fold are those of what came before
    it, and so is the selection of indicators, by the first of each one's regressors. free: coefficients that are free, where not
    all are. Raises NotEnoughData if no equation has ten rows more than those, NotConverged if none of them was solved.
    """
    rows = np.flatnonzero(~np.isnan(y) & ~np.isnan(own))
    parts = ordered.folds(len(rows), name)
    D, t = design(own[rows], X[rows]), y[rows]
    n, N, K = D.shape
    K = free or K
    whole = np.asarray(~np.isnan(D).any(2))
    D = np.where(whole[:, :, None], D, 0.0)
    starts = [0, *(a for a, _ in parts), n]
    moments = [_moments(D[a:b], t[a:b], whole[a:b]) for a, b in pairwise(starts)]
    gram, cross, square, count = (np.cumsum([m[i] for m in moments], axis=0) for i in range(4))
    enough = count >= K + 9
    if not enough[-1].any():
        raise NotEnoughData(
            f"{name}: an equation of {K} coefficients needs {K + 9} complete periods, no indicator has them"
        )
    went, past, seen = [], np.zeros(N), np.zeros(N)
    for f, (a, b) in enumerate(parts):
        on = enough[f] & keep(t[:a], X[rows[:a], :, 0], select)
        beta, solved = _solved(solve, gram[f], cross[f], square[f], on)
        error = np.where(whole[a:b], t[a:b, None] - np.einsum("tnk,nk->tn", D[a:b], beta), 0.0)
        live = whole[a:b] & solved
        w = _weights(how, beta, K, gram[f], cross[f], square[f], count[f], past / np.maximum(seen, 1), solved)
        share = np.where(live, w, 0.0)
        total = share.sum(1)
        some = total > 0
        went.append((share[some] * error[some]).sum(1) / total[some])
        past += np.where(live, error**2, 0.0).sum(0)
        seen += live.sum(0)
    on = enough[-1] & keep(t, X[rows, :, 0], select)
    beta, solved = _solved(solve, gram[-1], cross[-1], square[-1], on)
    if not solved.any():
        raise NotConverged(f"{name}: none of {int(on.sum())} equations reached its tolerance")
    errors = np.concatenate(went)
    if len(errors) < 8:
        raise NotEnoughData(f"{name}: only {len(errors)} periods could be predicted in the order of time")
    mse = np.where(seen >= 8, past / np.maximum(seen, 1), 0.0)
    weight = _weights(how, beta, K, gram[-1], cross[-1], square[-1], count[-1], mse, solved)
    return beta, weight, ordered.spread(errors)


def _solved(solve: Solver, gram: Floats, cross: Floats, square: Floats, enough: Bools) -> tuple[Floats, Bools]:
    """Coefficients of the equations with enough rows, 0 for the others, and which of them were solved."""
    beta, solved = np.zeros(cross.shape), enough.copy()
    beta[enough] = solve(gram[enough], cross[enough], square[enough])
    solved[np.isnan(beta).any(1)] = False
    return np.where(solved[:, None], beta, 0.0), solved


def _moments(D: Floats, t: Floats, whole: Bools) -> tuple[Floats, Floats, Floats, Floats]:
    turned = D.transpose(1, 2, 0)
    return turned @ turned.transpose(0, 2, 1), turned @ t, (t[:, None] ** 2 * whole).sum(0), whole.sum(0).astype(float)


def _weights(
    how: Weights,
    beta: Floats,
    K: int,
    gram: Floats,
    cross: Floats,
    square: Floats,
    count: Floats,
    mse: Floats,
    enough: Bools,
) -> Floats:
    """``(N,)`` that sum to 1; equal where no error is known yet (mse 0)."""
    raw = enough.astype(float)
    if how == "bic":
        ssr = square - 2 * np.einsum("nk,nk->n", beta, cross) + np.einsum("nj,njk,nk->n", beta, gram, beta)
        n = np.maximum(count, 1)
        bic = np.where(enough, n.max() * np.log(np.maximum(ssr / n, 1e-12)) + K * np.log(n), np.inf)
        raw = np.exp(-0.5 * (bic - bic.min())) if enough.any() else raw
    elif how == "mse" and (enough & (mse > 0)).any():
        raw = np.where(enough & (mse > 0), 1.0 / np.where(mse > 0, mse, 1.0), 0.0)
    out: Floats = raw / max(raw.sum(), 1e-300)
    return out


def learn(
    stack: Stack,
    panel: Panel,
    how: Weights,
    joint: bool = False,
    solve: Solver = least_squares,
    free: int = 0,
    select: Selection = "all",
) -> Equations:
    """The equations of all horizons. joint: one equation of all indicators that are used, instead of one for each.

    The coefficients of a joint equation stand as one equation of N × lags regressors.
    """
    _, y = stack.rows(panel)
    history = stack.history(panel)
    learned = []
    for h in HORIZONS:
        own, X = history(h)
        X = joined(X, stack) if joint else X
        learned.append(learn_horizon(y, own, X, how, stack.ids[0], solve, free, select))
    beta, weight, sigma = (np.array([part[i] for part in learned]) for i in range(3))
    return Equations(beta, weight, ordered.widening(sigma))


def joined(X: Floats, stack: Stack) -> Floats:
    """``(n, 1, M × lags)`` the features of the M indicators that are used, as one equation's."""
    return X[:, stack.used[1:]].reshape(len(X), 1, -1)
