"""The default forecast: several methods for one series, averaged quantile by quantile.

Averages of simple methods are hard to beat (Makridakis, Spiliotis & Assimakopoulos 2020); averaging quantiles, not densities, keeps
the bands as wide as those of the members on average (Lichtendahl, Grushka-Cockayne & Winkler 2013, Management Science 59).
``docs/forecasting.md`` tells where the members come from and what they are worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from engine.calendar import Period
from engine.errors import BadInput
from engine.estimate import Estimate
from engine.model import Fitted, Model, State
from engine.panel import Panel
from modelzoo.forecast.members import MEMBERS, Member


@dataclass(frozen=True)
class Pool:
    """Members with equal weights.

    target: series id, monthly, quarterly or annual.
    members: names of two or more methods for single series, each once.
    """

    target: str
    members: tuple[Member, ...] = ("ces", "theta")

    def __post_init__(self) -> None:
        if len(self.members) < 2 or len(set(self.members)) != len(self.members):
            raise BadInput(f"a pool has two or more members, each once, of {', '.join(get_args(Member))}")

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.target,)

    def fit(self, panel: Panel) -> FittedPool:
        """Raises NotEnoughData, NotConverged as the members do."""
        return FittedPool(self, tuple(m.fit(panel) for m in self._models()))

    def restore(self, state: State) -> FittedPool:
        parts = [
            {k.removeprefix(f"{n}_"): v for k, v in state.items() if k.startswith(f"{n}_")}
            for n in range(len(self.members))
        ]
        return FittedPool(self, tuple(m.restore(s) for m, s in zip(self._models(), parts, strict=True)))

    def _models(self) -> list[Model]:
        return [MEMBERS[name]()(self.target) for name in self.members]


@dataclass(frozen=True)
class FittedPool:
    model: Pool
    members: tuple[Fitted, ...]

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """The mean of the members' means, and of each of their quantiles. Raises NotEnoughData as they do."""
        said = [m.estimate(panel, periods) for m in self.members]
        mean, quantiles = (np.mean([getattr(e, what) for e in said], axis=0) for what in ("mean", "quantiles"))
        return Estimate(self.model.target, panel.asof, tuple(periods), mean, quantiles)

    def state(self) -> State:
        return {f"{n}_{k}": v for n, m in enumerate(self.members) for k, v in m.state().items()}


MODEL = Pool
