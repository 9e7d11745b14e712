"""Kalman filter for a state of stacked lags. Loops over arrays, compiled. The smoother is in ``kernels.smoother``.

State x_t = (b_t, b_t-1, …, b_t-L+1) with b_t = (f_t, e_t): R factors and E idiosyncratics carried explicitly, k = R + E, m = k L.

    f_t = A_1 f_t-1 + … + A_p f_t-p + N(0, Q),   e_it = ρ_i e_i,t-1 + N(0, σ²_i),   p < L

Observations of a month come one after another (Durbin & Koopman 2012, section 6.4): first the collapsed rows of
``kernels.collapse`` with unit variance, then the explicit series, y = Σ_l w_l (λ'f_t-l + e_t-l) + N(0, h), where w is that of the
series, or that of a pair, ½ on the month and ½ on the one before.

The transition is a shift, so predicting costs k rows of work, not m.

Covariances depend on what is missing, not on values. Where a month has the regime (the pattern of known cells) of one ``cycle`` of
months before and the covariance before it is the same, so is the one after: it is looked up, not computed. Quarterly series make
the cycle three months, pairs twelve. A covariance that has settled to 1e-13 of its largest entry counts as the same.

Letters: ``slot`` (T,) says which stored covariance, with its gains, a month has; only as many slots are filled as differ.
"""

import math

import numpy as np
from numba import njit

from engine.kernels.collapse import FAST, LOG2PI

SETTLED = 1e-13


@njit(cache=True, fastmath=FAST)
def stationary(A, Q, rho, sigma2, L):
    """The unconditional covariance ``(m, m)`` of the state, and whether there is one: not where the factors have a unit root."""
    R, Rp = A.shape
    k = R + len(rho)
    step, S = np.zeros((Rp, Rp)), np.zeros((Rp, Rp))
    step[:R] = A
    for i in range(R, Rp):
        step[i, i - R] = 1.0
    S[:R, :R] = Q
    settled = False
    for _ in range(40):  # doubling: S = Σ C^i Q C'^i of the companion form C
        more = times(times(step, S), step.T)
        S += more
        step = times(step, step)
        if np.abs(more).max() <= 1e-15 * np.abs(S).max():
            settled = True
            break
    gamma = np.zeros((L, R, R))  # E f_t f_t-h'
    for h in range(L):
        if h < Rp // R:
            gamma[h] = S[:R, h * R : (h + 1) * R]
            continue
        for j in range(Rp // R):
            gamma[h] += times(A[:, j * R : (j + 1) * R], gamma[h - 1 - j])
    P = np.zeros((k * L, k * L))
    for i in range(L):  # block (i, j) is Cov(b_t-i, b_t-j)
        for j in range(L):
            P[i * k : i * k + R, j * k : j * k + R] = gamma[j - i] if j >= i else gamma[i - j].T
            for e in range(k - R):
                P[i * k + R + e, j * k + R + e] = rho[e] ** abs(i - j) * sigma2[e] / (1.0 - rho[e] * rho[e])
    return P, settled


@njit(cache=True, fastmath=FAST)
def times(a, b):
    """The product of two small matrices."""
    out = np.zeros((a.shape[0], b.shape[1]))
    for i in range(a.shape[0]):
        for q in range(a.shape[1]):
            for j in range(b.shape[1]):
                out[i, j] += a[i, q] * b[q, j]
    return out


@njit(cache=True, fastmath=FAST)
def observe(P, z, nz, h, gain):
    """What one scalar observation z'x + N(0, h), z zero after nz places, does to P ``(m, m)``; gain ``(m,)`` is filled.

    Returns its variance F; 0, and no gain, for an observation that is already known exactly up to rounding.
    """
    m = len(P)
    gain[:] = 0.0
    for j in range(nz):  # P is symmetric: by rows, which lie together
        c = z[j]
        if c != 0.0:
            for i in range(m):
                gain[i] += c * P[j, i]
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
    """The mean a ``(m,)`` after the observation y; returns its log-density, and by how many times F it surprises."""
    if F == 0.0:
        return 0.0, 0.0
    v = y
    for j in range(nz):
        v -= z[j] * a[j]
    for i in range(len(a)):
        a[i] += gain[i] * v
    return -0.5 * (LOG2PI + math.log(F) + v * v / F), v / F


@njit(cache=True, fastmath=FAST)
def predict_mean(a, A, rho, head):
    """The mean of x_t | t-1 from that of x_t-1 | t-1, in place. A: ``(R, R p)``. head: ``(k,)`` work space."""
    R, Rp = A.shape
    k = len(head)
    for i in range(R):
        s = 0.0
        for lag in range(Rp // R):
            for j in range(R):
                s += A[i, lag * R + j] * a[lag * k + j]
        head[i] = s
    for i in range(len(rho)):
        head[R + i] = rho[i] * a[R + i]
    for i in range(len(a) - 1, k - 1, -1):
        a[i] = a[i - k]
    a[:k] = head


@njit(cache=True, fastmath=FAST)
def predict_cov(old, A, Q, rho, sigma2, P):
    """The covariance P of x_t | t-1 from that of x_t-1 | t-1, ``old``; both ``(m, m)``."""
    R, Rp = A.shape
    E = len(rho)
    k = R + E
    m = len(P)
    n = m - k
    for i in range(n):
        for j in range(n):
            P[k + i, k + j] = old[i, j]
    for i in range(R):  # Cov(b_t, older) = T Cov(x_t-1, x_t-1)
        head = P[i]
        for q in range(n):
            head[k + q] = 0.0
        for lag in range(Rp // R):
            for j in range(R):
                c = A[i, lag * R + j]
                if c != 0.0:
                    row = old[lag * k + j]
                    for q in range(n):
                        head[k + q] += c * row[q]
    for i in range(E):
        for q in range(n):
            P[R + i, k + q] = rho[i] * old[R + i, q]
    for q in range(n):
        for i in range(k):
            P[k + q, i] = P[i, k + q]
    for i in range(k):  # Cov(b_t, b_t) = T Cov(x_t-1, b_t) + shocks
        for o in range(i + 1):
            s = 0.0
            if i < R:
                for lag in range(Rp // R):
                    for j in range(R):
                        s += A[i, lag * R + j] * P[o, k + lag * k + j]
                if o < R:
                    s += Q[i, o]
            else:
                s = rho[i - R] * P[o, k + i]
                if o == i:
                    s += sigma2[i - R]
            P[i, o] = s
            P[o, i] = s


@njit(cache=True, fastmath=FAST)
def same(A, B):
    """Whether two covariances agree to SETTLED of the largest entry."""
    largest, apart = 0.0, 0.0
    for i in range(len(A)):  # the diagonal first: most differ there
        largest = max(largest, abs(A[i, i]))
        apart = max(apart, abs(A[i, i] - B[i, i]))
    if apart > SETTLED * largest:
        return False
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
    cycle,
    Z,
    active,
    width,
    explicit,
    form,
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
    """The filter. Returns the log-likelihood, filtered means ``(T, m)``, surprises by their variance ``(T, D + E)``, slot ``(T,)``
    and the number of slots now filled.

    y ``(T, D)``, pattern ``(T,)``, Z, active, width: of ``collapse.project``, with the columns of Z laid out as the state is
    (lag by lag, k places each). regime: ``(T,)`` pattern and explicit series together. explicit: ``(T, E)`` values, form
    ``(T, E)``: -1 not known, else which of the rows ``(·, E, m)`` it reads, its own or those of a pair; noise: ``(E,)`` variances.
    a0, P0: mean and covariance of x at the first month before it is observed.
    covs ``(S, m, m)``, gains ``(S, D + E, m)``, variances ``(S, D + E)``: memory of slots, the first ``filled`` of them in use;
    new ones are added. before ``(K,)``: the slots of the first K months, where an earlier pass with the same parameters saw the
    same cells.
    """
    T, D = y.shape
    E = explicit.shape[1]
    m = len(a0)
    k = A.shape[0] + E
    means = np.empty((T, m))
    surprises = np.zeros((T, D + E))
    slot = np.empty(T, np.int64)
    a, head = a0.copy(), np.empty(k)
    loglik = 0.0
    for t in range(T):
        u = pattern[t]
        again = t > cycle and regime[t] == regime[t - cycle]
        if t > 0:
            predict_mean(a, A, rho, head)
        if t < len(before):
            now = before[t]
        elif again and slot[t - 1] == slot[t - cycle - 1]:
            now = slot[t - cycle]
        else:
            now = filled
            P = covs[now]
            if t > 0:
                predict_cov(covs[slot[t - 1]], A, Q, rho, sigma2, P)
            else:
                P[:] = P0
            for j in range(D):
                if active[u, j]:
                    variances[now, j] = observe(P, Z[u, j], width[u], 1.0, gains[now, j])
            for i in range(E):
                if form[t, i] >= 0:
                    variances[now, D + i] = observe(P, rows[form[t, i], i], m, noise[i], gains[now, D + i])
            if again and same(P, covs[slot[t - cycle]]):
                now = slot[t - cycle]
            else:
                filled += 1
        slot[t] = now
        for j in range(D):
            if active[u, j]:
                density, surprises[t, j] = update(a, Z[u, j], width[u], y[t, j], variances[now, j], gains[now, j])
                loglik += density
        for i in range(E):
            if form[t, i] >= 0:
                row, to = rows[form[t, i], i], D + i
                density, surprises[t, to] = update(a, row, m, explicit[t, i], variances[now, to], gains[now, to])
                loglik += density
        means[t] = a
    return loglik, means, surprises, slot, filled
