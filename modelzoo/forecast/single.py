"""What the methods for a single series share: scale, frozen parameters run over whatever panel comes, and bands.

A method says two things: what it learns from an even run of values, and what path it then sees ahead of such a run. The rest is
here. Values are divided by their mean size and rounded at the tenth decimal, so that a unit never decides which of two equal optima
an optimiser finds.

Bands: with frozen parameters a path moves by c_j, j slots ahead, for a unit of surprise in the newest value. That response is
measured by running the method twice. The error h slots ahead is then Σ c_j e_{h-j} with c_0 = 1, which is exact for methods that
are linear in the values (Hyndman, Koehler, Ord & Snyder 2008, section 6.1) and first order for the others; it gives the variance of
sums of slots, too. The standard deviation of e is that of the errors one slot ahead, less the parameters; of a positive level it is
a share of the level.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.align import published
from engine.calendar import Period
from engine.errors import NotConverged, NotEnoughData
from engine.estimate import Estimate
from engine.model import State
from engine.panel import Panel
from engine.typing import Floats, Ints
from modelzoo.forecast import history
from modelzoo.forecast.history import History

_BUMP = 0.01  # of the mean size of the values: far above the rounding of single precision, which some methods use
Parameters = Mapping[str, Floats | Ints]


class Learned(NamedTuple):
    """Frozen parameters, errors one slot ahead ``(k,)`` of the scaled values, and how many numbers were fitted."""

    parameters: Parameters
    fitted: Floats
    free: int


@dataclass(frozen=True)
class Single(ABC):
    """A method for one series on its own.

    target: series id, monthly, quarterly or annual.
    """

    target: str

    fills = True
    """Whether gaps are filled beforehand; else the method is given NaN there."""

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.target,)

    @abstractmethod
    def learn(self, values: Floats, season: int, positive: bool, phase: int) -> Learned:
        """From ``(n,)`` scaled values: parameters, and ``fitted`` values one slot ahead for the last of them.

        season: slots a year; phase: that of the first value in its year. Raises NotConverged.
        """

    @abstractmethod
    def path(self, parameters: Parameters, values: Floats, season: int, ahead: int, phase: int) -> Floats:
        """``(ahead,)`` the path after ``(n,)`` scaled values."""

    def fit(self, panel: Panel) -> FittedSingle:
        """Raises NotEnoughData below two years (annual: eight values) and for a constant, NotConverged."""
        h = history.read(panel, self.target)
        scale = float(np.abs(h.values).mean())
        y = scaled(h, scale, self.fills)
        try:
            parameters, fitted, free = self.learn(y, h.slots, h.positive, h.first % h.slots)
        # NotImplementedError is what statsforecast says of a run that is too short for its method
        except (ValueError, ArithmeticError, np.linalg.LinAlgError, NotImplementedError) as wrong:
            raise NotConverged(
                f"{self.target} as of {panel.day}: {type(self).__name__} found no fit: {wrong}"
            ) from wrong
        n = len(fitted)
        errors = y[-n:] - fitted
        if h.positive:
            errors = errors / np.where(np.isnan(y[-n:]), np.nan, np.maximum(y[-n:], 1e-3))
        errors = errors[min(h.slots, n // 2) :]  # the first year still shows where the method began
        errors = errors[np.isfinite(errors)]
        if not len(errors) or not np.isfinite(errors).all():
            raise NotConverged(
                f"{self.target} as of {panel.day}: {type(self).__name__} has no errors to learn bands from"
            )
        sigma = float(np.sqrt((errors**2).sum() / max(len(errors) - free, 1)))
        return FittedSingle(self, scale, sigma, h.slots, h.first, h.positive, parameters)

    def restore(self, state: State) -> FittedSingle:
        (scale, sigma), (slots, first, positive) = state["scale_sigma"].tolist(), state["slots"].tolist()
        own = {k.removeprefix("p_"): v for k, v in state.items() if k.startswith("p_")}
        return FittedSingle(self, scale, sigma, slots, first, bool(positive), own)


def scaled(h: History, scale: float, fills: bool = True) -> Floats:
    """``(n,)`` values over their scale; NaN in gaps unless they are to be filled."""
    y = np.round(h.values / scale, 10)
    return y if fills else np.where(h.seen, y, np.nan)


@dataclass(frozen=True)
class FittedSingle:
    """scale: mean size of the values learned from. sigma: of errors one slot ahead, scaled; a share of the level if positive."""

    model: Single
    scale: float
    sigma: float
    slots: int
    first: int
    positive: bool
    parameters: Parameters

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """The frozen method run over the panel's values; a published value is given as it is.

        Raises NotEnoughData where the panel is too short, or of another kind than the parameters were learned from.
        """
        target = self.model.target
        mean, sd = published(panel, target, periods), np.zeros(len(periods))
        unknown = np.flatnonzero(np.isnan(mean))
        if len(unknown):
            h = aligned(panel, target, self.slots, self.first, self.positive)
            asked = [periods[j] for j in unknown.tolist()]
            known, weights = h.weights(asked)
            mean[unknown], sd[unknown] = known, 0.0
            if weights.any():
                path, spread = self._ahead(h, weights.shape[1])
                mean[unknown] += weights @ path
                sd[unknown] = np.linalg.norm(weights @ spread, axis=1)
            inside = (weights == 0).all(axis=1)  # in a gap that was filled
            size = np.abs(known[inside]) if self.positive else np.full(int(inside.sum()), self.scale)
            sd[unknown[inside]] = self.sigma * size
        return Estimate.normal(target, panel.asof, periods, mean, sd)

    def _ahead(self, h: History, ahead: int) -> tuple[Floats, Floats]:
        """``(H,)`` the path and ``(H, H)`` by what each surprise ahead (columns, one standard deviation) moves it."""
        y, phase = scaled(h, self.scale, self.model.fills), h.first % h.slots
        bumped = y.copy()
        bumped[-1] += _BUMP
        path, other = (self.model.path(self.parameters, v, h.slots, ahead, phase) for v in (y, bumped))
        if not (np.isfinite(path).all() and np.isfinite(other).all()):
            raise NotConverged(f"{self.model.target}: {type(self.model).__name__} sees no path of finite numbers")
        response = np.r_[1.0, (other - path)[:-1] / _BUMP]
        lag = np.subtract.outer(np.arange(ahead), np.arange(ahead))
        moved = np.where(lag >= 0, response[np.abs(lag)], 0.0)
        size = np.abs(path) if self.positive else np.ones(ahead)
        return path * self.scale, moved * (self.sigma * self.scale * size)

    def state(self) -> State:
        return {
            "scale_sigma": np.array([self.scale, self.sigma]),
            "slots": np.array([self.slots, self.first, self.positive], np.int64),
            **{f"p_{name}": value for name, value in self.parameters.items()},
        }


def aligned(panel: Panel, target: str, slots: int, first: int, positive: bool) -> History:
    """The history of a panel on which frozen parameters may be run. Raises NotEnoughData where they do not fit it."""
    h = history.read(panel, target).since(first)
    if h.slots != slots or (positive and not h.positive):
        why = "January and February are published in another way" if h.slots != slots else "a value is not above zero"
        raise NotEnoughData(f"{target} as of {panel.day}: {why} than when the parameters were learned; fit it anew")
    return h
