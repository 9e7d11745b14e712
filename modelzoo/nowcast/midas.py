"""MIDAS: many months of each indicator weighed by a curve of two parameters, exponential Almon or Beta; the equations combined.

y = a + b × (own expectation) + β Σ_j w_j(θ) x(newest known month − j) + e at each horizon, with w_j > 0 of sum 1. Sources: Ghysels,
Sinko & Valkanov (2007, Econometric Reviews 26); Clements & Galvão (2008, J. Bus. Econ. Stat. 26) for the autoregressive term.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from engine.calendar import Period
from engine.errors import BadInput
from engine.estimate import Estimate
from engine.model import State
from engine.panel import Panel
from modelzoo.nowcast import equations, lag_curves
from modelzoo.nowcast.equations import Equations, Weights
from modelzoo.nowcast.stack import Stack, check, learn, restored

FREE = 5  # constant, own expectation, slope and two of the curve


@dataclass(frozen=True)
class Midas:
    """The target on curves over the months of its indicators.

    target: series id, quarterly or monthly.
    indicators: series ids, at least one; those that begin late, end early or do not vary are left out.
    curve: almon, exponential Almon; or beta.
    lags: how many months of each indicator (quarters of a quarterly one), 3 … 36.
    weights: of the combination: equal; mse, inverse to past squared errors; or bic.
    since: the first month of the sample, as 1985-01; empty for all that is known.
    """

    target: str
    indicators: tuple[str, ...]
    curve: Literal["almon", "beta"] = "almon"
    lags: int = 9
    weights: Weights = "mse"
    since: str = ""

    def __post_init__(self) -> None:
        check(self.target, self.indicators, self.lags)
        if self.lags < 3 or self.curve not in lag_curves.BOUNDS:
            raise BadInput("a MIDAS curve, almon or beta, needs 3 lags or more")

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.target, *self.indicators)

    def fit(self, panel: Panel) -> FittedMidas:
        """An equation whose curve does not converge is left out; NotConverged if none does at some horizon.

        Raises NotEnoughData below 20 complete periods, or without an indicator that can be used.
        """
        stack = learn(panel, self.target, self.indicators, self.lags, "months", self.since)
        solve = partial(lag_curves.solve, curve=self.curve)
        return FittedMidas(self, stack, equations.learn(stack, panel, self.weights, solve=solve, free=FREE))

    def restore(self, state: State) -> FittedMidas:
        stack = restored(self.target, self.indicators, self.lags, "months", self.since, state)
        return FittedMidas(self, stack, equations.restored(state))


@dataclass(frozen=True)
class FittedMidas:
    """The stack and the equations of each horizon; the coefficients of the months of an indicator are β w(θ)."""

    model: Midas
    stack: Stack
    equations: Equations

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """Bands from errors in the order of time, by horizon. Raises NotEnoughData."""
        return self.equations.estimate(self.stack, panel, periods)

    def state(self) -> State:
        return {**self.stack.state(), **self.equations.state()}


MODEL = Midas
