"""Probit or logit of an event on what was known before it, penalised where events are few (Estrella & Mishkin)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from engine import binary
from engine.binary import Binary, Link, Penalty
from engine.calendar import Period
from engine.errors import BadInput, NotEnoughData
from engine.estimate import LEVELS, Estimate
from engine.model import State
from engine.panel import Panel
from modelzoo.warning.event import Event


@dataclass(frozen=True)
class Probit:
    """P(event) = Φ(a + b'x), x known ``event.ahead`` months before; or the logit in the place of Φ.

    target: what the estimate is called, ``downturn@US``.
    event: what is warned of, and when it counts.
    predictors: series ids, monthly.
    link: "probit" or "logit".
    penalty: "none", "l2" on the slopes of standardised predictors, or "firth", finite whatever the data.
    strength: of the l2 penalty.
    since: first month of the sample; "" is all.
    """

    target: str
    event: Event
    predictors: tuple[str, ...]
    link: Link = "probit"
    penalty: Penalty = "firth"
    strength: float = 1.0
    since: str = ""

    def __post_init__(self) -> None:
        if not self.predictors or len(set(self.predictors)) != len(self.predictors):
            raise BadInput(f"{self.target}: predictors are needed, each once")
        if not self.strength > 0:
            raise BadInput(f"{self.target}: strength must be positive, not {self.strength}")

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.predictors, *self.event.inputs)))

    def fit(self, panel: Panel) -> FittedProbit:
        """From the months whose outcome is known. Raises NotEnoughData, NotConverged."""
        x, y = self.event.sample(panel, self.predictors)
        kept = ~(np.isnan(x).any(1) | np.isnan(y))
        if self.since:
            kept[: max(Period.parse(self.since) - panel.first, 0)] = False
        try:
            equation = binary.fit(x[kept], y[kept], self.link, self.penalty, self.strength)
        except NotEnoughData as few:
            raise NotEnoughData(f"{self.target} as of {panel.day}: {few}") from None
        return FittedProbit(self, equation)

    def restore(self, state: State) -> FittedProbit:
        llf, null = (float(v) for v in state["likelihood"])
        n, events = (int(v) for v in state["count"])
        b, cov = np.asarray(state["coefficients"], float), np.asarray(state["cov"], float)
        return FittedProbit(self, Binary(self.link, b, cov, llf, null, n, events))


@dataclass(frozen=True)
class FittedProbit:
    """``equation.events_per_variable`` says whether there were events enough for so many predictors."""

    model: Probit
    equation: Binary

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """The chance; its bands hold what is not known of the coefficients. Raises NotEnoughData naming month and series."""
        model = self.model
        x = model.event.predictors(panel, model.predictors, periods)
        for h, p in enumerate(periods):
            if missing := [i for i, v in zip(model.predictors, x[h], strict=True) if np.isnan(v)]:
                lag = model.event.ahead if model.event.when == "at" else 0
                raise NotEnoughData(
                    f"{model.target}: {', '.join(missing)} of {p + -lag} is not known as of {panel.day}; "
                    f"it is needed for {p}"
                )
        index, se = self.equation.index(x)
        quantiles = self.equation.probability(index[:, None] + se[:, None] * ndtri(np.array(LEVELS)))
        return Estimate(model.target, panel.asof, tuple(periods), self.equation.probability(index), quantiles)

    def newest(self, panel: Panel) -> Period:
        """The newest month that can be estimated. Raises NotEnoughData."""
        return self.model.event.newest(panel, self.model.predictors, len(self.model.predictors))

    def state(self) -> State:
        e = self.equation
        return {
            "coefficients": e.coefficients, "cov": e.cov, "likelihood": np.array([e.llf, e.llf_null]),
            "count": np.array([e.n, e.events], np.int64),
        }  # fmt: skip


MODEL = Probit
