"""What forecasts learn from, held against the reporting algebra, and the way back to what will be published."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
import seasonal
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.seasonal import seasonal_decompose

from engine.algebra import derive
from engine.calendar import Freq, Period
from engine.errors import NotEnoughData
from engine.figures import COMBINED, published
from engine.typing import Floats
from modelzoo.forecast import history
from modelzoo.forecast.season import pattern
from modelzoo.forecast.seasonal_naive import SeasonalNaive

DAY = date(2020, 11, 16)
YTD = seasonal.series("ytd", Freq.M, kind="level_ytd", jan_feb="combined")


def read(values: Floats, **said: object) -> history.History:
    one = seasonal.series("x", said.pop("freq", Freq.M), **said)
    return history.read(seasonal.panel({one: values}, DAY), "x@SYN-33")


def test_months_of_sums_are_those_of_the_reporting_algebra() -> None:
    sums = seasonal.since_january(seasonal.growing(130, 12, 1))
    h = history.read(seasonal.panel({YTD: sums}, DAY), "ytd@SYN-33")
    months = derive(published("level_ytd", seasonal.FIRST, sums, pairs=COMBINED), "level_month")
    assert h.slots == 11
    np.testing.assert_allclose(h.values, months.values[~np.isnan(months.values)], rtol=1e-12)


@given(st.integers(30, 140), st.integers(1, 30))
@settings(max_examples=30, deadline=None)
def test_known_and_future_months_add_up_to_the_sums(n: int, ahead: int) -> None:
    months = seasonal.growing(n + ahead, 12, 7)
    sums = seasonal.since_january(months)
    cut = n if n % 12 != 1 else n + 1
    h = history.read(seasonal.panel({YTD: sums[:cut]}, DAY), "ytd@SYN-33")
    periods = [seasonal.FIRST + k for k in range(cut, n + ahead) if (seasonal.FIRST + k).ordinal % 12]
    if not periods:
        return
    known, weights = h.weights(periods)
    whole = history.read(seasonal.panel({YTD: sums}, DAY), "ytd@SYN-33").values
    future = whole[len(h.values) :][: weights.shape[1]]
    expected = [sums[p - seasonal.FIRST] for p in periods]
    np.testing.assert_allclose(known + weights @ future, expected, rtol=1e-10)


def test_years_that_still_had_a_january_are_made_like_the_others() -> None:
    flow = seasonal.growing(132, 12, 3)
    told = flow.copy()
    told[60::12] = np.nan
    told[61::12] += flow[60::12]
    h = read(told, kind="level_month", jan_feb="separate to 2013, combined since 2014", aggregation="sum")
    assert (h.slots, len(h.values)) == (11, 121)
    np.testing.assert_allclose(h.values[::11], flow[0::12] + flow[1::12], rtol=1e-12)
    rate = read(
        np.where(np.isnan(told), np.nan, 5 + flow / 100),
        kind="yoy_month",
        jan_feb="separate to 2013, combined since 2014",
    )
    assert rate.values[0] == pytest.approx(5 + (flow[0] + flow[1]) / 200)
    assert not rate.positive


def test_a_gap_adds_up_to_what_the_sums_since_january_say() -> None:
    sums = seasonal.since_january(seasonal.growing(130, 12, 5))
    gap = sums.copy()
    gap[100:103] = np.nan  # 2017-05 to 2017-07
    whole, h = (history.read(seasonal.panel({YTD: s}, DAY), "ytd@SYN-33") for s in (sums, gap))
    inside = ~h.seen
    assert inside.sum() == 4  # the month after the gap has none of its own either
    assert h.values[inside].sum() == pytest.approx(whole.values[inside].sum(), rel=1e-12)
    assert np.abs(h.values[inside] / whole.values[inside] - 1).max() < 0.1


def test_short_gaps_are_filled_beside_the_season_and_long_ones_end_the_history() -> None:
    t = np.arange(120)
    x = 100 + t + 10 * np.sin(2 * np.pi * t / 12)
    gap = x.copy()
    gap[50:54] = np.nan
    np.testing.assert_allclose(read(gap, kind="level").values, x, atol=0.8)
    gap[20:50] = np.nan
    assert len(read(gap, kind="level").values) == 66


@pytest.mark.parametrize(
    ("values", "said"),
    [(np.full(80, 3.0), "are all 3"), (seasonal.swinging(25, 1), "needs 26"), (np.full(80, np.nan), "no value")],
)
def test_what_cannot_be_learned_from_is_refused(values: Floats, said: str) -> None:
    with pytest.raises(NotEnoughData, match=said):
        read(values, kind="share")


@pytest.mark.parametrize("factors", [True, False])
def test_the_pattern_of_the_season_is_that_of_statsmodels(factors: bool) -> None:
    x = seasonal.growing(96, 12, 2)
    theirs = seasonal_decompose(x, model="multiplicative" if factors else "additive", period=12).seasonal[:12]
    np.testing.assert_allclose(pattern(x, 12, 0, factors), theirs, rtol=1e-10)
    np.testing.assert_allclose(
        np.roll(pattern(x[5:], 12, 5, factors), 0)[5], pattern(x[5:], 12, 0, factors)[0], rtol=1e-12
    )


def test_a_january_that_is_never_published_gets_its_share_by_days() -> None:
    sums = seasonal.since_january(seasonal.growing(130, 12, 5))
    panel = seasonal.panel({YTD: sums}, DAY)
    fitted = SeasonalNaive("ytd@SYN-33").fit(panel)
    january, february = fitted.estimate(panel, [Period.parse("2021-01"), Period.parse("2021-02")]).mean
    assert january / february == pytest.approx(31 / 59)
