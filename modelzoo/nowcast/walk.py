"""The mean of the past, or a random walk with drift: the benchmarks beside the last value (``nowcast.naive``).

For growth rates, which return to their mean, the mean of all that is known is often the harder one to beat; for levels the walk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.align import last_known, own, published
from engine.calendar import Period
from engine.errors import BadInput, NotEnoughData
from engine.estimate import Estimate
from engine.model import State
from engine.panel import Panel
from engine.typing import Floats
from modelzoo.nowcast.stack import skip

FARTHEST = 8


@dataclass(frozen=True)
class Walk:
    """The mean so far, or the last value plus the mean change for each period since.

    target: series id, monthly or quarterly.
    form: mean, of the values; or drift, a random walk with the mean change.
    since: the first month of the sample, as 1985-01; empty for all that is known.
    """

    target: str
    form: Literal["mean", "drift"] = "mean"
    since: str = ""

    def __post_init__(self) -> None:
        if self.form not in ("mean", "drift"):
            raise BadInput(f"form is mean or drift, not {self.form}")

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.target,)

    def fit(self, panel: Panel) -> FittedWalk:
        """The mean, and the spread of past errors 1 … 8 periods ahead, each from the periods before.

        Raises NotEnoughData below 16 values.
        """
        start, values = own(panel, self.target)
        each = panel.row(start + 1) - panel.row(start)
        y = values[max(0, -((panel.row(start) - skip(panel, self.since)) // each)) :]
        known = np.flatnonzero(~np.isnan(y))
        if len(known) < 16:
            raise NotEnoughData(
                f"{self.target}: a mean and its errors need 16 values, {len(known)} are known as of {panel.day}"
            )
        y = y[known[0] : known[-1] + 1]
        base = np.diff(y) if self.form == "drift" else y
        seen = ~np.isnan(base)
        if seen.sum() < 12:
            raise NotEnoughData(
                f"{self.target}: {seen.sum()} values in a row are known as of {panel.day}, 12 are needed"
            )
        total, count = np.cumsum(np.where(seen, base, 0.0)), np.cumsum(seen)
        means = total / np.maximum(count, 1)  # as known after each row
        lead = 1 if self.form == "drift" else 0
        spread = []
        for h in range(1, FARTHEST + 1):
            at = np.arange(6, len(y) - h)  # the day after row ``at``
            said = y[at] + h * means[at - 1] if lead else means[at]
            errors = y[at + h] - said
            errors = errors[~np.isnan(errors)]
            if len(errors) < 4:
                break
            spread.append(np.sqrt(np.mean(errors**2)))
        if not spread:
            raise NotEnoughData(f"{self.target}: too few values in a row are known as of {panel.day} to measure errors")
        return FittedWalk(self, float(means[-1]), np.maximum.accumulate(np.array(spread)))

    def restore(self, state: State) -> FittedWalk:
        return FittedWalk(self, float(np.asarray(state["mean"])[0]), np.asarray(state["spread"], float))


@dataclass(frozen=True)
class FittedWalk:
    """mean: of the values, or of their changes; spread: ``(H,)`` of errors 1, 2, … periods ahead, the last one serves beyond."""

    model: Walk
    mean: float
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
                mean[j] = values[-1] + h * self.mean if self.model.form == "drift" else self.mean
                sd[j] = self.spread[min(h, len(self.spread)) - 1]
        return Estimate.normal(target, panel.asof, periods, mean, sd)

    def state(self) -> State:
        return {"mean": np.array([self.mean]), "spread": self.spread}


MODEL = Walk
