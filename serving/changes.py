"""Why an index, a light or a probability changed between two days: the change bridge, from what was known on each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from engine.calendar import Period
from engine.errors import BadInput, Unknown
from engine.indicator import is_synthetic, split_id
from engine.lights import Lights
from engine.model import Fitted
from engine.panel import Panel
from featurestore.held import held_panel
from featurestore.panel import build_panel
from featurestore.store import Store
from modelzoo import changes as explained
from modelzoo import telling
from modelzoo.bundle import Fit
from modelzoo.warning import bridge as lit
from modelzoo.warning.lights import FittedLights
from serving.answer import asof_text, timing_of
from serving.champions import Champion, Champions
from serving.readings import meant
from serving.schemas_opened import ChangeEnd, ChangeItem, Changes

_ZH = {
    "revisions": "数据修订", "new data": "新数据", "seasonal factors": "季节因子", "thresholds": "阈值",
    "weights": "权重", "rules": "其他规则", "new months": "新月份",
}  # fmt: skip
MONTHS = "new months"
"""The step from the newest month of the earlier day to that of the later one."""

_RELEARNED = "权重重估"


class _End(NamedTuple):
    """One of the two days: who answered, with what, and what was known."""

    champion: Champion
    panel: Panel
    fit: Fit
    one: Fitted


def changes(
    store: Store,
    champions: Champions,
    kind: str,
    asked: str,
    since: datetime,
    asof: datetime,
    region: str | None = None,
    period: Period | None = None,
) -> Changes:
    """Why what is said moved from what was known at ``since`` to what was known at ``asof``.

    Of ``period`` on both days; without it from the newest month of the earlier day to the newest of the later one: first why
    the earlier month is read otherwise by now, then what the components of the months since add. Who answered on the earlier
    day is the version that published for it, else today's champion as it could have learned then. Without ``region`` that of
    the target. Raises as ``readings``, and BadInput unless since < asof.
    """
    if since >= asof:
        raise BadInput(
            f"a change needs a later day to compare with: {asof_text(since)} is not before {asof_text(asof)}"
        )
    champion = meant(champions, kind, asked, region)
    if telling.reads_answers(champion.bundle.model):
        raise BadInput(f"{champion.target} reads answers of firms, which are not revised: there is no change to split")
    then = _version_at(store, champions, champion, since)
    wanted = region or split_id(champion.target)[1]
    old, new = _end(store, then, since, wanted), _end(store, champion, asof, wanted)
    ids = tuple(dict.fromkeys((*_inputs(old.one), *_inputs(new.one))))
    first, last = (_over(store, end.panel, ids) for end in (old, new))
    month = period or telling.newest(old.one, first, 1)[0]
    held = held_panel(store, ids, asof, since)
    a: tuple[float, int | None]
    b: tuple[float, int | None]
    if isinstance(old.one, FittedLights) and isinstance(new.one, FittedLights):
        told = lit.bridge(old.one, new.one, first, last, month, held)
        a, b = (told.before, int(told.light_before)), (told.after, int(told.light_after))
        found = told.table.to_dicts()
    else:
        said = explained.changes((old.one, first), (new.one, last), month, held, _relearned(old, new, last))
        a, b, found = (said.before, None), (said.after, None), said.table.to_dicts()
    ahead = telling.newest(new.one, last, 1)[0] if period is None else month
    if ahead != month:
        since_then, b = _months(new.one, last.select(_inputs(new.one)), month, ahead, b)
        found += since_then
    steps = (*(lit.STEPS if champion.kind == "warning" else explained.STEPS), MONTHS)
    names = telling.names(champion.bundle.model, champion.bundle.series)
    items = tuple(_item(row, names, a[1] is not None) for row in found)
    regions = {s.region.code: (s.region.name_en, s.region.name_zh) for s in store.series().values()}
    return Changes(
        target=champion.target,
        kind=champion.kind,
        title_en=champion.title_en,
        title_zh=champion.title_zh,
        region=wanted,
        region_en=regions.get(wanted, ("", ""))[0],
        region_zh=regions.get(wanted, ("", ""))[1],
        before=_side(old, month, *a),
        after=_side(new, ahead, *b),
        change=b[0] - a[0],
        sums={s: math.fsum(i.impact for i in items if i.step == s) for s in steps},
        items=items,
        model=champion.bundle.name,
        run_id=champion.run_id,
        is_synthetic=is_synthetic(champion.target) or any(s.is_synthetic for s in champion.bundle.series),
    )


def _end(store: Store, champion: Champion, day: datetime, region: str) -> _End:
    panel = build_panel(store, champion.bundle.model.inputs, day)
    fit = champion.fit_for(panel)
    found = {unit: (one, own) for unit, one, own in telling.each(fit.fitted, panel)}
    if region not in found:
        raise Unknown(
            f"{champion.target} as of {asof_text(day)} does not read {region}; it reads {', '.join(sorted(found))}"
        )
    one, own = found[region]
    return _End(champion, own.select(_inputs(one)), fit, one)


def _inputs(one: Fitted) -> tuple[str, ...]:
    return tuple(one.model.inputs)  # type: ignore[attr-defined]


def _over(store: Store, panel: Panel, ids: tuple[str, ...]) -> Panel:
    """The panel of that day with all series that are read on either."""
    return panel.select(ids) if set(ids) <= set(panel.ids) else build_panel(store, ids, panel.asof)


def _relearned(old: _End, new: _End, panel: Panel) -> Fitted | None:
    """Between other rules lies what the old ones learn on the new day."""
    before, after = old.one.model, new.one.model  # type: ignore[attr-defined]
    return None if before == after else before.fit(panel.select(before.inputs))


def _months(
    one: Fitted, panel: Panel, month: Period, ahead: Period, now: tuple[float, int | None]
) -> tuple[list[dict[str, Any]], tuple[float, int | None]]:
    """What each component adds from one month to a later one, both as read on the later day; with the last of them the light."""
    lights = one.lights(panel, [month, ahead]) if isinstance(one, FittedLights) else None
    told = lights or one.estimate(panel, [month, ahead])
    values = told.index if isinstance(told, Lights) else told.mean
    names = told.items if isinstance(told, Lights) else told.part_names or ("",)
    parts = told.parts if told.parts is not None else values[:, None]
    end = float(values[1]), int(lights.light[1]) if lights else None
    rows = [
        {"step": MONTHS, "item": name, "cells": 0, "impact": float(by), "light_before": now[1], "light_after": now[1]}
        for name, by in zip(names, parts[1] - parts[0], strict=True)
    ]
    rows[-1]["light_after"] = end[1]
    return rows, end


def _side(end: _End, period: Period, value: float, light: int | None) -> ChangeEnd:
    return ChangeEnd(
        period=str(period),
        asof=asof_text(end.panel.asof),
        value=value,
        light=light,
        version=end.champion.version,
        fitted_asof=asof_text(end.fit.asof),
        timing=timing_of(end.panel, end.fit),
        panel=end.panel.digest(),
    )


def _item(row: Mapping[str, Any], names: Mapping[str, tuple[str, str]], lights: bool) -> ChangeItem:
    en, zh = names.get(row["item"], ("", ""))
    step = row["step"]
    return ChangeItem(
        step=step,
        step_zh=_ZH[step] if lights or step != "weights" else _RELEARNED,
        item=row["item"],
        name_en=en,
        name_zh=zh,
        cells=row["cells"],
        impact=row["impact"],
        light_before=row.get("light_before"),
        light_after=row.get("light_after"),
    )


def _version_at(store: Store, champions: Champions, champion: Champion, day: datetime) -> Champion:
    rows = store.readings(champion.target, day)
    if rows.is_empty() or (version := str(rows["version"][0])) == champion.version:
        return champion
    try:
        return champions.version(champion.name, version)
    except Unknown:  # published from another registry
        return champion
