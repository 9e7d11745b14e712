"""An autoregression of the target on itself: hard to beat in calm years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine import autoregression
from engine.align import last_known, published
from engine.autoregression import Autoregression
from engine.calendar import Freq, Period
from engine.errors import BadInput, NotEnoughData
from engine.estimate import Estimate
from engine.model import State
from engine.panel import Panel
from engine.typing import Floats
from engine.uncertainty import Sources


@dataclass(frozen=True)
class Ar:
    """The target on its own lags, their number chosen by BIC at every fit.

    target: series id, monthly or quarterly.
    lags: the most lags tried, 0 … 12.
    since: the first month of the sample, as 1985-01; empty for all that is known.
    """

    target: str
    lags: int = 4
    since: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.lags <= 12:
            raise BadInput(f"lags must lie in 0 … 12, not {self.lags}")
        if self.since and Period.parse(self.since).freq is not Freq.M:
            raise BadInput(f"since is a month, not {self.since}")

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.target,)

    def fit(self, panel: Panel) -> FittedAr:
        """Raises NotEnoughData below lags + 10 complete rows."""
        newest, values = last_known(panel, self.target)
        if self.since:
            begins = Period.parse(self.since).to(newest.freq)
            values = values[max(0, len(values) - 1 - (newest - begins)) :]
        return FittedAr(self, autoregression.fit(values, self.lags, self.target))

    def restore(self, state: State) -> FittedAr:
        constant, sigma = np.asarray(state["constant_sigma"], float)
        kept = np.asarray(state.get("inverse", np.zeros((0, 0))), float)  # a champion of before it was kept has none
        return FittedAr(
            self, Autoregression(float(constant), np.asarray(state["coefficients"], float), float(sigma), kept)
        )


@dataclass(frozen=True)
class FittedAr:
    model: Ar
    equation: Autoregression

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """Iterated forecasts; bands from the residual variance and the coefficients' uncertainty.

        Raises NotEnoughData if fewer values than lags are known.
        """
        mean, found = self._moments(panel, periods)
        return Estimate.normal(self.model.target, panel.asof, periods, mean, np.sqrt(found.total))

    def sources(self, panel: Panel, periods: Sequence[Period]) -> Sources:
        """Shocks, and the coefficients. Raises as ``estimate``."""
        return self._moments(panel, periods)[1]

    def _moments(self, panel: Panel, periods: Sequence[Period]) -> tuple[Floats, Sources]:
        target, p = self.model.target, len(self.equation.coefficients)
        newest, values = last_known(panel, target)
        mean = published(panel, target, periods)
        shocks, parameters = np.zeros(len(periods)), np.zeros(len(periods))
        ahead = max((q - newest for q in periods), default=0)
        path = self.equation.fill(np.r_[values, np.full(max(ahead, 0), np.nan)])
        n = len(values)
        for j, q in enumerate(periods):
            if np.isnan(mean[j]):
                h = q - newest
                if h < 1 or np.isnan(path[n - 1 + h]):
                    raise NotEnoughData(f"{target}: {p} values in a row are needed to estimate {q} as of {panel.day}")
                mean[j] = path[n - 1 + h]
                shocks[j] = self.equation.variance(np.eye(h)[-1])
                parameters[j] = self.equation.doubt(path[:n], np.eye(h)[-1])
        return mean, Sources.of(shocks, None if np.isnan(parameters).any() else parameters)

    def state(self) -> State:
        return {
            "constant_sigma": np.array([self.equation.constant, self.equation.sigma]),
            "coefficients": self.equation.coefficients,
            "inverse": self.equation.inverse,
        }


MODEL = Ar
