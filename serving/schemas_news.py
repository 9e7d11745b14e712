"""What the service says of releases that have not come: supposed ones, and how much the coming ones would tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from engine.estimate import Phase
from serving.schemas import Label, NewsItem, PeriodText, Quantiles, SeriesText

Units = Literal["analysed", "published"]
Share = Annotated[float, Field(description="Share of today's variance that goes; 1 is all of it.", examples=[0.061])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An estimate for one period and its bands."""

    mean: Annotated[float, Field(examples=[2.2034471823])]
    quantiles: Quantiles


@dataclass(frozen=True, slots=True, kw_only=True)
class SupposedValue:
    """A release as it was supposed, in the unit in which the model reads it."""

    series: SeriesText
    name_en: Annotated[str, Field(examples=["Industrial production"])]
    name_zh: Annotated[str, Field(examples=["工业生产指数"])]
    period: PeriodText
    value: Annotated[float, Field(description="Analysed: after the series' step.", examples=[0.4])]
    unit: Annotated[str, Field(description="Unit of value.", examples=["%"])]
    unit_zh: str
    published: Annotated[
        float | None, Field(description="The value as the office would publish it, where it was given so.")
    ]
    unit_published: Annotated[str, Field(description="Unit of published.", examples=["2012 = 100"])]
    unit_published_zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf(Label):
    """What the champion would say had the supposed releases come; ``items`` add up to ``change`` = after.mean - before.mean.

    Expected, actual and news of an item are in the analysed unit of its series, impacts in that of the target.
    """

    name_en: Annotated[str, Field(examples=["Real gross domestic product"])]
    name_zh: Annotated[str, Field(examples=["实际国内生产总值"])]
    period: PeriodText
    phase: Phase
    supposed: tuple[SupposedValue, ...]
    before: Said
    after: Said
    change: Annotated[float, Field(examples=[0.1])]
    sums: Annotated[dict[str, float], Field(description="Impacts by kind.", examples=[{"release": 0.1}])]
    items: tuple[NewsItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComingRelease:
    """The next value of a series that the champion reads, and what it would take from the variance."""

    series: SeriesText
    name_en: Annotated[str, Field(examples=["Retail sales"])]
    name_zh: Annotated[str, Field(examples=["零售销售"])]
    period: PeriodText
    day: Annotated[str, Field(description="When it is usual.", examples=["2016-08-15"])]
    overdue: Annotated[bool, Field(description="That day has passed by asof.")]
    expected: Annotated[float, Field(description="Put in its place; in the analysed unit of the series.")]
    unit: Annotated[str, Field(description="Unit of expected.", examples=["%"])]
    unit_zh: str
    variance_alone: Annotated[float, Field(description="Of the estimate after this release and no other.")]
    variance_after: Annotated[float, Field(description="After it and all before it in this list.")]
    reduction_alone: Share
    reduction_in_turn: Annotated[
        float, Field(description="Share of today's variance that goes when it comes in its turn.")
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming(Label):
    """Which coming release matters most: by how much each would narrow the estimate for ``period``. Soonest first."""

    name_en: Annotated[str, Field(examples=["Real gross domestic product"])]
    name_zh: Annotated[str, Field(examples=["实际国内生产总值"])]
    period: PeriodText
    phase: Phase
    variance: Annotated[
        float,
        Field(description="As things stand, in its unit squared; given the parameters where the model tells them."),
    ]
    sd: Annotated[float, Field(description="Its root.")]
    releases: tuple[ComingRelease, ...]
