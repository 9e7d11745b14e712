"""Supposed releases and coming ones: over HTTP and at the command, with the errors that a question can meet."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from engine import uncertainty
from engine.calendar import Period
from engine.errors import BadInput, NotReady, Unknown
from engine.suppose import Supposed, suppose
from featurestore.panel import build_panel
from serving import schemas_news, wire
from serving.whatif import Release, what_if
from tests.serving.shop import GDP, JULY, JUNE, FakeChampions, Run, Shop

URL = f"/v1/nowcasts/{GDP}/what-if"
JULY_OUTPUT: dict[str, Any] = {"series": "indpro@US", "period": "2016-07", "value": 0.4}


def ask_if(http: TestClient, *suppose: dict[str, Any], **more: Any) -> Any:
    reply = http.post(URL, json={"suppose": list(suppose), "asof": "2016-07-29", **more})
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_before_after_and_the_news_between(http: TestClient, shared: Shop) -> None:
    body = ask_if(http, JULY_OUTPUT, {"series": "payems@US", "period": "2016-07", "value": 200.0}, period="2016-Q3")
    change = body["after"]["mean"] - body["before"]["mean"]
    assert body["change"] == change
    assert math.fsum(i["impact"] for i in body["items"]) == pytest.approx(change, abs=1e-10)
    assert body["sums"] == {"release": pytest.approx(change)}
    assert {(i["series"], i["period"], i["actual"]) for i in body["items"]} == {
        ("indpro@US", "2016-07", 0.4), ("payems@US", "2016-07", 200.0)}  # fmt: skip
    assert [(s["unit"], s["unit_zh"]) for s in body["supposed"]] == [("%", "%"), ("thousands of persons", "千人")]
    # The same by hand: the champion on a panel in which the two cells stand.
    champion = shared.champion(JUNE)
    panel = build_panel(shared.store, champion.bundle.model.inputs, JULY)
    month, quarter = Period.parse("2016-07"), Period.parse("2016-Q3")
    after = suppose(panel, [Supposed("indpro@US", month, 0.4), Supposed("payems@US", month, 200.0)])
    fitted = champion.fit_for(panel).fitted
    estimate = fitted.estimate(after, [quarter])
    assert body["after"]["mean"] == estimate.at(quarter)
    assert body["after"]["quantiles"]["q975"] == estimate.quantiles[0, -1]
    assert (
        body["before"]["mean"]
        == http.get(f"/v1/nowcasts/{GDP}?asof=2016-07-29&period=2016-Q3").json()["estimates"][0]["mean"]
    )
    narrow, wide = (body[s]["quantiles"]["q975"] - body[s]["quantiles"]["q025"] for s in ("after", "before"))
    assert narrow < wide


def test_nothing_is_stored_and_the_running_period_is_meant(http: TestClient) -> None:
    before = http.get(f"/v1/nowcasts/{GDP}?asof=2016-07-29").content
    assert ask_if(http, JULY_OUTPUT)["period"] == "2016-Q3"
    assert http.get(f"/v1/nowcasts/{GDP}?asof=2016-07-29").content == before


def test_published_units_become_analysed_ones(http: TestClient, shared: Shop) -> None:
    levels = http.get("/v1/series/indpro@US?asof=2016-07-29").json()["values"]
    june = next(v["value"] for v in levels if v["period"] == "2016-06")
    given = {**JULY_OUTPUT, "value": june * 1.004, "unit": "published"}
    body = ask_if(http, given)
    assert body["supposed"][0]["value"] == pytest.approx(0.4, abs=1e-10)
    assert body["supposed"][0]["published"] == june * 1.004
    assert body["after"]["mean"] == pytest.approx(ask_if(http, JULY_OUTPUT)["after"]["mean"], abs=1e-9)
    # August stands on a July that is supposed too
    later = {**given, "period": "2016-08", "value": june * 1.004 * 1.001}
    assert ask_if(http, given, later)["supposed"][1]["value"] == pytest.approx(0.1, abs=1e-10)


@pytest.mark.parametrize("form", [wire.CSV, wire.ARROW])
def test_other_forms_hold_the_items(http: TestClient, form: str) -> None:
    asked = {"suppose": [JULY_OUTPUT], "asof": "2016-07-29"}
    reply = http.post(URL, json=asked, headers={"Accept": form, "If-None-Match": "*"})
    assert reply.status_code == 200
    source = io.BytesIO(reply.content)
    table = pl.read_csv(source) if form == wire.CSV else pl.read_ipc_stream(source)
    assert table["series"].to_list() == ["indpro@US"]
    assert table["target_period"].to_list() == ["2016-Q3"]
    assert table["impact"].sum() == pytest.approx(http.post(URL, json=asked).json()["change"])


def test_the_body_follows_its_schema(http: TestClient) -> None:
    reply = http.post(URL, json={"suppose": [JULY_OUTPUT], "asof": "2016-07-29"})
    assert wire.encode(TypeAdapter(schemas_news.WhatIf).validate_json(reply.content)) == reply.content


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({"series": "nope@US", "period": "2016-07", "value": 1}, 404, "no series 'nope@US'"),
        ({"series": "houst@US", "period": "2016-07", "value": 1}, 422, "is not read by the champion for gdpc1@US"),
        ({**JULY_OUTPUT, "period": "2016-06"}, 422, "2016-06 is published"),
        ({**JULY_OUTPUT, "period": "2016-Q3"}, 422, "frequency"),
        ({**JULY_OUTPUT, "period": "2019-07"}, 422, "12 are the most"),
        ({**JULY_OUTPUT, "period": "1900-01"}, 422, "where the data begin"),
        ({**JULY_OUTPUT, "period": "soon"}, 422, "body.suppose.0.period: not a period"),
        ({**JULY_OUTPUT, "value": "much"}, 422, "body.suppose.0.value"),
        ({**JULY_OUTPUT, "values": 1}, 422, "there is no such parameter"),
        ({**JULY_OUTPUT, "unit": "euro"}, 422, "body.suppose.0.unit"),
        ({**JULY_OUTPUT, "period": "2016-08", "unit": "published"}, 422, "needs 2016-07, which is not known"),
        ({**JULY_OUTPUT, "value": -5.0, "unit": "published"}, 422, "follows from -5"),
    ],
)
def test_what_cannot_be_supposed(http: TestClient, asked: dict[str, Any], status: int, said: str) -> None:
    reply = http.post(URL, json={"suppose": [asked], "asof": "2016-07-29"})
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert said in reply.json()["detail"]


def test_an_empty_question_a_double_one_and_one_without_champion(
    http: TestClient, ask: Callable[..., TestClient]
) -> None:
    assert http.post(URL, json={"suppose": []}).status_code == 422
    assert http.post(URL, content=b"{").status_code == 422
    twice = http.post(URL, json={"suppose": [JULY_OUTPUT, JULY_OUTPUT], "asof": "2016-07-29"})
    assert "supposed twice: indpro@US 2016-07" in twice.json()["detail"]
    assert ask(champion=None).post(URL, json={"suppose": [JULY_OUTPUT]}).status_code == 503
    assert ask(keys=("k",)).post(URL, json={"suppose": [JULY_OUTPUT]}).status_code == 401


def test_coming_releases_over_http(http: TestClient, shared: Shop) -> None:
    body = http.get(f"/v1/nowcasts/{GDP}/coming?asof=2016-07-29&period=2016-Q3").json()
    assert [(r["series"], r["period"]) for r in body["releases"]] == [
        ("payems@US", "2016-07"), ("indpro@US", "2016-07"), (GDP, "2016-Q3")]  # fmt: skip
    assert [r["day"] for r in body["releases"]] == sorted(r["day"] for r in body["releases"])
    assert sum(r["reduction_in_turn"] for r in body["releases"]) == pytest.approx(
        1.0
    )  # the target itself ends all doubt
    assert body["releases"][-1]["variance_after"] == 0.0
    assert body["sd"] ** 2 == pytest.approx(body["variance"])
    # What was foreseen is what a supposed release does, whatever its value.
    panel = build_panel(shared.store, shared.champion(JUNE).bundle.model.inputs, JULY)
    quarter = Period.parse("2016-Q3")
    done = suppose(panel, [Supposed("indpro@US", Period.parse("2016-07"), -3.0)])
    known = uncertainty.sources(shared.champion(JUNE).fit_for(panel).fitted, done, [quarter]).states[0]
    assert known == pytest.approx(body["releases"][1]["variance_alone"])


def test_the_command_says_what_the_service_says(run: Run, http: TestClient) -> None:
    said = orjson.loads(
        run(
            "nowcast", GDP, "--asof", "2016-07-29", "--suppose", "indpro@US:2016-07=0.4", "--coming", "--json"
        ).stdout_bytes
    )
    assert [len(said[k]) for k in ("what_if", "coming")] == [1, 1]  # 2016-Q2 is published: nothing opens it unasked
    assert said["what_if"][0] == ask_if(http, JULY_OUTPUT)
    assert said["coming"][0] == http.get(f"/v1/nowcasts/{GDP}/coming?asof=2016-07-29&period=2016-Q3").json()


def test_the_tables_for_people(run: Run, tmp_path: Path) -> None:
    out = run(
        "nowcast",
        GDP,
        "--asof",
        "2016-07-29",
        "--period",
        "2016-Q3",
        "--suppose",
        "indpro@US:2016-07=0.4",
        "--coming",
        "--chart",
        str(tmp_path / "coming.svg"),
    )
    for part in (
        "What if 情景: 2016-Q3",
        "release 新发布",
        "before",
        "之后",
        "Coming releases 待发布数据",
        "2016-08-16",
        "工业生产指数",
    ):
        assert part in out.output
    assert (tmp_path / "coming.svg").read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--suppose", "indpro@US=0.4"), BadInput),
        (("--suppose", "indpro@US:2016-07=much"), BadInput),
        (("--suppose", "indpro@US:2016-06=0.4"), BadInput),
        (("--suppose", "nope@US:2016-07=0.4"), Unknown),
        (("--coming", "--chart", "coming.png"), BadInput),
    ],
)
def test_a_mistake_at_the_command_is_a_domain_error(run: Run, words: tuple[str, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        run("nowcast", GDP, "--asof", "2016-07-29", *words)


def test_options_that_go_together(run: Run) -> None:
    assert run("nowcast", GDP, "--published").exit_code == 2
    assert run("nowcast", GDP, "--chart", "x.svg").exit_code == 2


def test_without_a_champion(shared: Shop) -> None:
    with pytest.raises(NotReady):
        what_if(shared.store, FakeChampions(None), GDP, [Release.parse("indpro@US:2016-07=0.4")], JULY)
