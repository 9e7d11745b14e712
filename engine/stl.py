"""Trend and season by local regression (STL), for series that X-13 cannot take: Cleveland, Cleveland, McRae & Terpenning (1990)."""

from __future__ import annotations

import numpy as np

from engine.calendar import Period
from engine.errors import NotEnoughData
from engine.typing import Floats

_ROUNDS = 5  # gaps are filled by what the decomposition says, a few times over


def decompose(first: Period, values: Floats) -> tuple[Floats, Floats, Floats]:
    """Trend, season and remainder, ``(T,)`` each, that add up to the values; robust weights.

    values: ``(T,)`` from ``first`` on, known at both ends. Inner gaps (NaN) have a trend and a season but no remainder. Spring
    Festival and trading days stay in the remainder. Raises NotEnoughData under two years, or where a season was seen once.
    """
    from statsmodels.tsa.seasonal import STL

    n, year = len(values), first.freq.per_year
    seen = ~np.isnan(values)
    seasons = (first.ordinal + np.arange(n)) % year
    if n < 2 * year or np.bincount(seasons[seen], minlength=year).min() < 2:
        raise NotEnoughData(
            f"a seasonal pattern needs each season twice: {first} to {first + (n - 1)}, {seen.sum()} known"
        )
    at = np.arange(n)
    filled = np.where(seen, values, np.interp(at, at[seen], values[seen]))
    for _ in range(_ROUNDS if not seen.all() else 1):
        fit = STL(filled, period=year, robust=True).fit()
        filled = np.where(seen, values, fit.trend + fit.seasonal)
    return fit.trend, fit.seasonal, values - fit.trend - fit.seasonal
