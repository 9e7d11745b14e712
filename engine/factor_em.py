"""EM for the mixed-frequency dynamic factor model of ``engine.factor``.

Two things differ from the usual M-step, and both keep EM monotone:

* With e_it as latent data and no measurement error, y - e = λ'f holds exactly and the usual step returns λ unchanged (with the
  New York Fed's variance of 1e-4 it creeps). Here the latent data are the factors, and for explicit series their monthly
  values, so that λ is found by generalised least squares on quasi-differences.
* ρ and σ² are maximised jointly with the stationary first value, with gaps of any length and with pairs.

With ``noise`` > 0 an explicit series has that measurement variance and the step of Bańbura & Modugno applies: this reproduces
the New York Fed's program.

Source of the algorithm: Bańbura & Modugno (2014, J. Appl. Econometrics 29).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.factor import Data, Parameters, Smoothed, companion, pair_weights, smooth
from engine.kernels import collapse, em
from engine.typing import Bools, Floats, Ints


def _least_squares(M: Floats, b: Floats, free: Bools) -> Floats:
    """Solve M_i λ_i = b_i on the free loadings only. M ``(n, R, R)``, b ``(n, R)``, free ``(n, R)``."""
    both = free[:, :, None] & free[:, None, :]
    M = np.where(both, M, 0.0)
    i = np.arange(M.shape[1])
    M[:, i, i] = np.where(free, M[:, i, i] + 1e-12, 1.0)
    return np.asarray(np.linalg.solve(M, np.where(free, b, 0.0)[..., None])[..., 0], float)


SINGLE = np.array([[0, 0, 0], [0, 0, 1]])
"""Sorts of the latent months of an explicit series: the first, and each after the one before."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Expected sums over the cells of one sort, for n series. A cell has t terms (``factor.Cells``), each a value y and factors f.

    terms ``(t,)``; count ``(n,)``; Σ E f_a f_b', y_a f_b, y_a y_b: ff ``(t, t, n, R, R)``, yf ``(t, t, n, R)``, yy ``(t, t, n)``.
    """

    terms: Ints
    count: Floats
    ff: Floats
    yf: Floats
    yy: Floats


def _step(
    sums: Sequence[Sums], sorts: Ints, lam: Floats, rho: Floats, free: Bools, hold: bool
) -> tuple[Floats, Floats, Floats]:
    """λ given ρ by generalised least squares unless held, then ρ and σ² given λ. Returns ``(n, R)``, ``(n,)``, ``(n,)``."""
    if not hold:
        lam = _loadings(sums, sorts, rho, free)
    n, K = len(rho), len(sorts)
    count, moments = np.zeros((n, K)), np.zeros((n, K, 3, 3))
    for q, s in enumerate(sums):
        cross = (s.yf * lam).sum(-1)
        square = ((s.ff @ lam[..., None])[..., 0] * lam).sum(-1)
        e = s.yy - cross - cross.swapaxes(0, 1) + square  # Σ E e_a e_b
        count[:, q] = s.count
        moments[:, q, s.terms[:, None], s.terms] = e.transpose(2, 0, 1)
    return lam, *em.ar1(sorts, count, moments)


def _loadings(sums: Sequence[Sums], sorts: Ints, rho: Floats, free: Bools) -> Floats:
    coef, inverse = collapse.spread(rho, np.ones_like(rho), sorts)
    n, R = free.shape
    M, b = np.zeros((n, R, R)), np.zeros((n, R))
    for q, s in enumerate(sums):
        c = coef[:, q, s.terms].T  # (t, n)
        w = c[:, None] * c * inverse[:, q]
        M += (w[..., None, None] * s.ff).sum((0, 1))
        b += (w[..., None] * s.yf).sum((0, 1))
    return _least_squares(M, b, free)


def _total(s: Smoothed, months: slice | Bools) -> Floats:
    """``(m, m)`` the sum of smoothed covariances over some months."""
    return _over(s.V, s.at[months])


def _over(V: Floats, at: Ints) -> Floats:
    """The sum of V[at] ``(n, a, b)`` over its first axis, by how often each of V is meant."""
    return np.asarray(np.tensordot(np.bincount(at, minlength=len(V)).astype(float), V, 1), float)


def _collapsed(s: Smoothed, d: Data, k: int, R: int) -> list[Sums]:
    """Moments of the factors are summed month by month within each pattern of known cells, and over the patterns by series."""
    N, U, out = d.Y.shape[1], len(d.patterns), []
    for cells in d.cells:
        place = (np.arange(R) + cells.lags[:, None] * k).reshape(-1)
        f = s.x[cells.months][:, place]
        often = np.bincount(cells.pattern * len(s.V) + s.at[cells.months], minlength=U * len(s.V))
        S = often.reshape(U, -1).astype(float) @ s.V[:, place[:, None], place].reshape(len(s.V), -1)
        S = S.reshape(U, len(place), len(place))
        for u, here in cells.by_pattern:
            S[u] += f[here].T @ f[here]
        if cells.mix is not None:
            mix = np.kron(cells.mix, np.eye(R))
            f, S = f @ mix.T, mix @ S @ mix.T
        t = len(cells.terms)
        ff = (cells.mask @ S.reshape(U, -1)).reshape(N, t, R, t, R).transpose(1, 3, 0, 2, 4)
        yf = (cells.values @ f).reshape(t, N, t, R).swapaxes(1, 2)
        out.append(Sums(cells.terms, cells.count, ff, yf, cells.own))
    return out


def _explicit(s: Smoothed, p: Parameters, d: Data, k: int, R: int) -> list[Sums]:
    """The same sums for the latent months z_t = λ'f_t + e_t of the explicit series, over the months that their values span."""
    E = d.X.shape[1]
    L = np.zeros((2 * k, 2 * k))  # (f_t, z_t, f_t-1, z_t-1) = L (f_t, e_t, f_t-1, e_t-1)
    for o in (0, k):
        L[o : o + k, o : o + k] = np.eye(k)
        L[o + R : o + k, o : o + R] = p.x_loadings
    x, V = s.x[:, : 2 * k] @ L.T, s.V[:, : 2 * k, : 2 * k]
    out = [
        Sums(
            np.arange(0, 2 * t, 2), np.zeros(E), np.zeros((t, t, E, R, R)), np.zeros((t, t, E, R)), np.zeros((t, t, E))
        )
        for t in (1, 2)
    ]
    sums: dict[tuple[int, int], Floats] = {}  # series over the same months share them
    for i in range(E):
        seen = np.flatnonzero(d.form[:, i] >= 0)
        if not len(seen):
            continue
        reach = 1 if d.form[seen[0], i] == 1 else int(np.flatnonzero(d.weights[i])[-1])
        first = max(0, int(seen[0]) - reach)
        for to, span in zip(out, (slice(first, first + 1), slice(first + 1, int(seen[-1]) + 1)), strict=True):
            S = sums.get((span.start, span.stop))
            if S is None:
                S = sums[span.start, span.stop] = x[span].T @ x[span] + L @ _over(V, s.at[span]) @ L.T
            to.count[i] = span.stop - span.start
            for a in range(len(to.terms)):
                for b in range(len(to.terms)):
                    f = slice(b * k, b * k + R)
                    to.ff[a, b, i] = S[a * k : a * k + R, f]
                    to.yf[a, b, i] = S[a * k + R + i, f]
                    to.yy[a, b, i] = S[a * k + R + i, b * k + R + i]
    return out


def _noisy(
    s: Smoothed, p: Parameters, d: Data, free: Bools, k: int, R: int, hold: bool
) -> tuple[Floats, Floats, Floats]:
    """The step of Bańbura & Modugno (2014) for explicit series with measurement error: λ from y - e on f, ρ from e alone."""
    E, L = d.weights.shape
    lam = p.x_loadings.copy()
    for i in range(0 if hold else E):
        M, b = np.zeros((R, R)), np.zeros(R)
        for form, weights in enumerate((d.weights, pair_weights(d))):
            seen = d.form[:, i] == form
            if not seen.any():
                continue
            W = np.zeros((R + 1, L * k))  # (Σ w f, Σ w e) from the state
            for lag in range(L):
                W[:R, lag * k : lag * k + R] = weights[i, lag] * np.eye(R)
                W[R, lag * k + R + i] = weights[i, lag]
            x = s.x[seen] @ W.T
            S = x.T @ x + W @ _total(s, seen) @ W.T
            M += S[:R, :R]
            b += d.X[seen, i] @ x[:, :R] - S[R, :R]
        lam[i] = _least_squares(M[None], b[None], free[i : i + 1])[0]
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
    A, Q = em.transition(S, blocks, lags)
    new = replace(p, A=tame(A), Q=Q / len(x))
    if d.Y.shape[1]:
        lam, rho, sigma2 = _step(_collapsed(s, d, k, R), d.sorts, p.loadings, p.rho, free, hold)
        new = replace(new, loadings=lam, rho=rho, sigma2=sigma2)
    if E:
        noisy = bool((p.noise > 0).any())
        lam, rho, sigma2 = (
            _noisy(s, p, d, x_free, k, R, hold)
            if noisy
            else _step(_explicit(s, p, d, k, R), SINGLE, p.x_loadings, p.x_rho, x_free, hold)
        )
        new = replace(new, x_loadings=lam, x_rho=rho, x_sigma2=sigma2)
    return new


def em_step(
    p: Parameters, d: Data, free: Bools, x_free: Bools, blocks: Ints, *, hold: bool = False
) -> tuple[Parameters, float]:
    """One EM iteration from a stationary start: the new parameters, and the log-likelihood of the old ones."""
    s = smooth(p, d)
    return m_step(s, p, d, free, x_free, blocks, hold=hold), s.loglik
