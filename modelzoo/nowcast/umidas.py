"""Unrestricted MIDAS: the newest months of each indicator as so many regressors, an equation for each horizon.

y = a + b × (own expectation) + Σ_j β_j x(newest known month − j) + e by least squares, for each indicator, combined, or for all of
a few indicators at once. Source: Foroni, Marcellino & Schumacher (2015, J. Royal Stat. Soc. A 178).
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


@dataclass(frozen=True)
class Umidas:
    """The target on the newest months of its indicators, unrestricted.

    target: series id, quarterly or monthly.
    indicators: series ids, at least one; those that begin late, end early or do not vary are left out.
    lags: how many months of each indicator (quarters of a quarterly one), 1 … 36.
    joint: one equation of all indicators; otherwise one for each, combined.
    weights: of the combination: equal; mse, inverse to past squared errors; or bic.
    since: the first month of the sample, as 1985-01; empty for all that is known.
    """

    target: str
    indicators: tuple[str, ...]
    lags: int = 4
    joint: bool = False
    weights: Weights = "mse"
    since: str = ""

    def __post_init__(self) -> None:
        check(self.target, self.indicators, self.lags)

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.target, *self.indicators)

    def fit(self, panel: Panel) -> FittedUmidas:
        """Raises NotEnoughData below ten complete periods more than coefficients, or without an indicator that can be used."""
        stack = learn(panel, self.target, self.indicators, self.lags, "months", self.since)
        return FittedUmidas(self, stack, equations.learn(stack, panel, self.weights, self.joint))

    def restore(self, state: State) -> FittedUmidas:
        stack = restored(self.target, self.indicators, self.lags, "months", self.since, state)
        return FittedUmidas(self, stack, equations.restored(state))


@dataclass(frozen=True)
class FittedUmidas:
    """The stack and the equations of each horizon."""

    model: Umidas
    stack: Stack
    equations: Equations

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """Bands from errors in the order of time, by horizon. Raises NotEnoughData."""
        if self.model.joint:
            return self.equations.estimate(self.stack, panel, periods, lambda X: equations.joined(X, self.stack))
        return self.equations.estimate(self.stack, panel, periods)

    def state(self) -> State:
        return {**self.stack.state(), **self.equations.state()}


MODEL = Umidas
