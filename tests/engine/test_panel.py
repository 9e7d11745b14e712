from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import nyfed
import polars as pl
import pytest

from engine.align import last_known, own, published
from engine.calendar import Freq, Period, end_of
from engine.errors import BadInput, LookAhead, NotEnoughData, Unknown
from engine.estimate import LEVELS, Estimate, phase
from engine.indicator import Indicator, Region, Series, split_id
from engine.panel import AXIS, NEVER, Panel, empty_known
from engine.steps import analyse

ASOF = end_of(date(2020, 6, 15))


def series(name: str, freq: Freq) -> Series:
    return Series(Indicator(name, name, name, freq, "", "", "lin", "last", 30, "", ""), Region("XX", "X", "X"))


def make(asof_known: timedelta = timedelta(0)) -> Panel:
    frame = pl.DataFrame(
        {
            AXIS: np.arange(Period.parse("2019-11").ordinal, Period.parse("2020-06").ordinal, dtype=np.int32),
            "m@XX": [1.0, 2.0, None, 4.0, 5.0, 6.0, None],
            "q@XX": [None, 10.0, None, None, 20.0, None, None],
        }
    )
    known = empty_known(frame, ASOF + asof_known)
    return Panel.of_frames(ASOF, (series("m", Freq.M), series("q", Freq.Q)), frame, known)


def test_a_value_from_the_future_is_refused() -> None:
    with pytest.raises(LookAhead, match="m@XX, q@XX: known at"):
        make(timedelta(microseconds=1))


def test_rows_values_and_dates() -> None:
    p = make()
    assert (str(p.first), str(p.last), p.day, p.newest) == ("2019-11", "2020-05", "2020-06-15", ASOF)
    assert p.row(Period.parse("2020-Q1")) == 4
    np.testing.assert_array_equal(p.matrix(["q@XX", "m@XX"])[4], [20.0, 5.0])
    assert np.isnan(p.matrix(["m@XX"])[2, 0])
    assert p.known_at(["m@XX"])[2, 0] == NEVER
    first, values = own(p, "q@XX")
    assert str(first) == "2019-Q4"
    np.testing.assert_array_equal(values, [10.0, 20.0])
    assert str(last_known(p, "m@XX")[0]) == "2020-04"
    np.testing.assert_array_equal(
        published(p, "q@XX", [Period.parse("2020-Q1"), Period.parse("2020-Q2")]), [20.0, np.nan]
    )


def test_the_axis_grows_and_values_stay() -> None:
    p = make()
    longer = p.over(Period.parse("2019-09"), Period.parse("2020-09"))
    assert (str(longer.first), str(longer.last)) == ("2019-09", "2020-09")
    np.testing.assert_array_equal(longer.matrix(p.ids)[2:9], p.matrix(p.ids))
    assert p.over(p.first, p.last) is p


def test_other_values_know_when_they_became_known() -> None:
    p = make()
    values = p.matrix(["m@XX"])
    values[2], values[0] = 3.0, np.nan
    other = p.with_values(["m@XX"], values, asof=ASOF + timedelta(days=1))
    stamps = other.known_at(["m@XX"])[:, 0]
    assert stamps[0] == NEVER
    assert stamps[2] - stamps[1] == 86_400_000_000
    assert other.frame["m@XX"].to_list() == [None, 2.0, 3.0, 4.0, 5.0, 6.0, None]
    assert p.digest() == make().digest() != other.digest()


def test_what_a_panel_does_not_hold() -> None:
    p = make()
    with pytest.raises(Unknown, match="as of 2020-06-15 does not hold x@XX"):
        p.matrix(["x@XX"])
    with pytest.raises(NotEnoughData, match="no value is known"):
        last_known(p.with_values(["q@XX"], np.full((7, 1), np.nan)), "q@XX")
    with pytest.raises(BadInput, match="without a gap"):
        Panel.of_frames(ASOF, p.series, p.frame.filter(pl.col(AXIS) != p.first.ordinal + 1), p.known[1:])
    with pytest.raises(BadInput, match="need the columns"):
        Panel.of_frames(ASOF, p.series[:1], p.frame, p.known)


@pytest.mark.parametrize("text", ["gdp", "gdp@", "@US", "gdp@US@x"])
def test_series_ids(text: str) -> None:
    assert split_id("gdpc1@US") == ("gdpc1", "US")
    with pytest.raises(BadInput, match="not a series id"):
        split_id(text)


def test_steps() -> None:
    v = np.array([100.0, 110.0, 0.0, 121.0])
    np.testing.assert_allclose(analyse(v, "pch", Freq.M), [np.nan, 10.0, np.nan, np.nan])
    np.testing.assert_allclose(analyse(v, "chg", Freq.M), [np.nan, 10.0, -110.0, 121.0])
    np.testing.assert_allclose(analyse(v[:2], "pca", Freq.Q), [np.nan, 100 * (1.1**4 - 1)])
    np.testing.assert_array_equal(analyse(v, "lin", Freq.A), v)


def test_real_gdp_growth_is_what_the_bea_said() -> None:
    """The advance estimate of 2016-Q2, published 2016-07-29: 1.2 per cent; of Q1, revised that day: 0.8."""
    _, new = nyfed.panels()
    growth = published(new, "gdpc1@US", [Period.parse("2016-Q1"), Period.parse("2016-Q2")])
    np.testing.assert_array_equal(growth.round(1), [0.8, 1.2])


def test_estimates_are_labelled_and_sane() -> None:
    q = Period.parse("2020-Q2")
    e = Estimate.normal("q@XX", ASOF, [q + -1, q, q + 1], np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0]))
    assert [phase(p, ASOF) for p in e.periods] == ["backcast", "nowcast", "forecast"]
    np.testing.assert_allclose(e.band(95)[1], [2 - 1.959964, 2 + 1.959964], atol=1e-6)
    np.testing.assert_allclose(e.band(50)[2], [3 - 1.34898, 3 + 1.34898], atol=1e-5)
    numbers = ["mean", "q025", "q100", "q250", "q500", "q750", "q900", "q975"]
    assert e.to_frame().columns == ["target", "period", "asof", "phase", *numbers]
    assert e.at(q) == 2.0
    with pytest.raises(Unknown, match="2021-Q1 was not estimated"):
        e.at(q + 3)
    with pytest.raises(BadInput, match="quantiles cross"):
        Estimate("q@XX", ASOF, (q,), np.zeros(1), np.zeros((1, len(LEVELS))) - np.arange(len(LEVELS)))
    with pytest.raises(BadInput, match="finite"):
        Estimate.normal("q@XX", ASOF, [q], np.array([np.nan]), np.ones(1))
