"""The scalar search of the M-step: an AR(1) coefficient from pairs of values one, two, … months apart."""

import math

import numpy as np
from numba import njit

LIMIT = 0.995  # |ρ|: a unit root would leave the first value without a variance


@njit(cache=True)
def deviance(rho, n, e00, e01, e11):
    """-2 log-likelihood with σ² concentrated out, up to a constant; its derivative by ρ; and σ².

    n, e00, e01, e11 ``(g + 1,)``: see :func:`ar1`. With c_k = 1 + ρ² + … + ρ^2(k-1), a pair k months apart has the variance c_k σ²,
    the first value σ² / (1 - ρ²).
    """
    total, logs, ssr = n[0], -n[0] * math.log(1.0 - rho * rho), e00[0] * (1.0 - rho * rho)
    d_logs, d_ssr = n[0] * 2.0 * rho / (1.0 - rho * rho), -2.0 * rho * e00[0]
    c, d_c, power, d_power = 0.0, 0.0, 1.0, 0.0  # ρ^k and its derivative
    for k in range(1, len(n)):
        c += power * power
        d_c += 2.0 * power * d_power
        d_power = d_power * rho + power
        power *= rho
        if n[k] > 0.0:
            q = e00[k] - 2.0 * power * e01[k] + power * power * e11[k]
            d_q = 2.0 * d_power * (power * e11[k] - e01[k])
            total += n[k]
            logs += n[k] * math.log(c)
            d_logs += n[k] * d_c / c
            ssr += q / c
            d_ssr += (d_q * c - q * d_c) / (c * c)
    sigma2 = max(ssr / total, 1e-12)
    return total * math.log(sigma2) + logs, d_ssr / sigma2 + d_logs, sigma2


@njit(cache=True)
def ar1(n, e00, e01, e11):
    """Maximise over ρ and σ² for each of N series: golden section over (-0.995, 0.995), then the root of the derivative.

    The root, because a minimum is flat: values alone find it to 1e-8 only, and what rides on ρ would jitter by as much.
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
        fa = deviance(a, n[i], e00[i], e01[i], e11[i])[0]
        fb = deviance(b, n[i], e00[i], e01[i], e11[i])[0]
        for _ in range(14):
            if fa < fb:
                hi, b, fb = b, a, fa
                a = hi - ratio * (hi - lo)
                fa = deviance(a, n[i], e00[i], e01[i], e11[i])[0]
            else:
                lo, a, fa = a, b, fb
                b = lo + ratio * (hi - lo)
                fb = deviance(b, n[i], e00[i], e01[i], e11[i])[0]
        for _ in range(50):  # halving; where the derivative keeps its sign, towards the end that is the better
            rho[i] = 0.5 * (lo + hi)
            if deviance(rho[i], n[i], e00[i], e01[i], e11[i])[1] > 0.0:
                hi = rho[i]
            else:
                lo = rho[i]
        sigma2[i] = deviance(rho[i], n[i], e00[i], e01[i], e11[i])[2]
    return rho, sigma2
