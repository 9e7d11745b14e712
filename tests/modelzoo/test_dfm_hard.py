"""Hard panels for the factor model: an answer or a clear error, never a silent NaN."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import nyfed
import pytest

from engine.calendar import Freq, Period
from engine.errors import BadInput, NotConverged, NotEnoughData
from engine.indicator import Indicator, Region, Series
from engine.panel import NEVER, Panel
from engine.typing import Floats
from modelzoo.nowcast.dfm import Dfm

OUTPUT, GDP = "indpro@US", "gdpc1@US"
FIVE = (GDP, OUTPUT, "payems@US", "rsafs@US", "houst@US")
QUARTERS = [Period.parse("2016-Q2"), Period.parse("2016-Q3")]


def changed(name: str, change: Callable[[Floats], Floats]) -> Panel:
    old: Panel = nyfed.panels()[0]
    return old.with_values([name], change(old.matrix([name]).copy()))


def newest(n: int) -> Callable[[Floats], Floats]:
    """Only the last n known values of a column."""

    def cut(v: Floats) -> Floats:
        v[: np.flatnonzero(~np.isnan(v[:, 0]))[-n]] = np.nan
        return v

    return cut


def emptied(first: int, last: int) -> Callable[[Floats], Floats]:
    return lambda v: np.where((np.arange(len(v)) >= first)[:, None] & (np.arange(len(v)) < last)[:, None], np.nan, v)


def sound(model: Dfm, panel: Panel, periods: list[Period] = QUARTERS) -> Floats:
    """The estimates, having seen that every number is finite, that bands open and that they do not cross."""
    estimate = model.fit(panel).estimate(panel, periods)
    assert np.isfinite(estimate.mean).all()
    assert np.isfinite(estimate.quantiles).all()
    assert (np.diff(estimate.quantiles, axis=1) > 0).all()
    return estimate.mean


def made(months: int, series: int, seed: int = 0) -> Panel:
    """One common factor in monthly series and in a quarterly growth rate; half of the series end a month early."""
    g = np.random.default_rng(seed)
    f = np.zeros(months)
    for t in range(1, months):
        f[t] = 0.7 * f[t - 1] + g.normal()
    values = np.full((months, series + 1), np.nan)
    values[:, 1:] = f[:, None] * g.normal(size=series) + g.normal(size=(months, series))
    flow = np.convolve(f, [1 / 3, 2 / 3, 1, 2 / 3, 1 / 3])[:months]
    values[5::3, 0] = flow[5::3] + 0.3 * g.normal(size=len(flow[5::3]))
    values[-1, : 1 + series // 2] = np.nan
    us = Region("US", "", "")
    meanings = [Series(Indicator("gdp", "", "", Freq.Q, "", "", "lin", "growth", 30, "", ""), us)]
    meanings += [
        Series(Indicator(f"x{i}", "", "", Freq.M, "", "", "lin", "last", 30, "", ""), us) for i in range(series)
    ]
    stamps = np.where(np.isnan(values), NEVER, 0)
    return Panel(datetime(2020, 1, 1, tzinfo=UTC), tuple(meanings), Period.parse("2015-01"), values, stamps)


def test_one_monthly_series_is_an_autoregression() -> None:
    sound(Dfm(OUTPUT, {"g": (OUTPUT,)}), nyfed.panels()[0], [Period.parse("2016-07"), Period.parse("2016-09")])
    sound(Dfm(GDP, {"g": (GDP, OUTPUT)}), nyfed.panels()[0])


def test_one_quarterly_series_cannot_hold_a_monthly_factor() -> None:
    with pytest.raises(NotEnoughData, match="block g: 1 factors need as many monthly series, 0 are usable"):
        Dfm(GDP, {"g": (GDP,)}).fit(nyfed.panels()[0])


@pytest.mark.parametrize("n", [1, 12, 23])
def test_a_series_that_started_last_year_is_left_out(n: int) -> None:
    without = Dfm(GDP, {"g": tuple(i for i in FIVE if i != OUTPUT)})
    expected = sound(without, nyfed.panels()[0])
    np.testing.assert_allclose(sound(Dfm(GDP, {"g": FIVE}), changed(OUTPUT, newest(n))), expected, atol=1e-6)


@pytest.mark.parametrize("n", [24, 36])
def test_a_series_of_two_years_is_read(n: int) -> None:
    fitted = Dfm(GDP, {"g": FIVE}).fit(changed(OUTPUT, newest(n)))
    assert fitted.used[FIVE.index(OUTPUT)]
    sound(Dfm(GDP, {"g": FIVE}), changed(OUTPUT, newest(n)))


def test_a_target_of_three_years() -> None:
    sound(Dfm(GDP, {"g": FIVE}), changed(GDP, newest(12)))
    with pytest.raises(NotEnoughData, match="11 values are known as of 2016-06-29, a factor model needs 12"):
        Dfm(GDP, {"g": FIVE}).fit(changed(GDP, newest(11)))


@pytest.mark.parametrize("months", [3, 8, 36])
def test_gaps_of_one_series_and_of_all(months: int) -> None:
    sound(Dfm(GDP, {"g": FIVE}), changed(OUTPUT, emptied(200, 200 + months)))
    old = nyfed.panels()[0]
    sound(Dfm(GDP, {"g": FIVE}), old.with_values(FIVE, emptied(200, 200 + months)(old.matrix(FIVE))))


@pytest.mark.parametrize("unit", [1e9, 1e-9, 1e150])
def test_units_of_the_target(unit: float) -> None:
    plain, scaled = sound(Dfm(GDP, {"g": FIVE}), nyfed.panels()[0]), changed(GDP, lambda v: v * unit)
    np.testing.assert_allclose(sound(Dfm(GDP, {"g": FIVE}), scaled), plain * unit, rtol=1e-5)


def test_values_around_a_billion() -> None:
    plain = sound(Dfm(GDP, {"g": FIVE}), nyfed.panels()[0])
    np.testing.assert_allclose(
        sound(Dfm(GDP, {"g": FIVE}), changed(OUTPUT, lambda v: v + 1e9)), plain, rtol=0, atol=1e-4
    )


def test_a_constant_of_a_billion_is_left_out() -> None:
    assert not Dfm(GDP, {"g": FIVE}).fit(changed(OUTPUT, lambda v: 0 * v + 3e9)).used[FIVE.index(OUTPUT)]


def test_an_infinite_value_is_named() -> None:
    def infinite(v: Floats) -> Floats:
        v[300] = np.inf
        return v

    with pytest.raises(BadInput, match=r"indpro@US: the value of 2010-01 is infinite"):
        Dfm(GDP, {"g": FIVE}).fit(changed(OUTPUT, infinite))


@pytest.mark.parametrize(("factors", "error"), [(1, None), (2, NotEnoughData), (4, NotEnoughData)])
def test_copies_of_one_series_hold_one_factor(factors: int, error: type[Exception] | None) -> None:
    old = nyfed.panels()[0]
    copies = old.with_values(FIVE[1:], np.repeat(old.matrix(["payems@US"]), 4, axis=1))
    model = Dfm(GDP, {"g": FIVE}, factors=factors)
    if error is None:
        try:
            sound(model, copies)
        except NotConverged as e:
            assert "copies" in str(e)  # noqa: PT017
        return
    with pytest.raises(error, match="no copies of each other; of 4 usable ones 1 are left"):
        model.fit(copies)


@pytest.mark.parametrize("factors", [1, 4])
def test_three_hundred_series_of_five_years(factors: int) -> None:
    panel = made(60, 300)
    sound(Dfm("gdp@US", {"g": panel.ids}, factors=factors), panel, [Period.parse("2019-Q4"), Period.parse("2020-Q1")])


def test_half_of_many_series_are_copies() -> None:
    """Fewer factors than distinct series: no copy is explained without error, and each simply counts twice."""
    panel = made(120, 30)
    values = panel.matrix(panel.ids)
    values[:, 16:] = values[:, 1:16]
    panel = panel.with_values(panel.ids, values)
    sound(Dfm("gdp@US", {"g": panel.ids}), panel, [Period.parse("2024-Q4"), Period.parse("2025-Q1")])


def test_trends_and_walks() -> None:
    panel = made(120, 6)
    values = panel.matrix(panel.ids)
    values[:, 1], values[:, 2] = np.arange(120), np.cumsum(values[:, 2])
    sound(Dfm("gdp@US", {"g": panel.ids}), panel.with_values(panel.ids, values), [Period.parse("2024-Q4")])
