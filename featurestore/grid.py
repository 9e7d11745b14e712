"""Published series as one dense table: all columns of a panel are analysed at once, a step at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from engine.calendar import Freq
from engine.indicator import Series, Step
from engine.panel import NEVER
from engine.steps import analyse, reach
from engine.typing import Floats, Ints


@dataclass(frozen=True, slots=True)
class Block:
    """The series of one frequency: ``rows`` periods from the ordinal ``first`` on, one column a series, sorted by step.

    begin: where it lies in the one long array of the grid. columns: of the panel, for each of its own ``width`` columns.
    """

    freq: Freq
    first: int
    rows: int
    begin: int
    width: int
    columns: tuple[int, ...] | slice
    steps: tuple[tuple[Step, slice], ...]

    @property
    def months(self) -> int:
        return 12 // self.freq.per_year


@dataclass(frozen=True, slots=True)
class Filled:
    """What a block holds on a day: ``first`` month and, in every ``months``-th row from there, values and stamps ``(n, k)``."""

    first: int
    months: int
    columns: tuple[int, ...] | slice
    values: Floats
    stamps: Ints

    @property
    def last(self) -> int:
        return self.first + (len(self.values) - 1) * self.months


class Grid:
    """Where the cells of published series lie, and what they are when analysed.

    columns: the series of a panel by the number of their column; others that have cells are left out.
    """

    def __init__(self, sources: Sequence[Series], columns: dict[int, int], series: Ints, period: Ints) -> None:
        """columns: column of the panel by number of the source; series, period: of all cells, sorted."""
        bounds = np.searchsorted(series, np.arange(len(sources) + 1))
        self._size = 0
        self._blocks: list[Block] = []
        self.at = np.full(len(series), -1)
        wanted = sorted(columns, key=lambda n: (sources[n].freq.value, sources[n].indicator.step, columns[n]))
        for freq, group in groupby(wanted, key=lambda n: sources[n].freq):
            members = list(group)
            ends = [period[[bounds[n], bounds[n + 1] - 1]] for n in members if bounds[n] < bounds[n + 1]]
            if not ends:
                continue
            first = int(min(e[0] for e in ends))
            rows = int(max(e[1] for e in ends)) - first + 1
            steps = []
            for step, of in groupby(range(len(members)), key=lambda k: sources[members[k]].indicator.step):
                places = list(of)
                steps.append((step, slice(places[0], places[-1] + 1)))
            for k, n in enumerate(members):
                mine = slice(bounds[n], bounds[n + 1])
                self.at[mine] = self._size + (period[mine] - first) * len(members) + k
            there = tuple(columns[n] for n in members)
            side_by_side = there == tuple(range(there[0], there[-1] + 1))
            place = slice(there[0], there[-1] + 1) if side_by_side else there
            self._blocks.append(Block(freq, first, rows, self._size, len(there), place, tuple(steps)))
            self._size += rows * len(members)
        self.at[self.at < 0] = self._size  # one place at the end for all that no column shows

    def fill(self, at: Ints, value: Floats, known: Ints) -> list[Filled]:
        """The analysed columns that these cells give; a block without a value is left out."""
        levels, when = np.full(self._size + 1, np.nan), np.full(self._size + 1, NEVER)
        levels[at], when[at] = value, known
        found = []
        for b in self._blocks:
            shape = (b.rows, b.width)
            here = slice(b.begin, b.begin + b.rows * b.width)
            values, stamps = levels[here].reshape(shape), when[here].reshape(shape)
            for step, columns in b.steps:
                if reach(step):
                    values[:, columns], stamps[:, columns] = _analysed(
                        values[:, columns], stamps[:, columns], step, b.freq
                    )
            filled = np.flatnonzero(~np.isnan(values).all(axis=1))
            if len(filled):
                lo, hi = filled[0], filled[-1] + 1
                first = (b.first + int(lo) + 1) * b.months - 1
                found.append(Filled(first, b.months, b.columns, values[lo:hi], stamps[lo:hi]))
        return found


def _analysed(levels: Floats, when: Ints, step: Step, freq: Freq) -> tuple[Floats, Ints]:
    """Values ``(T, n)`` and when the newest level behind each became known; NEVER where there is none."""
    values = analyse(levels, step, freq)
    newest = when.copy()
    for back in range(1, reach(step) + 1):
        newest[back:] = np.maximum(newest[back:], when[:-back])
    return values, np.where(np.isnan(values), NEVER, newest)
