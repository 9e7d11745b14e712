"""All forecasts against all checks, on a seasonal panel; a model that no case names fails the test."""

from __future__ import annotations

import pytest
import seasonal

from engine.calendar import Period
from engine.model import Model
from modelzoo import zoo
from modelzoo.checks import CHECKS, Check
from modelzoo.forecast.arima import Arima
from modelzoo.forecast.arima_pmdarima import ArimaPmdarima
from modelzoo.forecast.boosting import Boosting
from modelzoo.forecast.bvar import Bvar
from modelzoo.forecast.ces import Ces
from modelzoo.forecast.ets import Ets
from modelzoo.forecast.pool import Pool
from modelzoo.forecast.seasonal_naive import SeasonalNaive
from modelzoo.forecast.structural import Structural
from modelzoo.forecast.theta import Theta
from modelzoo.forecast.trend import Trend

LEVEL, RATE, YTD, QUARTER, YEAR, OTHER = (f"{n}@SYN-33" for n in ("level", "rate", "ytd", "quarter", "year", "other"))
CASES: dict[str, tuple[Model, ...]] = {
    "forecast.seasonal_naive": (SeasonalNaive(LEVEL), SeasonalNaive(YTD), SeasonalNaive(YEAR)),
    "forecast.ces": (Ces(LEVEL), Ces(RATE), Ces(QUARTER)),
    "forecast.theta": (Theta(LEVEL), Theta(RATE), Theta(YTD)),
    "forecast.ets": (Ets(LEVEL, "MAM"), Ets(QUARTER)),
    "forecast.arima": (Arima(QUARTER),),
    "forecast.arima_pmdarima": (ArimaPmdarima(YEAR),),
    "forecast.structural": (Structural(QUARTER),),
    "forecast.boosting": (Boosting(LEVEL, (OTHER,), rounds=20),),
    "forecast.pool": (Pool(LEVEL), Pool(YTD)),
    "forecast.trend": (Trend(LEVEL), Trend(RATE), Trend(YEAR)),
    "forecast.bvar": (Bvar(LEVEL, (OTHER,), paths=100),),
}
NEXT = {QUARTER: "2020-Q4", YEAR: "2021"}


def test_every_forecast_of_the_zoo_has_a_case() -> None:
    assert set(CASES) == {n for n in zoo.names() if n.startswith("forecast.")}


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("model", [m for models in CASES.values() for m in models], ids=lambda m: repr(m)[:32])
def test_forecast_keeps(model: Model, check: Check) -> None:
    old, new = seasonal.panels()
    check(model, old, new, Period.parse(NEXT.get(model.targets[0], "2020-12")))
