"""Exponential smoothing in state-space form (ETS): error, trend, damped or not, and season, of which AICc chooses.

Hyndman, Koehler, Ord & Snyder (2008), Forecasting with Exponential Smoothing. Estimated by statsforecast. Factors are tried only
for positive levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.typing import Floats
from modelzoo.forecast.single import Learned, Parameters, Single

_KINDS = "NAM"


@dataclass(frozen=True)
class Ets(Single):
    """Error, trend and season may each be additive, trend and season absent; error and season are factors for positive levels only.

    target: series id, monthly, quarterly or annual.
    form: three letters, error, trend and season: N none, A additive, M by factors, Z to be chosen.
    """

    form: str = "ZZZ"

    def learn(self, values: Floats, season: int, positive: bool, phase: int) -> Learned:
        from statsforecast.ets import ets_f

        found = ets_f(values.copy(), m=season, model=self.form, additive_only=not positive)
        error, trend, rhythm, damped = found["components"]
        form = np.array([*(_KINDS.index(c) for c in (error, trend, rhythm)), damped == "D", found["m"]], np.int64)
        free = int(found["n_params"])
        return Learned({"form": form, "numbers": np.asarray(found["par"], float)}, found["fitted"], free)

    def path(self, parameters: Parameters, values: Floats, season: int, ahead: int, phase: int) -> Floats:
        from statsforecast.ets import forecast_ets, forward_ets

        *kinds, damped, m = parameters["form"].tolist()
        components = "".join(_KINDS[k] for k in kinds) + ("D" if damped else "N")
        frozen: dict[str, Any] = {
            "m": m,
            "components": components,
            "par": parameters["numbers"],
            "fit": None,
            "n_params": 1,
        }
        return np.asarray(forecast_ets(forward_ets(frozen, values.copy()), ahead)["mean"], float)


MODEL = Ets
