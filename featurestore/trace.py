"""Where a cell of a panel comes from: the releases behind it, or the reason why it is empty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from engine.calendar import Period, known_day
from engine.errors import BadInput
from engine.steps import analyse, reach
from featurestore.store import Store

SOURCES = ("period", "value", "status", "known_at", "nth", "release", "source", "code", "recorded_at", "uri")


@dataclass(frozen=True, slots=True)
class Trace:
    """One cell as of a day.

    value: analysed, None where the cell is empty, and then ``reason`` says why. step: what made it of the published values.
    sources: a row a published value that the step reads, newest period first (columns SOURCES); what is not known has no row.
    """

    series: str
    period: Period
    asof: datetime
    step: str
    value: float | None
    reason: str
    sources: pl.DataFrame


def trace(store: Store, series_id: str, period: Period, asof: datetime) -> Trace:
    """The published values behind an analysed one, each with its release. Raises Unknown, BadInput for another frequency."""
    history = store.history([series_id])
    series = store.series()[series_id]
    if period.freq is not series.freq:
        raise BadInput(f"{series_id} has frequency {series.freq}, and {period} is of frequency {period.freq}")
    step, back = series.indicator.step, reach(series.indicator.step)
    public = history.filter(pl.col("known_at") <= asof)
    newest = public.group_by("period", maintain_order=True).last()
    read = newest.filter(pl.col("period").is_between(period.ordinal - back, period.ordinal))
    levels = np.full(back + 1, np.nan)
    for ordinal, value in read.select("period", "value").iter_rows():
        levels[ordinal - period.ordinal + back] = np.nan if value is None else value
    analysed = analyse(levels, step, series.freq)[-1]
    events = store.releases().select("release", "source", "code", "uri")
    sources = read.join(events, on="release", how="left").sort("period", descending=True)
    names = pl.Series("period", [str(Period(series.freq, p)) for p in sources["period"]], dtype=pl.String)
    empty = bool(np.isnan(analysed))
    return Trace(
        series=series_id,
        period=period,
        asof=asof,
        step=step,
        value=None if empty else float(analysed),
        reason=_reason(history, read, period, back, asof) if empty else "",
        sources=sources.with_columns(names).select(SOURCES),
    )


def _reason(history: pl.DataFrame, read: pl.DataFrame, period: Period, back: int, asof: datetime) -> str:
    """Why nothing could be said: the first published value that the step lacks, and what is known of it."""
    have = {p: (v, k) for p, v, k in read.select("period", "value", "known_at").iter_rows()}
    for i in range(back + 1):
        wanted = period + -i
        role = "" if i == 0 else f"its base {wanted} "
        if wanted.ordinal in have:
            value, known = have[wanted.ordinal]
            if value is None:
                return f"{role}was taken back on {known_day(known)}"
            continue
        later = history.filter(pl.col("period") == wanted.ordinal)["known_at"].min()
        if isinstance(later, datetime):
            return f"{role}was first released on {known_day(later)}, after {known_day(asof)}"
        return f"{role}was never released"
    return "its base is not positive: a growth rate would have no meaning"
