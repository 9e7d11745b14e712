"""Any nowcast learned without a stretch of months, such as those of 2020, which the estimate still reads.

What happened in a few months of 2020 outweighs decades in least squares and in a likelihood. Left out, they say nothing about
coefficients, scales, the number of lags or the width of bands; the newest months are read as ever, so that the estimate falls
with them. Source: Schorfheide & Song (2021, NBER working paper 29535), who leave them out of a mixed-frequency VAR; Lenza &
Primiceri (2022, J. Appl. Econometrics 37) find that good enough for coefficients, and that bands are then too narrow while such
months last.

To leave months out is a choice made in those months or after them. A fit of an earlier day knows none of them and is what it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from engine.calendar import Freq, Period
from engine.errors import BadInput
from engine.model import Fitted, Model, Refits, State
from engine.panel import Panel
from modelzoo import zoo
from modelzoo.nowcast.pool import Member


@dataclass(frozen=True)
class Without:
    """Another nowcast, learned from all months but some. What is fitted is a fit of that one: its state, its weights, its news.

    target: series id.
    member: model and options. In a spec, the label of a model of the same run.
    stretches: first and last month of each, as [["2020-02", "2020-12"]]; a quarter that lies partly in one is left out whole.
    """

    target: str
    member: Member
    stretches: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        if not self.member.model.startswith("nowcast."):
            raise BadInput(f"months can be left out of a nowcast, not of {self.member.model}")
        if not self.stretches:
            raise BadInput("stretches: at least one, as first and last month")
        for first, last in self.months:
            if first.freq is not Freq.M or last.freq is not Freq.M or last < first:
                raise BadInput(f"stretches: {first} to {last} is no stretch of months, the earlier one first")
        _ = self.inner

    @cached_property
    def inner(self) -> Model:
        """The model that learns."""
        return zoo.about(self.member.model, self.target, self.member.options)

    @property
    def months(self) -> Sequence[tuple[Period, Period]]:
        """First and last month of each stretch."""
        return [(Period.parse(first), Period.parse(last)) for first, last in self.stretches]

    @property
    def targets(self) -> tuple[str, ...]:
        return self.inner.targets

    @property
    def inputs(self) -> tuple[str, ...]:
        return self.inner.inputs

    def fit(self, panel: Panel) -> Fitted:
        """What the member learns from the panel ``without`` these months. Raises what it raises."""
        return self.inner.fit(panel.without(self.months))

    def refit(self, panel: Panel, before: Fitted) -> Fitted:
        """As ``fit``, begun where ``before`` ended if the member can. Raises what it raises."""
        seen = panel.without(self.months)
        return self.inner.refit(seen, before) if isinstance(self.inner, Refits) else self.inner.fit(seen)

    def restore(self, state: State) -> Fitted:
        return self.inner.restore(state)


MODEL = Without
