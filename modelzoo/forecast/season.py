"""A fixed pattern of the season by the classical decomposition: means of what is left beside a moving average of a year.

Macaulay (1931); Kendall & Stuart (1983), volume 3, chapter 49. Equal to the decomposition of statsmodels.
"""

from __future__ import annotations

import numpy as np

from engine.typing import Floats

_Z90 = 1.6448536269514722  # 95 % quantile of the normal distribution: 90 % on both sides


def is_seasonal(values: Floats, season: int) -> bool:
    """Whether the autocorrelation at one year is significant at 90 %, by Bartlett's formula; never below two years."""
    n = len(values)
    if season < 4 or n < 2 * season:
        return False
    d = values - values.mean()
    r = np.array([d[k:] @ d[:-k] for k in range(1, season + 1)]) / (d @ d)
    return bool(abs(r[-1]) > _Z90 * np.sqrt((1 + 2 * (r[:-1] ** 2).sum()) / n))


def pattern(values: Floats, season: int, phase: int, factors: bool) -> Floats:
    """``(season,)`` factors with mean 1, or differences with mean 0, by slot of the year.

    values: ``(n,)`` of two years or more, without gaps. phase: the slot of the first of them in its year.
    """
    kernel = (np.ones(season) if season % 2 else np.r_[0.5, np.ones(season - 1), 0.5]) / season
    half = len(kernel) // 2
    trend = np.convolve(values, kernel, "valid")
    inner = values[half : half + len(trend)]
    rest = inner / trend if factors else inner - trend
    place = (phase + half + np.arange(len(rest))) % season
    means: Floats = np.bincount(place, rest, season) / np.bincount(place, minlength=season)
    level = float(means.mean())
    return np.asarray(means / level if factors else means - level, float)
