"""Why what a model says of one period changed between two days: revisions, new data, seasonal factors, weights, rules.

By telescoping, as :mod:`modelzoo.warning.bridge` does for lights: one column after another goes from how it was to how it is, then
what was learned, then the rules; each step counts for what it moves. So the steps add up to the whole change of the estimate, of
an index with its base and trend as of a probability. What a step moves depends on those before it; the order is fixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from engine.calendar import Period
from engine.errors import BadInput
from engine.model import Fitted
from engine.panel import Panel
from engine.typing import Floats

STEPS = ("revisions", "new data", "seasonal factors", "weights", "rules")
"""weights: all that was learned anew, components and weights among it. rules: another model, or other options of it."""


@dataclass(frozen=True, slots=True)
class Changed:
    """before, after: the estimate of one period on two days.

    table: one row a step and series that changed; columns step, item (empty where a step is no series'), cells (that changed),
    impact. Impacts sum to after - before.
    """

    period: Period
    old: datetime
    new: datetime
    before: float
    after: float
    table: pl.DataFrame

    def by_step(self) -> dict[str, float]:
        """Impact by step, in the order of STEPS; 0 where nothing changed."""
        return {s: float(self.table.filter(pl.col("step") == s)["impact"].sum()) for s in STEPS}


SCHEMA = pl.Schema({"step": pl.String(), "item": pl.String(), "cells": pl.Int64(), "impact": pl.Float64()})


def changes(
    before: tuple[Fitted, Panel],
    after: tuple[Fitted, Panel],
    period: Period,
    held: Panel | None = None,
    learned: Fitted | None = None,
) -> Changed:
    """From a fitted model and its panel on one day to those of another. Both panels hold the series that either model reads.

    held: the panel of the new day, adjusted with the seasonal factors of the old one; between it and that of the new day lies
    what the new factors moved. Without it no series carries factors of ours. learned: the old rules as learned on the new day,
    where the rules are others than before; between it and ``after`` lie these.

    Raises BadInput where series differ or time runs backward, NotEnoughData where a day says nothing of the period.
    """
    (first, old), (last, new) = before, after
    if new.asof < old.asof:
        raise BadInput(f"a bridge runs forward: {new.day} is before {old.day}")
    if set(old.ids) != set(new.ids):
        raise BadInput("a bridge is between two panels of the same series")
    names = old.ids
    held = new if held is None else held
    start, end = min(p.first for p in (old, held, new)), max(p.last for p in (old, held, new))
    a, b, c = (p.select(names).over(start, end) for p in (old, held, new))
    x, y = a.matrix(names), b.matrix(names)
    rows: list[tuple[str, str, int, float]] = []
    panel, now = a, _said(first, a, period)
    begun = now
    steps: list[tuple[str, str, Floats]] = []
    for step, chosen in (("revisions", ~np.isnan(x)), ("new data", np.isnan(x))):
        for k, name in enumerate(names):
            x[chosen[:, k], k] = y[chosen[:, k], k]
            steps.append((step, name, x[:, k].copy()))
    steps += [("seasonal factors", name, c.matrix([name])[:, 0]) for name in names]
    for step, name, column in steps:
        was = panel.matrix([name])[:, 0]
        cells = int((~((was == column) | (np.isnan(was) & np.isnan(column)))).sum())
        if cells:
            panel = panel.with_values([name], column[:, None], asof=new.asof)
            told = _said(first, panel, period)
            rows.append((step, name, cells, told - now))
            now = told
    for step, fitted in (("weights", learned or last), ("rules", last)):
        told = _said(fitted, new, period)
        if told != now:
            rows.append((step, "", 0, told - now))
        now = told
    return Changed(period, old.asof, new.asof, begun, now, pl.DataFrame(rows, schema=SCHEMA, orient="row"))


def _said(fitted: Fitted, panel: Panel, period: Period) -> float:
    return float(fitted.estimate(panel, [period]).mean[0])
