"""The mixed-frequency dynamic factor model in blocks, by maximum likelihood, for panels with any pattern of missing values.

Model and block structure: Bok, Caratelli, Giannone, Sbordone & Tambalotti (2017, New York Fed Staff Report 830); estimation:
Bańbura & Modugno (2014, J. Appl. Econometrics 29), with the M-step of ``engine.factor``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np

from engine import factor, factor_fit, factor_start
from engine.align import pairs, published
from engine.calendar import Freq, Period
from engine.errors import BadInput, NotConverged, NotEnoughData
from engine.estimate import Estimate
from engine.factor_number import chosen
from engine.model import Fitted, Linear, NotLinear, State
from engine.outliers import bounds, masked
from engine.panel import Panel
from engine.typing import Bools, Floats
from engine.uncertainty import Sources
from modelzoo.nowcast import bootstrap
from modelzoo.nowcast.factor_layout import Layout, Sample, months_of

FEWEST = {Freq.M: 24, Freq.Q: 12}  # known values below which a series is left out of a fit


@dataclass(frozen=True)
class Dfm:
    """One or more factors a block, VAR within a block, AR(1) idiosyncratics, Mariano-Murasawa aggregation.

    A value that stands for January and February as one is read as the mean of both months (``engine.align.pairs``); a series whose
    indicator has the aggregation "year" is growth on the year of months that grow on the month.

    target: series id, quarterly or monthly.
    blocks: name -> series ids; a series may stand in several blocks, the first is usually the global one.
    factors: how many a block; 0 in a model of one block: as many as the growth ratio of Ahn & Horenstein (2013, Econometrica 81)
        finds in its monthly series at each fit, 1 … 8 (engine.factor_number).
    order: lags of the factors, 1 … 5.
    since: the first month of the sample, as 2000-01; empty for all that is known.
    loadings: found by maximum likelihood with all the rest, or held at principal components (two steps: Doz, Giannone & Reichlin
        2011, J. Econometrics 164), which keeps a block from narrowing to a pair of near-copies such as output and capacity use.
    noise: measurement variance of standardised series; 0 is exact, 1e-4 is what the New York Fed's program assumes.
    tolerance: EM ends when the log-likelihood rises by less than this share of itself.
    iterations: after so many, NotConverged.
    outliers: values more than so many interquartile ranges from the median are read as missing; 0 reads all.
        The bounds are learned at each fit (engine.outliers).
    draws: so many fits to panels drawn from the model tell at each fit what estimating the parameters adds to the bands
        (modelzoo.nowcast.bootstrap); 0: bands hold states and shocks alone.
    """

    target: str
    blocks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    factors: int = 1
    order: int = 1
    since: str = ""
    loadings: Literal["likelihood", "components"] = "likelihood"
    noise: float = 0.0
    tolerance: float = 1e-6
    iterations: int = 1000
    outliers: float = 0.0
    draws: int = 0

    def __post_init__(self) -> None:
        if not any(self.target in members for members in self.blocks.values()):
            raise BadInput(f"{self.target}: the target must stand in a block")
        if not (1 <= self.order <= 5 and self.factors >= 0 and self.noise >= 0):
            raise BadInput("order must lie in 1 … 5, factors be at least 1 or 0 to choose, noise not be negative")
        if self.factors == 0 and len(self.blocks) > 1:
            raise BadInput(f"factors: 0 chooses the number in a model of one block, not of {len(self.blocks)}")
        if self.outliers < 0:
            raise BadInput(f"outliers: {self.outliers:g} interquartile ranges; at least 0, where 0 reads every value")
        if self.draws < 0 or self.draws == 1:
            raise BadInput(f"draws: {self.draws}; a variance needs two at least, and 0 draws none")

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.target, *(i for members in self.blocks.values() for i in members))))

    def fit(self, panel: Panel) -> FittedDfm:
        """Series with too few known values, or none that differ, are left out (their loadings stay 0).

        Raises NotEnoughData if the target or all monthly series of a block are among them, NotConverged, BadInput.
        """
        return self._drawn(panel, None)

    def refit(self, panel: Panel, before: Fitted) -> FittedDfm:
        """As ``fit``, begun where ``before`` ended. What was learned of a series is brought to its new scale; a series that comes
        anew begins without loadings and finds them in the first step. Begins afresh where no loading on some factor is left,
        where another number of factors is chosen, or where the road from there does not converge.
        """
        if not isinstance(before, FittedDfm) or before.model != self:
            raise BadInput(f"{self.target}: what a fit begins from must be a fit of the same model")
        return self._drawn(panel, before)

    def _drawn(self, panel: Panel, before: FittedDfm | None) -> FittedDfm:
        fitted = self.learn(panel, before)
        if not self.draws:
            return fitted
        sample = self.sample(panel)
        return replace(fitted, drawn=bootstrap.drawn(fitted, panel, fitted._standard(sample), sample))

    def learn(self, panel: Panel, before: FittedDfm | None) -> FittedDfm:
        """``fit`` or ``refit`` without draws."""
        try:
            return self._learn(panel, before)
        except NotConverged:
            if before is None:
                raise
            return self._learn(panel, None)

    def _learn(self, panel: Panel, before: FittedDfm | None) -> FittedDfm:
        ids = self.inputs
        sample = self.sample(panel)
        within = bounds(sample.values, self.outliers)
        values = masked(sample.values, within)
        enough = np.array([FEWEST.get(s.freq, len(values) + 1) for s in panel.meanings(ids)])
        known = [c[~np.isnan(c)] for c in values.T]
        mean = np.array([c.mean() if len(c) else 0.0 for c in known])
        sd = np.array([c.std(ddof=1) if len(c) > 1 else 0.0 for c in known])
        count = np.array([len(c) for c in known])
        used = (count >= enough) & (sd > 1e-10 * np.maximum(np.abs(mean), 1e-300))
        if not used[0]:
            raise NotEnoughData(
                f"{self.target}: {count[0]} values are known as of {panel.day}, a factor model needs {enough[0]} that differ"
            )
        sd = np.where(used, sd, 1.0)
        standard = np.where(used, (values - mean) / sd, np.nan)
        rows = np.flatnonzero(~np.isnan(standard).all(1))
        # an empty month at either end says nothing, and would slow EM down; a January that comes with its February says something
        begin = rows[0] - int((sample.pairs & ~np.isnan(standard))[rows[0]].any())
        ends = slice(begin, rows[-1] + 1)
        standard, pair = standard[ends], sample.pairs[ends]
        filled = standard.copy()  # where EM begins, January is what it is with February
        january = np.argwhere(pair[1:] & np.isnan(standard[:-1])).T
        filled[tuple(january)] = standard[january[0] + 1, january[1]]
        weights, summed = months_of(panel.meanings(ids))
        number = self.factors or chosen(filled[:, used & ~summed])
        numbers = np.repeat(np.arange(len(self.blocks)), number)  # the block of each factor
        free = np.repeat([[u and i in members for members in self.blocks.values()] for i, u in zip(ids, used, strict=True)],
                         number, axis=1)  # fmt: skip
        start = None
        if before and len(before.parameters.Q) == len(numbers):
            start = before.parameters.carried(before.sd / sd, before.used & used, free, weights)
        if start is None or self.loadings == "components":
            start = factor_start.start(filled, free, summed, weights, numbers, self.order, list(self.blocks))
        layout = self.layout(panel, standard, pair, used, len(numbers))
        best, path = factor_fit.maximise(
            layout.split(start, self.noise), layout.data, free[layout.collapsed], free[layout.explicit], numbers,
            self.tolerance, self.iterations, hold=self.loadings == "components",
        )  # fmt: skip
        anchors = np.array([int(np.flatnonzero(column)[0]) for column in free.T])  # the target where it loads
        return FittedDfm(self, mean, sd, used, within, layout.join(best, len(ids)).oriented(anchors), path)

    def restore(self, state: State) -> FittedDfm:
        own, drawn = bootstrap.parted(state)
        return replace(self._restored(own), drawn=tuple(map(self._restored, drawn)))

    def _restored(self, state: State) -> FittedDfm:
        s = {k: np.asarray(v, float) for k, v in state.items()}
        whole = factor_start.Whole(s["A"], s["Q"], s["loadings"], s["rho"], s["sigma2"])
        # a champion of before there were bounds read every value
        within = s.get("within", bounds(np.zeros((0, len(s["mean"]))), 0.0))
        return FittedDfm(self, s["mean"], s["sd"], s["used"].astype(bool), within, whole, s["path"])

    def sample(self, panel: Panel) -> Sample:
        """The inputs since the first month of the sample. Raises BadInput for an infinite value."""
        skip = self.skip(panel)
        values = panel.matrix(self.inputs)[skip:]
        if np.isinf(values).any():
            row, column = np.argwhere(np.isinf(values))[0]
            raise BadInput(f"{self.inputs[column]}: the value of {panel.first + int(row) + skip} is infinite")
        found, twice = pairs(panel, self.inputs)
        found = found[skip:]
        times = np.where(found, twice, 1.0)
        values = values / times
        values[:1][found[:1]] = np.nan  # its January lies before the sample
        return Sample(values, found, times)

    def skip(self, panel: Panel) -> int:
        """Rows of the panel before the sample."""
        if not self.since:
            return 0
        n = Period.parse(self.since).ordinal - panel.first.ordinal
        if n >= panel.months:
            raise NotEnoughData(
                f"the sample begins in {self.since}, after the last month of the panel as of {panel.day}"
            )
        return max(0, n)

    def layout(self, panel: Panel, standard: Floats, pair: Bools, used: Bools, factors: int) -> Layout:
        """Which series this panel lets us collapse; ``Layout.of``."""
        return Layout.of(
            months_of(panel.meanings(self.inputs)), standard, pair, used, factors, self.order, self.noise > 0
        )


@dataclass(frozen=True)
class FittedDfm:
    """mean, sd ``(N,)`` of the standardisation; used ``(N,)``; within ``(N, 2)`` the bounds of what is read; parameters of all
    inputs; path ``(n,)`` of the log-likelihood; drawn: the same model fitted to panels drawn from this one.
    """

    model: Dfm
    mean: Floats
    sd: Floats
    used: Bools
    within: Floats
    parameters: factor_start.Whole
    path: Floats
    drawn: tuple[FittedDfm, ...] = ()

    def _standard(self, sample: Sample) -> Floats:
        values = masked(sample.values, self.within) if self.model.outliers else sample.values
        return np.where(self.used, (values - self.mean) / self.sd, np.nan)

    def _ready(self, panel: Panel, sample: Sample) -> Layout:
        return self.model.layout(panel, self._standard(sample), sample.pairs, self.used, len(self.parameters.Q))

    def _target(self, layout: Layout, p: factor.Parameters, pair: bool) -> Floats:
        """What the target, or a pair of its months, reads from the state."""
        weights = factor.pair_weights(layout.data) if pair else layout.data.weights
        row: Floats = factor.rows(p, weights)[int(np.flatnonzero(layout.explicit == 0)[0])]
        return row

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """The smoothed estimate given everything in the panel, the quarter's last month included; what is published stays.

        Bands hold the uncertainty of states and shocks, and with draws that of the parameters. Raises NotEnoughData for a period
        before the sample.
        """
        mean, states = self.moments(panel, periods)
        sd = np.sqrt(states + bootstrap.added(self.drawn, panel, periods, mean, states))
        return Estimate.normal(self.model.target, panel.asof, periods, mean, sd)

    def sources(self, panel: Panel, periods: Sequence[Period]) -> Sources:
        """The variance of states and shocks, and with draws what estimating the parameters adds. Raises as ``estimate``."""
        mean, states = self.moments(panel, periods)
        added = bootstrap.added(self.drawn, panel, periods, mean, states) if self.drawn else None
        return Sources.of(states, added)

    def moments(self, panel: Panel, periods: Sequence[Period]) -> tuple[Floats, Floats]:
        """``(H,)`` mean and variance given the parameters; what is published has no variance. Raises as ``estimate``."""
        panel = panel.over(panel.first, max((q.last_month for q in periods), default=panel.last))
        skip, sample = self.model.skip(panel), self.model.sample(panel)
        layout = self._ready(panel, sample)
        p = layout.split(self.parameters, self.model.noise)
        s = factor.smooth(p, layout.data)
        mean, variance = published(panel, self.model.target, periods), np.zeros(len(periods))
        for j, q in enumerate(periods):
            row = panel.row(q) - skip
            if np.isnan(mean[j]):
                if row < 0:
                    raise NotEnoughData(f"{self.model.target}: {q} lies before the sample")
                z, times = self._target(layout, p, bool(sample.pairs[row, 0])), sample.times[row, 0]
                mean[j] = times * (self.mean[0] + self.sd[0] * (z @ s.x[row]))
                variance[j] = (times * self.sd[0]) ** 2 * max(0.0, z @ s.V[s.at[row]] @ z)
        return mean, variance

    def explain(self, panels: Sequence[Panel], period: Period) -> tuple[Linear, ...]:
        """Weights and expectations of every cell, in the units of the panels. Raises NotEnoughData as ``estimate``, NotLinear where
        a revision makes an outlier of a value or brings one back.
        """
        panels = [panel.over(panel.first, period.last_month) for panel in panels]
        samples = [self.model.sample(panel) for panel in panels]
        row = panels[0].row(period) - self.model.skip(panels[0])
        if row < 0:
            raise NotEnoughData(f"{self.model.target}: {period} lies before the sample")
        self._linear(samples, row, period)
        out: list[Linear] = []
        last: tuple[Layout, factor.Smoothed] | None = None
        on: tuple[Floats, Floats] | None = None
        for panel, sample in zip(panels, samples, strict=True):
            layout = self._ready(panel, sample)
            p = layout.split(self.parameters, self.model.noise)
            like = last[1] if last and np.array_equal(last[0].collapsed, layout.collapsed) else None
            s = factor.smooth(p, layout.data, like=like, means_only=True)
            z = self._target(layout, p, bool(sample.pairs[row, 0]))
            if on is None or like is None or factor.shared(like.data, layout.data) < max(len(s.x), len(like.x)):
                on = factor.weigh(p, s, z, row)  # or the same cells are known as before, and have the same weights
            last = layout, s
            weights, expected = self._open(panel, layout, factor.expected(p, s), on, sample.times)
            times = sample.times[row, 0]
            mean = times * float(self.mean[0] + self.sd[0] * (z @ s.x[row]))
            out.append(Linear(self.model.inputs, mean, times * weights, expected))
        return tuple(out)

    def _linear(self, samples: Sequence[Sample], row: int, period: Period) -> None:
        """Raises NotLinear if a cell that two panels know is read from one of them only, the target is told and not read, or a
        month becomes a pair.
        """
        last = None
        for sample in samples:
            n = len(last[0].values) if last else 0
            n = min(n, len(sample.values))
            if last and (sample.pairs[:n] != last[0].pairs[:n]).any():
                raise NotLinear(f"{self.model.target}: the rule for January and February changes between the panels")
            seen = ~np.isnan(sample.values)
            read = ~np.isnan(masked(sample.values, self.within)) if self.model.outliers else seen
            if seen[row, 0] and not read[row, 0]:
                raise NotLinear(f"{self.model.target}: {period} is published, and an outlier")
            if last and self.model.outliers and (seen[:n] & last[1][:n] & (read[:n] != last[2][:n])).any():
                raise NotLinear(f"{self.model.target}: a revision crosses the bounds of what is read")
            last = sample, seen, read

    def _open(
        self, panel: Panel, layout: Layout, cells: tuple[Floats, Floats], on: tuple[Floats, Floats], times: Floats
    ) -> tuple[Floats, Floats]:
        """Weights on a month of the target, and expectations, of all cells ``(T, N)`` in the units of the panel."""
        skip, T, N = self.model.skip(panel), panel.months, len(self.mean)
        weights, expected = np.zeros((T, N)), np.tile(self.mean, (T, 1))
        for at, w, e in zip((layout.collapsed, layout.explicit), on, cells, strict=True):
            weights[skip:, at] = w * (self.sd[0] / self.sd[at])
            expected[skip:, at] = self.mean[at] + self.sd[at] * e
        weights[skip:] /= times
        expected[skip:] *= times
        return weights, expected

    def state(self) -> State:
        w = self.parameters
        return bootstrap.joined({
            "A": w.A, "Q": w.Q, "loadings": w.loadings, "rho": w.rho, "sigma2": w.sigma2,
            "mean": self.mean, "sd": self.sd, "used": self.used.astype(np.int64), "within": self.within, "path": self.path,
        }, self.drawn)  # fmt: skip


MODEL = Dfm
