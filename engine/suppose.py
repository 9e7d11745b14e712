"""What if: a panel on which some releases are supposed to have come, to be set against the one that is known.

``engine.news.news(fitted, fitted, panel, suppose(panel, releases), period)`` is then the table of what they would do; it adds up as
every news does. What is published is not supposed anew: a revision is no release.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from engine.calendar import Freq, Period
from engine.errors import BadInput
from engine.figures import Origin, PairRule
from engine.indicator import Series
from engine.panel import EPOCH, Panel


@dataclass(frozen=True, slots=True)
class Supposed:
    """A value that is not known yet, in the analysed unit of its series."""

    series: str
    period: Period
    value: float


def suppose(panel: Panel, releases: Sequence[Supposed]) -> Panel:
    """The panel as if these had been released by its information date; its axis is lengthened where they need it.

    Raises Unknown for a series that the panel does not hold; BadInput for one of another frequency, a period that is published
    or before the panel, a January that is published with February, a value that is no number, one cell twice, and for none.
    """
    if not releases:
        raise BadInput("nothing is supposed: give at least one release")
    for r in releases:
        meaning = panel.meaning(r.series)
        if r.period.freq is not meaning.freq:
            raise BadInput(f"{r.series} has frequency {meaning.freq}, and {r.period} is of frequency {r.period.freq}")
        if not math.isfinite(r.value):
            raise BadInput(f"{r.series}: {r.period} cannot be supposed as {r.value}")
        if in_pair(panel, meaning, r.period):
            raise BadInput(f"{r.series}: {r.period} is published together with February; suppose {r.period + 1}")
        if panel.row(r.period) < 0:
            raise BadInput(f"{r.series}: {r.period} lies before {panel.first}, where the data begin")
    cells = [(r.series, r.period) for r in releases]
    if twice := [f"{s} {p}" for s, p in dict.fromkeys(cells) if cells.count((s, p)) > 1]:
        raise BadInput(f"supposed twice: {', '.join(twice)}")
    wide = panel.over(panel.first, max(r.period.last_month for r in releases))
    values, stamps, flags = wide.values.copy(), wide.stamps.copy(), wide.flags.copy()
    now = (panel.asof - EPOCH) // timedelta(microseconds=1)
    for r in releases:
        at = wide.row(r.period), wide.ids.index(r.series)
        if not math.isnan(values[at]):
            raise BadInput(
                f"{r.series}: {r.period} is published, {values[at]:.6g} as of {panel.day}; suppose a later one"
            )
        values[at], stamps[at] = r.value, now
        flags[at] = (
            flags[at[0] - 12, at[1]] & Origin.PAIR if at[0] >= 12 else 0
        )  # a February that stands for January too
    return replace(wide, values=values, stamps=stamps, flags=flags)


def in_pair(panel: Panel, meaning: Series, period: Period) -> bool:
    """Whether the period is a January that its series publishes together with February.

    Of a published series its rule says so; of a computed column the newest January and February in the panel.
    """
    if period.freq is not Freq.M or period.ordinal % 12:
        return False
    if meaning.made is None:
        rule = PairRule.parse(meaning.indicator.jan_feb or "separate")
        return bool(rule.combined(np.array([period.ordinal // 12]))[0])
    column = panel.matrix([meaning.id])[:, 0]
    january = np.arange(-panel.first.ordinal % 12, len(column) - 1, 12)
    known = ~np.isnan(column[january + 1])
    return bool(known.any() and np.isnan(column[january[known][-1]]))
