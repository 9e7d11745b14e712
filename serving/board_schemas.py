"""What the service says of a scorecard beside its board: why places changed, and the page of one unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from engine.panel import Timing
from serving.schemas import AsOf, Digest, MadeUp, PeriodText

Cause = Literal["own", "others", "revision", "method"]
Points = Annotated[float, Field(description="Points of the score.", examples=[1.25])]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardEnd:
    """Which board: what was known, the period, the version and what it had learned."""

    asof: AsOf
    period: PeriodText
    model: Annotated[str, Field(description="Name in the zoo.", examples=["scorecard.composite"])]
    version: Annotated[str, Field(description="Version in the registry.", examples=["2"])]
    run_id: str
    fitted_asof: Annotated[str, Field(description="When its parameters were learned; never after asof.")]
    timing: Timing
    panel: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitEnds:
    """A unit on the two boards."""

    unit: Annotated[str, Field(examples=["SYN-3301"])]
    unit_en: str
    unit_zh: str
    score_before: Points
    score_after: Points
    rank_before: Annotated[int, Field(description="Place from 1, the best.")]
    rank_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """What one cause did to one unit, in all or through one indicator."""

    unit: str
    unit_en: str
    unit_zh: str
    indicator: Annotated[str, Field(description="Empty for the whole; by indicator where one unit was asked for.")]
    indicator_en: str
    indicator_zh: str
    cause: Annotated[
        Cause,
        Field(
            description="revision: other values of figures known before; own, others: new figures of the unit, of all others; "
            "method: framework, goalposts, weights, treatment. In that order the causes of a unit add up to its change."
        ),
    ]
    cause_en: str
    cause_zh: str
    score: Points
    places: Annotated[
        float | None, Field(description="Places gained, below 0 where lost; null by indicator.", examples=[1.5])
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardChange:
    """Why scores and places changed from one board to another."""

    target: Annotated[str, Field(examples=["quality@SYN-33"])]
    title_en: str
    title_zh: str
    is_synthetic: MadeUp
    before: BoardEnd
    after: BoardEnd
    method: Annotated[
        tuple[str, ...],
        Field(description="What differs in method; where empty its part is 0.", examples=[["goalposts"]]),
    ]
    units: tuple[UnitEnds, ...]
    rows: tuple[ChangeRow, ...]
    left_out: Annotated[
        tuple[tuple[str, str], ...], Field(description="Units that are not scored all the way, and why.")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingRow:
    """An indicator of the unit beside the others."""

    indicator: str
    indicator_en: str
    indicator_zh: str
    value: Annotated[float, Field(description="After denominators and small samples, gaps filled.")]
    score: Annotated[float, Field(description="On the common scale.")]
    place: Annotated[int, Field(description="Among the units, from 1.")]
    gap: Annotated[float, Field(description="Adds to the score, less what it adds on average for the others.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerRow:
    """A unit that is like it."""

    peer: str
    peer_en: str
    peer_zh: str
    distance: Annotated[float, Field(description="Weighted, on the common scale; 0 is alike in all.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftRow:
    """One indicator that alone would gain the unit a place, all else as it is."""

    indicator: str
    indicator_en: str
    indicator_zh: str
    value: float
    needed: Annotated[float, Field(description="The nearest value that gains a place.")]
    effort: Annotated[float, Field(description="The way to it, as a share of the range over the units.")]
    gain: Annotated[float, Field(description="Points of the score per unit of improvement.")]
    places: Annotated[int, Field(description="Gained at the best value of any unit.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkRow:
    """A value that is not simply what was reported."""

    indicator: str
    indicator_en: str
    indicator_zh: str
    mark: Annotated[
        Literal["hidden", "carried", "filled", "missing", "shrunk"],
        Field(
            description="hidden: rests on too few; carried: from a period before; filled: from others; shrunk to the mean."
        ),
    ]
    mark_zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalRow:
    """A goal of the year and what its outcome will be."""

    indicator: str
    indicator_en: str
    indicator_zh: str
    goal: float
    mean: Annotated[float, Field(description="Nowcast of the year's outcome.")]
    margin: Annotated[float, Field(description="Mean less goal, above 0 on the better side.")]
    probability: Annotated[float, Field(description="That the goal is met.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goals:
    """Goals of the year that runs on the information date. Only of a framework whose targets are such."""

    year: PeriodText
    goals: tuple[GoalRow, ...]
    expected: Annotated[float, Field(description="Weighted share of goals that will be met.")]
    all_met: Annotated[float, Field(description="Probability that every one is, outcomes being unrelated.")]
    low: Annotated[float, Field(description="The least that it can be, however outcomes go together.")]
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPage:
    """The page of one unit: strengths, weaknesses, peers, what would raise its rank most."""

    target: Annotated[str, Field(examples=["quality@SYN-33"])]
    title_en: str
    title_zh: str
    is_synthetic: MadeUp
    board: BoardEnd
    unit: Annotated[str, Field(examples=["SYN-3301"])]
    unit_en: str
    unit_zh: str
    score: Points
    rank: int
    rank_low: Annotated[float, Field(description="With rank_high, 90 % of the places over all choices drawn.")]
    rank_high: float
    units: Annotated[int, Field(description="How many are ranked.")]
    strengths: tuple[StandingRow, ...]
    weaknesses: tuple[StandingRow, ...]
    peers: tuple[PeerRow, ...]
    lifts: Annotated[
        tuple[LiftRow, ...], Field(description="What would raise the rank most, of equals the least effort first.")
    ]
    no_help: Annotated[tuple[str, ...], Field(description="Indicators that alone gain no place.")]
    marks: tuple[MarkRow, ...]
    goals: Goals | None
