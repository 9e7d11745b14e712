"""Where a cell of a panel comes from: the releases behind it, or the reason why it is empty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from engine.calendar import Freq, Period, known_day
from engine.errors import BadInput
from engine.indicator import Series
from engine.kinds import pair_rule
from engine.steps import analyse, reach
from featurestore.compute import Computed, compute, last_review
from featurestore.features import Feature
from featurestore.panel import cells_of, plan_of
from featurestore.store import Store

SOURCES = ("series", "period", "value", "status", "known_at", "nth", "release", "source", "code", "recorded_at", "uri")


@dataclass(frozen=True, slots=True)
class Trace:
    """One cell as of a day.

    value: analysed, None where the cell is empty, and then ``reason`` says why. step: what made it of the published values, for a
    feature its recipe. sources: a row a published value that was read, newest period first (columns SOURCES); what is not known
    has no row. flags: bits of ``engine.figures.Origin``. note: how the data of the day were treated.
    """

    series: str
    period: Period
    asof: datetime
    step: str
    value: float | None
    reason: str
    sources: pl.DataFrame
    flags: int = 0
    note: str = ""


def trace(store: Store, series_id: str, period: Period, asof: datetime) -> Trace:
    """The published values behind an analysed one or behind a feature, each with its release.

    Raises Unknown, Refused for a feature that must not be made, BadInput for another frequency.
    """
    (column,) = plan_of(store, [series_id]).columns
    if isinstance(column, Feature):
        return _of_feature(store, column, period, asof)
    history = store.history([series_id])
    series = column
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
    empty = bool(np.isnan(analysed))
    return Trace(
        series=series_id,
        period=period,
        asof=asof,
        step=step,
        value=None if empty else float(analysed),
        reason=_reason(history, read, period, back, asof) if empty else "",
        sources=_releases(store, read, {series_id: series.freq}),
    )


def _of_feature(store: Store, feature: Feature, period: Period, asof: datetime) -> Trace:
    series, ids = feature.series, [s.id for s in feature.sources]
    if period.freq is not series.freq:
        raise BadInput(f"{series.id} has frequency {series.freq}, and {period} is of frequency {period.freq}")
    now, then = cells_of(store, ids, asof), lambda: cells_of(store, ids, last_review(asof))
    (made,) = compute([feature], now, then, around=period)
    assert made is not None  # with a period to reach there is an axis
    at = period - made.first
    wanted = [(ids[n], p) for n, p in np.array(made.places)[made.behind[at]].tolist()]
    history = store.history(ids)
    public = history.filter(pl.col("known_at") <= asof)
    newest = public.group_by("series", "period", maintain_order=True).last()
    places = pl.DataFrame(wanted, schema={"series": pl.String, "period": pl.Int32}, orient="row")
    read = newest.join(places, on=["series", "period"], how="semi")
    empty = bool(np.isnan(made.values[at]))
    return Trace(
        series=series.id,
        period=period,
        asof=asof,
        step=series.made.recipe if series.made else "",
        value=None if empty else float(made.values[at]),
        reason=_why_empty(feature, made, period, history, newest, wanted, asof) if empty else "",
        sources=_releases(store, read, {s.id: s.freq for s in feature.sources}),
        flags=int(made.flags[at]),
        note=made.note,
    )


def _releases(store: Store, read: pl.DataFrame, freqs: dict[str, Freq]) -> pl.DataFrame:
    """The rows of SOURCES, newest period first, series by series as they are named."""
    events = store.releases().select("release", "source", "code", "uri")
    order = pl.col("series").replace_strict({name: n for n, name in enumerate(freqs)}, return_dtype=pl.Int32)
    found = read.join(events, on="release", how="left").sort(order, pl.col("period"), descending=[False, True])
    said = [str(Period(freqs[s], p)) for s, p in found.select("series", "period").iter_rows()]
    return found.with_columns(pl.Series("period", said, dtype=pl.String)).select(SOURCES)


def _why_empty(
    feature: Feature,
    made: Computed,
    asked: Period,
    history: pl.DataFrame,
    newest: pl.DataFrame,
    wanted: list[tuple[str, int]],
    asof: datetime,
) -> str:
    """The newest published value that the recipe lacks, and what is known of it; else what the recipe itself says."""
    meaning = {s.id: s for s in feature.sources}
    have = {(s, p): (v, k) for s, p, v, k in newest.select("series", "period", "value", "known_at").iter_rows()}
    lacking = [cell for cell in wanted if have.get(cell, (None, None))[0] is None]
    own = (feature.sources[0].id, asked.to(feature.sources[0].freq).ordinal)
    if made.note.startswith("not ") and own not in lacking:
        return made.note
    if not lacking:
        return "a base is not positive, or covers other months than what stands on it"
    name, ordinal = max(
        lacking, key=lambda cell: (Period(meaning[cell[0]].freq, cell[1]).end, cell[0] == feature.sources[0].id)
    )
    series = meaning[name]
    period = Period(series.freq, ordinal)
    if _in_february(series, period):
        return f"{name}: {period} is published together with February, as one observation"
    return f"{name}: {period} {_unknown(history.filter(pl.col('series') == name), period, have.get((name, ordinal)), asof)}"


def _in_february(series: Series, period: Period) -> bool:
    """Whether a period is a January that is part of February's observation."""
    year, part = divmod(period.ordinal, period.freq.per_year)
    return period.freq is Freq.M and part == 0 and bool(pair_rule(series.indicator).combined(np.array([year]))[0])


def _unknown(history: pl.DataFrame, period: Period, have: tuple[float | None, datetime] | None, asof: datetime) -> str:
    """What is to be said of a value that is not known."""
    if have:
        return f"was taken back on {known_day(have[1])}"
    later = history.filter(pl.col("period") == period.ordinal)["known_at"].min()
    if isinstance(later, datetime):
        return f"was first released on {known_day(later)}, after {known_day(asof)}"
    return "was never released"


def _reason(history: pl.DataFrame, read: pl.DataFrame, period: Period, back: int, asof: datetime) -> str:
    """Why nothing could be said: the first published value that the step lacks, and what is known of it."""
    have = {p: (v, k) for p, v, k in read.select("period", "value", "known_at").iter_rows()}
    for i in range(back + 1):
        wanted = period + -i
        known = have.get(wanted.ordinal)
        if known is None or known[0] is None:
            return ("" if i == 0 else f"its base {wanted} ") + _unknown(history, wanted, known, asof)
    return "its base is not positive: a growth rate would have no meaning"
