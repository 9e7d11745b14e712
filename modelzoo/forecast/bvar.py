"""A Bayesian vector autoregression for the middle and long run: series that move together, and a fan to ten years.

Minnesota prior in its conjugate form by dummy observations, with a prior on the sum of coefficients: Bańbura, Giannone & Reichlin
(2010), Journal of Applied Econometrics 25, equations 5 and 6. The posterior is in closed form, normal and inverse Wishart; paths
are drawn from it with a fixed seed. Positive levels in logarithms, fixed seasons taken out beforehand. Where some series are
known further than others, the paths are drawn given what is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.calendar import Period
from engine.errors import BadInput, NotEnoughData
from engine.estimate import Estimate
from engine.model import State
from engine.panel import Panel
from engine.typing import Bools, Floats, Ints
from modelzoo.forecast import draws, history
from modelzoo.forecast.history import History
from modelzoo.forecast.season import is_seasonal, pattern
from modelzoo.forecast.single import aligned

_LAGS = {1: 2, 4: 4, 11: 6, 12: 6}
_GROWTH = 0.02  # draws whose largest root lies above 1 + 2 % a year are drawn anew
_SUM = 10.0  # tightness of the prior on the sum of coefficients, beside that of the Minnesota prior


@dataclass(frozen=True)
class Bvar:
    """Target and other series of the same frequency.

    target: series id, monthly, quarterly or annual.
    others: ids of one or more further series of the same region or any other.
    tightness: of the prior, 0.01 … 10; small means random walks (levels) and their own past (rates).
    paths: how many paths are drawn, 100 … 10000.
    """

    target: str
    others: tuple[str, ...]
    tightness: float = 0.2
    paths: int = 500

    def __post_init__(self) -> None:
        if not self.others or self.target in self.others or len(set(self.others)) != len(self.others):
            raise BadInput("others: one or more series, each once, without the target")
        if not 0.01 <= self.tightness <= 10:
            raise BadInput(f"tightness must lie in 0.01 … 10, not {self.tightness}")

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.target, *self.others)

    def fit(self, panel: Panel) -> FittedBvar:
        """Raises NotEnoughData where a series is too short or too few slots are known of all; BadInput for other frequencies."""
        several = [history.read(panel, i) for i in self.inputs]
        slots = several[0].slots
        if odd := [h.name for h in several if h.slots != slots]:
            raise BadInput(f"{', '.join(odd)}: has another number of values a year than {self.target}")
        scale = np.array([np.abs(h.values).mean() for h in several])
        logs = np.array([h.positive for h in several])
        season = np.zeros((len(several), slots))
        for n, h in enumerate(several):
            y = _analysed(h, scale[n], logs[n])
            if is_seasonal(y, slots):
                season[n] = pattern(y, slots, h.first % slots, False)
        firsts = np.array([h.first for h in several], np.int64)
        Y, known = _rows(several, scale, logs, season)
        whole = known.all(axis=1)
        begin, end = int(firsts.max() - firsts.min()), int(np.flatnonzero(whole)[-1]) + 1 if whole.any() else 0
        lags = _LAGS[slots]
        if end - begin < 2 * lags + 10:
            raise NotEnoughData(
                f"{self.target}: {2 * lags + 10} values known of all of {', '.join(self.inputs)} are needed, "
                f"{max(end - begin, 0)} are as of {panel.day}"
            )
        posterior = posterior_of(Y[begin:end], lags, self.tightness, logs)
        return FittedBvar(self, slots, scale, logs, season, firsts, *posterior)

    def restore(self, state: State) -> FittedBvar:
        floats = {k: np.asarray(v, float) for k, v in state.items()}
        firsts = np.asarray(state["firsts"], np.int64)
        told = (floats[k] for k in ("mean", "root", "spread", "degrees"))
        slots, logs = int(state["slots"][0]), floats["logs"].astype(np.bool_)
        return FittedBvar(self, slots, floats["scale"], logs, floats["season"], firsts, *told)


def posterior_of(Y: Floats, lags: int, tightness: float, levels: Bools) -> tuple[Floats, Floats, Floats, Floats]:
    """Mean ``(K, N)`` of the coefficients (newest lag first, constant last), a root ``(K, K)`` of Ω, S ``(N, N)``, degrees (1,).

    Σ ~ IW(S, degrees), vec B | Σ ~ N(vec mean, Σ ⊗ Ω). Y: ``(T, N)``. levels: ``(N,)`` which have a random walk as their prior;
    the others have their own first autocorrelation.
    """
    T, N = Y.shape
    delta = np.ones(N)
    sigma = np.empty(N)
    for n in range(N):
        d = Y[:, n] - Y[:, n].mean()
        rho = float(np.clip((d[1:] @ d[:-1]) / (d @ d), 0.0, 1.0))
        delta[n] = 1.0 if levels[n] else rho
        X = np.column_stack([Y[lags - k - 1 : T - k - 1, n] for k in range(lags)] + [np.ones(T - lags)])
        e = Y[lags:, n] - X @ np.linalg.lstsq(X, Y[lags:, n], rcond=None)[0]
        sigma[n] = np.sqrt(e @ e / max(len(e) - lags - 1, 1)) + 1e-8
    start = Y[:lags].mean(axis=0)
    X = np.column_stack([Y[lags - k - 1 : T - k - 1] for k in range(lags)] + [np.ones((T - lags, 1))])
    K, J = N * lags + 1, np.kron(np.diag(np.arange(1.0, lags + 1)), np.diag(sigma))
    zero = np.zeros
    Yd = np.vstack([np.diag(delta * sigma) / tightness, zero((N * (lags - 1), N)), np.diag(sigma), zero((1, N))])
    Xd = zero((len(Yd), K))
    Xd[: N * lags, :-1] = J / tightness
    Xd[-1, -1] = 1e-3
    Ys = np.diag(delta * start) / (_SUM * tightness)
    Xs = np.column_stack([np.tile(Ys, lags), zero((N, 1))])
    Ya, Xa = np.vstack([Y[lags:], Yd, Ys]), np.vstack([X, Xd, Xs])
    inverse = Xa.T @ Xa
    mean = np.linalg.solve(inverse, Xa.T @ Ya)
    rest = Ya - Xa @ mean
    root = np.linalg.inv(np.linalg.cholesky(inverse)).T  # root @ root.T is Ω
    return mean, root, rest.T @ rest, np.array([float(T - lags + 2 + N)])


@dataclass(frozen=True)
class FittedBvar:
    """scale, logs: ``(N,)``; season: ``(N, slots)``; firsts: ``(N,)`` the slots in which the series began. Posterior as above."""

    model: Bvar
    slots: int
    scale: Floats
    logs: Bools
    season: Floats
    firsts: Ints
    mean: Floats
    root: Floats
    spread: Floats
    degrees: Floats

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """Paths drawn from the posterior, given the newest values of all series. Raises NotEnoughData."""
        rules = zip(self.model.inputs, self.firsts.tolist(), self.logs.tolist(), strict=True)
        several = [aligned(panel, i, self.slots, first, log) for i, first, log in rules]
        return draws.estimate(panel, several[0], periods, lambda ahead: self._paths(several, ahead))

    def _paths(self, several: Sequence[History], ahead: int) -> Floats:
        """``(S, H)`` of the target."""
        Y, known = _rows(several, self.scale, self.logs, self.season)
        own = several[0].newest - int(self.firsts.min()) + 1  # rows up to the target's newest
        lags = (len(self.mean) - 1) // Y.shape[1]
        last = int(np.flatnonzero(known.all(axis=1))[-1]) + 1
        ragged = len(Y) - last
        if last < lags or np.isnan(Y[last - lags : last]).any():
            raise NotEnoughData(
                f"{self.model.target}: {lags} slots in a row must be known of all of {', '.join(self.model.inputs)}"
            )
        steps = max(own + ahead - last, ragged)
        rng, out = np.random.default_rng(draws.SEED), np.empty((self.model.paths, steps))
        for s in range(self.model.paths):
            B, L = self._draw(rng, lags)
            one = np.random.default_rng((draws.SEED, s))
            out[s] = _path(Y[last - lags : last], B, L, Y[last:], one, steps)
        path = out[:, own - last : own - last + ahead]
        path = path + self.season[0][(several[0].newest + 1 + np.arange(ahead)) % self.slots]
        return np.asarray(self.scale[0] * (np.exp(path) if self.logs[0] else path), float)

    def _draw(self, rng: np.random.Generator, lags: int) -> tuple[Floats, Floats]:
        """Coefficients and a root of Σ; the mean of the coefficients where ten draws in a row explode."""
        N = len(self.spread)
        for _ in range(10):
            W = np.linalg.cholesky(np.linalg.inv(self.spread)) @ rng.standard_normal((N, int(self.degrees[0])))
            L = np.linalg.cholesky(np.linalg.inv(W @ W.T))
            B = self.mean + self.root @ rng.standard_normal(self.mean.shape) @ L.T
            companion = np.eye(N * lags, k=-N)
            companion[:N] = B[:-1].T
            if np.abs(np.linalg.eigvals(companion)).max() <= 1 + _GROWTH / self.slots:
                return B, L
        return self.mean, L

    def state(self) -> State:
        return {
            "slots": np.array([self.slots], np.int64),
            "scale": self.scale,
            "logs": self.logs.astype(np.int64),
            "season": self.season,
            "firsts": self.firsts,
            "mean": self.mean,
            "root": self.root,
            "spread": self.spread,
            "degrees": self.degrees,
        }


def _path(past: Floats, B: Floats, L: Floats, given: Floats, rng: np.random.Generator, steps: int) -> Floats:
    """``(steps,)`` of the first series after ``past`` ``(lags, N)``; given: ``(R, N)``, NaN where not known."""
    lags, N = past.shape
    R = len(given)
    e = rng.standard_normal((steps, N))
    if R:
        base = _iterate(past, B, np.zeros((R, N))).ravel()
        psi = np.stack(
            [
                _iterate(np.zeros((lags, N)), np.vstack([B[:-1], np.zeros((1, N))]), _unit(R, N, k) @ L.T)
                for k in range(N)
            ]
        )
        G = np.zeros((R * N, R * N))
        for i in range(R):
            for j in range(i + 1):
                G[i * N : (i + 1) * N, j * N : (j + 1) * N] = psi[:, i - j].T
        seen = ~np.isnan(given.ravel())
        Go, flat = G[seen], e[:R].ravel()
        miss = given.ravel()[seen] - base[seen] - Go @ flat
        e[:R] = (flat + Go.T @ np.linalg.solve(Go @ Go.T, miss)).reshape(R, N)
    return _iterate(past, B, e @ L.T)[:, 0]


def _unit(R: int, N: int, k: int) -> Floats:
    out = np.zeros((R, N))
    out[0, k] = 1.0
    return out


def _iterate(past: Floats, B: Floats, shocks: Floats) -> Floats:
    """``(steps, N)`` after ``(lags, N)``, newest last, with shocks ``(steps, N)``."""
    N = past.shape[1]
    x = past[::-1].ravel().copy()
    out = np.empty(shocks.shape)
    for t in range(len(shocks)):
        out[t] = x @ B[:-1] + B[-1] + shocks[t]
        x = np.concatenate([out[t], x[:-N]])
    return out


def _analysed(h: History, scale: float, log: bool) -> Floats:
    y = np.round(h.values / scale, 10)
    return np.log(np.maximum(y, 1e-10)) if log else y


def _rows(several: Sequence[History], scale: Floats, logs: Bools, season: Floats) -> tuple[Floats, Bools]:
    """``(T, N)`` analysed values on the slots of all series, gaps filled, NaN before and after; and where there is a value."""
    first, last = min(h.first for h in several), max(h.newest for h in several)
    Y = np.full((last - first + 1, len(several)), np.nan)
    for n, h in enumerate(several):
        y = _analysed(h, scale[n], logs[n]) - season[n][(h.first + np.arange(len(h.values))) % h.slots]
        Y[h.first - first : h.newest - first + 1, n] = y
    return Y, ~np.isnan(Y)


MODEL = Bvar
