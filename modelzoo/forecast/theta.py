"""The dynamic optimised Theta method: a line whose slope follows the data, and simple exponential smoothing of what is left.

Fiorucci, Pellegrini, Louzada, Petropoulos & Koehler (2016), International Journal of Forecasting 32. Estimated by statsforecast. A
season is taken out beforehand where the autocorrelation at one year is significant at 90 % (Assimakopoulos & Nikolopoulos 2000): by
factors where the series is a positive level, else by differences.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.typing import Floats
from modelzoo.forecast.season import is_seasonal, pattern
from modelzoo.forecast.single import Learned, Parameters, Single

_NAMES = ("initial_smoothed", "alpha", "theta")


@dataclass(frozen=True)
class Theta(Single):
    """The pattern of the season is frozen with the other parameters.

    target: series id, monthly, quarterly or annual.
    """

    def learn(self, values: Floats, season: int, positive: bool, phase: int) -> Learned:
        from statsforecast.theta import auto_theta

        by = "none"
        if is_seasonal(values, season):
            by = "factors" if positive and pattern(values, season, phase, True).min() > 0.01 else "differences"
        shape = pattern(values, season, phase, by == "factors") if by != "none" else np.zeros(season)
        factors = np.array([by == "factors"], np.int64)
        along = np.resize(np.roll(shape, -phase), len(values))
        bare = values / along if factors[0] else values - along
        found = auto_theta(bare, m=1, model="DOTM")
        numbers = np.array([found["par"][n] for n in _NAMES], float)
        fitted = bare - found["residuals"]
        fitted = fitted * along if factors[0] else fitted + along
        return Learned({"numbers": numbers, "season": shape, "factors": factors}, fitted, len(_NAMES))

    def path(self, parameters: Parameters, values: Floats, season: int, ahead: int, phase: int) -> Floats:
        from statsforecast.theta import auto_theta, forecast_theta

        shape = np.roll(np.asarray(parameters["season"], float), -phase)
        factors = bool(parameters["factors"][0])
        n = len(values)
        along = np.resize(shape, n + ahead)
        bare = values / along[:n] if factors else values - along[:n]
        run = auto_theta(bare, m=1, model="DOTM", **dict(zip(_NAMES, parameters["numbers"].tolist(), strict=True)))
        path = np.asarray(forecast_theta(run, ahead)["mean"], float)
        return np.asarray(path * along[n:] if factors else path + along[n:], float)


MODEL = Theta
