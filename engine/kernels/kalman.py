"""Kalman filter and smoother for a state of stacked lags. Loops over arrays, compiled.

State x_t = (b_t, b_t-1, …, b_t-L+1) with b_t = (f_t, e_t): R factors and E idiosyncratics carried explicitly, k = R + E, m = k L.

    f_t = A_1 f_t-1 + … + A_p f_t-p + N(0, Q),   e_it = ρ_i e_i,t-1 + N(0, σ²_i),   p < L

Observations of a month come one after another (Durbin & Koopman 2012, section 6.4): first the collapsed rows of
``kernels.collapse`` with unit variance, then the explicit series, y = Σ_l w_l (λ'f_t-l + e_t-l) + N(0, h).

The transition is a shift, so predicting costs k rows of work, not m; and x_t given x_t+1 is known but for its oldest block,
so smoothing costs k rows too: b_t-L+1 given (b_t-L+2, …, b_t) and y_1…t is independent of the future.
"""

import math

import numpy as np
from numba import njit

from engine.kernels.collapse import FAST, LOG2PI


@njit(cache=True, fastmath=FAST)
def observe(a, P, z, nz, y, h, gain):
    """One scalar observation y = z'x + N(0, h), z zero after nz places. Changes a ``(m,)``, P ``(m, m)``, gain ``(m,)`` in place.

    Returns its log-density. An observation that is already known exactly (variance at rounding level) adds nothing.
    """
    m = len(a)
    for i in range(m):
        s = 0.0
        for j in range(nz):
            s += P[i, j] * z[j]
        gain[i] = s
    v, F, scale = y, h, h
    for j in range(nz):
        v -= z[j] * a[j]
        F += z[j] * gain[j]
        scale += z[j] * z[j]
    if F <= 1e-13 * scale:
        gain[:] = 0.0
        return 0.0
    f = 1.0 / F
    for i in range(m):
        c = gain[i] * f
        a[i] += c * v
        for j in range(m):
            P[i, j] -= c * gain[j]
    for i in range(m):
        gain[i] *= f
    return -0.5 * (LOG2PI + math.log(F) + v * v * f)


@njit(cache=True, fastmath=FAST)
def predict(a, P, A, Q, rho, sigma2, W):
    """x_t | t-1 from x_t-1 | t-1, in place. A: ``(R, R p)``. W: ``(k, m - k)`` work space."""
    R, Rp = A.shape
    E = len(rho)
    k = R + E
    m = len(a)
    n = m - k
    W[:] = 0.0
    for i in range(R):
        for j in range(Rp):
            c = A[i, j]
            if c != 0.0:
                row = P[(j // R) * k + j % R]
                for q in range(n):
                    W[i, q] += c * row[q]
    for i in range(E):
        for q in range(n):
            W[R + i, q] = rho[i] * P[R + i, q]
    head = np.zeros(k)
    for i in range(R):
        for j in range(Rp):
            head[i] += A[i, j] * a[(j // R) * k + j % R]
    for i in range(E):
        head[R + i] = rho[i] * a[R + i]
    for i in range(m - 1, k - 1, -1):
        a[i] = a[i - k]
        for j in range(m - 1, k - 1, -1):
            P[i, j] = P[i - k, j - k]
    a[:k] = head
    for i in range(k):
        for q in range(n):
            P[i, k + q] = W[i, q]
            P[k + q, i] = W[i, q]
    for i in range(k):  # Cov(b_t, b_t) = T Cov(x_t-1, b_t) + shocks
        for o in range(i + 1):
            s = 0.0
            if i < R:
                for j in range(Rp):
                    s += A[i, j] * W[o, (j // R) * k + j % R]
                if o < R:
                    s += Q[i, o]
            else:
                s = rho[i - R] * W[o, i]
                if o == i:
                    s += sigma2[i - R]
            P[i, o] = s
            P[o, i] = s


@njit(cache=True, fastmath=FAST)
def filter_(y, pattern, Z, active, width, explicit, rows, noise, A, Q, rho, sigma2, a0, P0, gains):
    """The filter. Returns the log-likelihood, filtered means ``(T, m)`` and covariances ``(T, m, m)``.

    y ``(T, D)``, pattern ``(T,)``, Z, active, width: of ``collapse.project``, with the columns of Z laid out as the state is
    (lag by lag, k places each). explicit: ``(T, E)``, NaN where not known; rows: ``(E, m)``; noise: ``(E,)`` variances.
    a0, P0: mean and covariance of x at the first month before it is observed.
    gains: ``(T, D + E, m)`` to keep the gains of each observation for the adjoint, or ``(0, 0, 0)`` to keep none.
    """
    T, D = y.shape
    E = explicit.shape[1]
    m = len(a0)
    k = A.shape[0] + E
    keep = len(gains) > 0
    means = np.empty((T, m))
    covs = np.empty((T, m, m))
    a, P = a0.copy(), P0.copy()
    W = np.empty((k, m - k))
    gain = np.empty(m)
    loglik = 0.0
    for t in range(T):
        if t > 0:
            predict(a, P, A, Q, rho, sigma2, W)
        u = pattern[t]
        for j in range(D):
            if active[u, j]:
                loglik += observe(a, P, Z[u, j], width[u], y[t, j], 1.0, gain)
                if keep:
                    gains[t, j] = gain
        for i in range(E):
            if not np.isnan(explicit[t, i]):
                loglik += observe(a, P, rows[i], m, explicit[t, i], noise[i], gain)
                if keep:
                    gains[t, D + i] = gain
        means[t] = a
        covs[t] = P
    return loglik, means, covs


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
def smooth(means, covs, k, links):
    """The smoother. Returns smoothed means ``(T, m)`` and covariances ``(T, m, m)`` of the whole stacked state.

    links: ``(T, k, m - k)`` to keep the regression of each oldest block on the newer ones, or ``(0, 0, 0)``.
    Covariances are mirrored to exact symmetry: without that the recursion explodes.
    """
    T, m = means.shape
    n = m - k
    keep = len(links) > 0
    x = np.empty((T, m))
    V = np.empty((T, m, m))
    x[T - 1] = means[T - 1]
    V[T - 1] = covs[T - 1]
    L = np.zeros((n, n))
    G = np.empty((k, n))
    GD = np.empty((k, n))
    for t in range(T - 2, -1, -1):
        P = covs[t]
        root(P, n, L)
        for i in range(k):  # G = Cov(oldest, newer) Cov(newer, newer)^-1, row by row
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
        if keep:
            links[t] = G
        x[t, :n] = x[t + 1, k:]
        S = V[t]
        S[:n, :n] = V[t + 1, k:, k:]
        for i in range(k):
            s = means[t, n + i]
            for j in range(n):
                s += G[i, j] * (x[t, j] - means[t, j])
                GD[i, j] = 0.0
            x[t, n + i] = s
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
    return x, V


@njit(cache=True, fastmath=FAST)
def adjoint(target, row, gains, links, pattern, Z, active, width, explicit, rows, A, rho, k):
    """Weights of target'x_row | T on every observation: ``(T, D)`` on the collapsed rows, ``(T, E)`` on the explicit series.

    The mean recursions of :func:`smooth` and :func:`filter_` run in reverse; see Koopman & Harvey (2003, J. Econ. Dyn.
    Control 27) for the same weights by another road. gains, links: as kept by the two.
    """
    T, E = explicit.shape
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
                c += links[t, i, j] * s[n + i]
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
            if not np.isnan(explicit[t, i]):
                c = 0.0
                for q in range(m):
                    c += gains[t, D + i, q] * d[q]
                on_explicit[t, i] = c
                for q in range(m):
                    d[q] -= rows[i, q] * c
        for j in range(D - 1, -1, -1):
            if active[u, j]:
                c = 0.0
                for q in range(m):
                    c += gains[t, j, q] * d[q]
                on_rows[t, j] = c
                for q in range(width[u]):
                    d[q] -= Z[u, j, q] * c
        if t > 0:
            old[:n] = d[k:]
            old[n:] = 0.0
            for i in range(R):
                for j in range(Rp):
                    old[(j // R) * k + j % R] += A[i, j] * d[i]
            for i in range(E):
                old[R + i] += rho[i] * d[R + i]
            d[:] = old
    return on_rows, on_explicit
