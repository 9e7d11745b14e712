"""Hamilton's filter, Kim's smoother and an EM round for a series that switches between two means (Hamilton 1989, Kim 1994).

    y_t - mu(s_t) = sum_l phi_l (y_{t-l} - mu(s_{t-l})) + e_t,  e_t ~ N(0, sigma2),  s_t a Markov chain, P[a, b] = Pr(b | a)

The state of the filter holds the regimes of this and the last L = max(order, 1) periods: bit l of its number is s_{t-l}, so
there are M = 2^(L + 1). Rows of the results are the periods order … T - 1.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def start(P, L):
    """``(M,)`` chances of L + 1 regimes in a row in the long run."""
    M = 1 << (L + 1)
    cold = (1.0 - P[1, 1]) / (2.0 - P[0, 0] - P[1, 1])
    out = np.empty(M)
    for i in range(M):
        first = (i >> L) & 1
        p = cold if first == 0 else 1.0 - cold
        for lag in range(L, 0, -1):
            p *= P[(i >> lag) & 1, (i >> (lag - 1)) & 1]
        out[i] = p
    return out


@njit(cache=True)
def filter_(y, mu, phi, sigma2, P):
    """Log-likelihood, filtered ``(n, M)`` and predicted ``(n + 1, M)`` chances. NaN in y is skipped (order 0 only)."""
    order, T = len(phi), len(y)
    L = max(order, 1)
    M = 1 << (L + 1)
    n = T - order
    post, pred = np.empty((n, M)), np.empty((n + 1, M))
    pred[0] = start(P, L)
    level, scale = 0.0, 1.0 / np.sqrt(2.0 * np.pi * sigma2)
    for r in range(n):
        t = r + order
        if np.isnan(y[t]):
            post[r] = pred[r]
        else:
            total = 0.0
            for i in range(M):
                e = y[t] - mu[i & 1]
                for lag in range(1, order + 1):
                    e -= phi[lag - 1] * (y[t - lag] - mu[(i >> lag) & 1])
                post[r, i] = pred[r, i] * scale * np.exp(-0.5 * e * e / sigma2)
                total += post[r, i]
            if not total > 0.0:
                return -np.inf, post, pred
            level += np.log(total)
            for i in range(M):
                post[r, i] /= total
        for j in range(M):
            a = j >> 1
            b = a | (1 << L)
            pred[r + 1, j] = (post[r, a] + post[r, b]) * P[a & 1, j & 1]
    return level, post, pred


@njit(cache=True)
def smooth(post, pred, P):
    """``(n, M)`` chances given all periods, backwards from the filtered and predicted ones."""
    n, M = post.shape
    out = post.copy()
    for r in range(n - 2, -1, -1):
        for i in range(M):
            total = 0.0
            for s in range(2):
                j = ((i << 1) & (M - 1)) | s
                if pred[r + 1, j] > 0.0:
                    total += P[i & 1, s] * out[r + 1, j] / pred[r + 1, j]
            out[r, i] = post[r, i] * total
    return out


@njit(cache=True)
def em(y, mu, phi, sigma2, P, rounds, tolerance):
    """Rounds of EM (mu and phi one after the other) until the likelihood rises by less than the tolerance.

    Returns mu, phi, sigma2, P and the log-likelihood before the last round; -inf where a regime vanished.
    """
    order = len(phi)
    L = max(order, 1)
    M = 1 << (L + 1)
    mu, phi, P = mu.copy(), phi.copy(), P.copy()
    before = -np.inf
    level = -np.inf
    for _ in range(rounds):
        level, post, pred = filter_(y, mu, phi, sigma2, P)
        if level == -np.inf:
            break
        w = smooth(post, pred, P)
        pairs = np.zeros((2, 2))
        A, b = np.zeros((2, 2)), np.zeros(2)
        for r in range(len(w)):
            t = r + order
            for i in range(M):
                pairs[(i >> 1) & 1, i & 1] += w[r, i]
            if np.isnan(y[t]):
                continue
            q = y[t]
            for lag in range(1, order + 1):
                q -= phi[lag - 1] * y[t - lag]
            for i in range(M):
                d0, d1 = 1.0 - (i & 1), 1.0 * (i & 1)
                for lag in range(1, order + 1):
                    if (i >> lag) & 1:
                        d1 -= phi[lag - 1]
                    else:
                        d0 -= phi[lag - 1]
                A[0, 0] += w[r, i] * d0 * d0
                A[0, 1] += w[r, i] * d0 * d1
                A[1, 1] += w[r, i] * d1 * d1
                b[0] += w[r, i] * d0 * q
                b[1] += w[r, i] * d1 * q
        det = A[0, 0] * A[1, 1] - A[0, 1] * A[0, 1]
        if not det > 1e-10 * A[0, 0] * A[1, 1]:
            return mu, phi, sigma2, P, -np.inf
        mu[0] = (A[1, 1] * b[0] - A[0, 1] * b[1]) / det
        mu[1] = (A[0, 0] * b[1] - A[0, 1] * b[0]) / det
        if order:
            G, g = np.zeros((order, order)), np.zeros(order)
            x = np.empty(order)
            for r in range(len(w)):
                t = r + order
                for i in range(M):
                    for lag in range(order):
                        x[lag] = y[t - lag - 1] - mu[(i >> (lag + 1)) & 1]
                    z = y[t] - mu[i & 1]
                    for k in range(order):
                        g[k] += w[r, i] * x[k] * z
                        for lag in range(order):
                            G[k, lag] += w[r, i] * x[k] * x[lag]
            phi = np.linalg.solve(G, g)
        total, count = 0.0, 0
        for r in range(len(w)):
            t = r + order
            if np.isnan(y[t]):
                continue
            count += 1
            for i in range(M):
                e = y[t] - mu[i & 1]
                for lag in range(1, order + 1):
                    e -= phi[lag - 1] * (y[t - lag] - mu[(i >> lag) & 1])
                total += w[r, i] * e * e
        sigma2 = total / count
        for a in range(2):
            stay = pairs[a, a] / (pairs[a, 0] + pairs[a, 1])
            stay = min(max(stay, 1e-4), 1.0 - 1e-4)
            P[a, a], P[a, 1 - a] = stay, 1.0 - stay
        if level - before < tolerance:
            break
        before = level
    return mu, phi, sigma2, P, level
