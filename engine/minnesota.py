"""A Bayesian vector autoregression with a natural-conjugate Minnesota prior: posterior and marginal likelihood in closed form.

Y = X B + U, rows of U ~ N(0, Σ); B | Σ ~ N(B0, Σ ⊗ Ω0), Σ ~ IW(S0, ν0). Sources: Kadiyala & Karlsson (1997, J. Appl.
Econometrics 12); Bańbura, Giannone & Reichlin (2010, J. Appl. Econometrics 25); tightness by marginal likelihood: Giannone, Lenza &
Primiceri (2015, Rev. Econ. Stat. 97).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import BadInput
from engine.typing import Floats


@dataclass(frozen=True, slots=True)
class Prior:
    """mean ``(K, n)`` of B; spread ``(K,)``, the diagonal of Ω0; scale ``(n,)``, the diagonal of S0; freedom ν0 > n − 1."""

    mean: Floats
    spread: Floats
    scale: Floats
    freedom: float

    def __post_init__(self) -> None:
        K, n = self.mean.shape
        if self.spread.shape != (K,) or self.scale.shape != (n,) or self.freedom <= n - 1:
            raise BadInput(
                f"a prior of ({K}, {n}) coefficients needs {K} spreads, {n} scales and more than {n - 1} degrees of freedom"
            )
        if not (self.spread.min() > 0 and self.scale.min() > 0):
            raise BadInput("spreads and scales of a prior are positive")


@dataclass(frozen=True, slots=True)
class Posterior:
    """mean ``(K, n)`` of B; omega ``(K, K)``; scale ``(n, n)`` and freedom of the inverse Wishart; evidence, log p(Y | prior)."""

    mean: Floats
    omega: Floats
    scale: Floats
    freedom: float
    evidence: float

    @property
    def sigma(self) -> Floats:
        """``(n, n)`` the posterior mean of Σ."""
        out: Floats = self.scale / (self.freedom - len(self.scale) - 1)
        return out


def posterior(Y: Floats, X: Floats, prior: Prior) -> Posterior:
    """The posterior given ``(T, n)`` data and ``(T, K)`` regressors without NaN. Raises BadInput for shapes that do not fit."""
    from scipy.linalg import cho_factor, cho_solve  # slow to import
    from scipy.special import multigammaln

    T, n = Y.shape
    if X.shape != (T, len(prior.mean)) or n != prior.mean.shape[1] or np.isnan(Y).any() or np.isnan(X).any():
        raise BadInput(
            f"data {Y.shape} and regressors {X.shape} must be complete and fit a prior of {prior.mean.shape}"
        )
    precision = X.T @ X + np.diag(1.0 / prior.spread)
    factor = cho_factor(precision, lower=True)
    away = Y - X @ prior.mean  # the prior mean taken out first, so that nothing large cancels
    shift = cho_solve(factor, X.T @ away)
    scale = np.diag(prior.scale) + away.T @ away - shift.T @ precision @ shift
    scale = (scale + scale.T) / 2
    freedom = prior.freedom + T
    log_precision = 2 * float(np.log(np.diag(factor[0])).sum())
    log_scale = float(np.linalg.slogdet(scale)[1])
    evidence = (
        -n * T / 2 * np.log(np.pi)
        + multigammaln(freedom / 2, n) - multigammaln(prior.freedom / 2, n)
        - n / 2 * (log_precision + np.log(prior.spread).sum())
        + prior.freedom / 2 * np.log(prior.scale).sum() - freedom / 2 * log_scale
    )  # fmt: skip
    return Posterior(prior.mean + shift, cho_solve(factor, np.eye(len(precision))), scale, freedom, float(evidence))


def ahead(B: Floats, C: Floats, past: Floats, steps: int) -> tuple[Floats, Floats]:
    """The joint distribution of the next ``steps`` rows: mean ``(steps × n,)`` and a square root G of its covariance G G'.

    B: ``(1 + n × p, n)`` coefficients, constant first, then lag by lag. C: ``(n, n)`` a root of Σ. past: ``(p, n)``, newest last.
    """
    p, n = past.shape
    A = [B[1 + n * i : 1 + n * (i + 1)].T for i in range(p)]
    rows, response = list(past), [np.eye(n)]
    for k in range(1, steps + 1):
        rows.append(B[0] + np.sum([A[i] @ rows[-1 - i] for i in range(p)], axis=0))
        response.append(np.sum([A[i] @ response[k - 1 - i] for i in range(min(p, k))], axis=0))
    G = np.zeros((steps, n, steps, n))
    for k in range(steps):
        for i in range(k + 1):
            G[k, :, i] = response[k - i] @ C
    return np.concatenate(rows[p:]), G.reshape(steps * n, steps * n)


def given(mean: Floats, G: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Mean and variance ``(m,)`` of a normal vector N(mean, G G') given those of its values that are not NaN.

    What the Kalman smoother gives, in one step: for a ragged edge of some quarters the vector is short.
    """
    known = ~np.isnan(values)
    if not known.any():
        return mean, np.square(G).sum(1)
    # of G_o = L Q' the rows of Q span what the known values say of the shocks
    Q, L = np.linalg.qr(G[known].T)
    z = np.linalg.solve(L.T, values[known] - mean[known])
    on = G @ Q
    variance = np.square(G).sum(1) - np.square(on).sum(1)
    return mean + on @ z, np.maximum(variance, 0.0)
