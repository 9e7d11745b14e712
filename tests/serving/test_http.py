"""Every route, every form, every error."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from engine.calendar import Period
from engine.settings import Settings
from featurestore.memory import MemoryStore
from serving import answer, forecast_schemas, kept, schemas, schemas_news, schemas_uncertainty, wire
from serving.app import create_app
from serving.publish import publish
from tests.serving.shop import GDP, JULY, JUNE, FakeChampions, Shop

TABLES: dict[str, Any] = {
    "/v1/indicators": schemas.Indicators,
    f"/v1/series/{GDP}?asof=2016-06-29": schemas.SeriesValues,
    f"/v1/series/{GDP}/revisions": schemas.Revisions,
    f"/v1/nowcasts/{GDP}?asof=2016-06-29&period=2016-Q3": schemas.Nowcast,
    f"/v1/nowcasts/{GDP}": schemas.Nowcast,
    f"/v1/nowcasts/{GDP}/news": schemas.News,
    f"/v1/nowcasts/{GDP}/news?from=2016-06-29&to=2016-07-29&period=2016-Q2": schemas.News,
    f"/v1/nowcasts/{GDP}/coming?asof=2016-07-29&period=2016-Q3": schemas_news.Coming,
    f"/v1/nowcasts/{GDP}/uncertainty?asof=2016-07-29&period=2016-Q3": schemas_uncertainty.Uncertainty,
    f"/v1/forecasts/{GDP}?asof=2016-07-29&model=theta": forecast_schemas.Forecast,
    "/v1/quality": schemas.Quality,
    "/v1/quality?asof=2016-08-31&severity=warning": schemas.Quality,
    "/v1/quality/departments?asof=2016-08-31": schemas.Departments,
    "/v1/models": schemas.Models,
    "/v1/models/nowcast-gdpc1-US/versions": schemas.ModelVersions,
}


def test_the_tables_are_all_routes(http: TestClient) -> None:
    paths = http.get("/openapi.json").json()["paths"]
    documented = {
        p for p, of in paths.items() if p.startswith("/v1") and "get" in of and of["get"]["tags"] != ["readings"]
    }
    asked = {re.sub(r"(series|nowcasts|forecasts|models)/[^/]+", r"\1/*", u.partition("?")[0]) for u in TABLES}
    assert {re.sub(r"{\w+}", "*", p) for p in documented} == asked


@pytest.mark.parametrize("url", TABLES)
def test_json_follows_its_schema_and_the_other_forms_hold_the_same(http: TestClient, url: str) -> None:
    body = http.get(url)
    assert body.status_code == 200, body.text
    assert body.headers["content-type"] == "application/json"
    assert wire.encode(TypeAdapter(TABLES[url]).validate_json(body.content)) == body.content  # nothing more, to the bit
    csv = http.get(url, headers={"Accept": "text/csv"})
    arrow = http.get(url, headers={"Accept": "application/vnd.apache.arrow.stream, text/csv;q=0.5"})
    assert csv.headers["content-type"].startswith("text/csv")
    assert arrow.headers["content-type"] == wire.ARROW
    table = pl.read_ipc_stream(io.BytesIO(arrow.content))
    assert table.height > 0
    again = pl.read_csv(io.BytesIO(csv.content), schema_overrides=dict.fromkeys(table.columns, pl.String))
    assert again.columns == table.columns
    for column in (c for c in table.columns if table[c].dtype == pl.Float64):  # to the last bit
        assert again[column].cast(pl.Float64).to_list() == table[column].to_list()


def test_numbers_are_the_same_in_every_form_and_in_the_use_case(http: TestClient, shared: Shop) -> None:
    url = f"/v1/nowcasts/{GDP}?asof=2016-07-29"
    said = answer.nowcast(shared.store, FakeChampions(shared.champion(JUNE)), GDP, JULY)
    rows = http.get(url).json()["estimates"]
    table = pl.read_ipc_stream(io.BytesIO(http.get(url, headers={"Accept": wire.ARROW}).content))
    assert [r["mean"] for r in rows] == [r.mean for r in said.estimates] == table["mean"].to_list()
    assert [r["quantiles"]["q975"] for r in rows] == table["q975"].to_list()
    for label in ("target", "period", "asof", "mean", "quantiles", "model", "version", "run_id"):
        assert all(label in r for r in rows)
    news = http.get(f"/v1/nowcasts/{GDP}/news?from=2016-06-29&to=2016-07-29").json()
    assert sum(i["impact"] for i in news["items"]) == pytest.approx(news["after"]["mean"] - news["before"]["mean"])


def test_series_and_revisions_tell_what_was_known_when(http: TestClient, shared: Shop) -> None:
    for day, url in ((JUNE, "?asof=2016-06-29"), (JULY, "")):
        body = http.get(f"/v1/series/{GDP}{url}").json()
        known = shared.store.known([GDP], day).sort("period")
        assert [v["value"] for v in body["values"]] == known["value"].to_list()
        assert body["values"][0]["analysed"] is None  # growth needs a base
        last = body["values"][-1]
        assert last["analysed"] == pytest.approx(
            100 * ((last["value"] / body["values"][-2]["value"]) ** 4 - 1), rel=1e-12
        )
    versions = http.get(f"/v1/series/{GDP}/revisions").json()["versions"]
    assert len(versions) == shared.store.history([GDP]).height
    assert {v["nth"] for v in versions} == {1, 2}


def test_an_answer_held_already_is_not_sent_again(http: TestClient) -> None:
    url = f"/v1/nowcasts/{GDP}?asof=2016-06-29"
    first = http.get(url)
    tag = first.headers["etag"]
    assert re.fullmatch(r'"[0-9a-f]{32}"', tag)
    for held in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = http.get(url, headers={"If-None-Match": held})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert http.get(url, headers={"If-None-Match": '"other"'}).status_code == 200
    assert http.get(url, headers={"Accept": "text/csv"}).headers["etag"] != tag
    assert http.get(f"/v1/nowcasts/{GDP}?asof=2016-07-29").headers["etag"] != tag
    assert "Accept" in first.headers["vary"]


def test_an_answer_is_made_once_and_anew_when_anything_behind_it_changes(
    ask: Callable[..., TestClient], shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    champions = FakeChampions(shop.champion(JUNE))
    client = TestClient(create_app(shop.store, champions, Settings(Path("/nowhere"), None, (), "")))
    made: list[str] = []
    real = wire.encode_as

    def counted(media: str, what: wire.Table) -> bytes:
        made.append(media)
        return real(media, what)

    monkeypatch.setattr(wire, "encode_as", counted)

    def fresh(url: str = f"/v1/nowcasts/{GDP}?asof=2016-07-29", **headers: str) -> bool:
        before = len(made)
        assert client.get(url, headers=headers).status_code == 200
        return len(made) > before

    assert [fresh(), fresh(), fresh(Accept="text/csv"), fresh()] == [True, False, True, False]
    news = f"/v1/nowcasts/{GDP}/news"
    assert [fresh(news), fresh(news), fresh(news + "?period=2016-Q2")] == [True, False, True]
    publish(shop.store, champions)
    assert [fresh(), fresh()] == [True, False]
    assert champions.one is not None
    champions.one = replace(champions.one, version="2")
    assert [fresh(), fresh()] == [True, False]
    series = "/v1/series/indpro@US"
    assert [fresh(series), fresh(series)] == [True, False]
    shop.say(JULY - timedelta(days=1), {Period.parse("2016-07").ordinal: 99.0}, "indpro@US")
    assert [fresh(), fresh(), fresh(series)] == [True, False, True]


def test_what_is_kept_stays_within_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_BYTES", 100)
    held = kept.Kept()
    for n in range(50):
        assert held.get(n, lambda: b"x" * 30).content == b"x" * 30
    assert (held._bytes, list(held._bodies)) == (90, [47, 48, 49])
    assert held.get(None, lambda: b"x").content == b"x"
    assert len(held._bodies) == 3


def problem(reply: Any, status: int, kind: str) -> dict[str, Any]:
    """The shape of every error."""
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = reply.json()
    assert wire.encode(TypeAdapter(schemas.Problem).validate_json(reply.content)) == reply.content
    assert (body["status"], body["type"]) == (status, f"urn:jingqi:problem:{kind}")
    assert body["instance"] == reply.url.path
    return body


@pytest.mark.parametrize(
    ("url", "status", "kind", "said"),
    [
        ("/v1/nope", 404, "not-found", "Nothing"),
        ("/nope", 404, "not-found", ""),
        ("/pages/nope.js", 404, "not-found", ""),
        ("/pages/../app.py", 404, "not-found", ""),
        ("/v1/series/nope@US", 404, "unknown", "nope@US"),
        ("/v1/series/nope@US/revisions", 404, "unknown", "nope@US"),
        ("/v1/nowcasts/nope@US", 404, "unknown", "nope@US"),
        ("/v1/nowcasts/%00", 404, "unknown", "no series"),
        (f"/v1/nowcasts/{GDP}?period=1900-Q1", 404, "unknown", "begins with 1985-Q"),
        ("/v1/models/nope/versions", 404, "unknown", "nope"),
        (f"/v1/nowcasts/{GDP}?asof=yesterday", 422, "bad-input", "query.asof: not a day or an instant: 'yesterday'"),
        (f"/v1/nowcasts/{GDP}?asof=2016-07-29T00:00:00", 422, "bad-input", "needs a time zone"),
        (f"/v1/nowcasts/{GDP}?asof=0001-01-01T00:00:00%2B14:00", 422, "bad-input", "query.asof"),
        (f"/v1/nowcasts/{GDP}?asof=9999-12-31", 422, "bad-input", "query.asof"),
        (f"/v1/nowcasts/{GDP}?asof=2900-01-01", 422, "bad-input", "has not come yet"),
        (f"/v1/nowcasts/{GDP}?as_of=2016-07-29", 422, "bad-input", "query.as_of: there is no such parameter"),
        ("/v1/indicators?asof=2016-07-29", 422, "bad-input", "there is no such parameter"),
        (f"/v1/nowcasts/{GDP}?period=soon", 422, "bad-input", "not a period: 'soon'"),
        (f"/v1/nowcasts/{GDP}?period=2016-06", 422, "bad-input", "frequency"),
        (f"/v1/nowcasts/{GDP}?period=9999-Q4", 422, "bad-input", "are the most"),
        (f"/v1/nowcasts/{GDP}?asof=2016-01-01", 422, "not-enough-data", "2016-01-01"),
        (f"/v1/nowcasts/{GDP}/news?to=2016-06-29", 422, "not-enough-data", "before 2016-06-29"),
        (f"/v1/nowcasts/{GDP}/news?from=2016-07-29&to=2016-07-29", 422, "bad-input", "is not before"),
        ("/v1/nowcasts/payems@US", 503, "not-ready", "jingqi experiment promote"),
    ],
)
def test_every_error_is_a_problem(http: TestClient, url: str, status: int, kind: str, said: str) -> None:
    assert said in problem(http.get(url), status, kind)["detail"]


def test_a_mistake_in_the_question_is_named(http: TestClient) -> None:
    body = problem(http.get(f"/v1/nowcasts/{GDP}?asof=x&wrong=1"), 422, "bad-input")
    assert {f["where"] for f in body["errors"]} == {"query.asof", "query.wrong"}


def test_other_methods_and_other_media_are_refused(http: TestClient) -> None:
    assert problem(http.post("/v1/indicators"), 405, "method-not-allowed")["title"] == "Method Not Allowed"
    assert http.post("/v1/indicators").headers["allow"] == "GET"
    for accept in ("text/html", "application/json;q=0, image/png", "application/json;q=x"):
        problem(http.get("/v1/indicators", headers={"Accept": accept}), 406, "not-acceptable")


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", wire.JSON), ("text/*", wire.CSV), ("text/csv;q=0.2, application/json;q=0.1", wire.CSV),
        ("application/*", wire.JSON), ("*/*;q=0.1, text/csv", wire.CSV), ("application/json;q=0, */*", wire.CSV),
        ("text/html,application/xhtml+xml,*/*;q=0.8", wire.JSON),
    ],
)  # fmt: skip
def test_the_best_media_type_is_chosen(http: TestClient, accept: str, media: str) -> None:
    assert http.get("/v1/indicators", headers={"Accept": accept}).headers["content-type"].startswith(media)


def test_a_failure_of_ours_tells_nothing_of_how_we_are_built(ask: Callable[..., TestClient]) -> None:
    class Broken(MemoryStore):
        def series(self) -> Any:
            raise RuntimeError("password=hunter2 at /srv/secret.py")

    reply = ask(store=Broken()).get("/v1/indicators")
    body = problem(reply, 500, "internal")
    assert "hunter2" not in reply.text
    assert "secret" not in reply.text
    assert "log" in body["detail"]


def test_keys_close_v1_and_nothing_else(ask: Callable[..., TestClient]) -> None:
    closed = ask(keys=("first", "第二"))
    for headers in ({}, {"X-API-Key": "wrong"}, {"X-API-Key": ""}, {"X-API-Key": "first,"}):
        for url in (*TABLES, "/v1/indicators?wrong=1"):
            reply = closed.get(url, headers=headers)
            problem(reply, 401, "unauthorized")
            assert reply.headers["www-authenticate"] == "ApiKey"
    assert closed.get("/v1/indicators", headers={"X-API-Key": "first"}).status_code == 200
    for url in ("/", "/healthz", "/readyz", "/metrics", "/openapi.json"):
        assert closed.get(url).status_code == 200, url


def test_health_and_readiness(ask: Callable[..., TestClient], http: TestClient) -> None:
    assert http.get("/healthz").json() == http.get("/readyz").json() == {"status": "ok"}
    nobody = ask(champion=None)
    assert nobody.get("/healthz").status_code == 200
    assert "jingqi experiment" in problem(nobody.get("/readyz"), 503, "not-ready")["detail"]


def test_an_empty_store_says_what_to_do(ask: Callable[..., TestClient]) -> None:
    empty = ask(store=MemoryStore())
    assert empty.get("/v1/indicators").json() == {"indicators": []}
    assert "jingqi data ingest" in problem(empty.get(f"/v1/nowcasts/{GDP}"), 422, "not-enough-data")["detail"]
    table = pl.read_ipc_stream(io.BytesIO(empty.get("/v1/indicators", headers={"Accept": wire.ARROW}).content))
    assert table.schema["delay_days"] == pl.Int64
    assert table.height == 0


def test_metrics_count_by_route_and_never_by_path(ask: Callable[..., TestClient]) -> None:
    client = ask()
    for url in ("/v1/series/gdpc1@US", "/v1/series/nope@US", "/nope/1", "/nope/2"):
        client.get(url)
    text = client.get("/metrics").text
    assert 'jingqi_requests_total{route="/v1/series/{id}",status="200"} 1.0' in text
    assert 'jingqi_requests_total{route="/v1/series/{id}",status="404"} 1.0' in text
    assert 'status="404"} 2.0' in text
    assert "nope" not in text


def test_the_document_is_complete(http: TestClient) -> None:
    document = http.get("/openapi.json").json()
    for path, item in document["paths"].items():
        for method, said in item.items():
            assert method == ("post" if path.endswith("/what-if") else "get"), path
            assert said["description"], path
            if path == "/metrics":
                continue
            assert said["responses"]["200"]["content"][wire.JSON]["schema"]["$ref"], path
            for status, reply in said["responses"].items():
                if int(status) >= 400:
                    assert list(reply["content"]) == ["application/problem+json"], (path, status)
            if path.startswith("/v1"):
                assert {"200", "304", "401", "404", "406", "422", "500", "503"} <= set(said["responses"]), path
                assert {wire.CSV, wire.ARROW} <= set(said["responses"]["200"]["content"])
                assert said["security"] == [{"APIKeyHeader": []}]
    parts = document["components"]["schemas"]
    assert not [n for n in parts if "Validation" in n]
    assert parts["Nowcast"]["properties"]["asof"]["examples"] == ["2016-07-29"]
    used = set(re.findall(r"#/components/schemas/(\w+)", http.get("/openapi.json").text))
    assert used <= set(parts)
    for query in ("asof", "period"):
        (told,) = (p for p in document["paths"]["/v1/nowcasts/{target}"]["get"]["parameters"] if p["name"] == query)
        assert told["description"]


def test_the_dashboard_is_one_page_that_forbids_what_is_elsewhere(http: TestClient) -> None:
    page = http.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert not re.search(r"https?://|style=|onclick", page.text)


DAYS = st.one_of(
    st.dates(date(2016, 5, 1), date(2016, 12, 31)).map(str),
    st.dates().map(str),
    st.datetimes(timezones=st.timezones()).map(lambda d: d.isoformat()),
    st.text(max_size=12),
)
PERIODS = st.one_of(
    st.integers(0, 40000).map(lambda n: f"{n // 4:04d}-Q{n % 4 + 1}"),
    st.integers(-20, 20).map(lambda n: str(Period.parse("2016-Q2") + n)),
    st.from_regex(r"\d{4}(-(\d{2}|W\d{2}|Q\d|\d{2}-\d{2}))?", fullmatch=True),
    st.text(max_size=8),
)
QUERIES = st.dictionaries(
    st.sampled_from(["asof", "from", "to", "period", "Asof"]), st.one_of(DAYS, PERIODS), max_size=3
)
NAMES = st.one_of(st.sampled_from([GDP, "payems@US", "nowcast-gdpc1-US"]), st.text(min_size=1, max_size=8))


@settings(max_examples=150, deadline=timedelta(seconds=10), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(
        [
            "nowcasts/{}",
            "nowcasts/{}/news",
            "nowcasts/{}/coming",
            "nowcasts/{}/uncertainty",
            "series/{}",
            "series/{}/revisions",
            "models/{}/versions",
            "indicators",
        ]
    ),
    name=NAMES,
    query=QUERIES,
    accept=st.sampled_from(["*/*", "text/csv", wire.ARROW, "a/b", ";;,"]),
)
def test_no_question_makes_the_service_fail(
    http: TestClient, path: str, name: str, query: dict[str, str], accept: str
) -> None:
    from urllib.parse import quote

    reply = http.get(f"/v1/{path.format(quote(name, safe=''))}", params=query, headers={"Accept": accept})
    assert reply.status_code in (200, 404, 406, 422, 503), reply.text
    if reply.status_code != 200:
        assert reply.headers["content-type"] == "application/problem+json"
