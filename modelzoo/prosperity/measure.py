"""What components are measured in: from the analysed columns of a panel to comparable changes, and to levels for filters.

A column of a panel holds analysed values; its catalogue step and kind say which of four things it is:

======== ============================ ================================= ==========================
measure  column                       change of the month               level, for filters
======== ============================ ================================= ==========================
growth   growth in per cent (pch pca) 200 g / (200 + g)                 Σ log(1 + g / 100)
step     a difference (chg)           as it is                          Σ
level    a positive quantity (lin)    200 (x - x₋₁) / (x + x₋₁)         log x
rate     a per cent, balance (lin)    x - x₋₁                           x
======== ============================ ================================= ==========================

The first and third are one number, the symmetric percentage change of the Conference Board: with g = 100 (X / X₋₁ - 1) it is
200 (X - X₋₁) / (X + X₋₁). A column without a kind is a level if it is positive and not in per cent or balances.

A value that is missing is carried once from the month before: the newest *analysed* value stands once more (growth goes on,
a level stands still). From the second month on the component is missing, and the others are re-weighted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from engine.align import own
from engine.calendar import Freq, Period
from engine.errors import BadInput, NotEnoughData
from engine.indicator import Series
from engine.interpolate import linear
from engine.panel import Panel
from engine.typing import Floats, Ints

GROWTH, STEP, LEVEL, RATE = range(4)
KNOWN, CARRIED, MISSING = range(3)

_RATES = ("yoy", "share", "ratio", "index_yoy", "index_mom", "index_di", "index_balance")
_RATE_UNITS = ("%", "percent", "balance", "basis point")

Measures: TypeAlias = Ints
"""``(N,)`` GROWTH, STEP, LEVEL or RATE."""


class Columns(NamedTuple):
    """Components by month, as analysed: the first month and ``(T, N)``, NaN where not known. The last row knows something."""

    first: Period
    values: Floats

    def until(self, rows: int) -> Columns:
        """The first ``rows`` months, the end as ragged as it is now: what was known then, by the delays of today."""
        values, T = self.values[:rows].copy(), len(self.values)
        for n, late in enumerate(T - 1 - last_rows(self.values)):
            values[max(rows - late, 0) :, n] = np.nan
        return Columns(self.first, values)


class Measured(NamedTuple):
    """changes, levels ``(T, N)``, NaN where not known; marks ``(T, N)``: KNOWN, CARRIED or MISSING."""

    first: Period
    changes: Floats
    levels: Floats
    marks: Ints


def measure_of(series: Series, values: Floats) -> int:
    """GROWTH, STEP, LEVEL or RATE: by the catalogue, and for a published value without a kind by its unit and sign."""
    indicator = series.indicator
    if indicator.step in ("pch", "pca"):
        return GROWTH
    if indicator.step == "chg":
        return STEP
    if (values[~np.isnan(values)] <= 0).any() or indicator.kind.startswith(_RATES):
        return RATE
    rated = not indicator.kind and any(u in indicator.unit_analysed.lower() for u in _RATE_UNITS)
    return RATE if rated else LEVEL


def measures_of(panel: Panel, ids: Sequence[str]) -> Measures:
    """``(N,)`` of these series of a panel. Raises BadInput for sums since January, which have no monthly change; Unknown."""
    values = panel.matrix(ids)
    sums = [i for i in ids if panel.meaning(i).indicator.kind in ("level_ytd", "count_ytd")]
    if sums:
        raise BadInput(
            f"{', '.join(sums)}: a sum since January has no change from month to month; take its months or its growth"
        )
    return np.array([measure_of(panel.meaning(i), values[:, n]) for n, i in enumerate(ids)], np.int64)


def columns(panel: Panel, ids: Sequence[str], measures: Measures) -> Columns:
    """The components by month; quarterly ones on a straight line between the middle months of their quarters.

    Raises NotEnoughData if nothing is known of any of them, BadInput for an infinite value, Unknown.
    """
    values = panel.matrix(ids).copy()
    for n, name in enumerate(ids):
        if panel.meaning(name).freq is Freq.Q:
            values[:, n] = _monthly(panel, name, int(measures[n]))
    if len(wrong := np.argwhere(np.isinf(values))):
        row, n = wrong[0]
        raise BadInput(f"{ids[n]}: the value of {panel.first + int(row)} is infinite; correct it at its source")
    known = np.flatnonzero(~np.isnan(values).all(1))
    if not len(known):
        raise NotEnoughData(f"nothing is known of {', '.join(ids)} as of {panel.day}")
    return Columns(panel.first + int(known[0]), values[known[0] : known[-1] + 1])


def measured(found: Columns, measures: Measures, *, carry: bool = True) -> Measured:
    """Changes and levels of every component, single missing months carried unless told otherwise."""
    raw = found.values
    missing = np.isnan(raw)
    carried = missing & carry
    carried[0] = False
    carried[1:] &= ~missing[:-1]
    values = raw.copy()
    rows, cols = np.nonzero(carried)
    values[rows, cols] = raw[rows - 1, cols]
    changes, levels = np.full(raw.shape, np.nan), np.empty(raw.shape)
    for kind in np.unique(measures):
        at = np.flatnonzero(measures == kind)
        changes[:, at], levels[:, at] = _kinds(values[:, at], int(kind))
    marks = np.where(np.isnan(changes), MISSING, np.where(carried, CARRIED, KNOWN)).astype(np.int64)
    return Measured(found.first, changes, levels, marks)


def last_rows(values: Floats) -> Ints:
    """``(N,)`` the last row in which each column is known, -1 if in none."""
    known = ~np.isnan(values)
    return np.where(known.any(0), len(values) - 1 - np.argmax(known[::-1], 0), -1).astype(np.int64)


def symmetric(values: Floats) -> Floats:
    """200 (x_t - x_t-1) / (x_t + x_t-1), ``(T - 1, …)``: rises and falls of one size count the same."""
    return np.asarray(200.0 * (values[1:] - values[:-1]) / (values[1:] + values[:-1]), np.float64)


def _kinds(v: Floats, kind: int) -> tuple[Floats, Floats]:
    """Changes and levels of columns ``(T, n)`` of one kind. Over a longer gap a chained level runs on at its mean pace."""
    if kind == GROWTH:
        pace = np.log1p(np.maximum(v, -99.0) / 100.0)
        return 200.0 * v / (200.0 + v), _summed(pace)
    if kind == STEP:
        return v, _summed(v)
    changes = np.full(v.shape, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind == LEVEL:
            v = np.where(v > 0, v, np.nan)  # a later vintage may hold what the first did not
            changes[1:] = symmetric(v)
            return changes, np.log(v)
    changes[1:] = v[1:] - v[:-1]
    return changes, v


def _summed(v: Floats) -> Floats:
    known = ~np.isnan(v)
    mean = np.where(known, v, 0.0).sum(0) / np.maximum(known.sum(0), 1)
    started = np.cumsum(known, 0) > 0
    total = np.cumsum(np.where(known, v, np.where(started, mean, 0.0)), 0)
    return np.where(known, total, np.nan)


def _monthly(panel: Panel, name: str, kind: int) -> Floats:
    """A quarterly column as a monthly one of the same kind: its level on a straight line, then its change month by month."""
    first, v = own(panel, name)
    if kind == GROWTH:
        power = 4.0 if panel.meaning(name).indicator.step == "pca" else 1.0
        v = _summed((np.log1p(np.maximum(v, -99.0) / 100.0) / power)[:, None])[:, 0]
    elif kind == STEP:
        v = _summed(v[:, None])[:, 0]
    line = linear(first, v, panel.first, panel.months).values
    if kind in (LEVEL, RATE):
        return line
    out = np.full(panel.months, np.nan)
    out[1:] = np.diff(line)
    return np.asarray(100.0 * np.expm1(out) if kind == GROWTH else out, np.float64)
