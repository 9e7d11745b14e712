"""A light with its proof: thresholds, scores, what would flip it, the same light under other rules, how it was first published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np
import polars as pl

from engine.calendar import Period
from engine.errors import BadInput
from engine.lights import Light, Lights, Mark
from engine.panel import Panel
from engine.typing import Floats
from modelzoo.warning import scoring
from modelzoo.warning.lights import FittedLights


@dataclass(frozen=True, slots=True)
class Proof:
    """One light, opened.

    index, light; raw: the band in which the index lies, other than light where a change is not confirmed. version: thresholds
    in force. items: one row an item. flips: one row an item, what :func:`flips` tells. previous: index and light under the
    rules before, None where there are none. published: what :func:`first_published` tells.
    """

    target: str
    asof: datetime
    period: Period
    index: float
    light: Light
    raw: Light
    version: str
    items: pl.DataFrame
    flips: pl.DataFrame
    previous: tuple[float, Light] | None
    published: pl.DataFrame


def prove(
    fitted: FittedLights,
    panel: Panel,
    period: Period,
    previous: FittedLights | None = None,
    history: Sequence[Lights] = (),
) -> Proof:
    """The proof of the light of one month.

    previous: the model as it was before its thresholds or weights were set anew. history: the lights as they were on earlier
    days, oldest first. Raises NotEnoughData for a month without a light, BadInput for a history that does not run forward.
    """
    told = fitted.lights(panel, [period])
    before = None
    if previous is not None:
        other = previous.lights(panel, [period])
        before = float(other.index[0]), Light(int(other.light[0]))
    return Proof(
        told.target, told.asof, period, float(told.index[0]), Light(int(told.light[0])), Light(int(told.raw[0])),
        told.versions[0], _items(fitted, told, panel), flips(fitted, panel, period), before,
        first_published([*history, fitted.lights(panel)]),
    )  # fmt: skip


def flips(fitted: FittedLights, panel: Panel, period: Period) -> pl.DataFrame:
    """For each item the smallest change of its value that alone changes the light, exactly: applied, the light is another; a
    hair less, and it is not.

    A value that is known is changed where it stands, so a figure that counts for several months (a quarter's, or February's
    for January) is changed for all of them, and with them the light that is held. For an item that is carried or missing it
    is the release that is due.

    Columns: item, value (scored now, null where missing), needed (to flip; null if no value does), change (null where either
    is), light (it would be; null if none), in the unit of what is scored. Raises NotEnoughData for a month without a light.
    """
    model = fitted.model
    told = fitted.lights(panel, [period])
    t, now = period - panel.first, int(told.light[0])
    wide = panel.over(panel.first, period + 3)  # a quarter's release may be due in a later row
    values = model.values(wide)
    found = scoring.sources(~np.isnan(values), fitted.quarterly(wide), wide.first.ordinal, model.january == "both")
    cuts, _ = fitted.thresholds(wide)
    rows = []
    for k, name in enumerate(told.items):
        own = told.marks[0, k] in (Mark.KNOWN, Mark.PAIRED, Mark.IMPUTED)
        source = int(found.row[t, k] if own else found.due[t, k])
        value = float(told.values[0, k])
        needed, light = _nearest(fitted, wide, values, (source, k), cuts[:, k], value, period, now)
        rows.append(
            {
                "item": name, "value": None if np.isnan(value) else value, "needed": needed,
                "change": None if needed is None or np.isnan(value) else needed - value,
                "light": None if light is None else Light(light).en,
            }
        )  # fmt: skip
    return pl.DataFrame(
        rows,
        schema={"item": pl.String, "value": pl.Float64, "needed": pl.Float64, "change": pl.Float64, "light": pl.String},
    )


def first_published(history: Sequence[Lights]) -> pl.DataFrame:
    """Each month's index and light on the first day that had them, and on the last day of the history.

    Columns: period, first_asof, first_index, first_light, index, light. Raises BadInput if the days do not run forward or the
    targets differ.
    """
    if any(a.asof >= b.asof for a, b in pairwise(history)):
        raise BadInput("a history of lights runs forward, one a day")
    if len({h.target for h in history}) > 1:
        raise BadInput(f"a history is of one target, not {', '.join(sorted({h.target for h in history}))}")
    first: dict[Period, tuple[datetime, float, int]] = {}
    for lights in history:
        for h, p in enumerate(lights.periods):
            first.setdefault(p, (lights.asof, float(lights.index[h]), int(lights.light[h])))
    last = history[-1]
    rows = [
        {
            "period": str(p), "first_asof": first[p][0], "first_index": first[p][1], "first_light": Light(first[p][2]).en,
            "index": float(last.index[h]), "light": Light(int(last.light[h])).en,
        }
        for h, p in enumerate(last.periods)
    ]  # fmt: skip
    return pl.DataFrame(rows)


def _nearest(
    fitted: FittedLights,
    panel: Panel,
    values: Floats,
    cell: tuple[int, int],
    cuts: Floats,
    value: float,
    period: Period,
    now: int,
) -> tuple[float | None, int | None]:
    """The value nearest to the present one under which the light is another, and that light.

    The light is a step function of the value, with steps at the thresholds alone: it is enough to try each threshold and the
    numbers next to it.
    """
    steps = np.unique(cuts)
    tries = np.unique(np.concatenate([np.nextafter(steps, -np.inf), steps, np.nextafter(steps, np.inf)]))
    middle = value if not np.isnan(value) else float(np.median(steps))
    found: tuple[float | None, int | None] = (None, None)
    # far from it, neighbouring numbers are at the same distance to the last bit: then the inner one comes first
    for x in sorted(tries.tolist(), key=lambda v: (abs(v - middle), v if v > middle else -v)):
        changed = values.copy()
        changed[cell] = x
        light = int(fitted.path(panel, changed, [period]).light[0])
        if light != now:
            found = x, light
            break
    return found


def _items(fitted: FittedLights, told: Lights, panel: Panel) -> pl.DataFrame:
    """One row an item: names, unit, value, the four thresholds, side, score, light, weight, what it adds, mark."""
    rows = []
    for k, item in enumerate(fitted.model.items):
        meaning = panel.meaning(told.items[k]).indicator
        score, value = int(told.scores[0, k]), float(told.values[0, k])
        rows.append(
            {
                "item": told.items[k], "name_zh": item.name_zh or meaning.name_zh, "name_en": item.name_en or meaning.name_en,
                "unit": "%" if item.form == "growth" else meaning.unit_analysed,
                "value": None if np.isnan(value) else value,
                **{f"cut_{j + 1}": float(c) for j, c in enumerate(told.cuts[0, k])},
                "hotter": "above" if told.sides[k] > 0 else "below", "score": score or None,
                "light": Light(score).en if score else "", "weight": item.weight, "adds": float(told.parts[0, k]),
                "mark": Mark(int(told.marks[0, k])).en,
            }
        )  # fmt: skip
    return pl.DataFrame(rows)
