"""Diffusion indices: how widespread a rise is among the components; simple, weighted or cumulative.

Source: The Conference Board, diffusion indexes (1 for a rise of more than 0.05 %, ½ within ±0.05 %, 0 below); cumulative: Σ
(index - 50), whose turns are the crossings of 50.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.cycle import growth_cycle
from engine.errors import BadInput
from engine.estimate import LEVELS
from engine.model import State
from engine.panel import Panel
from engine.typing import Floats
from modelzoo.prosperity import components
from modelzoo.prosperity.components import Chosen, choose
from modelzoo.prosperity.history import Historied, History, Z, reweighted, stretch
from modelzoo.prosperity.measure import GROWTH, LEVEL, MISSING, Measured

FLAT = 0.05
"""Per cent within which a quantity stands still; differences of rates and steps stand still at 0 alone."""


@dataclass(frozen=True)
class Diffusion:
    """100 Σ w (1 if it rose, ½ if it stood still), over the components whose change is known.

    target: leading, coincident or lagging, and the region: leading@US.
    components: series ids; with a reference they are candidates, of which each fit chooses.
    inverted: those of the components that fall when the economy rises; with a reference the sign is learned.
    reference: series id that candidates are held against; empty takes all components.
    weights: one number for each of components; empty: all count the same.
    span: months over which a change is taken, 1, 3 or 6.
    smooth: months of a trailing mean of the index, 1 for none.
    form: index, 0 … 100; or cumulative, the sum of (index - 50) from its first month on.
    """

    target: str
    components: tuple[str, ...]
    inverted: tuple[str, ...] = ()
    reference: str = ""
    weights: tuple[float, ...] = ()
    span: Literal[1, 3, 6] = 1
    smooth: int = 1
    form: Literal["index", "cumulative"] = "index"

    def __post_init__(self) -> None:
        components.check(self)
        if self.weights and (len(self.weights) != len(self.components) or not all(w > 0 for w in self.weights)):
            raise BadInput(f"{self.target}: {len(self.components)} components need as many weights, each above 0")
        if self.span not in (1, 3, 6) or not 1 <= self.smooth <= 12:
            raise BadInput(f"{self.target}: span is 1, 3 or 6, smooth 1 … 12")

    @property
    def coincident(self) -> tuple[str, ...]:
        """None: a diffusion index stands alone."""
        return ()

    @property
    def base(self) -> str:
        """None: it has no base year."""
        return ""

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def names(self) -> Mapping[str, tuple[str, str]]:
        """English and Chinese names of the parts that are no components."""
        return components.PARTS

    @property
    def inputs(self) -> tuple[str, ...]:
        """The components and the reference; the index itself is not a stored series."""
        return components.inputs(self)

    def fit(self, panel: Panel) -> FittedDiffusion:
        """Raises NotEnoughData if no component can be used; Unknown."""
        return FittedDiffusion(self, choose(self, panel, bool(self.reference)))

    def restore(self, state: State) -> FittedDiffusion:
        return FittedDiffusion(self, Chosen.restore(self.inputs, state))


@dataclass(frozen=True)
class FittedDiffusion(Historied):
    """Nothing is learned but which components are in it, so that it is not revised unless its data are.

    Its bands are those of a sample: the components stand for all that might have been asked. Wilson's interval for the index
    (never of no width, within 0 … 100); for the cumulative index, the spread of the components' own sums.
    """

    model: Diffusion
    chosen: Chosen

    def history(self, panel: Panel) -> History:
        """Every month of the index. Raises NotEnoughData."""
        model, own = self.model, self.chosen.own
        data = self.chosen.measured(self.chosen.columns(panel))
        rises = _rises(data, self.chosen, model.span)[:, own]
        weights = self._weights()[own]
        weights = weights / weights.sum()
        shares, share = reweighted(rises, weights)
        run = stretch(share, model.target)
        shares, there = shares[run], ~np.isnan(rises[run])
        first, marks = data.first + run.start, data.marks[run][:, own]
        marks = np.where(there, marks, MISSING)
        effective = (there @ weights) ** 2 / (there @ weights**2)  # as many equal components
        if model.smooth > 1:
            shares, effective = _trailing(shares, model.smooth), effective[model.smooth - 1 :]
            first, marks = first + (model.smooth - 1), marks[model.smooth - 1 :]
        p = np.clip(shares.sum(1), 0.0, 1.0)
        bands = 100.0 * _wilson(p, effective)
        if model.form == "index":
            return History(model.target, first, self.chosen.names, 100.0 * shares, marks, bands)
        parts = np.cumsum(np.column_stack([100.0 * shares, np.full(len(shares), -50.0)]), axis=0)
        each = parts[:, :-1] - weights * parts[:, :-1].sum(1)[:, None]  # a component's sum about its share of the whole
        n = int(own.sum())
        month = 0.5 * (bands[:, LEVELS.index(0.9)] - bands[:, LEVELS.index(0.1)]) / Z[LEVELS.index(0.9)]
        sd = np.sqrt(n / max(n - 1, 1) * (each**2).sum(1) + month**2)
        quantiles = parts.sum(1)[:, None] + sd[:, None] * Z
        return History(model.target, first, (*self.chosen.names, "neutral"), parts, marks, quantiles)

    def cycle(self, values: Floats) -> Floats:
        """Points from 50; of the cumulative index, points from its trend."""
        return values - 50.0 if self.model.form == "index" else growth_cycle(values).cycle

    def state(self) -> State:
        return self.chosen.state()

    def _weights(self) -> Floats:
        said = dict(zip(self.model.components, self.model.weights, strict=False))
        return np.array([said.get(i, 1.0) for i in self.chosen.ids])


def _rises(data: Measured, chosen: Chosen, span: int) -> Floats:
    """``(T, M)`` 1 risen, ½ unchanged, 0 fallen over ``span`` months, NaN where not known."""
    change = np.full(data.levels.shape, np.nan)
    change[span:] = (data.levels[span:] - data.levels[:-span]) * chosen.sign  # as published
    percent = np.isin(chosen.measures, (GROWTH, LEVEL))
    usual = np.abs(np.nan_to_num(data.changes)).mean(0)
    size = np.where(percent, 100.0 * np.expm1(np.where(percent, change, 0.0)), change) * chosen.sign
    flat = np.where(percent, FLAT, 1e-9 * usual)  # the latter is what sums of floating numbers leave
    return np.where(np.isnan(change), np.nan, np.where(size > flat, 1.0, np.where(size < -flat, 0.0, 0.5)))


def _wilson(p: Floats, n: Floats) -> Floats:
    """``(T, len(LEVELS))`` quantiles of a share p ``(T,)`` of n ``(T,)`` components: Wilson's score bounds (1927)."""
    p, n = p[:, None], n[:, None]
    bounds = (p + Z**2 / (2 * n) + Z * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))) / (1 + Z**2 / n)
    return np.maximum.accumulate(np.clip(bounds, 0.0, 1.0), axis=1)  # at 0 and 1 rounding would let them cross


def _trailing(shares: Floats, n: int) -> Floats:
    total = np.cumsum(np.vstack([np.zeros(shares.shape[1]), shares]), axis=0)
    return np.asarray((total[n:] - total[:-n]) / n, np.float64)


MODEL = Diffusion
