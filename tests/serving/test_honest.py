"""The record of a served index: from real vintages, only those of the day, and marked where they are too few."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from engine.reading import HONESTY, READINGS
from engine.record import record
from modelzoo.prosperity import honesty
from serving import honest, readings
from tests.serving import desk
from tests.serving.desk import INDEX, REGION, day
from tests.serving.shop import JULY, FakeChampions, Shop

ASOF = day(2024, 6, 30)


def rows(store: object, asof: object = ASOF) -> pl.DataFrame:
    champion = desk.index()
    panel = readings.panel_of(store, champion, asof)  # type: ignore[arg-type]
    return honest.rows(store, champion, panel, champion.fit_for(panel))  # type: ignore[arg-type]


def test_it_is_of_real_vintages_where_the_store_has_them_and_is_what_the_vintages_say() -> None:
    told = rows(desk.store())
    found = record(told, REGION)
    assert found is not None
    assert found.timing == "real"
    assert found.vintages["real"] > 100
    assert len(found.months) == 12
    assert set(told["level"]) <= set(HONESTY)
    newest = found.months[max(found.months)]
    assert 0.1 < newest.noise < 1.5
    assert newest.low < newest.cycle + 3
    champion = desk.index()
    from featurestore.panel import Cube

    cube = Cube(desk.store(), champion.bundle.model.inputs)
    days = honest.real_days(desk.store(), champion, ASOF, 12 * honest.YEARS)
    panel = cube.panel(ASOF)
    fit = champion.fit_for(panel)
    read = honesty.readings(champion.bundle.model, honest._panels(days, cube.panel), (fit.fitted, panel))[REGION]
    again = honesty.judged(fit.fitted, read)  # type: ignore[arg-type]
    both = told.filter(pl.col("level") != "vintages").select("period", "level", "value")
    assert both.equals(again)


def test_nothing_that_became_known_later_moves_it() -> None:
    later = desk.altered(ASOF, desk.index().bundle.model.inputs)
    honest._kept.clear()
    before = rows(desk.store())
    honest._kept.clear()
    assert rows(later).equals(before)
    honest._kept.clear()
    earlier = desk.altered(ASOF - timedelta(days=400), desk.index().bundle.model.inputs)
    assert not rows(earlier).equals(before)  # or the test could not fail
    honest._kept.clear()


def test_a_young_history_has_too_few() -> None:
    found = record(rows(desk.store(), day(2015, 6, 30)), REGION)
    assert found is not None
    assert (found.timing, found.months, found.turns) == ("", {}, None)
    assert 0 < found.vintages["real"] < 71


def test_two_real_vintages_are_replaced_by_pseudo_ones_and_it_says_so(
    shared: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    champions = FakeChampions(None, (shared.reader("index", JULY),))
    said = readings.readings(shared.store, champions, "index", "coincident@US", JULY)
    table = pl.DataFrame(
        [[getattr(r, c) for c in READINGS.names()] for r in said.readings], schema=READINGS, orient="row"
    )
    found = record(table, "US")
    assert found is not None
    assert found.timing == "pseudo"
    assert found.vintages["real"] == 1
    assert found.vintages["pseudo"] > 120
    monkeypatch.setattr(honest, "_record", lambda *_: pytest.fail("replayed a second time"))
    assert readings.readings(shared.store, champions, "index", "coincident@US", JULY, None, 3).readings


def test_what_is_no_index_has_no_record() -> None:
    champion = desk.lights()
    panel = readings.panel_of(desk.store(), champion, ASOF)
    assert honest.rows(desk.store(), champion, panel, champion.fit_for(panel)).is_empty()
    assert INDEX in desk.index().target
