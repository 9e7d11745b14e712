"""Elastic net on the lag stack: many indicators at once, shrunken and selected, an equation for each horizon.

min ½n⁻¹ |y − Xβ|² + λ (α |β|₁ + ½ (1 − α) |β|²) on standardised features; λ is the best at predicting rows in the order of time.
Source: Zou & Hastie (2005, J. Royal Stat. Soc. B 67), by scikit-learn's coordinate descent; as soft targeting of predictors:
Bai & Ng (2008, J. Econometrics 146).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.align import published
from engine.calendar import Period
from engine.errors import BadInput, NotEnoughData
from engine.estimate import Estimate
from engine.model import State
from engine.panel import Panel
from engine.typing import Bools, Floats
from modelzoo.nowcast import ordered
from modelzoo.nowcast.stack import HORIZONS, Form, Stack, check, learn, restored
from modelzoo.nowcast.targeted import Selection, keep

PENALTIES = 20  # from the least that leaves nothing to a fiftieth of it


@dataclass(frozen=True)
class Elastic:
    """The target on the lag stack of many indicators, penalised.

    target: series id, quarterly or monthly.
    indicators: series ids, at least one; those that begin late, end early or do not vary are left out.
    lags: how many values of each indicator.
    form: sums, of the target's period and those before, as expected; or months, the newest known.
    mix: the share of the absolute penalty, above 0 (nearly ridge) to 1 (LASSO).
    select: all indicators; hard, those with a large t-statistic given the target's lags; soft, the first of least angle regression.
    since: the first month of the sample, as 1985-01; empty for all that is known.
    """

    target: str
    indicators: tuple[str, ...]
    lags: int = 1
    form: Form = "sums"
    mix: float = 0.5
    select: Selection = "all"
    since: str = ""

    def __post_init__(self) -> None:
        check(self.target, self.indicators, self.lags)
        if not 0.01 <= self.mix <= 1:
            raise BadInput(f"mix must lie in 0.01 … 1, not {self.mix}")

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.target, *self.indicators)

    def fit(self, panel: Panel) -> FittedElastic:
        """Cells before an indicator began stand at its mean. Raises NotEnoughData below 20 complete periods."""
        stack = learn(panel, self.target, self.indicators, self.lags, self.form, self.since)
        _, y = stack.rows(panel)
        history = stack.history(panel)
        parts = []
        for h in HORIZONS:
            own, X = history(h)
            rows = ~np.isnan(y) & ~np.isnan(own)
            parts.append(self._horizon(y[rows], own[rows], X[rows][:, stack.used[1:]]))
        coefficients, sigma = np.array([p[0] for p in parts]), np.array([p[1] for p in parts])
        return FittedElastic(self, stack, coefficients, ordered.widening(sigma))

    def _horizon(self, y: Floats, own: Floats, X: Floats) -> tuple[Floats, float]:
        """Constant and coefficients in the units of X ``(n, M, lags)``, ``(2 + M × lags,)``, and the error in the order of time."""
        parts = ordered.folds(len(y), self.target)
        F = np.column_stack([own, flat(X)])
        grid = _grid(y, F, self.mix)
        errors = []
        for a, b in parts:
            beta = _path(y[:a], F[:a], self.mix, grid, self._kept(y[:a], X[:a]))
            errors.append(y[a:b] - (beta[:, 0][:, None] + beta[:, 1:] @ F[a:b].T))
        best, sigma = ordered.chosen(errors)
        coefficients: Floats = _path(y, F, self.mix, grid[: best + 1], self._kept(y, X))[-1]
        return coefficients, sigma

    def _kept(self, y: Floats, X: Floats) -> Bools:
        """Which features may have a coefficient: the own expectation, and those of the indicators that are selected."""
        return np.append(True, np.repeat(keep(y, X[:, :, 0], self.select), self.lags))

    def restore(self, state: State) -> FittedElastic:
        stack = restored(self.target, self.indicators, self.lags, self.form, self.since, state)
        return FittedElastic(self, stack, np.asarray(state["coefficients"], float), np.asarray(state["sigma"], float))


def flat(X: Floats) -> Floats:
    """``(n, M × lags)`` the features of M indicators ``(n, M, lags)``, those before an indicator began at its mean, 0."""
    return np.nan_to_num(X.reshape(len(X), -1), nan=0.0)


def _scales(y: Floats, X: Floats) -> tuple[float, Floats, Floats]:
    spread = X.std(0)
    return float(y.mean()), X.mean(0), np.where(spread > 1e-8, spread, np.inf)


def _grid(y: Floats, X: Floats, mix: float) -> Floats:
    """Penalties, from the least that leaves nothing; the rows tell their range only."""
    middle, centre, spread = _scales(y, X)
    top = np.abs(((X - centre) / spread).T @ (y - middle)).max() / len(y) / mix
    return np.geomspace(max(top, 1e-12), max(top, 1e-12) / 50, PENALTIES)


def _path(y: Floats, X: Floats, mix: float, penalties: Floats, kept: Bools) -> Floats:
    """``(G, 1 + K)`` constant and coefficients at each penalty, which fall; 0 for features that are not kept."""
    from sklearn.linear_model import enet_path  # slow to import

    middle, centre, spread = _scales(y, X)
    spread = np.where(kept, spread, np.inf)
    Z, t = (X - centre) / spread, y - middle
    beta = enet_path(
        np.asfortranarray(Z), t, l1_ratio=mix, alphas=penalties, precompute=Z.T @ Z, Xy=Z.T @ t,
        tol=1e-4, max_iter=5000, check_input=False,
    )[1].T / spread  # fmt: skip
    return np.column_stack([middle - beta @ centre, beta])


@dataclass(frozen=True)
class FittedElastic:
    """coefficients ``(H, 2 + K)``: constant, own expectation, features; sigma ``(H + 1,)``, of the standardised target."""

    model: Elastic
    stack: Stack
    coefficients: Floats
    sigma: Floats

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """Bands from errors in the order of time, by horizon. Raises NotEnoughData."""
        target, stack = self.model.target, self.stack
        mean, sd = published(panel, target, periods), np.zeros(len(periods))
        for j, period in enumerate(periods):
            if np.isnan(mean[j]):
                index, own, X = stack.now(panel, period)
                if np.isnan(own[0]):
                    raise NotEnoughData(
                        f"{target}: too few values in a row are known as of {panel.day} to reach {period}"
                    )
                beta = self.coefficients[min(index, len(HORIZONS) - 1)]
                mean[j] = stack.mean[0] + stack.sd[0] * float(beta @ np.r_[1.0, own, flat(X[:, stack.used[1:]])[0]])
                sd[j] = stack.sd[0] * self.sigma[index]
        return Estimate.normal(target, panel.asof, periods, mean, sd)

    def state(self) -> State:
        return {**self.stack.state(), "coefficients": self.coefficients, "sigma": self.sigma}


MODEL = Elastic
