"""The number of factors chosen at each fit, on panels whose number is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from engine.calendar import Freq, Period
from engine.errors import BadInput, NotEnoughData
from engine.indicator import Indicator, Region, Series
from engine.news import news
from engine.panel import NEVER, Panel
from modelzoo.nowcast.dfm import Dfm

LATE = datetime(2060, 1, 1, tzinfo=UTC)


def made(factors: int, months: int = 240, series: int = 40, seed: int = 0) -> Panel:
    """Monthly series, half of their variance common; half of them end a month early; the first is quarterly, a mean of months."""
    g = np.random.default_rng(seed)
    f = np.zeros((months, factors))
    for t in range(1, months):
        f[t] = 0.5 * f[t - 1] + g.normal(size=factors) * np.sqrt(0.75)
    values = f @ g.normal(size=(factors, series)) + np.sqrt(factors) * g.normal(size=(months, series))
    values[:, 0] = np.convolve(values[:, 0], np.full(3, 1 / 3))[:months]
    values[np.arange(months) % 3 != 2, 0] = np.nan
    values[-1, : series // 2] = np.nan
    place = Region("US", "", "")
    meanings = tuple(
        Series(
            Indicator(f"x{j}", "", "", Freq.M if j else Freq.Q, "", "", "lin", "last" if j else "average", 30, "", ""),
            place,
        )
        for j in range(series)
    )
    return Panel(LATE, meanings, Period.parse("2000-01"), values, np.where(np.isnan(values), NEVER, 0))


def chooses(panel: Panel) -> Dfm:
    return Dfm("x0@US", {"all": panel.ids}, factors=0, tolerance=1e-4)


@pytest.mark.parametrize("truth", [1, 2, 4])
def test_the_known_number_is_chosen_and_restored(truth: int) -> None:
    panel, periods = made(truth), [Period.parse("2019-Q4"), Period.parse("2020-Q1")]
    model = chooses(panel)
    fitted = model.fit(panel)
    assert len(fitted.parameters.Q) == truth
    told = fitted.estimate(panel, periods)
    np.testing.assert_array_equal(model.restore(fitted.state()).estimate(panel, periods).quantiles, told.quantiles)
    stated = replace(model, factors=truth).fit(panel).estimate(panel, periods)
    np.testing.assert_array_equal(stated.mean, told.mean)


def test_noise_has_one_factor() -> None:
    panel = made(1)
    rough = np.where(np.isnan(panel.values), np.nan, np.random.default_rng(1).normal(size=panel.values.shape))
    assert len(chooses(panel).fit(panel.with_values(panel.ids, rough)).parameters.Q) == 1


def test_another_number_begins_afresh_and_news_still_adds_up() -> None:
    one, three = made(1), made(3)
    three = replace(three, asof=LATE.replace(year=2061))
    model = chooses(one)
    before, after = model.fit(one), model.refit(three, model.fit(one))
    np.testing.assert_array_equal(after.parameters.A, model.fit(three).parameters.A)
    period = Period.parse("2019-Q4")
    told = news(before, after, one, three, period)
    assert told.table["impact"].sum() == pytest.approx(told.after - told.before, abs=1e-8)


def test_what_cannot_be_chosen_says_why() -> None:
    panel = made(1, series=4)
    with pytest.raises(BadInput, match="factors: 0 chooses the number in a model of one block, not of 2"):
        Dfm("x0@US", {"all": panel.ids, "more": panel.ids[1:]}, factors=0)
    with pytest.raises(NotEnoughData, match="up to 1 factors need 4 months and series"):
        chooses(panel).fit(panel)  # three monthly ones
