"""What the service says of rule alarms with their record, and of survey cells that lead statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from serving.schemas import AsOf, MadeUp, SeriesText


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRow:
    """Where one rule stands in one region, and what its alarms were worth. What cannot be said is null."""

    region: str
    region_en: str
    region_zh: str
    rule: Annotated[str, Field(examples=["private_below_investment"])]
    name_en: str
    name_zh: str
    status: Annotated[
        Literal["alarm", "quiet", "unknown", "not published"],
        Field(description="unknown: no month is known; not published: the region has no such series."),
    ]
    period: Annotated[str | None, Field(description="The newest known month, which says how old the answer is.")]
    value: float | None
    limit: float | None
    since: Annotated[str | None, Field(description="First month of an alarm that lasts.")]
    months: Annotated[int | None, Field(description="Months on which the record rests.")]
    hits: Annotated[int | None, Field(description="Months of a downswing with an alarm.")]
    false: Annotated[int | None, Field(description="Other months with an alarm.")]
    missed: Annotated[int | None, Field(description="Months of a downswing without one.")]
    recall: Annotated[float | None, Field(description="hits / (hits + missed).")]
    false_rate: Annotated[float | None, Field(description="false / months outside of downswings.")]
    downswings: Annotated[int | None, Field(description="Downswings that began where the rule is known.")]
    called: Annotated[int | None, Field(description="Of these with an alarm in the six months before.")]
    lead: Annotated[float | None, Field(description="Median months from that alarm to the beginning.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """The rules in the regions that a warning reads. event: by region, the series whose downswings they are held against."""

    target: str
    asof: AsOf
    event: dict[str, SeriesText]
    alarms: tuple[AlarmRow, ...]
    is_synthetic: MadeUp


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRow:
    """How an index of a survey cell goes with a statistic, at the lead at which they go together most."""

    unit: Annotated[str, Field(description="Region, or cell of the survey.", examples=["industry:纺织业"])]
    unit_zh: str
    index: str
    index_en: str
    index_zh: str
    statistic: SeriesText
    statistic_en: str
    statistic_zh: str
    lead: Annotated[int, Field(description="Months by which the cell comes first; negative: it comes later.")]
    correlation: float
    probability: Annotated[
        float, Field(description="That a series without relation goes with it as much at some lead.")
    ]
    firms: Annotated[float, Field(description="Median number that answered.")]
    months: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Leads:
    """Which cells of a survey lead which statistics, the strongest first."""

    target: str
    asof: AsOf
    leads: tuple[LeadRow, ...]
    is_synthetic: MadeUp
