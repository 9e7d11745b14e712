"""The record of a served index: from real vintages, only those of the day, and marked where they are too few."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from engine import charts
from engine.reading import HONESTY, READINGS
from engine.record import record
from modelzoo.prosperity import honesty
from serving import drawn, honest, readings, tables
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


def test_the_page_and_the_table_print_it_beside_the_months(tmp_path: Path) -> None:
    champions = FakeChampions(None, (desk.index(),))
    said = readings.readings(desk.store(), champions, "index", INDEX, ASOF)
    drawn.write(said, tmp_path / "index.html")
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    noise = {r.period: r.value for r in said.readings if r.level == "noise"}
    assert len(noise) == 12
    assert "近月读数的可信度" in text
    assert all(f'<data value="{value!r}">' in text for value in noise.values())
    out = Console(file=io.StringIO(), width=150, highlight=False)
    tables.show_readings(out, said)
    shown = out.file.getvalue()  # type: ignore[attr-defined]
    lines = {line.split()[2]: line for line in shown.splitlines() if line.startswith(REGION)}
    assert set(lines) == set(noise)
    assert all(f" {value:.2f} " in lines[period] for period, value in noise.items())
    assert "each read with the vintages of its day (real time)" in shown
    assert "…  " not in shown.partition("Record")[0].partition("\n")[2].partition("\n")[0]  # no head is cut


@pytest.mark.parametrize("name", ["index.png", "index.zh.png"])
def test_a_picture_is_a_picture(tmp_path: Path, name: str) -> None:
    said = readings.readings(desk.store(), FakeChampions(None, (desk.index(),)), "index", INDEX, ASOF)
    if name == "index.zh.png" and "zh" not in charts.languages():
        pytest.skip("no font for Chinese on this machine")
    drawn.write(said, tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_what_is_no_index_has_no_record() -> None:
    champion = desk.lights()
    panel = readings.panel_of(desk.store(), champion, ASOF)
    assert honest.rows(desk.store(), champion, panel, champion.fit_for(panel)).is_empty()
    assert INDEX in desk.index().target
