"""Trend and cycle of monthly or quarterly series: Hodrick-Prescott, Baxter-King, Christiano-Fitzgerald, Hamilton.

Each takes ``(T,)`` or ``(T, N)`` values, one row a period, and gives both parts in the same shape; they sum to the values.
NaN at the ends of a series is kept, a NaN within is refused. All look both ways, Hamilton's alone excepted: the last
months of a cycle will be revised (see the measures of revision in the docs of an index before it is shown).
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sin
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.linalg import toeplitz

from engine.errors import BadInput, NotEnoughData
from engine.kernels import filters as kernels
from engine.runs import runs
from engine.typing import Floats


class Split(NamedTuple):
    """Values in two parts of one shape; NaN where a filter is not defined."""

    trend: Floats
    cycle: Floats


def smoothing(period: float) -> float:
    """The λ of Hodrick-Prescott at which half of a wave of so many periods goes to the trend: (2 sin(π/period))⁻⁴.

    >>> round(smoothing(120), 2), round(smoothing(12), 2)
    (133107.94, 13.93)
    """
    if not period > 2:
        raise BadInput(f"a wave has more than 2 periods, not {period}")
    return float((2.0 * sin(pi / period)) ** -4)


def hodrick_prescott(values: Floats, lam: float) -> Split:
    """Trend = argmin Σ(y - trend)² + λ Σ(Δ² trend)² (Hodrick and Prescott 1997). λ: 1600 quarterly, 129600 monthly."""
    if not 0 <= lam < np.inf:
        raise BadInput(f"λ is not negative and finite, not {lam}")
    return _split(values, 1, lambda y: y - _trend(y, lam))


def band(values: Floats, low: float = 12, high: float = 120) -> Split:
    """The waves of low … high periods by two Hodrick-Prescott filters, as the OECD's leading indicators (CLI system, 2012).

    First what is slower than ``high`` is taken away, then of the rest what is faster than ``low``. The trend here is all that
    is not cycle, fast movements included.
    """
    _check(low, high)
    return _split(values, 1, lambda y: _trend(y - _trend(y, smoothing(high)), smoothing(low)))


def baxter_king(values: Floats, low: float, high: float, reach: int) -> Split:
    """The waves of low … high periods by a symmetric average of ``reach`` periods either way (Baxter and King 1999).

    Not defined in the first and last ``reach`` periods. Raises NotEnoughData for a series of 2 reach periods or less.
    """
    _check(low, high)
    if reach < 1:
        raise BadInput(f"a moving average reaches 1 period or more, not {reach}")
    weights = _ideal(low, high, reach + 1)
    weights = weights - (weights[0] + 2.0 * weights[1:].sum()) / (2 * reach + 1)  # a constant has no cycle

    def cycle(y: Floats) -> Floats:
        out = np.full_like(y, np.nan)
        kernels.symmetric(y, weights, out)
        return out

    return _split(values, 2 * reach + 1, cycle)


def christiano_fitzgerald(values: Floats, low: float, high: float, *, drift: bool = True, root: bool = True) -> Split:
    """The waves of low … high periods by the best linear estimate at each period (Christiano and Fitzgerald 2003).

    root: the series is a random walk, and what lies beyond its ends is expected to be as at the ends; otherwise it is noise
    about its mean. drift: a line is taken away first, through both ends for a random walk, by least squares for noise. It
    belongs to the trend.
    """
    _check(low, high)
    return _split(values, 3, lambda y: _weights(len(y), low, high, drift, root) @ y)


def hamilton(values: Floats, horizon: int = 24, lags: int = 12) -> Split:
    """Cycle = error of forecasting ``horizon`` periods ahead by a constant and ``lags`` values (Hamilton 2018).

    Quarterly: 8 and 4. Not defined in the first horizon + lags - 1 periods. Raises NotEnoughData if the regression has no
    degree of freedom.
    """
    if horizon < 1 or lags < 1:
        raise BadInput(f"horizon and lags are 1 or more, not {horizon} and {lags}")
    start = horizon + lags - 1

    def cycle(y: Floats) -> Floats:
        past = sliding_window_view(y[: len(y) - horizon], lags, axis=0).transpose(1, 0, 2)  # (N, T - start, lags)
        X = np.concatenate([np.ones((*past.shape[:2], 1)), past], axis=2)
        q = np.linalg.qr(X)[0]
        now = y[start:].T[:, :, None]
        error = now - q @ (q.transpose(0, 2, 1) @ now)
        return np.vstack([np.full((start, y.shape[1]), np.nan), error[:, :, 0].T])

    return _split(values, start + lags + 2, cycle)


def _trend(y: Floats, lam: float) -> Floats:
    out = np.empty(y.shape)
    inverse, first, second = kernels.factor(len(y), float(lam))
    kernels.solve(y, inverse, first, second, out)
    return out


def _ideal(low: float, high: float, n: int) -> Floats:
    """``(n,)`` weights of the ideal band-pass filter at lags 0 … n - 1."""
    a, b, j = 2.0 * pi / high, 2.0 * pi / low, np.arange(1, n)
    return np.concatenate([[(b - a) / pi], (np.sin(b * j) - np.sin(a * j)) / (pi * j)])


def _weights(T: int, low: float, high: float, drift: bool, root: bool) -> Floats:
    """``(T, T)`` what gives the cycle of a series from its values, the line taken away on the way."""
    ideal = _ideal(low, high, T)
    W: Floats = toeplitz(ideal)
    if root:
        # All weights beyond an end fall on its value; as they sum to 0 from the middle outwards, that is minus those within.
        end = np.concatenate([[0.5 * ideal[0]], -0.5 * ideal[0] - np.cumsum(np.append(0.0, ideal[1:-1]))])
        W[:, 0], W[:, -1] = end, end[::-1]
        if drift:
            slope = W @ np.arange(T) / (T - 1)
            W[:, -1] -= slope
            W[:, 0] += slope
        return W
    basis = np.ones((T, 1)) if not drift else np.column_stack([np.ones(T), np.linspace(-1.0, 1.0, T)])
    q = np.linalg.qr(basis)[0]
    return np.asarray(W - (W @ q) @ q.T, np.float64)


def _check(low: float, high: float) -> None:
    if not 2 < low < high < np.inf:
        raise BadInput(f"a band of waves has 2 < low < high periods, not {low} … {high}")


def _split(values: Floats, least: int, cycle: Callable[[Floats], Floats]) -> Split:
    """Apply ``cycle`` to blocks ``(T, N)`` of series that begin and end together. Raises BadInput, NotEnoughData."""
    y = np.asarray(values, float)
    if y.ndim not in (1, 2):
        raise BadInput(f"values are (T,) or (T, N), not of shape {y.shape}")
    table = np.ascontiguousarray(y.reshape(len(y), -1))
    found = np.empty(table.shape)
    for (lo, hi), columns in runs(table, "a filter").items():
        if 0 < hi - lo < least:
            raise NotEnoughData(f"series {columns[0] + 1} has {hi - lo} values; this filter needs {least}")
        if (lo, hi) == (0, len(table)) and len(columns) == table.shape[1]:
            found = cycle(table)
            continue
        found[:, columns] = np.nan
        if hi > lo:
            found[lo:hi, columns] = cycle(np.ascontiguousarray(table[lo:hi, columns]))
    return Split((table - found).reshape(y.shape), found.reshape(y.shape))
