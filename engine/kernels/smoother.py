"""Smoother for the stacked lags of ``kernels.kalman``, and the adjoint of both: weights of an estimate on the data.

x_t given x_t+1 is known but for its oldest block, so smoothing costs k rows of work, not m: b_t-L+1 given (b_t-L+2, …, b_t) and
y_1…t is independent of the future.
"""

import math

import numpy as np
from numba import njit

from engine.kernels.collapse import FAST
from engine.kernels.kalman import same


@njit(cache=True, fastmath=FAST)
def root(S, n, L):
    """Lower Cholesky factor of the leading n × n block of a positive semi-definite S; a null direction gets a zero column."""
    for j in range(n):
        d = S[j, j]
        for q in range(j):
            d -= L[j, q] * L[j, q]
        if d <= 1e-11 * S[j, j] or d <= 0.0:
            for i in range(j, n):
                L[i, j] = 0.0
            continue
        d = math.sqrt(d)
        L[j, j] = d
        f = 1.0 / d
        for i in range(j + 1, n):
            s = S[i, j]
            for q in range(j):
                s -= L[i, q] * L[j, q]
            L[i, j] = s * f


@njit(cache=True, fastmath=FAST)
def regress(P, k, L, N, G):
    """G ``(k, m - k)`` = Cov(oldest, newer) Cov(newer, newer)^+ of one filtered covariance; L, N ``(m - k, m - k)`` work space.

    The pseudo-inverse, where newer months obey an exact relation, as those of a quarterly sum do once the state holds all of them:
    of the regressions that fit, the one that takes nothing from directions in which newer months cannot differ. Any other
    lets rounding errors in those directions grow from month to month, and ten years later no digit is left.
    """
    n = len(P) - k
    root(P, n, L)
    found = null_space(L, n, N)
    for i in range(k):
        g = G[i]
        for j in range(n):
            d = L[j, j]
            if d == 0.0:
                g[j] = 0.0
                continue
            s = P[n + i, j]
            for q in range(j):
                s -= L[j, q] * g[q]
            g[j] = s / d
        for j in range(n - 1, -1, -1):
            d = L[j, j]
            if d == 0.0:
                continue
            s = g[j] / d
            g[j] = s
            for q in range(j):
                g[q] -= L[j, q] * s
        for o in range(found):
            remove(g, N[o], n)


@njit(cache=True, fastmath=FAST)
def remove(v, unit, n):
    """Take from v ``(n,)`` what it has of the direction ``unit``."""
    s = 0.0
    for q in range(n):
        s += v[q] * unit[q]
    for q in range(n):
        v[q] -= s * unit[q]


@njit(cache=True, fastmath=FAST)
def null_space(L, n, N):
    """Orthonormal rows N of the directions that L L' does not have, one a zero column of L from :func:`root`; their number."""
    found = 0
    for j in range(n):
        if L[j, j] != 0.0:
            continue
        v = N[found]
        v[:] = 0.0
        v[j] = 1.0
        for i in range(j - 1, -1, -1):
            if L[i, i] != 0.0:
                s = 0.0
                for q in range(i + 1, j + 1):
                    s += L[q, i] * v[q]
                v[i] = -s / L[i, i]
        for _ in range(2):  # once more for the digits
            for o in range(found):
                remove(v, N[o], n)
        s = 0.0
        for q in range(n):
            s += v[q] * v[q]
        s = 1.0 / math.sqrt(s)
        for q in range(n):
            v[q] *= s
        found += 1
    return found


@njit(cache=True, fastmath=FAST)
def smooth(means, slot, cycle, covs, k, links, linked, means_only):
    """The smoother. Returns smoothed means ``(T, m)``, at ``(T,)``, covariances ``(S, m, m)`` of the whole stacked state, of which
    month t has the ``at[t]``-th.

    links ``(S, k, m - k)``, linked ``(S,)`` bool: memory of the regressions of the oldest block on the newer ones by slot, and
    which of them are there already; missing ones are added.
    means_only: leave V as it is in the last month everywhere, for those who want x and links alone.
    Covariances are mirrored to exact symmetry: without that the recursion explodes.
    """
    T, m = means.shape
    n = m - k
    x = np.empty((T, m))
    at = np.empty(T, np.int64)
    V = np.empty((T, m, m))
    L, N = np.zeros((n, n)), np.zeros((n, n))
    GD = np.empty((k, n))
    x[T - 1] = means[T - 1]
    at[T - 1] = 0
    V[0] = covs[slot[T - 1]]
    filled = 1
    for t in range(T - 2, -1, -1):
        P = covs[slot[t]]
        G = links[slot[t]]
        if not linked[slot[t]]:
            regress(P, k, L, N, G)
            linked[slot[t]] = True
        x[t, :n] = x[t + 1, k:]
        for i in range(k):
            s = means[t, n + i]
            for j in range(n):
                s += G[i, j] * (x[t, j] - means[t, j])
            x[t, n + i] = s
        if means_only:
            at[t] = 0
            continue
        again = t + cycle + 1 < T and slot[t] == slot[t + cycle]
        if again and at[t + 1] == at[t + cycle + 1]:
            at[t] = at[t + cycle]
            continue
        S = V[filled]
        S[:n, :n] = V[at[t + 1], k:, k:]
        for i in range(k):
            for j in range(n):
                GD[i, j] = 0.0
            for q in range(n):
                c = G[i, q]
                for j in range(n):
                    GD[i, j] += c * (S[q, j] - P[q, j])
        for i in range(k):
            for j in range(n):
                c = P[n + i, j] + GD[i, j]
                S[n + i, j] = c
                S[j, n + i] = c
            for o in range(i + 1):
                s = P[n + i, n + o]
                for j in range(n):
                    s += GD[i, j] * G[o, j]
                S[n + i, n + o] = s
                S[n + o, n + i] = s
        if again and same(S, V[at[t + cycle]]):
            at[t] = at[t + cycle]
        else:
            at[t] = filled
            filled += 1
    return x, at, V


@njit(cache=True, fastmath=FAST)
def adjoint(target, row, slot, gains, links, pattern, Z, active, width, form, rows, A, rho, k):
    """Weights of target'x_row | T on every observation: ``(T, D)`` on the collapsed rows, ``(T, E)`` on the explicit series.

    The mean recursions of :func:`smooth` and :func:`filter_` run in reverse; see Koopman & Harvey (2003, J. Econ. Dyn.
    Control 27) for the same weights by another road. slot, gains, links: of the two.
    """
    T, E = form.shape
    D = active.shape[1]
    m = len(target)
    n = m - k
    R, Rp = A.shape
    filtered = np.zeros((T, m))  # derivative by the filtered means
    s = target.copy()
    for t in range(row, T - 1):  # through the smoother, forward in time
        for j in range(n):
            c = 0.0
            for i in range(k):
                c += links[slot[t], i, j] * s[n + i]
            filtered[t, j] -= c
            s[j] += c
        for i in range(k):
            filtered[t, n + i] += s[n + i]
        for j in range(n - 1, -1, -1):
            s[k + j] = s[j]
        s[:k] = 0.0
    filtered[T - 1] += s
    on_rows = np.zeros((T, D))
    on_explicit = np.zeros((T, E))
    d = np.zeros(m)
    old = np.empty(m)
    for t in range(T - 1, -1, -1):  # through the filter, backward
        d += filtered[t]
        u = pattern[t]
        for i in range(E - 1, -1, -1):
            if form[t, i] >= 0:
                c = 0.0
                for q in range(m):
                    c += gains[slot[t], D + i, q] * d[q]
                on_explicit[t, i] = c
                for q in range(m):
                    d[q] -= rows[form[t, i], i, q] * c
        for j in range(D - 1, -1, -1):
            if active[u, j]:
                c = 0.0
                for q in range(m):
                    c += gains[slot[t], j, q] * d[q]
                on_rows[t, j] = c
                for q in range(width[u]):
                    d[q] -= Z[u, j, q] * c
        if t > 0:
            old[:n] = d[k:]
            old[n:] = 0.0
            for i in range(R):
                for lag in range(Rp // R):
                    for j in range(R):
                        old[lag * k + j] += A[i, lag * R + j] * d[i]
            for i in range(E):
                old[R + i] += rho[i] * d[R + i]
            d[:] = old
    return on_rows, on_explicit
