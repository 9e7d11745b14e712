"""What charts of readings show, and that the pictures say it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from engine import charts, reading_charts, reading_views
from engine.errors import BadInput
from engine.lights import Light, Mark
from engine.turning import Kind
from tests.engine.readings import BOARD, INDEX, LIGHTS, MONITOR, index_of

TITLE = "title"


def test_a_course_is_the_readings_in_order_of_time() -> None:
    shuffled = INDEX.sample(fraction=1.0, shuffle=True, seed=1)
    (course,) = reading_views.courses(shuffled)
    own = INDEX.filter(pl.col("level") == "index").sort("period")
    assert course.periods == tuple(own["period"])
    assert course.index.tolist() == own["value"].to_list()
    assert course.bands[80][0].tolist() == INDEX.filter(pl.col("level") == "q100").sort("period")["value"].to_list()
    assert (np.diff(course.months) == 1).all()


def test_turns_are_the_highest_and_lowest_months_and_the_last_one_is_open() -> None:
    (course,) = reading_views.courses(INDEX)
    turns = course.turns.all
    assert [t.kind for t in turns] == [Kind.PEAK, Kind.TROUGH, Kind.PEAK, Kind.TROUGH]  # a sine of 4.5 years over nine
    assert all(a.kind is not b.kind for a, b in pairwise(turns))
    for turn in turns:
        around = turn.kind.sign * course.index[max(turn.row - 5, 0) : turn.row + 6]
        assert around.max() == turn.kind.sign * course.index[turn.row]
    short = reading_views.courses(INDEX.filter(pl.col("period") <= course.periods[turns[2].row + 3]))[0].turns.all
    assert [t.row for t in short] == [t.row for t in turns[:3]]
    assert [t.confirmed for t in short] == [True, True, False]  # three months after a peak it is a candidate


def test_what_is_not_every_month_has_no_turns() -> None:
    gap = INDEX.filter(pl.col("period") != "2010-05")
    assert reading_views.courses(gap)[0].turns.all == ()
    assert reading_views.courses(index_of([1.0, 2.0, 3.0]))[0].turns.all == ()


def test_an_index_is_of_one_unit() -> None:
    other = INDEX.with_columns(unit=pl.lit("CA"))
    with pytest.raises(BadInput, match="shows one unit, not CA, US"):
        reading_views.courses(pl.concat([INDEX, other]))
    with pytest.raises(BadInput, match="not none"):
        reading_views.courses(INDEX.clear())


def test_several_indices_of_one_unit_are_several_courses() -> None:
    whole = MONITOR.filter(pl.col("unit") == "SYN-33")
    assert [c.name for c in reading_views.courses(whole)] == ["composite", "operation"]
    picture = reading_charts.index(whole, TITLE, names={"composite": "Comprehensive"})
    assert picture.startswith(b"<?xml")


def test_the_clock_measures_in_standard_deviations() -> None:
    change, level = reading_views.cycle(reading_views.courses(INDEX)[0])
    assert np.isnan(change[:6]).all()
    assert (level.mean(), level.std()) == pytest.approx((0, 1))
    assert (np.nanmean(change), np.nanstd(change)) == pytest.approx((0, 1))
    with pytest.raises(BadInput, match="two years of an index, not 3 months"):
        reading_charts.clock(index_of([1.0, 2.0, 3.0]), TITLE)


def test_lamps_of_regions_and_of_items() -> None:
    regions = reading_views.lamps(LIGHTS)
    assert regions.rows == ("SYN-33", "SYN-3301")
    assert regions.light["SYN-3301", "2024-02"] is Light.RED
    items = reading_views.lamps(LIGHTS, "SYN-33")
    assert items.rows == ("", "cpi@SYN-33", "va@SYN-33", "loans@SYN-33")
    assert items.mark == {("va@SYN-33", "2024-02"): Mark.CARRIED, ("loans@SYN-33", "2024-02"): Mark.MISSING}
    with pytest.raises(BadInput, match="no lights of SYN-3302"):
        reading_views.lamps(LIGHTS, "SYN-3302")


def test_places_run_from_the_best() -> None:
    rows = reading_views.places(BOARD)
    assert [(r.unit, r.rank, r.low, r.high) for r in rows] == [
        ("b", 1, 1.0, 2.0),
        ("a", 2, 1.0, 3.0),
        ("c", 3, 2.0, 3.0),
    ]
    with pytest.raises(BadInput, match="no ranks"):
        reading_views.places(BOARD.filter(pl.col("level") != "rank_low"))


@pytest.mark.parametrize("form", ["svg", "png"])
@pytest.mark.parametrize("language", charts.languages())
def test_pictures_are_the_same_bytes_for_the_same_readings(
    form: charts.Form, language: charts.Language, recwarn: pytest.WarningsRecorder
) -> None:
    head = b"\x89PNG" if form == "png" else b"<?xml"
    drawn = [
        [
            reading_charts.index(INDEX, TITLE, language, (), form, synthetic),
            reading_charts.clock(INDEX, TITLE, language, form=form, synthetic=synthetic),
            reading_charts.lights(LIGHTS, TITLE, {}, language, "SYN-33", form, synthetic),
            reading_charts.board(BOARD, TITLE, {"a": "甲" if language == "zh" else "A"}, language, form, synthetic),
        ]
        for synthetic in (False, False, True)
    ]
    assert drawn[0] == drawn[1]
    assert all(one.startswith(head) for one in drawn[0])
    assert all(plain != marked for plain, marked in zip(drawn[0], drawn[2], strict=True))
    if form == "svg":
        assert all(
            b"rotate(-18)" in marked and b"rotate(-18)" not in plain
            for plain, marked in zip(drawn[0], drawn[2], strict=True)
        )
    assert not [w for w in recwarn if "Glyph" in str(w.message)]
