"""The Chinese composite (先行, 一致, 滞后): standardised changes, the F factor, and the trend of the coincident items.

The dialect of the NBER, Japan's EPA and China's monitoring centre. Every index moves as much as the coincident one (F), and
as fast in the long run as the coincident items do on average from their first full cycle to their last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from engine.errors import BadInput, NotEnoughData
from engine.filters import band
from engine.model import State
from engine.panel import Panel
from engine.turning import Oecd, date
from engine.typing import Bools, Floats
from modelzoo.prosperity import components, replay
from modelzoo.prosperity.components import Chosen, choose
from modelzoo.prosperity.history import Historied, History, chained, rebased, reweighted, stretch
from modelzoo.prosperity.measure import GROWTH, KNOWN, LEVEL, Columns, Measured

SHORT = 36
"""Months at either end that stand for a cycle where fewer than two full cycles are known."""


@dataclass(frozen=True)
class Composite:
    """C symmetric changes, S = C / mean |C|, R their weighted mean, V = R / F with F = mean |R| / mean |R of the coincident|.

    I_t = I_t-1 (200 + V') / (200 - V'), V' = V + (mean growth of the coincident items - growth of the index without it), both
    in per cent a month between the first and the last full cycle of the coincident index.

    target: leading, coincident or lagging, and the region: leading@US.
    components: series ids; with a reference they are candidates, of which each fit chooses.
    coincident: series ids of the coincident index, which gives F and the trend; empty: with a reference those found
        coincident, without it the components themselves.
    inverted: those of the components that fall when the economy rises; with a reference the sign is learned.
    reference: series id that candidates are held against; empty takes all components.
    base: year whose mean is 100; empty for the first twelve months.
    weights: one number for each of components; empty: all count the same.
    """

    target: str
    components: tuple[str, ...]
    coincident: tuple[str, ...] = ()
    inverted: tuple[str, ...] = ()
    reference: str = ""
    base: str = ""
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        components.check(self)
        if self.weights and (len(self.weights) != len(self.components) or not all(w > 0 for w in self.weights)):
            raise BadInput(f"{self.target}: {len(self.components)} components need as many weights, each above 0")

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def names(self) -> Mapping[str, tuple[str, str]]:
        """English and Chinese names of the parts that are no components."""
        return components.PARTS

    @property
    def inputs(self) -> tuple[str, ...]:
        """The components, those of the coincident index, the reference; the index itself is not a stored series."""
        return components.inputs(self)

    def fit(self, panel: Panel) -> FittedComposite:
        """Raises NotEnoughData if no component can be used, or if the past is too short for replays; Unknown."""
        chosen = choose(self, panel, bool(self.reference))
        given = self._given(chosen)
        found = chosen.columns(panel)

        def build(cut: Columns) -> tuple[int, Floats]:
            data = chosen.measured(cut)
            run, parts = learn(chosen, data, given, self.target).make(chosen, data, self.target)
            return run.start, rebased(parts, data.first + run.start, "", self.target).sum(1)

        past = replay.revisions(found, build)
        learned = learn(chosen, chosen.measured(found), given, self.target)
        fitted = FittedComposite(self, chosen, learned, replay.spread(replay.course(past)))
        fitted.history(panel)  # or what is wrong with it, the base year say
        return fitted

    def restore(self, state: State) -> FittedComposite:
        scale, weights, error = (np.asarray(state[k], float) for k in ("scale", "weights", "error"))
        factor, growth, own, cycles = np.asarray(state["trend"], float)
        learned = Learned(scale, weights, float(factor), float(growth), float(own), int(cycles))
        return FittedComposite(self, Chosen.restore(self.inputs, state), learned, error)

    def _given(self, chosen: Chosen) -> Floats:
        """``(M,)`` weights before a component is missing."""
        said = dict(zip(self.components, self.weights, strict=False))
        return np.array([said.get(i, 1.0) for i in chosen.ids])


@dataclass(frozen=True)
class Learned:
    """What a composite learns: scale ``(M,)`` mean |change| of each input, weights ``(M,)`` over the items of the index.

    factor: F. growth, own: per cent a month, of the coincident items on average and of the index before it is set right.
    cycles: full cycles that were found; below 2, the first and the last three years stand for them.
    """

    scale: Floats
    weights: Floats
    factor: float
    growth: float
    own: float
    cycles: int

    def make(self, chosen: Chosen, data: Measured, target: str) -> tuple[slice, Floats]:
        """The rows of the index, and its parts ``(n, K)`` with base 100: components, trend, base."""
        moves, share = _moves(data, chosen.own, self.scale, self.weights)
        run = stretch(share, target)
        trend = np.full(run.stop - run.start, self.growth - self.own)
        return run, chained(np.column_stack([moves[run] / self.factor, trend]))


@dataclass(frozen=True)
class FittedComposite(Historied):
    """error: ``(AGES,)`` relative error of the course of the index by the age of the month (modelzoo.prosperity.replay).

    From replays of the last ten years; the bands are normal with it.
    """

    model: Composite
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
            **self.chosen.state(), "scale": v.scale, "weights": v.weights, "error": self.error,
            "trend": np.array([v.factor, v.growth, v.own, float(v.cycles)]),
        }  # fmt: skip


def learn(chosen: Chosen, data: Measured, given: Floats, target: str) -> Learned:
    """Scales, F and the trend from these months alone. Raises NotEnoughData."""
    seen = np.where(data.marks == KNOWN, np.abs(data.changes), np.nan)
    count = (~np.isnan(seen)).sum(0)
    scale = np.where(count >= 24, np.nan_to_num(seen).sum(0) / np.maximum(count, 1), 0.0)
    weights = np.where(scale > 0, given, 0.0)  # what never moved has no say
    scale = np.where(scale > 0, scale, 1.0)
    own = chosen.own
    other = chosen.coincident if chosen.coincident.any() else own
    own_moves, own_share = _moves(data, own, scale, weights)
    run = stretch(own_share, target)
    moves, wide = own_moves[run].sum(1), run
    if not np.array_equal(other, own):
        their_moves, their_share = _moves(data, other, scale, weights)
        wide = stretch(their_share, f"the coincident index beside {target}")
        lo, hi = max(run.start, wide.start), min(run.stop, wide.stop)
        if hi - lo < 24:
            raise NotEnoughData(
                f"{target} and the coincident index beside it share {max(hi - lo, 0)} months; 24 are needed"
            )
        theirs = their_moves[wide].sum(1)
        factor = float(np.abs(own_moves[lo:hi].sum(1)).mean() / np.abs(their_moves[lo:hi].sum(1)).mean())
    else:
        theirs, factor = moves, 1.0
    spans, cycles = _cycles(_level(theirs))
    spans = tuple(range(wide.start + s.start, wide.start + s.stop) for s in spans)
    levels = data.levels[:, other]
    measures = chosen.measures[other]
    paces = [
        _pace(np.exp(chosen.sign[other][n] * levels[:, n]), spans)
        for n in range(levels.shape[1])
        if measures[n] in (GROWTH, LEVEL)
    ]
    paces = [p for p in paces if np.isfinite(p)]
    level = np.full(len(data.changes), np.nan)
    level[run] = _level(moves / factor)
    pace = _pace(level, spans)
    if not np.isfinite(pace):  # the index begins after the first cycle or ends before the last
        pace = _pace(level, tuple(range(run.start + s.start, run.start + s.stop) for s in _ends(run.stop - run.start)))
    return Learned(scale, weights, factor, float(np.mean(paces)) if paces else 0.0, pace, cycles)


def _moves(data: Measured, items: Bools, scale: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weighted standardised changes ``(T, n)`` of some items, and the share of the weights that is there."""
    return reweighted(data.changes[:, items] / scale[items], weights[items])


def _level(moves: Floats) -> Floats:
    return np.asarray(np.cumprod((200.0 + moves) / (200.0 - moves)), np.float64)


def _cycles(level: Floats) -> tuple[tuple[range, ...], int]:
    """The rows of the first and the last full cycle, from peak to peak or trough to trough, and how many there are.

    Cycles are those of the 12 … 120 month band, dated by the OECD's rules. Below two, three years at both ends.
    """
    spans: list[range] = []
    if len(level) >= 60:
        turns = date(band(np.log(level)).cycle, Oecd())
        for rows in (turns.peaks, turns.troughs):
            spans = max(spans, [range(a, b) for a, b in pairwise(rows)], key=len)
    if len(spans) >= 2:
        return (spans[0], spans[-1]), len(spans)
    return _ends(len(level)), len(spans)


def _ends(T: int) -> tuple[range, ...]:
    n = min(SHORT, T // 2)
    return range(n), range(T - n, T)


def _pace(level: Floats, spans: tuple[range, ...]) -> float:
    """Per cent a month from the mean level of the first span to that of the last, between their centres; NaN if not known."""
    first, last = spans
    a, b = level[first.start : first.stop], level[last.start : last.stop]
    a, b = a[a == a], b[b == b]  # NaN where not known
    months = (last.start + last.stop - first.start - first.stop) / 2
    if len(a) < 0.8 * len(first) or len(b) < 0.8 * len(last) or months <= 0:
        return float("nan")
    return float(100.0 * ((b.mean() / a.mean()) ** (1.0 / months) - 1.0))


MODEL = Composite
