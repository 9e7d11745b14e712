"""Where the width of a band comes from: over HTTP and at the command, on two vintages and on many."""

from __future__ import annotations

import io
import math
from calendar import monthrange
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import orjson
import polars as pl
import provincial
import pytest
from fastapi.testclient import TestClient

from engine import uncertainty as engine
from engine.align import published
from engine.calendar import Period, end_of
from engine.errors import BadInput
from engine.model import Reads
from featurestore.panel import Cube, build_panel
from featurestore.store import Store
from modelzoo import bundle, zoo
from modelzoo.bundle import Bundle
from serving import uncertainty, wire
from serving.champions import Champion
from serving.schemas_uncertainty import Uncertainty
from serving.uncertainty import where_from
from tests.serving.shop import GDP, JULY, JUNE, FakeChampions, Run, Shop

URL = f"/v1/nowcasts/{GDP}/uncertainty?asof=2016-07-29&period=2016-Q3"
YTD, DAY = "gdp_yoy_ytd@SYN-33", end_of(date(2024, 5, 31))
Q2 = Period.parse("2024-Q2")


@cache
def champion(name: str = "nowcast.bridge") -> FakeChampions:
    indicators = ["retail_total.yoy@SYN-33", "export_value.yoy@SYN-33"]
    options = {"nowcast.bridge": {"indicators": indicators}, "nowcast.elastic": {"indicators": indicators}}
    model = zoo.make(name, {"target": YTD} | options.get(name, {}))
    panel = build_panel(provincial.store(), model.inputs, DAY)
    kept = Bundle(name, model, (bundle.fit(model, panel),), panel.series)
    return FakeChampions(Champion("nowcast-gdp_yoy_ytd-SYN-33", "1", "77aa", kept))


def province(later: int = 0, store: Store | None = None, day: datetime = DAY, period: Period = Q2) -> Uncertainty:
    return where_from(store or provincial.store(), champion(), YTD, day, period, later)


def by_source(said: Uncertainty) -> dict[str, Any]:
    return {p.source: p for p in said.parts}


def test_two_vintages_tell_nothing_of_revisions(http: TestClient, shared: Shop) -> None:
    body = http.get(URL).json()
    parts = {p["source"]: p for p in body["parts"]}
    assert list(parts) == ["states", "parameters", "revisions"]
    assert parts["states"]["sd"] ** 2 + parts["parameters"]["sd"] ** 2 == pytest.approx(body["band_sd"] ** 2)
    assert parts["revisions"]["sd"] is parts["revisions"]["share"] is None
    assert "not known: 0 earlier vintages" in parts["revisions"]["note_en"]
    assert "未知" in parts["revisions"]["note_zh"]
    assert not body["complete"]
    assert body["unrecorded"] == [GDP, "payems@US", "indpro@US"]
    said = http.get(f"/v1/nowcasts/{GDP}?asof=2016-07-29&period=2016-Q3").json()["estimates"][0]
    assert (body["mean"], body["quantiles"]) == (said["mean"], said["quantiles"])
    assert [body["lower"], body["upper"]] == pytest.approx([said["quantiles"]["q100"], said["quantiles"]["q900"]])
    fitted = shared.champion(JUNE).fit_for(build_panel(shared.store, [GDP, "payems@US", "indpro@US"], JULY)).fitted
    assert isinstance(fitted, engine.Sourced)


def test_of_many_vintages_the_parts_add_up() -> None:
    said = province(later=8)
    parts = by_source(said)
    assert list(parts) == ["states", "parameters", "revisions", "target"]
    assert said.complete
    assert math.fsum(p.sd**2 for p in parts.values()) == pytest.approx(said.sd**2)
    assert math.fsum(p.share for p in parts.values()) == pytest.approx(1.0)
    assert [p.in_band for p in parts.values()] == [True, True, False, False]
    assert min(p.sd for p in parts.values()) > 0
    assert said.upper - said.lower == pytest.approx(2 * engine.Z80 * said.sd)
    first = province()
    assert "target" not in by_source(first)
    assert first.sd < said.sd


def test_revisions_are_those_of_the_vintages() -> None:
    """By hand: panels as of the last days of the same months of earlier quarters, each moved by what became of it."""
    fitted = champion().champion(YTD).bundle.fits[0].fitted
    assert isinstance(fitted, Reads)
    ids = fitted.model.inputs
    panel = build_panel(provincial.store(), ids, DAY)
    base, moved = fitted.estimate(panel, [Q2]).mean[0], []
    for year, month in ((y, m) for y in range(2009, 2024) for m in (2, 5, 8, 11)):
        early, late = (end_of(date(y, month, monthrange(y, month)[1])) for y in (year, year + 1))
        if late > DAY or early < end_of(date(2009, 8, 1)):
            continue
        then, after = (build_panel(provincial.store(), ids, day) for day in (early, late))
        values = panel.matrix(ids)
        for j, name in enumerate(ids):
            old = then.matrix([name])[:, 0]
            rows = np.flatnonzero(~np.isnan(old))
            new = np.array([after.matrix([name])[r + (then.first - after.first), 0] for r in rows])
            at = np.flatnonzero(~np.isnan(values[:, j]))[::-1][: len(rows)]
            values[at, j] += (new - old[rows])[::-1][: len(at)]
        moved.append(fitted.estimate(panel.with_values(ids, values), [Q2]).mean[0] - base)
    part = by_source(province())["revisions"]
    assert f"of {len(moved)} vintages" in part.note_en
    assert part.sd == pytest.approx(np.sqrt(np.mean(np.square(moved))), rel=1e-9)


def test_nothing_from_after_the_day_is_used() -> None:
    shelf = provincial.shelf()
    late = (pl.col("known_at") > DAY) & pl.col("series").is_in(list(champion().champion(YTD).bundle.model.inputs))
    value = pl.when(late).then(pl.col("value") * -3.0 + 7.0).otherwise(pl.col("value"))
    other = shelf.altered(shelf.all.with_columns(value=value))
    assert wire.encode(province(2, other)) == wire.encode(province(2))


def test_a_store_of_last_values_alone_says_that_it_does_not_know() -> None:
    """Every value with the day of its first release, and never revised: it looks like vintages and is none."""
    shelf = provincial.shelf()
    last = shelf.all.sort("known_at").group_by("series", "period", maintain_order=True).agg(
        *(pl.col(c).first() for c in shelf.all.columns if c not in ("series", "period", "value")), pl.col("value").last()
    )  # fmt: skip
    said = province(store=shelf.altered(last.select(shelf.all.columns)))
    assert by_source(said)["revisions"].sd is None
    assert not said.complete


def test_a_published_value_has_the_revisions_that_are_to_come() -> None:
    said = province(later=1, period=Period.parse("2024-Q1"))
    panel = build_panel(provincial.store(), [YTD], DAY)
    assert said.mean == published(panel, YTD, [Period.parse("2024-Q1")])[0]
    assert said.band_sd == 0.0
    assert list(by_source(said)) == ["states", "parameters", "revisions"]
    assert said.sd == by_source(said)["revisions"].sd > 0
    assert said.lower < said.mean < said.upper


def test_a_band_of_past_errors_is_one_part() -> None:
    said = where_from(provincial.store(), champion("nowcast.elastic"), YTD, DAY, Q2)
    parts = by_source(said)
    assert list(parts) == ["errors", "revisions"]
    assert parts["errors"].sd == pytest.approx(said.band_sd)
    assert said.sd > said.band_sd


def test_a_recalibrated_band_holds_revisions_already(monkeypatch: pytest.MonkeyPatch) -> None:
    def live(*asked: Any) -> engine.Sources:
        none = np.full(1, np.nan)
        return engine.Sources(np.ones(1), none, none, live=True)

    monkeypatch.setattr(engine, "sources", live)
    said = province()
    parts = by_source(said)
    assert [p.in_band for p in parts.values()] == [True, True]
    assert parts["revisions"].sd > 0
    assert said.sd == said.band_sd == 1.0
    assert "holds them already" in parts["revisions"].note_en


def test_days_are_those_of_the_same_release() -> None:
    before = uncertainty._before
    assert before(end_of(date(2012, 6, 30)), 3) == end_of(date(2012, 3, 31))  # the last day of a month stays one
    assert before(end_of(date(2012, 5, 30)), 3) == end_of(date(2012, 2, 29))
    assert before(end_of(date(2012, 5, 15)), 17) == end_of(date(2010, 12, 15))
    store = provincial.store()
    ids = champion().champion(YTD).bundle.model.inputs
    pairs = uncertainty.past(Cube(store, ids), build_panel(store, ids, DAY))
    assert pairs[0][1].asof == DAY
    assert {(t.asof - timedelta(days=1)).month for t, _ in pairs} == {2, 5, 8, 11}
    assert all((a.asof - t.asof).days in (365, 366) for t, a in pairs)


def test_the_command_says_what_the_service_says(run: Run, http: TestClient) -> None:
    out = run("nowcast", GDP, "--asof", "2016-07-29", "--uncertainty", "--later", "2", "--json").stdout_bytes
    said = orjson.loads(out)["uncertainty"]
    assert len(said) == 1  # 2016-Q2 is published
    body = http.get(URL + "&later=2").content
    assert wire.encode(said[0]) == body
    assert body.strip() in out


def test_the_table_for_people(run: Run) -> None:
    text = run("nowcast", GDP, "--asof", "2016-07-29", "--period", "2016-Q3", "--uncertainty", "--later", "1").output
    for part in (
        "Uncertainty 不确定性来源: 2016-Q3", "the value 1 periods later", "states and shocks", "状态与冲击", "参数估计",
        "数据修订", "not known 未知", "未知：首次发布值", "有来源未知",
    ):  # fmt: skip
        assert part in text, part
    assert "无修订记录" not in text  # nothing at all is known of revisions, and that is said
    assert run("nowcast", GDP, "--later", "1").exit_code == 2
    assert run("nowcast", GDP, "--uncertainty", "--later", "13").exit_code == 2


@pytest.mark.parametrize("form", [wire.CSV, wire.ARROW])
def test_other_forms_hold_the_parts(http: TestClient, form: str) -> None:
    source = io.BytesIO(http.get(URL, headers={"Accept": form}).content)
    table = pl.read_csv(source) if form == wire.CSV else pl.read_ipc_stream(source)
    assert table["source"].to_list() == ["states", "parameters", "revisions"]
    assert table["target_period"].unique().to_list() == ["2016-Q3"]


def test_mistakes_are_named(http: TestClient) -> None:
    assert http.get(URL + "&later=13").status_code == 422
    assert http.get(URL + "&latter=1").status_code == 422
    with pytest.raises(BadInput, match="later lies in 0"):
        province(later=13)
