"""A dynamic-factor index: the common growth of the components, with standard errors, chained to a level.

Source: Stock & Watson (1989, NBER Macroeconomics Annual 4; 1991, in Lahiri & Moore). Estimated by maximum likelihood with the EM
of ``engine.factor_fit``, for components with any pattern of missing months.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from engine import factor, factor_fit, factor_start
from engine.calendar import Period
from engine.errors import BadInput, NotEnoughData
from engine.estimate import Estimate
from engine.model import State
from engine.panel import Panel
from engine.typing import Bools, Floats
from modelzoo.nowcast.factor_layout import Layout
from modelzoo.prosperity import components
from modelzoo.prosperity.components import Chosen, choose
from modelzoo.prosperity.history import LEAST, Historied, History, Z, chained, rebased
from modelzoo.prosperity.measure import GROWTH, KNOWN, LEVEL, MISSING
from modelzoo.prosperity.precision import posterior


@dataclass(frozen=True)
class Factor:
    """Standardised changes = loading × factor + AR(1); the factor moves as the loading-weighted mean of the components does.

    target: name of the index and the region: coincident@US.
    components: series ids, at least two; with a reference they are candidates, of which each fit chooses.
    inverted: those of the components that fall when the economy rises; with a reference the sign is learned.
    reference: series id that candidates are held against; empty takes all components.
    base: year whose mean is 100; empty for the first twelve months.
    anchor: component that rises with the index, whose sign is arbitrary otherwise; empty for the first one.
    order: lags of the factor, 1 … 4.
    tolerance: EM ends when the log-likelihood rises by less than this share of itself.
    """

    target: str
    components: tuple[str, ...]
    inverted: tuple[str, ...] = ()
    reference: str = ""
    base: str = ""
    anchor: str = ""
    order: int = 2
    tolerance: float = 1e-6

    def __post_init__(self) -> None:
        components.check(self)
        if self.anchor and self.anchor not in self.components:
            raise BadInput(f"{self.target}: the anchor {self.anchor} is not a component")
        if not 1 <= self.order <= 4 or not 0 < self.tolerance < 1:
            raise BadInput(f"{self.target}: order lies in 1 … 4, tolerance between 0 and 1")

    @property
    def coincident(self) -> tuple[str, ...]:
        """None: the index has a trend of its own."""
        return ()

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

    def fit(self, panel: Panel) -> FittedFactor:
        """Raises NotEnoughData if fewer than two components can be used or the anchor cannot, NotConverged, Unknown."""
        chosen = choose(self, panel, bool(self.reference))
        anchor = chosen.ids.index(self.anchor or chosen.names[0])
        if not chosen.own[anchor] or chosen.own.sum() < 2:
            raise NotEnoughData(
                f"{self.target}: a common factor needs two components and its anchor {chosen.ids[anchor]}; as of {panel.day} "
                f"{', '.join(chosen.names)} can be used"
            )
        values = chosen.measured(chosen.columns(panel), carry=False).changes[:, chosen.own]
        mean, sd = np.nanmean(values, axis=0), np.nanstd(values, axis=0, ddof=1)
        standard = (values - mean) / sd
        rows = np.flatnonzero(~np.isnan(standard).all(1))
        standard = standard[rows[0] : rows[-1] + 1]
        N = standard.shape[1]
        free, weights, block = np.ones((N, 1), bool), np.ones((N, 1)), np.zeros(1, np.int64)
        carried = factor.long_gaps(standard)
        data = factor.prepare(standard[:, ~carried], standard[:, carried], weights[carried], self.order)
        layout = Layout(np.flatnonzero(~carried), np.flatnonzero(carried), data)
        start = factor_start.start(standard, free, np.zeros(N, bool), weights, block, self.order, [self.target])
        best, path = factor_fit.maximise(
            layout.split(start, 0.0), data, free[~carried], free[carried], block, self.tolerance, 1000
        )
        place = int(chosen.own[:anchor].sum())
        fitted = FittedFactor(self, chosen, mean, sd, layout.join(best, N).oriented(np.array([place])), path)
        fitted._history(panel, [])  # or what is wrong with it, the base year say
        return fitted

    def restore(self, state: State) -> FittedFactor:
        s = {k: np.asarray(state[k], float) for k in ("A", "Q", "loadings", "rho", "sigma2", "mean", "sd", "path")}
        whole = factor_start.Whole(s["A"], s["Q"], s["loadings"], s["rho"], s["sigma2"])
        return FittedFactor(self, Chosen.restore(self.inputs, state), s["mean"], s["sd"], whole, s["path"])


@dataclass(frozen=True)
class FittedFactor(Historied):
    """mean, sd ``(N,)`` of the components' changes; parameters of the factor model; path ``(n,)`` of the log-likelihood.

    The bands are the model's own: the error of the factor given the data, summed up from the base months to the month, in
    logarithms. The error of the parameters is not in them.
    """

    model: Factor
    chosen: Chosen
    mean: Floats
    sd: Floats
    parameters: factor_start.Whole
    path: Floats

    def history(self, panel: Panel) -> History:
        """Every month of the index up to the newest in which a component is known. Raises NotEnoughData."""
        return self._history(panel, None)

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """Months after the newest known one are forecasts. Raises NotEnoughData for a month before the index begins."""
        return self._history(panel, periods).estimate(panel.asof, periods)

    def tell(self, panel: Panel, periods: Sequence[Period]) -> pl.DataFrame:
        return self._history(panel, periods).tell(panel.asof, periods)

    def newest(self, panel: Panel) -> Period:
        first, values, _ = self._values(panel, [])
        return first + (len(values) - 1)

    def level(self, panel: Panel) -> tuple[Period, Floats]:
        whole = self._history(panel, [])  # an error of every month would cost more than all else
        return whole.first, whole.values

    def growth(self, panel: Panel) -> tuple[Period, Floats, Floats]:
        """The first month, and the growth of the index, per cent a month, with its standard error, ``(T,)`` each."""
        first, values, _ = self._values(panel, [])
        found = posterior(self.parameters, (values - self.mean) / self.sd)
        scale, drift = self._scale()
        return first, drift + scale * found.mean, scale * np.sqrt(np.diag(found.covariance()))

    def state(self) -> State:
        w = self.parameters
        return {
            **self.chosen.state(), "A": w.A, "Q": w.Q, "loadings": w.loadings, "rho": w.rho, "sigma2": w.sigma2,
            "mean": self.mean, "sd": self.sd, "path": self.path,
        }  # fmt: skip

    def _values(self, panel: Panel, periods: Sequence[Period]) -> tuple[Period, Floats, Bools]:
        """The first month of the index, changes ``(T, N)`` of the components to the last period, and which are known."""
        data = self.chosen.measured(self.chosen.columns(panel), carry=False)
        changes = data.changes[:, self.chosen.own]
        share = (~np.isnan(changes)).mean(1)
        if not (share > LEAST).any():
            raise NotEnoughData(
                f"{self.model.target}: in no month are more than {LEAST:.0%} of its components known as of {panel.day}"
            )
        start = int(np.argmax(share > LEAST))
        last = data.first + (len(changes) - 1)
        ahead = max([0, *(p.last_month - last for p in periods)])
        changes = np.vstack([changes[start:], np.full((ahead, changes.shape[1]), np.nan)])
        return data.first + start, changes, ~np.isnan(changes)

    def _history(self, panel: Panel, periods: Sequence[Period] | None) -> History:
        """The index with bands, if ``periods`` are given for these alone, as an error of every month costs more than all else."""
        first, changes, known = self._values(panel, periods or [])
        found = posterior(self.parameters, (changes - self.mean) / self.sd)
        scale, drift = self._scale()
        moves = np.column_stack([scale * found.parts, np.full(len(changes), drift)])
        parts = rebased(chained(moves), first, self.model.base, self.model.target)
        T = len(changes)
        start = Period.parse(f"{self.model.base}-01") - first if self.model.base else 0
        asked = range(T) if periods is None else [p.last_month - first for p in periods]
        at = np.array([row for row in asked if 0 <= row < T], np.int64)
        levels = np.tri(T)  # row t sums up the months to t
        sd = np.full(T, np.nan)
        sd[at] = 0.01 * scale * found.error(levels[at] - levels[start : start + 12].mean(0))
        quantiles = parts.sum(1)[:, None] * np.exp(sd[:, None] * Z)
        marks = np.where(known, KNOWN, MISSING).astype(np.int64)
        return History(self.model.target, first, (*self.chosen.names, "trend", "base"), parts, marks, quantiles)

    def _scale(self) -> tuple[float, float]:
        """Growth of the index for one unit of the factor, and with none: means by loading of what is measured in per cent.

        Without such a component a unit of the factor is one per cent, and there is no trend.
        """
        percent = np.isin(self.chosen.measures[self.chosen.own], (GROWTH, LEVEL))
        loadings = self.parameters.loadings[:, 0]
        size = np.abs(loadings) * percent
        if not size.sum() > 0:
            return 1.0, 0.0
        share = size / size.sum()
        return abs(float(share @ (self.sd * loadings))), float(share @ self.mean)


MODEL = Factor
