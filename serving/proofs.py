"""A light with its proof: thresholds in force, scores, what would flip it, the same light under earlier rules, its history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from engine.calendar import Period, end_of
from engine.errors import BadInput, NotEnoughData, NotReady, Unknown
from engine.indicator import is_synthetic, split_id
from engine.lights import Light, Lights, Mark
from engine.panel import Panel
from featurestore.panel import Cube, build_panel
from featurestore.store import Store
from modelzoo import telling
from modelzoo.bundle import Fit
from modelzoo.warning import proof as proving
from modelzoo.warning.lights import SETTLED, FittedLights
from serving.answer import asof_text, timing_of
from serving.champions import Champion, Champions
from serving.honest import month_ends
from serving.readings import meant, panel_of
from serving.schemas_opened import FirstShown, LightProof, OtherRules, ProofItem

MONTHS = 24
"""Months of history shown."""

_CODE = {light.en: int(light) for light in Light}
_MARK = {mark.en: mark.zh for mark in Mark}


class Lit(NamedTuple):
    """The lights of one region: the region, what was learned and when, and what is known of its items."""

    region: str
    fitted: FittedLights
    panel: Panel
    fit: Fit


def proof(
    store: Store,
    champions: Champions,
    asked: str,
    asof: datetime,
    region: str | None = None,
    period: Period | None = None,
) -> LightProof:
    """The light of a region and month, opened, with all that was known at ``asof``.

    Without ``region`` that of the champion's target, without ``period`` the newest month. Raises as ``readings``; BadInput
    for a warning that is a probability and has no lights, NotEnoughData for a month without a light.
    """
    champion = meant(champions, "warning", asked, region)
    lit = lit_of(champion, panel_of(store, champion, asof), region)
    month = period or lit.fitted.newest(lit.panel)
    told = lit.fitted.lights(lit.panel, [month])
    opened = proving.prove(lit.fitted, lit.panel, month, None, list(_history(store, champion, lit)))
    name = told.versions[0]
    names = {s.region.code: (s.region.name_en, s.region.name_zh) for s in store.series().values()}
    return LightProof(
        target=champion.target,
        title_en=champion.title_en,
        title_zh=champion.title_zh,
        region=lit.region,
        region_en=names.get(lit.region, ("", ""))[0],
        region_zh=names.get(lit.region, ("", ""))[1],
        period=str(month),
        asof=asof_text(asof),
        index=opened.index,
        light=int(opened.light),
        band=int(opened.raw),
        bands=tuple(map(float, told.bands)),
        thresholds=name,
        reason=next((s.reason for s in lit.fitted.model.sets if s.version == name), ""),
        items=_items(opened, lit),
        before=tuple(_before(store, champions, champion, lit, month)),
        history=_shown(opened),
        model=champion.bundle.name,
        version=champion.version,
        run_id=champion.run_id,
        fitted_asof=asof_text(lit.fit.asof),
        timing=timing_of(lit.panel, lit.fit),
        panel=lit.panel.digest(),
        is_synthetic=is_synthetic(champion.target) or any(s.is_synthetic for s in lit.panel.series),
    )


def lit_of(champion: Champion, panel: Panel, region: str | None) -> Lit:
    """The lights of one region as the champion reads them on the day of the panel. Raises Unknown, BadInput."""
    fit = champion.fit_for(panel)
    found = {unit: (one, own) for unit, one, own in telling.each(fit.fitted, panel)}
    wanted = region or split_id(champion.target)[1]
    if wanted not in found:
        raise Unknown(f"{champion.target} does not read {wanted}; it reads {', '.join(found)}")
    one, own = found[wanted]
    if not isinstance(one, FittedLights):
        raise BadInput(f"{champion.target} is no index of lights ({champion.bundle.name}): it has none to open")
    return Lit(wanted, one, own.select(one.model.inputs), fit)


def _items(opened: proving.Proof, lit: Lit) -> tuple[ProofItem, ...]:
    both = zip(opened.items.iter_rows(named=True), opened.flips.iter_rows(named=True), strict=True)
    return tuple(
        ProofItem(
            item=row["item"],
            name_en=row["name_en"],
            name_zh=row["name_zh"],
            unit=row["unit"],
            unit_zh="%" if row["unit"] == "%" else lit.panel.meaning(row["item"]).indicator.unit_analysed_zh,
            value=row["value"],
            cuts=tuple(row[f"cut_{k}"] for k in range(1, 5)),
            hotter=row["hotter"],
            score=row["score"],
            weight=row["weight"],
            adds=row["adds"],
            mark_en=row["mark"],
            mark_zh=_MARK[row["mark"]],
            needed=flip["needed"],
            change=flip["change"],
            flips_to=_CODE.get(flip["light"]),
        )
        for row, flip in both
    )


def _shown(opened: proving.Proof) -> tuple[FirstShown, ...]:
    """Months whose first day is on record: those told on the very first day of the history may have been known before."""
    rows = opened.published.filter(opened.published["first_asof"] > opened.published["first_asof"].min())
    return tuple(
        FirstShown(
            period=row["period"],
            first_asof=asof_text(row["first_asof"]),
            first_index=row["first_index"],
            first_light=_CODE[row["first_light"]],
            index=row["index"],
            light=_CODE[row["light"]],
        )
        for row in rows.tail(MONTHS).iter_rows(named=True)
    )


def _history(store: Store, champion: Champion, lit: Lit) -> Iterator[Lights]:
    """The lights of the region as they were at the ends of past months, by the vintages and the thresholds of then."""
    cube = Cube(store, lit.fitted.model.inputs)
    for day in month_ends(lit.panel.asof, MONTHS + 4):
        try:
            panel = cube.panel(day)
            yield (_learned(champion, lit, day) or lit.fitted.model.fit(panel)).lights(panel)
        except NotEnoughData:
            continue


def _learned(champion: Champion, lit: Lit, day: datetime) -> FittedLights | None:
    """What the champion itself had learned of the region by then."""
    try:
        fit = champion.bundle.fit_for(day)
    except NotReady:
        return None
    found = telling.of(fit.fitted, lit.region)
    return found if isinstance(found, FittedLights) else None


def _before(store: Store, champions: Champions, champion: Champion, lit: Lit, month: Period) -> Iterator[OtherRules]:
    """Under the thresholds before those in force, and under the rules of the version before."""
    found = []
    if (other := _thresholds_before(store, lit, month)) is not None:
        found.append(("thresholds before", "此前的阈值", other))
    if (older := champions.before(champion)) is not None:
        with_older = _lit(store, older, lit.region, lit.panel.asof)
        if with_older is not None:
            found.append((f"version {older.version}", f"模型第{older.version}版", with_older))
    for en, zh, one in found:
        panel = (
            lit.panel
            if set(one.model.inputs) <= set(lit.panel.ids)
            else build_panel(store, one.model.inputs, lit.panel.asof)
        )
        try:
            told = one.lights(panel, [month])
        except NotEnoughData:
            continue
        yield OtherRules(
            rules_en=f"{en}: {told.versions[0]}",
            rules_zh=f"{zh}：{told.versions[0]}",
            differ=tuple(_differ(one, lit.fitted, panel, lit.panel, month)),
            index=float(told.index[0]),
            light=int(told.light[0]),
        )


def _lit(store: Store, champion: Champion, region: str, asof: datetime) -> FittedLights | None:
    try:
        return lit_of(champion, panel_of(store, champion, asof), region).fitted
    except (Unknown, BadInput, NotEnoughData):  # it read something else
        return None


def _thresholds_before(store: Store, lit: Lit, month: Period) -> FittedLights | None:
    """Of an office's own thresholds the set before; of learned ones those that were learned a year earlier, on the last day
    on which they were the newest."""
    model, name = lit.fitted.model, lit.fitted.lights(lit.panel, [month]).versions[0]
    set_at = [k for k, s in enumerate(model.sets) if s.version == name]
    try:
        if set_at:
            return replace(model, sets=model.sets[: set_at[0]]).fit(lit.panel)
        day = end_of((lit.fitted.last + SETTLED).end)
        return model.fit(build_panel(store, model.inputs, day))
    except NotEnoughData:
        return None


def _differ(one: FittedLights, now: FittedLights, panel: Panel, own: Panel, month: Period) -> Iterator[str]:
    a, b = one.lights(panel, [month]), now.lights(own, [month])
    if a.items != b.items:
        yield "items"
        return
    if (a.cuts != b.cuts).any() or (a.sides != b.sides).any():
        yield "thresholds"
    if (a.weights != b.weights).any():
        yield "weights"
    if _rules(one) != _rules(now):
        yield "rules"


def _rules(one: FittedLights) -> tuple[object, ...]:
    m = one.model
    return m.learning, m.since, m.years, m.january, m.delta, m.bands, m.least
