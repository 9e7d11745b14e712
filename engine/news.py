"""News: why an estimate moved between two panels. A table of revisions, releases, weights and re-estimation that adds up exactly.

For a model that is linear in the data given its parameters (``engine.model.Explains``), after Bańbura & Modugno (2010, ECB
working paper 1189): first every revised value, with the weights of the old panel; then every new value at once,

    impact_j = weight_j × (released_j - E[released_j | old panel, revised]),

with the weights of the new panel. For any other model by telescoping: values enter one after another in the order in which they
became known, and the impact of each is the step that the estimate takes (:mod:`engine.news_steps`). Of a pool each member's news
counts by its weight, and rows of kind "weights" tell what the change of weights adds (:mod:`engine.news_pool`). Parameters are
the old ones throughout; what new parameters add on the new panel is one last row, "re-estimation".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from engine.calendar import Period
from engine.errors import BadInput
from engine.model import Fitted
from engine.news_pool import Shift, move
from engine.news_steps import Changes, Told, changes
from engine.panel import Panel

KINDS = ("revision", "release", "weights", "re-estimation")
"""What may move an estimate, in the order of the table. A row of ``weights`` names a member of a pool as its series."""

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
    start, end = old.over(first, last), new.over(first, last)
    found = changes(start, end)
    moved = move(fitted_old, fitted_new, start, end, found, period)
    rows = [_shift(s, period, new.asof) for s in moved.shifts]
    if fitted_new is not fitted_old:
        rows.append({"kind": "re-estimation", "period": str(period), "known_at": new.asof, "impact": moved.parameters})
    table = _cells(end, found, moved.told)
    if rows:
        table = pl.concat([table, pl.DataFrame(rows, schema=SCHEMA)])
    gap = moved.after - moved.before - float(table["impact"].sum())
    if abs(gap) > 1e-8 * max(1.0, abs(moved.before), abs(moved.after)):
        raise ArithmeticError(f"the news of {period} misses the change of the estimate by {gap:.3g}")
    return News(period, old.asof, new.asof, moved.before, moved.after, table)


def _cells(panel: Panel, found: Changes, told: Told) -> pl.DataFrame:
    """The rows of the cells, column by column: of a long panel there are thousands."""
    column = found.column.tolist()
    ends = [(row, panel.series[j].freq) for row, j in zip(found.row.tolist(), column, strict=True)]
    period = {(row, freq): str((panel.first + row).to(freq)) for row, freq in set(ends)}
    names = ((s.id, s.indicator.name_en, s.indicator.name_zh) for s in panel.series)
    texts = [[text[j] for j in column] for text in zip(*names, strict=True)]
    kind = ["release" if new else "revision" for new in found.release.tolist()]
    numbers = told.expected, found.after, found.after - told.expected, told.weight
    columns = [
        *(pl.Series(values, dtype=pl.String) for values in (kind, *texts, [period[end] for end in ends])),
        pl.Series(found.known_at).cast(SCHEMA["known_at"]), *(pl.Series(n, nan_to_null=True) for n in numbers),
        pl.Series(told.impact),
    ]  # fmt: skip
    return pl.DataFrame([c.alias(name) for c, name in zip(columns, SCHEMA, strict=True)])


def _shift(s: Shift, period: Period, at: datetime) -> dict[str, object]:
    return {
        "kind": "weights", "series": s.member, "name_en": s.member, "name_zh": s.member, "period": str(period), "known_at": at,
        "expected": s.pool, "actual": s.says, "news": s.says - s.pool, "weight": s.weight, "impact": s.impact,
    }  # fmt: skip
