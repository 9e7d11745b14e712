"""Outliers: found by skew and kurtosis, pulled in to the next value, or the whole indicator put on a log scale.

An indicator fails where ``|skew|`` and kurtosis both reach their limits, with the sample-corrected estimates of Excel (type 2).
Up to ``points`` values are then set, from the end to which it is skewed, to the next value inwards; where it still fails, the
original values become log(x - min + .01 range). An indicator that is held against fixed values stays on its scale: its extreme
values are pulled in as far as that goes. (OECD/JRC Handbook step 4; the order of COINr 1.1.14.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.errors import BadInput
from engine.typing import Bools, Floats
from modelzoo.scorecard.choices import Treatment


@dataclass(frozen=True, slots=True, eq=False)
class Treated:
    """What was done to each indicator; :meth:`apply` does the same to other values, such as those of another year.

    low, high: ``(M,)`` where values are held, -inf and inf if they are not. logged: ``(M,)``. least, width: ``(M,)`` minimum
    and range of the values on which the log scale was set, NaN if it was not.
    """

    low: Floats
    high: Floats
    logged: Bools
    least: Floats
    width: Floats

    def apply(self, x: Floats) -> Floats:
        """``(..., M)`` treated values. On a log scale, values below its foot are held there."""
        out = np.clip(x, self.low, self.high)
        if self.logged.any():
            j = self.logged
            out[..., j] = np.log(np.maximum(x[..., j] - self.least[j], 0.0) + 0.01 * self.width[j])
        return out


def treat(x: Floats, rule: Treatment, may_log: Bools | None = None) -> tuple[Floats, Treated]:
    """Treated values ``(U, M)`` and what was done. NaN stays NaN. may_log: ``(M,)`` indicators that may leave their scale.

    An indicator with fewer than four known values, or with one value for all, is left as it is.
    """
    M = x.shape[1]
    done = Treated(np.full(M, -np.inf), np.full(M, np.inf), np.zeros(M, bool), np.full(M, np.nan), np.full(M, np.nan))
    for j in range(M):
        known = x[~np.isnan(x[:, j]), j]
        if len(known) < 4 or not fails(known, rule):
            continue
        held = winsorise(known, rule)
        if fails(held, rule) and (may_log is None or may_log[j]):
            done.logged[j], done.least[j], done.width[j] = True, known.min(), np.ptp(known)
        else:
            if held.max() < known.max():
                done.high[j] = held.max()
            if held.min() > known.min():
                done.low[j] = held.min()
    return done.apply(x), done


def winsorise(x: Floats, rule: Treatment) -> Floats:
    """``(n,)`` with up to ``points`` extreme values set to the next one inwards, until the indicator passes.

    >>> winsorise(np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 30, 100]), Treatment())[-2:].tolist()
    [30.0, 30.0]
    """
    x = x.copy()
    above = below = 0
    while above + below < rule.points and fails(x, rule):
        upper = skew(x) >= 0
        end = x == (x.max() if upper else x.min())
        if end.all():
            break
        x[end] = x[~end].max() if upper else x[~end].min()
        if upper:
            above = int(end.sum())
        else:
            below = int(end.sum())
    return x


def fails(x: Floats, rule: Treatment) -> bool:
    """Whether skew and kurtosis of ``(n,)`` both reach their limits; one value for all passes."""
    if not x.max() > x.min():
        return False
    m2, m3, m4 = _moments(x, 4)
    return abs(_skew(len(x), m2, m3)) >= rule.skew and _kurtosis(len(x), m2, m4) >= rule.kurtosis


def skew(x: Floats) -> float:
    """Sample skewness G1 of ``(n,)`` (Excel's SKEW). Raises BadInput below 3 values."""
    m2, m3, _ = _moments(x, 3)
    return _skew(len(x), m2, m3)


def kurtosis(x: Floats) -> float:
    """Sample excess kurtosis G2 of ``(n,)`` (Excel's KURT). Raises BadInput below 4 values."""
    m2, _, m4 = _moments(x, 4)
    return _kurtosis(len(x), m2, m4)


def _skew(n: int, m2: float, m3: float) -> float:
    return m3 / math.sqrt(m2**3) * math.sqrt(n * (n - 1)) / (n - 2)


def _kurtosis(n: int, m2: float, m4: float) -> float:
    return ((n + 1) * (m4 / m2**2 - 3) + 6) * (n - 1) / ((n - 2) * (n - 3))


def _moments(x: Floats, need: int) -> tuple[float, float, float]:
    """The second to fourth central moments, the widest deviation being 1 (skew and kurtosis do not depend on it).

    Raises BadInput where there are too few values or all are the same.
    """
    n = len(x)
    if n < need or not x.max() > x.min():
        raise BadInput(f"skewness needs 3 values that differ, kurtosis 4; there are {n}")
    away = x - x.sum() / n
    away /= np.abs(away).max()
    square = away * away
    return float(square.sum()) / n, float(square @ away) / n, float(square @ square) / n
