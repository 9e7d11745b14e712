"""Complex exponential smoothing: level and a second, unseen part that together grow or swing, with a season where it helps.

Svetunkov, Kourentzes & Ord (2022), Naval Research Logistics 69. Estimated by statsforecast: of the forms without a season, with a
simple, a partial and a full one, the least AICc.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.typing import Floats
from modelzoo.forecast.single import Learned, Parameters, Single

_FORMS = "NSPF"
_NAMES = ("alpha_0", "alpha_1", "beta_0", "beta_1")


@dataclass(frozen=True)
class Ces(Single):
    """Additive throughout: the values may be negative.

    target: series id, monthly, quarterly or annual.
    """

    def learn(self, values: Floats, season: int, positive: bool, phase: int) -> Learned:
        from statsforecast.ces import auto_ces

        found = auto_ces(values.copy(), m=season)
        numbers = np.array([found["par"][n] for n in _NAMES], float)
        form = np.array([_FORMS.index(found["seasontype"])], np.int64)
        return Learned({"numbers": numbers, "form": form}, found["fitted"], int((~np.isnan(numbers)).sum()))

    def path(self, parameters: Parameters, values: Floats, season: int, ahead: int, phase: int) -> Floats:
        from statsforecast.ces import auto_ces, forecast_ces

        form = _FORMS[int(parameters["form"][0])]
        numbers = dict(zip(_NAMES, parameters["numbers"].tolist(), strict=True))
        run = auto_ces(values.copy(), m=season, model=form, **numbers)
        return np.asarray(forecast_ces(run, ahead)["mean"], float)


MODEL = Ces
