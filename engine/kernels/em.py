"""The scalar search of the M-step: an AR(1) coefficient from pairs of values one, two, … months apart."""

import math

import numpy as np
from numba import njit

LIMIT = 0.995  # |ρ|: a unit root would leave the first value without a variance


@njit(cache=True)
def _deviance(rho, n, e00, e01, e11):
    """-2 log-likelihood with σ² concentrated out, up to a constant; and σ². k = 0 is the stationary first value."""
    total, logs, ssr = n[0], -n[0] * math.log(1.0 - rho * rho), e00[0] * (1.0 - rho * rho)
    c, power = 0.0, 1.0
    for k in range(1, len(n)):
        c += power * power
        power *= rho
        if n[k] > 0.0:
            total += n[k]
            logs += n[k] * math.log(c)
            ssr += (e00[k] - 2.0 * power * e01[k] + power * power * e11[k]) / c
    sigma2 = max(ssr / total, 1e-12)
    return total * math.log(sigma2) + logs, sigma2


@njit(cache=True)
def ar1(n, e00, e01, e11):
    """Maximise over ρ and σ² for each of N series by golden section over (-0.995, 0.995).

    n, e00, e01, e11: ``(N, g + 1)`` counts and expected sums of e_t², e_t e_t-k, e_t-k² over the pairs k months apart; column 0
    holds the first values. Returns ρ ``(N,)``, σ² ``(N,)``; a series without any value keeps ρ = 0, σ² = 1.
    """
    N = len(n)
    rho, sigma2 = np.zeros(N), np.ones(N)
    ratio = 0.5 * (math.sqrt(5.0) - 1.0)
    for i in range(N):
        if n[i].sum() == 0.0:
            continue
        lo, hi = -LIMIT, LIMIT
        a, b = hi - ratio * (hi - lo), lo + ratio * (hi - lo)
        fa = _deviance(a, n[i], e00[i], e01[i], e11[i])[0]
        fb = _deviance(b, n[i], e00[i], e01[i], e11[i])[0]
        for _ in range(48):
            if fa < fb:
                hi, b, fb = b, a, fa
                a = hi - ratio * (hi - lo)
                fa = _deviance(a, n[i], e00[i], e01[i], e11[i])[0]
            else:
                lo, a, fa = a, b, fb
                b = lo + ratio * (hi - lo)
                fb = _deviance(b, n[i], e00[i], e01[i], e11[i])[0]
        rho[i] = 0.5 * (lo + hi)
        sigma2[i] = _deviance(rho[i], n[i], e00[i], e01[i], e11[i])[1]
    return rho, sigma2
