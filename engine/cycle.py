"""The growth cycle of a series: what is slower than a business cycle and what is faster taken away, the end steadied.

The waves of 12 … 120 months by two Hodrick-Prescott filters, as in the OECD's leading indicators (CLI system, 2012), of the
series continued by an autoregression. Without it the last cycle says little: on industrial production of the United States,
month by month 1985–2017, its revisions are as large as itself (1.08 of its standard deviation; with 12 months of forecast
0.75). Hamilton's regression (:func:`engine.filters.hamilton`) is the second opinion, one-sided by construction.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engine.errors import BadInput, NotEnoughData
from engine.filters import hodrick_prescott, smoothing
from engine.runs import runs
from engine.typing import Floats

LAGS = 12  # most lags tried
ROUNDING = 1e-9  # of the size of a series: what is left of a line is 1.3e-10


class GrowthCycle(NamedTuple):
    """Values in three parts of one shape that sum to them: slower than the band, within it, faster; NaN where not known."""

    trend: Floats
    cycle: Floats
    rest: Floats


def growth_cycle(
    values: Floats, low: float = 12, high: float = 120, ahead: int = 12, order: int | None = None
) -> GrowthCycle:
    """Trend, cycle and rest of ``(T,)`` or ``(T, N)`` values, usually logarithms, after :func:`extend`.

    low, high: periods of the waves that are the cycle; half of a wave of exactly so many periods passes. ahead: months of
    forecast that steady the end, 0 for none. order: of the autoregression, None to choose it. Each series may begin and end when
    it likes; the cycle of a line is 0, not rounding. Raises BadInput for a gap, NotEnoughData.
    """
    if not 2 < low < high < np.inf:
        raise BadInput(f"a band of waves has 2 < low < high periods, not {low} … {high}")
    y = np.asarray(values, np.float64)
    longer = extend(y, ahead, order)
    slow = hodrick_prescott(longer, smoothing(high))
    quick = hodrick_prescott(slow.cycle, smoothing(low))
    unknown = np.isnan(y)
    trend, cycle = slow.trend[: len(y)].copy(), quick.trend[: len(y)].copy()
    trend[unknown], cycle[unknown] = np.nan, np.nan
    flat = np.nanmax(np.abs(cycle), axis=0, initial=0.0) <= ROUNDING * np.nanmax(np.abs(y), axis=0, initial=0.0)
    cycle[np.broadcast_to(flat, y.shape) & ~unknown] = 0.0
    return GrowthCycle(trend, cycle, y - trend - cycle)


def extend(values: Floats, ahead: int, order: int | None = None) -> Floats:
    """``(T + ahead,)`` or ``(T + ahead, N)``: each series continued from its last known value by an autoregression of its changes.

    order: lags, None for 0 … 12 by AIC corrected for short samples (Hurvich and Tsai 1989), on one common sample. Least
    squares with a constant, so that the forecast ends in the average slope. Raises BadInput for a gap, NotEnoughData if the
    regression has no 10 degrees of freedom.
    """
    if ahead < 0 or (order is not None and order < 0):
        raise BadInput(f"ahead and order are not negative, not {ahead} and {order}")
    y = np.asarray(values, np.float64)
    if y.ndim not in (1, 2):
        raise BadInput(f"values are (T,) or (T, N), not of shape {y.shape}")
    table = y.reshape(len(y), -1)
    out = np.vstack([table, np.full((ahead, table.shape[1]), np.nan)])
    if ahead:
        most = LAGS if order is None else order
        for (lo, hi), columns in runs(table, "an autoregression").items():
            if 0 < hi - lo < 2 * most + 12:
                raise NotEnoughData(
                    f"series {columns[0] + 1} has {hi - lo} values; an autoregression of {most} lags needs {2 * most + 12}"
                )
            if hi > lo:
                out[hi : hi + ahead, columns] = _forecast(table[lo:hi, columns], ahead, most, order is None)
    return out.reshape(-1, *y.shape[1:])


def normalise(values: Floats) -> Floats:
    """100 + (values - mean) / mean absolute deviation, column by column over what is known: the OECD's index of a cycle.

    Raises BadInput for a series that never moves, NotEnoughData for one that is never known.
    """
    y = np.asarray(values, np.float64)
    table = y.reshape(len(y), -1)
    out = np.full(table.shape, np.nan)
    for i in range(table.shape[1]):
        known = np.isfinite(table[:, i])
        if not known.any():
            raise NotEnoughData(f"series {i + 1} is never known")
        off = table[known, i] - table[known, i].mean()
        size = np.abs(off).mean()
        if size == 0.0:
            raise BadInput("a series that never moves has no cycle to normalise", column=f"{i + 1}")
        out[known, i] = 100.0 + off / size
    return out.reshape(y.shape)


def _forecast(y: Floats, ahead: int, most: int, choose: bool) -> Floats:
    """``(ahead, N)`` continuation of whole series ``(T, N)``: one QR of all lags serves every order."""
    z = np.diff(y, axis=0).T  # (N, T - 1)
    N, T = z.shape
    lags = [z[:, most - j : T - j] for j in range(1, most + 1)]
    Q, R = np.linalg.qr(np.stack([np.ones((N, T - most)), *lags], axis=2))
    onto = np.einsum("ntk,nt->nk", Q, z[:, most:])  # (N, most + 1)
    n = T - most
    orders = np.full(N, most)
    if choose:
        left = np.sum(z[:, most:] ** 2, axis=1, keepdims=True) - np.cumsum(onto**2, axis=1)
        floor = np.finfo(np.float64).tiny
        k = np.arange(2.0, most + 3)  # with the variance
        orders = np.argmin(n * np.log(np.maximum(left / n, floor)) + 2.0 * k * n / (n - k - 1.0), axis=1)
    out = np.empty((ahead, N))
    for p in np.unique(orders):
        at = np.flatnonzero(orders == p)
        beta = np.stack([np.linalg.lstsq(R[i, : p + 1, : p + 1], onto[i, : p + 1], rcond=None)[0] for i in at])
        path = np.concatenate([z[at, T - p :] if p else np.empty((len(at), 0)), np.zeros((len(at), ahead))], axis=1)
        for h in range(ahead):
            past = path[:, h : h + p][:, ::-1]
            path[:, p + h] = beta[:, 0] + np.sum(beta[:, 1:] * past, axis=1)
        out[:, at] = y[-1, at] + np.cumsum(path[:, p:], axis=1).T
    return out
