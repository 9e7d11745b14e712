"""The basic structural model: level, slope and season that each drift, and noise; gaps need no filling.

Harvey (1989), Forecasting, Structural Time Series Models and the Kalman Filter, section 2.3. Estimated and run by statsmodels.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import NotConverged
from engine.typing import Floats
from modelzoo.forecast.single import Learned, Parameters, Single


@dataclass(frozen=True)
class Structural(Single):
    """A local linear trend with a stochastic season, by the Kalman filter; a positive level in logarithms.

    target: series id, monthly, quarterly or annual.
    """

    fills = False

    def learn(self, values: Floats, season: int, positive: bool, phase: int) -> Learned:
        y = np.log(values) if positive else values
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = _model(y, season).fit(disp=False, maxiter=200)
        numbers = np.asarray(found.params, float)
        fitted = y - np.asarray(found.filter_results.forecasts_error[0], float)
        if not np.isfinite(numbers).all():
            raise NotConverged("the structural model: no finite variances were found")
        return Learned(
            {"numbers": numbers, "log": np.array([positive], np.int64)}, np.exp(fitted) if positive else fitted, 0
        )

    def path(self, parameters: Parameters, values: Floats, season: int, ahead: int, phase: int) -> Floats:
        log = bool(parameters["log"][0])
        found = _model(np.log(values) if log else values, season).filter(parameters["numbers"])
        path = np.asarray(found.forecast(ahead), float)
        return np.exp(path) if log else path


def _model(values: Floats, season: int) -> Any:
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    return UnobservedComponents(values, level="local linear trend", seasonal=season if season > 1 else None)


MODEL = Structural
