"""Last year's value once more: the benchmark that every other forecast must beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.typing import Floats
from modelzoo.forecast.single import Learned, Parameters, Single


@dataclass(frozen=True)
class SeasonalNaive(Single):
    """The value of the same month or quarter of the newest year; of an annual series the newest value.

    target: series id, monthly, quarterly or annual.
    """

    def learn(self, values: Floats, season: int, positive: bool, phase: int) -> Learned:
        return Learned({"none": np.zeros(0)}, values[:-season], 0)

    def path(self, parameters: Parameters, values: Floats, season: int, ahead: int, phase: int) -> Floats:
        return np.resize(values[-season:], ahead)


MODEL = SeasonalNaive
