"""Rule alarms with their hits and false alarms, and survey cells that lead statistics: what was known on a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from engine.calendar import Freq
from engine.errors import BadInput, NotEnoughData
from engine.indicator import is_synthetic
from engine.panel import Panel
from featurestore.panel import build_panel
from featurestore.store import Store
from modelzoo import telling
from modelzoo.monitor.firms import FittedFirms
from modelzoo.monitor.leads import leads as led
from modelzoo.warning import alarms as rules
from modelzoo.warning.event import Event
from serving.answer import asof_text, described
from serving.champions import Champions
from serving.readings import meant, panel_of
from serving.schemas_evidence import AlarmRow, Alarms, LeadRow, Leads

EVENTS = ("ind_va_yoy", "ind_va_yoy_ytd")
"""Series whose downswings are the event, the first that a region publishes: growth of industrial value added."""

BEFORE = 6
"""Months before a downswing in which an alarm has called it."""

RECORD = ("months", "hits", "false", "missed", "recall", "false_rate", "called", "lead")
"""What is said of the worth of a rule; null where there is no record."""

STATISTICS = ("ind_va_yoy", "retail_yoy", "elec_total_yoy")
"""Statistics that cells are held against unasked, of the region of the whole."""


def alarms(store: Store, champions: Champions, asked: str, asof: datetime, region: str | None = None) -> Alarms:
    """Every rule in every region that the champion of a warning reads, or in one.

    An alarm in a month of a downswing of industrial growth, as dated from what was known at ``asof``, is a hit, in another
    month false. Raises as ``readings``; NotEnoughData where nothing is known of any rule.
    """
    champion = meant(champions, "warning", asked, region)
    regions = _regions(champion.bundle.model.inputs, region)
    known, stored = rules.load(), store.series()
    wanted = {i for rule in known for r in regions for i in rule.inputs(r)}
    event = {r: f"{e}@{r}" for r in regions for e in reversed(EVENTS) if f"{e}@{r}" in stored}
    ids = sorted((wanted | set(event.values())) & set(stored))
    if not ids:
        raise NotEnoughData(f"the store holds no series of a rule for {', '.join(regions)}")
    panel = build_panel(store, ids, asof)
    told = rules.alarms(known, panel, regions)
    worth = {
        (row["region"], row["rule"]): row
        for row in rules.record(known, panel, _events(event, panel)).iter_rows(named=True)
    }
    names = {s.region.code: s.region for s in stored.values()}
    rows = []
    for row in told.iter_rows(named=True):
        record: dict[str, Any] = worth.get((row["region"], row["rule"]), {})
        where = names.get(row["region"])
        more = {c: record.get(c) for c in RECORD} | {"downswings": record.get("events")}
        both = {"region_en": where.name_en if where else "", "region_zh": where.name_zh if where else ""}
        rows.append(AlarmRow(**{**row, **both, **more}))
    made_up = any(is_synthetic(i) for i in ids) or any(stored[i].is_synthetic for i in ids)
    return Alarms(target=champion.target, asof=asof_text(asof), event=event, alarms=tuple(rows), is_synthetic=made_up)


def _regions(inputs: Sequence[str], region: str | None) -> list[str]:
    found = list(dict.fromkeys(i.partition("@")[2] for i in inputs))
    return found if region is None else [region]


def _events(event: dict[str, str], panel: Panel) -> dict[str, Event]:
    """Those that can be dated: a region of which too little is known has no record."""
    found = {}
    for region, series in event.items():
        if panel.meaning(series).freq is not Freq.M:
            continue
        one = Event(series, "downswing", "at", BEFORE)
        try:
            one.on(panel)
        except NotEnoughData:
            continue
        found[region] = one
    return found


def leads(
    store: Store,
    champions: Champions,
    asked: str,
    asof: datetime,
    statistics: Sequence[str] = (),
    region: str | None = None,
) -> Leads:
    """Which cells of a survey lead which statistics, with how many firms, and whether it may be chance.

    statistics: monthly series, stationary; without them those of STATISTICS that the store holds. region: one cell alone.
    Raises as ``readings``; Unknown for a series, BadInput for quarterly waves or statistics, NotEnoughData.
    """
    champion = meant(champions, "monitor", asked, None)
    answers = panel_of(store, champion, asof)
    fitted = champion.fit_for(answers).fitted
    if not isinstance(fitted, FittedFirms):
        raise BadInput(f"{champion.target} reads no answers of firms ({champion.bundle.name})")
    place = champion.target.partition("@")[2]
    wanted = list(statistics) or [i for s in STATISTICS if (i := f"{s}@{place}") in store.series()]
    if not wanted:
        raise NotEnoughData(f"none of {', '.join(STATISTICS)} is stored of {place}: name a statistic")
    about = {i: described(store, i).indicator for i in wanted}
    quick = replace(fitted, model=replace(fitted.model, draws=20))  # bands are not asked for
    told = quick.tell(answers, telling.known(quick, answers, None))
    if region is not None:
        told = told.filter(told["unit"] == region)
    names = telling.names(champion.bundle.model, ()) | {
        s.region.code: (s.region.name_en, s.region.name_zh) for s in store.series().values()
    }
    found = led(told, build_panel(store, wanted, asof), wanted)
    rows = tuple(
        LeadRow(
            **row,
            unit_zh=names.get(row["unit"], ("", ""))[1],
            index_en=names.get(row["index"], ("", ""))[0],
            index_zh=names.get(row["index"], ("", ""))[1],
            statistic_en=about[row["statistic"]].name_en,
            statistic_zh=about[row["statistic"]].name_zh,
        )
        for row in found.iter_rows(named=True)
    )
    return Leads(
        target=champion.target, asof=asof_text(asof), leads=rows, is_synthetic=any(is_synthetic(i) for i in wanted)
    )
