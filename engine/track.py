"""What became of turning points that were said in real time: how late, how far off, how many of them false."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from engine.errors import BadInput, NotEnoughData
from engine.turning import Said, Turn, Turns

MATURE = 36  # months after which an estimate, or a date, counts as final
REACH = 6  # months between a turn as said and as it is dated now, at most


class Followed(NamedTuple):
    """A turn as dated now; months from it to the day it was first said, and first confirmed; None if it never was.

    shift: months that the date first confirmed lies after the date now.
    """

    turn: Turn
    said: int | None
    confirmed: int | None
    shift: int | None


@dataclass(frozen=True, slots=True)
class Track:
    """The record of a dating in real time.

    followed: each turn that is dated now. false_candidates, false_turns: those that were said, or confirmed, for a month
    that is no such turn now; one that is said over and over counts once.
    """

    followed: tuple[Followed, ...]
    false_candidates: tuple[Turn, ...]
    false_turns: tuple[Turn, ...]

    @property
    def found(self) -> float:
        """Share of the turns dated now that were confirmed at some time; 0 … 1."""
        return sum(f.confirmed is not None for f in self.followed) / len(self.followed)

    @property
    def false_rate(self) -> float:
        """False turns among all that were confirmed, 0 … 1; 0 if none was."""
        right = sum(f.confirmed is not None for f in self.followed)
        return len(self.false_turns) / max(1, len(self.false_turns) + right)

    @property
    def months_to_candidate(self) -> float | None:
        """Median months from a turn to the day it was first said; None if none was."""
        return _median([f.said for f in self.followed])

    @property
    def months_to_confirmation(self) -> float | None:
        """Median months from a turn to the day it was first confirmed; None if none was."""
        return _median([f.confirmed for f in self.followed])

    @property
    def shift(self) -> float | None:
        """Mean months between the date first confirmed and the date now, either way; None if none was confirmed."""
        moved = [abs(f.shift) for f in self.followed if f.shift is not None]
        return float(np.mean(moved)) if moved else None


def track(replayed: Sequence[Said], final: Turns, mature: int = MATURE, reach: int = REACH) -> Track:
    """Hold a :func:`engine.turning.replay` against the turns as dated now.

    Turns after the first as-of month and ``mature`` months or more before the last count; what was said goes with the
    nearest turn of its kind within ``reach`` months. Raises BadInput for a replay out of order, NotEnoughData if no turn
    counts.
    """
    if not replayed or any(b.asof < a.asof for a, b in pairwise(replayed)):
        raise BadInput("a replay goes from its oldest as-of month to its newest")
    start, end = replayed[0].asof, final.last - mature
    true = [t for t in final.all if start < t.row <= end]
    if not true:
        raise NotEnoughData(
            f"no turn lies after row {start} and {mature} months or more before the last, row {final.last}"
        )
    first_said: dict[Turn, int] = {}
    first_confirmed: dict[Turn, tuple[int, int]] = {}
    false: dict[bool, list[Turn]] = {False: [], True: []}
    for asof, turns in replayed:
        for t in turns.all:
            if not start < t.row <= end:
                continue
            home = _nearest(t, final.all, reach)
            if home is None:
                if _nearest(t, false[t.confirmed], reach) is None:
                    false[t.confirmed].append(t)
            else:
                first_said.setdefault(home, asof - home.row)
                if t.confirmed:
                    first_confirmed.setdefault(home, (asof - home.row, t.row - home.row))
    followed = tuple(Followed(t, first_said.get(t), *first_confirmed.get(t, (None, None))) for t in true)
    return Track(followed, tuple(false[False]), tuple(false[True]))


def _nearest(turn: Turn, others: Sequence[Turn], reach: int) -> Turn | None:
    near = [o for o in others if o.kind is turn.kind and abs(o.row - turn.row) <= reach]
    return min(near, key=lambda o: abs(o.row - turn.row), default=None)


def _median(months: Sequence[int | None]) -> float | None:
    known = [m for m in months if m is not None]
    return float(np.median(known)) if known else None
