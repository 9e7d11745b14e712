"""A pool of other nowcasts, weighted by their past errors in real time, its bands recalibrated on them.

A fit by itself weighs all members equally: what they said on earlier days, and what came out, is no part of a panel. A back-test
keeps that ledger, and a pool learns from those of its cases whose outcome was known on the day (``engine.pooling``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from engine import pooling, uncertainty
from engine.align import published
from engine.calendar import Freq, Period, known_day
from engine.errors import BadInput, NotConverged, NotEnoughData
from engine.estimate import LEVELS, Estimate
from engine.ledger import Ledger
from engine.model import Fitted, Model, State
from engine.panel import Panel
from engine.pooling import Rule, Weights
from engine.typing import Floats
from engine.uncertainty import Sources
from modelzoo import zoo

_MARK = "|"  # between a member and the name of one of its arrays


@dataclass(frozen=True)
class Member:
    """A model of the zoo with options; its target is that of the pool."""

    model: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Pool:
    """Several models of one target, averaged: means by their weights, quantiles likewise.

    target: series id.
    members: label -> model and options. In a spec, the labels of models of the same run.
    weights: equal; inverse (mean squared error); discounted, the same with older errors counting less; stacking, least squares.
    discount: how much less an error counts that is one period older; for discounted weights.
    prior: so many cases of equal weights and right bands are added to those on record.
    calibrate: whether bands are widened or narrowed to hold what they should have held.
    """

    target: str
    members: Mapping[str, Member]
    weights: Rule = "inverse"
    discount: float = 0.95
    prior: float = 8.0
    calibrate: bool = True

    def __post_init__(self) -> None:
        if not self.members:
            raise BadInput("a pool needs members")
        if odd := [label for label in self.members if _MARK in label]:
            raise BadInput(f"a member's label must not hold {_MARK}: {', '.join(odd)}")
        if not (0 < self.discount <= 1 and self.prior >= 0):
            raise BadInput("discount must lie in 0 … 1 and prior not be negative")
        _ = self.models

    @cached_property
    def models(self) -> dict[str, Model]:
        """The members, by label."""
        return {label: zoo.about(m.model, self.target, m.options) for label, m in self.members.items()}

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.target, *(i for model in self.models.values() for i in model.inputs))))

    def fit(self, panel: Panel) -> FittedPool:
        """Every member by itself, at equal weights; one that cannot be fitted is left out. Raises NotEnoughData if none can."""
        fitted: dict[str, Fitted] = {}
        problems = []
        for label, model in self.models.items():
            try:
                fitted[label] = model.fit(panel.select(model.inputs))
            except (NotEnoughData, NotConverged) as problem:
                problems.append(f"{label}: {problem}")
        if not fitted:
            raise NotEnoughData("; ".join(problems))
        return self.join(fitted, Weights.equal(len(self.members)))

    def learn(self, ledger: Ledger) -> Weights:
        """What past errors teach. Raises BadInput for a ledger of other members."""
        if ledger.members != tuple(self.members):
            raise BadInput(
                f"a ledger of {', '.join(ledger.members)} does not teach a pool of {', '.join(self.members)}"
            )
        return pooling.learn(ledger, self.weights, self.discount, self.prior, self.calibrate)

    def join(self, members: Mapping[str, Fitted], learned: Weights) -> FittedPool:
        """Fitted members, and what was learned about them."""
        return FittedPool(self, dict(members), learned)

    def restore(self, state: State) -> FittedPool:
        held: dict[str, dict[str, Any]] = {}
        for name, value in state.items():
            label, mark, own = name.partition(_MARK)
            if mark:
                held.setdefault(label, {})[own] = value
        learned = Weights(
            np.asarray(state["horizons"], np.int64),
            np.asarray(state["shares"], float),
            np.asarray(state["widths"], float),
        )
        return self.join({label: m.restore(held[label]) for label, m in self.models.items() if label in held}, learned)


@dataclass(frozen=True)
class FittedPool:
    """members: those that could be fitted, by label; learned: weights of all of them, in the pool's order."""

    model: Pool
    members: Mapping[str, Fitted]
    learned: Weights

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """A member that cannot speak leaves its weight to the others. Raises NotEnoughData if none can."""
        said = self._said(panel, periods)
        mean, quantiles = np.empty(len(periods)), np.empty((len(periods), len(LEVELS)))
        for j, period in enumerate(periods):
            mean[j], quantiles[j] = self.learned.combine(*_stack(said, j), horizon(panel, period))
        out = published(panel, self.model.target, periods)
        known = ~np.isnan(out)
        mean[known], quantiles[known] = out[known], out[known, None]
        return Estimate(self.model.target, panel.asof, tuple(periods), mean, quantiles)

    def weights(self, panel: Panel, period: Period) -> Mapping[str, float]:
        """The share that each member has in the mean for that period; they add up to 1. Raises as :meth:`estimate`."""
        said = self._said(panel, [period])
        share = self.learned.among(horizon(panel, period), np.array([e is not None for e in said.values()]))
        return dict(zip(said, share.tolist(), strict=True))

    def sources(self, panel: Panel, periods: Sequence[Period]) -> Sources:
        """Those of its members, which move together; of a recalibrated band nothing is known apart. Raises as :meth:`estimate`."""
        if (self.learned.widths != 1.0).any():
            return replace(uncertainty.whole(self.estimate(panel, periods)), live=True)
        rows = []
        for period in periods:
            share = {label: w for label, w in self.weights(panel, period).items() if w > 0.0}
            each = (
                uncertainty.sources(self.members[k], panel.select(self.model.models[k].inputs), [period]) for k in share
            )
            rows.append(uncertainty.comonotone(np.array(list(share.values())), [e.row(0) for e in each]))
        return Sources(*np.array(rows).T)

    def state(self) -> State:
        own = {f"{label}{_MARK}{name}": v for label, f in self.members.items() for name, v in f.state().items()}
        learned = self.learned
        return own | {"horizons": learned.horizons, "shares": learned.shares, "widths": learned.widths}

    def _said(self, panel: Panel, periods: Sequence[Period]) -> dict[str, Estimate | None]:
        said: dict[str, Estimate | None] = dict.fromkeys(self.model.members)
        problems = []
        for label, fitted in self.members.items():
            try:
                said[label] = fitted.estimate(panel.select(self.model.models[label].inputs), periods)
            except NotEnoughData as problem:
                problems.append(f"{label}: {problem}")
        if all(e is None for e in said.values()):
            raise NotEnoughData("; ".join(problems))
        return said


def horizon(panel: Panel, period: Period) -> int:
    """Months from the end of a period to the month of the information date."""
    return Period.of(known_day(panel.asof), Freq.M) - period.last_month


def _stack(said: Mapping[str, Estimate | None], j: int) -> tuple[Floats, Floats]:
    """``(M,)`` means and ``(M, len(LEVELS))`` quantiles of the j-th period; NaN for who does not speak."""
    mean = np.array([np.nan if e is None else e.mean[j] for e in said.values()])
    quantiles = np.array([np.full(len(LEVELS), np.nan) if e is None else e.quantiles[j] for e in said.values()])
    return mean, quantiles


MODEL = Pool
