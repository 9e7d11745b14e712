"""An average of several warnings of one event: each by a model of its own, equally or with given weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from engine.calendar import Period
from engine.errors import BadInput, NotConverged, NotEnoughData
from engine.estimate import Estimate
from engine.model import Fitted, Model, State
from engine.panel import Panel
from engine.typing import Floats
from modelzoo.telling import Paced


@dataclass(frozen=True)
class Member:
    """A model of the zoo by name and options; its target must be that of the ensemble."""

    model: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ensemble:
    """The weighted mean of the members' chances, and of their bands. A member that refuses is left out and named.

    target: what the estimate is called, ``downturn@US``; the members estimate the same.
    members: models of the zoo, at least two.
    weights: one positive number a member; none are equal weights.
    least: members that must fit, and speak.
    """

    target: str
    members: tuple[Member, ...]
    weights: tuple[float, ...] = ()
    least: int = 2

    def __post_init__(self) -> None:
        if len(self.members) < 2 or not 1 <= self.least <= len(self.members):
            raise BadInput(f"{self.target}: an ensemble has two members or more, and needs 1 … all of them")
        if self.weights and (len(self.weights) != len(self.members) or any(not w > 0 for w in self.weights)):
            raise BadInput(f"{self.target}: weights are positive, one a member or none, not {self.weights}")
        for member, model in zip(self.members, self.models, strict=True):
            if model.targets != (self.target,):
                raise BadInput(f"{self.target}: member {member.model} estimates {', '.join(model.targets)}")

    @cached_property
    def models(self) -> tuple[Model, ...]:
        from modelzoo import zoo

        return tuple(zoo.make(m.model, m.options) for m in self.members)

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(i for m in self.models for i in m.inputs))

    def fit(self, panel: Panel) -> FittedEnsemble:
        """Fit every member. Raises NotEnoughData where fewer than ``least`` can be, with their reasons."""
        fitted: list[Fitted | None] = []
        reasons = []
        for member, model in zip(self.members, self.models, strict=True):
            try:
                fitted.append(model.fit(panel))
            except (NotEnoughData, NotConverged) as why:
                fitted.append(None)
                reasons.append(f"{member.model}: {why}")
        if sum(f is not None for f in fitted) < self.least:
            raise NotEnoughData(
                f"{self.target} as of {panel.day}: {len(reasons)} members refuse. " + "; ".join(reasons)
            )
        return FittedEnsemble(self, tuple(fitted))

    def restore(self, state: State) -> FittedEnsemble:
        parts: list[Fitted | None] = []
        for n, model in enumerate(self.models):
            head = f"m{n}_"
            own = {name[len(head) :]: value for name, value in state.items() if name.startswith(head)}
            parts.append(model.restore(own) if own else None)
        return FittedEnsemble(self, tuple(parts))


@dataclass(frozen=True)
class FittedEnsemble:
    """members: as fitted, None where one refused."""

    model: Ensemble
    members: tuple[Fitted | None, ...]

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """Parts are what each member adds. Raises NotEnoughData where fewer than ``least`` members speak, with their reasons."""
        said, names, reasons = [], [], []
        weights = self.model.weights or (1.0,) * len(self.members)
        kept: list[float] = []
        for n, (member, fitted) in enumerate(zip(self.model.members, self.members, strict=True)):
            if fitted is None:
                continue
            try:
                said.append(fitted.estimate(panel, periods))
            except NotEnoughData as why:
                reasons.append(f"{member.model}: {why}")
                continue
            names.append(f"{n + 1} {member.model}")
            kept.append(weights[n])
        if len(said) < self.model.least:
            raise NotEnoughData(
                f"{self.model.target} as of {panel.day}: {len(said)} members speak, {self.model.least} are needed. "
                + "; ".join(reasons)
            )
        share: Floats = np.array(kept) / sum(kept)
        parts = np.column_stack([w * s.mean for w, s in zip(share, said, strict=True)])
        quantiles = np.asarray(sum(w * s.quantiles for w, s in zip(share, said, strict=True)), np.float64)
        return Estimate(self.model.target, panel.asof, tuple(periods), parts.sum(1), quantiles, tuple(names), parts)

    def newest(self, panel: Panel) -> Period:
        """The newest month of which enough members speak. Raises NotEnoughData."""
        ends: list[Period] = []
        for fitted in self.members:
            if isinstance(fitted, Paced):
                with suppress(NotEnoughData):
                    ends.append(fitted.newest(panel))
        if len(ends) < self.model.least:
            raise NotEnoughData(f"{self.model.target} as of {panel.day}: {len(ends)} members have a month to speak of")
        return sorted(ends)[-self.model.least]

    def state(self) -> State:
        return {
            f"m{n}_{name}": value
            for n, fitted in enumerate(self.members)
            if fitted is not None
            for name, value in fitted.state().items()
        }


MODEL = Ensemble
