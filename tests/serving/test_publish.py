"""Publishing: every day of a real release once, nothing twice, nothing lost from the scores."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from engine.calendar import Period
from engine.errors import NotReady
from featurestore.memory import MemoryStore
from featurestore.store import ScoreRun
from serving import answer
from serving.publish import publish
from tests.serving.shop import GDP, JULY, JUNE, FakeChampions, Shop


class Remembering(MemoryStore):
    """Also keeps the news that it was given."""

    news: dict[ScoreRun, pl.DataFrame | None]

    def publish(self, run: ScoreRun, scores: pl.DataFrame, news: pl.DataFrame | None = None) -> bool:
        self.news = getattr(self, "news", {}) | {run: news}
        return super().publish(run, scores, news)


def test_each_release_day_is_scored_once(shop: Shop) -> None:
    champion = shop.champion(JUNE, JULY)
    done = publish(shop.store, FakeChampions(champion))
    assert [(d.target, d.asof, d.periods, d.problem) for d in done] == [
        (GDP, JUNE, ("2016-Q2", "2016-Q3"), ""), (GDP, JULY, ("2016-Q2", "2016-Q3"), "")
    ]  # fmt: skip
    assert (done[0].news, done[1].news > 0) == (0, True)
    scores = shop.store.scores(GDP)
    assert publish(shop.store, FakeChampions(champion)) == ()
    assert shop.store.scores(GDP).equals(scores)
    assert scores["fitted_asof"].to_list() == [JULY, JULY, JUNE, JUNE]
    run, estimate = answer.score(shop.store, champion, GDP, JUNE, [Period.parse("2016-Q2")])
    stored = scores.filter((pl.col("asof") == JUNE) & (pl.col("period") == "2016-Q2"))
    assert stored["mean"].to_list() == estimate.mean.tolist()
    assert stored["q975"].to_list() == [estimate.quantiles[0, -1]]
    assert stored["panel"].to_list() == [run.panel]


def test_the_news_that_are_stored_add_up() -> None:
    shop = Shop(Remembering())
    champions = FakeChampions(shop.champion(JUNE, JULY))
    publish(shop.store, champions)
    assert isinstance(shop.store, Remembering)
    first, second = shop.store.news.values()
    assert first is None
    assert second is not None
    assert second["since"].unique().to_list() == [JUNE]
    for period in ("2016-Q2", "2016-Q3"):
        change = answer.news(shop.store, champions, GDP, JUNE, JULY, Period.parse(period)).change
        impacts = second.filter(pl.col("target_period") == period)["impact"]
        assert impacts.sum() == pytest.approx(change, abs=1e-12)


def test_one_day_alone_any_day(shop: Shop) -> None:
    champions = FakeChampions(shop.champion(JUNE))
    between = JUNE + timedelta(days=10)
    (done,) = publish(shop.store, champions, between)
    assert done.asof == between
    assert publish(shop.store, champions, between) == ()
    assert shop.store.scores(GDP)["asof"].unique().to_list() == [between]


def test_a_new_version_and_a_late_feed_are_scored_anew(shop: Shop) -> None:
    publish(shop.store, FakeChampions(shop.champion(JUNE)))
    assert len(publish(shop.store, FakeChampions(shop.champion(JUNE, version="2")))) == 2
    shop.say(JULY - timedelta(days=1), {Period.parse("2016-07").ordinal: 99.0}, "indpro@US")
    done = publish(shop.store, FakeChampions(shop.champion(JUNE, version="2")))
    assert [d.asof for d in done] == [JULY - timedelta(days=1), JULY]


def test_days_before_the_champion_or_that_know_too_little(shop: Shop) -> None:
    early = JUNE - timedelta(days=400)
    shop.say(early, {Period.parse("2015-01").ordinal: 100.0}, "indpro@US")
    champions = FakeChampions(shop.champion(JUNE))
    assert [d.asof for d in publish(shop.store, champions)] == [JUNE, JULY]
    (asked,) = publish(shop.store, champions, early)
    assert asked.problem
    assert set(shop.store.scores(GDP)["asof"]) == {JUNE, JULY}


def test_a_forecast_is_published_for_the_newest_day_and_two_years(shop: Shop) -> None:
    forecast = replace(shop.champion(JUNE), name="forecast-gdpc1-US")
    (done,) = publish(shop.store, FakeChampions(forecast))
    assert done.asof == JULY
    assert (len(done.periods), done.periods[0], done.news) == (8, "2016-Q3", 0)
    assert publish(shop.store, FakeChampions(forecast)) == ()


def test_without_a_champion(shop: Shop) -> None:
    with pytest.raises(NotReady, match="jingqi experiment promote"):
        publish(shop.store, FakeChampions(None))
