"""Months left out of a panel to learn from: every value that touches them is emptied, and when it was known is kept."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from synthetic_panel import series, simulate

from engine.autoregression import Autoregression
from engine.calendar import Freq, Period, end_of
from engine.figures import Origin
from engine.panel import NEVER, Panel

PAIR = int(Origin.PAIR)
STRETCH = [(Period.parse("2020-02"), Period.parse("2020-04"))]


def year_by_year() -> Panel:
    """2019-01 … 2021-12: a month, a quarter, a year, and a month with pairs, all known on one day."""
    at = np.arange(36)
    values = np.column_stack([at, np.where(at % 3 == 2, at, np.nan), np.where(at % 12 == 11, at, np.nan),
                              np.where(at % 12 == 0, np.nan, at)]).astype(float)  # fmt: skip
    flags = np.zeros(values.shape, np.uint8)
    flags[1::12, 3] = PAIR
    meanings = tuple(series(n, f) for n, f in (("m", Freq.M), ("q", Freq.Q), ("a", Freq.A), ("p", Freq.M)))
    stamps = np.where(np.isnan(values), NEVER, 7)
    return Panel(end_of(date(2022, 1, 31)), meanings, Period.parse("2019-01"), values, stamps, flags=flags)


def emptied(panel: Panel, name: str) -> list[str]:
    return [str(panel.first + int(t)) for t in np.flatnonzero(panel.left_out([name])[:, 0])]


def test_every_value_that_touches_the_stretch_is_left_out() -> None:
    panel = year_by_year()
    calm = panel.without(STRETCH)
    assert emptied(calm, "m@ZZ") == ["2020-02", "2020-03", "2020-04"]
    assert emptied(calm, "q@ZZ") == ["2020-03", "2020-06"]
    assert emptied(calm, "a@ZZ") == ["2020-12"]
    assert emptied(calm, "p@ZZ") == ["2020-02", "2020-03", "2020-04"]
    kept = ~np.isnan(calm.values)
    np.testing.assert_array_equal(calm.values[kept], panel.values[kept])
    np.testing.assert_array_equal(calm.flags[kept], panel.flags[kept])
    assert not calm.flags[~kept].any()


def test_a_pair_is_left_out_for_its_january() -> None:
    january = [(Period.parse("2020-01"), Period.parse("2020-01"))]
    calm = year_by_year().without(january)
    assert emptied(calm, "p@ZZ") == ["2020-02"]
    assert emptied(calm, "m@ZZ") == ["2020-01"]


def test_when_it_was_known_stays() -> None:
    panel = year_by_year()
    calm = panel.without(STRETCH)
    np.testing.assert_array_equal(calm.stamps, panel.stamps)
    assert calm.newest == panel.newest
    assert not panel.left_out(panel.ids).any()
    np.testing.assert_array_equal(calm.select(["q@ZZ"]).left_out(["q@ZZ"]), calm.left_out(["q@ZZ"]))


def test_several_stretches_are_one_after_another() -> None:
    panel = year_by_year()
    more = [*STRETCH, (Period.parse("2021-01"), Period.parse("2021-01"))]
    one, other = panel.without(more), panel.without(more[1:]).without(STRETCH)
    assert one.digest() == other.digest()
    assert one.digest() not in (panel.digest(), panel.without(STRETCH).digest())


@pytest.mark.parametrize("months", [("2018-01", "2018-12"), ("2022-01", "2030-12")])
def test_months_that_are_not_there_change_nothing(months: tuple[str, str]) -> None:
    """At a day before the stretch nothing is left out: to leave 2020 out is no choice of 2019."""
    panel = year_by_year()
    assert panel.without([(Period.parse(months[0]), Period.parse(months[1]))]).digest() == panel.digest()
    assert panel.without([]).digest() == panel.digest()


def test_a_panel_left_out_and_one_with_a_gap_are_two() -> None:
    panel = simulate(60, 1)
    stretch = [(Period.parse("1982-01"), Period.parse("1982-03"))]
    calm = panel.without(stretch)
    gap = panel.with_values(panel.ids, calm.values)
    np.testing.assert_array_equal(gap.values, calm.values)
    assert gap.digest() != calm.digest()


def test_what_is_left_out_is_not_filled_nor_what_rests_on_it() -> None:
    ar = Autoregression(1.0, np.array([0.5]), 1.0)
    values = np.array([4.0, np.nan, np.nan, np.nan, 8.0, np.nan])
    out = np.array([False, False, True, False, False, False])
    np.testing.assert_array_equal(ar.fill(values, out), [4.0, 3.0, np.nan, np.nan, 8.0, 5.0])
