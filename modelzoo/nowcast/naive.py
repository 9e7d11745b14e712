"""The last value, carried on: the benchmark that every other model must beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.align import last_known, published
from engine.calendar import Period
from engine.errors import NotEnoughData
from engine.estimate import Estimate
from engine.model import State
from engine.panel import Panel
from engine.typing import Floats


@dataclass(frozen=True)
class Naive:
    """The newest known value stands for every period after it.

    target: series id, monthly or quarterly.
    """

    target: str

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.target,)

    def fit(self, panel: Panel) -> FittedNaive:
        """Learn the spread of past changes over 1 … 8 periods. Raises NotEnoughData below 12 changes of one period."""
        _, values = last_known(panel, self.target)
        changes = [values[h:] - values[:-h] for h in range(1, min(9, len(values)))]
        changes = [c[~np.isnan(c)] for c in changes]
        if not changes or len(changes[0]) < 12:
            n = len(changes[0]) if changes else 0
            raise NotEnoughData(f"{self.target}: a spread needs 12 changes, {n} are known as of {panel.day}")
        spread = np.array([np.sqrt(np.mean(c**2)) for c in changes if len(c)])
        return FittedNaive(self, np.maximum.accumulate(spread))

    def restore(self, state: State) -> FittedNaive:
        return FittedNaive(self, np.asarray(state["spread"], float))


@dataclass(frozen=True)
class FittedNaive:
    """spread: ``(H,)`` root mean square of the change over 1, 2, … periods; the last one serves beyond."""

    model: Naive
    spread: Floats

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """Raises NotEnoughData if nothing is known, or a period lies before the newest value and was never published."""
        target = self.model.target
        newest, values = last_known(panel, target)
        mean, sd = published(panel, target, periods), np.zeros(len(periods))
        for j, p in enumerate(periods):
            if np.isnan(mean[j]):
                h = p - newest
                if h < 1:
                    raise NotEnoughData(
                        f"{target}: {p} is not known as of {panel.day} and lies before the newest value"
                    )
                mean[j], sd[j] = values[-1], self.spread[min(h, len(self.spread)) - 1]
        return Estimate.normal(target, panel.asof, periods, mean, sd)

    def state(self) -> State:
        return {"spread": self.spread}


MODEL = Naive
