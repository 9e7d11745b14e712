"""Probit and logit by maximum likelihood, plain or penalised: for an event that is rare, and data that may separate it.

Penalties: "l2", ½ λ Σ b² on the slopes of standardised predictors; "firth", the log of Jeffreys' prior ½ log |X'WX|, which
takes away the first-order bias and is finite whatever the data (Firth 1993, Biometrika 80(1); for any link: Kosmidis & Firth
2021, Biometrika 108(1)). Fisher scoring with halved steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit, log_expit, log_ndtr, ndtr

from engine.errors import BadInput, NotConverged, NotEnoughData
from engine.typing import Floats

Link = Literal["probit", "logit"]
Penalty = Literal["none", "l2", "firth"]

FEWEST = 5
"""Months with, and months without the event, below which nothing is fitted."""

_ROUNDS, _HALVINGS, _TOLERANCE = 200, 30, 1e-9


@dataclass(frozen=True, slots=True)
class Binary:
    """coefficients: ``(N + 1,)`` constant first, in the units of the predictors; cov: ``(N + 1, N + 1)``.

    llf, llf_null: log-likelihood, without the penalty, and that of a constant alone. n, events: months, and those with the
    event.
    """

    link: Link
    coefficients: Floats
    cov: Floats
    llf: float
    llf_null: float
    n: int
    events: int

    @property
    def pseudo_r2(self) -> float:
        """1 - llf / llf_null (McFadden)."""
        return 1.0 - self.llf / self.llf_null

    @property
    def events_per_variable(self) -> float:
        """The rarer of the two outcomes over the number of predictors; below ten be wary, below five penalise."""
        return min(self.events, self.n - self.events) / (len(self.coefficients) - 1)

    def index(self, x: Floats) -> tuple[Floats, Floats]:
        """``(H,)`` linear index of predictors ``(H, N)`` and its standard error."""
        X = np.column_stack([np.ones(len(x)), x])
        se = np.sqrt(np.maximum(np.einsum("hi,ij,hj->h", X, self.cov, X), 0.0))
        return X @ self.coefficients, se

    def probability(self, index: Floats) -> Floats:
        """From the linear index to the chance of the event."""
        return np.asarray(ndtr(index) if self.link == "probit" else expit(index), np.float64)


def fit(x: Floats, y: Floats, link: Link = "probit", penalty: Penalty = "none", strength: float = 1.0) -> Binary:
    """From predictors ``(n, N)`` and outcomes ``(n,)`` of 0 and 1, without gaps.

    Raises BadInput for other outcomes; NotEnoughData below FEWEST months of either kind, or for a predictor that does not
    vary; NotConverged where the predictors tell the event without a mistake and nothing is penalised.
    """
    if x.ndim != 2 or y.shape != (len(x),) or not np.isin(y, (0.0, 1.0)).all() or not np.isfinite(x).all():
        raise BadInput(f"predictors (n, N) without gaps and outcomes (n,) of 0 and 1, not {x.shape} and {y.shape}")
    n, events = len(y), int(y.sum())
    if min(events, n - events) < FEWEST:
        raise NotEnoughData(f"{events} of {n} months with the event; at least {FEWEST} with it and without are needed")
    centre, scale = x.mean(0), x.std(0)
    if (scale <= 1e-12 * np.abs(centre)).any():
        raise NotEnoughData(f"predictor {int(np.argmin(scale)) + 1} does not vary over the {n} months")
    X = np.column_stack([np.ones(n), (x - centre) / scale])
    ridge = np.r_[0.0, np.full(x.shape[1], strength if penalty == "l2" else 0.0)]
    b = _ascend(X, y, link, ridge, penalty == "firth")
    _, w, _ = _pieces(X @ b, y, link)
    back = np.eye(len(b))
    back[1:, 1:] = np.diag(1.0 / scale)
    back[0, 1:] = -centre / scale
    cov = np.linalg.inv((X * w[:, None]).T @ X + np.diag(ridge))
    share = events / n
    null = n * (share * np.log(share) + (1 - share) * np.log(1 - share))
    return Binary(link, back @ b, back @ cov @ back.T, _likelihood(X @ b, y, link), float(null), n, events)


def _ascend(X: Floats, y: Floats, link: Link, ridge: Floats, firth: bool) -> Floats:
    b = np.zeros(X.shape[1])
    level = _objective(X, y, b, link, ridge, firth)
    for _ in range(_ROUNDS):
        score, w, slope = _pieces(X @ b, y, link)
        information = (X * w[:, None]).T @ X
        gradient = X.T @ score - ridge * b
        if firth:
            hat = w * np.einsum("ij,jk,ik->i", X, np.linalg.pinv(information), X)
            gradient += X.T @ (0.5 * hat * slope)
        step = np.linalg.lstsq(information + np.diag(ridge), gradient, rcond=None)[0]
        for _ in range(_HALVINGS):
            there = _objective(X, y, b + step, link, ridge, firth)
            if there >= level - 1e-12 * abs(level):
                break
            step = step / 2
        b, level = b + step, there
        if np.abs(X @ b).max() > 37.0 and not firth and not ridge.any():
            break  # the index runs away: no finite maximum
        if np.abs(step).max() < _TOLERANCE * (1.0 + np.abs(b).max()):
            return b
    raise NotConverged(
        f"the {link} has no finite maximum on {len(y)} months, {int(y.sum())} of them with the event: the predictors tell "
        "it without a mistake; use the penalty l2 or firth"
    )


def _objective(X: Floats, y: Floats, b: Floats, link: Link, ridge: Floats, firth: bool) -> float:
    eta = X @ b
    out = _likelihood(eta, y, link) - 0.5 * float(ridge @ b**2)
    if firth:
        _, w, _ = _pieces(eta, y, link)
        sign, log_det = np.linalg.slogdet((X * w[:, None]).T @ X)
        out = out + 0.5 * float(log_det) if sign > 0 else -np.inf
    return out


def _likelihood(eta: Floats, y: Floats, link: Link) -> float:
    log_p = log_ndtr if link == "probit" else log_expit
    return float(np.where(y == 1, log_p(eta), log_p(-eta)).sum())


def _pieces(eta: Floats, y: Floats, link: Link) -> tuple[Floats, Floats, Floats]:
    """Score of each month, its Fisher weight, and the slope of the logarithm of that weight, by the linear index."""
    if link == "logit":
        p = expit(eta)
        return y - p, p * (1.0 - p), 1.0 - 2.0 * p
    log_density = -0.5 * eta**2 - 0.5 * np.log(2 * np.pi)
    up, down = np.exp(log_density - log_ndtr(eta)), np.exp(log_density - log_ndtr(-eta))
    return np.where(y == 1, up, -down), up * down, -2.0 * eta - up + down
