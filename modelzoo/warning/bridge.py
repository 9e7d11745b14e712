"""Why a warning index or its light changed between two days: new data, revisions, seasonal factors, thresholds, weights.

By telescoping: one thing after another goes from how it was to how it is, and each step counts for what it moves. So the steps
add up to the whole change, of the index and of the light.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import polars as pl

from engine.calendar import Period
from engine.errors import BadInput
from engine.lights import Light
from engine.panel import Panel
from engine.typing import Floats
from modelzoo.warning.lights import FittedLights

STEPS = ("revisions", "new data", "seasonal factors", "thresholds", "weights", "rules")
_ZH = {
    "revisions": "数据修订", "new data": "新数据", "seasonal factors": "季节因子", "thresholds": "阈值",
    "weights": "权重", "rules": "其他规则",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bridge:
    """before, after: the index of one month on two days; light_before, light_after: its lights.

    table: one row a step and item that changed; columns step, step_zh, item (empty where a step is no item's), cells (that
    changed), impact (points of the index), light_before, light_after (numbers). Impacts sum to after - before, and each row's
    light begins where the last one's ended.
    """

    target: str
    period: Period
    old: datetime
    new: datetime
    before: float
    after: float
    light_before: Light
    light_after: Light
    table: pl.DataFrame

    def by_step(self) -> dict[str, float]:
        """Points of the index by step, in the order of STEPS; 0 where nothing changed."""
        return {s: float(self.table.filter(pl.col("step") == s)["impact"].sum()) for s in STEPS}


def bridge(
    before: FittedLights, after: FittedLights, old: Panel, new: Panel, period: Period, held: Panel | None = None
) -> Bridge:
    """The change of the index of one month from ``before`` on ``old`` to ``after`` on ``new``.

    held: the panel of the new day, adjusted with the seasonal factors of the old one; between it and ``new`` lies what the new
    factors moved. Without it the series are taken to carry no factors of ours, and a changed value is a revision.

    Raises BadInput where items or regions differ or time runs backward, NotEnoughData where a day has no index of that month.
    """
    names = before.model.inputs
    if names != after.model.inputs or before.model.region != after.model.region:
        raise BadInput(f"a bridge is between two states of one index, not {before.model.targets[0]} and another")
    if [i.form for i in before.model.items] != [i.form for i in after.model.items]:
        raise BadInput(f"{before.model.targets[0]}: an item is read in another form; that is another index")
    if new.asof < old.asof:
        raise BadInput(f"a bridge runs forward: {new.day} is before {old.day}")
    first, last = min(old.first, new.first), max(old.last, new.last, period)
    held = new if held is None else held
    a, b, c = (p.select(names).over(first, last) for p in (old, held, new))
    if b.months != a.months or c.months != a.months:
        raise BadInput("the panel with held factors reaches further than those of the two days")
    walk = _Walk(before, a, period, new.asof)
    x, y, z = (p.matrix(names) for p in (a, b, c))
    for step, chosen in (("revisions", ~np.isnan(x)), ("new data", np.isnan(x))):
        for k, name in enumerate(names):
            walk.data(step, name, np.where(chosen[:, k], y[:, k], x[:, k]))
            x[chosen[:, k], k] = y[chosen[:, k], k]
    for k, name in enumerate(names):
        walk.data("seasonal factors", name, z[:, k])
    walk.panel = c
    walk.rule("thresholds", _with_thresholds(before, after))
    weighed = tuple(
        replace(i, weight=j.weight) for i, j in zip(walk.fitted.model.items, after.model.items, strict=True)
    )
    walk.rule("weights", replace(walk.fitted, model=replace(walk.fitted.model, items=weighed)))
    walk.rule("rules", after)
    end = after.lights(new, [period])
    if abs(float(end.index[0]) - walk.index) > 1e-9:
        raise ArithmeticError(f"the bridge of {period} ends at {walk.index}, the index at {end.index[0]}")
    return Bridge(
        before.model.targets[0], period, old.asof, new.asof, walk.start[0], walk.index, Light(walk.start[1]),
        Light(walk.light), pl.DataFrame(walk.rows, schema=_SCHEMA),
    )  # fmt: skip


_SCHEMA = pl.Schema(
    {
        "step": pl.String(), "step_zh": pl.String(), "item": pl.String(), "cells": pl.Int64(), "impact": pl.Float64(),
        "light_before": pl.Int64(), "light_after": pl.Int64(),
    }
)  # fmt: skip


def _with_thresholds(fitted: FittedLights, other: FittedLights) -> FittedLights:
    model = replace(fitted.model, sets=other.model.sets)
    return replace(fitted, model=model, cuts=other.cuts, sides=other.sides, first=other.first, last=other.last)


class _Walk:
    """From one state of the index to the next, noting each step that changed something."""

    def __init__(self, fitted: FittedLights, panel: Panel, period: Period, new: datetime) -> None:
        self.fitted, self.panel, self.period, self.new = fitted, panel, period, new
        self.rows: list[dict[str, object]] = []
        self.index, self.light = self._now()
        self.start = self.index, self.light

    def data(self, step: str, name: str, column: Floats) -> None:
        was = self.panel.matrix([name])[:, 0]
        cells = int((~((was == column) | (np.isnan(was) & np.isnan(column)))).sum())
        if cells:
            self.panel = self.panel.with_values([name], column[:, None], asof=self.new)
            self._note(step, name, cells)

    def rule(self, step: str, fitted: FittedLights) -> None:
        self.fitted = fitted
        self._note(step, "", 0)

    def _note(self, step: str, item: str, cells: int) -> None:
        index, light = self._now()
        if cells or index != self.index or light != self.light:
            self.rows.append(
                {
                    "step": step, "step_zh": _ZH[step], "item": item, "cells": cells, "impact": index - self.index,
                    "light_before": self.light, "light_after": light,
                }
            )  # fmt: skip
        self.index, self.light = index, light

    def _now(self) -> tuple[float, int]:
        told = self.fitted.lights(self.panel, [self.period])
        return float(told.index[0]), int(told.light[0])
