"""Scheduled scoring: what the champions say on each day of a release, written to the store for dashboards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import polars as pl

from engine.align import last_known
from engine.calendar import Period
from engine.errors import NotEnoughData, NotReady
from featurestore.panel import build_panel
from featurestore.store import NEWS, Store
from serving import answer, forecasts, readings
from serving.champions import Champion, Champions

YEARS = 2
"""How far ahead a forecast is published."""


@dataclass(frozen=True, slots=True)
class Published:
    """What was done for one target and day. problem: why nothing could be, else empty."""

    target: str
    asof: datetime
    periods: tuple[str, ...]
    news: int
    problem: str = ""


def publish(
    store: Store,
    champions: Champions,
    asof: datetime | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[Published, ...]:
    """Score each champion on each day of a release not yet published, or on ``asof`` alone; say what was written.

    A champion speaks from the day of its first fit on. Days whose release is not of real time (a month or a usual delay instead of
    a day) are left out, and so is a day on which too little was known. A forecast, as a reading, is published for the newest day
    only. Twice changes nothing. Raises NotReady if there is no champion.
    """
    everyone = champions.all()
    if not everyone:
        raise NotReady("no champion yet: `jingqi experiment run SPEC`, then `jingqi experiment promote RUN`")
    done: list[Published] = []
    for champion in everyone:
        if champion.kind not in ("nowcast", "forecast"):
            done += _readings(store, champion, asof, progress)
            continue
        days = list(_days(store, champion, asof))
        for since, day in days if champion.kind == "nowcast" else days[-1:]:
            progress(f"{champion.target} as of {answer.asof_text(day)}")
            if (written := _one(store, champion, since, day)) is not None:
                done.append(written)
    return tuple(done)


def _readings(
    store: Store, champion: Champion, asof: datetime | None, progress: Callable[[str], None]
) -> Iterator[Published]:
    """What a champion reads, on ``asof`` or else on the newest day on which it reads anew."""
    days = [day for _, day in _days(store, champion, asof)][-1:]
    for day in days:
        progress(f"{champion.target} as of {answer.asof_text(day)}")
        if readings.published(store, champion, day):
            continue
        try:
            said = readings.ask(store, champion, day)
        except NotEnoughData as problem:
            yield Published(champion.target, day, (), 0, str(problem))
            continue
        if store.publish_readings(said.run, said.rows):
            yield Published(champion.target, day, tuple(said.rows["period"].unique().sort()), 0)


def _days(store: Store, champion: Champion, asof: datetime | None) -> Iterator[tuple[datetime | None, datetime]]:
    """Information dates to score, each with the one before it: days on which something that the champion reads was said."""
    said = answer.heard(store, champion).filter(pl.col("precision").is_in(["instant", "day"]))
    days = [d.astimezone(UTC) for d in said["known_at"].unique().sort()]
    if asof is not None:
        days = [*(d for d in days if d < asof), asof]
    both = pairwise([None, *days])
    for since, day in both:
        if day == asof if asof is not None else day is not None and day >= champion.bundle.fits[0].asof:
            assert day is not None
            yield since, day


def _one(store: Store, champion: Champion, since: datetime | None, day: datetime) -> Published | None:
    """Score one day, and explain it if it is a nowcast; None if that is published already."""
    target = champion.target
    series = answer.described(store, target)
    try:
        panel = build_panel(store, [target], day)
        newest = last_known(panel, target)[0]
        if champion.kind == "nowcast":
            periods = answer.being_nowcast(series.freq, day, newest)
        else:
            periods = tuple(forecasts.ahead(panel, target, newest + YEARS * series.freq.per_year))
        if answer.said(store, champion, target, day, periods):
            return None
        run, estimate = answer.score(store, champion, target, day, periods)
    except NotEnoughData as problem:
        return Published(target, day, (), 0, str(problem))
    news = None if since is None or champion.kind != "nowcast" else _news(store, champion, since, day, periods)
    if not store.publish(run, estimate.to_frame(), news):
        return None
    return Published(target, day, tuple(map(str, periods)), 0 if news is None else news.height)


def _news(
    store: Store, champion: Champion, since: datetime, day: datetime, periods: tuple[Period, ...]
) -> pl.DataFrame | None:
    """NEWS rows for all periods; None if nothing could be said on the day before, so that nothing changed."""
    tables = []
    try:
        ends = answer.between(store, champion, since, day)
        for period in periods:
            both = (pl.lit(since).alias("since"), pl.lit(str(period)).alias("target_period"))
            tables.append(ends.explain(period).table.with_columns(*both).select(NEWS.names()))
    except NotEnoughData:
        return None
    return pl.concat(tables)
