"""The check of the store over HTTP: the same findings as at the terminal, filtered, in every form, fast on the province."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient

from featurestore import quality
from featurestore.memory import MemoryStore
from featurestore.sources.province import economy
from featurestore.sources.province.score import ENDS
from serving import wire

DAY = "2026-01-31"


@pytest.fixture(scope="module")
def province() -> MemoryStore:
    """All of it that is about the province itself; the cities would be as many again."""
    store = MemoryStore()
    loads = [x for x in economy(faults=True).releases() if x.release.code != "cities"]
    store.append_all(loads)
    return store


@pytest.fixture(scope="module")
def client(ask: Callable[..., TestClient], province: MemoryStore) -> TestClient:
    return ask(store=province, champion=None)


def asked(client: TestClient, url: str) -> Any:
    reply = client.get(url)
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_the_findings_are_those_of_the_check(client: TestClient, province: MemoryStore) -> None:
    said = asked(client, f"/v1/quality?asof={DAY}")
    found = quality.check(province, ENDS)
    assert said["asof"] == DAY
    assert said["findings"] == found.to_dicts()
    assert all(row["is_synthetic"] for row in said["findings"])
    rules = {row["rule"] for row in said["findings"]}
    assert {"unit", "falls", "repeated", "shift", "contradiction", "late"} <= rules
    early = asked(client, "/v1/quality?asof=2009-12-31")["findings"]
    assert early
    assert all(row["known"] <= "2009-12-31" for row in early)


def test_filters(client: TestClient) -> None:
    whole = asked(client, f"/v1/quality?asof={DAY}")["findings"]
    errors = asked(client, f"/v1/quality?asof={DAY}&severity=error")["findings"]
    assert errors == [r for r in whole if r["severity"] == "error"] != []
    two = ("loans_balance@SYN-33", "re_investment_ytd@SYN-33")
    found = asked(client, f"/v1/quality?asof={DAY}&series={two[0]}&series={two[1]}")["findings"]
    assert found == [r for r in whole if r["series"] in two] != []
    for department in ("合成人民银行杭州中心支行", "Synthetic People's Bank of China, Hangzhou"):
        said = client.get("/v1/quality", params={"asof": DAY, "department": department}).json()["findings"]
        assert said == [r for r in whole if department in (r["agency"], r["agency_zh"])] != []
    assert asked(client, f"/v1/quality?asof={DAY}&severity=warning&series={two[0]}")["findings"] == []


def test_the_scorecard_of_departments(client: TestClient, province: MemoryStore) -> None:
    rows = asked(client, f"/v1/quality/departments?asof={DAY}")["departments"]
    assert rows == quality.departments(province, ENDS).to_dicts()
    prices = next(r for r in rows if r["agency_zh"] == "合成国家统计局浙江调查总队")
    assert prices["delivered"] > 0.999
    assert 0.99 < prices["on_time"] < 1.0  # one month of prices came three weeks late
    assert prices["is_synthetic"] is True


def test_csv_arrow_and_an_answer_held_already(client: TestClient) -> None:
    for url, height in ((f"/v1/quality?asof={DAY}", 9), (f"/v1/quality/departments?asof={DAY}", 3)):
        arrow = client.get(url, headers={"Accept": wire.ARROW})
        table = pl.read_ipc_stream(io.BytesIO(arrow.content))
        assert table.height >= height
        assert table["asof"].unique().to_list() == [DAY]
        assert table.schema["is_synthetic"] == pl.Boolean
        csv = pl.read_csv(io.BytesIO(client.get(url, headers={"Accept": wire.CSV}).content))
        assert csv.columns == table.columns
        assert csv.height == table.height
        held = client.get(url, headers={"Accept": wire.ARROW, "If-None-Match": arrow.headers["etag"]})
        assert (held.status_code, held.content) == (304, b"")


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("severity=fatal", 422, "query.severity"),
        ("serie=x", 422, "there is no such parameter"),
        ("series=none@SYN-33", 404, "none@SYN-33"),
        ("department=nobody", 404, "合成省统计局"),
        ("asof=2999-01-01", 422, "has not come yet"),
    ],
)
def test_what_cannot_be_answered_is_a_problem(client: TestClient, query: str, status: int, said: str) -> None:
    reply = client.get(f"/v1/quality?{query}")
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert said in reply.text


def test_whatever_is_said_of_a_made_up_place_is_marked(client: TestClient, http: TestClient) -> None:
    assert all(i["is_synthetic"] for i in asked(client, "/v1/indicators")["indicators"])
    assert not any(i["is_synthetic"] for i in asked(http, "/v1/indicators")["indicators"])
    one = "loans_balance@SYN-33"
    for url in (f"/v1/series/{one}", f"/v1/series/{one}/revisions"):
        assert asked(client, url)["series"]["is_synthetic"] is True
        table = pl.read_ipc_stream(io.BytesIO(client.get(url, headers={"Accept": wire.ARROW}).content))
        assert table.height > 200
        assert table["is_synthetic"].all()
    for url in ("/v1/nowcasts/gdpc1@US?asof=2016-06-29", "/v1/nowcasts/gdpc1@US/news"):
        assert asked(http, url)["is_synthetic"] is False
        table = pl.read_ipc_stream(io.BytesIO(http.get(url, headers={"Accept": wire.ARROW}).content))
        assert not table["is_synthetic"].any()


def test_the_province_is_checked_within_a_second(client: TestClient) -> None:
    start = time.process_time()
    asked(client, "/v1/quality?asof=2025-12-31")
    assert time.process_time() - start < 1.0
