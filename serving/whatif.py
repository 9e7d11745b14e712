"""What if releases printed so: the champion's estimate before and after, and the news between. Nothing is stored.

A supposed value is in the analysed unit of its series, as news tells it; or as the office would publish it, where the series' step
needs no more than the published value before: growth on it, change from it, or the value as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import numpy as np

from engine.calendar import Period, known_day
from engine.errors import BadInput
from engine.estimate import LEVELS, Estimate, phase, quantile_name
from engine.indicator import Series
from engine.model import Fitted
from engine.news import news
from engine.panel import Panel
from engine.steps import analyse
from engine.suppose import Supposed, suppose
from featurestore.features import is_feature
from featurestore.panel import build_panel, own_values
from featurestore.store import ScoreRun, Store
from serving.answer import checked, described, item_of, label_of, timing_of
from serving.champions import Champion, Champions
from serving.schemas_news import Said, SupposedValue, Units, WhatIf


@dataclass(frozen=True, slots=True)
class Release:
    """One supposed release, as it was asked."""

    series: str
    period: Period
    value: float
    unit: Units = "analysed"

    @classmethod
    def parse(cls, text: str, unit: Units = "analysed") -> Release:
        """``indpro@US:2016-07=0.4``. Raises BadInput."""
        name, equals, value = text.rpartition("=")
        series, colon, period = name.rpartition(":")
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not (equals and colon and series and math.isfinite(number)):
            raise BadInput(f"not a supposed release: {text!r} (SERIES:PERIOD=VALUE, as in indpro@US:2016-07=0.4)")
        return cls(series.strip(), Period.parse(period), number, unit)


def what_if(
    store: Store,
    champions: Champions,
    target: str,
    releases: Sequence[Release],
    asof: datetime,
    period: Period | None = None,
) -> WhatIf:
    """The champion's estimate for ``period`` at ``asof``, had these releases come by then; without ``period`` the running one.

    Raises Unknown for a target or a series that the store does not hold, NotReady without a champion; BadInput for a series that
    the champion does not read, a period of another frequency, published or too far ahead, and units that cannot be had.
    """
    series, champion = described(store, target), champions.champion(target)
    (wanted,) = checked(series, asof, [period or Period.of(known_day(asof), series.freq)])
    run, panel, fitted = at_hand(store, champion, target, asof)
    for r in releases:
        _read(store, champion, panel, r.series)
        checked(panel.meaning(r.series), asof, [r.period])
    values = _analysed(store, panel, releases)
    supposed = suppose(panel, [Supposed(r.series, r.period, values[r]) for r in releases])
    found = news(fitted, fitted, panel, supposed, wanted)
    items = sorted(map(item_of, found.table.iter_rows(named=True)), key=lambda i: -abs(i.impact))
    return WhatIf(
        **asdict(label_of(series, run)),
        name_en=series.indicator.name_en,
        name_zh=series.indicator.name_zh,
        period=str(wanted),
        phase=phase(wanted, asof),
        supposed=tuple(_echo(panel.meaning(r.series), r, values[r]) for r in releases),
        before=_said(fitted.estimate(panel, [wanted])),
        after=_said(fitted.estimate(supposed, [wanted])),
        change=found.after - found.before,
        sums={k: math.fsum(i.impact for i in items if i.kind == k) for k in dict.fromkeys(i.kind for i in items)},
        items=tuple(items),
    )


def at_hand(store: Store, champion: Champion, target: str, asof: datetime) -> tuple[ScoreRun, Panel, Fitted]:
    """What was known, the parameters that could have been, and where a number made of both comes from."""
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
    return run, panel, fit.fitted


def _read(store: Store, champion: Champion, panel: Panel, series_id: str) -> None:
    if series_id in panel.ids:
        return
    if not is_feature(series_id):
        described(store, series_id)
    raise BadInput(
        f"{series_id} is not read by the champion for {champion.target} ({champion.bundle.name}, version {champion.version}); "
        f"it reads {', '.join(panel.ids)}"
    )


def _analysed(store: Store, panel: Panel, releases: Sequence[Release]) -> Mapping[Release, float]:
    """The values as the model reads them. A published one stands on the one before it, known or supposed in the same unit."""
    given = {(r.series, r.period): r.value for r in releases if r.unit == "published"}
    return {r: r.value if r.unit == "analysed" else _step(store, panel, r, given) for r in releases}


def _step(store: Store, panel: Panel, r: Release, given: Mapping[tuple[str, Period], float]) -> float:
    meaning = panel.meaning(r.series)
    if is_feature(r.series):
        raise BadInput(f"{r.series} is computed, and never published: suppose it in its own unit, {unit_of(meaning)}")
    step, before = meaning.indicator.step, r.period + -1
    if step == "lin":
        return r.value
    base = given.get((r.series, before))
    if base is None:
        _, known = own_values(store, r.series, panel.asof)
        base = dict(known.select("period", "value").iter_rows()).get(before.ordinal)
    if base is None:
        raise BadInput(
            f"{r.series}: {r.period} as published needs {before}, which is not known as of {panel.day}: suppose it too, or "
            f"give the value in {unit_of(meaning)}"
        )
    value = float(analyse(np.array([base, r.value]), step, meaning.freq)[1])
    if not math.isfinite(value):
        raise BadInput(f"{r.series}: {r.period}: no {unit_of(meaning)} follows from {r.value:g} after {base:g}")
    return value


def unit_of(meaning: Series) -> str:
    """The analysed unit in words, for a message."""
    return meaning.indicator.unit_analysed or "its analysed unit"


def _echo(meaning: Series, r: Release, value: float) -> SupposedValue:
    of = meaning.indicator
    return SupposedValue(
        series=meaning.id, name_en=of.name_en, name_zh=of.name_zh, period=str(r.period), value=value, unit=of.unit_analysed,
        unit_zh=of.unit_analysed_zh, published=r.value if r.unit == "published" else None, unit_published=of.unit,
        unit_published_zh=of.unit_zh,
    )  # fmt: skip


def _said(e: Estimate) -> Said:
    return Said(
        mean=float(e.mean[0]),
        quantiles={quantile_name(level): float(q) for level, q in zip(LEVELS, e.quantiles[0], strict=True)},
    )
