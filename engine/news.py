"""News: why an estimate moved between two panels. A table of revisions, releases and re-estimation that adds up exactly.

For a model that is linear in the data given its parameters (``engine.model.Explains``), after Bańbura & Modugno (2010, ECB
working paper 1189): first every revised value, with the weights of the old panel; then every new value at once,

    impact_j = weight_j × (released_j - E[released_j | old panel, revised]),

with the weights of the new panel. For any other model by telescoping: values enter one after another in the order in which they
became known, and the impact of each is the step that the estimate takes. Parameters are the old ones throughout; what new
parameters add on the new panel is one last row, "re-estimation".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from engine.calendar import Period
from engine.errors import BadInput
from engine.indicator import Series
from engine.model import Explains, Fitted
from engine.panel import EPOCH, Panel

_TEXT = dict.fromkeys(("kind", "series", "name_en", "name_zh", "period"), pl.String())
_NUMBERS = dict.fromkeys(("expected", "actual", "news", "weight", "impact"), pl.Float64())
SCHEMA = pl.Schema({**_TEXT, "known_at": pl.Datetime("us", "UTC"), **_NUMBERS})


@dataclass(frozen=True, slots=True)
class News:
    """before: the old model on the old panel; after: the new model on the new one. ``table`` follows SCHEMA, in analysed units.

    ``table["impact"].sum()`` is ``after - before`` up to rounding.
    """

    period: Period
    old: datetime
    new: datetime
    before: float
    after: float
    table: pl.DataFrame


@dataclass(frozen=True, slots=True)
class _Change:
    kind: str
    row: int
    column: int
    known_at: int
    before: float
    after: float


def news(fitted_old: Fitted, fitted_new: Fitted, old: Panel, new: Panel, period: Period) -> News:
    """The change of the estimate for one period, cell by cell.

    Raises BadInput if the panels hold different series or the new one is older, ArithmeticError if a model's own weights do not
    add up to its own change.
    """
    if old.ids != new.ids:
        raise BadInput("news needs two panels of the same series")
    if new.asof < old.asof:
        raise BadInput(f"news runs forward: {new.day} is before {old.day}")
    first = min(old.first, new.first)
    last = max(old.last, new.last, period.last_month)
    old, new = old.over(first, last), new.over(first, last)
    changes = _changes(old, new)
    if isinstance(fitted_old, Explains) and not any(np.isnan(c.after) for c in changes):
        before, same, rows = _linear(fitted_old, old, new, changes, period)
    else:
        before, same, rows = _telescope(fitted_old, old, new, changes, period)
    after = same if fitted_new is fitted_old else fitted_new.estimate(new, [period]).at(period)
    gap = same - before - sum(r["impact"] for r in rows)  # type: ignore[misc]
    if abs(gap) > 1e-8 * max(1.0, abs(before), abs(same)):
        raise ArithmeticError(f"the news of {period} misses the change of the estimate by {gap:.3g}")
    if fitted_new is not fitted_old:
        rows.append({"kind": "re-estimation", "period": str(period), "known_at": new.asof, "impact": after - same})
    return News(period, old.asof, new.asof, before, after, pl.DataFrame(rows, schema=SCHEMA))


def _changes(old: Panel, new: Panel) -> list[_Change]:
    a, b, known = old.matrix(old.ids), new.matrix(new.ids), new.known_at(new.ids)
    asof = (new.asof - EPOCH) // timedelta(microseconds=1)
    differ = ~((a == b) | (np.isnan(a) & np.isnan(b)))
    out = [
        _Change(
            "release" if np.isnan(a[t, j]) else "revision", int(t), int(j),
            asof if np.isnan(b[t, j]) else int(known[t, j]), float(a[t, j]), float(b[t, j]),
        )
        for t, j in np.argwhere(differ)
    ]  # fmt: skip
    return sorted(out, key=lambda c: (c.kind == "release", c.known_at, c.column, c.row))


def _row(meaning: Series, month: Period, c: _Change, **numbers: float | None) -> dict[str, object]:
    return {
        "kind": c.kind, "series": meaning.id, "name_en": meaning.indicator.name_en, "name_zh": meaning.indicator.name_zh,
        "period": str(month.to(meaning.freq)), "known_at": EPOCH + timedelta(microseconds=c.known_at),
        "actual": None if np.isnan(c.after) else c.after, **numbers,
    }  # fmt: skip


def _linear(
    fitted: Explains, old: Panel, new: Panel, changes: list[_Change], period: Period
) -> tuple[float, float, list[dict[str, object]]]:
    """The estimate before and after, and the rows between."""
    revisions = [c for c in changes if c.kind == "revision"]
    start, revised, end = fitted.explain((old, _after(old, revisions, new) if revisions else old, new), period)
    column = {name: j for j, name in enumerate(start.ids)}
    place, first, out = [column.get(i) for i in old.ids], new.first, []
    for c in changes:
        j, opened = place[c.column], start if c.kind == "revision" else end
        weight = 0.0 if j is None else float(opened.weights[c.row, j])
        expected = c.before if c.kind == "revision" else None if j is None else float(revised.expected[c.row, j])
        surprise = None if expected is None else c.after - expected
        impact = weight * surprise if surprise is not None else 0.0
        out.append(
            _row(new.series[c.column], first + c.row, c, expected=expected, news=surprise, weight=weight, impact=impact)
        )
    return start.mean, end.mean, out


def _telescope(
    fitted: Fitted, old: Panel, new: Panel, changes: list[_Change], period: Period
) -> tuple[float, float, list[dict[str, object]]]:
    here, out = old, []
    before = level = fitted.estimate(old, [period]).at(period)
    for c in changes:
        here = _after(here, [c], new)
        step = fitted.estimate(here, [period]).at(period)
        known, surprise = (c.before, c.after - c.before) if c.kind == "revision" else (None, None)
        out.append(
            _row(
                new.series[c.column],
                new.first + c.row,
                c,
                expected=known,
                news=surprise,
                weight=None,
                impact=step - level,
            )
        )
        level = step
    return before, fitted.estimate(new, [period]).at(period), out


def _after(panel: Panel, changes: list[_Change], new: Panel) -> Panel:
    """A panel between two vintages: these cells are as on the new day."""
    columns = sorted({c.column for c in changes})
    ids = [panel.ids[j] for j in columns]
    values = panel.matrix(ids)
    for c in changes:
        values[c.row, columns.index(c.column)] = c.after
    return replace(panel.with_values(ids, values, asof=new.asof), timing=new.timing)
