"""Flags of a panel: kept by every way to another panel, in the digest only where one is set, read by models as weights."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from engine.align import months_of, pairs, single_months
from engine.calendar import Freq, Period, end_of
from engine.errors import BadInput
from engine.figures import Origin
from engine.indicator import Indicator, Region, Series
from engine.panel import NEVER, Panel
from engine.typing import Floats

ASOF = end_of(date(2020, 6, 15))
FIRST = Period.parse("2020-01")
PAIR = int(Origin.PAIR)
OLD_DIGEST = "ed1eda9f3744b0923f549fb3c3bdf3cf8b8717ec62052b3ec74780f70ac7dc30"


def series(name: str, freq: Freq = Freq.M, aggregation: str = "sum") -> Series:
    indicator = Indicator(name, name, name, freq, "", "", "lin", aggregation, 30, "", "")  # type: ignore[arg-type]
    return Series(indicator, Region("XX", "X", "X"))


def make(values: Floats, flags: np.ndarray | None = None) -> Panel:
    known = (series("flow"), series("rate", aggregation="average"))
    stamps = np.where(np.isnan(values), NEVER, 0)
    if flags is None:
        return Panel(ASOF, known, FIRST, values, stamps)
    return Panel(ASOF, known, FIRST, values, stamps, flags=flags)


VALUES = np.array([[np.nan, 1.0], [10.0, np.nan], [6.0, 3.0]])
FLAGS = np.array([[0, 0], [PAIR, 0], [0, int(Origin.IMPUTED)]], np.uint8)


def test_a_plain_panel_has_no_flag_and_the_digest_it_always_had() -> None:
    plain = make(VALUES)
    assert plain.flags.shape == VALUES.shape
    assert not plain.flags.any()
    assert plain.digest() == make(VALUES, np.zeros_like(FLAGS)).digest() == OLD_DIGEST
    assert plain.digest() != make(VALUES, FLAGS).digest()
    assert make(VALUES, FLAGS).digest() != make(VALUES, FLAGS[::-1].copy()).digest()


def test_flags_follow_their_cells() -> None:
    panel = make(VALUES, FLAGS)
    np.testing.assert_array_equal(panel.select(["rate@XX"]).flags[:, 0], FLAGS[:, 1])
    np.testing.assert_array_equal(panel.flags_of(["rate@XX", "flow@XX"]), FLAGS[:, ::-1])
    longer = panel.over(FIRST + -2, FIRST + 5)
    assert longer.flags.shape == (8, 2)
    np.testing.assert_array_equal(longer.flags[2:5], FLAGS)
    assert not longer.flags[[0, 1, 5, 6, 7]].any()
    other = panel.with_values(["flow@XX"], np.array([[5.0], [np.nan], [7.0]]))
    np.testing.assert_array_equal(other.flags, [[0, 0], [0, 0], [0, Origin.IMPUTED]])
    np.testing.assert_array_equal(replace(panel, asof=end_of(date(2021, 1, 1))).flags, FLAGS)


def test_flags_of_another_shape_are_refused() -> None:
    with pytest.raises(BadInput, match="bytes of the shape of its values"):
        make(VALUES, FLAGS[:2])


def test_a_pair_is_the_sum_or_the_mean_of_two_months_and_those_to_come_are_pairs_too() -> None:
    flags = np.zeros((15, 2), np.uint8)
    values = np.full((15, 2), np.nan)  # from January
    values[1:4], flags[1] = [[10.0, 4.0], [6.0, 4.0], [7.0, 5.0]], PAIR
    found, times = pairs(make(values, flags), ["flow@XX", "rate@XX"])
    assert times.tolist() == [2.0, 1.0]
    assert np.argwhere(found).tolist() == [[1, 0], [1, 1], [13, 0], [13, 1]]
    values[13], flags[13, 0] = [12.0, 4.0], PAIR  # the newest February of the rate stands by itself
    assert np.argwhere(pairs(make(values, flags), ["flow@XX", "rate@XX"])[0]).tolist() == [[1, 0], [1, 1], [13, 0]]
    assert not pairs(make(VALUES, np.zeros_like(FLAGS)), ["flow@XX"])[0].any()


def test_how_months_make_a_value() -> None:
    def told(freq: Freq, aggregation: str) -> tuple[float, ...]:
        return months_of(series("x", freq, aggregation))

    assert told(Freq.M, "sum") == (1.0,)
    assert told(Freq.M, "year") == (1.0,) * 12
    assert told(Freq.Q, "year") == pytest.approx(np.convolve([1 / 3] * 3, [1.0] * 12))
    assert told(Freq.Q, "growth") == pytest.approx(np.convolve([1 / 3] * 3, [1.0] * 3))
    with pytest.raises(BadInput, match="frequency A"):
        told(Freq.A, "sum")


def test_a_pair_stands_on_both_of_its_months() -> None:
    """A sum by halves, a mean as it is; a January that is known by itself stays, and so does what is no pair."""
    values = np.array([[np.nan, np.nan], [10.0, 4.0], [6.0, 3.0]])
    flags = np.array([[0, 0], [PAIR, PAIR], [0, 0]], np.uint8)
    months, january = single_months(make(values, flags), ["flow@XX", "rate@XX"])
    np.testing.assert_array_equal(months, [[5.0, 4.0], [5.0, 4.0], [6.0, 3.0]])
    np.testing.assert_array_equal(january, [[True, True], [False, False], [False, False]])
    months, january = single_months(make(VALUES, FLAGS), ["rate@XX"])
    np.testing.assert_array_equal(months[:, 0], VALUES[:, 1])
    assert not january.any()
