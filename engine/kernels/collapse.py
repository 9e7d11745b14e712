"""Many series with AR(1) idiosyncratics as a few rows a month: quasi-difference, then collapse. Exact.

y_it = λ_i'f_t + e_it,  e_it = ρ_i e_i,t-1 + u_it,  u_it ~ N(0, σ²_i).

Where y_it was last seen k months before, y_it - ρ^k y_i,t-k = λ_i'f_t - ρ^k λ_i'f_t-k + w with white w of variance
σ² (1 - ρ^2k) / (1 - ρ²): an observation of (f_t, f_t-k), which a state with k lags of f holds. A series' first value has
the stationary variance σ² / (1 - ρ²). The rows x_i of a month then shrink to the rank of G = Σ x_i x_i' / s²_i:
with G = Z'Z and y* = Z^-T Σ x_i v_i / s²_i the log-likelihood is that of y* = Z (f_t, …, f_t-g) + N(0, I) plus a constant.

Sources: Jungbacker, Koopman & van der Wel (2011, J. Econ. Dyn. Control 35); Jungbacker & Koopman (2015, Econometrics J. 18).

Letters: T months, N series, R factors, g the longest gap, D = R (g + 1), U missing-data patterns.
``kind``: -1 not seen, 0 first value, k seen k months before.
"""

import math

import numpy as np
from numba import njit

FAST = {"contract", "reassoc", "nsz", "arcp"}  # never "nnan": it breaks np.isnan
LOG2PI = math.log(2 * math.pi)


@njit(cache=True)
def kinds(Y, reach):
    """What each cell is: ``(T, N)`` int64, -1 not seen, 0 first value, k ≤ reach; -2 in a column whose gap exceeds reach.

    Y: ``(T, N)``, NaN where not known.
    """
    T, N = Y.shape
    kind = np.full((T, N), -1, np.int64)
    for i in range(N):
        last = -1
        for t in range(T):
            if np.isnan(Y[t, i]):
                continue
            k = 0 if last < 0 else t - last
            if k > reach:
                kind[:, i] = -2
                break
            kind[t, i] = k
            last = t
    return kind


@njit(cache=True, fastmath=FAST)
def spread(rho, sigma2, g):
    """ρ^k and the inverse variance of a quasi-difference over k months: two arrays ``(N, g + 1)``; k = 0 is the first value."""
    N = len(rho)
    power = np.zeros((N, g + 1))
    inverse = np.empty((N, g + 1))
    for i in range(N):
        inverse[i, 0] = (1.0 - rho[i] ** 2) / sigma2[i]
        total, step = 0.0, 1.0
        for k in range(1, g + 1):
            total += step * step  # 1 + ρ² + … + ρ^2(k-1)
            step *= rho[i]
            power[i, k] = step
            inverse[i, k] = 1.0 / (sigma2[i] * total)
    return power, inverse


@njit(cache=True, fastmath=FAST)
def factorise(patterns, loadings, power, inverse):
    """Z with Z'Z = G for each pattern, upper triangular in (f_t, f_t-1, …).

    patterns: ``(U, N)`` kinds. Returns Z ``(U, D, D)``, active ``(U, D)`` bool (rows that carry information), width ``(U,)``
    (columns in use). A pivot that is zero up to rounding marks a direction that no series of the month observes.
    """
    U, N = patterns.shape
    R = loadings.shape[1]
    g = power.shape[1] - 1
    D = R * (g + 1)
    Z = np.zeros((U, D, D))
    active = np.zeros((U, D), np.bool_)
    width = np.zeros(U, np.int64)
    x = np.empty(D)
    for u in range(U):
        G = Z[u]
        for i in range(N):
            k = patterns[u, i]
            if k < 0:
                continue
            width[u] = max(width[u], R * (k + 1))
            w = inverse[i, k]
            for j in range(R):
                x[j] = loadings[i, j]
            for a in range(R):
                for b in range(a, R):
                    G[a, b] += w * x[a] * x[b]
            if k > 0:
                c = -power[i, k]
                o = k * R
                for a in range(R):
                    for b in range(R):
                        G[a, o + b] += w * c * x[a] * x[b]
                    for b in range(a, R):
                        G[o + a, o + b] += w * c * c * x[a] * x[b]
        n = width[u]
        for a in range(n):
            x[a] = G[a, a]
        for a in range(n):
            s = G[a, a]
            if s <= 1e-12 * x[a] or s <= 0.0:
                for b in range(n):
                    G[a, b] = 0.0
                continue
            active[u, a] = True
            d = 1.0 / math.sqrt(s)
            for b in range(a, n):
                G[a, b] *= d
            for b in range(a + 1, n):
                c = G[a, b]
                for q in range(b, n):
                    G[b, q] -= c * G[a, q]
    return Z, active, width


@njit(cache=True, fastmath=FAST)
def project(Y, kind, pattern, loadings, power, inverse, Z, active, width):
    """The collapsed observations ``(T, D)`` and the constant of the log-likelihood.

    pattern: ``(T,)`` index into Z. Rows that are not active hold 0.
    """
    T, N = Y.shape
    R = loadings.shape[1]
    D = Z.shape[1]
    y = np.zeros((T, D))
    constant = 0.0
    log_inverse = np.log(inverse)  # few differ; one a cell would be half of the work
    for t in range(T):
        b = y[t]
        n, square, logs = 0, 0.0, 0.0
        for i in range(N):
            k = kind[t, i]
            if k < 0:
                continue
            n += 1
            v = Y[t, i]
            if k > 0:
                v -= power[i, k] * Y[t - k, i]
            w = v * inverse[i, k]
            square += v * w
            logs -= log_inverse[i, k]
            for j in range(R):
                b[j] += loadings[i, j] * w
            if k > 0:
                w *= -power[i, k]
                o = k * R
                for j in range(R):
                    b[o + j] += loadings[i, j] * w
        u = pattern[t]
        for a in range(width[u]):
            if not active[u, a]:
                b[a] = 0.0
                continue
            b[a] /= Z[u, a, a]
            for c in range(a + 1, width[u]):
                b[c] -= Z[u, a, c] * b[a]
            square -= b[a] * b[a]
            n -= 1
        constant -= 0.5 * (n * LOG2PI + logs + square)
    return y, constant


@njit(cache=True, fastmath=FAST)
def unproject(weights, kind, pattern, loadings, power, inverse, Z, active, width):
    """The adjoint of :func:`project`: from weights on the collapsed rows ``(T, D)`` to weights on the cells ``(T, N)``."""
    T, N = kind.shape
    R = loadings.shape[1]
    out = np.zeros((T, N))
    b = np.empty(Z.shape[1])
    for t in range(T):
        u = pattern[t]
        n = width[u]
        for a in range(n - 1, -1, -1):  # solve Z b = weights on the active rows
            b[a] = 0.0
            if active[u, a]:
                s = weights[t, a]
                for c in range(a + 1, n):
                    s -= Z[u, a, c] * b[c]
                b[a] = s / Z[u, a, a]
        for i in range(N):
            k = kind[t, i]
            if k < 0:
                continue
            s = 0.0
            for j in range(R):
                s += loadings[i, j] * b[j]
            if k > 0:
                for j in range(R):
                    s -= power[i, k] * loadings[i, j] * b[k * R + j]
            s *= inverse[i, k]
            out[t, i] += s
            if k > 0:
                out[t - k, i] -= power[i, k] * s
    return out


@njit(cache=True)
def carry(e, rho):
    """E[e_t | the known values of an AR(1)]: ``(T, N)``, NaN where not known in, filled out.

    Between two known values by the Gaussian bridge, before the first and after the last by powers of ρ; 0 in an empty column.
    """
    T, N = e.shape
    out = np.zeros((T, N))
    for i in range(N):
        r, last = rho[i], -1
        for t in range(T):
            if np.isnan(e[t, i]):
                continue
            out[t, i] = e[t, i]
            if last < 0:
                for s in range(t):
                    out[s, i] = r ** (t - s) * e[t, i]
            else:
                k = t - last
                for s in range(last + 1, t):
                    j = s - last
                    out[s, i] = (
                        r**j * (1 - r ** (2 * (k - j))) * e[last, i] + r ** (k - j) * (1 - r ** (2 * j)) * e[t, i]
                    ) / (1 - r ** (2 * k))
            last = t
        if last >= 0:
            for s in range(last + 1, T):
                out[s, i] = r ** (s - last) * e[last, i]
    return out
