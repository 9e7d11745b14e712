"""Readings: what a model says about many units and in many parts, as rows. The form that store, API and reports share.

An index with its contributions, lights with the scores of their items, a board, a monitor of survey cells: each is read as
rows of (unit, period, level, name, value), so that one table, one route and one picture serve them all.

========== ================================================================ ==================
level      value                                                            name
========== ================================================================ ==================
index      the index, or the probability                                    which, if several
q025 …     quantiles of it, where it has a band                             as of ``index``
part       what a component adds to it                                      the component
light      1 blue, 2 light blue, 3 green, 4 yellow, 5 red                   an item, or empty
score      an item's score; a unit's score on a board                       an item, or empty
mark       1 carried from a period before, 2 missing and re-weighted,       an item or
           3 filled from others, 4 hidden: rests on too few, 5 shrunk,      indicator
           6 January and February as one, 7 an estimate of ours
cut1 … 4   thresholds of an item, ascending, where they begin and now       the item
rank       place on a board, 1 is best; ``rank_low``, ``rank_high``         empty
node       score of a node of the framework                                 the node
firms      how many firms answered                                          as of ``index``
cycle      where an index stands in its cycle, 0 is neutral; ``cycle_low``  empty
           and ``cycle_high``: the central 80 % of what became of such
noise      of months of this age: noise to signal of that cycle             empty
sign       share that kept the side of neutral on which it was first read   empty
direction  share whose change was first read with the sign that it kept     empty
vintages   on how many earlier days the index was read anew for the record  real or pseudo
turns      turning points that the record covers: ``turns_found``, share    empty
           that was confirmed; ``turns_false``, share of those confirmed
           that are none now; ``turns_months``, median months it took
========== ================================================================ ==================
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import polars as pl

from engine.calendar import Period
from engine.errors import BadInput
from engine.estimate import LEVELS, Estimate, quantile_name
from engine.panel import Panel

READINGS = pl.Schema(
    {"unit": pl.String(), "period": pl.String(), "level": pl.String(), "name": pl.String(), "value": pl.Float64()}
)
"""unit: a region code, a firm, a cell of a survey. period: ``2024-01``. One row for each of the four together."""


CUTS = ("cut1", "cut2", "cut3", "cut4")
"""Levels of an item's thresholds: between blue, light blue, green, yellow and red, or the other way where less is hotter."""

HONESTY = (
    "cycle", "cycle_low", "cycle_high", "noise", "sign", "direction", "vintages", "turns", "turns_found", "turns_false",
    "turns_months",
)  # fmt: skip
"""Levels of the record that stands beside the last months of an index."""


@runtime_checkable
class Tells(Protocol):
    """A fitted model that says more than one number a period."""

    def tell(self, panel: Panel, periods: Sequence[Period]) -> pl.DataFrame:
        """READINGS for these periods, given everything in the panel. Raises as ``Fitted.estimate`` does."""
        ...


def of_estimate(estimate: Estimate, unit: str) -> pl.DataFrame:
    """READINGS of an estimate about one unit: its mean as ``index``, its quantiles, its parts."""
    periods = [str(p) for p in estimate.periods]
    columns = [("index", "", estimate.mean)]
    columns += [(quantile_name(q), "", estimate.quantiles[:, j]) for j, q in enumerate(LEVELS)]
    if estimate.parts is not None:
        columns += [("part", name, estimate.parts[:, j]) for j, name in enumerate(estimate.part_names)]
    frames = [
        pl.DataFrame({"unit": unit, "period": periods, "level": level, "name": name, "value": values}, schema=READINGS)
        for level, name, values in columns
    ]
    return pl.concat(frames) if frames else pl.DataFrame(schema=READINGS)


def check(readings: pl.DataFrame, what: str) -> pl.DataFrame:
    """The rows as they are stored. Raises BadInput, naming ``what``, for another form, an empty or a doubled row."""
    if missing := [c for c in READINGS.names() if c not in readings.columns]:
        raise BadInput(f"{what}: readings need the columns {', '.join(missing)}")
    rows = readings.select(pl.col(c).cast(t) for c, t in READINGS.items())
    if rows.is_empty():
        raise BadInput(f"{what}: nothing was said")
    if (bad := rows.filter(~pl.col("value").is_finite().fill_null(False))).height:
        raise BadInput(f"{what}: {_where(bad)} is not a finite number; what is not known has no row")
    if (bad := rows.filter(pl.struct("unit", "period", "level", "name").is_duplicated())).height:
        raise BadInput(f"{what}: {_where(bad)} is said twice")
    return rows


def _where(rows: pl.DataFrame) -> str:
    return " ".join(str(v) for v in rows.row(0)[:4] if v)
