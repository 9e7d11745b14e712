"""EM for the mixed-frequency dynamic factor model of ``engine.factor``.

Two things differ from the usual M-step, and both keep EM monotone:

* With e_it as latent data and no measurement error, y - e = λ'f holds exactly and the usual step returns λ unchanged (with the
  New York Fed's variance of 1e-4 it creeps). Here the latent data are the factors, and for explicit series their monthly
  values, so that λ is found by generalised least squares on quasi-differences.
* ρ and σ² are maximised jointly with the stationary first value and with gaps of any length.

With ``noise`` > 0 an explicit series has that measurement variance and the step of Bańbura & Modugno applies: this reproduces
the New York Fed's program.

Source of the algorithm: Bańbura & Modugno (2014, J. Appl. Econometrics 29).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.factor import Data, Parameters, Smoothed, companion, smooth
from engine.kernels import collapse, em
from engine.typing import Bools, Floats, Ints


def _least_squares(M: Floats, b: Floats, free: Bools) -> Floats:
    """Solve M_i λ_i = b_i on the free loadings only. M ``(n, R, R)``, b ``(n, R)``, free ``(n, R)``."""
    both = free[:, :, None] & free[:, None, :]
    M = np.where(both, M, 0.0)
    i = np.arange(M.shape[1])
    M[:, i, i] = np.where(free, M[:, i, i] + 1e-12, 1.0)
    return np.asarray(np.linalg.solve(M, np.where(free, b, 0.0)[..., None])[..., 0], float)


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

    def step(self, lam: Floats, rho: Floats, free: Bools, hold: bool) -> tuple[Floats, Floats, Floats]:
        """λ given ρ by generalised least squares unless held, then ρ and σ² given λ. Returns ``(n, R)``, ``(n,)``, ``(n,)``."""
        if not hold:
            lam = self._loadings(rho, free)
        quad = [((S @ lam[..., None])[..., 0] * lam).sum(-1) for S in (self.ff, self.fg, self.gg)]
        dot = [(v * lam).sum(-1) for v in (self.yf, self.zf + self.yg, self.zg)]
        e00, e01, e11 = self.yy - 2 * dot[0] + quad[0], self.yz - dot[1] + quad[1], self.zz - 2 * dot[2] + quad[2]
        args = (np.ascontiguousarray(v.T) for v in (self.count, e00, e01, e11))
        return lam, *em.ar1(*args)

    def _loadings(self, rho: Floats, free: Bools) -> Floats:
        power, inverse = collapse.spread(rho, np.ones_like(rho), len(self.count) - 1)
        r, w = power.T, inverse.T  # (K, n)
        M = (w[..., None, None] * (
            self.ff - r[..., None, None] * (self.fg + self.fg.swapaxes(-1, -2)) + (r**2)[..., None, None] * self.gg
        )).sum(0)  # fmt: skip
        r_, w_ = r[..., None], w[..., None]
        b = (w_ * (self.yf - r_ * (self.zf + self.yg) + r_**2 * self.zg)).sum(0)
        return _least_squares(M, b, free)


def _total(s: Smoothed, months: slice | Bools) -> Floats:
    """``(m, m)`` the sum of smoothed covariances over some months."""
    return _over(s.V, s.at[months])


def _over(V: Floats, at: Ints) -> Floats:
    """The sum of V[at] ``(n, a, b)`` over its first axis, by how often each of V is meant."""
    return np.asarray(np.tensordot(np.bincount(at, minlength=len(V)).astype(float), V, 1), float)


def _collapsed_pairs(s: Smoothed, d: Data, k: int, R: int) -> Pairs:
    """Moments of the factors are summed month by month within each pattern of known cells, and over the patterns by series."""
    K, N, U = d.gap + 1, d.Y.shape[1], len(d.patterns)
    z2, z3, z4 = np.zeros((K, N)), np.zeros((K, N, R)), np.zeros((K, N, R, R))
    out = [z2.copy(), *(z4.copy() for _ in range(3)), *(z3.copy() for _ in range(4)), *(z2.copy() for _ in range(3))]
    for lag, cells in d.pairs.items():
        place = np.concatenate([np.arange(R), np.arange(R) + lag * k])
        fg = s.x[cells.months][:, place]  # f_t and f_t-lag
        often = np.bincount(cells.pattern * len(s.V) + s.at[cells.months], minlength=U * len(s.V))
        S = often.reshape(U, -1).astype(float) @ s.V[:, place[:, None], place].reshape(len(s.V), -1)
        S = S.reshape(U, 2 * R, 2 * R)
        for u, here in cells.by_pattern:
            S[u] += fg[here].T @ fg[here]
        S = (cells.mask @ S.reshape(U, -1)).reshape(N, 2 * R, 2 * R)
        now, then = cells.now @ fg, cells.then @ fg
        square = [S[:, :R, :R], S[:, :R, R:], S[:, R:, R:]]
        cross = [now[:, :R], then[:, :R], now[:, R:], then[:, R:]]
        count, *own = cells.own
        for store, value in zip(out, [count, *square, *cross, *own], strict=True):
            store[lag] = value
    if 0 in d.pairs:  # a first value has no predecessor
        for j in (2, 3, 5, 6, 7, 9, 10):
            out[j][0] = 0.0
    return Pairs(*out)


def _explicit_pairs(s: Smoothed, p: Parameters, d: Data, k: int, R: int) -> Pairs:
    """The same sums for the latent months z_t = λ'f_t + e_t of the explicit series, over the months that their values span."""
    E = d.X.shape[1]
    L = np.zeros((2 * k, 2 * k))  # (f_t, z_t, f_t-1, z_t-1) = L (f_t, e_t, f_t-1, e_t-1)
    for o in (0, k):
        L[o : o + k, o : o + k] = np.eye(k)
        L[o + R : o + k, o : o + R] = p.x_loadings
    x, V = s.x[:, : 2 * k] @ L.T, s.V[:, : 2 * k, : 2 * k]
    out = [np.zeros((2, E)), *(np.zeros((2, E, R, R)) for _ in range(3)), *(np.zeros((2, E, R)) for _ in range(4)),
           *(np.zeros((2, E)) for _ in range(3))]  # fmt: skip
    sums: dict[tuple[int, int], Floats] = {}  # series over the same months share them
    for i in range(E):
        seen = np.flatnonzero(~np.isnan(d.X[:, i]))
        if not len(seen):
            continue
        first = max(0, int(seen[0]) - int(np.flatnonzero(d.weights[i])[-1]))
        spans = (slice(first, first + 1), slice(first + 1, int(seen[-1]) + 1))
        for kk, span in enumerate(spans):
            S = sums.get((span.start, span.stop))
            if S is None:
                S = sums[span.start, span.stop] = x[span].T @ x[span] + L @ _over(V, s.at[span]) @ L.T
            f, g, z, w = slice(0, R), slice(k, k + R), R + i, k + R + i
            square = [S[f, f], S[f, g], S[g, g]]
            cross = [S[f, z], S[f, w], S[z, g], S[g, w]]
            own = [S[z, z], S[z, w], S[w, w]]
            for store, value in zip(out, [span.stop - span.start, *square, *cross, *own], strict=True):
                store[kk, i] = value
        for j in (2, 3, 5, 6, 7, 9, 10):
            out[j][0, i] = 0.0
    return Pairs(*out)


def _noisy(
    s: Smoothed, p: Parameters, d: Data, free: Bools, k: int, R: int, hold: bool
) -> tuple[Floats, Floats, Floats]:
    """The step of Bańbura & Modugno (2014) for explicit series with measurement error: λ from y - e on f, ρ from e alone."""
    E, L = d.weights.shape
    lam = p.x_loadings.copy()
    for i in range(0 if hold else E):
        seen = ~np.isnan(d.X[:, i])
        W = np.zeros((R + 1, L * k))  # (Σ w f, Σ w e) from the state
        for lag in range(L):
            W[:R, lag * k : lag * k + R] = d.weights[i, lag] * np.eye(R)
            W[R, lag * k + R + i] = d.weights[i, lag]
        x = s.x[seen] @ W.T
        S = x.T @ x + W @ _total(s, seen) @ W.T
        b = d.X[seen, i] @ x[:, :R] - S[R, :R]
        lam[i] = _least_squares(S[None, :R, :R], b[None], free[i : i + 1])[0]
    e, g = np.arange(R, k), np.arange(R, k) + k
    now, before = s.x[1:, e], s.x[1:, g]
    V = _total(s, slice(1, None))
    e00 = (now**2).sum(0) + V[e, e]
    e01 = (now * before).sum(0) + V[e, g]
    e11 = (before**2).sum(0) + V[g, g]
    rho = e01 / e11
    return lam, rho, (e00 - rho * e01) / (len(s.x) - 1)


def tame(A: Floats) -> Floats:
    """Draw an explosive or unit root back to modulus 0.999, so that the next pass has a stationary start."""
    size = np.abs(np.linalg.eigvals(companion(A))).max(initial=0.0)
    if size <= 0.999:
        return A
    lag = np.repeat(np.arange(A.shape[1] // len(A)) + 1, len(A))
    return A * (0.999 / size) ** lag  # type: ignore[no-any-return]


def m_step(
    s: Smoothed, p: Parameters, d: Data, free: Bools, x_free: Bools, blocks: Ints, *, hold: bool = False
) -> Parameters:
    """Parameters that maximise the expected likelihood, given smoothed states.

    free ``(N, R)``, x_free ``(E, R)``: which loadings are not zero by design; blocks ``(R,)``: the block of each factor.
    hold: leave the loadings as they are, and learn the dynamics alone.
    """
    R, E = p.A.shape[0], len(p.x_rho)
    k, lags = R + E, p.lags
    place = np.concatenate([np.arange(R) + lag * k for lag in range(lags + 1)])
    x = s.x[1:, place]
    S = x.T @ x + _over(s.V[:, place[:, None], place], s.at[1:])
    A, Q = np.zeros_like(p.A), np.zeros_like(p.Q)
    for block in np.unique(blocks):
        f = np.flatnonzero(blocks == block)
        past = np.concatenate([f + lag * R for lag in range(1, lags + 1)])
        B = np.linalg.solve(S[np.ix_(past, past)], S[np.ix_(past, f)]).T
        A[np.ix_(f, past - R)] = B
        C = (S[np.ix_(f, f)] - B @ S[np.ix_(past, f)]) / len(x)
        Q[np.ix_(f, f)] = 0.5 * (C + C.T)
    new = replace(p, A=tame(A), Q=Q)
    if d.Y.shape[1]:
        lam, rho, sigma2 = _collapsed_pairs(s, d, k, R).step(p.loadings, p.rho, free, hold)
        new = replace(new, loadings=lam, rho=rho, sigma2=sigma2)
    if E:
        noisy = bool((p.noise > 0).any())
        lam, rho, sigma2 = (
            _noisy(s, p, d, x_free, k, R, hold)
            if noisy
            else _explicit_pairs(s, p, d, k, R).step(p.x_loadings, p.x_rho, x_free, hold)
        )
        new = replace(new, x_loadings=lam, x_rho=rho, x_sigma2=sigma2)
    return new


def em_step(
    p: Parameters, d: Data, free: Bools, x_free: Bools, blocks: Ints, *, hold: bool = False
) -> tuple[Parameters, float]:
    """One EM iteration from a stationary start: the new parameters, and the log-likelihood of the old ones."""
    s = smooth(p, d)
    return m_step(s, p, d, free, x_free, blocks, hold=hold), s.loglik
