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
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from engine.calendar import Freq, Period
from engine.errors import BadInput
from engine.model import Explains, Fitted
from engine.panel import Panel
from engine.typing import Floats

SCHEMA = pl.Schema(
    {
        "kind": pl.String, "series": pl.String, "name_en": pl.String, "name_zh": pl.String, "period": pl.String,
        "known_at": pl.Datetime("us", "UTC"), "expected": pl.Float64, "actual": pl.Float64, "news": pl.Float64,
        "weight": pl.Float64, "impact": pl.Float64,
    }
)  # fmt: skip

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
    before = fitted_old.estimate(old, [period]).at(period)
    same = fitted_old.estimate(new, [period]).at(period)
    after = same if fitted_new is fitted_old else fitted_new.estimate(new, [period]).at(period)

    if isinstance(fitted_old, Explains) and not any(np.isnan(c.after) for c in changes):
        rows = _linear(fitted_old, old, new, changes, period)
    else:
        rows = _telescope(fitted_old, old, new, changes, period, before)
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


def _row(panel: Panel, c: _Change, **numbers: float | None) -> dict[str, object]:
    meaning = panel.series[c.column]
    month = Period(Freq.M, panel.first.ordinal + c.row)
    return {
        "kind": c.kind, "series": meaning.id, "name_en": meaning.indicator.name_en, "name_zh": meaning.indicator.name_zh,
        "period": str(month.to(meaning.freq)), "known_at": EPOCH + timedelta(microseconds=c.known_at),
        "actual": None if np.isnan(c.after) else c.after, **numbers,
    }  # fmt: skip


def _linear(fitted: Explains, old: Panel, new: Panel, changes: list[_Change], period: Period) -> list[dict[str, object]]:
    revisions = [c for c in changes if c.kind == "revision"]
    releases = [c for c in changes if c.kind == "release"]
    values = old.matrix(old.ids)
    for c in revisions:
        values[c.row, c.column] = c.after
    out = []
    start = fitted.explain(old, period)
    revised = fitted.explain(_as(old, values, new), period) if revisions else start
    column = {name: j for j, name in enumerate(start.ids)}

    def at(weights: Floats, c: _Change) -> float:
        j = column.get(old.ids[c.column])
        return 0.0 if j is None else float(weights[c.row, j])

    for c in revisions:
        w, surprise = at(start.weights, c), c.after - c.before
        out.append(_row(new, c, expected=c.before, news=surprise, weight=w, impact=w * surprise))
    if releases:
        end = fitted.explain(new, period)
        for c in releases:
            w = at(end.weights, c)
            guess = at(revised.expected, c) if old.ids[c.column] in column else None
            surprise = None if guess is None else c.after - guess
            out.append(_row(new, c, expected=guess, news=surprise, weight=w, impact=w * (surprise or 0.0)))
    return out


def _telescope(
    fitted: Fitted, old: Panel, new: Panel, changes: list[_Change], period: Period, before: float
) -> list[dict[str, object]]:
    values, level, out = old.matrix(old.ids), before, []
    for c in changes:
        values[c.row, c.column] = c.after
        step = fitted.estimate(_as(old, values, new), [period]).at(period)
        revision = c.kind == "revision"
        out.append(
            _row(
                new, c, expected=c.before if revision else None, news=c.after - c.before if revision else None,
                weight=None, impact=step - level,
            )
        )  # fmt: skip
        level = step
    return out


def _as(old: Panel, values: Floats, new: Panel) -> Panel:
    """The old panel with other values, as of the new day: between two vintages."""
    return replace(old.with_values(old.ids, values, asof=new.asof), timing=new.timing)
