"""Automatic ARIMA, the orders by AIC along the steps of Hyndman & Khandakar (2008), through pmdarima: slow, a second opinion."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from engine.typing import Floats
from modelzoo.forecast.single import Learned, Parameters, Single


@dataclass(frozen=True)
class ArimaPmdarima(Single):
    """Seasonal ARIMA, estimated and run by statsmodels. No logarithms: the values may be negative.

    target: series id, monthly, quarterly or annual.
    """

    def learn(self, values: Floats, season: int, positive: bool, phase: int) -> Learned:
        from pmdarima import auto_arima

        with warnings.catch_warnings():  # of candidates that it then leaves
            warnings.simplefilter("ignore")
            found = auto_arima(values, m=season, suppress_warnings=True, error_action="ignore")
            fitted = np.asarray(found.predict_in_sample(), float)
        form = np.array(
            [*found.order, *found.seasonal_order[:3], max(found.seasonal_order[3], 0), found.with_intercept], np.int64
        )
        numbers = np.asarray(found.params(), float)
        return Learned({"form": form, "numbers": numbers}, fitted, len(numbers) - 1)

    def path(self, parameters: Parameters, values: Floats, season: int, ahead: int, phase: int) -> Floats:
        from statsmodels.tsa.statespace.sarimax import SARIMAX

        p, d, q, sp, sd, sq, m, constant = parameters["form"].tolist()
        with warnings.catch_warnings():  # where the season asks for more values than there are
            warnings.simplefilter("ignore")
            model = SARIMAX(values, order=(p, d, q), seasonal_order=(sp, sd, sq, m), trend="c" if constant else None)
            return np.asarray(model.filter(parameters["numbers"]).forecast(ahead), float)


MODEL = ArimaPmdarima
