"""The Conference Board's composite: symmetric changes, equal volatility, and the trend of the coincident index.

Source: The Conference Board, "Calculating the Composite Indexes" (2012 text). Without its volatility equalisation between
indexes, which it dropped in January 2001.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.errors import NotEnoughData
from engine.model import State
from engine.panel import Panel
from engine.typing import Bools, Floats
from modelzoo.prosperity import components, replay
from modelzoo.prosperity.components import Chosen, choose
from modelzoo.prosperity.history import LEAST, Historied, History, chained, rebased, reweighted, stretch
from modelzoo.prosperity.measure import KNOWN, STEP, Columns, Measured


@dataclass(frozen=True)
class Conference:
    """Weighted symmetric changes of the components, chained; a leading or lagging index takes the trend of the coincident one.

    target: leading, coincident or lagging, and the region: leading@US.
    components: series ids; with a reference they are candidates, of which each fit chooses.
    coincident: series ids whose index gives the trend; empty: with a reference those found coincident, without it none.
    inverted: those of the components that fall when the economy rises; with a reference the sign is learned.
    reference: series id that candidates are held against; empty takes all components.
    base: year whose mean is 100; empty for the first twelve months.
    """

    target: str
    components: tuple[str, ...]
    coincident: tuple[str, ...] = ()
    inverted: tuple[str, ...] = ()
    reference: str = ""
    base: str = ""

    def __post_init__(self) -> None:
        components.check(self)

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def names(self) -> Mapping[str, tuple[str, str]]:
        """English and Chinese names of the parts that are no components."""
        return components.PARTS

    @property
    def inputs(self) -> tuple[str, ...]:
        """The components; the index itself is not a stored series."""
        return components.inputs(self)

    def fit(self, panel: Panel) -> FittedConference:
        """Raises NotEnoughData if no component can be used, or if the past is too short for replays; Unknown."""
        chosen = choose(self, panel, bool(self.reference))
        found = chosen.columns(panel)

        def build(cut: Columns) -> tuple[int, Floats]:
            data = chosen.measured(cut)
            run, parts = learn(chosen, data, self.target).make(chosen, data, self.target)
            return run.start, rebased(parts, data.first + run.start, "", self.target).sum(1)

        past = replay.revisions(found, build)
        learned = learn(chosen, chosen.measured(found), self.target)
        fitted = FittedConference(self, chosen, learned, replay.spread(replay.course(past)))
        fitted.history(panel)  # or what is wrong with it, the base year say
        return fitted

    def restore(self, state: State) -> FittedConference:
        spread, size_trend, error = (np.asarray(state[k], float) for k in ("spread", "size_trend", "error"))
        learned = Learned(spread, float(size_trend[0]), float(size_trend[1]))
        return FittedConference(self, Chosen.restore(self.inputs, state), learned, error)


@dataclass(frozen=True)
class Learned:
    """spread ``(M,)``: standard deviation of the inputs' changes, 0 where too few are known. i = size · mean (change / spread).

    With size the harmonic mean of the spreads this is the Board's Σ change · (1 / spread) / Σ (1 / spread), but for months in
    which a component is missing: the others then count the same, and the size is kept. trend: added, per cent a month.
    """

    spread: Floats
    size: float
    trend: float

    def make(self, chosen: Chosen, data: Measured, target: str) -> tuple[slice, Floats]:
        """The rows of the index, and its parts ``(n, K)`` with base 100: components, trend, base."""
        moves, share = standardised(data, self.spread, chosen.own)
        run = stretch(share, target)
        return run, chained(np.column_stack([self.size * moves[run], np.full(run.stop - run.start, self.trend)]))


@dataclass(frozen=True)
class FittedConference(Historied):
    """error: ``(AGES,)`` relative error of the course of the index by the age of the month (modelzoo.prosperity.replay).

    From replays of the last ten years; the bands are normal with it.
    """

    model: Conference
    chosen: Chosen
    learned: Learned
    error: Floats

    def history(self, panel: Panel) -> History:
        """Every month of the index. Raises NotEnoughData."""
        target, data = self.model.target, self.chosen.measured(self.chosen.columns(panel))
        run, parts = self.learned.make(self.chosen, data, target)
        first = data.first + run.start
        parts = rebased(parts, first, self.model.base, target)
        values = parts.sum(1)
        bands = replay.bands(values, values * replay.by_age(self.error, len(values)))
        marks = data.marks[run][:, self.chosen.own]
        return History(target, first, (*self.chosen.names, "trend", "base"), parts, marks, bands)

    def state(self) -> State:
        v = self.learned
        return {
            **self.chosen.state(), "spread": v.spread, "size_trend": np.array([v.size, v.trend]), "error": self.error
        }  # fmt: skip


def learn(chosen: Chosen, data: Measured, target: str) -> Learned:
    """Spreads and sizes; the trend is the mean change of the coincident index less that of this one, in months of both."""
    spread = volatility(data)
    own, other = chosen.own, chosen.coincident
    size = amplitude(chosen, spread, own)
    if not other.any() or np.array_equal(other, own):
        return Learned(spread, size, 0.0)
    (a, share_a), (b, share_b) = (standardised(data, spread, items) for items in (own, other))
    both = (share_a > LEAST) & (share_b > LEAST)
    if not both.any():
        raise NotEnoughData(f"{target}: the coincident index, which gives the trend, shares no month with it")
    gap = amplitude(chosen, spread, other) * b[both].sum(1).mean() - size * a[both].sum(1).mean()
    return Learned(spread, size, float(gap))


def standardised(data: Measured, spread: Floats, items: Bools) -> tuple[Floats, Floats]:
    """What each of the items adds to their mean standardised change ``(T, n)``, and the share of them that is known."""
    able = spread[items] > 0
    x = data.changes[:, items] / np.where(able, spread[items], 1.0)
    return reweighted(x, able.astype(np.float64))


def amplitude(chosen: Chosen, spread: Floats, items: Bools) -> float:
    """Harmonic mean of the spreads of what is measured in per cent; 1 if nothing is.

    Steps (column of changes) are in any unit, thousands of persons say: their size says nothing about the index's.
    """
    counted = items & (spread > 0) & (chosen.measures != STEP)
    return float(counted.sum() / (1.0 / spread[counted]).sum()) if counted.any() else 1.0


def volatility(data: Measured) -> Floats:
    """``(M,)`` standard deviation of the changes, months that were carried left out; 0 below 24 of them."""
    seen = data.marks == KNOWN
    count = seen.sum(0)
    x = np.where(seen, data.changes, 0.0)
    mean = x.sum(0) / np.maximum(count, 1)
    square = (np.where(seen, x - mean, 0.0) ** 2).sum(0)
    return np.where(count >= 24, np.sqrt(square / np.maximum(count - 1, 1)), 0.0)


MODEL = Conference
