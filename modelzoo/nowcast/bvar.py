"""A mixed-frequency Bayesian VAR: the months of a quarter stand side by side in one quarterly vector, with a Minnesota prior.

Y_q = (target, x at months 1, 2, 3, …)' follows a VAR(p) in quarters; the posterior has a closed form, its tightness is that of the
largest marginal likelihood, and a ragged edge is the normal distribution of the newest quarters given those of their cells that are
known. Sources: Cimadomo, Giannone, Lenza, Monti & Sokol (2022, J. Econometrics 231); McCracken, Owyang & Sekhposyan (2021, Int. J.
Central Banking 17); prior and posterior as in ``engine.minnesota``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine import minnesota
from engine.align import published
from engine.calendar import Freq, Period
from engine.errors import BadInput, NotEnoughData
from engine.estimate import Estimate
from engine.minnesota import Prior
from engine.model import State
from engine.panel import Panel
from engine.typing import Floats, Ints
from engine.uncertainty import Sources
from modelzoo.nowcast import stack as stacks
from modelzoo.nowcast.stack import Stack

TIGHTNESS = np.geomspace(0.02, 1.0, 12)
MOST = 40  # indicators
FARTHEST = 40  # quarters from the last complete ones


@dataclass(frozen=True)
class Bvar:
    """The target with a handful of indicators as a quarterly vector of months.

    target: series id, quarterly or monthly.
    indicators: series ids, 1 … 40; those that begin late, end early or do not vary are left out.
    lags: of the vector autoregression, in quarters, 1 … 8.
    tightness: standard deviation of a coefficient on the first lag under the prior; 0 for that of the largest marginal likelihood.
    since: the first month of the sample, as 1985-01; empty for all that is known.
    """

    target: str
    indicators: tuple[str, ...]
    lags: int = 2
    tightness: float = 0.0
    since: str = ""

    def __post_init__(self) -> None:
        stacks.check(self.target, self.indicators, self.lags)
        if len(self.indicators) > MOST or self.lags > 8 or self.tightness < 0:
            raise BadInput(f"a VAR takes up to {MOST} indicators and 8 lags, and no negative tightness")

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.target, *self.indicators)

    def fit(self, panel: Panel) -> FittedBvar:
        """Interior gaps are filled by autoregressions to learn, and left open to estimate.

        Raises NotEnoughData below 24 complete quarters.
        """
        stack = stacks.learn(panel, self.target, self.indicators, 1, "sums", self.since)
        skip = stacks.skip(panel, self.since)
        series, back = _layout(panel, stack)
        Y = _stacked(panel, stack.filled(panel), series, back)
        ends = panel.row(panel.first.to(Freq.Q)) + 3 * np.arange(len(Y))
        Y[ends - 2 < skip] = np.nan
        X = np.column_stack(
            [np.ones(len(Y)), *(np.vstack([np.full((i, Y.shape[1]), np.nan), Y[:-i]]) for i in range(1, self.lags + 1))]
        )
        whole = ~(np.isnan(Y).any(1) | np.isnan(X).any(1))
        if whole.sum() < 24:
            raise NotEnoughData(
                f"{self.target}: {int(whole.sum())} quarters are complete as of {panel.day}, a VAR needs 24; leave late series out"
            )
        after = np.diff(np.flatnonzero(whole)) == 1
        Y, X = Y[whole], X[whole]
        root, noise = _own(Y[:-1][after], Y[1:][after], series, back)
        tried = [self.tightness] if self.tightness else TIGHTNESS
        found = [minnesota.posterior(Y, X, _prior(t, root, noise, series, back, self.lags)) for t in tried]
        best = found[int(np.argmax([f.evidence for f in found]))]
        evidence = np.array([[t, f.evidence] for t, f in zip(tried, found, strict=True)])
        return FittedBvar(self, stack, best.mean, best.omega, best.sigma, evidence)

    def restore(self, state: State) -> FittedBvar:
        stack = stacks.restored(self.target, self.indicators, 1, "sums", self.since, state)
        return FittedBvar(self, stack, *(np.asarray(state[k], float) for k in ("B", "omega", "sigma", "evidence")))


def _layout(panel: Panel, stack: Stack) -> tuple[Ints, Ints]:
    """``(n,)`` the series of each element of the vector, and how many months before the quarter's end it stands."""
    series: list[int] = []
    back: list[int] = []
    for i in np.flatnonzero(stack.used):
        months = (2, 1, 0) if panel.meaning(stack.ids[i]).freq is Freq.M else (0,)
        series += [int(i)] * len(months)
        back += months
    return np.array(series), np.array(back)


def _stacked(panel: Panel, z: Floats, series: Ints, back: Ints) -> Floats:
    """``(quarters, n)`` from ``(T, N)`` values by month; the first quarter is that in which the panel begins."""
    ends = panel.row(panel.first.to(Freq.Q)) + 3 * np.arange(
        -(-(panel.months - panel.row(panel.first.to(Freq.Q))) // 3)
    )
    rows = ends[:, None] - back
    inside = (rows >= 0) & (rows < len(z))
    return np.where(inside, z[np.clip(rows, 0, len(z) - 1), series], np.nan)


def _own(past: Floats, now: Floats, series: Ints, back: Ints) -> tuple[Floats, Floats]:
    """``(n,)`` each element's slope on the newest month of its own series a quarter before, and the variance that is left.

    past, now: ``(quarters, n)``, each quarter and the one after it.
    """
    newest = np.array([int(np.flatnonzero((series == i) & (back == 0))[0]) for i in series])
    past = past[:, newest]
    past, now = past - past.mean(0), now - now.mean(0)
    root = np.clip((past * now).sum(0) / np.maximum((past * past).sum(0), 1e-300), 0.0, 1.0)
    return root, np.maximum(np.mean((now - root * past) ** 2, axis=0), 1e-6)


def _prior(tightness: float, root: Floats, noise: Floats, series: Ints, back: Ints, lags: int) -> Prior:
    """Every element follows the newest month of its own series; the rest is 0, the surer the longer ago (in quarters)."""
    n = len(root)
    mean, spread = np.zeros((1 + n * lags, n)), np.empty(1 + n * lags)
    spread[0] = 100.0
    for lag in range(1, lags + 1):
        spread[1 + n * (lag - 1) : 1 + n * lag] = tightness**2 / ((lag + back / 3) ** 2 * noise)
    for k in range(n):
        mean[1 + int(np.flatnonzero((series == series[k]) & (back == 0))[0]), k] = root[k]
    return Prior(mean, spread, noise, n + 2.0)


@dataclass(frozen=True)
class FittedBvar:
    """B ``(1 + n p, n)``, omega and sigma of the posterior; evidence ``(G, 2)``: tightness tried and log marginal likelihood."""

    model: Bvar
    stack: Stack
    B: Floats
    omega: Floats
    sigma: Floats
    evidence: Floats

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """Bands hold shocks, and the coefficients' uncertainty at the last complete quarters.

        Raises NotEnoughData if ``lags`` complete quarters in a row are missing, or lie more than ten years back.
        """
        mean, found = self._moments(panel, periods)
        return Estimate.normal(self.model.target, panel.asof, periods, mean, np.sqrt(found.total))

    def sources(self, panel: Panel, periods: Sequence[Period]) -> Sources:
        """Shocks, and coefficients: these scale the covariance of the shocks, and so every variance. Raises as ``estimate``."""
        return self._moments(panel, periods)[1]

    def _moments(self, panel: Panel, periods: Sequence[Period]) -> tuple[Floats, Sources]:
        target, p, stack = self.model.target, self.model.lags, self.stack
        mean, found, wider = published(panel, target, periods), np.zeros(len(periods)), 1.0
        open_periods = [j for j in range(len(periods)) if np.isnan(mean[j])]
        if not open_periods:
            return mean, Sources.of(found, found)
        panel = panel.over(panel.first, max(periods[j].to(Freq.Q).last_month for j in open_periods))
        series, back = _layout(panel, stack)
        Y = _stacked(panel, (stacks.read_months(panel, stack.ids)[0] - stack.mean) / stack.sd, series, back)
        start, steps = self._start(panel, Y, series), 0
        past = Y[start - p + 1 : start + 1]
        x = np.r_[1.0, past[::-1].ravel()]
        wider = 1.0 + x @ self.omega @ x
        C = np.linalg.cholesky(self.sigma * wider)
        known = np.flatnonzero(~np.isnan(Y).all(1))
        first = panel.first.to(Freq.Q)
        steps = max(int(known[-1]), *(periods[j].to(Freq.Q) - first for j in open_periods)) - start
        middle, G = minnesota.ahead(self.B, C, past, steps)
        middle, variance = minnesota.given(middle, G, Y[start + 1 : start + 1 + steps].ravel())
        n = len(series)
        for j in open_periods:
            quarter = periods[j].to(Freq.Q)
            k = quarter - first - start - 1
            if k < 0:
                raise NotEnoughData(
                    f"{target}: {periods[j]} is not known as of {panel.day} and lies before the last complete quarters"
                )
            late = quarter.last_month.ordinal - periods[j].last_month.ordinal
            at = k * n + int(np.flatnonzero((series == 0) & (back == late))[0])
            mean[j] = stack.mean[0] + stack.sd[0] * middle[at]
            found[j] = stack.sd[0] ** 2 * variance[at]
        return mean, Sources.of(found / wider, found - found / wider)

    def _start(self, panel: Panel, Y: Floats, series: Ints) -> int:
        """The last of the newest ``lags`` complete quarters in a row."""
        p, whole = self.model.lags, np.asarray(~np.isnan(Y).any(1))
        known = np.flatnonzero(~np.isnan(Y).all(1))
        if len(known):
            for start in range(int(known[-1]), max(p - 2, int(known[-1]) - FARTHEST), -1):
                if whole[start - p + 1 : start + 1].all():
                    return start
        share = np.isnan(Y[-FARTHEST:]).mean(0)
        worst = self.stack.ids[int(series[int(np.argmax(share))])]
        raise NotEnoughData(
            f"{self.model.target}: no {p} quarters in a row are complete in the ten years before {panel.day}; {worst} lacks most"
        )

    def state(self) -> State:
        return {
            **self.stack.state(), "B": self.B, "omega": self.omega, "sigma": self.sigma, "evidence": self.evidence,
        }  # fmt: skip


MODEL = Bvar
