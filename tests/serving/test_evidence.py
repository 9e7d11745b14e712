"""Rule alarms with their record, and survey cells that lead statistics, as served: what the models say, as of the day."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import polars as pl
import provincial
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

import featurestore.connect
from engine.answers import Answers
from engine.calendar import Freq, Period
from engine.errors import BadInput
from engine.settings import Settings
from featurestore.panel import build_panel
from featurestore.sources.province.opinions import opinions
from featurestore.store import Store
from modelzoo import bundle, zoo
from modelzoo.bundle import Bundle
from modelzoo.monitor.leads import leads as led
from modelzoo.warning import alarms as rules
from modelzoo.warning.event import Event
from serving import commands, evidence, schemas_evidence, wire
from serving.app import create_app
from serving.champions import Champion
from tests.serving import desk
from tests.serving.desk import LIGHTS, REGION, day
from tests.serving.shop import FakeChampions

DAY = day(2020, 4, 30)
MONITOR = "firms@SYN-33"
OPTIONS: dict[str, Any] = {
    "indices": [{"id": "orders", "name_en": "New orders", "name_zh": "新订单", "weight": 1.0, "questions": [{"id": "new_orders"}]}],
    "by": ["size"], "draws": 20,
}  # fmt: skip


class Surveyed(desk.Desk):
    """The desk, and what firms answered."""

    def answers(self, asof: datetime) -> pl.DataFrame:
        return survey().filter(pl.col("known_at") <= asof)


_SURVEY: list[pl.DataFrame] = []


def survey() -> pl.DataFrame:
    """Monthly waves of new orders."""
    if not _SURVEY:
        made = provincial.province()
        told = opinions(made.firms, made.answers)
        since = Period.parse("2013-01").ordinal
        _SURVEY.append(told.filter(pl.col("freq") == "M", pl.col("question") == "new_orders", pl.col("wave") >= since))
    return _SURVEY[0]


@pytest.fixture(scope="module")
def store() -> Store:
    shelf = provincial.shelf()
    return cast(Store, Surveyed(shelf.series(), shelf.all, shelf.releases()))


@pytest.fixture(scope="module")
def champions() -> FakeChampions:
    model = zoo.about("monitor.firms", MONITOR, OPTIONS)
    fit = bundle.fit(model, cast(Any, Answers(DAY, survey().filter(pl.col("known_at") <= DAY))))
    firms = Champion("monitor-firms-SYN-33", "1", "77", Bundle("monitor.firms", model, (fit,), ()), "Firms", "企业")
    return FakeChampions(None, (desk.lights(), firms))


@pytest.fixture(scope="module")
def client(store: Store, champions: FakeChampions) -> TestClient:
    return TestClient(create_app(store, champions, Settings(Path("/nowhere"), None, (), "")))


def test_alarms_and_their_record_are_those_of_the_rules(store: Store, champions: FakeChampions) -> None:
    said = evidence.alarms(store, champions, LIGHTS, DAY)
    read = {"ind_va_yoy@SYN-33", *(i for r in rules.load() for i in r.inputs(REGION))}
    ids = sorted(read & set(store.series()))
    panel = build_panel(store, ids, DAY)
    told = {r["rule"]: r for r in rules.alarms(rules.load(), panel, [REGION]).to_dicts()}
    worth = rules.record(rules.load(), panel, {REGION: Event("ind_va_yoy@SYN-33", "downswing", "at", 6)})
    assert {a.rule for a in said.alarms} == set(told)
    assert all(
        (a.status, a.period, a.value) == tuple(told[a.rule][c] for c in ("status", "period", "value"))
        for a in said.alarms
    )
    ringing = {a.rule for a in said.alarms if a.status == "alarm"}
    assert {"industry_falls", "retail_falls", "exports_fall"} <= ringing  # the collapse of 2020, on the day
    counted = {a.rule: (a.hits, a.false, a.missed) for a in said.alarms if a.months is not None}
    assert counted == {r["rule"]: (r["hits"], r["false"], r["missed"]) for r in worth.to_dicts()}
    assert len(counted) >= 8
    assert said.event == {REGION: "ind_va_yoy@SYN-33"}
    assert said.is_synthetic


def test_leads_are_those_of_the_cells_with_their_firms(store: Store, champions: FakeChampions) -> None:
    said = evidence.leads(store, champions, MONITOR, DAY, ["ind_va_yoy@SYN-33"])
    assert {r.unit for r in said.leads} >= {REGION, "size:small"}
    best = next(r for r in said.leads if (r.unit, r.index) == (REGION, "orders"))
    assert best.lead >= 0
    assert best.correlation > 0.5
    assert best.probability <= 0.05
    assert best.firms > 500
    assert (best.index_zh, best.statistic_zh) == ("新订单", "规模以上工业增加值当月同比")
    champion = champions.champion(MONITOR, "monitor")
    answers = Answers(DAY, survey().filter(pl.col("known_at") <= DAY))
    fitted = champion.bundle.fits[0].fitted
    waves = answers.waves(Freq.M)
    panel = build_panel(store, ["ind_va_yoy@SYN-33"], DAY)
    alone = led(fitted.tell(answers, waves).filter(unit=REGION, name="orders"), panel, panel.ids).row(0, named=True)  # type: ignore[attr-defined]
    assert (best.lead, best.correlation, best.months) == (alone["lead"], alone["correlation"], alone["months"])
    with pytest.raises(BadInput, match="not monthly"):
        evidence.leads(store, champions, MONITOR, DAY, ["gdp_yoy_ytd@SYN-33"])


def test_what_comes_later_moves_neither(champions: FakeChampions) -> None:
    ids = provincial.shelf().series()
    shelf = provincial.shelf()
    later = cast(Store, Surveyed(shelf.series(), desk.altered(DAY, list(ids)).all, shelf.releases()))  # type: ignore[attr-defined]
    now = cast(Store, Surveyed(shelf.series(), shelf.all, shelf.releases()))
    assert evidence.alarms(later, champions, LIGHTS, DAY) == evidence.alarms(now, champions, LIGHTS, DAY)
    asked = ["ind_va_yoy@SYN-33"]
    assert evidence.leads(later, champions, MONITOR, DAY, asked) == evidence.leads(now, champions, MONITOR, DAY, asked)


def test_routes_and_commands_say_the_same(
    store: Store, champions: FakeChampions, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def connect() -> Iterator[Store]:
        yield store

    monkeypatch.setattr(featurestore.connect, "connect", connect)
    monkeypatch.setattr(commands, "_champions", lambda: champions)
    asked = (
        (f"/v1/warnings/{LIGHTS}/alarms?asof=2020-04-30&region=SYN-33", schemas_evidence.Alarms, commands.warning,
         (LIGHTS, "--alarms", "--region", REGION), "▲ alarm 报警"),
        (f"/v1/monitors/{MONITOR}/leads?asof=2020-04-30&statistic=ind_va_yoy@SYN-33", schemas_evidence.Leads, commands.monitor,
         (MONITOR, "--leads", "--statistic", "ind_va_yoy@SYN-33"), "先行于统计指标的调查单元"),
    )  # fmt: skip
    for url, schema, command, words, text in asked:
        body = client.get(url)
        assert body.status_code == 200, body.text
        said = cast(Any, TypeAdapter(schema).validate_json(body.content))
        assert wire.encode(said) == body.content
        table = pl.read_ipc_stream(io.BytesIO(client.get(url, headers={"Accept": wire.ARROW}).content))
        assert table.height == len(said.alarms if schema is schemas_evidence.Alarms else said.leads)
        run = CliRunner().invoke(command, [*words, "--asof", "2020-04-30", "--json"], catch_exceptions=False)
        assert run.stdout_bytes == body.content
        shown = CliRunner().invoke(command, [*words, "--asof", "2020-04-30"], catch_exceptions=False)
        assert text in shown.output
        assert "…" not in shown.output, shown.output  # nothing is cut
    assert CliRunner().invoke(commands.monitor, [MONITOR, "--statistic", "x"]).exit_code == 2
