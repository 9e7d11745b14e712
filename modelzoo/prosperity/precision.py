"""One common factor of monthly components, given parameters: its distribution by a banded precision matrix.

    y_it = λ_i f_t + e_it,   e_it = ρ_i e_i,t-1 + N(0, σ_i²),   f_t = a_1 f_t-1 + … + a_p f_t-p + N(0, q)

All are autoregressions, so that the inverse covariance of (f_1 … f_T) given the data has a narrow band, as wide as the lags and
the longest gap. It says what Kalman's smoother says of this model (engine.factor), and more: what each component adds to every
month, and the covariance of every two months, which the error of a *level* needs.

Source: Chan & Jeliazkov (2009, Int. J. Math. Modelling Num. Optim. 1), section 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve_banded, cholesky_banded

from engine import factor
from engine.factor_start import Whole
from engine.typing import Floats


@dataclass(frozen=True)
class Posterior:
    """The factor given the data. parts ``(T, N)``: what each component adds to its mean; root: banded Cholesky factor."""

    parts: Floats
    root: Floats

    @property
    def mean(self) -> Floats:
        """``(T,)``."""
        return np.asarray(self.parts.sum(1), np.float64)

    def error(self, weights: Floats) -> Floats:
        """``(n,)`` standard deviation of sums of months, weights ``(n, T)``."""
        variance = np.einsum("nt,tn->n", weights, cho_solve_banded((self.root, False), weights.T))
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)), np.float64)

    def covariance(self) -> Floats:
        """``(T, T)`` of every two months."""
        return np.asarray(cho_solve_banded((self.root, False), np.eye(len(self.parts))), np.float64)


def posterior(w: Whole, values: Floats) -> Posterior:
    """Of one factor, given standardised components ``(T, N)``, NaN where not known, signs and gaps as they come."""
    T, N = values.shape
    lags = w.A.shape[1]
    seen = [np.flatnonzero(~np.isnan(values[:, n])) for n in range(N)]
    reach = max([lags, *(int(np.diff(at).max(initial=1)) for at in seen)])
    band = np.zeros((reach + 1, T))  # of row i, column i + d in band[reach - d, i + d]
    _factor(w, T, band, reach)
    pull = np.zeros((T, N))
    for n, at in enumerate(seen):
        if not len(at) or w.loadings[n, 0] == 0.0:
            continue
        lam, rho, sigma2 = w.loadings[n, 0], w.rho[n], w.sigma2[n]
        whole = sigma2 / (1.0 - rho**2)
        y, before, now = values[at, n], at[:-1], at[1:]
        c = rho ** (now - before)
        weight = lam / (whole * (1.0 - c**2))
        band[reach, at[0]] += lam**2 / whole
        pull[at[0], n] = lam * y[0] / whole
        band[reach, now] += lam * weight
        band[reach, before] += lam * weight * c**2
        np.add.at(band, (reach - (now - before), now), -lam * weight * c)
        surprise = weight * (y[1:] - c * y[:-1])
        pull[now, n] += surprise
        pull[before, n] -= c * surprise
    root = cholesky_banded(band)
    return Posterior(np.asarray(cho_solve_banded((root, False), pull), np.float64), np.asarray(root, np.float64))


def _factor(w: Whole, T: int, band: Floats, reach: int) -> None:
    """Add the precision of the factor before it is observed: shocks from month p on, a stationary start in the first p."""
    p, q = w.A.shape[1], float(w.Q[0, 0])
    step = np.concatenate([[1.0], -w.A[0]])
    for i in range(p + 1):
        for j in range(i + 1):  # lags i ≥ j: rows t - i and t - j
            band[reach - (i - j), p - j : T - j] += step[i] * step[j] / q
    empty = np.empty(0)
    parameters = factor.Parameters(
        w.A, w.Q, np.empty((0, 1)), empty, empty, np.empty((0, 1)), empty, empty, empty
    )  # fmt: skip
    start = np.linalg.inv(factor.stationary(parameters, p).cov)
    for i in range(p):
        for j in range(i, p):
            band[reach - (j - i), j] += start[i, j]
