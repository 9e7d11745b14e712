"""Many series with AR(1) idiosyncratics as a few rows a month: quasi-difference, then collapse. Exact.

y_it = λ_i'f_t + e_it,  e_it = ρ_i e_i,t-1 + u_it,  u_it ~ N(0, σ²_i).

Where y_it was last seen k months before, y_it - ρ^k y_i,t-k = λ_i'f_t - ρ^k λ_i'f_t-k + w with white w of variance
σ² (1 - ρ^2k) / (1 - ρ²): an observation of (f_t, f_t-k), which a state with k lags of f holds. A series' first value has
the stationary variance σ² / (1 - ρ²). A *pair* is the mean of its month and the month before, as January and February are told
in February: what it adds to the value before it is white too, and so is what the next value adds to both, by the regression on
the pair and on the value before the pair. With that value the memory of an AR(1) ends.

The rows x_i of a month then shrink to the rank of G = Σ x_i x_i' / s²_i: with G = Z'Z and y* = Z^-T Σ x_i v_i / s²_i the
log-likelihood is that of y* = Z (f_t, …, f_t-g) + N(0, I) plus a constant.

Sources: Jungbacker, Koopman & van der Wel (2011, J. Econ. Dyn. Control 35); Jungbacker & Koopman (2015, Econometrics J. 18).

Letters: T months, N series, R factors, g the longest reach back, D = R (g + 1), U missing-data patterns, K sorts of cells.
A *sort* ``(3,)`` says what a cell is: 1 for a pair, 0 for a month; how many months before it the pair since the last single
month stands, 0 for none; how many months before it that single month stands, 0 for none. ``code`` ``(T, N)``: sorts as one number.
"""

import math

import numpy as np
from numba import njit

FAST = {"contract", "reassoc", "nsz", "arcp"}  # never "nnan": it breaks np.isnan
LOG2PI = math.log(2 * math.pi)
BASE = 64  # of the code of a sort: gaps are shorter


@njit(cache=True)
def codes(Y, pairs, reach):
    """The sort of each cell, ``(T, N)`` int64: (pair × BASE + pair before) × BASE + month before; -1 where nothing is known.

    -2 in a column that cannot be collapsed: with a gap beyond ``reach`` months, a pair after a pair with no single month between, a
    pair whose first month is known by itself or lies before the panel. Y ``(T, N)``, NaN where not known; pairs ``(T, N)`` bool.
    """
    T, N = Y.shape
    code = np.full((T, N), -1, np.int64)
    for i in range(N):
        last, pair = -1, -1
        for t in range(T):
            if np.isnan(Y[t, i]):
                continue
            a = t - last if last >= 0 else 0
            b = t - pair if pair >= 0 else 0
            if pairs[t, i]:
                if b > 0 or a == 1 or t == 0 or a > reach:
                    code[:, i] = -2
                    break
                code[t, i] = BASE * BASE + a
                pair = t
            else:
                if a > reach or b >= reach:
                    code[:, i] = -2
                    break
                code[t, i] = b * BASE + a
                last, pair = t, -1
    return code


@njit(cache=True)
def distinct(table):
    """Distinct rows of a table of integers ``(T, n)`` in the order in which they appear, and for each row which of them it is."""
    T, n = table.shape
    first = np.empty(T, np.int64)
    which = np.empty(T, np.int64)
    found = 0
    for t in range(T):
        which[t] = found
        for u in range(found - 1, -1, -1):  # the newest is the likeliest
            same = True
            for i in range(n):
                if table[t, i] != table[first[u], i]:
                    same = False
                    break
            if same:
                which[t] = u
                break
        if which[t] == found:
            first[found] = t
            found += 1
    return table[first[:found]], which


@njit(cache=True)
def whole(x, n):
    """x to the whole power n ≥ 0, by multiplication: of a complex x too, where logarithms would lose what it carries."""
    out = 1.0 + 0.0 * x
    for _ in range(n):
        out *= x
    return out


@njit(cache=True)
def difference(pair, b, a, rho):
    """How a cell of this sort is told by what was known: coefficients on the pair and on the single month before, and the variance
    of what is new, for σ² = 1. rho may be complex: the imaginary part then carries a derivative.
    """
    far = (
        whole(rho, a - b - 1) if a > 0 else 0.0 * rho
    )  # from that month to the one before the cell, or the first of the pair
    spread = (1.0 - far * far) / (1.0 - rho * rho)  # of that month, given it: Σ ρ^2j
    if pair == 1:
        return 0.0 * rho, 0.5 * (1.0 + rho) * far, 0.25 * ((1.0 + rho) ** 2 * spread + 1.0)
    if b == 0:
        return 0.0 * rho, rho * far, rho * rho * spread + 1.0
    with_pair = 0.5 * (rho * (1.0 + rho) * spread + 1.0)  # of the pair's second month
    of_pair = 0.25 * ((1.0 + rho) ** 2 * spread + 1.0)
    power = whole(rho, b)
    beta = power * with_pair / of_pair
    gamma = power * rho * far - beta * 0.5 * (1.0 + rho) * far
    left = rho * rho * spread + 1.0 - with_pair * with_pair / of_pair
    return beta, gamma, power * power * left + (1.0 - power * power) / (1.0 - rho * rho)


@njit(cache=True)
def spread(rho, sigma2, sorts):
    """Coefficients ``(N, K, 3)`` of a new value on itself (1), the pair and the month before (with minus), and the inverse variance
    of what is new ``(N, K)``. sorts: ``(K, 3)``.
    """
    N, K = len(rho), len(sorts)
    coef = np.ones((N, K, 3))
    inverse = np.empty((N, K))
    for i in range(N):
        for q in range(K):
            beta, gamma, variance = difference(sorts[q, 0], sorts[q, 1], sorts[q, 2], rho[i])
            coef[i, q, 1], coef[i, q, 2] = -beta, -gamma
            inverse[i, q] = 1.0 / (sigma2[i] * variance)
    return coef, inverse


@njit(cache=True)
def atoms(sorts):
    """The months that a sort reads, ``(K, 5)`` each: their lags, -1 after the last one; whose they are, the cell's own (0), the
    pair's (1) or the single month (2); and their share of it.
    """
    K = len(sorts)
    lag, of, share = np.full((K, 5), -1, np.int64), np.zeros((K, 5), np.int64), np.ones((K, 5))
    for q in range(K):
        n = 0
        for which in range(3):
            if which > 0 and sorts[q, which] == 0:
                continue
            start = 0 if which == 0 else sorts[q, which]
            double = which == 1 or (which == 0 and sorts[q, 0] == 1)
            for more in range(2 if double else 1):
                lag[q, n], of[q, n], share[q, n] = start + more, which, 0.5 if double else 1.0
                n += 1
    return lag, of, share


@njit(cache=True, fastmath=FAST)
def factorise(patterns, sorts, loadings, coef, inverse):
    """Z with Z'Z = G for each pattern, upper triangular in (f_t, f_t-1, …).

    patterns: ``(U, N)`` which of the sorts ``(K, 3)``, -1 not seen. Returns Z ``(U, D, D)``, active ``(U, D)`` (rows that carry
    information), width ``(U,)`` (columns in use). A pivot that is zero up to rounding marks a direction that nothing sees.
    """
    U, N = patterns.shape
    R = loadings.shape[1]
    lag, of, share = atoms(sorts)
    D = R * (max(1, lag.max()) + 1)
    Z = np.zeros((U, D, D))
    active = np.zeros((U, D), np.bool_)
    width = np.zeros(U, np.int64)
    x = np.empty(D)
    for u in range(U):
        G = Z[u]
        for i in range(N):
            q = patterns[u, i]
            if q < 0:
                continue
            for s in range(5):
                if lag[q, s] < 0:
                    break
                o = lag[q, s] * R
                width[u] = max(width[u], o + R)
                c = inverse[i, q] * share[q, s] * coef[i, q, of[q, s]]
                for j in range(R):
                    x[j] = c * loadings[i, j]
                for z in range(s, 5):
                    if lag[q, z] < 0:
                        break
                    c = share[q, z] * coef[i, q, of[q, z]]
                    p = lag[q, z] * R
                    for j in range(R):
                        for b in range(j if z == s else 0, R):
                            G[o + j, p + b] += x[j] * (c * loadings[i, b])
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
def project(Y, patterns, pattern, sorts, loadings, coef, inverse, Z, active, width):
    """The collapsed observations ``(T, D)`` and the constant of the log-likelihood.

    pattern: ``(T,)`` index into patterns and Z. Rows that are not active hold 0.
    """
    T, N = Y.shape
    R = loadings.shape[1]
    D = Z.shape[1]
    lag, of, share = atoms(sorts)
    y = np.zeros((T, D))
    constant = 0.0
    log_inverse = np.log(inverse)  # few differ; one a cell would be half of the work
    for t in range(T):
        b = y[t]
        u = pattern[t]
        n, square, logs = 0, 0.0, 0.0
        for i in range(N):
            q = patterns[u, i]
            if q < 0:
                continue
            n += 1
            v = Y[t, i]
            if sorts[q, 1] > 0:
                v += coef[i, q, 1] * Y[t - sorts[q, 1], i]
            if sorts[q, 2] > 0:
                v += coef[i, q, 2] * Y[t - sorts[q, 2], i]
            w = v * inverse[i, q]
            square += v * w
            logs -= log_inverse[i, q]
            for s in range(5):
                if lag[q, s] < 0:
                    break
                c = w * share[q, s] * coef[i, q, of[q, s]]
                o = lag[q, s] * R
                for j in range(R):
                    b[o + j] += loadings[i, j] * c
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
def unproject(weights, patterns, pattern, sorts, loadings, coef, inverse, Z, active, width):
    """The adjoint of :func:`project`: from weights on the collapsed rows ``(T, D)`` to weights on the cells ``(T, N)``."""
    T, N = len(pattern), patterns.shape[1]
    R = loadings.shape[1]
    lag, of, share = atoms(sorts)
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
            q = patterns[u, i]
            if q < 0:
                continue
            total = 0.0
            for s in range(5):
                if lag[q, s] < 0:
                    break
                dot = 0.0
                for j in range(R):
                    dot += loadings[i, j] * b[lag[q, s] * R + j]
                total += share[q, s] * coef[i, q, of[q, s]] * dot
            total *= inverse[i, q]
            out[t, i] += total
            for which in range(1, 3):
                if sorts[q, which] > 0:
                    out[t - sorts[q, which], i] += coef[i, q, which] * total
    return out


@njit(cache=True)
def carry(e, pairs, rho):
    """E[e_t | the known values of an AR(1)]: ``(T, N)``, NaN where not known in, filled out; 0 in an empty column.

    pairs ``(T, N)``: which known values are those of a pair, as :func:`codes` lets them be. Between two single months by the
    Gaussian bridge, outside of them by powers of ρ; where a pair is known in the gap, the bridge is made to go through it.
    """
    T, N = e.shape
    out = np.zeros((T, N))
    for i in range(N):
        last, pair = -1, -1
        for t in range(T + 1):
            if t < T and np.isnan(e[t, i]):
                continue
            if t < T and pairs[t, i]:
                pair = t
                continue
            for s in range(last + 1, t):
                mean, _ = bridge(e, i, rho[i], last, t, s, s)
                if pair >= 0:
                    total, with_pair, error = 0.0, 0.0, e[pair, i]
                    for h in range(pair - 1, pair + 1):
                        m, cov = bridge(e, i, rho[i], last, t, h, s)
                        with_pair += 0.5 * cov
                        error -= 0.5 * m
                        for o in range(pair - 1, pair + 1):
                            total += 0.25 * bridge(e, i, rho[i], last, t, h, o)[1]
                    mean += with_pair / total * error
                out[s, i] = mean
            if t < T:
                out[t, i] = e[t, i]
            last, pair = t, -1
    return out


@njit(cache=True)
def bridge(e, i, r, lo, hi, s, o):
    """Mean in month s, and covariance of s and o, of an AR(1) between its values in the months lo and hi; σ² = 1.

    lo is -1 and hi the number of months where none is known on that side.
    """
    V = 1.0 / (1.0 - r * r)
    first, second = min(s, o), max(s, o)
    near = 1.0 if lo < 0 else 1.0 - r ** (2 * (first - lo))
    cov = V * near * r ** (second - first)
    mean = r ** (s - lo) * e[lo, i] if lo >= 0 else 0.0
    if hi < len(e):
        end = V * (1.0 if lo < 0 else 1.0 - r ** (2 * (hi - lo)))
        one = V * (1.0 if lo < 0 else 1.0 - r ** (2 * (s - lo))) * r ** (hi - s)
        two = V * (1.0 if lo < 0 else 1.0 - r ** (2 * (o - lo))) * r ** (hi - o)
        cov -= one * two / end
        mean += one / end * (e[hi, i] - (r ** (hi - lo) * e[lo, i] if lo >= 0 else 0.0))
    return mean, cov
