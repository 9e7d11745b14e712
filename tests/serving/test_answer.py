"""The use-cases: what is answered, from what, and never from the future."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from engine.calendar import Freq, Period, end_of
from engine.errors import BadInput, NotEnoughData, NotReady, Unknown
from engine.model import Model
from engine.panel import Panel
from featurestore.panel import build_panel
from modelzoo import bundle as bundles
from serving import answer
from serving.publish import publish
from tests.serving.shop import GDP, JULY, JUNE, FakeChampions, Shop

Q = Period.parse


@pytest.mark.parametrize(
    ("freq", "day", "newest", "shown"),
    [
        ("Q", "2016-06-29", "2016-Q1", "2016-Q2 2016-Q3"),
        ("Q", "2016-07-29", "2016-Q2", "2016-Q2 2016-Q3"),
        ("Q", "2016-07-15", "2016-Q1", "2016-Q2 2016-Q3"),
        ("Q", "2016-08-01", "2016-Q2", "2016-Q3 2016-Q4"),
        ("Q", "2016-08-01", "2016-Q1", "2016-Q2 2016-Q3 2016-Q4"),
        ("M", "2016-07-15", "2016-05", "2016-06 2016-07"),
        ("M", "2016-01-02", "2015-11", "2015-12 2016-01"),
    ],
)
def test_the_periods_shown_unasked(freq: str, day: str, newest: str, shown: str) -> None:
    found = answer.being_nowcast(Freq(freq), end_of(date.fromisoformat(day)), Q(newest))
    assert " ".join(map(str, found)) == shown


def test_a_target_long_dead_shows_the_last_periods_only() -> None:
    found = answer.being_nowcast(Freq.Q, end_of(date(2016, 7, 29)), Q("1990-Q1"))
    assert len(found) == answer.SHOWN
    assert str(found[-1]) == "2016-Q3"


def test_a_nowcast_is_what_the_champion_says_and_carries_its_label(shared: Shop) -> None:
    champion = shared.champion(JUNE)
    said = answer.nowcast(shared.store, FakeChampions(champion), GDP, JUNE)
    panel = build_panel(shared.store, champion.bundle.model.inputs, JUNE)
    direct = champion.bundle.fits[0].fitted.estimate(panel, [Q("2016-Q2"), Q("2016-Q3")])
    assert [r.mean for r in said.estimates] == direct.mean.tolist()
    assert [list(r.quantiles.values()) for r in said.estimates] == direct.quantiles.tolist()
    for labelled in (said, *said.estimates):
        assert (labelled.target, labelled.asof, labelled.fitted_asof) == (GDP, "2016-06-29", "2016-06-29")
        assert (labelled.model, labelled.version, labelled.run_id) == ("nowcast.bridge", "1", "5f0c6e3b")
        assert (labelled.timing, labelled.panel, labelled.unit) == ("real", panel.digest(), "%, annualised")
        assert labelled.unit_zh == "%，折年率"
    assert [(r.period, r.phase, r.status) for r in said.estimates] == [
        ("2016-Q2", "nowcast", "estimated"), ("2016-Q3", "forecast", "estimated")
    ]  # fmt: skip


def test_a_quarter_once_published_is_said_to_be(shared: Shop) -> None:
    said = answer.nowcast(shared.store, FakeChampions(shared.champion(JUNE)), GDP, JULY)
    quarter, running = said.estimates
    levels = {r["period"]: r["value"] for r in shared.store.known([GDP], JULY).iter_rows(named=True)}
    now, base = levels[Q("2016-Q2").ordinal], levels[Q("2016-Q1").ordinal]
    assert quarter.status == "published"
    assert quarter.released == pytest.approx(100 * ((now / base) ** 4 - 1), rel=1e-12)
    assert (running.status, running.released) == ("estimated", None)


def test_parameters_learned_later_are_never_used(shared: Shop) -> None:
    champion = shared.champion(JULY)
    said = answer.nowcast(shared.store, FakeChampions(champion), GDP, JUNE)
    honest = answer.nowcast(shared.store, FakeChampions(shared.champion(JUNE)), GDP, JUNE)
    assert said.fitted_asof == "2016-06-29"
    assert said == honest
    moved = answer.news(shared.store, FakeChampions(champion), GDP, JUNE, JULY)
    assert (moved.before.fitted_asof, moved.after.fitted_asof) == ("2016-06-29", "2016-07-29")
    assert moved.items
    assert "re-estimation" in moved.sums


def test_nothing_that_became_known_later_moves_an_answer_by_a_bit(shop: Shop) -> None:
    champions = FakeChampions(shop.champion(JUNE))
    before = answer.nowcast(shop.store, champions, GDP, JUNE)
    shop.say(JUNE + timedelta(microseconds=1), {Q("2016-Q1").ordinal: 1.0, Q("2016-Q2").ordinal: 9e9})
    assert answer.nowcast(shop.store, champions, GDP, JUNE) == before


def test_a_refit_is_made_once_a_panel(shared: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    champion = shared.champion(JULY)
    made: list[datetime] = []
    real = bundles.fit

    def counted(model: Model, panel: Panel) -> bundles.Fit:
        made.append(panel.asof)
        return real(model, panel)

    monkeypatch.setattr(bundles, "fit", counted)
    first, again = (answer.nowcast(shared.store, FakeChampions(champion), GDP, JUNE) for _ in range(2))
    assert made == [JUNE]
    assert first == again


def test_what_was_published_is_given_as_it_was(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    champions = FakeChampions(shop.champion(JUNE))
    asked = {day: answer.nowcast(shop.store, champions, GDP, day) for day in (JUNE, JULY)}
    publish(shop.store, champions)
    monkeypatch.setattr(answer, "score", lambda *_: pytest.fail("asked the champion"))
    for day, said in asked.items():
        assert answer.nowcast(shop.store, champions, GDP, day) == said
        assert answer.nowcast(shop.store, champions, GDP, day, [Q("2016-Q3")]).estimates == said.estimates[1:]


def test_published_scores_of_another_version_or_before_a_late_feed_are_not_given(shop: Shop) -> None:
    champion = shop.champion(JUNE)
    publish(shop.store, FakeChampions(champion))
    wanted = [Q("2016-Q2"), Q("2016-Q3")]
    assert answer.said(shop.store, champion, GDP, JUNE, wanted)
    assert answer.said(shop.store, champion, GDP, JUNE, [Q("2016-Q4")]) is None
    assert answer.said(shop.store, replace(champion, version="2"), GDP, JUNE, wanted) is None
    assert answer.said(shop.store, champion, GDP, JUNE - timedelta(days=1), wanted) is None
    old = answer.nowcast(shop.store, FakeChampions(champion), GDP, JULY)
    shop.say(JULY - timedelta(days=1), {Q("2016-07").ordinal: 99.0}, "indpro@US")
    assert answer.said(shop.store, champion, GDP, JUNE, wanted)  # it was not public by then
    assert answer.said(shop.store, champion, GDP, JULY, wanted) is None
    assert answer.nowcast(shop.store, FakeChampions(champion), GDP, JULY) != old


@pytest.mark.parametrize("period", ["2016-Q2", "2016-Q3", "2016-Q4"])
def test_news_add_up_to_the_change_of_the_nowcast(shared: Shop, period: str) -> None:
    champions = FakeChampions(shared.champion(JUNE, JULY))
    moved = answer.news(shared.store, champions, GDP, JUNE, JULY, Q(period))
    ends = [answer.nowcast(shared.store, champions, GDP, day, [Q(period)]).estimates[0].mean for day in (JUNE, JULY)]
    assert [moved.before.mean, moved.after.mean] == pytest.approx(ends, rel=1e-12)
    assert math.fsum(i.impact for i in moved.items) == pytest.approx(moved.change, abs=1e-12)
    assert math.fsum(moved.sums.values()) == pytest.approx(moved.change, abs=1e-12)
    sizes = [abs(i.impact) for i in moved.items]
    assert sizes == sorted(sizes, reverse=True)
    assert all(i.known_at is not None and JUNE < i.known_at <= JULY for i in moved.items)


def test_a_number_is_of_real_time_only_if_its_parameters_are(shared: Shop) -> None:
    champion = shared.champion(JUNE)
    pseudo = replace(champion.bundle, fits=tuple(replace(f, timing="pseudo") for f in champion.bundle.fits))
    assert answer.nowcast(shared.store, FakeChampions(replace(champion, bundle=pseudo)), GDP, JUNE).timing == "pseudo"


def test_questions_that_have_no_answer(shared: Shop) -> None:
    champions = FakeChampions(shared.champion(JUNE))
    for error, target, day in (
        (Unknown, "nope@US", JUNE),
        (NotReady, "payems@US", JUNE),
        (NotEnoughData, GDP, JUNE - timedelta(days=1)),
    ):
        with pytest.raises(error):
            answer.nowcast(shared.store, champions, target, day)
    for period, kind in {"2016-06": BadInput, "2030-Q1": BadInput, "1960-Q1": Unknown, "0000-Q1": Unknown}.items():
        with pytest.raises(kind, match=period):
            answer.nowcast(shared.store, champions, GDP, JUNE, [Q(period)])
    with pytest.raises(BadInput, match="is not before"):
        answer.news(shared.store, champions, GDP, JUNE, JUNE)


def test_now_is_the_newest_release_and_before_it_the_one_before(shared: Shop) -> None:
    champions = FakeChampions(shared.champion(JUNE))
    assert answer.newest_day(shared.store) == JULY
    assert answer.day_before(shared.store, champions, GDP, JULY) == JUNE
    assert answer.newest_for(shared.store, champions, GDP) == JULY
    with pytest.raises(NotEnoughData):
        answer.day_before(shared.store, champions, GDP, JUNE)


def test_an_information_date_reads_back() -> None:
    assert answer.asof_text(JUNE) == "2016-06-29"
    assert answer.asof_text(JUNE - timedelta(hours=3)) == "2016-06-29T21:00:00+00:00"
    with pytest.raises(BadInput, match="not come"):
        answer.possible(end_of(date.today() + timedelta(days=2)))
