"""The mixed-frequency dynamic factor model: likelihood, smoothed states, weights. Exact for any pattern of missing values.

    y_it = λ_i'f_t + e_it                      seen each month; e_it = ρ_i e_i,t-1 + N(0, σ²_i)
    y_jt = Σ_l w_l (λ_j'f_t-l + e_j,t-l)       seen as a weighted sum of months: a quarterly growth rate (Mariano & Murasawa 2003)
    f_t  = A_1 f_t-1 + … + A_p f_t-p + N(0, Q) in blocks that do not interact

Series of the first kind are *collapsed*: their idiosyncratics never enter the state. Series of the second kind are *explicit*;
so is a monthly series with a gap longer than the lags in the state, with weights (1, 0, …).

Sources: Bańbura & Modugno (2014, J. Appl. Econometrics 29); Jungbacker & Koopman (2015, Econometrics J. 18) for the collapse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.errors import NotConverged
from engine.kernels import collapse, kalman, smoother
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
        return int(self.A.shape[1] // max(self.A.shape[0], 1))


@dataclass(frozen=True, slots=True)
class Start:
    """Mean ``(m,)`` and covariance ``(m, m)`` of the state in the first month, before it is observed."""

    mean: Floats
    cov: Floats


@dataclass(frozen=True, slots=True)
class Cells:
    """All pairs of values k months apart, as EM sums over them: months ``(n,)`` in which there is one, and their pattern ``(n,)``;
    mask ``(N, U)`` which series have one in a month of which pattern; the values now and then ``(N, n)``, 0 where there is none;
    own ``(4, N)`` their number, and Σ now², Σ now then, Σ then²; by_pattern: each pattern, and the places of its months.
    """

    months: Ints
    pattern: Ints
    mask: Floats
    now: Floats
    then: Floats
    own: Floats
    by_pattern: tuple[tuple[int, Ints | slice], ...]


def _groups(which: Ints) -> tuple[tuple[int, Ints | slice], ...]:
    """Where each number stands; as a slice where it stands in one run, which costs no copy."""
    out: list[tuple[int, Ints | slice]] = []
    for u in np.unique(which):
        at = np.flatnonzero(which == u)
        out.append((int(u), slice(at[0], at[-1] + 1) if at[-1] - at[0] + 1 == len(at) else at))
    return tuple(out)


@dataclass(frozen=True)
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
    regime: Ints

    @property
    def lags(self) -> int:
        """L, the lags stacked in the state."""
        return int(self.weights.shape[1])

    @property
    def gap(self) -> int:
        """The longest gap between two values of a collapsed series, at least 1."""
        return max(1, int(self.patterns.max(initial=1)))

    @cached_property
    def pairs(self) -> dict[int, Cells]:
        """For each gap k that occurs, its cells."""
        out = {}
        for k in range(int(self.kind.max(initial=-1)) + 1):
            months = np.flatnonzero((self.kind == k).any(1))
            if len(months):
                here = self.kind[months] == k
                then = self.Y[np.maximum(months - k, 0)]
                now, then = (np.ascontiguousarray(np.where(here, v, 0.0).T) for v in (self.Y[months], then))
                own = np.stack([here.sum(0), (now * now).sum(1), (now * then).sum(1), (then * then).sum(1)])
                mask = np.ascontiguousarray((self.patterns == k).T.astype(float))
                pattern = self.pattern[months]
                out[k] = Cells(months, pattern, mask, now, then, own, _groups(pattern))
        return out


@dataclass(slots=True)
class Memory:
    """Filtered covariances and what follows from them, by slot; the first ``filled`` of S are in use, and more may be added.

    covs ``(S, m, m)``, gains ``(S, D + E, m)``, variances ``(S, D + E)``, links ``(S, k, m - k)``, linked ``(S,)``: see
    ``kernels.kalman`` and ``kernels.smoother``.
    """

    covs: Floats
    gains: Floats
    variances: Floats
    links: Floats
    linked: Bools
    filled: int = 0

    @classmethod
    def empty(cls, S: int, m: int, k: int, rows: int) -> Memory:
        return cls(
            np.empty((S, m, m)), np.empty((S, rows, m)), np.zeros((S, rows)), np.empty((S, k, m - k)), np.zeros(S, bool)
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Smoothed:
    """loglik; x ``(T, m)`` smoothed means of (b_t, …, b_t-L+1), b = (factors, explicit e); month t has the covariance V[at[t]].

    V: ``(S, m, m)``, only the covariances that differ. The others: what a later pass or :func:`weigh` can take up.
    """

    loglik: float
    x: Floats
    at: Ints
    V: Floats
    data: Data
    slot: Ints
    memory: Memory
    start: Start
    read: Pass

    def cov(self, block: tuple[slice, slice]) -> Floats:
        """``(T, …)`` one block of the smoothed covariance of every month."""
        return self.V[:, block[0], block[1]][self.at]


def long_gaps(Y: Floats, reach: int = 4, afresh: Sequence[int] = ()) -> Bools:
    """``(N,)`` which monthly series have a gap longer than ``reach`` months between two values: they must be explicit.

    afresh: as for :func:`prepare`.
    """
    return np.asarray((_kinds(Y, reach, afresh) == -2).any(0))


def _kinds(Y: Floats, reach: int, afresh: Sequence[int]) -> Ints:
    parts = np.split(np.asarray(Y, float), list(afresh))
    return np.vstack([collapse.kinds(np.ascontiguousarray(part), reach) for part in parts])


def prepare(Y: Floats, X: Floats, weights: Floats, order: int, afresh: Sequence[int] = ()) -> Data:
    """Make a panel ready. Y ``(T, N)``, X ``(T, E)``, weights ``(E, w)`` newest month first, order p of the factors.

    afresh: months in which the idiosyncratics of collapsed series begin anew, as in the first month.

    The state holds L = max(w, p + 1, longest gap + 1) lags. Raises ValueError for a gap that :func:`long_gaps` would name
    when neither weights nor order make the state that long.
    """
    Y = np.ascontiguousarray(Y, float)
    X = np.ascontiguousarray(X, float)
    kind = _kinds(Y, 4, afresh)
    if (kind == -2).any():
        raise ValueError("a collapsed series has a gap of more than four months between values: make it explicit")
    L = max(weights.shape[1] if len(weights) else 1, order + 1, int(kind.max(initial=0)) + 1, 2)
    w = np.zeros((X.shape[1], L))
    w[:, : weights.shape[1]] = weights
    patterns, pattern = _distinct(kind)
    _, regime = _distinct(np.column_stack([pattern, ~np.isnan(X)]))
    return Data(Y, X, w, kind, pattern, patterns, regime)


def _distinct(table: Ints) -> tuple[Ints, Ints]:
    """Distinct rows of a table of small integers, and for each row which of them it is."""
    rows = np.ascontiguousarray(table.astype(np.int16))
    keys = rows.view(f"V{rows.shape[1] * 2}")[:, 0] if rows.shape[1] else np.zeros(len(rows), "V2")
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    return np.ascontiguousarray(table[first]), which.reshape(-1)


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
        gamma[h] = (
            S[:R, h * R : (h + 1) * R] if h < p.lags else p.A @ np.vstack([gamma[h - j] for j in range(1, p.lags + 1)])
        )
    lag = np.arange(L)[None, :] - np.arange(L)[:, None]  # block (i, j) is Cov(b_t-i, b_t-j)
    P = np.zeros((L, k, L, k))
    P[:, :R, :, :R] = np.where(lag[..., None, None] >= 0, gamma[abs(lag)], gamma[abs(lag)].swapaxes(-1, -2)).swapaxes(
        1, 2
    )
    e = np.arange(R, k)
    P[:, e, :, e] = p.x_rho[:, None, None] ** abs(lag) * (p.x_sigma2 / (1 - p.x_rho**2))[:, None, None]
    P = P.reshape(k * L, k * L)
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


def smooth(
    p: Parameters, d: Data, start: Start | None = None, *, like: Smoothed | None = None, means_only: bool = False
) -> Smoothed:
    """Log-likelihood and smoothed states, given parameters. Without ``start`` the state begins stationary.

    like: an earlier pass with the same parameters and start; up to the month where the known cells first differ, its covariances
    serve again. means_only: of the covariances, only that of the last month is right; enough for :func:`weigh` and
    :func:`expected`, and faster.
    """
    known = shared(like.data, d) if like else 0
    if like and known:
        start = like.start
    start = start or stationary(p, d.lags)
    s = like.read if like and known and np.array_equal(like.data.patterns, d.patterns) else _pass(p, d)
    k, m, T = p.A.shape[0] + len(p.x_rho), len(start.mean), len(d.Y)
    y, constant = collapse.project(d.Y, d.kind, d.pattern, p.loadings, s.power, s.inverse, s.Z, s.active, s.width)
    if like and like.memory.filled + T - known <= len(like.memory.covs):
        before, memory = like.slot[:known], like.memory
    else:
        before, memory = np.empty(0, np.int64), Memory.empty(T, m, k, y.shape[1] + len(p.x_rho))
    loglik, means, slot, memory.filled = kalman.filter_(
        y, d.pattern, d.regime, s.state_Z, s.active, s.state_width, d.X, s.rows, p.noise, p.A, p.Q, p.x_rho, p.x_sigma2,
        start.mean, start.cov, memory.covs, memory.gains, memory.variances, memory.filled, before,
    )  # fmt: skip
    x, at, V = smoother.smooth(means, slot, memory.covs, k, memory.links, memory.linked, means_only)
    return Smoothed(loglik + constant, x, at, V[: at.max() + 1], d, slot, memory, start, s)


def shared(a: Data, b: Data) -> int:
    """The number of months at the beginning in which two data sets know the same cells."""
    if a.kind.shape[1] != b.kind.shape[1] or a.weights.shape != b.weights.shape or a.gap != b.gap:
        return 0
    n = min(len(a.kind), len(b.kind))
    same = (a.kind[:n] == b.kind[:n]).all(1) & (np.isnan(a.X[:n]) == np.isnan(b.X[:n])).all(1)
    return n if same.all() else int(np.argmin(same))


def weigh(p: Parameters, s: Smoothed, target: Floats, row: int) -> tuple[Floats, Floats]:
    """Weights of E[target'x_row | data] on every known cell: ``(T, N)`` collapsed and ``(T, E)`` explicit. target: ``(m,)``."""
    d = s.data
    a = s.read
    on_rows, on_explicit = smoother.adjoint(
        target, row, s.slot, s.memory.gains, s.memory.links, d.pattern, a.state_Z, a.active, a.state_width, d.X, a.rows, p.A,
        p.x_rho, p.A.shape[0] + len(p.x_rho),
    )  # fmt: skip
    on_cells = collapse.unproject(
        on_rows, d.kind, d.pattern, p.loadings, a.power, a.inverse, a.Z, a.active, a.width
    )  # fmt: skip
    return on_cells, on_explicit


def expected(p: Parameters, s: Smoothed) -> tuple[Floats, Floats]:
    """E[cell | data] for every month, known or not: ``(T, N)`` collapsed and ``(T, E)`` explicit series."""
    common = s.x[:, : p.A.shape[0]] @ p.loadings.T
    return common + collapse.carry(s.data.Y - common, p.rho), s.x @ rows(p, s.data.weights).T
