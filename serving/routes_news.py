"""Routes about what is not known yet: what if releases print so, which of them matters most, where the band comes from."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from featurestore.store import Store
from serving import answer, wire
from serving.champions import Champions
from serving.coming import coming_releases
from serving.kept import model_state
from serving.questions import Asked, AskedPeriod, AsOf, PeriodQuery, UncertaintyQuery
from serving.schemas_news import Coming, Units, WhatIf
from serving.schemas_uncertainty import Uncertainty
from serving.uncertainty import where_from
from serving.whatif import Release, what_if

Reply = Callable[[Request, Hashable | None, Callable[[], wire.Table]], Response]


class SupposedRelease(Asked):
    """A release that has not come."""

    series: str = Field(examples=["indpro@US"])
    period: AskedPeriod
    value: float = Field(allow_inf_nan=False, examples=[0.4])
    unit: Units = Field(
        "analysed",
        description="analysed: after the series' step, as news tells it; published: as the office would publish it.",
    )


class Question(Asked):
    """What is supposed, on which day, for which period."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"asof": "2016-07-29", "period": "2016-Q3", "suppose": [{"series": "indpro@US", "period": "2016-07", "value": 0.4}]}
    ]})  # fmt: skip
    suppose: list[SupposedRelease] = Field(min_length=1, max_length=200)
    asof: AsOf | None = Field(None, description="Without it: the newest release in the store.")
    period: AskedPeriod | None = Field(None, description="Without it: the period that runs on that day.")


def add(v1: APIRouter, store: Store, champions: Champions, reply: Reply) -> None:
    """Add them to the service; ``reply`` answers in the form that was asked for."""

    @v1.post("/nowcasts/{target}/what-if", tags=["nowcasts"], response_model=WhatIf)
    def supposed(request: Request, target: str, asked: Question) -> Response:
        """What the champion would say if these releases came so: before, after, and the news between. Nothing is stored."""
        asof = asked.asof or answer.newest_for(store, champions, target)
        releases = [Release(r.series, r.period, r.value, r.unit) for r in asked.suppose]
        return reply(request, None, lambda: what_if(store, champions, target, releases, asof, asked.period))

    @v1.get("/nowcasts/{target}/coming", tags=["nowcasts"], response_model=Coming)
    def awaited(request: Request, target: str, asked: PeriodQuery) -> Response:
        """Which coming release matters most: by how much each would narrow the estimate, by the calendar."""
        asof = asked.asof or answer.newest_for(store, champions, target)
        state = model_state(store, champions, target)
        key = state and (state, "coming", target, asof, asked.period)
        return reply(request, key, lambda: coming_releases(store, champions, target, asof, asked.period))

    @v1.get("/nowcasts/{target}/uncertainty", tags=["nowcasts"], response_model=Uncertainty)
    def width(request: Request, target: str, asked: UncertaintyQuery) -> Response:
        """Where the width of the band comes from: states and shocks, parameters, revisions."""
        asof = asked.asof or answer.newest_for(store, champions, target)
        state, of = model_state(store, champions, target), (asked.period, asked.later)
        key = state and (state, "uncertainty", target, asof, of)
        return reply(request, key, lambda: where_from(store, champions, target, asof, *of))
