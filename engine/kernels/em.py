"""Of the M-step: the factors' VAR block by block, and the search for an AR(1) coefficient from sums over what is new in values."""

import math

import numpy as np
from numba import njit

from engine.kernels.collapse import difference

LIMIT = 0.995  # |ρ|: a unit root would leave the first value without a variance
STEP = 1e-30  # of the imaginary part that carries a derivative; no digit is lost to it (Squire & Trapp 1998, SIAM Review 40)


@njit(cache=True)
def transition(S, blocks, lags):
    """A ``(R, R p)`` and the summed squares of its errors ``(R, R)``, both 0 between blocks. Raises LinAlgError if S is singular.

    S ``(R (p + 1), R (p + 1))``: Σ E of (f_t, …, f_t-p) and itself; blocks ``(R,)``: the block of each factor.
    """
    R = len(blocks)
    A, Q = np.zeros((R, R * lags)), np.zeros((R, R))
    for block in range(blocks.max() + 1):
        f = np.flatnonzero(blocks == block)
        r = len(f)
        past = np.empty(r * lags, np.int64)
        for lag in range(lags):
            past[lag * r : (lag + 1) * r] = f + (lag + 1) * R
        among, across = np.empty((r * lags, r * lags)), np.empty((r * lags, r))
        for i in range(r * lags):
            for j in range(r * lags):
                among[i, j] = S[past[i], past[j]]
            for j in range(r):
                across[i, j] = S[past[i], f[j]]
        B = np.linalg.solve(among, across)
        for i in range(r):
            for j in range(r * lags):
                A[f[i], past[j] - R] = B[j, i]
            for j in range(i + 1):
                c = S[f[i], f[j]]
                for q in range(r * lags):
                    c -= 0.5 * (B[q, i] * across[q, j] + B[q, j] * across[q, i])
                Q[f[i], f[j]] = Q[f[j], f[i]] = c
    return A, Q


@njit(cache=True)
def deviance(rho, sorts, n, moments):
    """-2 log-likelihood with σ² concentrated out, up to a constant; and σ². See :func:`ar1`; rho may be complex."""
    total, logs, ssr = 0.0, 0.0 * rho, 0.0 * rho
    for q in range(len(n)):
        if n[q] == 0.0:
            continue
        beta, gamma, variance = difference(sorts[q, 0], sorts[q, 1], sorts[q, 2], rho)
        m = moments[q]
        square = m[0, 0] + beta * (beta * m[1, 1] - 2.0 * m[0, 1]) + gamma * (gamma * m[2, 2] - 2.0 * m[0, 2])
        square += 2.0 * beta * gamma * m[1, 2]
        total += n[q]
        logs += n[q] * np.log(variance)
        ssr += square / variance
    sigma2 = ssr / total
    if sigma2.real < 1e-12:
        sigma2 = 1e-12 + 0.0 * rho
    return total * np.log(sigma2) + logs, sigma2


@njit(cache=True)
def slope(rho, sorts, n, moments):
    """The derivative of the deviance by ρ."""
    return deviance(complex(rho, STEP), sorts, n, moments)[0].imag / STEP


@njit(cache=True)
def ar1(sorts, n, moments):
    """Maximise over ρ and σ² for each of N series: golden section over (-0.995, 0.995), then the root of the derivative.

    The root, because a minimum is flat: values alone find it to 1e-8 only, and what rides on ρ would jitter by as much.
    sorts ``(K, 3)`` as in ``kernels.collapse``; n ``(N, K)`` how many cells of each; moments ``(N, K, 3, 3)`` the expected sums of
    products of the cell, the pair before and the single month before. Returns ρ ``(N,)``, σ² ``(N,)``; a series without any
    value keeps ρ = 0, σ² = 1.
    """
    N = len(n)
    rho, sigma2 = np.zeros(N), np.ones(N)
    ratio = 0.5 * (math.sqrt(5.0) - 1.0)
    for i in range(N):
        if n[i].sum() == 0.0:
            continue
        lo, hi = -LIMIT, LIMIT
        a, b = hi - ratio * (hi - lo), lo + ratio * (hi - lo)
        fa = deviance(a, sorts, n[i], moments[i])[0]
        fb = deviance(b, sorts, n[i], moments[i])[0]
        for _ in range(14):
            if fa < fb:
                hi, b, fb = b, a, fa
                a = hi - ratio * (hi - lo)
                fa = deviance(a, sorts, n[i], moments[i])[0]
            else:
                lo, a, fa = a, b, fb
                b = lo + ratio * (hi - lo)
                fb = deviance(b, sorts, n[i], moments[i])[0]
        rho[i] = root(lo, hi, sorts, n[i], moments[i])
        sigma2[i] = deviance(rho[i], sorts, n[i], moments[i])[1]
    return rho, sigma2


@njit(cache=True)
def root(lo, hi, sorts, n, moments):
    """Where the derivative turns from - to + between lo and hi, by false position (Illinois); the better end where it does not."""
    below, above = slope(lo, sorts, n, moments), slope(hi, sorts, n, moments)
    if below >= 0.0:
        return lo
    if above <= 0.0:
        return hi
    side = 0
    for _ in range(60):
        middle = (lo * above - hi * below) / (above - below)
        if not lo < middle < hi:
            break
        d = slope(middle, sorts, n, moments)
        if d == 0.0:
            return middle
        if d < 0.0:
            lo, below = middle, d
            above = 0.5 * above if side < 0 else above
            side = -1
        else:
            hi, above = middle, d
            below = 0.5 * below if side > 0 else below
            side = 1
        if hi - lo < 1e-15:
            break
    return lo if -below < above else hi
