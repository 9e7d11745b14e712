"""The two protocols of the zoo. There is no ``update`` verb and no "is it fitted?": ``fit`` returns another object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from engine.calendar import Period
from engine.estimate import Estimate
from engine.panel import Panel
from engine.typing import Floats

State: TypeAlias = Mapping[str, NDArray[np.float64] | NDArray[np.int64]]
"""What was learned, as arrays only: it travels as a .npz file, never as a pickle."""


class Fitted(Protocol):
    """Frozen parameters. ``estimate`` is pure: a new vintage is another argument, never another state."""

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """The target for these periods, given everything in the panel. Raises NotEnoughData, Unknown."""
        ...

    def state(self) -> State:
        """The learned arrays; ``model.restore(fitted.state())`` gives the same answers to the last bit."""
        ...


class Model(Protocol):
    """A frozen dataclass of hyper-parameters, nothing else."""

    @property
    def targets(self) -> tuple[str, ...]: ...
    @property
    def inputs(self) -> tuple[str, ...]:
        """All series that the model reads, the targets among them."""
        ...

    def fit(self, panel: Panel) -> Fitted:
        """Learn everything (scaling, lags, components) from this panel alone. Raises NotEnoughData, NotConverged."""
        ...

    def restore(self, state: State) -> Fitted:
        """Inverse of ``Fitted.state``."""
        ...


@runtime_checkable
class Refits(Protocol):
    """A model that can learn again from where it stood: along a chain of vintages each fit but the first is short."""

    def refit(self, panel: Panel, before: Fitted) -> Fitted:
        """As ``fit``, begun where an earlier fit of the same model ended, on a panel of any date.

        The same panel and the same earlier fit give the same answer to the last bit; the end is that of ``fit`` as nearly as the
        model's tolerance says. Raises what ``fit`` raises, and BadInput for an earlier fit of another model.
        """
        ...


@dataclass(frozen=True, slots=True)
class Linear:
    """A Gaussian linear estimate opened up, in the units of the panel.

    mean: E[target | panel]. weights: ``(T, N)``, the derivative of that mean by each known cell, 0 elsewhere.
    expected: ``(T, N)``, E[cell | panel] for every cell, known or not. Columns follow ``ids``.
    """

    ids: tuple[str, ...]
    mean: float
    weights: Floats
    expected: Floats


@runtime_checkable
class Explains(Protocol):
    """A fitted model whose estimate is linear in the data, given its parameters, and which can say with what weights."""

    def explain(self, panels: Sequence[Panel], period: Period) -> tuple[Linear, ...]:
        """One Linear a panel. Panels one after another that know the same cells can share most of the work.

        Raises NotLinear where the step from one of these panels to the next is not linear, as when a revision makes a value an
        outlier that is not read.
        """
        ...


@runtime_checkable
class Pooled(Fitted, Protocol):
    """A fitted pool: its mean is the weighted sum of its members' means."""

    @property
    def members(self) -> Mapping[str, Fitted]: ...

    def weights(self, panel: Panel, period: Period) -> Mapping[str, float]:
        """By member label; they add up to 1. A label may be left out, or stand without a member, at a weight of 0."""
        ...


@runtime_checkable
class Reads(Protocol):
    """A fitted model that carries the model it was fitted from, as those of the zoo do: what it reads is ``model.inputs``."""

    @property
    def model(self) -> Model: ...


class NotLinear(ArithmeticError):
    """Between these panels the estimate is no linear function of the data; news takes the other road."""
