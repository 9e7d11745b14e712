"""Features over HTTP: computed as of the day that was asked for, with their recipe; a champion does not outlive its recipe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

from fastapi.testclient import TestClient
from provincial import shelf

from engine.calendar import parse_asof
from engine.indicator import Made
from engine.settings import Settings
from featurestore.panel import build_panel, feature_values
from featurestore.store import Store
from modelzoo import bundle, zoo
from modelzoo.bundle import Bundle
from serving.app import create_app
from serving.champions import Champion
from tests.serving.shop import FakeChampions

FEATURE = "retail_total_ytd.yoy@SYN-33"
DAY = parse_asof("2019-06-30")


def test_a_feature_is_a_series_with_a_recipe() -> None:
    store = cast(Store, shelf())
    client = TestClient(create_app(store, FakeChampions(None), Settings(Path("/nowhere"), None, (), "")))
    said = client.get(f"/v1/series/{FEATURE}?asof=2019-06-30").json()
    meaning, frame = feature_values(store, FEATURE, DAY)
    assert meaning.made is not None
    assert said["series"]["recipe"] == f"{meaning.made.recipe} v{meaning.made.version} {meaning.made.hash}"
    assert said["series"]["is_synthetic"]
    assert [v["value"] for v in said["values"]] == frame["value"].to_list()
    assert max(v["known_at"] for v in said["values"]) <= "2019-07-01T00:00:00Z"
    assert {v["status"] for v in said["values"]} == {"E"}  # growth computed from levels whose scope may differ
    assert client.get("/v1/series/retail_total_ytd.nope@SYN-33?asof=2019-06-30").status_code == 404


def test_a_champion_learns_anew_when_a_recipe_has_changed() -> None:
    store = cast(Store, shelf())
    model = zoo.make("nowcast.ar", {"target": FEATURE, "lags": 2})
    panel = build_panel(store, model.inputs, DAY)
    fit = bundle.fit(model, panel)
    held = Champion("nowcast-x", "1", "r", Bundle("nowcast.ar", model, (fit,), panel.series))
    assert held.fit_for(panel) is fit
    (series,) = panel.series
    assert isinstance(series.made, Made)
    noted = replace(series, made=replace(series.made, note="another review"))
    assert replace(held, bundle=replace(held.bundle, series=(noted,))).fit_for(panel) is fit
    old = replace(series, made=replace(series.made, hash="another"))
    assert replace(held, bundle=replace(held.bundle, series=(old,))).fit_for(panel) is not fit
