"""What each unit's indicators say of a period: from the months of a panel to one value a year, or a year to the quarter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.calendar import Freq, Period
from engine.figures import PairRule
from engine.indicator import Series
from engine.panel import Panel
from engine.typing import Floats


def over_time(panel: Panel, names: Sequence[str], units: Sequence[str], freq: Freq) -> tuple[Period, Floats]:
    """The first period, and ``(T, U, len(names))`` values of all periods in which the panel has months.

    A figure since January or at the end of the period is that of its last month; a flow of months or quarters is summed, a
    rate or an index averaged, over periods that are all known; NaN otherwise. A value of a year stands in its last quarter.
    Where January is published with February, it counts as that. Raises Unknown for a series that the panel lacks.
    """
    first, last = panel.first.to(freq), panel.last.to(freq)
    length = 12 // freq.per_year
    months = panel.over((first + -1).last_month + 1, last.last_month)
    ids = [f"{name}@{unit}" for name in names for unit in units]
    cells = months.matrix(ids)
    out = np.empty((last - first + 1, len(units), len(names)))
    for column, series_id in enumerate(ids):
        by_period = cells[:, column].reshape(-1, length)
        name, unit = divmod(column, len(units))
        out[:, unit, name] = _summed_up(by_period, months.meaning(series_id), months.first)
    return first, out


def _summed_up(months: Floats, series: Series, first: Period) -> Floats:
    """``(T,)`` from ``(T, months)``."""
    about = series.indicator
    if about.aggregation == "last":
        return months[:, -1]
    adds = about.aggregation in ("sum", "growth")
    if series.freq is Freq.M and about.jan_feb:
        at = first.ordinal + np.arange(months.size).reshape(months.shape)
        joined = (at % 12 == 0) & PairRule.parse(about.jan_feb).combined(at // 12) & np.isnan(months)
        months = np.where(joined, 0.0 if adds else np.roll(months, -1, axis=1), months)
    step = 12 // series.freq.per_year
    whole = months[:, step - 1 :: step] if step <= months.shape[1] else months[:, -1:]
    found: Floats = whole.sum(1) if adds else whole.mean(1)
    return found
