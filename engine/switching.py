"""Two regimes with means of their own: estimation from many starts, accepted only where it is worth believing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import BadInput, NotConverged, NotEnoughData
from engine.kernels import switching as kernel
from engine.typing import Floats

SHORTEST = 3.0
"""Periods that each regime must last on average; shorter ones are outliers, not phases."""

LEAST = 40
"""Values below which nothing is fitted."""

_AGREE = 1e-3  # of log-likelihood, between starts that found the same maximum
_ROUNDS, _TOLERANCE, _POLISHED, _DRAWS = 300, 1e-7, 4, 200


@dataclass(frozen=True, slots=True)
class Regimes:
    """Regime 0 has the lower mean.

    mean: ``(2,)``. ar: ``(order,)``. sigma2. stay: ``(2,)`` chance that a regime goes on. llf: log-likelihood; llf_one: that of one
    regime with the same lags. n: values in it. agreed: how many of the starts found this maximum. draws: ``(D, 2 + order + 3)``
    mean, ar, sigma2, stay drawn from what is not known of them.
    """

    mean: Floats
    ar: Floats
    sigma2: float
    stay: Floats
    llf: float
    llf_one: float
    n: int
    agreed: int
    draws: Floats

    @property
    def durations(self) -> Floats:
        """``(2,)`` periods that a regime lasts on average."""
        return np.asarray(1.0 / (1.0 - self.stay), np.float64)

    @property
    def bic(self) -> float:
        """Of two regimes; the smaller is the better."""
        return float(-2 * self.llf + (5 + len(self.ar)) * np.log(self.n))

    @property
    def bic_one(self) -> float:
        """Of one regime with the same lags."""
        return float(-2 * self.llf_one + (2 + len(self.ar)) * np.log(self.n))

    def low(self, y: Floats) -> tuple[Floats, Floats]:
        """``(T - order,)`` chance of the lower regime in each period, given the values so far, and given all of them."""
        return chance(y, self.mean, self.ar, self.sigma2, self.stay)

    def ahead(self, low: float, steps: int) -> float:
        """Chance of the lower regime ``steps`` periods after a period in which it was ``low``."""
        return forecast(low, self.stay, steps)


def chance(y: Floats, mean: Floats, ar: Floats, sigma2: float, stay: Floats) -> tuple[Floats, Floats]:
    """Filtered and smoothed chance of regime 0, as :meth:`Regimes.low`."""
    P = _matrix(stay)
    _, post, pred = kernel.filter_(y, mean, ar, sigma2, P)
    return post[:, ::2].sum(1), kernel.smooth(post, pred, P)[:, ::2].sum(1)


def forecast(low: float, stay: Floats, steps: int) -> float:
    """Chance of regime 0 after steps of the chain."""
    rest = (1.0 - stay[1]) / (2.0 - stay[0] - stay[1])
    return float(rest + (stay[0] + stay[1] - 1.0) ** steps * (low - rest))


def fit(values: Floats, order: int = 0, starts: int = 20, seed: int = 0, name: str = "the series") -> Regimes:
    """Maximum likelihood from ``starts`` random points: EM from each, the best of them polished.

    values: ``(T,)``; NaN may be among them where order is 0. Raises NotEnoughData below LEAST values or without spread;
    NotConverged where starts do not agree on the best maximum, or a regime lasts less than SHORTEST periods on average.
    """
    y = np.ascontiguousarray(values, float)
    if not 0 <= order <= 4 or starts < 2:
        raise BadInput(f"{name}: order is 0 … 4 and starts are at least 2, not {order} and {starts}")
    known = y[~np.isnan(y)]
    if order and len(known) < len(y):
        raise NotEnoughData(
            f"{name}: {len(y) - len(known)} of {len(y)} values are missing; lags need all, order 0 does not"
        )
    if len(known) < LEAST:
        raise NotEnoughData(f"{name}: {len(known)} values; two regimes need {LEAST}")
    centre, scale = float(known.mean()), float(known.std())
    if not scale > 1e-12 * abs(centre):
        raise NotEnoughData(f"{name}: does not vary")
    z = (y - centre) / scale
    best, agreed = _search(z, order, starts, seed, name)
    theta = _ordered(best)
    n = len(known) - order
    shift = n * np.log(scale)
    mean, ar, sigma2, stay = _open(theta, order)
    lasting = 1.0 / (1.0 - stay)
    if lasting.min() < SHORTEST:
        raise NotConverged(
            f"{name}: a regime that lasts {lasting.min():.1f} periods on average is made of outliers, not a phase; "
            f"{SHORTEST:g} are needed"
        )
    opened = [_open(t, order) for t in _draws(theta, z, order, seed, name)]
    draws = np.array([np.r_[m * scale + centre, a, s * scale**2, q] for m, a, s, q in opened])
    return Regimes(
        mean * scale + centre, ar, sigma2 * scale**2, stay, -_loss(theta, z, order) - shift,
        _one(z, order) - shift, n, agreed, draws,
    )  # fmt: skip


def _search(z: Floats, order: int, starts: int, seed: int, name: str) -> tuple[Floats, int]:
    """Transformed parameters at the best maximum, and how many starts found it."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(seed)
    known = z[~np.isnan(z)]
    found = []
    for _ in range(starts):
        mu = np.quantile(known, np.sort(rng.uniform(0.02, 0.98, 2)))
        phi = rng.normal(scale=0.2, size=order) / max(order, 1)
        P = _matrix(rng.uniform(0.6, 0.98, 2))
        mu, phi, sigma2, P, level = kernel.em(z, mu, phi, rng.uniform(0.2, 0.9), P, _ROUNDS, _TOLERANCE)
        if np.isfinite(level) and sigma2 > 0:
            found.append((level, np.r_[mu, phi, np.log(sigma2), _logit(P[0, 0]), _logit(P[1, 1])]))
    found.sort(key=lambda f: -f[0])
    if not found:
        raise NotConverged(f"{name}: none of {starts} starts found two regimes")
    ends = [minimize(_loss, t, args=(z, order), method="BFGS", options={"gtol": 1e-5}) for _, t in found[:_POLISHED]]
    best = min(ends, key=lambda e: float(e.fun))
    agreed = sum(-level - best.fun < 10 * _AGREE for level, _ in found[_POLISHED:])
    agreed += sum(e.fun - best.fun < _AGREE for e in ends)
    if agreed < 2:
        raise NotConverged(
            f"{name}: only one of {starts} starts found the highest likelihood {-best.fun:.4f}; another start could find more"
        )
    return np.asarray(best.x, np.float64), int(agreed)


def _loss(theta: Floats, z: Floats, order: int) -> float:
    mean, ar, sigma2, stay = _open(theta, order)
    level = kernel.filter_(z, mean, ar, sigma2, _matrix(stay))[0]
    return -level if np.isfinite(level) else 1e10


def _open(theta: Floats, order: int) -> tuple[Floats, Floats, float, Floats]:
    stay = 1.0 / (1.0 + np.exp(-np.clip(theta[-2:], -12.0, 12.0)))
    sigma2 = float(np.exp(np.clip(theta[2 + order], -30.0, 30.0)))
    return theta[:2].copy(), theta[2 : 2 + order].copy(), sigma2, stay


def _ordered(theta: Floats) -> Floats:
    """Regime 0 has the lower mean."""
    if theta[0] <= theta[1]:
        return theta
    return np.asarray(np.r_[theta[1], theta[0], theta[2:-2], theta[-1], theta[-2]], np.float64)


def _draws(theta: Floats, z: Floats, order: int, seed: int, name: str) -> Floats:
    """``(D, n)`` from the normal around the maximum whose precision is the curvature of the likelihood there."""
    n, step = len(theta), 1e-4
    H, E = np.empty((n, n)), np.eye(n) * step
    for i in range(n):
        for j in range(i + 1):
            corners = [_loss(theta + a * E[i] + b * E[j], z, order) for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
            H[i, j] = H[j, i] = (corners[0] - corners[1] - corners[2] + corners[3]) / (4 * step * step)
    values, vectors = np.linalg.eigh(H)
    if values.min() <= 1e-6 * values.max():
        raise NotConverged(
            f"{name}: the likelihood is flat at its maximum; some parameter of the two regimes is not told by it"
        )
    g = np.random.default_rng([seed, 1]).normal(size=(_DRAWS, n))
    return np.asarray(theta + (g / np.sqrt(values)) @ vectors.T, np.float64)


def _one(z: Floats, order: int) -> float:
    """Log-likelihood of one regime with the same lags, by least squares."""
    if not order:
        known = z[~np.isnan(z)]
        return float(-0.5 * len(known) * (np.log(2 * np.pi * known.var()) + 1))
    X = np.column_stack([np.ones(len(z) - order), *(z[order - lag : len(z) - lag] for lag in range(1, order + 1))])
    e = z[order:] - X @ np.linalg.lstsq(X, z[order:], rcond=None)[0]
    return float(-0.5 * len(e) * (np.log(2 * np.pi * float(e @ e) / len(e)) + 1))


def _matrix(stay: Floats) -> Floats:
    return np.array([[stay[0], 1.0 - stay[0]], [1.0 - stay[1], stay[1]]])


def _logit(p: float) -> float:
    return float(np.log(p / (1.0 - p)))
