"""Counts and durations of requests, by route, for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

Scope: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Metrics:
    """Of one application; a process may hold several."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("jingqi_requests", "Requests answered.", ["route", "status"], registry=self.registry)
        self.seconds = Histogram("jingqi_request_seconds", "Time to answer.", ["route"], registry=self.registry)

    def text(self) -> bytes:
        """What /metrics says."""
        return generate_latest(self.registry)


class Measured:
    """ASGI middleware. Labels are route templates, never raw paths: the number of time series stays bounded."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, start = 500, time.perf_counter()

        async def seen(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, seen)
        finally:
            route = getattr(scope.get("route"), "path", "(none)")
            self.metrics.requests.labels(route, str(status)).inc()
            self.metrics.seconds.labels(route).observe(time.perf_counter() - start)
