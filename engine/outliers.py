"""Values so far out that a Gaussian model should not read them: beyond so many interquartile ranges from the median."""

from __future__ import annotations

import numpy as np

from engine.typing import Floats


def bounds(values: Floats, ranges: float) -> Floats:
    """``(N, 2)`` the lowest and highest value of each series that is no outlier, learned from ``(T, N)``, NaN where not known.

    median ± ranges × (third - first quartile); McCracken & Ng (2016, J. Bus. Econ. Stat. 34) take 10. Without bounds: a series
    whose middle half is one value, one that is not known at all, and all series where ranges is 0.

    >>> bounds(np.array([[0.0], [1.0], [2.0], [3.0], [90.0]]), 10.0).tolist()
    [[-18.0, 22.0]]
    """
    out = np.tile([-np.inf, np.inf], (values.shape[1], 1))
    for i, column in enumerate(values.T if ranges > 0 else ()):
        seen = column[~np.isnan(column)]
        if len(seen):
            low, middle, high = np.quantile(seen, (0.25, 0.5, 0.75))
            if high > low:
                out[i] = middle - ranges * (high - low), middle + ranges * (high - low)
    return out


def masked(values: Floats, within: Floats) -> Floats:
    """Values ``(T, N)`` with NaN for those that lie outside of their bounds ``(N, 2)``."""
    with np.errstate(invalid="ignore"):
        return np.where((values < within[:, 0]) | (values > within[:, 1]), np.nan, values)
