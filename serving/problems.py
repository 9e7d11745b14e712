"""Every error as problem details (RFC 9457): what is wrong with the question, and nothing of how we are built."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from engine.errors import BadInput, JingqiError, LookAhead, NotConverged, NotEnoughData, NotReady, Unknown
from serving.schemas import Fault, Problem
from serving.wire import encode

MEDIA = "application/problem+json"

_KINDS: tuple[tuple[type[JingqiError], str, HTTPStatus], ...] = (
    (BadInput, "bad-input", HTTPStatus.UNPROCESSABLE_ENTITY),
    (Unknown, "unknown", HTTPStatus.NOT_FOUND),
    (NotEnoughData, "not-enough-data", HTTPStatus.UNPROCESSABLE_ENTITY),
    (NotConverged, "not-converged", HTTPStatus.UNPROCESSABLE_ENTITY),
    (NotReady, "not-ready", HTTPStatus.SERVICE_UNAVAILABLE),
)

_log = logging.getLogger("jingqi.serving")


def install(app: FastAPI) -> None:
    """Answer every error of the application as a problem."""

    @app.exception_handler(JingqiError)
    def domain(request: Request, error: JingqiError) -> Response:
        for kind, name, status in _KINDS:
            if isinstance(error, kind):
                return problem(request, status, name, " ".join(str(error).split()))
        if isinstance(error, LookAhead):
            _log.critical("look-ahead at %s: %s", request.url.path, error)
        return internal(request, error)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        faults = tuple(Fault(where=".".join(map(str, e["loc"])), problem=_plain(e)) for e in error.errors())
        detail = "; ".join(f"{f.where}: {f.problem}" for f in faults)
        return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, "bad-input", detail, faults)

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        said = error.detail if error.detail != status.phrase else status.description or status.phrase
        answer = problem(request, status, status.phrase.lower().replace(" ", "-"), said)
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    def internal(request: Request, error: Exception) -> Response:
        _log.error("failed at %s", request.url.path, exc_info=error)
        said = "The service failed. The question may be a good one; the reason is in the log of the service."
        return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, "internal", said)


def _plain(error: dict[str, Any]) -> str:
    """A mistake in our words: pydantic speaks of inputs and puts "Value error" before what a reader of ours said."""
    if error["type"] == "extra_forbidden":
        return "there is no such parameter"
    return str(error["msg"]).removeprefix("Value error, ")


def problem(request: Request, status: HTTPStatus, kind: str, detail: str, errors: tuple[Fault, ...] = ()) -> Response:
    """One error, as bytes."""
    body = Problem(
        type=f"urn:jingqi:problem:{kind}",
        title=status.phrase,
        status=int(status),
        detail=detail,
        instance=request.url.path,
        errors=errors,
    )
    return Response(encode(body), status, media_type=MEDIA, headers={"Cache-Control": "no-store"})
