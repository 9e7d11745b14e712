"""What an official figure is: a kind, values on a gap-free axis, and where each value comes from.

>>> fai = published("level_ytd", Period.parse("2008-02"), np.array([8121.29, 18316.94]), pairs=COMBINED)
>>> fai.first.ordinal, fai.origin.tolist(), str(Origin(int(fai.origin[0])).name)
(24097, [1, 1], 'PUBLISHED')

Levels are in any unit; growth is in percent (5.4, not 0.054); indices stand at 100 for no growth. What may be derived from
what is in :mod:`engine.algebra`. Source of the kinds and of the January-February practice: National Bureau of Statistics of
China, release calendar and notes to the monthly releases.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import IntFlag
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.calendar import Freq, Period
from engine.errors import BadInput
from engine.typing import Bools, Floats, Ints

Kind = Literal[
    "level_month",
    "level_quarter",
    "level_ytd",
    "level_eop",
    "yoy_month",
    "yoy_quarter",
    "yoy_ytd",
    "mom",
    "index_yoy",
    "index_yoy_ytd",
    "index_mom",
    "share",
    "two_year_average",
]
"""What a value says. ``level_month``, ``level_quarter``: the flow of one period. ``level_ytd``: its sum since the year began.
``level_eop``: a stock at the end. ``yoy_*``: growth on the same period of last year, for one period or since the year began.
``mom``: growth on last month. ``index_yoy``: same month (quarter) of last year = 100; ``index_yoy_ytd``: same months of last
year = 100; ``index_mom``: last month = 100. ``share``: a share, rate or diffusion index, which is neither summed nor chained.
``two_year_average``: geometric mean growth of two years."""

Flags: TypeAlias = NDArray[np.uint8]
"""``(T,)`` Origin bits, one set a value; 0 where there is none."""


class Origin(IntFlag):
    """Where a value comes from, and what to be careful about. Bits, because a value may be derived, a pair and nominal."""

    PUBLISHED = 1
    DERIVED = 2
    PAIR = 4
    """January and February as one observation, standing on February."""
    IMPUTED = 8
    """A pair split by a rule, or anything computed with such a month."""
    NOMINAL_SCOPE = 16
    """Growth computed from levels as published, whose coverage changes from year to year; or anything computed with it."""


LASTING = int(Origin.IMPUTED | Origin.NOMINAL_SCOPE)  # passed on to whatever is computed with the value

_PER_MONTH = frozenset(("level_month", "yoy_month", "index_yoy"))  # here a pair stands on February
_IN_PAIRS = _PER_MONTH | {"level_ytd", "yoy_ytd", "index_yoy_ytd", "two_year_average"}  # no January in a combined year
_ONLY = {
    **dict.fromkeys(("level_month", "yoy_month", "mom", "index_mom"), Freq.M),
    **dict.fromkeys(("level_quarter", "yoy_quarter"), Freq.Q),
}
_CLAUSE = re.compile(r"(separate|combined)(?: since (\d{4}))?(?: to (\d{4}))?")


@dataclass(frozen=True, slots=True)
class PairRule:
    """Whether January and February appear as one observation, year by year.

    changes: ``(first year, combined?)`` in ascending order; before the first one, separate.

    >>> rule = PairRule.parse("separate to 2019, combined since 2020")
    >>> rule.combined(np.array([2019, 2020, 2030])).tolist(), str(rule)
    ([False, True, True], 'separate to 2019, combined since 2020')
    """

    changes: tuple[tuple[int, bool], ...] = ()

    def __post_init__(self) -> None:
        years = [year for year, _ in self.changes]
        if years != sorted(set(years)):
            raise BadInput(f"January-February rule: years must ascend: {years}")

    @classmethod
    def parse(cls, text: str) -> PairRule:
        """``separate``, ``combined``, ``separate to 2019, combined since 2020``; raises BadInput for anything else."""
        changes: list[tuple[int, bool]] = []
        upto: int | None = None
        for i, clause in enumerate(text.split(",")):
            hit = _CLAUSE.fullmatch(clause.strip())
            since = int(hit[2]) if hit and hit[2] else None
            joined = since is None if i == 0 else since is not None and upto in (None, since - 1)
            if not hit or not joined:
                raise BadInput(
                    f"not a January-February rule: {text!r} (separate, combined, or: separate to 2019, combined since 2020)"
                )
            changes.append((since or 0, hit[1] == "combined"))
            upto = int(hit[3]) if hit[3] else None
        if upto is not None:
            raise BadInput(f"January-February rule: {text!r} says nothing of the years after {upto}")
        return cls(tuple(changes))

    @classmethod
    def seen_in(cls, first: Period, values: Floats) -> PairRule:
        """The rule that a monthly series itself shows: combined in years that have a February and no January.

        Years with neither keep the rule of the year before.
        """
        known = {first.ordinal + int(i) for i in np.flatnonzero(~np.isnan(values))}
        changes: list[tuple[int, bool]] = []
        now = False
        for year in sorted({month // 12 for month in known}):
            january, february = (12 * year in known), (12 * year + 1 in known)
            if (january or february) and now != (not january):
                now = not january
                changes.append((year, now))
        return cls(tuple(changes))

    def combined(self, years: Ints) -> Bools:
        """``(n,)`` years to ``(n,)`` True where January and February are one observation."""
        states = np.array([False, *(state for _, state in self.changes)])
        starts = np.array([year for year, _ in self.changes], dtype=np.int64)
        found: Bools = states[np.searchsorted(starts, years, side="right")]
        return found

    def __str__(self) -> str:
        words = ["combined" if state else "separate" for _, state in self.changes]
        clauses = [f"{w} since {y}" if y else w for w, (y, _) in zip(words, self.changes, strict=True)]
        if not self.changes or self.changes[0][0]:
            clauses.insert(0, "separate")
            words.insert(0, "separate")
        if len(clauses) > 1:
            clauses[0] = f"{words[0]} to {self.changes[-len(clauses) + 1][0] - 1}"
        return ", ".join(clauses)


SEPARATE = PairRule()
COMBINED = PairRule(((0, True),))


@dataclass(frozen=True, slots=True)
class Figures:
    """A run of official figures of one kind, monthly or quarterly.

    values: ``(T,)``, one a period from ``first`` on, NaN where not known; growth in percent. origin: ``(T,)`` Origin bits, 0
    exactly where the value is NaN. pairs: the January-February rule. basis: whose figures and at which prices, in the
    catalogue's words (``above designated size, constant prices``); ``""`` is not stated, and is never the same as another.
    path: the kinds and splits that it came through, the published kind first.

    Raises BadInput if these do not fit each other; the message names the period.
    """

    kind: Kind
    first: Period
    values: Floats
    origin: Flags
    pairs: PairRule = SEPARATE
    basis: str = ""
    path: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        freq = self.first.freq
        if freq not in (Freq.M, Freq.Q) or _ONLY.get(self.kind, freq) is not freq:
            raise BadInput(
                f"{self.kind} on an axis of frequency {freq.value}: figures are monthly or quarterly, as their kind says"
            )
        if self.values.ndim != 1 or self.values.shape != self.origin.shape:
            raise BadInput(
                f"{self.kind}: {self.values.shape} values and {self.origin.shape} origins, one each a period is needed"
            )
        self._refuse_where(np.isinf(self.values), "is infinite")
        self._refuse_where(np.isnan(self.values) != (self.origin == 0), "has a value without an origin, or the reverse")
        imputed = (self.origin & Origin.IMPUTED) != 0
        paired = (self.origin & Origin.PAIR) != 0
        if self.kind in _IN_PAIRS:
            alone = self.in_pair(0) & ~np.isnan(self.values) & ~imputed
            self._refuse_where(
                alone, f"has a value, but the rule is {str(self.pairs)!r}: leave January empty or mend the rule"
            )
        if self.kind in _PER_MONTH:
            whole = self.in_pair(1) & ~np.isnan(self.values) & ~imputed
            self._refuse_where(whole & ~paired, f"must carry the flag PAIR under the rule {str(self.pairs)!r}")
        may = self.in_pair(1) & (self.kind in _PER_MONTH or self.kind == "two_year_average")
        self._refuse_where(
            paired & ~may, f"carries the flag PAIR; its kind or the rule {str(self.pairs)!r} knows none there"
        )

    def _refuse_where(self, wrong: Bools, problem: str) -> None:
        if wrong.any():
            raise BadInput(f"{self.kind}: {self.first + int(np.argmax(wrong))} {problem}")

    def __len__(self) -> int:
        return len(self.values)

    @property
    def per_year(self) -> int:
        """12 or 4."""
        return self.first.freq.per_year

    @property
    def ordinals(self) -> Ints:
        """``(T,)`` the axis as ordinals of periods."""
        return self.first.ordinal + np.arange(len(self.values), dtype=np.int64)

    def in_pair(self, month: Literal[0, 1]) -> Bools:
        """``(T,)`` True on the Januaries (0) or Februaries (1) of combined years; never for quarters."""
        if self.first.freq is not Freq.M:
            return np.zeros(len(self.values), dtype=np.bool_)
        year, part = np.divmod(self.ordinals, 12)
        found: Bools = (part == month) & self.pairs.combined(year)
        return found

    def over(self, first: Period, last: Period) -> Figures:
        """The same figures on another axis of the same frequency; not known outside their own."""
        wanted = np.arange(first - self.first, last - self.first + 1)
        inside = (wanted >= 0) & (wanted < len(self.values))
        values, origin = np.full(len(wanted), np.nan), np.zeros(len(wanted), dtype=np.uint8)
        values[inside], origin[inside] = self.values[wanted[inside]], self.origin[wanted[inside]]
        return replace(self, first=first, values=values, origin=origin)

    def year(self, year: int) -> Figures:
        """One calendar year: a base for levels rebuilt from growth."""
        first = Period(self.first.freq, year * self.per_year)
        return self.over(first, first + (self.per_year - 1))

    def has(self, flag: Origin) -> Bools:
        """``(T,)`` True where the value carries the flag."""
        found: Bools = (self.origin & flag) != 0
        return found


def published(kind: Kind, first: Period, values: Floats, *, pairs: PairRule = SEPARATE, basis: str = "") -> Figures:
    """Figures as an office released them: ``(T,)`` values, NaN where there is none; the flags follow from the rule.

    Raises BadInput, for instance where the rule says combined and January has a value.
    """
    values = np.array(values, dtype=np.float64)
    known = ~np.isnan(values)
    bare = Figures(
        kind, first, np.full(len(values), np.nan), np.zeros(len(values), dtype=np.uint8), pairs, basis, (kind,)
    )
    paired = bare.in_pair(1) & known & (kind in _PER_MONTH)
    return replace(bare, values=values, origin=(known * Origin.PUBLISHED + paired * Origin.PAIR).astype(np.uint8))
