"""From micro to macro: which cells of a survey lead which statistics, with how many firms, and whether it may be chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from engine.calendar import Freq, Period
from engine.comovement import chance, cross_correlation
from engine.errors import BadInput, NotEnoughData
from engine.panel import Panel
from engine.typing import Floats

LEADS = pl.Schema(
    {"unit": pl.String(), "index": pl.String(), "statistic": pl.String(), "lead": pl.Int32(), "correlation": pl.Float64(),
     "probability": pl.Float64(), "firms": pl.Float64(), "months": pl.Int32()}
)  # fmt: skip
"""lead: months by which the cell's index comes before the statistic, where their correlation is largest in size.
probability: that a series without relation correlates as strongly at one of the leads. firms: median that answered."""

AHEAD = 12
"""Months of lead and of lag that are tried."""


def leads(readings: pl.DataFrame, panel: Panel, statistics: Sequence[str]) -> pl.DataFrame:
    """LEADS rows, the strongest correlation first. A cell that lacks waves or never moves has no row.

    readings: READINGS of a monitor with monthly waves (levels ``index`` and ``firms``). statistics: monthly series of the
    panel, stationary (growth rates). What is not published yet is not known: nothing later than the panel's date is used.
    Raises BadInput for waves that are not monthly and series that are not, NotEnoughData if no cell has waves enough.
    """
    if odd := [s for s in statistics if panel.meaning(s).freq is not Freq.M]:
        raise BadInput(f"leads are counted in months; {', '.join(odd)} is not monthly")
    rows = []
    for (unit, index), part in readings.group_by("unit", "name", maintain_order=True):
        said = part.filter(pl.col("level") == "index").sort("period")
        firms = part.filter(pl.col("level") == "firms")["value"].median()
        if said.is_empty():
            continue
        series = _column(said, panel)
        for statistic in statistics:
            reference = panel.matrix([statistic])[:, 0]
            both = np.flatnonzero(~np.isnan(reference) & ~np.isnan(series))
            if not len(both):
                continue
            span = slice(both[0], both[-1] + 1)
            y, x = _filled(reference[span]), _filled(series[span])
            try:
                found = cross_correlation(y, x, AHEAD, AHEAD)
                probability = chance(y, x, AHEAD, AHEAD)
            except (BadInput, NotEnoughData):
                continue
            rows.append((unit, index, statistic, found.lead, found.value, probability, firms, len(both)))
    if not rows:
        raise NotEnoughData(f"as of {panel.day} no cell of the survey has waves enough beside {', '.join(statistics)}")
    return pl.DataFrame(rows, schema=LEADS, orient="row").sort(pl.col("correlation").abs(), descending=True)


def _column(said: pl.DataFrame, panel: Panel) -> Floats:
    """``(T,)`` the index on the panel's months."""
    out = np.full(panel.months, np.nan)
    for text, value in said.select("period", "value").iter_rows():
        period = Period.parse(text)
        if period.freq is not Freq.M:
            raise BadInput(f"leads are counted in months; the survey has a wave of {text}")
        if 0 <= panel.row(period) < panel.months:
            out[panel.row(period)] = value
    return out


def _filled(values: Floats) -> Floats:
    """Gaps (a January that is published with February) by a straight line, as blocks of months take none."""
    known = ~np.isnan(values)
    at = np.arange(len(values))
    return np.interp(at, at[known], values[known])
