"""The choices made on the way from indicators to a score, as a framework names them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from engine.errors import BadInput

Missing: TypeAlias = Literal["leave", "time", "group", "regression", "em"]
Aggregation: TypeAlias = Literal[
    "arithmetic",
    "geometric",
    "harmonic",
    "power",
    "mazziotta_pareto",
    "mazziotta_pareto_up",
    "copeland",
    "topsis",
    "vikor",
]
Weighting: TypeAlias = Literal["expert", "equal", "entropy", "critic", "deviation", "pca"]
Method: TypeAlias = Literal[
    "goalposts",
    "minmax",
    "z",
    "rank",
    "borda",
    "percentile",
    "to_maximum",
    "to_reference",
    "to_target",
    "fraction",
    "ratio",
    "efficacy",
]
FLAT: tuple[Aggregation, ...] = (
    "copeland",
    "topsis",
    "vikor",
)  # compare units over all indicators below a node at once
POSITIVE: tuple[Aggregation, ...] = ("geometric", "harmonic", "power", "mazziotta_pareto", "mazziotta_pareto_up")
Shrink: TypeAlias = Literal["no", "share", "rate", "mean"]
TARGETED: tuple[Method, ...] = ("to_target", "ratio")
STRICT = {"extra": "forbid", "strict": False}


@dataclass(frozen=True)
class Normalisation:
    """How indicators come to one scale. method: see :mod:`modelzoo.scorecard.normalise`. low, high: the ends of the scale.

    mean, sd: of ``z``. reference: for ``to_reference``, the unit that the others are held against.
    """

    method: Method = "goalposts"
    low: float = 0.0
    high: float = 100.0
    mean: float = 0.0
    sd: float = 1.0
    reference: str | None = None
    __pydantic_config__ = STRICT

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise BadInput(f"the scale runs from low to a higher high, not from {self.low} to {self.high}")
        if not (math.isfinite(self.mean) and math.isfinite(self.sd) and self.sd > 0):
            raise BadInput(f"z takes a finite mean and an sd above 0, not {self.mean} and {self.sd}")
        if (self.method == "to_reference") != (self.reference is not None):
            raise BadInput(
                "normalisation to_reference needs the name of a unit as reference; no other method takes one"
            )


@dataclass(frozen=True)
class Treatment:
    """Which indicators have outliers, and how far values are pulled in. See :mod:`modelzoo.scorecard.outliers`."""

    points: int = 5
    skew: float = 2.0
    kurtosis: float = 3.5
    __pydantic_config__ = STRICT

    def __post_init__(self) -> None:
        if self.points < 0 or not self.skew > 0 or not math.isfinite(self.kurtosis):
            raise BadInput("a treatment takes points from 0, a skew above 0 and a finite kurtosis")


@dataclass(frozen=True)
class Screening:
    """Which units have enough data: the least share of indicators known, and of known ones that are not zero."""

    known: float = 0.0
    nonzero: float = 0.0
    __pydantic_config__ = STRICT

    def __post_init__(self) -> None:
        if not (0 <= self.known <= 1 and 0 <= self.nonzero <= 1):
            raise BadInput("screening takes shares from 0 to 1")


@dataclass(frozen=True)
class Small:
    """An indicator that may rest on few firms, persons, answers or events. See :mod:`modelzoo.scorecard.small`.

    base: the column that counts them. least: a value that rests on fewer is hidden. total: whether the figure of all units
    together is published too, so that as much more is hidden as keeps it from telling. shrink: toward the mean of the units,
    as a ``share`` of the base (``whole``: what all of it would be, 100 of a percentage), as a ``rate``, the base over the
    indicator's denominator, or as a ``mean`` over the base (``spread``: the standard deviation of one answer).
    """

    base: str
    least: int = 0
    total: bool = False
    shrink: Shrink = "no"
    whole: float = 1.0
    spread: float | None = None
    __pydantic_config__ = STRICT

    def problem(self, indicator: str, denominator: str | None) -> str:
        """What is wrong with it for an indicator with that denominator; empty where nothing is."""
        if not self.base.strip():
            return "names no base, the column that counts what stands behind a value"
        if self.least < 0 or (self.least == 0 and self.shrink == "no"):
            return f"hides below a least base from 1 and shrinks, or does one of them; least is {self.least}"
        if self.total and self.least == 0:
            return "keeps a total from telling only what is hidden; give least"
        if (self.shrink == "mean") != (self.spread is not None):
            return "takes spread, of one answer, to shrink a mean and nothing else"
        if self.spread is not None and not (math.isfinite(self.spread) and self.spread > 0):
            return f"takes a spread above 0, not {self.spread}"
        if self.shrink == "rate" and (denominator is None or self.base != indicator):
            return f"shrinks a rate, which is the indicator's own count over a denominator: base = {indicator}, and a denominator"
        if not (math.isfinite(self.whole) and self.whole > 0) or (self.whole != 1.0 and self.shrink != "share"):
            return "takes whole, a number above 0, for a share and nothing else"
        return ""
