"""A pool as champion whose weights were learned anew: what the service, the command and the store say of them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

import featurestore.connect
from engine.model import Pooled
from engine.pooling import Weights
from featurestore.panel import build_panel
from featurestore.store import Store
from modelzoo import bundle
from modelzoo.bundle import Bundle
from modelzoo.nowcast.pool import Member, Pool
from serving import commands, wire
from serving.champions import Champion
from serving.publish import publish
from tests.serving.shop import GDP, JULY, JUNE, NAME, FakeChampions, Shop

URL = f"/v1/nowcasts/{GDP}/news?from=2016-06-29&to=2016-07-29&period=2016-Q3"
SHARES = ([0.5, 0.3, 0.2], [0.2, 0.3, 0.5])


@pytest.fixture(scope="module")
def champion(shared: Shop) -> Champion:
    bridge = Member("nowcast.bridge", {"indicators": ["payems@US", "indpro@US"]})
    model = Pool(GDP, {"ar": Member("nowcast.ar"), "naive": Member("nowcast.naive"), "bridge": bridge}, calibrate=False)
    panels = [build_panel(shared.store, model.inputs, day) for day in (JUNE, JULY)]
    fits = []
    for panel, share in zip(panels, SHARES, strict=True):
        fit, learned = bundle.fit(model, panel), Weights(np.zeros(1, np.int64), np.array([share]), np.ones((1, 3)))
        fits.append(replace(fit, fitted=model.join(model.fit(panel).members, learned)))
    return Champion(NAME, "1", "5f0c6e3b", Bundle("nowcast.pool", model, tuple(fits), panels[0].series))


def test_news_of_a_pool_over_http(ask: Callable[..., TestClient], champion: Champion) -> None:
    assert all(isinstance(fit.fitted, Pooled) for fit in champion.bundle.fits)
    http = ask(champion=champion)
    body = http.get(URL).json()
    assert set(body["sums"]) == {"release", "revision", "weights", "re-estimation"}
    assert sum(body["sums"].values()) == pytest.approx(body["after"]["mean"] - body["before"]["mean"], abs=1e-10)
    rows = {i["series"]: i for i in body["items"] if i["kind"] == "weights"}
    assert {k: round(i["weight"], 12) for k, i in rows.items()} == {"ar": -0.3, "naive": 0.0, "bridge": 0.3}
    for i in rows.values():
        assert i["impact"] == pytest.approx(i["weight"] * (i["actual"] - i["expected"]), abs=1e-14)
    assert rows["naive"]["impact"] == pytest.approx(0.0, abs=1e-12)
    table = pl.read_csv(io.BytesIO(http.get(URL, headers={"Accept": wire.CSV}).content))
    assert table["kind"].value_counts().sort("kind").rows()[-1] == ("weights", 3)


def test_the_command_shows_all_four_kinds(shared: Shop, champion: Champion, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def connect() -> Iterator[Store]:
        yield shared.store

    monkeypatch.setattr(featurestore.connect, "connect", connect)
    monkeypatch.setattr(commands, "_champions", lambda: FakeChampions(champion))
    words = [GDP, "--asof", "2016-07-29", "--news-since", "2016-06-29", "--period", "2016-Q3"]
    text = CliRunner().invoke(commands.nowcast, words, catch_exceptions=False).output
    for said in ("revision 修订", "release 新发布", "weights 权重变化", "re-estimation 参数重估", "bridge"):
        assert said in text


def test_what_is_published_holds_the_weights_too(
    shop: Shop, champion: Champion, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[pl.DataFrame] = []
    own = shop.store.publish

    def keep(run: object, scores: pl.DataFrame, news: pl.DataFrame | None = None) -> bool:
        written.extend([] if news is None else [news])
        return own(run, scores, news)  # type: ignore[arg-type]

    monkeypatch.setattr(shop.store, "publish", keep)
    publish(shop.store, FakeChampions(champion))
    assert written
    assert "weights" in written[-1]["kind"].to_list()
    by_period = written[-1].group_by("target_period").agg(pl.col("impact").sum())
    assert by_period.height == 2


def test_what_if_and_coming_of_a_pool(ask: Callable[..., TestClient], champion: Champion) -> None:
    http = ask(champion=champion)
    asked = {"asof": "2016-07-29", "suppose": [{"series": "indpro@US", "period": "2016-07", "value": 1.0}]}
    body = http.post(f"/v1/nowcasts/{GDP}/what-if", json=asked).json()
    assert body["sums"]["release"] == pytest.approx(body["change"], abs=1e-10)
    assert set(body["sums"]) == {"release"}  # the same weights on both sides
    seen = http.get(f"/v1/nowcasts/{GDP}/coming?asof=2016-07-29").json()
    assert {r["series"] for r in seen["releases"] if r["reduction_alone"] > 1e-9} == {GDP, "payems@US", "indpro@US"}
