"""Kalman filter and smoother for a state of stacked lags. Loops over arrays, compiled.

State x_t = (b_t, b_t-1, …, b_t-L+1) with b_t = (f_t, e_t): R factors and E idiosyncratics carried explicitly, k = R + E, m = k L.

    f_t = A_1 f_t-1 + … + A_p f_t-p + N(0, Q),   e_it = ρ_i e_i,t-1 + N(0, σ²_i),   p < L

Observations of a month come one after another (Durbin & Koopman 2012, section 6.4): first the collapsed rows of
``kernels.collapse`` with unit variance, then the explicit series, y = Σ_l w_l (λ'f_t-l + e_t-l) + N(0, h).

The transition is a shift, so predicting costs k rows of work, not m; and x_t given x_t+1 is known but for its oldest block,
so smoothing costs k rows too: b_t-L+1 given (b_t-L+2, …, b_t) and y_1…t is independent of the future.

Covariances depend on what is missing, not on values. Where a month has the regime (the pattern of known cells) of three months
before and the covariance before it is the same, so is the one after: it is looked up, not computed. Three, because quarterly
series make the cycle. A covariance that has settled to 1e-13 of its largest entry counts as the same.

Letters: ``slot`` (T,) says which stored covariance, with its gains, a month has; only as many slots are filled as differ.
"""

import math

import numpy as np
from numba import njit

from engine.kernels.collapse import FAST, LOG2PI

SETTLED = 1e-13


@njit(cache=True, fastmath=FAST)
def observe(P, z, nz, h, gain):
    """What one scalar observation z'x + N(0, h), z zero after nz places, does to P ``(m, m)``; gain ``(m,)`` is filled.

    Returns its variance F; 0, and no gain, for an observation that is already known exactly up to rounding.
    """
    m = len(P)
    for i in range(m):
        s = 0.0
        for j in range(nz):
            s += P[i, j] * z[j]
        gain[i] = s
    F, scale = h, h
    for j in range(nz):
        F += z[j] * gain[j]
        scale += z[j] * z[j]
    if 1e-13 * scale >= F:
        gain[:] = 0.0
        return 0.0
    f = 1.0 / F
    for i in range(m):
        c = gain[i] * f
        for j in range(m):
            P[i, j] -= c * gain[j]
    for i in range(m):
        gain[i] *= f
    return F


@njit(cache=True, fastmath=FAST)
def update(a, z, nz, y, F, gain):
    """The mean a ``(m,)`` after the observation y; returns its log-density."""
    if F == 0.0:
        return 0.0
    v = y
    for j in range(nz):
        v -= z[j] * a[j]
    for i in range(len(a)):
        a[i] += gain[i] * v
    return -0.5 * (LOG2PI + math.log(F) + v * v / F)


@njit(cache=True, fastmath=FAST)
def predict_mean(a, A, rho, head):
    """The mean of x_t | t-1 from that of x_t-1 | t-1, in place. A: ``(R, R p)``. head: ``(k,)`` work space."""
    R, Rp = A.shape
    k = len(head)
    for i in range(R):
        s = 0.0
        for j in range(Rp):
            s += A[i, j] * a[(j // R) * k + j % R]
        head[i] = s
    for i in range(len(rho)):
        head[R + i] = rho[i] * a[R + i]
    for i in range(len(a) - 1, k - 1, -1):
        a[i] = a[i - k]
    a[:k] = head


@njit(cache=True, fastmath=FAST)
def predict_cov(P, A, Q, rho, sigma2, W):
    """The covariance of x_t | t-1 from that of x_t-1 | t-1, in place. W: ``(k, m - k)`` work space."""
    R, Rp = A.shape
    E = len(rho)
    k = R + E
    m = len(P)
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
    for i in range(m - 1, k - 1, -1):
        for j in range(m - 1, k - 1, -1):
            P[i, j] = P[i - k, j - k]
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
def same(A, B):
    """Whether two covariances agree to SETTLED of the largest entry."""
    largest, apart = 0.0, 0.0
    for i in range(len(A)):
        for j in range(i + 1):
            largest = max(largest, abs(A[i, j]))
            apart = max(apart, abs(A[i, j] - B[i, j]))
    return apart <= SETTLED * largest


@njit(cache=True, fastmath=FAST)
def filter_(
    y,
    pattern,
    regime,
    Z,
    active,
    width,
    explicit,
    rows,
    noise,
    A,
    Q,
    rho,
    sigma2,
    a0,
    P0,
    covs,
    gains,
    variances,
    filled,
    before,
):
    """The filter. Returns the log-likelihood, filtered means ``(T, m)``, slot ``(T,)`` and the number of slots now filled.

    y ``(T, D)``, pattern ``(T,)``, Z, active, width: of ``collapse.project``, with the columns of Z laid out as the state is
    (lag by lag, k places each). regime: ``(T,)`` pattern and explicit series together. explicit: ``(T, E)``, NaN where not known;
    rows: ``(E, m)``; noise: ``(E,)`` variances. a0, P0: mean and covariance of x at the first month before it is observed.
    covs ``(S, m, m)``, gains ``(S, D + E, m)``, variances ``(S, D + E)``: memory of slots, the first ``filled`` of them in use;
    new ones are added. before ``(K,)``: the slots of the first K months, where an earlier pass with the same parameters saw the
    same cells.
    """
    T, D = y.shape
    E = explicit.shape[1]
    m = len(a0)
    k = A.shape[0] + E
    means = np.empty((T, m))
    slot = np.empty(T, np.int64)
    a, P = a0.copy(), P0.copy()
    W, head = np.empty((k, m - k)), np.empty(k)
    loglik = 0.0
    for t in range(T):
        u = pattern[t]
        cycle = t >= 4 and regime[t] == regime[t - 3]
        if t > 0:
            predict_mean(a, A, rho, head)
        if t < len(before):
            now = before[t]
        elif cycle and slot[t - 1] == slot[t - 4]:
            now = slot[t - 3]
        else:
            now = filled
            if t > 0:
                P[:] = covs[slot[t - 1]]
                predict_cov(P, A, Q, rho, sigma2, W)
            for j in range(D):
                if active[u, j]:
                    variances[now, j] = observe(P, Z[u, j], width[u], 1.0, gains[now, j])
            for i in range(E):
                if not np.isnan(explicit[t, i]):
                    variances[now, D + i] = observe(P, rows[i], m, noise[i], gains[now, D + i])
            if cycle and same(P, covs[slot[t - 3]]):
                now = slot[t - 3]
            else:
                covs[now] = P
                filled += 1
        slot[t] = now
        for j in range(D):
            if active[u, j]:
                loglik += update(a, Z[u, j], width[u], y[t, j], variances[now, j], gains[now, j])
        for i in range(E):
            if not np.isnan(explicit[t, i]):
                loglik += update(a, rows[i], m, explicit[t, i], variances[now, D + i], gains[now, D + i])
        means[t] = a
    return loglik, means, slot, filled


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
def regress(P, k, L, G):
    """G ``(k, m - k)`` = Cov(oldest, newer) Cov(newer, newer)^-1 of one filtered covariance; L ``(m - k, m - k)`` work space."""
    n = len(P) - k
    root(P, n, L)
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


@njit(cache=True, fastmath=FAST)
def smooth(means, slot, covs, k, links, linked, means_only):
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
    L = np.zeros((n, n))
    GD = np.empty((k, n))
    x[T - 1] = means[T - 1]
    at[T - 1] = 0
    V[0] = covs[slot[T - 1]]
    filled = 1
    for t in range(T - 2, -1, -1):
        P = covs[slot[t]]
        G = links[slot[t]]
        if not linked[slot[t]]:
            regress(P, k, L, G)
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
        cycle = t + 4 < T and slot[t] == slot[t + 3]
        if cycle and at[t + 1] == at[t + 4]:
            at[t] = at[t + 3]
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
        if cycle and same(S, V[at[t + 3]]):
            at[t] = at[t + 3]
        else:
            at[t] = filled
            filled += 1
    return x, at, V


@njit(cache=True, fastmath=FAST)
def adjoint(target, row, slot, gains, links, pattern, Z, active, width, explicit, rows, A, rho, k):
    """Weights of target'x_row | T on every observation: ``(T, D)`` on the collapsed rows, ``(T, E)`` on the explicit series.

    The mean recursions of :func:`smooth` and :func:`filter_` run in reverse; see Koopman & Harvey (2003, J. Econ. Dyn.
    Control 27) for the same weights by another road. slot, gains, links: of the two.
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
            if not np.isnan(explicit[t, i]):
                c = 0.0
                for q in range(m):
                    c += gains[slot[t], D + i, q] * d[q]
                on_explicit[t, i] = c
                for q in range(m):
                    d[q] -= rows[i, q] * c
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
                for j in range(Rp):
                    old[(j // R) * k + j % R] += A[i, j] * d[i]
            for i in range(E):
                old[R + i] += rho[i] * d[R + i]
            d[:] = old
    return on_rows, on_explicit
