"""How a fitted model takes the changes between two panels, one row a change: by its own weights, or step by step.

A linear model says weights and expectations itself (``engine.model.Explains``). Of any other the path of its estimate is followed
while the cells change in the order in which they became known. The path is found by bisection: where a stretch of changes leaves
the estimate the same to the last bit, and other values in its cells do so too, none of them is read, and each adds nothing.
So a model that reads a few recent months of a long panel takes a few dozen estimates for thousands of revisions, and no model
takes more than one a change and two a stretch that proves idle.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import NamedTuple

import numpy as np

from engine.calendar import Period
from engine.errors import JingqiError
from engine.model import Explains, Fitted, NotLinear, Reads
from engine.panel import EPOCH, Panel
from engine.typing import Bools, Floats, Ints

_FEWEST = 4  # changes in a stretch that is worth two estimates to prove idle
_FAR = 4.0  # standard deviations of a series


class Change(NamedTuple):
    """A cell that differs between two panels on one axis. known_at: microseconds since 1970 UTC; NaN: not known."""

    release: bool
    row: int
    column: int
    known_at: int
    before: float
    after: float


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """Cells that differ, ``(n,)`` each, as :class:`Change` has them one by one. A release was empty."""

    release: Bools
    row: Ints
    column: Ints
    known_at: Ints
    before: Floats
    after: Floats

    def __len__(self) -> int:
        return len(self.row)

    def __iter__(self) -> Iterator[Change]:
        every = (self.release, self.row, self.column, self.known_at, self.before, self.after)
        return map(Change, *(a.tolist() for a in every))

    def __getitem__(self, which: slice | Bools | Ints) -> Changes:
        """Some of them, in this order."""
        return Changes(
            self.release[which], self.row[which], self.column[which], self.known_at[which], self.before[which],
            self.after[which],
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """How one model takes the changes, ``(n,)`` each: expected and weight NaN where it cannot say or does not read the cell.

    before: its estimate on the old panel; same: on the new one with the old parameters. impact adds up to their difference.
    """

    before: float
    same: float
    expected: Floats
    weight: Floats
    impact: Floats


def changes(old: Panel, new: Panel) -> Changes:
    """Revisions first, then releases, each in the order in which they became known. The panels stand on one axis."""
    a, b = old.values, new.values
    row, column = np.nonzero((a != b) & ~(np.isnan(a) & np.isnan(b)))
    before, after = a[row, column], b[row, column]
    asof = (new.asof - EPOCH) // timedelta(microseconds=1)
    known_at = np.where(np.isnan(after), asof, new.stamps[row, column])
    release = np.isnan(before)
    return Changes(release, row, column, known_at, before, after)[np.lexsort((row, column, known_at, release))]


def take(fitted: Fitted, old: Panel, new: Panel, found: Changes, period: Period) -> Told:
    """The changes as this model takes them, with the parameters it has.

    Raises ArithmeticError if its own weights do not add up to its own change.
    """
    told = None
    if isinstance(fitted, Explains) and not np.isnan(found.after).any():
        with suppress(NotLinear):
            told = _linear(fitted, old, new, found, period)
    if told is None:
        told = _telescope(fitted, old, new, found, period)
    gap = told.same - told.before - float(told.impact.sum())
    if abs(gap) > 1e-8 * max(1.0, abs(told.before), abs(told.same)):
        raise ArithmeticError(f"the news of {period} misses the change of the estimate by {gap:.3g}")
    return told


def _linear(fitted: Explains, old: Panel, new: Panel, found: Changes, period: Period) -> Told:
    release = found.release
    revised = _stand(old, new, found[~release])
    opened = fitted.explain((old, new) if revised is old else (old, revised, new), period)
    start, middle, end = opened[0], opened[-2], opened[-1]
    column = {name: j for j, name in enumerate(start.ids)}
    at = np.array([column.get(i, -1) for i in old.ids])[found.column]
    reads = at >= 0
    row, at = found.row, np.maximum(at, 0)
    expected = np.where(release & reads, middle.expected[row, at], found.before)  # of a revision the earlier value
    weight = np.where(reads, np.where(release, end.weights[row, at], start.weights[row, at]), 0.0)
    impact = np.where(reads, weight * (found.after - expected), 0.0)
    return Told(start.mean, end.mean, expected, weight, impact)


def _telescope(fitted: Fitted, old: Panel, new: Panel, found: Changes, period: Period) -> Told:
    inputs = set(fitted.model.inputs) if isinstance(fitted, Reads) else set(old.ids)
    mine = np.flatnonzero(np.array([i in inputs for i in old.ids])[found.column])
    impact = np.zeros(len(found))
    before = fitted.estimate(old, [period]).at(period)
    same = fitted.estimate(new, [period]).at(period)
    if len(mine):
        impact[mine] = _Path(fitted, old, new, found[mine], period).steps(before, same)
    return Told(before, same, found.before, np.full(len(found), np.nan), impact)


def _stand(old: Panel, new: Panel, some: Changes) -> Panel:
    """A panel between two vintages: these cells are as on the new day, with their days and flags."""
    if not len(some):
        return old
    at = some.row, some.column
    values, stamps, flags = old.values.copy(), old.stamps.copy(), old.flags.copy()
    values[at], stamps[at], flags[at] = new.values[at], new.stamps[at], new.flags[at]
    return replace(old, asof=new.asof, timing=new.timing, values=values, stamps=stamps, flags=flags)


class _Path:
    """The estimate after the first 0, 1, … n changes."""

    def __init__(self, fitted: Fitted, old: Panel, new: Panel, found: Changes, period: Period) -> None:
        self._fitted, self._old, self._new, self._found, self._period = fitted, old, new, found, period
        known = ~np.isnan(old.values)
        count = np.maximum(known.sum(0), 1)
        mean = np.where(known, old.values, 0.0).sum(0) / count
        spread = np.sqrt(np.where(known, (old.values - mean) ** 2, 0.0).sum(0) / count)
        self._spread = np.where(spread > 0, spread, np.maximum(np.abs(mean), 1.0))

    def steps(self, first: float, last: float) -> Floats:
        """``(n,)`` what each change adds, given both ends of the path."""
        n = len(self._found)
        level = {0: first, n: last}
        out, open_ = np.zeros(n), [(0, n)]
        while open_:
            lo, hi = open_.pop()
            if hi - lo == 1:
                out[lo] = level[hi] - level[lo]
            elif level[lo] != level[hi] or not self._idle(lo, hi, level[lo]):
                middle = (lo + hi) // 2
                level[middle] = self._at(_stand(self._old, self._new, self._found[:middle]))
                open_ += [(lo, middle), (middle, hi)]
        return out

    def _idle(self, lo: int, hi: int, level: float) -> bool:
        """Whether the estimate does not move with what stands in the cells lo … hi - 1: two draws far from what is there."""
        if hi - lo < _FEWEST:
            return False
        panel = _stand(self._old, self._new, self._found[:hi])
        some = self._found[lo:hi]
        rows, columns = some.row, some.column
        base = np.where(np.isnan(some.after), some.before, some.after)
        for draw in np.random.default_rng(0).standard_normal((2, hi - lo)):  # cells apart: a common shift could cancel
            values = panel.values.copy()
            values[rows, columns] = base + _FAR * self._spread[columns] * draw
            stamps = panel.stamps.copy()
            stamps[rows, columns] = (panel.asof - EPOCH) // timedelta(microseconds=1)
            try:
                if self._at(replace(panel, values=values, stamps=stamps)) != level:
                    return False
            except JingqiError:  # it looks at them, or it would not mind
                return False
        return True

    def _at(self, panel: Panel) -> float:
        return self._fitted.estimate(panel, [self._period]).at(self._period)
