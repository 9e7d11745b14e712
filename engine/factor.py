"""The mixed-frequency dynamic factor model: likelihood, smoothed states, EM. Exact for any pattern of missing values.

    y_it = λ_i'f_t + e_it                      seen each month; e_it = ρ_i e_i,t-1 + N(0, σ²_i)
    y_jt = Σ_l w_l (λ_j'f_t-l + e_j,t-l)       seen as a weighted sum of months: a quarterly growth rate (Mariano & Murasawa 2003)
    f_t  = A_1 f_t-1 + … + A_p f_t-p + N(0, Q) in blocks that do not interact

Series of the first kind are *collapsed*: their idiosyncratics never enter the state. Series of the second kind are *explicit*;
so is a monthly series with a gap longer than the lags in the state, with weights (1, 0, …).

Sources: Bańbura & Modugno (2014, J. Appl. Econometrics 29) for the EM algorithm; Jungbacker & Koopman (2015) for the collapse.
Two things differ from the usual M-step, and both keep EM monotone:

* With e_it as latent data and no measurement error, y - e = λ'f holds exactly and the usual step returns λ unchanged (with the
  New York Fed's variance of 1e-4 it creeps). Here the latent data are the factors, and for explicit series their monthly
  values, so that λ is found by generalised least squares on quasi-differences.
* ρ and σ² are maximised jointly with the stationary first value and with gaps of any length.

With ``noise`` > 0 an explicit series has that measurement variance and the step of Bańbura & Modugno applies: this reproduces
the New York Fed's program.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from engine.errors import NotConverged
from engine.kernels import collapse, em, kalman
from engine.typing import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class Parameters:
    """R factors in blocks, N collapsed and E explicit series.

    A ``(R, R p)``, Q ``(R, R)``; loadings ``(N, R)``, rho ``(N,)``, sigma2 ``(N,)`` of the collapsed series;
    x_loadings ``(E, R)``, x_rho, x_sigma2, noise ``(E,)`` of the explicit ones.
    """

    A: Floats
    Q: Floats
    loadings: Floats
    rho: Floats
    sigma2: Floats
    x_loadings: Floats
    x_rho: Floats
    x_sigma2: Floats
    noise: Floats

    @property
    def lags(self) -> int:
        return self.A.shape[1] // max(self.A.shape[0], 1)


@dataclass(frozen=True, slots=True)
class Start:
    """Mean ``(m,)`` and covariance ``(m, m)`` of the state in the first month, before it is observed."""

    mean: Floats
    cov: Floats


@dataclass(frozen=True, slots=True)
class Data:
    """A panel made ready once for many passes. Build with :func:`prepare`.

    Y ``(T, N)``: collapsed series. X ``(T, E)``: explicit series, with weights ``(E, L)`` on L lags. NaN where not known.
    """

    Y: Floats
    X: Floats
    weights: Floats
    kind: Ints
    pattern: Ints
    patterns: Ints
    sums: dict[int, tuple[Floats, Floats, Floats]] = field(repr=False)  # k: mask (N, T), y_t (N, T), y_t-k (N, T)

    @property
    def lags(self) -> int:
        """L, the lags stacked in the state."""
        return self.weights.shape[1]

    @property
    def gap(self) -> int:
        """The longest gap between two values of a collapsed series, at least 1."""
        return max(1, int(self.patterns.max(initial=1)))


@dataclass(frozen=True, slots=True)
class Smoothed:
    """loglik; x ``(T, m)`` and V ``(T, m, m)``: smoothed mean and covariance of (b_t, …, b_t-L+1), b = (factors, explicit e)."""

    loglik: float
    x: Floats
    V: Floats
    filtered: tuple[Floats, Floats]


def long_gaps(Y: Floats, reach: int = 4) -> Bools:
    """``(N,)`` which monthly series have a gap longer than ``reach`` months between two values: they must be explicit."""
    return (collapse.kinds(np.ascontiguousarray(Y), reach) == -2).any(0)  # type: ignore[no-any-return]


def prepare(Y: Floats, X: Floats, weights: Floats, order: int) -> Data:
    """Make a panel ready. Y ``(T, N)``, X ``(T, E)``, weights ``(E, w)`` newest month first, order p of the factors.

    The state holds L = max(w, p + 1, longest gap + 1) lags. Raises ValueError for a gap that :func:`long_gaps` would name
    when neither weights nor order make the state that long.
    """
    Y = np.ascontiguousarray(Y, float)
    X = np.ascontiguousarray(X, float)
    kind = collapse.kinds(Y, 4)
    if (kind == -2).any():
        raise ValueError("a collapsed series has a gap of more than four months between values: make it explicit")
    L = max(weights.shape[1] if len(weights) else 1, order + 1, int(kind.max(initial=0)) + 1, 2)
    w = np.zeros((X.shape[1], L))
    w[:, : weights.shape[1]] = weights
    patterns, pattern = np.unique(kind, axis=0, return_inverse=True)
    sums = {}
    for k in range(int(kind.max(initial=-1)) + 1):
        here = kind == k
        if here.any():
            before = np.zeros_like(Y)
            before[k:] = Y[: len(Y) - k]
            sums[k] = tuple(np.ascontiguousarray(np.where(here, v, 0.0).T) for v in (1.0, Y, before))
    return Data(Y, X, w, kind, pattern.reshape(-1), patterns, sums)  # type: ignore[arg-type]


def companion(A: Floats) -> Floats:
    """``(R p, R p)`` first-order form of the factors' transition."""
    R, Rp = A.shape
    out = np.zeros((Rp, Rp))
    out[:R] = A
    out[R:, : Rp - R] = np.eye(Rp - R)
    return out


def stationary(p: Parameters, L: int) -> Start:
    """The unconditional distribution of the stacked state. Raises NotConverged if the factors have a unit root."""
    R, E = p.A.shape[0], len(p.x_rho)
    k = R + E
    C = companion(p.A)
    S = np.zeros_like(C)
    S[:R, :R] = p.Q
    step = C
    for _ in range(40):  # doubling: S = Σ C^i Q C'^i
        more = step @ S @ step.T
        S = S + more
        step = step @ step
        if np.abs(more).max(initial=0.0) <= 1e-15 * np.abs(S).max(initial=0.0):
            break
    else:
        raise NotConverged("the factors' transition has a unit or explosive root: there is no stationary start")
    gamma = np.empty((L, R, R))  # E[f_t f_t-h']
    for h in range(L):
        gamma[h] = S[:R, h * R : (h + 1) * R] if h < p.lags else p.A @ np.vstack([gamma[h - j] for j in range(1, p.lags + 1)])
    P = np.zeros((k * L, k * L))
    variance = p.x_sigma2 / (1 - p.x_rho**2)
    for i in range(L):
        for j in range(i, L):
            P[i * k : i * k + R, j * k : j * k + R] = gamma[j - i]
            P[j * k : j * k + R, i * k : i * k + R] = gamma[j - i].T
            e = p.x_rho ** (j - i) * variance
            P[np.arange(E) + i * k + R, np.arange(E) + j * k + R] = e
            P[np.arange(E) + j * k + R, np.arange(E) + i * k + R] = e
    return Start(np.zeros(k * L), P)


def rows(p: Parameters, weights: Floats) -> Floats:
    """``(E, m)`` what an explicit series reads from the state: w_l (λ'f_t-l + e_t-l)."""
    E, L = weights.shape
    R = p.A.shape[0]
    block = np.hstack([p.x_loadings, np.eye(E)])  # (E, k)
    return np.ascontiguousarray((weights[:, :, None] * block[:, None, :]).reshape(E, L * (R + E)))


@dataclass(frozen=True, slots=True)
class Pass:
    """The arrays that one pass of the filter reads; shared with the adjoint."""

    power: Floats
    inverse: Floats
    Z: Floats
    active: Bools
    width: Ints
    state_Z: Floats
    state_width: Ints
    rows: Floats


def _pass(p: Parameters, d: Data) -> Pass:
    R, E = p.A.shape[0], len(p.x_rho)
    power, inverse = collapse.spread(p.rho, p.sigma2, d.gap)
    Z, active, width = collapse.factorise(d.patterns, p.loadings, power, inverse)
    U, D, _ = Z.shape
    wide = np.zeros((U, D, d.gap + 1, R + E))  # the columns of Z among those of the state, lag by lag
    wide[..., :R] = Z.reshape(U, D, d.gap + 1, R)
    state_width = np.where(width > 0, (width // max(R, 1) - 1) * (R + E) + R, 0)
    return Pass(power, inverse, Z, active, width, wide.reshape(U, D, -1), state_width, rows(p, d.weights))


NONE = np.zeros((0, 0, 0))


def smooth(p: Parameters, d: Data, start: Start | None = None) -> Smoothed:
    """Log-likelihood and smoothed states, given parameters. Without ``start`` the state begins stationary."""
    start = start or stationary(p, d.lags)
    s = _pass(p, d)
    y, constant = collapse.project(d.Y, d.kind, d.pattern, p.loadings, s.power, s.inverse, s.Z, s.active, s.width)
    loglik, means, covs = kalman.filter_(
        y, d.pattern, s.state_Z, s.active, s.state_width, d.X, s.rows, p.noise, p.A, p.Q, p.x_rho, p.x_sigma2,
        start.mean, start.cov, NONE,
    )  # fmt: skip
    x, V = kalman.smooth(means, covs, p.A.shape[0] + len(p.x_rho), NONE)
    return Smoothed(loglik + constant, x, V, (means, covs))


def weigh(p: Parameters, d: Data, target: Floats, row: int) -> tuple[Floats, Floats]:
    """Weights of E[target'x_row | data] on every known cell: ``(T, N)`` collapsed and ``(T, E)`` explicit. target: ``(m,)``."""
    start = stationary(p, d.lags)
    s = _pass(p, d)
    T, k, m = len(d.Y), p.A.shape[0] + len(p.x_rho), len(start.mean)
    y, _ = collapse.project(d.Y, d.kind, d.pattern, p.loadings, s.power, s.inverse, s.Z, s.active, s.width)
    gains = np.zeros((T, y.shape[1] + len(p.x_rho), m))
    links = np.zeros((T, k, m - k))
    _, means, covs = kalman.filter_(
        y, d.pattern, s.state_Z, s.active, s.state_width, d.X, s.rows, p.noise, p.A, p.Q, p.x_rho, p.x_sigma2,
        start.mean, start.cov, gains,
    )  # fmt: skip
    kalman.smooth(means, covs, k, links)
    on_rows, on_explicit = kalman.adjoint(
        target, row, gains, links, d.pattern, s.state_Z, s.active, s.state_width, d.X, s.rows, p.A, p.x_rho, k
    )
    on_cells = collapse.unproject(
        on_rows, d.kind, d.pattern, p.loadings, s.power, s.inverse, s.Z, s.active, s.width
    )  # fmt: skip
    return on_cells, on_explicit


# ---------------------------------------------------------------------------------------------------------------- M-step


def _least_squares(M: Floats, b: Floats, free: Bools) -> Floats:
    """Solve M_i λ_i = b_i on the free loadings only. M ``(n, R, R)``, b ``(n, R)``, free ``(n, R)``."""
    both = free[:, :, None] & free[:, None, :]
    M = np.where(both, M, 0.0)
    i = np.arange(M.shape[1])
    M[:, i, i] = np.where(free, M[:, i, i] + 1e-12, 1.0)
    return np.linalg.solve(M, np.where(free, b, 0.0)[..., None])[..., 0]  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Expected sums over pairs of values k months apart, k = 0 … g (0: first values), for n series.

    count ``(K, n)``; ff, fg, gg ``(K, n, R, R)``: Σ E f_t f_t', E f_t f_t-k', E f_t-k f_t-k'; and of the values with the factors
    yf, zf, yg, zg ``(K, n, R)`` and among themselves yy, yz, zz ``(K, n)``, where y is y_t, z is y_t-k, g is f_t-k.
    """

    count: Floats
    ff: Floats
    fg: Floats
    gg: Floats
    yf: Floats
    zf: Floats
    yg: Floats
    zg: Floats
    yy: Floats
    yz: Floats
    zz: Floats

    def step(self, rho: Floats, free: Bools) -> tuple[Floats, Floats, Floats]:
        """λ given ρ by generalised least squares, then ρ and σ² given λ. Returns ``(n, R)``, ``(n,)``, ``(n,)``."""
        power, inverse = collapse.spread(rho, np.ones_like(rho), len(self.count) - 1)
        r, w = power.T, inverse.T  # (K, n)
        M = (w[..., None, None] * (
            self.ff - r[..., None, None] * (self.fg + self.fg.swapaxes(-1, -2)) + (r**2)[..., None, None] * self.gg
        )).sum(0)  # fmt: skip
        r_, w_ = r[..., None], w[..., None]
        b = (w_ * (self.yf - r_ * (self.zf + self.yg) + r_**2 * self.zg)).sum(0)
        lam = _least_squares(M, b, free)
        quad = [np.einsum("ni,knij,nj->kn", lam, S, lam, optimize=True) for S in (self.ff, self.fg, self.gg)]
        dot = [np.einsum("kni,ni->kn", v, lam) for v in (self.yf, self.zf + self.yg, self.zg)]
        e00, e01, e11 = self.yy - 2 * dot[0] + quad[0], self.yz - dot[1] + quad[1], self.zz - 2 * dot[2] + quad[2]
        args = (np.ascontiguousarray(v.T) for v in (self.count, e00, e01, e11))
        return lam, *em.ar1(*args)


def _moments(s: Smoothed, k: int, R: int, lag: int) -> tuple[Floats, Floats, Floats]:
    """``(T, R, R)`` each: E f_t f_t', E f_t f_t-lag', E f_t-lag f_t-lag'."""
    o = lag * k
    f, g = s.x[:, :R], s.x[:, o : o + R]
    return (
        f[:, :, None] * f[:, None, :] + s.V[:, :R, :R],
        f[:, :, None] * g[:, None, :] + s.V[:, :R, o : o + R],
        g[:, :, None] * g[:, None, :] + s.V[:, o : o + R, o : o + R],
    )


def _collapsed_pairs(s: Smoothed, d: Data, k: int, R: int) -> Pairs:
    K, N, T = d.gap + 1, d.Y.shape[1], len(d.Y)
    z2, z3, z4 = np.zeros((K, N)), np.zeros((K, N, R)), np.zeros((K, N, R, R))
    out = [z2.copy(), *(z4.copy() for _ in range(3)), *(z3.copy() for _ in range(4)), *(z2.copy() for _ in range(3))]
    f = s.x[:, :R]
    for lag, (mask, now, before) in d.sums.items():
        g = s.x[:, lag * k : lag * k + R]
        square = [(mask @ S.reshape(T, -1)).reshape(N, R, R) for S in _moments(s, k, R, lag)]
        cross = [now @ f, before @ f, now @ g, before @ g]
        own = [(now * now).sum(1), (now * before).sum(1), (before * before).sum(1)]
        for store, value in zip(out, [mask.sum(1), *square, *cross, *own], strict=True):
            store[lag] = value
    if 0 in d.sums:  # a first value has no predecessor
        for j in (2, 3, 5, 6, 7, 9, 10):
            out[j][0] = 0.0
    return Pairs(*out)


def _explicit_pairs(s: Smoothed, p: Parameters, d: Data, k: int, R: int) -> Pairs:
    """The same sums for the latent months z_t = λ'f_t + e_t of the explicit series, over the months that their values span."""
    E = d.X.shape[1]
    T = len(d.X)
    L = np.zeros((k, R + E))  # (f, z) = L (f, e)
    L[:R, :R] = np.eye(R)
    L[R:, :R] = p.x_loadings
    L[R:, R:] = np.eye(E)
    x0, x1 = s.x[:, :k] @ L.T, s.x[:, k : 2 * k] @ L.T
    V00, V01, V11 = (L @ V @ L.T for V in (s.V[:, :k, :k], s.V[:, :k, k : 2 * k], s.V[:, k : 2 * k, k : 2 * k]))
    m00, m01, m11 = (
        a[:, :, None] * b[:, None, :] + V for a, b, V in ((x0, x0, V00), (x0, x1, V01), (x1, x1, V11))
    )
    out = [np.zeros((2, E)), *(np.zeros((2, E, R, R)) for _ in range(3)), *(np.zeros((2, E, R)) for _ in range(4)),
           *(np.zeros((2, E)) for _ in range(3))]  # fmt: skip
    for i in range(E):
        seen = np.flatnonzero(~np.isnan(d.X[:, i]))
        if not len(seen):
            continue
        first = max(0, int(seen[0]) - int(np.flatnonzero(d.weights[i])[-1]))
        spans = (slice(first, first + 1), slice(first + 1, int(seen[-1]) + 1))
        for kk, span in enumerate(spans):
            a, b, c = m00[span].sum(0), m01[span].sum(0), m11[span].sum(0)
            z = R + i
            square = [a[:R, :R], b[:R, :R], c[:R, :R]]
            cross = [a[:R, z], b[:R, z], b[z, :R], c[:R, z]]
            for store, value in zip(out, [span.stop - span.start, *square, *cross, a[z, z], b[z, z], c[z, z]], strict=True):
                store[kk, i] = value
        for j in (2, 3, 5, 6, 7, 9, 10):
            out[j][0, i] = 0.0
    assert T >= 1
    return Pairs(*out)


def _noisy(s: Smoothed, p: Parameters, d: Data, free: Bools, k: int, R: int) -> tuple[Floats, Floats, Floats]:
    """The step of Bańbura & Modugno (2014) for explicit series with measurement error: λ from y - e on f, ρ from e alone."""
    E, L = d.weights.shape
    lam = np.empty_like(p.x_loadings)
    for i in range(E):
        seen = ~np.isnan(d.X[:, i])
        W = np.zeros((R + 1, L * k))  # (Σ w f, Σ w e) from the state
        for lag in range(L):
            W[:R, lag * k : lag * k + R] = d.weights[i, lag] * np.eye(R)
            W[R, lag * k + R + i] = d.weights[i, lag]
        x = s.x[seen] @ W.T
        S = x.T @ x + W @ s.V[seen].sum(0) @ W.T
        b = d.X[seen, i] @ x[:, :R] - S[R, :R]
        lam[i] = _least_squares(S[None, :R, :R], b[None], free[i : i + 1])[0]
    e, g = np.arange(R, k), np.arange(R, k) + k
    now, before = s.x[1:, e], s.x[1:, g]
    e00 = (now**2 + s.V[1:, e, e]).sum(0)
    e01 = (now * before + s.V[1:, e, g]).sum(0)
    e11 = (before**2 + s.V[1:, g, g]).sum(0)
    rho = e01 / e11
    return lam, rho, (e00 - rho * e01) / (len(s.x) - 1)


def m_step(s: Smoothed, p: Parameters, d: Data, free: Bools, x_free: Bools, blocks: Ints) -> Parameters:
    """Parameters that maximise the expected likelihood, given smoothed states.

    free ``(N, R)``, x_free ``(E, R)``: which loadings are not zero by design; blocks ``(R,)``: the block of each factor.
    """
    R, E = p.A.shape[0], len(p.x_rho)
    k, lags = R + E, p.lags
    place = np.concatenate([np.arange(R) + lag * k for lag in range(lags + 1)])
    x, V = s.x[1:, place], s.V[1:][:, place[:, None], place[None, :]]
    S = x.T @ x + V.sum(0)
    A, Q = np.zeros_like(p.A), np.zeros_like(p.Q)
    for block in np.unique(blocks):
        f = np.flatnonzero(blocks == block)
        past = np.concatenate([f + lag * R for lag in range(1, lags + 1)])
        B = np.linalg.solve(S[np.ix_(past, past)], S[np.ix_(past, f)]).T
        A[np.ix_(f, past - R)] = B
        C = (S[np.ix_(f, f)] - B @ S[np.ix_(past, f)]) / len(x)
        Q[np.ix_(f, f)] = 0.5 * (C + C.T)
    new = replace(p, A=A, Q=Q)
    if d.Y.shape[1]:
        lam, rho, sigma2 = _collapsed_pairs(s, d, k, R).step(p.rho, free)
        new = replace(new, loadings=lam, rho=rho, sigma2=sigma2)
    if E:
        noisy = bool((p.noise > 0).any())
        lam, rho, sigma2 = (
            _noisy(s, p, d, x_free, k, R) if noisy else _explicit_pairs(s, p, d, k, R).step(p.x_rho, x_free)
        )
        new = replace(new, x_loadings=lam, x_rho=rho, x_sigma2=sigma2)
    return new


def em_step(p: Parameters, d: Data, free: Bools, x_free: Bools, blocks: Ints) -> tuple[Parameters, float]:
    """One EM iteration from a stationary start: the new parameters, and the log-likelihood of the old ones."""
    s = smooth(p, d)
    return m_step(s, p, d, free, x_free, blocks), s.loglik


def maximise(
    p: Parameters, d: Data, free: Bools, x_free: Bools, blocks: Ints, tolerance: float, iterations: int,
    tell: Callable[[int, float], None] | None = None,
) -> tuple[Parameters, Floats]:  # fmt: skip
    """EM until the log-likelihood rises by less than ``tolerance`` of its size. Returns parameters and its path ``(n,)``.

    Raises NotConverged after ``iterations``.
    """
    path: list[float] = []
    for i in range(iterations):
        new, loglik = em_step(p, d, free, x_free, blocks)
        path.append(loglik)
        if tell:
            tell(i, loglik)
        if i and path[-1] - path[-2] <= tolerance * 0.5 * (abs(path[-1]) + abs(path[-2])):
            return p, np.array(path)
        p = new
    raise NotConverged(f"EM: the likelihood still rose by {path[-1] - path[-2]:.3g} after {iterations} iterations")
