"""The OECD's composite leading indicator: linked growth cycles; amplitude adjusted, trend restored, 12-month rate.

Source: Gyomai & Guidetti (2012), OECD System of Composite Leading Indicators. The steps that take place before a panel
(seasonal adjustment, outliers) are those of the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.cycle import extend, growth_cycle
from engine.errors import BadInput, NotEnoughData
from engine.model import State
from engine.panel import Panel
from engine.typing import Bools, Floats, Ints
from modelzoo.prosperity import components, replay
from modelzoo.prosperity.components import Chosen, bridged, choose
from modelzoo.prosperity.history import Historied, History, stretch
from modelzoo.prosperity.measure import GROWTH, LEVEL, Columns, Measured

LONGEST = 12
"""Months of lead; what leads by more is shifted, so that no component turns long before the others."""

Form = Literal["amplitude", "trend", "rate"]


@dataclass(frozen=True)
class Cli:
    """Cycles of 12 … 120 months (double Hodrick-Prescott, steadied by forecasts), normalised, averaged and linked.

    target: leading, coincident or lagging, and the region: leading@US.
    components: series ids, the candidates; each fit chooses of them unless ``select`` is false.
    reference: series id whose cycle is to be led, and whose amplitude and trend the indicator takes.
    inverted: those of the components that fall when the economy rises; if chosen, the sign is learned.
    select: whether components are chosen at every fit, or all taken.
    form: amplitude (adjusted, 100 is the trend), trend (restored, in the reference's unit; an index where the panel holds its
        growth), or rate (of the trend-restored indicator over twelve months).
    """

    target: str
    components: tuple[str, ...]
    reference: str
    inverted: tuple[str, ...] = ()
    select: bool = True
    form: Form = "amplitude"

    def __post_init__(self) -> None:
        components.check(self)
        if not self.reference:
            raise BadInput(f"{self.target}: a composite leading indicator needs a reference series")

    @property
    def coincident(self) -> tuple[str, ...]:
        """None: amplitude and trend are those of the reference."""
        return ()

    @property
    def base(self) -> str:
        """None: 100 is the trend."""
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

    def fit(self, panel: Panel) -> FittedCli:
        """Raises NotEnoughData if no component or not the reference can be used, or if the past is too short for replays."""
        chosen = choose(self, panel, self.select)
        found = chosen.columns(panel)

        def build(cut: Columns) -> tuple[int, Floats]:
            learned, cycles = learn(self, chosen, chosen.measured(cut))
            first, parts = learned.make(self, chosen, cycles)
            return first, parts.sum(1)

        past = replay.revisions(found, build)
        error = past.error / past.final if self.form == "trend" else past.error
        return FittedCli(self, chosen, learn(self, chosen, chosen.measured(found))[0], replay.spread(error))

    def restore(self, state: State) -> FittedCli:
        mean, size, centre, error = (np.asarray(state[k], float) for k in ("mean", "size", "centre", "error"))
        learned = Learned(mean, size, float(centre[0]), float(centre[1]))
        return FittedCli(self, Chosen.restore(self.inputs, state), learned, error)


@dataclass(frozen=True)
class Cycles:
    """Of one panel: cycles ``(T, N)`` of the components, the reference's own ``(T,)`` and its trend ``(T,)``, NaN where unknown.

    percent: the trend is in logarithms, and the reference's cycle in per cent of it.
    """

    cycles: Floats
    reference: Floats
    trend: Floats
    percent: bool


@dataclass(frozen=True)
class Learned:
    """mean, size ``(N,)`` of the components' cycles (mean absolute deviation); centre of the linked index and its stretch."""

    mean: Floats
    size: Floats
    centre: float
    stretch: float

    def make(self, model: Cli, chosen: Chosen, c: Cycles) -> tuple[int, Floats]:
        """The first row of the index and its parts ``(n, K)``: components, in other forms than amplitude the trend, base."""
        run, parts = link(self.normalised(chosen, c.cycles), model.target)
        adjusted = parts * self.stretch
        adjusted[:, -1] += 100.0 - self.stretch * self.centre
        if model.form == "amplitude":
            return run.start, adjusted
        known = ~np.isnan(c.trend[run])
        if not known[-1]:
            raise NotEnoughData(
                f"{model.target}: the trend of {model.reference} cannot be carried to the end of the index"
            )
        begin = len(known) - int(np.argmin(known[::-1])) if not known.all() else 0
        restored = restore_trend(adjusted[begin:], c.trend[run][begin:], c.percent)
        if model.form == "trend":
            return run.start + begin, restored
        if len(restored) <= 12:
            raise NotEnoughData(f"{model.target}: a rate over 12 months needs 13 months of the index")
        change = restored[12:] - restored[:-12]
        level = restored[:-12].sum(1)
        return run.start + begin + 12, change[:, :-1] * (100.0 / level)[:, None] if c.percent else change[:, :-1]

    def normalised(self, chosen: Chosen, cycles: Floats) -> Floats:
        """100 + (cycle - mean) / size, those of long leads shifted to later months."""
        out = 100.0 + (cycles - self.mean) / self.size
        for n, months in enumerate(shifts(chosen)):
            if months:
                out[:, n] = np.concatenate([np.full(months, np.nan), out[:-months, n]])
        return np.asarray(out, np.float64)


@dataclass(frozen=True)
class FittedCli(Historied):
    """The filters, and the forecasts that steady their ends, run anew on the panel asked; norms and stretch are as learned.

    error: ``(AGES,)`` error of a month by its age, from replays of the last ten years (relative for form trend); the bands
    are normal with it.
    """

    model: Cli
    chosen: Chosen
    learned: Learned
    error: Floats

    def history(self, panel: Panel) -> History:
        """Every month of the index. Raises NotEnoughData."""
        data = self.chosen.measured(self.chosen.columns(panel))
        c = cycles_of(self.model, self.chosen, data)
        first, parts = self.learned.make(self.model, self.chosen, c)
        values = parts.sum(1)
        sd = replay.by_age(self.error, len(values)) * (values if self.model.form == "trend" else 1.0)
        more = {"amplitude": ("base",), "trend": ("trend", "base"), "rate": ("trend",)}[self.model.form]
        marks = data.marks[first : first + len(values)][:, self.chosen.own]
        names = (*self.chosen.names, *more)
        return History(self.model.target, data.first + first, names, parts, marks, replay.bands(values, sd))

    def cycle(self, values: Floats) -> Floats:
        """Per cent from 100 where amplitude is adjusted; of a restored trend, or a rate, the waves about its own trend."""
        if self.model.form == "amplitude":
            return values - 100.0
        return growth_cycle(values).cycle

    def state(self) -> State:
        v = self.learned
        return {
            **self.chosen.state(), "mean": v.mean, "size": v.size, "centre": np.array([v.centre, v.stretch]),
            "error": self.error,
        }  # fmt: skip


def learn(model: Cli, chosen: Chosen, data: Measured) -> tuple[Learned, Cycles]:
    """Norms, centre and stretch from these months alone. Raises NotEnoughData."""
    c = cycles_of(model, chosen, data)
    known = ~np.isnan(c.cycles)
    count = np.maximum(known.sum(0), 1)
    mean = np.where(known, c.cycles, 0.0).sum(0) / count
    size = np.where(known, np.abs(c.cycles - mean), 0.0).sum(0) / count
    size = np.where(size > 0, size, 1.0)
    plain = Learned(mean, size, 100.0, 1.0)
    run, parts = link(plain.normalised(chosen, c.cycles), model.target)
    index, reference = parts.sum(1), c.reference[run]
    both = ~np.isnan(reference)
    if both.sum() < 24:
        raise NotEnoughData(
            f"{model.target}: {both.sum()} months of it and of {model.reference} overlap; 24 are needed"
        )
    off, theirs = index - index.mean(), reference[both]
    ratio = np.abs(theirs - theirs.mean()).mean() / np.abs(off).mean()
    return Learned(mean, size, float(index.mean()), float(ratio)), c


def cycles_of(model: Cli, chosen: Chosen, data: Measured) -> Cycles:
    """The cycles of components and reference. Raises NotEnoughData for a reference of less than 48 months."""
    r = chosen.ids.index(model.reference)
    percent = bool(np.isin(chosen.measures[r], (GROWTH, LEVEL)))
    own = data.levels[:, chosen.own]
    reference = bridged(data.levels[:, r : r + 1] * chosen.sign[r])
    last = int(np.flatnonzero(~np.isnan(reference[:, 0]))[-1]) if not np.isnan(reference).all() else -1
    if last < 0:
        raise NotEnoughData(f"{model.reference}: nothing is known of the reference series")
    if late := len(reference) - 1 - last:  # the reference is often the last to be published
        reference = extend(reference[: last + 1], late)
    found = growth_cycle(np.hstack([bridged(own), reference]))
    cycles = np.where(np.isnan(own), np.nan, found.cycle[:, :-1])
    cycle = found.cycle[:, -1] * (100.0 if percent else 1.0)
    cycle[last + 1 :] = np.nan
    return Cycles(cycles, cycle, found.trend[:, -1], percent)


def link(normalised: Floats, target: str, weights: Floats | None = None) -> tuple[slice, Floats]:
    """Rows and parts ``(n, N + 1)`` of I_t = I_t-1 Σ w c_t / Σ w c_t-1 over the components of both months, 100 before the first.

    normalised: ``(T, N)`` around 100, NaN where not known. weights ``(N,)``, equal if not given. A month counts if more than
    0.6 of the weights are there. The last part is the base.
    """
    N = normalised.shape[1]
    w = np.full(N, 1.0 / N) if weights is None else weights / weights.sum()
    both: Bools = np.zeros(normalised.shape, bool)
    both[1:] = ~np.isnan(normalised[1:]) & ~np.isnan(normalised[:-1])
    run = stretch(both @ w, target)
    before = np.where(both[1:], normalised[:-1], 0.0)[run.start - 1 : run.stop - 1] * w
    now = np.where(both[1:], normalised[1:], 0.0)[run.start - 1 : run.stop - 1] * w
    level = 100.0 * np.cumprod(now.sum(1) / before.sum(1))
    scale = np.concatenate([[100.0], level[:-1]]) / before.sum(1)
    parts = np.cumsum((now - before) * scale[:, None], axis=0)
    return run, np.column_stack([parts, level - parts.sum(1)])


def restore_trend(adjusted: Floats, trend: Floats, percent: bool) -> Floats:
    """Parts ``(n, K + 1)`` of the indicator times (plus, for a rate) the trend ``(n,)``: components, trend, base."""
    index, moves = adjusted.sum(1), np.diff(adjusted[:, :-1], axis=0)
    if percent:
        level = np.exp(trend) / 100.0
        moves, drift, start = moves * level[1:, None], index[:-1] * np.diff(level), index[0] * level[0]
    else:
        drift, start = np.diff(trend), trend[0] + index[0] - 100.0
    parts = np.cumsum(np.column_stack([moves, drift]), axis=0)
    parts = np.vstack([np.zeros(parts.shape[1]), parts])
    return np.column_stack([parts, np.full(len(parts), start)])


def shifts(chosen: Chosen) -> Ints:
    """``(N,)`` months by which the components of the index are moved to later: what their lead has above LONGEST."""
    lead = np.nan_to_num(chosen.lead[chosen.own])
    return np.maximum(0, np.round(lead) - LONGEST).astype(np.int64)


MODEL = Cli
