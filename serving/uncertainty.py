"""Where the width of a band comes from: the champion's own sources, and revisions learned from the vintages of the store."""

from __future__ import annotations

import calendar
import math
from dataclasses import asdict
from datetime import date, datetime
from functools import cache
from typing import NamedTuple

import numpy as np
import polars as pl

from engine import uncertainty
from engine.calendar import Period, end_of, known_day
from engine.errors import BadInput, NotEnoughData
from engine.estimate import LEVELS, phase, quantile_name
from engine.panel import Panel
from featurestore.features import Feature
from featurestore.panel import Cube, plan_of
from featurestore.store import Store
from serving.answer import checked, described, label_of
from serving.champions import Champions
from serving.schemas_uncertainty import Source, Uncertainty, UncertaintyPart
from serving.whatif import at_hand

YEARS = 15
"""So far back reach the revisions that are learned from, at most."""

SETTLED = 12
"""Months after which a value counts as settled: most offices revise a year back once a year."""

LATEST = 12
"""Periods after the first release at which the truth may be taken."""

NAMES: dict[Source, tuple[str, str]] = {
    "states": ("states and shocks", "状态与冲击"),
    "parameters": ("parameters", "参数估计"),
    "errors": ("past errors", "历史误差"),
    "revisions": ("revisions of the data", "数据修订"),
    "target": ("revisions of the target", "目标指标修订"),
}


class _Part(NamedTuple):
    """A source, its variance (NaN: not known), whether the band holds it, and what is to be said of it."""

    source: Source
    variance: float
    in_band: bool
    note_en: str
    note_zh: str

    def told(self, total: float) -> UncertaintyPart:
        known = not math.isnan(self.variance)
        share = (self.variance / total if total > 0 else 0.0) if known else None
        sd = math.sqrt(self.variance) if known else None
        names = NAMES[self.source]
        return UncertaintyPart(
            source=self.source, name_en=names[0], name_zh=names[1], sd=sd, share=share, in_band=self.in_band,
            note_en=self.note_en, note_zh=self.note_zh,
        )  # fmt: skip


def where_from(
    store: Store, champions: Champions, target: str, asof: datetime, period: Period | None = None, later: int = 0
) -> Uncertainty:
    """The sources of the width of the champion's band; without ``period`` of the running one.

    later: the truth is the value when so many later periods have come out, 0 the first release. Nothing is learned from after
    ``asof``. Raises as `serving.answer.nowcast`, and BadInput for ``later`` outside of 0 … 12.
    """
    if not 0 <= later <= LATEST:
        raise BadInput(f"later lies in 0 … {LATEST}, not {later}")
    series, champion = described(store, target), champions.champion(target)
    (wanted,) = checked(series, asof, [period or Period.of(known_day(asof), series.freq)])
    run, panel, fitted = at_hand(store, champion, target, asof)
    said, held = fitted.estimate(panel, [wanted]), uncertainty.sources(fitted, panel, [wanted])
    band, states, parameters = held.row(0)
    revised = uncertainty.revisions(
        fitted, panel, past(Cube(store, panel.ids), panel), [wanted], revisable(store, panel)
    )
    revision = float(revised.variance[0])
    parts = [*_own(band, states, parameters, held.live), _revisions(revision, revised, held.live)]
    total = band + (0.0 if held.live else _or_nothing(revision))
    if later and band > 0:  # a published value is no first release to come
        parts.append(_target(store, target, asof, later))
        total += _or_nothing(parts[-1].variance)
    q = said.quantiles[0]
    half = math.sqrt(total / band) if band > 0 else 1.0
    low, middle, high = (float(q[i]) for i in (1, 3, 5))
    own = 0.0 if band > 0 else uncertainty.Z80 * math.sqrt(total)
    return Uncertainty(
        **asdict(label_of(series, run)),
        name_en=series.indicator.name_en,
        name_zh=series.indicator.name_zh,
        period=str(wanted),
        phase=phase(wanted, asof),
        later=later,
        mean=float(said.mean[0]),
        quantiles={quantile_name(level): float(v) for level, v in zip(LEVELS, q, strict=True)},
        band_sd=math.sqrt(band),
        sd=math.sqrt(total),
        lower=middle - half * (middle - low) - own,
        upper=middle + half * (high - middle) + own,
        complete=not revised.unknown and not any(math.isnan(p.variance) for p in parts),
        unrecorded=revised.unknown,
        parts=tuple(p.told(total) for p in parts),
    )


def _or_nothing(variance: float) -> float:
    return 0.0 if math.isnan(variance) else variance


def _own(band: float, states: float, parameters: float, live: bool) -> list[_Part]:
    """What the model tells of its own band."""
    if math.isnan(states):
        en = "the band is recalibrated on errors in real time: states, parameters and revisions of the data together"
        zh = "区间按实时误差重新校准：状态、参数与数据修订合在一起"
        if not live:
            en = "the band is taken from errors in the order of time: states, shocks and parameters together"
            zh = "区间取自按时间顺序的历史误差：状态、冲击与参数合在一起"
        return [_Part("errors", band, True, en, zh)]
    en, zh = "what estimating the parameters adds", "参数由估计得来而增加的误差"
    if math.isnan(parameters):
        en = "not known: this champion's band does not hold it (nowcast.dfm tells it with the option draws)"
        zh = "未知：当前模型的区间未包含此项（nowcast.dfm 设 draws 选项后可给出）"
    return [
        _Part("states", states, True, "given the parameters", "视参数为已知"),
        _Part("parameters", parameters, not math.isnan(parameters), en, zh),
    ]


def _revisions(variance: float, found: uncertainty.Revised, live: bool) -> _Part:
    n, lacking = found.count, len(found.unknown)
    if math.isnan(variance):
        en = f"not known: {n} earlier vintages with what became of them {SETTLED} months later, {uncertainty.FEWEST} are needed"
        zh = f"未知：有 {SETTLED} 个月后结果的历史版本只有 {n} 个，至少需要 {uncertainty.FEWEST} 个"
        return _Part("revisions", variance, False, en, zh)
    en = f"of {n} vintages, as they were revised within {SETTLED} months"
    zh = f"据 {n} 个历史版本在其后 {SETTLED} 个月内的修订"
    if lacking:
        en += f"; {lacking} series without revisions on record are left out"
        zh += f"；{lacking} 个指标没有修订记录，未计入"
    if live:
        en, zh = f"{en}; the band holds them already", f"{zh}；区间已包含此项"
    return _Part("revisions", variance, live, en, zh)


def past(cube: Cube, panel: Panel) -> list[tuple[Panel, Panel]]:
    """What was known on the same day of earlier months, and a year later. Where quarterly series are read only months of the same
    place in their quarters count, so that like releases are compared."""
    step = 12 // min(s.freq.per_year for s in panel.series)

    @cache
    def at(months: int) -> Panel | None:
        try:
            return cube.panel(_before(panel.asof, months)) if months else panel
        except NotEnoughData:
            return None

    pairs = ((at(k + SETTLED), at(k)) for k in range(0, 12 * YEARS - SETTLED, step))
    return [(then, after) for then, after in pairs if then is not None and after is not None]


def _before(asof: datetime, months: int) -> datetime:
    """The end of the same day so many months ago; of the last day of a month, and of one that the month lacks, of its last day."""
    day = known_day(asof)
    year, month = divmod(12 * day.year + day.month - 1 - months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    ends = day.day == calendar.monthrange(day.year, day.month)[1]
    return end_of(date(year, month + 1, last if ends else min(day.day, last)))


def revisable(store: Store, panel: Panel) -> set[str]:
    """The columns of which revisions would be on record: from releases that have revised some value by now, on days that are not
    assumed. A store that was given last values alone would else say that nothing is ever revised."""
    plan = plan_of(store, panel.ids)
    said = store.history(plan.ids).filter(pl.col("known_at") <= panel.asof, pl.col("precision") != "assumed")
    versions = said.group_by("series", "period").agg(pl.col("value").n_unique())
    told = (
        said.select("series", "release")
        .unique()
        .join(store.releases().select("release", "source", "code"), on="release")
    )
    kept = told.filter(pl.col("series").is_in(versions.filter(pl.col("value") > 1)["series"].unique().to_list()))
    known = set(told.join(kept.select("source", "code").unique(), on=["source", "code"])["series"])
    read = {m.id: c.sources if isinstance(c, Feature) else (c,) for m, c in zip(plan.series, plan.columns, strict=True)}
    return {name for name, sources in read.items() if all(s.id in known for s in sources)}


def _target(store: Store, target: str, asof: datetime, later: int) -> _Part:
    cube = Cube(store, (target,))
    days = store.history([target]).filter(pl.col("known_at") <= asof)["known_at"].unique().sort()
    panels = []
    for day in days:
        try:
            panels.append(cube.panel(day))
        except NotEnoughData:  # levels that have no growth yet
            continue
    try:
        found = uncertainty.target_revisions(panels, later)
    except NotEnoughData as few:
        return _Part("target", math.nan, False, f"not known: {few}", f"未知：首次发布值与其后 {later} 期的对照不足")
    en = f"from first releases to the values {later} periods later, {len(found)} of them"
    zh = f"由首次发布值到其后 {later} 期的数值，共 {len(found)} 例"
    return _Part("target", float(np.mean(found**2)), False, en, zh)
