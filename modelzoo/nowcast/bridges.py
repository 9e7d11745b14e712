"""Many bridge equations, one for each indicator, combined by equal weights, by past errors or by BIC.

Each equation explains the target by the sum of one indicator over its period, filled by the indicator's own autoregression, and
by the target's own expectation; it is learned for each horizon on what would have been known then. Source: as ``nowcast.bridge``;
pools of bridges: Rünstler et al. (2009, J. Forecasting 28).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.calendar import Period
from engine.estimate import Estimate
from engine.model import State
from engine.panel import Panel
from modelzoo.nowcast import equations
from modelzoo.nowcast.equations import Equations, Weights
from modelzoo.nowcast.stack import Stack, check, learn, restored
from modelzoo.nowcast.targeted import Selection


@dataclass(frozen=True)
class Bridges:
    """The target on each of many indicators, summed up to its period; the equations combined.

    target: series id, quarterly or monthly.
    indicators: series ids, at least one; those that begin late, end early or do not vary are left out.
    lags: how many periods of an indicator, its current one among them, 1 … 36.
    weights: equal; mse, inverse to past squared errors; or bic.
    select: all indicators; hard, those with a large t-statistic given the target's lags; soft, the first of least angle regression.
    since: the first month of the sample, as 1985-01; empty for all that is known.
    """

    target: str
    indicators: tuple[str, ...]
    lags: int = 1
    weights: Weights = "mse"
    select: Selection = "all"
    since: str = ""

    def __post_init__(self) -> None:
        check(self.target, self.indicators, self.lags)

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.target, *self.indicators)

    def fit(self, panel: Panel) -> FittedBridges:
        """Raises NotEnoughData below 20 complete periods, or without an indicator that can be used."""
        stack = learn(panel, self.target, self.indicators, self.lags, "sums", self.since)
        return FittedBridges(self, stack, equations.learn(stack, panel, self.weights, select=self.select))

    def restore(self, state: State) -> FittedBridges:
        stack = restored(self.target, self.indicators, self.lags, "sums", self.since, state)
        return FittedBridges(self, stack, equations.restored(state))


@dataclass(frozen=True)
class FittedBridges:
    """The stack and the equations of each horizon."""

    model: Bridges
    stack: Stack
    equations: Equations

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """Bands from errors in the order of time, by horizon. Raises NotEnoughData."""
        return self.equations.estimate(self.stack, panel, periods)

    def state(self) -> State:
        return {**self.stack.state(), **self.equations.state()}


MODEL = Bridges
