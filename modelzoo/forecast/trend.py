"""The trend of the middle and long run: a local linear trend whose slope returns to a steady drift, to ten years and beyond.

y = level + noise; the level moves by a steady drift, by a slope that dies away, and by shocks that stay (Harvey 1989, 2.3.6;
damping as in Gardner & McKenzie 1985). A positive level is taken in logarithms, a fixed season taken out beforehand.

How fast the slope dies away and how large the shocks are is not chosen but averaged over: every point of a grid counts by its
likelihood, so that the bands hold what is not known of the parameters, of the drift and of the scale. Ten years ahead that is most
of what there is to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from engine.calendar import Period
from engine.estimate import Estimate
from engine.model import State
from engine.panel import Panel
from engine.typing import Floats
from modelzoo.forecast import draws, history
from modelzoo.forecast.history import History
from modelzoo.forecast.season import is_seasonal, pattern
from modelzoo.forecast.single import aligned

_DAMPING = (0.3, 0.5, 0.7, 0.85)  # of the slope, over a year
_NOISE = (0.0, 0.25, 1.0, 4.0, 16.0)  # variance beside that of the shocks to the level
_SLOPE = (0.0, 0.05, 0.2, 0.8)  # standard deviation of the slope at rest over a year, beside that of the level's shocks
_LEAST = 1e-3  # a point of the grid that counts for less is left out


@dataclass(frozen=True)
class Trend:
    """Damped local linear trend, all parameters averaged over a grid.

    target: series id, monthly, quarterly or annual.
    paths: how many paths are drawn, 100 … 10000.
    """

    target: str
    paths: int = 2000

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.target,)

    def fit(self, panel: Panel) -> FittedTrend:
        """Raises NotEnoughData below two years (annual: eight values) and for a constant."""
        h = history.read(panel, self.target)
        scale = float(np.abs(h.values).mean())
        y = _analysed(h, scale, h.positive)
        shape = np.zeros(h.slots)
        if is_seasonal(y, h.slots):
            shape = pattern(y, h.slots, h.first % h.slots, False)
        y = _seen(h, y, shape)
        grid = np.array([_point(*g, h.slots) for g in product(_DAMPING, _NOISE, _SLOPE)])
        likelihood = np.array([_run(y, g)[0] for g in grid])
        weights = np.exp(likelihood - likelihood.max())
        weights /= weights.sum()
        kept = weights >= _LEAST
        return FittedTrend(
            self, scale, h.slots, h.first, h.positive, shape, grid[kept], weights[kept] / weights[kept].sum()
        )

    def restore(self, state: State) -> FittedTrend:
        slots, first, positive = state["slots"].tolist()
        arrays = (np.asarray(state[k], float) for k in ("season", "grid", "weights"))
        return FittedTrend(self, float(state["scale"][0]), slots, first, bool(positive), *arrays)


@dataclass(frozen=True)
class FittedTrend:
    """grid: ``(G, 4)`` damping a slot, and the variances of noise, level and slope beside the scale; weights: ``(G,)``."""

    model: Trend
    scale: float
    slots: int
    first: int
    positive: bool
    season: Floats
    grid: Floats
    weights: Floats

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """The filters run over the panel's values, and paths drawn with a fixed seed. Raises NotEnoughData."""
        h = aligned(panel, self.model.target, self.slots, self.first, self.positive)
        return draws.estimate(panel, h, periods, lambda ahead: self._paths(h, ahead))

    def _paths(self, h: History, ahead: int) -> Floats:
        """``(S, H)``."""
        y = _seen(h, _analysed(h, self.scale, self.positive), self.season)
        S, rng = self.model.paths, np.random.default_rng(draws.SEED)
        of = np.searchsorted(np.cumsum(self.weights), (np.arange(S) + 0.5) / S * (1 - 1e-12))
        start, size = np.empty((S, 3)), np.empty(S)
        normal, chi = rng.standard_normal((S, 3)), rng.standard_normal(S)
        for g in np.unique(of):
            _, a, P, s2, n = _run(y, self.grid[g])
            mine = of == g
            k = float(n - 1)
            size[mine] = np.sqrt(
                s2 / (1 - 2 / (9 * k) + chi[mine] * np.sqrt(2 / (9 * k))) ** 3
            )  # Wilson & Hilferty (1931)
            root = np.linalg.cholesky(P + 1e-14 * np.trace(P) * np.eye(3))
            start[mine] = a + size[mine, None] * (normal[mine] @ root.T)
        phi, r, q, z = self.grid[of].T
        level, slope, drift = start.T.copy()
        out = np.empty((S, ahead))
        place = (h.newest + 1 + np.arange(ahead)) % self.slots
        for t in range(ahead):
            e = rng.standard_normal((3, S)) * size
            out[:, t] = level + np.sqrt(r) * e[0] + self.season[place[t]]
            level += slope + drift + np.sqrt(q) * e[1]
            slope = phi * slope + np.sqrt(z) * e[2]
        return self.scale * (np.exp(out) if self.positive else out)

    def state(self) -> State:
        return {
            "scale": np.array([self.scale]),
            "slots": np.array([self.slots, self.first, self.positive], np.int64),
            "season": self.season,
            "grid": self.grid,
            "weights": self.weights,
        }


def _point(damping: float, noise: float, slope: float, slots: int) -> tuple[float, float, float, float]:
    phi = damping ** (1 / slots)
    return phi, noise, 1.0, slope**2 / slots * (1 - phi**2)


def _analysed(h: History, scale: float, log: bool) -> Floats:
    y = np.round(h.values / scale, 10)
    return np.log(np.maximum(y, 1e-10)) if log else y


def _seen(h: History, y: Floats, season: Floats) -> Floats:
    """Without the season, and NaN in gaps."""
    return np.where(h.seen, y - season[(h.first + np.arange(len(y))) % h.slots], np.nan)


def _run(y: Floats, point: Floats) -> tuple[float, Floats, Floats, float, int]:
    """Log-likelihood with the scale concentrated out, mean and covariance (beside the scale) of the state ahead, scale, number."""
    from engine.kernels.trend import trend_filter

    phi, r, q, z = point.tolist()
    spread = float(np.nanvar(np.diff(y))) + 1e-12
    a, P = np.array([y[0] if np.isfinite(y[0]) else np.nanmean(y), 0.0, 0.0]), np.zeros((3, 3))
    P[0, 0], P[1, 1], P[2, 2] = 1e4, z / (1 - phi**2), 1e2
    squares, logs, n = trend_filter(y, phi, r, q, z, a, P)
    s2 = max(squares / n, 1e-9 * spread)
    return -0.5 * (n * np.log(s2) + logs), a, P, s2, n


MODEL = Trend
