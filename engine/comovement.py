"""Does a series lead, go with or lag a reference? Correlation and Kullback-Leibler information at every lead, and a verdict.

A lead is positive where the series moves first: at lead k the reference of a month stands beside the series k months
before. Both ends of the window of leads belong to it, and the sign of a correlation is kept: a series that falls when the
reference rises is turned over before anything else is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np

from engine.errors import BadInput, NotEnoughData
from engine.matching import EARLIEST, LATEST, Matching, match
from engine.turning import Dating, date
from engine.typing import Floats, Ints

OVERLAP = 36  # months known of both, at every lead
BLOCK = 96  # months: of unrelated cycles 5 % look related at 5 %; with blocks of 60 months it is 8 %, of 24 13 %
TOLERANCE = 2.0  # months within which turning points and correlation agree, and within which a series coincides
LEAST = 3.0  # months of a lead or lag
PAIRS = 4  # of turning points, at least


class Group(StrEnum):
    """先行, 一致, 滞后, or none of them."""

    LEADING = "leading"
    COINCIDENT = "coincident"
    LAGGING = "lagging"
    UNCLASSIFIED = "unclassified"


class Reason(StrEnum):
    """Why a series is not classified; the analyst decides."""

    CHANCE = "the correlation is no larger than chance gives"
    PAIRS = "too few turning points match"
    CONFLICT = "turning points and correlation disagree"
    EDGE = "the correlation is strongest at the edge of the window"
    BETWEEN = "the lead lies between coincident and leading, or lagging"


@dataclass(frozen=True, slots=True)
class Profile:
    """A measure at every lead; ``best`` is the place of the strongest."""

    leads: Ints
    values: Floats
    best: int

    @property
    def lead(self) -> int:
        """Months by which the series leads where the measure is best."""
        return int(self.leads[self.best])

    @property
    def value(self) -> float:
        """The measure there, a correlation with its sign."""
        return float(self.values[self.best])


@dataclass(frozen=True, slots=True)
class Verdict:
    """The group of a series, and what it rests on. sign: -1 for a series that was turned over."""

    group: Group
    reasons: tuple[Reason, ...]
    sign: int
    correlation: Profile
    probability: float
    matching: Matching

    @property
    def lead(self) -> float | None:
        """Median lead at turning points; None if none match."""
        return self.matching.median


@dataclass(frozen=True, slots=True)
class Stability:
    """Verdicts from the first T months for each T of ``lengths``; share of them that agree with the last."""

    lengths: tuple[int, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def share(self) -> float:
        """0 … 1: how often the group was what it is now."""
        groups = [v.group for v in self.verdicts]
        return groups.count(groups[-1]) / len(groups)


def cross_correlation(reference: Floats, series: Floats, latest: int = LATEST, earliest: int = EARLIEST) -> Profile:
    """Correlation at leads -latest … earliest, each over all months known of both; best is the largest in size.

    Raises BadInput for arrays that are not one series each or that never move, NotEnoughData below 36 months in common.
    """
    from engine.kernels import comovement as kernels  # numba

    y, x = _pair(reference, series, latest, earliest)
    out = np.empty(latest + earliest + 1)
    kernels.correlations(y, x, latest, earliest, out)
    if np.isnan(out).any():
        raise BadInput("a series that never moves correlates with nothing")
    return Profile(np.arange(-latest, earliest + 1), out, int(np.argmax(np.abs(out))))


def kullback_leibler(reference: Floats, series: Floats, latest: int = LATEST, earliest: int = EARLIEST) -> Profile:
    """10⁴ Σ p ln(p / q) at each lead, p and q the shares of the reference and of the series; best is the smallest.

    The shares are taken over the months known of both at that lead; over the whole sample, as some programs do, they do not
    sum to 1 and the measure may be negative. Both series are positive (an index of 100), and a series that runs against the
    reference is turned over before. Raises BadInput, NotEnoughData.
    """
    y, x = _pair(reference, series, latest, earliest)
    for name, v in (("reference", y), ("series", x)):
        if np.nanmin(v) <= 0.0:
            raise BadInput(f"the {name} is not positive in row {int(np.nanargmin(v)) + 1}: use an index of 100")
    out = []
    for lead in range(-latest, earliest + 1):
        a, b = _beside(y, x, lead)
        p, q = a / a.sum(), b / b.sum()
        out.append(1e4 * float(np.sum(p * np.log(p / q))))
    values = np.array(out)
    return Profile(np.arange(-latest, earliest + 1), values, int(np.argmin(values)))


def chance(
    reference: Floats, series: Floats, latest: int = LATEST, earliest: int = EARLIEST, draws: int = 199, seed: int = 0
) -> float:
    """Probability that a series without relation to the reference correlates as strongly at one of the leads.

    The series is put together anew ``draws`` times from blocks of 96 of its months, end joined to start: what one month tells
    about the next stays, what it tells about the reference goes. The best of all leads is compared with the best of all
    leads, so that the search over leads is paid for. Raises BadInput for a gap, and as :func:`cross_correlation`.
    """
    from engine.kernels import comovement as kernels  # numba

    y, x = _pair(reference, series, latest, earliest)
    observed = abs(cross_correlation(y, x, latest, earliest).value)
    both = np.flatnonzero(np.isfinite(y) & np.isfinite(x))
    y, x = y[both[0] : both[-1] + 1], x[both[0] : both[-1] + 1]
    if not np.isfinite(y + x).all():
        gap = int(both[0]) + int(np.argmin(np.isfinite(y + x)))
        raise BadInput("blocks of months take no gaps; fill it first", row=gap + 1)
    block = min(BLOCK, len(x) // 3)
    starts = np.random.default_rng(seed).integers(0, len(x), (draws, -(-len(x) // block)))
    best = np.empty(draws)
    kernels.strongest(y, x, starts, block, latest, earliest, best)
    return float((1 + np.sum(best >= observed)) / (draws + 1))


def classify(
    reference: Floats,
    series: Floats,
    dating: Dating,
    level: float = 0.05,
    latest: int = LATEST,
    earliest: int = EARLIEST,
) -> Verdict:
    """Leading if the median lead at turning points is 3 months or more, lagging if -3 or less, coincident within 2.

    reference, series: cycles of the same months, ``(T,)``. Unclassified, with every reason, if the correlation may be chance
    at ``level``, is strongest at the edge of the window, or is strongest more than 2 months from the lead at turning
    points, if fewer than 4 turning points match, or if the lead lies between. Raises as :func:`cross_correlation`.
    """
    correlation = cross_correlation(reference, series, latest, earliest)
    sign = 1 if correlation.value >= 0 else -1
    probability = chance(reference, series, latest, earliest)
    matching = match(date(reference, dating), date(sign * np.asarray(series, np.float64), dating), latest, earliest)
    lead, reasons = matching.median, []
    if probability > level:
        reasons.append(Reason.CHANCE)
    if correlation.best in (0, len(correlation.leads) - 1):
        reasons.append(Reason.EDGE)
    if lead is None or len(matching.pairs) < PAIRS:
        reasons.append(Reason.PAIRS)
    group = Group.UNCLASSIFIED
    if lead is not None:
        if abs(lead - correlation.lead) > TOLERANCE:
            reasons.append(Reason.CONFLICT)
        if abs(lead) <= TOLERANCE:
            group = Group.COINCIDENT
        elif abs(lead) >= LEAST:
            group = Group.LEADING if lead > 0 else Group.LAGGING
        else:
            reasons.append(Reason.BETWEEN)
    return Verdict(Group.UNCLASSIFIED if reasons else group, tuple(reasons), sign, correlation, probability, matching)


def stability(
    reference: Floats,
    series: Floats,
    cycle: Callable[[Floats], Floats],
    dating: Dating,
    lengths: Sequence[int],
    level: float = 0.05,
) -> Stability:
    """What :func:`classify` would have said from the first T months, for each T of ``lengths``.

    reference, series: values, ``(T,)``; ``cycle`` makes the cycle of the months known then, so that later months change
    nothing. Raises BadInput for lengths that do not rise, and as ``cycle`` and :func:`classify`.
    """
    if not lengths or any(b <= a for a, b in pairwise(lengths)) or lengths[0] < 1:
        raise BadInput(f"lengths rise from 1 or more, not {tuple(lengths)}")
    if lengths[-1] > len(reference):
        raise BadInput(f"the last length is {lengths[-1]}, but {len(reference)} months are known")
    verdicts = tuple(classify(cycle(reference[:T]), cycle(series[:T]), dating, level) for T in lengths)
    return Stability(tuple(lengths), verdicts)


def _beside(y: Floats, x: Floats, lead: int) -> tuple[Floats, Floats]:
    """Reference and series of ``lead`` months before, where both are known."""
    T = len(y)
    a, b = y[max(0, lead) : min(T, T + lead)], x[max(0, -lead) : min(T, T - lead)]
    both = np.isfinite(a) & np.isfinite(b)
    return a[both], b[both]


def _pair(reference: Floats, series: Floats, latest: int, earliest: int) -> tuple[Floats, Floats]:
    y, x = np.asarray(reference, np.float64), np.asarray(series, np.float64)
    if y.ndim != 1 or y.shape != x.shape:
        raise BadInput(f"reference and series are (T,) of the same months, not of shapes {y.shape} and {x.shape}")
    if latest < 0 or earliest < 0:
        raise BadInput(f"a window reaches 0 months or more either way, not {latest} and {earliest}")
    least = min((len(_beside(y, x, lead)[0]) for lead in (-latest, 0, earliest)), default=0)
    if least < OVERLAP:
        raise NotEnoughData(
            f"reference and series have {least} months in common at a lead of -{latest} … {earliest}; {OVERLAP} are needed"
        )
    return y, x
