"""Turning points and the cycle clock over HTTP: what pictures draw, no more."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from engine import reading_views as views
from engine.reading import READINGS
from engine.settings import Settings
from serving import readings, wire
from serving.app import create_app
from serving.cycles import MONTHS, Cycles
from tests.serving.shop import JUNE, FakeChampions, Shop

URL = "/v1/indices/coincident@US/cycle"


@pytest.fixture(scope="module")
def readers(shared: Shop) -> FakeChampions:
    return FakeChampions(None, (shared.reader("index", JUNE),))


@pytest.fixture(scope="module")
def client(shared: Shop, readers: FakeChampions) -> TestClient:
    return TestClient(create_app(shared.store, readers, Settings(Path("/nowhere"), None, (), "")))


def test_it_says_what_the_pictures_draw(client: TestClient, shared: Shop, readers: FakeChampions) -> None:
    body = client.get(f"{URL}?asof=2016-06-29")
    assert body.status_code == 200, body.text
    said = TypeAdapter(Cycles).validate_json(body.content)
    assert wire.encode(said) == body.content
    told = readings.readings(shared.store, readers, "index", "coincident@US", JUNE, months=MONTHS).readings
    table = pl.DataFrame([[getattr(r, c) for c in READINGS.names()] for r in told], schema=READINGS, orient="row")
    (course,) = views.courses(table)
    change, level = views.cycle(course)
    assert [r.period for r in said.cycle] == list(course.periods)
    assert len(course.periods) == MONTHS
    assert [r.index for r in said.cycle] == course.index.tolist()
    assert {(k, r.turn, r.confirmed) for k, r in enumerate(said.cycle) if r.turn} == {
        (t.row, t.kind.value, t.confirmed) for t in course.turns.all
    }
    assert [r.change for r in said.cycle] == [None if np.isnan(u) else u for u in change]
    assert [r.level for r in said.cycle] == level.tolist()


def test_the_great_recession_is_between_its_turns(client: TestClient) -> None:
    rows = client.get(f"{URL}?asof=2016-06-29").json()["cycle"]
    turns = {r["turn"]: r["period"] for r in rows if r["turn"] and r["period"] < "2010"}
    assert "2007-10" <= turns["peak"] <= "2008-04"
    assert "2009-03" <= turns["trough"] <= "2009-10"
    low = min(rows, key=lambda r: r["level"])
    assert low["phase"] in ("contraction", "recovery")


def test_in_every_form(client: TestClient) -> None:
    url = f"{URL}?asof=2016-06-29&region=US"
    rows = client.get(url).json()["cycle"]
    csv = pl.read_csv(io.BytesIO(client.get(url, headers={"Accept": wire.CSV}).content))
    arrow = pl.read_ipc_stream(io.BytesIO(client.get(url, headers={"Accept": wire.ARROW}).content))
    assert csv.columns == arrow.columns
    assert arrow["index"].to_list() == [r["index"] for r in rows]
    assert arrow["turn"].to_list() == [r["turn"] for r in rows]
    first = client.get(url)
    assert client.get(url, headers={"If-None-Match": first.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    ("url", "status"),
    [(f"{URL}?region=CN", 404), (f"{URL}?asof=1960-01-01", 422), ("/v1/indices/leading@US/cycle", 503)],
)
def test_what_cannot_be_answered_says_why(client: TestClient, url: str, status: int) -> None:
    reply = client.get(url)
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
