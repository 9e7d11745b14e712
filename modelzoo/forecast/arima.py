"""Automatic ARIMA, the orders by AICc along the steps of Hyndman & Khandakar (2008), through statsforecast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.typing import Floats
from modelzoo.forecast.single import Learned, Parameters, Single


@dataclass(frozen=True)
class Arima(Single):
    """Seasonal ARIMA with a mean or a drift where AICc asks for one. No logarithms: the values may be negative.

    target: series id, monthly, quarterly or annual.
    """

    def learn(self, values: Floats, season: int, positive: bool, phase: int) -> Learned:
        from statsforecast.arima import auto_arima_f

        found = auto_arima_f(values.copy(), period=season)
        constant = ["intercept" in found["coef"], "drift" in found["coef"]]
        form = np.array([*found["arma"], *constant], np.int64)
        numbers = np.array(list(found["coef"].values()), float)
        fitted = values - np.asarray(found["residuals"], float)
        return Learned({"form": form, "numbers": numbers}, fitted, len(numbers))

    def path(self, parameters: Parameters, values: Floats, season: int, ahead: int, phase: int) -> Floats:
        from statsforecast import arima

        p, q, sp, sq, m, d, sd, mean, drift = parameters["form"].tolist()
        numbers = np.asarray(parameters["numbers"], float)
        time = np.arange(1.0, len(values) + ahead + 1).reshape(-1, 1)
        given: dict[str, Any] = {"xreg": time[: len(values)]} if drift else {}
        if len(numbers):
            given |= {"fixed": numbers, "method": "CSS-ML"}
        frozen = arima.Arima(
            values.copy(), order=(p, d, q), seasonal={"order": (sp, sd, sq), "period": max(m, 1)}, include_mean=bool(mean), **given
        )  # fmt: skip
        future = time[len(values) :] if drift else None
        return np.asarray(arima.predict_arima(frozen, ahead, newxreg=future, se_fit=False), float)


MODEL = Arima
