"""Indices, lights, boards and monitors: one answer for all, published or asked for, as JSON, CSV and Arrow, and in words."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import orjson
import polars as pl
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from pydantic import TypeAdapter
from rich.console import Console

from engine.errors import BadInput, NotReady, Unknown
from engine.lights import Light
from engine.reading import HONESTY, READINGS
from engine.settings import Settings
from modelzoo import telling
from serving import readings, schemas, tables, wire
from serving.app import create_app
from serving.champions import Champion
from serving.publish import publish
from serving.schemas import Reading, Readings
from tests.serving.shop import JULY, JUNE, FakeChampions, Shop

ROUTES = {"index": "indices", "warning": "warnings", "scorecard": "scorecards", "monitor": "monitors"}
TARGET = "coincident@US"


@pytest.fixture(scope="module")
def readers(shared: Shop) -> FakeChampions:
    return FakeChampions(None, tuple(shared.reader(kind, JUNE, JULY) for kind in ROUTES))


@pytest.fixture(scope="module")
def client(shared: Shop, readers: FakeChampions) -> TestClient:
    settings = Settings(Path("/nowhere"), None, (), "")
    return TestClient(create_app(shared.store, readers, settings), raise_server_exceptions=False)


@pytest.mark.parametrize("kind", ROUTES)
def test_every_kind_has_its_route_in_three_forms(client: TestClient, kind: str) -> None:
    url = f"/v1/{ROUTES[kind]}/{TARGET}?asof=2016-06-29"
    body = client.get(url)
    assert body.status_code == 200, body.text
    said = TypeAdapter(Readings).validate_json(body.content)
    assert wire.encode(said) == body.content
    assert (said.kind, said.title_zh, said.asof, said.fitted_asof) == (kind, "美国一致指数", "2016-06-29", "2016-06-29")
    assert not said.is_synthetic
    table = pl.read_ipc_stream(io.BytesIO(client.get(url, headers={"Accept": wire.ARROW}).content))
    assert table.height == len(said.readings)
    assert table["value"].to_list() == [r.value for r in said.readings]
    csv = pl.read_csv(io.BytesIO(client.get(url, headers={"Accept": wire.CSV}).content))
    assert csv.columns == table.columns
    held = client.get(url, headers={"If-None-Match": body.headers["etag"]})
    assert held.status_code == 304


def test_an_answer_is_what_the_model_tells_of_that_day(shared: Shop, readers: FakeChampions) -> None:
    champion = readers.champion(TARGET, "index")
    said = readings.readings(shared.store, readers, "index", TARGET, JUNE)
    fit = champion.bundle.fits[0]
    panel = readings.panel_of(shared.store, champion, JUNE)
    told = telling.tell(fit.fitted, panel, telling.newest(fit.fitted, panel, readings.SHOWN["index"]))
    assert said.panel == panel.digest()
    ours = pl.DataFrame(
        [[getattr(r, c) for c in READINGS.names()] for r in said.readings], schema=READINGS, orient="row"
    )
    assert ours[: told.height].equals(told)
    assert set(ours[told.height :]["level"]) == set(HONESTY)
    named = next(r for r in said.readings if r.name == "payems@US")
    assert (named.name_en, named.name_zh, named.unit_zh) == ("Non-farm payroll employment", "非农就业人数", "美国")


def test_a_name_alone_is_enough_where_one_champion_is_meant(shared: Shop, readers: FakeChampions) -> None:
    assert readings.meant(readers, "index", "coincident", None).target == TARGET
    assert readings.meant(readers, "index", "coincident", "US").target == TARGET
    two = FakeChampions(None, (*readers.others, shared.reader("index", JUNE, target="coincident@CN")))
    with pytest.raises(BadInput, match="coincident@US, coincident@CN"):
        readings.meant(two, "index", "coincident", None)
    assert readings.meant(two, "index", "coincident", "CN").target == "coincident@CN"
    with pytest.raises(NotReady, match="experiment"):
        readings.meant(readers, "index", "leading", "US")


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        (f"/v1/indices/{TARGET}?region=CN", 404, "does not read CN; it reads US"),
        ("/v1/indices/leading@US", 503, "no champion"),
        ("/v1/indices/leading", 503, "no champion"),
        (f"/v1/indices/{TARGET}?asof=1960-01-01", 422, "nothing is known"),
        (f"/v1/indices/{TARGET}?unit=US", 422, "query.unit"),
        (f"/v1/indices/{TARGET}?asof=never", 422, "query.asof"),
    ],
)
def test_what_cannot_be_answered_says_why(client: TestClient, url: str, status: int, said: str) -> None:
    answer = client.get(url)
    assert answer.status_code == status, answer.text
    assert said in answer.text


def test_what_was_published_is_given_as_it_was_and_late_data_end_that(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    champions = FakeChampions(None, (shop.reader("index", JUNE, JULY),))
    before = readings.readings(shop.store, champions, "index", TARGET, JULY)
    (done,) = publish(shop.store, champions)
    assert (done.target, done.asof, done.problem) == (TARGET, JULY, "")
    assert len(done.periods) == readings.SHOWN["index"]
    assert publish(shop.store, champions) == ()
    with monkeypatch.context() as patch:
        patch.setattr(readings, "ask", lambda *_: pytest.fail("asked the champion"))
        again = readings.readings(shop.store, champions, "index", TARGET, JULY)
    assert sorted(map(repr, again.readings)) == sorted(map(repr, before.readings))
    other = FakeChampions(None, (replace(champions.others[0], version="2"),))
    assert readings.published(shop.store, other.others[0], JULY) is None
    shop.say(JULY, {Shop().store.known(["payems@US"], JULY)["period"].max(): 1.0}, "payems@US")  # type: ignore[dict-item]
    assert readings.published(shop.store, champions.others[0], JULY) is None


def test_on_a_day_alone(shop: Shop) -> None:
    champions = FakeChampions(None, (shop.reader("index", JUNE),))
    (done,) = publish(shop.store, champions, JUNE)
    assert done.asof == JUNE
    assert shop.store.readings(TARGET, JUNE)["version"].unique().to_list() == ["1"]


def reading(unit: str, level: str, name: str, value: float, period: str = "2024-03") -> Reading:
    names = {"SYN-3301": "合成杭州（示例市）"}
    return Reading(
        unit=unit, unit_en=unit, unit_zh=names.get(unit, ""), period=period, level=level, name=name, name_en=name,
        name_zh="", value=value,
    )  # fmt: skip


def shown(kind: str, rows: list[Reading]) -> str:
    said = Readings(
        target="x@SYN-33", kind=kind, title_en="Title", title_zh="题目", asof="2024-04-30", model="m", version="1",
        run_id="r", fitted_asof="2024-04-30", timing="real", panel="", is_synthetic=True, readings=tuple(rows),
    )  # fmt: skip
    out = Console(file=io.StringIO(), width=160, highlight=False)
    tables.show_readings(out, said)
    return out.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_lights_are_shown_by_unit_and_of_one_unit_by_item() -> None:
    many = [reading(u, "light", "", float(v)) for u, v in (("SYN-33", 3), ("SYN-3301", 5))]
    text = shown("warning", [*many, reading("SYN-3301", "index", "", 140.0)])
    assert "SYNTHETIC" in text
    assert "合成杭州" in text
    assert Light.RED.symbol in text
    assert "140.0" in text
    one = shown("warning", [reading("SYN-33", "light", n, v) for n, v in (("", 3.0), ("retail", 1.0))])
    assert "retail" in one
    assert Light.BLUE.symbol in one
    assert "综合" in one


def test_a_board_is_shown_by_place_with_intervals_and_nodes() -> None:
    rows = []
    for unit, rank, score in (("SYN-3302", 2.0, 60.0), ("SYN-3301", 1.0, 71.25)):
        rows += [
            reading(unit, c, "", v)
            for c, v in (("score", score), ("rank", rank), ("rank_low", 1.0), ("rank_high", 2.0))
        ]
        rows.append(reading(unit, "node", "growth", 50.0 + rank))
    rows += [reading("SYN-3301", "mark", "dust", 4.0), reading("SYN-3302", "mark", "dust", 1.0)]
    lines = shown("scorecard", rows).splitlines()
    assert [line.split(": ")[1] for line in lines if line.startswith("dust")] == [
        "hidden 样本过少，不公布 (SYN-3301)", "carried 沿用前期 (SYN-3302)",
    ]  # fmt: skip
    first, second = (n for n, line in enumerate(lines) if line.lstrip()[:1] in "12" and "SYN-330" in line)
    assert "SYN-3301" in lines[first]
    assert "71.25" in lines[first]
    assert "1–2" in lines[first]
    assert "52.0" in lines[second]


def test_a_monitor_is_shown_by_cell_with_bands_and_firms() -> None:
    levels = (("index", 51.5), ("q100", 50.2), ("q900", 52.9), ("firms", 212.0))
    text = shown("monitor", [reading("size:large", c, "operation", v) for c, v in levels])
    assert "50.2 … 52.9" in text
    assert "212" in text


def test_the_commands_print_the_body_of_the_http_answer(
    shared: Shop, readers: FakeChampions, client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from contextlib import contextmanager

    from featurestore import connect
    from serving import commands

    @contextmanager
    def store():  # type: ignore[no-untyped-def]
        yield shared.store

    monkeypatch.setattr(connect, "connect", store)
    monkeypatch.setattr(commands, "_champions", lambda: readers)
    for kind, route in ROUTES.items():
        words = [TARGET, "--asof", "2016-06-29", "--json"]
        said = CliRunner().invoke(getattr(commands, kind), words, catch_exceptions=False)
        assert said.stdout_bytes == client.get(f"/v1/{route}/{TARGET}?asof=2016-06-29").content
        assert orjson.loads(said.stdout_bytes)["kind"] == kind
    text = CliRunner().invoke(commands.index, [TARGET, "--asof", "2016-06-29"], catch_exceptions=False).output
    assert "美国一致指数" in text
    assert "prosperity.conference, version 1" in text
    with pytest.raises(Unknown):
        CliRunner().invoke(commands.index, [TARGET, "--region", "CN"], catch_exceptions=False)
    file = tmp_path / "index.html"
    CliRunner().invoke(commands.index, [TARGET, "--asof", "2016-06-29", "--chart", str(file)], catch_exceptions=False)
    page = file.read_text(encoding="utf-8")
    assert "美国一致指数" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    with pytest.raises(BadInput, match=r"\.html"):
        CliRunner().invoke(commands.index, [TARGET, "--chart", "index.pdf"], catch_exceptions=False)


def test_a_champion_knows_its_kind_and_target(shared: Shop) -> None:
    champion: Champion = shared.reader("warning", JUNE)
    assert (champion.kind, champion.target) == ("warning", TARGET)
    assert isinstance(schemas.RegisteredModel(name="x", kind="index", champion=None, versions=0).target, type(None))
