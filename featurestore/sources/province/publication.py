"""How true months become published figures: sums and growth since January, pairs, and the day of release.

January and February appear as one observation where the rule of the series says so: there is no January, and the value
that stands on February is that of both. Growth is counted on a comparable basis: on the true level of both years, at
constant prices where the office does so, and never on the levels as they were published, whose scope changes.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.calendar import Freq, Period, end_of
from engine.typing import Floats
from featurestore.sources.province.latent import FIRST, MONTHS, YEARS
from featurestore.sources.province.levels import Level
from featurestore.sources.province.meaning import Line
from featurestore.store import Precision

Days: TypeAlias = NDArray[np.int64]

FIRST_YEAR = FIRST.start.year
PUBLISHED = 12
"""Months of truth before the first that is published: growth needs a base."""

WINDOWS = {
    "pmi": (0, 0), "power": (7, 9), "prices": (9, 12), "fiscal": (10, 14), "finance": (10, 15), "customs": (14, 18),
    "boom": (15, 15), "activity": (16, 20), "accounts": (16, 20), "services": (16, 20), "profits": (27, 30),
    "cities": (21, 24),
}  # fmt: skip
"""First and last day of the month after the period (of the second month after it for services). ``cities``: accounts and
activity of the cities, a few days after those of the province; treasury and grid speak of all at once."""

_INSTANT = {"pmi": timedelta(hours=1, minutes=30), "prices": timedelta(hours=1, minutes=30)}
"""In UTC: half past nine in Beijing. All other releases are dated by the day."""


def published(line: Line, truth: Level) -> Floats:
    """Unrounded ``(MONTHS,)`` of a line on true levels, NaN where nothing is published (and before 2008)."""
    level, basis = truth.level.reshape(YEARS, 12), truth.basis.reshape(YEARS, 12)
    pair = paired(line)
    values = np.full((YEARS, 12), np.nan)
    match line.indicator.kind:
        case "level_ytd":
            values = level.cumsum(axis=1)
        case "yoy_ytd":
            values[1:] = 100 * (basis.cumsum(axis=1)[1:] / basis.cumsum(axis=1)[:-1] - 1)
        case "level_month":
            values = _joined(level, pair)
        case "yoy_month":
            for year in range(1, YEARS):
                both = _joined(basis[year - 1 : year + 1], np.array([pair[year]] * 2))  # last year's pair as this one's
                values[year] = 100 * (both[1] / both[0] - 1)
        case "yoy_eop":
            values[1:] = 100 * (basis[1:] / basis[:-1] - 1)
        case "index_yoy":
            values[1:] = 100 * basis[1:] / basis[:-1]
        case "index_mom":
            values.flat[1:] = 100 * truth.basis[1:] / truth.basis[:-1]
        case "index_yoy_ytd":
            values[1:] = 100 * basis.cumsum(axis=1)[1:] / basis.cumsum(axis=1)[:-1]
        case _:
            values = level.copy()
    values = values.copy()
    values[pair, 0] = np.nan
    if line.indicator.freq is Freq.Q:
        values[:, [0, 1, 3, 4, 6, 7, 9, 10]] = np.nan
    flat = values.reshape(-1)
    flat[:PUBLISHED] = np.nan
    return flat


def paired(line: Line) -> NDArray[np.bool_]:
    """``(YEARS,)``: whether January is part of February in that year."""
    years = FIRST_YEAR + np.arange(YEARS)
    rule = line.indicator.jan_feb
    return years >= 2020 if "since 2020" in rule else np.full(YEARS, rule == "combined")


def release_days(group: str, rng: np.random.Generator) -> tuple[date, ...]:
    """The day on which each month, ``(MONTHS,)``, is first published by a group of indicators."""
    first, last = WINDOWS[group]
    draws = rng.integers(first, last + 1, MONTHS)
    after = 2 if group == "services" else 1
    return tuple(day_of(FIRST + t + after, int(day)) for t, day in enumerate(draws))


def known(group: str, day: date) -> tuple[datetime, Precision]:
    """When the public knows what is released on a day: an instant where the group has one, else the end of the day."""
    if group in _INSTANT:
        return end_of(day - timedelta(days=1)) + _INSTANT[group], "instant"
    return end_of(day), "day"


def day_of(month: Period, day: int) -> date:
    """That day of the month, or its last one; day 0 is the last of the month before."""
    return month.start - timedelta(days=1) if day == 0 else min(month.start + timedelta(days=day - 1), month.end)


def _joined(months: Floats, pair: NDArray[np.bool_]) -> Floats:
    joined = months.copy()
    joined[pair, 1] += joined[pair, 0]
    return joined
