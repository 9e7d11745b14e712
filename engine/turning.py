"""Peaks and troughs of a series: Bry and Boschan (1971), Harding and Pagan's BBQ (2002), the OECD's simplified procedure.

Values are monthly (quarterly for ``Bbq.quarterly()``), seasonally adjusted, in logarithms or of a cycle; unit and level do
not matter. None of them says anything about the last months. What may be said of those in real time says :func:`said`: a
turn is a *candidate* when the last changes all go the other way, and *confirmed* when the procedure dates it and it lies
far enough back. :func:`replay` gives what would have been said at each past length of the series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import NamedTuple, TypeAlias

import numpy as np

from engine.errors import BadInput, NotEnoughData
from engine.runs import runs
from engine.typing import Floats, Ints

CONFIRMED = 5  # periods after a turn before it is called confirmed
CHANGES = 3  # changes the other way that make a candidate


class Kind(StrEnum):
    """What a turn is."""

    PEAK = "peak"
    TROUGH = "trough"

    @property
    def sign(self) -> int:
        """1 for a peak, -1 for a trough."""
        return 1 if self is Kind.PEAK else -1


class Turn(NamedTuple):
    """The last row of an upswing (peak) or of a downswing (trough), counted from the first row of the values."""

    row: int
    kind: Kind
    confirmed: bool = True


class Phase(NamedTuple):
    """The rows first … last of an upswing (after a trough, to the peak) or a downswing; whole: both its turns are known."""

    first: int
    last: int
    up: bool
    whole: bool

    @property
    def length(self) -> int:
        """Periods."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns of one series, kinds alternating; ``first`` and ``last`` are its first and last known rows."""

    all: tuple[Turn, ...]
    first: int
    last: int

    @property
    def peaks(self) -> tuple[int, ...]:
        """Rows."""
        return tuple(t.row for t in self.all if t.kind is Kind.PEAK)

    @property
    def troughs(self) -> tuple[int, ...]:
        """Rows."""
        return tuple(t.row for t in self.all if t.kind is Kind.TROUGH)

    @property
    def confirmed(self) -> Turns:
        """Without candidates."""
        return Turns(tuple(t for t in self.all if t.confirmed), self.first, self.last)

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Upswings and downswings from the first to the last row; the first and the last are not whole. Empty without turns."""
        if not self.all:
            return ()
        edges = [self.first - 1, *(t.row for t in self.all), self.last]
        up = [t.kind is Kind.PEAK for t in self.all]
        up.append(not up[-1])
        inner = range(1, len(self.all))
        spans = zip(edges[:-1], edges[1:], up, strict=True)
        return tuple(Phase(a + 1, b, u, i in inner) for i, (a, b, u) in enumerate(spans) if b > a)

    def states(self, length: int) -> Ints:
        """``(length,)`` 1 in an upswing, -1 in a downswing, 0 where nothing is known; the row of a peak is still up."""
        out = np.zeros(length, np.int64)
        for phase in self.phases:
            out[phase.first : phase.last + 1] = 1 if phase.up else -1
        return out


@dataclass(frozen=True, slots=True)
class BryBoschan:
    """The full procedure for months: outliers, 12-month mean, Spencer curve, months of cyclical dominance, the series itself.

    phase, cycle: least months from peak to trough, from peak to peak. ends: months at both ends without turns.
    Where the book and its program differ, as the program, and as Watson's and bcycle's: ± 6 months, not 5. Short phases go
    last, so that in rare cases (four of 3,000 random walks) a trough lies above the peak before it.
    """

    phase: int = 5
    cycle: int = 15
    ends: int = 6


@dataclass(frozen=True, slots=True)
class Bbq:
    """Harding and Pagan (2002): highest or lowest of ``window`` periods either way, then the same censoring.

    deep: a phase shorter than ``phase`` stands if the series moves by more than this within it (for logarithms, Harding and
    Pagan take 0.104), so that 2020 is a recession. BCDating's monthly dates are those of ``Bbq(window=2)``.
    """

    window: int = 5
    phase: int = 5
    cycle: int = 15
    ends: int = 6
    deep: float = inf

    @classmethod
    def quarterly(cls, deep: float = inf) -> Bbq:
        """2 quarters either way, phases of 2, cycles of 5, none in the 2 quarters at the ends."""
        return cls(2, 2, 5, 2, deep)


@dataclass(frozen=True, slots=True)
class Oecd:
    """The simplified procedure for cycles without trend (OECD system of composite leading indicators, 2012).

    before, after: months that an extreme exceeds; none lies within the longer of these from the ends. A turn is the extreme
    between its neighbours. Of a phase that is too short the turn farther from the mean stays.

    The package cif looks 4 months back and 5 ahead, though it says 5 either way, and wants phases and cycles of more than
    5 and 15 months: ``Oecd(4, 5, 6, 16)``.
    """

    before: int = 5
    after: int = 5
    phase: int = 9
    cycle: int = 24


Dating: TypeAlias = BryBoschan | Bbq | Oecd


def date(values: Floats, dating: Dating) -> Turns:
    """The turns of one series ``(T,)``; NaN at its ends is left out. Raises BadInput for gaps, NotEnoughData."""
    y = np.asarray(values, np.float64)
    if y.ndim != 1:
        raise BadInput(f"one series is (T,), not of shape {y.shape}; for many call date_all")
    return date_all(y[:, None], dating)[0]


def date_all(values: Floats, dating: Dating) -> tuple[Turns, ...]:
    """The turns of every column of ``(T, N)``; see :func:`date`."""
    found, spans = _marks(values, dating)
    out = []
    for i, (lo, hi) in enumerate(spans):
        rows = np.flatnonzero(found[:, i])
        turns = tuple(Turn(int(t), Kind.PEAK if found[t, i] > 0 else Kind.TROUGH) for t in rows)
        out.append(Turns(turns, lo, hi - 1))
    return tuple(out)


def marks(values: Floats, dating: Dating) -> Ints:
    """``(T, N)`` 1 peak, -1 trough, 0 neither: the turns of many series as an array. Raises as :func:`date`."""
    return _marks(values, dating)[0]


def said(values: Floats, dating: Dating, changes: int = CHANGES, after: int = CONFIRMED) -> Turns:
    """What may be said with the values known: turns of the procedure, then at most one more.

    A turn of the procedure is a candidate until ``after`` periods have followed, then confirmed. One more candidate is the
    extreme since the last such turn, of the other kind, if the last ``changes`` changes all led away from it. The defaults
    are for months. Raises as :func:`date`.
    """
    if changes < 1 or after < 0:
        raise BadInput(f"changes is 1 or more and after not negative, not {changes} and {after}")
    y = np.asarray(values, np.float64)
    turns = date(y, dating)
    kept = [Turn(t.row, t.kind, turns.last - t.row >= after) for t in turns.all]
    steps = np.sign(np.diff(y[turns.first : turns.last + 1])[-changes:])
    if len(steps) == changes and abs(steps.sum()) == changes:
        kind = Kind.PEAK if steps[0] < 0 else Kind.TROUGH
        since = kept[-1].row if kept else turns.first
        if not kept or kept[-1].kind is not kind:
            tail = kind.sign * y[since : turns.last + 1]
            row = since + int(np.argmax(tail))
            if since < row <= turns.last - changes:
                kept.append(Turn(row, kind, False))
    return Turns(tuple(kept), turns.first, turns.last)


class Said(NamedTuple):
    """What was said when ``asof`` was the last known row."""

    asof: int
    turns: Turns


def replay(
    vintages: Floats | Sequence[Floats],
    dating: Dating,
    first: int = 60,
    changes: int = CHANGES,
    after: int = CONFIRMED,
) -> tuple[Said, ...]:
    """What would have been said at each past length of a series, or of each vintage.

    vintages: ``(T,)`` one series that is never revised, taken from ``first`` known values on, one more each time; or
    ``(T, V)``, a column for each day on which the series was estimated anew (columns with fewer than ``first`` known values
    are left out). A value after the last known row of a column moves nothing in it. Raises NotEnoughData if nothing is left.
    """
    y = np.asarray(vintages, np.float64)
    if y.ndim == 1:
        known = np.flatnonzero(np.isfinite(y))
        columns = [y[: t + 1] for t in known[first - 1 :]] if len(known) else []
    elif y.ndim == 2:
        columns = [c for c in y.T if np.isfinite(c).sum() >= first]
    else:
        raise BadInput(f"vintages are (T,) or (T, V), not of shape {y.shape}")
    if not columns:
        raise NotEnoughData(f"no vintage has {first} values, from which a replay starts")
    out = []
    for column in columns:
        turns = said(column, dating, changes, after)
        out.append(Said(turns.last, turns))
    return tuple(out)


def _numbers(dating: Dating) -> tuple[int, Floats, int]:
    """Number of the procedure in the kernel, its numbers there, and the fewest values it takes. Raises BadInput."""
    numbers: tuple[float, ...]
    if isinstance(dating, BryBoschan):
        name, numbers, window = 0, (dating.phase, dating.cycle, dating.ends), 6
    elif isinstance(dating, Bbq):
        name, numbers, window = 1, (dating.window, dating.phase, dating.cycle, dating.ends, dating.deep), dating.window
    else:
        name, numbers = 2, (dating.before, dating.after, dating.phase, dating.cycle)
        window = min(dating.before, dating.after)
    if window < 1 or not 1 <= dating.phase <= dating.cycle or min(numbers) < 0:
        raise BadInput(f"a dating has windows of 1 or more and 1 ≤ phase ≤ cycle, not {dating}")
    return name, np.array(numbers, np.float64), max(dating.cycle, 2 * window + 1, 15 if name == 0 else 0)


def _marks(values: Floats, dating: Dating) -> tuple[Ints, list[tuple[int, int]]]:
    """The marks and, for each series, its first known row and the row after its last."""
    from engine.kernels import turning as kernels  # numba

    y = np.asarray(values, np.float64)
    if y.ndim != 2:
        raise BadInput(f"values are (T, N), not of shape {y.shape}")
    name, numbers, least = _numbers(dating)
    found = np.zeros(y.shape, np.int64)
    spans = [(0, 0)] * y.shape[1]
    for (lo, hi), columns in runs(y, "dating").items():
        if hi - lo < least:
            raise NotEnoughData(
                f"series {columns[0] + 1} has {hi - lo} values; turning points by {dating} need {least}"
            )
        part = np.zeros((hi - lo, len(columns)), np.int64)
        kernels.marks(name, np.ascontiguousarray(y[lo:hi, columns]), numbers, part)
        found[lo:hi, columns] = part
        for i in columns:
            spans[i] = (lo, hi)
    return found, spans
