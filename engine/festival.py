"""Spring Festival: its day each year, and how much of a window of days around it falls in each month.

The festival moves between 21 January and 20 February, so that what it does to output, trade and prices is not seasonal to a
filter that knows months only. A regressor holds, for each month, the share of a window [a, b] of days around day 0 (the first
day of the first lunar month, Beijing time), less the long-run mean share of that calendar month: what always falls in a
January stays with January's seasonal factor (Findley, Monsell & Hou 2012, "Stock series holiday regressors"; the same as
``genhol(center = "calendar")`` of the R package seasonal).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from engine.calendar import Freq, Period
from engine.errors import BadInput
from engine.typing import Floats

Window = tuple[int, int]
"""First and last day, counted from day 0; both are part of it. ``(0, 6)`` is the week of the holiday."""

_SINCE = 1947
_DAY_OF_YEAR = """
22 41 29 48 37 27 45 34 24 43 31 49 39 28 46 36 25 44 33 21 40 30 48 37 27 46 34 23 42 31 49 38 28 47 36
25 44 33 51 40 29 48 37 27 46 35 23 41 31 50 38 28 47 36 24 43 32 22 40 29 49 38 26 45 34 23 41 31 50 39
28 47 36 25 43 32 22 41 29 48 37 26 44 34 23 42 31 50 39 28 46 35 24 43 32 22 41 30 48 37 26 45 33 23
"""

DATES: tuple[date, ...] = tuple(
    date(_SINCE + i, 1, 1) + timedelta(days=int(d) - 1) for i, d in enumerate(_DAY_OF_YEAR.split())
)
"""Spring Festival 1947 to 2050, one a year. Facts of the calendar (China Standard Time, GB/T 33661-2017)."""

SETS: Mapping[str, tuple[Window, ...]] = {
    "none": (),
    "week": ((0, 6),),
    "after": ((0, 19),),
    "around": ((-5, 20),),
    "short": ((-5, -1), (0, 6), (7, 20)),
    "long": ((-15, -1), (0, 6), (7, 21)),
}
"""The declared sets of windows among which AICc chooses for each series. The statistics bureau speaks of an effect from 4 to 5
days before to 15 to 20 days after (14 March 2019, on the January to February figures)."""


def regressor(first: Period, n: int, window: Window, dates: Sequence[date] = DATES) -> Floats:
    """``(n,)`` share of the window in each month from ``first`` on, centred by the calendar month's mean over all ``dates``.

    >>> regressor(Period.parse("1993-01"), 3, (0, 6)).round(4).tolist()
    [0.7445, -0.7445, 0.0]

    dates: one a year, without a gap. Raises BadInput for a window outside [-20, 38], which would leave the first quarter, for
    months that are not months, and for years that ``dates`` does not hold.
    """
    if first.freq is not Freq.M:
        raise BadInput(f"Spring Festival regressors are monthly: {first} is not a month")
    years = (dates[0].year, dates[-1].year)
    if not (years[0] <= first.start.year and (first + (n - 1)).start.year <= years[1]):
        raise BadInput(f"Spring Festival is on file for {years[0]} to {years[1]}, not for {first} to {first + (n - 1)}")
    grid = _centred(window, tuple(dates)).ravel()
    at = first.ordinal - years[0] * 12
    return grid[at : at + n].copy()


@lru_cache(maxsize=64)
def _centred(window: Window, dates: tuple[date, ...]) -> Floats:
    """``(years, 12)``."""
    a, b = window
    if not -20 <= a <= b <= 38:
        raise BadInput(f"a window of days around Spring Festival lies within [-20, 38], not {list(window)}")
    day0 = np.array([d.timetuple().tm_yday for d in dates])
    leap = np.array([date(d.year, 12, 31).timetuple().tm_yday - 365 for d in dates])
    ends = [0 * leap, 0 * leap + 31, 59 + leap, 90 + leap]
    share = np.zeros((len(dates), 12))
    for m in range(3):
        days = np.minimum(day0 + b, ends[m + 1]) - np.maximum(day0 + a, ends[m] + 1) + 1
        share[:, m] = np.maximum(days, 0) / (b - a + 1)
    centred: Floats = share - share.mean(axis=0)
    return centred
