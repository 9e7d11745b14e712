"""A bridge equation: monthly indicators, carried to the end of the quarter, explain the quarterly target.

Each indicator is filled by its own autoregression and summed up to the quarter (growth by the weights of Mariano & Murasawa
2003, levels by their mean); the target is regressed on these sums. Source: Baffigi, Golinelli & Parigi (2004, Int. J.
Forecasting 20); Bańbura, Giannone, Modugno & Reichlin (2013, Handbook of Economic Forecasting 2A), section 2.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine import autoregression
from engine.align import WEIGHTS, own, published, single_months
from engine.autoregression import Autoregression
from engine.calendar import Freq, Period
from engine.errors import BadInput, NotEnoughData
from engine.estimate import Estimate
from engine.model import State
from engine.panel import Panel
from engine.typing import Floats
from engine.uncertainty import Sources

MOST_LAGS = 6
NONE = np.zeros((0, 0))  # a champion of before inverses were kept


def _weights(panel: Panel, series_id: str) -> Floats:
    step = panel.meaning(series_id).indicator.step
    return np.array(WEIGHTS["average" if step == "lin" else "growth"])


@dataclass(frozen=True)
class Bridge:
    """The quarterly target on the quarterly sums of a few monthly indicators.

    target: quarterly series id.
    indicators: monthly series ids, at least one.
    """

    target: str
    indicators: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.indicators:
            raise BadInput("a bridge needs at least one indicator")
        if self.target in self.indicators or len(set(self.indicators)) < len(self.indicators):
            raise BadInput("the indicators of a bridge must differ from each other and from the target")

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.target, *self.indicators)

    def fit(self, panel: Panel) -> FittedBridge:
        """Raises NotEnoughData below 10 quarters more than indicators, BadInput if a frequency does not fit."""
        if panel.meaning(self.target).freq is not Freq.Q:
            raise BadInput(f"{self.target}: the target of a bridge is quarterly")
        fills = []
        for name in self.indicators:
            if panel.meaning(name).freq is not Freq.M:
                raise BadInput(f"{name}: the indicators of a bridge are monthly")
            months, january = single_months(panel, [name])
            seen = np.where(january, np.nan, months)[:, 0]
            fills.append(autoregression.fit(seen, MOST_LAGS, name, stationary=True))
        first, y = own(panel, self.target)
        sums = [
            _sums(panel, name, fill, panel.row(first), len(y))[0]
            for name, fill in zip(self.indicators, fills, strict=True)
        ]
        X = np.column_stack([np.ones(len(y)), *sums])
        whole = ~(np.isnan(y) | np.isnan(X).any(1))
        n, k = int(whole.sum()), X.shape[1]
        if n < k + 9:
            raise NotEnoughData(f"{self.target}: a bridge of {k - 1} indicators needs {k + 9} quarters, {n} are known")
        beta = np.asarray(np.linalg.lstsq(X[whole], y[whole], rcond=None)[0], float)
        sigma = float(np.sqrt(np.sum((y[whole] - X[whole] @ beta) ** 2) / (n - k)))
        root = np.linalg.pinv(X[whole])
        return FittedBridge(self, beta, sigma, tuple(fills), root @ root.T)

    def restore(self, state: State) -> FittedBridge:
        fills = []
        for i in range(len(self.indicators)):
            constant, sigma, *coefficients = np.asarray(state[f"fill_{i}"], float)
            kept = np.asarray(state.get(f"inverse_{i}", NONE), float)
            fills.append(Autoregression(float(constant), np.array(coefficients, float), float(sigma), kept))
        beta, sigma = np.asarray(state["beta"], float), float(np.asarray(state["sigma"])[0])
        return FittedBridge(self, beta, sigma, tuple(fills), np.asarray(state.get("inverse", NONE), float))


def _sums(panel: Panel, name: str, fill: Autoregression, row: int, n: int) -> tuple[Floats, Floats, Floats]:
    """Quarterly sums of a filled indicator, the variance of what was filled at the ragged end, and what the coefficients of the
    filling add to it, ``(n,)`` each.

    row: of the month that ends the first quarter.
    """
    values = single_months(panel, [name])[0][:, 0]
    last = row + 3 * (n - 1)
    values = np.r_[values, np.full(max(0, last + 1 - len(values)), np.nan)]
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        raise NotEnoughData(f"{name}: no value is known as of {panel.day}")
    edge = int(known[-1])
    left_out = np.zeros(len(values), bool)
    left_out[: panel.months] = panel.left_out([name])[:, 0]
    filled = fill.fill(values, left_out)
    w = _weights(panel, name)
    sums, variance, doubt = np.full(n, np.nan), np.zeros(n), np.zeros(n)
    for q in range(n):
        t = row + 3 * q
        if t - len(w) + 1 >= 0:
            sums[q] = w @ filled[t - len(w) + 1 : t + 1][::-1]
        if t > edge:
            ahead = np.zeros(t - edge)  # weight on the forecast 1, 2, … months after the edge
            for lag, weight in enumerate(w):
                if t - lag > edge:
                    ahead[t - lag - edge - 1] = weight
            variance[q] = fill.variance(ahead)
            doubt[q] = fill.doubt(filled[: edge + 1], ahead)
    return sums, variance, doubt


@dataclass(frozen=True)
class FittedBridge:
    """beta ``(1 + K,)``, constant first; sigma: of the equation; fills: one autoregression an indicator; inverse
    ``(1 + K, 1 + K)``: (X'X)^-1 of the equation, empty where it was not kept.
    """

    model: Bridge
    beta: Floats
    sigma: float
    fills: tuple[Autoregression, ...]
    inverse: Floats

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """Bands from the equation, its coefficients and the filled months, taken as independent across indicators.

        Raises NotEnoughData.
        """
        mean, found = self._moments(panel, periods)
        return Estimate.normal(self.model.target, panel.asof, periods, mean, np.sqrt(found.total))

    def sources(self, panel: Panel, periods: Sequence[Period]) -> Sources:
        """Errors of the equation and of the filled months, and the coefficients of both. Raises as ``estimate``."""
        return self._moments(panel, periods)[1]

    def _moments(self, panel: Panel, periods: Sequence[Period]) -> tuple[Floats, Sources]:
        mean = published(panel, self.model.target, periods)
        shocks, parameters = np.zeros(len(periods)), np.zeros(len(periods))
        for j, q in enumerate(periods):
            if not np.isnan(mean[j]):
                continue
            parts = [
                _sums(panel, n, f, panel.row(q), 1) for n, f in zip(self.model.indicators, self.fills, strict=True)
            ]
            sums, variance, doubt = (np.array([p[i][0] for p in parts]) for i in range(3))
            if np.isnan(sums).any():
                name = self.model.indicators[int(np.flatnonzero(np.isnan(sums))[0])]
                raise NotEnoughData(f"{name}: too few months are known as of {panel.day} to reach {q}")
            x = np.r_[1.0, sums]
            mean[j] = self.beta @ x
            shocks[j] = self.sigma**2 + self.beta[1:] ** 2 @ variance
            own = x @ self.inverse @ x if self.inverse.size else np.nan
            parameters[j] = self.sigma**2 * own + self.beta[1:] ** 2 @ doubt
        return mean, Sources.of(shocks, None if np.isnan(parameters).any() else parameters)

    def state(self) -> State:
        fills = {f"fill_{i}": np.r_[f.constant, f.sigma, f.coefficients] for i, f in enumerate(self.fills)}
        kept = {f"inverse_{i}": f.inverse for i, f in enumerate(self.fills)} | {"inverse": self.inverse}
        return {"beta": self.beta, "sigma": np.array([self.sigma]), **fills, **kept}


MODEL = Bridge
