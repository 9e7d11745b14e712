"""A question about a target, answered: the use-cases that the service and the command share, to the last digit.

A number that was published for the very same target, information date and version is given as it was published;
otherwise the champion is asked. Parameters learned after the information date are never used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl

import engine.news
from engine.align import last_known, published
from engine.calendar import Freq, Period, end_of, known_day
from engine.errors import BadInput, NotEnoughData, NotReady, Unknown
from engine.estimate import LEVELS, Estimate, quantile_name
from engine.indicator import Series
from engine.panel import Panel
from featurestore.panel import build_panel, plan_of
from featurestore.store import ScoreRun, Store
from modelzoo import telling
from modelzoo.bundle import Fit
from serving.champions import Champion, Champions
from serving.schemas import Label, News, NewsItem, Nowcast, NowcastRow, Side

AHEAD = 12
"""How many periods after the running one may be asked for: beyond, a nowcasting model says nothing but its mean."""

SHOWN = 8
"""At most so many periods are shown unasked, should the newest published value be very old."""


OLDEST = datetime(1900, 1, 1, tzinfo=UTC)
"""Before any series of ours begins."""


def nowcast(
    store: Store, champions: Champions, target: str, asof: datetime, periods: Sequence[Period] | None = None
) -> Nowcast:
    """What the champion for ``target`` says with all that was known at ``asof``; unasked periods: `being_nowcast`.

    Raises Unknown for the target or a period, NotReady without a champion, NotEnoughData where nothing is known,
    BadInput for periods of another frequency or too far ahead.
    """
    series = described(store, target)
    champion = champions.champion(target)
    own = build_panel(store, [target], asof)
    if periods is None:
        periods = being_nowcast(series.freq, asof, last_known(own, target)[0])
    wanted = checked(series, asof, periods)
    if wanted[0] < (first := own.first.to(series.freq)):
        raise Unknown(f"{target} begins with {first}; there is nothing to say about {wanted[0]}")
    released = published(own, target, wanted)
    run, scores = said(store, champion, target, asof, wanted) or _asked(store, champion, target, asof, wanted)
    label = asdict(label_of(series, run))
    rows = tuple(
        NowcastRow(
            **label,
            period=row["period"],
            phase=row["phase"],
            status="estimated" if math.isnan(value) else "published",
            mean=row["mean"],
            quantiles={name: row[name] for name in map(quantile_name, LEVELS)},
            released=None if math.isnan(value) else float(value),
        )
        for row, value in zip(scores.iter_rows(named=True), released, strict=True)
    )
    return Nowcast(**label, name_en=series.indicator.name_en, name_zh=series.indicator.name_zh, estimates=rows)


def news(
    store: Store, champions: Champions, target: str, since: datetime, asof: datetime, period: Period | None = None
) -> News:
    """Why the estimate for ``period`` moved from what was known at ``since`` to what was known at ``asof``.

    Without ``period``, the one that runs at ``asof``. Raises as `nowcast` does, and BadInput unless since < asof.
    """
    if since >= asof:
        raise BadInput(f"news need a later day to compare with: {asof_text(since)} is not before {asof_text(asof)}")
    series = described(store, target)
    champion = champions.champion(target)
    (wanted,) = checked(series, asof, [period or Period.of(known_day(asof), series.freq)])
    ends = between(store, champion, since, asof)
    found = ends.explain(wanted)
    items = sorted(map(item_of, found.table.iter_rows(named=True)), key=lambda i: -abs(i.impact))
    kinds = dict.fromkeys(i.kind for i in items)
    return News(
        target=target,
        unit=series.indicator.unit_analysed,
        period=str(wanted),
        model=champion.bundle.name,
        version=champion.version,
        run_id=champion.run_id,
        name_en=series.indicator.name_en,
        name_zh=series.indicator.name_zh,
        is_synthetic=series.is_synthetic,
        before=_side(ends.old, ends.fit_old, found.before),
        after=_side(ends.new, ends.fit_new, found.after),
        change=found.after - found.before,
        sums={kind: math.fsum(i.impact for i in items if i.kind == kind) for kind in kinds},
        items=tuple(items),
    )


def being_nowcast(freq: Freq, asof: datetime, newest: Period) -> tuple[Period, ...]:
    """The periods to show unasked: that of the month before, and the next one; earlier ones too if not yet published.

    So a quarter stays in view through the month in which it is first published, beside the one that now runs.

    >>> show = lambda day, newest: [str(p) for p in being_nowcast(Freq.Q, end_of(day), Period.parse(newest))]
    >>> from datetime import date
    >>> show(date(2016, 6, 29), "2016-Q1"), show(date(2016, 7, 29), "2016-Q2"), show(date(2016, 8, 5), "2016-Q2")
    (['2016-Q2', '2016-Q3'], ['2016-Q2', '2016-Q3'], ['2016-Q3', '2016-Q4'])
    """
    first = (Period.of(known_day(asof), Freq.M) + -1).to(freq)
    last = first + 1
    first = max(min(first, newest + 1), last + (1 - SHOWN))
    return tuple(first + i for i in range(last - first + 1))


def newest_day(store: Store) -> datetime:
    """The information date meant by "now": when the newest release became known. Raises NotEnoughData."""
    newest = store.releases().filter(pl.col("known_at") <= datetime.now(UTC))["known_at"].max()
    if not isinstance(newest, datetime):
        raise NotEnoughData("nothing is in the store yet: `jingqi data ingest SOURCE`, or `jingqi demo`")
    return newest.astimezone(UTC)


def heard(store: Store, champion: Champion) -> pl.DataFrame:
    """``known_at``, ``precision``: when anything was said that the champion reads, until now, sorted."""
    now = datetime.now(UTC)
    if telling.reads_answers(champion.bundle.model):
        said = store.answers(now).select("known_at", precision=pl.lit("day"))
    else:
        said = store.history(plan_of(store, champion.bundle.model.inputs).ids).select("known_at", "precision")
    return said.filter(pl.col("known_at") <= now).unique().sort("known_at")


def newest_for(store: Store, champions: Champions, target: str, kind: str = "nowcast") -> datetime:
    """When the champion for a target last heard something new; without a champion, the newest day of all.

    Raises NotEnoughData.
    """
    try:
        newest = heard(store, champions.champion(target, kind))["known_at"].max()
    except (NotReady, Unknown, BadInput):  # whoever asks the champion next will hear why
        newest = None
    return newest.astimezone(UTC) if isinstance(newest, datetime) else newest_day(store)


def day_before(store: Store, champions: Champions, target: str, asof: datetime) -> datetime:
    """The last day before ``asof`` on which the champion for a target heard something new. Raises NotEnoughData, NotReady."""
    earlier = heard(store, champions.champion(target)).filter(pl.col("known_at") < asof)["known_at"].max()
    if not isinstance(earlier, datetime):
        raise NotEnoughData(f"nothing was known before {asof_text(asof)}")
    return earlier.astimezone(UTC)


def possible(asof: datetime) -> datetime:
    """``asof`` itself. Raises BadInput for a day that has not come, and for one before 1900."""
    if asof > end_of(datetime.now(UTC).date()):
        raise BadInput(f"{asof_text(asof)} has not come yet")
    if asof < OLDEST:
        raise BadInput(f"an information date lies after {OLDEST:%Y-%m-%d}")
    return asof


def asof_text(asof: datetime) -> str:
    """An information date as people write it: the day at whose end it lies, or the instant."""
    day = known_day(asof)
    return day.isoformat() if end_of(day) == asof else asof.astimezone(UTC).isoformat()


def described(store: Store, series_id: str) -> Series:
    """What a series of the store means. Raises Unknown."""
    try:
        return store.series()[series_id]
    except KeyError:
        raise Unknown(f"no series {series_id!r} in the store; `jingqi data catalogue` lists what there is") from None


def checked(series: Series, asof: datetime, periods: Sequence[Period]) -> tuple[Period, ...]:
    """The periods, each once and in order. Raises BadInput for another frequency or one too far ahead."""
    running = Period.of(known_day(asof), series.freq)
    for period in periods:
        if period.freq is not series.freq:
            raise BadInput(f"{series.id} has frequency {series.freq}, and {period} is of frequency {period.freq}")
        if period - running > AHEAD:
            raise BadInput(f"{period} lies {period - running} periods after {running}; {AHEAD} are the most")
    return tuple(sorted(set(periods)))


def score(
    store: Store, champion: Champion, target: str, asof: datetime, periods: Sequence[Period]
) -> tuple[ScoreRun, Estimate]:
    """Ask the champion: what it says, and where that comes from."""
    panel = build_panel(store, champion.bundle.model.inputs, asof)
    fit = champion.fit_for(panel)
    run = ScoreRun(
        run_id=champion.run_id,
        target=target,
        model=champion.bundle.name,
        version=champion.version,
        asof=asof,
        fitted_asof=fit.asof,
        timing=timing_of(panel, fit),
        panel=panel.digest(),
    )
    return run, fit.fitted.estimate(panel, periods)


class Ends(NamedTuple):
    """Two information dates, and what the champion could have learned by each."""

    old: Panel
    new: Panel
    fit_old: Fit
    fit_new: Fit

    def explain(self, period: Period) -> engine.news.News:
        """Why the estimate for a period moved from one to the other."""
        return engine.news.news(self.fit_old.fitted, self.fit_new.fitted, self.old, self.new, period)


def between(store: Store, champion: Champion, since: datetime, asof: datetime) -> Ends:
    """The panels and parameters of two days. Raises NotEnoughData."""
    old, new = (build_panel(store, champion.bundle.model.inputs, day) for day in (since, asof))
    return Ends(old, new, champion.fit_for(old), champion.fit_for(new))


def _asked(
    store: Store, champion: Champion, target: str, asof: datetime, periods: Sequence[Period]
) -> tuple[ScoreRun, pl.DataFrame]:
    run, estimate = score(store, champion, target, asof, periods)
    return run, estimate.to_frame()


def said(
    store: Store, champion: Champion, target: str, asof: datetime, periods: Sequence[Period]
) -> tuple[ScoreRun, pl.DataFrame] | None:
    """What this version published for that day.

    None unless all the periods are there and nothing that was public by then has reached the store since.
    """
    mine = (pl.col("version") == champion.version) & (pl.col("run_id") == champion.run_id)
    scores = store.scores(target, asof).filter((pl.col("asof") == asof) & mine)
    scores = scores.filter(pl.col("published_at") == pl.col("published_at").max())
    wanted = pl.DataFrame({"period": [str(p) for p in periods]})
    found = wanted.join(scores, on="period", how="inner", maintain_order="left")
    if found.height != len(periods):
        return None
    row = found.row(0, named=True)
    late = (pl.col("known_at") <= asof) & (pl.col("recorded_at") > row["published_at"])
    if store.releases().select(late.any()).item():
        return None
    return ScoreRun(**{name: row[name] for name in ScoreRun.__dataclass_fields__}), found


def label_of(series: Series, run: ScoreRun) -> Label:
    return Label(
        target=run.target,
        unit=series.indicator.unit_analysed,
        unit_zh=series.indicator.unit_analysed_zh,
        asof=asof_text(run.asof),
        model=run.model,
        version=run.version,
        run_id=run.run_id,
        fitted_asof=asof_text(run.fitted_asof),
        timing="real" if run.timing == "real" else "pseudo",
        panel=run.panel,
        is_synthetic=series.is_synthetic,
    )


def timing_of(panel: Panel, fit: Fit) -> Literal["real", "pseudo"]:
    """A number is of real time only if both what it was computed from and what its parameters learned from were."""
    return "real" if panel.timing == fit.timing == "real" else "pseudo"


def _side(panel: Panel, fit: Fit, mean: float) -> Side:
    return Side(
        asof=asof_text(panel.asof),
        mean=mean,
        fitted_asof=asof_text(fit.asof),
        timing=timing_of(panel, fit),
        panel=panel.digest(),
    )


def item_of(row: dict[str, Any]) -> NewsItem:
    return NewsItem(**{name: _null(row[name]) for name in NewsItem.__dataclass_fields__})


def _null(value: Any) -> Any:
    """NaN means "does not apply"; outside of arrays that is None."""
    return None if isinstance(value, float) and np.isnan(value) else value
