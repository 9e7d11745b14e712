"""Turning points of a series held against those of a reference: lead, missing and extra, and how steady the lead is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.errors import BadInput
from engine.turning import Kind, Turn, Turns
from engine.typing import Floats

LATEST, EARLIEST = 9, 24  # months after and before a turn of the reference, as in the OECD's CLI system


class Pair(NamedTuple):
    """A turn of the reference and the turn of the series that goes with it; lead: months that the series turns earlier."""

    kind: Kind
    reference: int
    row: int
    lead: int


@dataclass(frozen=True, slots=True)
class Matching:
    """What became of the turns of a reference and of a series, as rows.

    missing: turns of the reference that the series lived through without one. before: turns of the reference earlier than
    the series. extra: turns of the series, since the reference began, that go with none. open: those at its end of which
    it is too early to say so.
    """

    pairs: tuple[Pair, ...]
    missing: tuple[int, ...]
    before: tuple[int, ...]
    extra: tuple[int, ...]
    open: tuple[int, ...]

    @property
    def leads(self) -> Floats:
        """``(pairs,)`` months; negative where the series lags."""
        return np.array([p.lead for p in self.pairs], np.float64)

    @property
    def targeted(self) -> int:
        """Turns of the reference."""
        return len(self.pairs) + len(self.missing) + len(self.before)

    @property
    def mean(self) -> float | None:
        """Mean lead; None without a pair."""
        return float(self.leads.mean()) if self.pairs else None

    @property
    def median(self) -> float | None:
        """Median lead; None without a pair."""
        return float(np.median(self.leads)) if self.pairs else None

    @property
    def deviation(self) -> float | None:
        """Standard deviation of the lead; None for fewer than two pairs."""
        return float(self.leads.std(ddof=1)) if len(self.pairs) > 1 else None

    @property
    def variation(self) -> float | None:
        """Coefficient of variation, deviation / |mean|; None where it is not defined."""
        if self.deviation is None or not self.mean:
            return None
        return self.deviation / abs(self.mean)


def match(reference: Turns, series: Turns, latest: int = LATEST, earliest: int = EARLIEST) -> Matching:
    """Pairs of one kind, the series' turn from ``earliest`` months before to ``latest`` months after that of the reference.

    Both count rows from the same period. Each turn of the reference takes the nearest of the series; if two take the same,
    or if pairs would cross, the nearer keeps it and the other is missing. (To pair as many as possible instead would reach
    for remote turns and call any restless series a leading one.) A turn of the series after its last pair, within
    ``earliest`` months of the end of the reference, is open: the reference may still follow. Raises BadInput for an empty
    window.
    """
    if latest < 0 or earliest < 0:
        raise BadInput(f"a window reaches 0 months or more either way, not {latest} and {earliest}")
    pairs = _pairs(reference.all, series.all, latest, earliest)
    paired, used = {p.reference for p in pairs}, {p.row for p in pairs}
    rest = [t.row for t in reference.all if t.row not in paired]
    late = max(max(used, default=-1), reference.last - earliest)
    spare = [t.row for t in series.all if t.row not in used and t.row >= reference.first]
    return Matching(
        pairs,
        tuple(r for r in rest if r >= series.first),
        tuple(r for r in rest if r < series.first),
        tuple(r for r in spare if r <= late),
        tuple(r for r in spare if r > late),
    )


def _pairs(ref: tuple[Turn, ...], own: tuple[Turn, ...], latest: int, earliest: int) -> tuple[Pair, ...]:
    taken: dict[int, Pair] = {}  # by row of the series
    for a in ref:
        near = [a.row - b.row for b in own if b.kind is a.kind and -latest <= a.row - b.row <= earliest]
        if near:
            lead = min(near, key=lambda n: (abs(n), n))
            there = taken.get(a.row - lead)
            if there is None or abs(lead) < abs(there.lead):
                taken[a.row - lead] = Pair(a.kind, a.row, a.row - lead, lead)
    out: list[Pair] = []
    for _, pair in sorted(taken.items()):
        while out and pair.reference < out[-1].reference and abs(pair.lead) < abs(out[-1].lead):
            out.pop()
        if not out or pair.reference > out[-1].reference:
            out.append(pair)
    return tuple(out)
