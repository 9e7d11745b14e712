"""The HTTP service: parse, ask, answer. An endpoint is one function and its schema."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles

from engine.errors import NotReady
from engine.settings import Settings
from featurestore.store import Store
from serving import (
    answer,
    board_schemas,
    boards,
    cycles,
    forecast_schemas,
    forecasts,
    observed,
    problems,
    quality,
    readings,
    routes_news,
    routes_opened,
    schemas,
    wire,
)
from serving.champions import Champions
from serving.kept import Kept, data_state, model_state
from serving.metrics import Measured, Metrics
from serving.questions import (
    BetweenQuery,
    BoardsQuery,
    DayQuery,
    ForecastQuery,
    MonthsQuery,
    NoQuery,
    PeriodsQuery,
    QualityQuery,
    RegionQuery,
    UnitQuery,
    key_check,
    wanted_media,
)

PAGES = Path(__file__).with_name("pages")

_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": schemas.Problem, "description": said}
    for status, said in {
        401: "A key is needed.",
        404: "What was asked for does not exist.",
        406: "None of the media types accepted is there.",
        422: "The question cannot be used, or too little was known to answer it.",
        500: "The service failed.",
        503: "A champion, a migration or a server is not there yet.",
    }.items()
}
_OTHER_FORMS: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {"ETag": {"schema": {"type": "string"}, "description": "Send it back as If-None-Match."}},
        "content": {
            wire.CSV: {"schema": {"type": "string"}},
            wire.ARROW: {"schema": {"type": "string", "format": "binary"}},
        },
    },
    304: {"description": "The answer is still the one with that ETag."},
}


def create_app(store: Store, champions: Champions, settings: Settings) -> FastAPI:
    """The service over a store and its champions, which threads share. Open to all without ``settings.api_keys``."""
    app = FastAPI(
        title="jingqi 景气",
        summary="Nowcasts as of any day, and why they moved.",
        description="JSON, or CSV and Arrow streams by `Accept`. An `asof` day means: known at the end of that day.",
        version="1",
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
    )
    problems.install(app)
    metrics = Metrics()
    app.add_middleware(Measured, metrics=metrics)
    v1 = APIRouter(prefix="/v1", dependencies=[Depends(key_check(settings.api_keys))], responses=_ERRORS | _OTHER_FORMS)

    kept = Kept()

    def reply(request: Request, key: Hashable | None, make: Callable[[], wire.Table]) -> Response:
        """The answer in the form that was asked for, or 304 if the asker holds it already."""
        media = wanted_media(request)
        body = kept.get(key and (key, media), lambda: wire.encode_as(media, make()))
        headers = {"ETag": body.tag, "Vary": "Accept, X-API-Key", "Cache-Control": "private, no-cache"}
        held = [t.strip().removeprefix("W/") for t in request.headers.get("if-none-match", "").split(",")]
        if request.method == "GET" and (body.tag in held or "*" in held):
            return Response(status_code=304, headers=headers)
        return Response(body.content, media_type=media, headers=headers)

    @v1.get("/indicators", tags=["data"], response_model=schemas.Indicators)
    def indicators(request: Request, _: NoQuery) -> Response:
        """All series of the store and what they mean."""
        return reply(request, (data_state(store), "indicators"), lambda: observed.indicators(store))

    @v1.get("/series/{id}", tags=["data"], response_model=schemas.SeriesValues)
    def series(request: Request, id: str, asked: DayQuery) -> Response:
        """A series as it was known on a day."""
        asof = asked.asof or answer.newest_day(store)
        return reply(request, (data_state(store), "series", id, asof), lambda: observed.series(store, id, asof))

    @v1.get("/series/{id}/revisions", tags=["data"], response_model=schemas.Revisions)
    def revisions(request: Request, id: str, _: NoQuery) -> Response:
        """Every version of every value of a series."""
        return reply(request, (data_state(store), "revisions", id), lambda: observed.revisions(store, id))

    @v1.get("/quality", tags=["data"], response_model=schemas.Quality)
    def findings(request: Request, asked: QualityQuery) -> Response:
        """What is wrong with the figures known on a day, or may be."""
        asof = asked.asof or answer.newest_day(store)
        of = tuple(asked.series), asked.department, asked.severity
        return reply(request, (data_state(store), "quality", asof, of), lambda: quality.findings(store, asof, *of))

    @v1.get("/quality/departments", tags=["data"], response_model=schemas.Departments)
    def departments(request: Request, asked: DayQuery) -> Response:
        """How each department delivered: on time, complete, corrected later."""
        asof = asked.asof or answer.newest_day(store)
        return reply(request, (data_state(store), "departments", asof), lambda: quality.departments(store, asof))

    @v1.get("/nowcasts/{target}", tags=["nowcasts"], response_model=schemas.Nowcast)
    def nowcast(request: Request, target: str, asked: PeriodsQuery) -> Response:
        """What the champion says, all that was known on a day."""
        asof = asked.asof or answer.newest_for(store, champions, target)
        state, periods = model_state(store, champions, target), tuple(asked.period) or None
        key = state and (state, "nowcast", target, asof, periods)
        return reply(request, key, lambda: answer.nowcast(store, champions, target, asof, periods))

    @v1.get("/nowcasts/{target}/news", tags=["nowcasts"], response_model=schemas.News)
    def news(request: Request, target: str, asked: BetweenQuery) -> Response:
        """Why the estimate moved between two days: revisions, releases, weights of a pool, re-estimation; they add up."""
        until = asked.until or answer.newest_for(store, champions, target)
        since = asked.since or answer.day_before(store, champions, target, until)
        state = model_state(store, champions, target)
        key = state and (state, "news", target, since, until, asked.period)
        return reply(request, key, lambda: answer.news(store, champions, target, since, until, asked.period))

    routes_news.add(v1, store, champions, reply)
    routes_opened.add(v1, store, champions, reply)

    @v1.get("/forecasts/{id}", tags=["forecasts"], response_model=forecast_schemas.Forecast)
    def forecast(request: Request, id: str, asked: ForecastQuery) -> Response:
        """A published figure carried on, all that was known on a day: by its champion, else by a model fitted to that day."""
        asof = asked.asof or answer.newest_day(store)
        who = model_state(store, champions, id, forecasts.KIND)
        key = (data_state(store), "forecast", who, id, asof, asked.to, asked.model)
        return reply(request, key, lambda: forecasts.forecast(store, champions, id, asof, asked.to, asked.model))

    def read(kind: str, request: Request, id: str, asked: RegionQuery | MonthsQuery) -> Response:
        asof = asked.asof or answer.newest_for(store, champions, id, kind)
        state = model_state(store, champions, id, kind)
        of = asked.region, getattr(asked, "months", None)
        key = state and (state, kind, id, asof, of)
        return reply(request, key, lambda: readings.readings(store, champions, kind, id, asof, *of))

    @v1.get("/indices/{id}", tags=["readings"], response_model=schemas.Readings)
    def index(request: Request, id: str, asked: MonthsQuery) -> Response:
        """A prosperity index: its level, its band, what each component adds, and beside its last months its record."""
        return read("index", request, id, asked)

    @v1.get("/indices/{id}/cycle", tags=["readings"], response_model=cycles.Cycles)
    def cycle(request: Request, id: str, asked: RegionQuery) -> Response:
        """Turning points of an index, candidates marked, and its way round the cycle clock."""
        asof = asked.asof or answer.newest_for(store, champions, id, "index")
        state = model_state(store, champions, id, "index")
        key = state and (state, "cycle", id, asof, asked.region)
        return reply(request, key, lambda: cycles.cycles(store, champions, id, asof, asked.region))

    @v1.get("/warnings/{id}", tags=["readings"], response_model=schemas.Readings)
    def warning(request: Request, id: str, asked: MonthsQuery) -> Response:
        """Lights and the scores of their items, or the probability of a downturn."""
        return read("warning", request, id, asked)

    @v1.get("/scorecards/{id}", tags=["readings"], response_model=schemas.Readings)
    def scorecard(request: Request, id: str, asked: RegionQuery) -> Response:
        """A board: scores, ranks with intervals, nodes and contributions of the indicators."""
        return read("scorecard", request, id, asked)

    @v1.get("/scorecards/{id}/changes", tags=["readings"], response_model=board_schemas.BoardChange)
    def changes(request: Request, id: str, asked: BoardsQuery) -> Response:
        """Why scores and places changed: own performance, others' performance, revision, method. They add up."""
        asof = asked.until or answer.newest_for(store, champions, id, "scorecard")
        which = boards.Asked(asked.since, asked.period, asked.before, asked.version, asked.region)
        state = model_state(store, champions, id, "scorecard")
        key = state and (state, "changes", id, asof, which)
        return reply(request, key, lambda: boards.changes(store, champions, id, asof, which))

    @v1.get("/scorecards/{id}/units/{region}", tags=["readings"], response_model=board_schemas.UnitPage)
    def unit(request: Request, id: str, region: str, asked: UnitQuery) -> Response:
        """The page of one unit: strengths, weaknesses, peers, what would gain it a place."""
        asof = asked.asof or answer.newest_for(store, champions, id, "scorecard")
        state = model_state(store, champions, id, "scorecard")
        key = state and (state, "unit", id, region, asof, asked.period)
        return reply(request, key, lambda: boards.unit_page(store, champions, id, region, asof, asked.period))

    @v1.get("/monitors/{id}", tags=["readings"], response_model=schemas.Readings)
    def monitor(request: Request, id: str, asked: MonthsQuery) -> Response:
        """Indices from what firms answered, by cell, with bands and the number of firms."""
        return read("monitor", request, id, asked)

    @v1.get("/models", tags=["models"], response_model=schemas.Models)
    def models(request: Request, _: NoQuery) -> Response:
        """The registry: what there is, and which version answers."""
        return reply(request, None, lambda: observed.models(store, champions))

    @v1.get("/models/{name}/versions", tags=["models"], response_model=schemas.ModelVersions)
    def versions(request: Request, name: str, _: NoQuery) -> Response:
        """All versions of a registered model."""
        return reply(request, None, lambda: schemas.ModelVersions(versions=champions.versions(name)))

    app.include_router(v1)

    @app.get("/healthz", tags=["service"], response_model=schemas.Health)
    def healthz() -> Response:
        """The process answers."""
        return Response(wire.encode(schemas.Health()), media_type=wire.JSON)

    @app.get("/readyz", tags=["service"], response_model=schemas.Health, responses={503: _ERRORS[503]})
    def readyz() -> Response:
        """The store answers and there is a champion."""
        store.releases()
        if not champions.all():
            raise NotReady("no champion yet: `jingqi experiment run SPEC`, then `jingqi experiment promote RUN`")
        return Response(wire.encode(schemas.Health()), media_type=wire.JSON)

    @app.get("/metrics", tags=["service"], response_class=Response)
    def prometheus() -> Response:
        """Counts and durations of requests, for Prometheus."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/", include_in_schema=False)
    def dashboard() -> FileResponse:
        policy = "default-src 'self'; img-src 'self' data:; frame-ancestors 'self'"
        return FileResponse(PAGES / "index.html", headers={"Content-Security-Policy": policy})

    app.mount("/pages", StaticFiles(directory=PAGES))
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    return app


def _document(app: FastAPI) -> dict[str, Any]:
    """OpenAPI, with problems under the media type that they come in."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, summary=app.summary, description=app.description, routes=app.routes
        )
        for path in document["paths"].values():
            for status, said in ((s, r) for of in path.values() for s, r in of["responses"].items()):
                if int(status) >= 400 and wire.JSON in said.get("content", {}):
                    said["content"] = {problems.MEDIA: said["content"][wire.JSON]}
        app.openapi_schema = document
    return app.openapi_schema
