"""What may be asked: query parameters, the media type wanted, the key. Whatever cannot be understood is named."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Query, Request, Security
from fastapi.security import APIKeyHeader
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from starlette.exceptions import HTTPException

from engine.calendar import Period, parse_asof
from engine.errors import BadInput
from serving.answer import possible
from serving.wire import ARROW, CSV, JSON

T = TypeVar("T")

_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, description="Needed where JINGQI_API_KEYS is set.")
_NEWEST = "Without it: the newest release in the store."


def _reads(read: Callable[[str], T]) -> BeforeValidator:
    """A reader of ours as a validator: pydantic names the parameter, we name the mistake."""

    def validate(text: Any) -> T:
        try:
            return read(text)
        except BadInput as wrong:
            raise ValueError(str(wrong)) from None

    return BeforeValidator(validate)


AsOf = Annotated[
    datetime,
    _reads(lambda text: possible(parse_asof(text))),
    WithJsonSchema({"type": "string", "examples": ["2016-07-29", "2016-07-29T12:30:00+00:00"]}),
]
AskedPeriod = Annotated[Period, _reads(Period.parse), WithJsonSchema({"type": "string", "examples": ["2016-Q3"]})]


class Asked(BaseModel):
    """A parameter that we do not know is an error: ``as_of`` for ``asof`` would else be another question's answer."""

    model_config = ConfigDict(extra="forbid")


class Nothing(Asked):
    """A route without parameters."""


class AtDay(Asked):
    """?asof="""

    asof: AsOf | None = Field(
        None,
        description=f"Known at the end of that day, or at that instant. {_NEWEST}",
    )


class AtPeriods(AtDay):
    """?asof=&period="""

    period: list[AskedPeriod] = Field(
        default_factory=list, description="May be repeated. Without it: the periods being nowcast at that day."
    )


class AtPeriod(AtDay):
    """?asof=&period="""

    period: AskedPeriod | None = Field(None, description="Without it: the period that runs on that day.")


class AtUncertainty(AtPeriod):
    """?asof=&period=&later="""

    later: int = Field(
        0,
        ge=0,
        le=12,
        description="The truth is the value when so many later periods have come out; 0: the first release.",
    )


class AtForecast(AtDay):
    """?asof=&to=&model="""

    to: AskedPeriod | None = Field(
        None, description="The last period, of the series' frequency or a lower one: 2026-12, 2026-Q4, 2035."
    )
    model: str | None = Field(
        None, description="A forecast model of the zoo instead of who answers.", examples=["trend"]
    )


class AtRegion(AtDay):
    """?asof=&region="""

    region: str | None = Field(None, description="One unit of what is read; without it all.", examples=["SYN-3301"])


class AtMonths(AtRegion):
    """?asof=&region=&months="""

    months: int | None = Field(
        None,
        ge=0,
        le=2400,
        description="How many of the newest periods, 0 for the whole history. Without it 36 of an index, 24 of lights, 12 waves.",
    )


class AtLeads(AtRegion):
    """?asof=&region=&statistic="""

    statistic: list[str] = Field(
        default_factory=list,
        description="A monthly series, may be repeated. Without it: industry, retail sales and electricity of the region.",
        examples=[["ind_va_yoy@SYN-33"]],
    )


class AtLight(AtRegion):
    """?asof=&region=&period="""

    period: AskedPeriod | None = Field(None, description="A month. Without it: the newest.")


class AtQuality(AtDay):
    """?asof=&series=&department=&severity="""

    series: list[str] = Field(
        default_factory=list, description="May be repeated. Without it: all.", examples=[["gdpc1@US"]]
    )
    department: str | None = Field(None, description="The source of the figures, its name in English or Chinese.")
    severity: Literal["error", "warning"] | None = Field(None, description="Without it: both.")


class Between(Asked):
    """?from=&to=&period="""

    since: AsOf | None = Field(None, alias="from", description="The earlier day. Without it: the release before `to`.")
    until: AsOf | None = Field(None, alias="to", description=f"The later day. {_NEWEST}")
    period: AskedPeriod | None = Field(None, description="Without it: the period that runs on the later day.")


class BetweenDays(Asked):
    """?from=&to=&region=&period="""

    since: AsOf = Field(alias="from", description="The earlier day.")
    until: AsOf | None = Field(None, alias="to", description=f"The later day. {_NEWEST}")
    region: str | None = Field(None, description="One unit of what is read; without it that of the target.")
    period: AskedPeriod | None = Field(
        None, description="A month, on both days. Without it: from the newest of the earlier day to that of the later."
    )


class AtUnit(AtDay):
    """?asof=&period="""

    period: AskedPeriod | None = Field(
        None, description="Without it: the newest that can be scored.", examples=["2024"]
    )


class BetweenBoards(Asked):
    """?from=&to=&region=&from_period=&to_period=&from_version="""

    since: AsOf | None = Field(
        None,
        alias="from",
        description="What was known of the old board. Without it: as of `to`, and the period before.",
    )
    until: AsOf | None = Field(None, alias="to", description=f"What was known of the new board. {_NEWEST}")
    region: str | None = Field(None, description="One unit alone, and its indicators.", examples=["SYN-3301"])
    before: AskedPeriod | None = Field(
        None, alias="from_period", description="Without it: the newest period at `from`."
    )
    period: AskedPeriod | None = Field(None, alias="to_period", description="Without it: the newest period at `to`.")
    version: str | None = Field(
        None, alias="from_version", description="Version that made the old board. Without it: the champion."
    )


NoQuery = Annotated[Nothing, Query()]
DayQuery = Annotated[AtDay, Query()]
PeriodsQuery = Annotated[AtPeriods, Query()]
PeriodQuery = Annotated[AtPeriod, Query()]
UncertaintyQuery = Annotated[AtUncertainty, Query()]
ForecastQuery = Annotated[AtForecast, Query()]
RegionQuery = Annotated[AtRegion, Query()]
MonthsQuery = Annotated[AtMonths, Query()]
QualityQuery = Annotated[AtQuality, Query()]
LeadsQuery = Annotated[AtLeads, Query()]
LightQuery = Annotated[AtLight, Query()]
DaysQuery = Annotated[BetweenDays, Query()]
BetweenQuery = Annotated[Between, Query()]
UnitQuery = Annotated[AtUnit, Query()]
BoardsQuery = Annotated[BetweenBoards, Query()]


def key_check(keys: tuple[str, ...]) -> Callable[..., None]:
    """A dependency that lets pass whoever brings one of the keys in X-API-Key, and everyone if there are none."""
    known = [k.encode() for k in keys]

    def check(given: Annotated[str | None, Security(_HEADER)] = None) -> None:
        offered = (given or "").encode()
        matches = [hmac.compare_digest(offered, key) for key in known]  # all of them, so that time tells nothing
        if known and not any(matches):
            raise HTTPException(401, "this service needs a key in the header X-API-Key", {"WWW-Authenticate": "ApiKey"})

    return check


def wanted_media(request: Request) -> str:
    """The best of JSON, CSV and ARROW by the Accept header; JSON where it does not say. 406 if none will do."""
    ranges = _accepted(request.headers.get("accept") or "*/*")
    weights = {media: _weight(media, ranges) for media in (JSON, CSV, ARROW)}
    best = max(weights, key=lambda media: weights[media])  # the first of equals, so JSON
    if weights[best] <= 0:
        raise HTTPException(406, f"there is {JSON}, {CSV} and {ARROW}")
    return best


def _accepted(header: str) -> list[tuple[str, float]]:
    out = []
    for part in header.split(","):
        media, *parameters = (p.strip().lower() for p in part.split(";"))
        weight = next((p.removeprefix("q=") for p in parameters if p.startswith("q=")), "1")
        try:
            out.append((media, float(weight)))
        except ValueError:
            out.append((media, 0.0))
    return out


def _weight(media: str, ranges: list[tuple[str, float]]) -> float:
    """The weight given to a media type by the most specific range that covers it (RFC 9110, 12.5.1)."""
    said = dict(ranges)
    for form in (media, f"{media.partition('/')[0]}/*", "*/*"):
        if form in said:
            return said[form]
    return 0.0
