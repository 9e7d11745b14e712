"""The mixed-frequency dynamic factor model: likelihood, smoothed states, weights. Exact for any pattern of missing values.

    y_it = λ_i'f_t + e_it                      seen each month; e_it = ρ_i e_i,t-1 + N(0, σ²_i)
    y_jt = Σ_l w_l (λ_j'f_t-l + e_j,t-l)       seen as a weighted sum of months: a quarterly growth rate (Mariano & Murasawa 2003)
    f_t  = A_1 f_t-1 + … + A_p f_t-p + N(0, Q) in blocks that do not interact

A value may stand for a *pair*, the mean of its month and the one before, as China's January and February are told in February.
Series of the first kind are *collapsed*: their idiosyncratics never enter the state. Series of the second kind are *explicit*;
so is a monthly series with a gap longer than the lags in the state, with weights (1, 0, …).

Sources: Bańbura & Modugno (2014, J. Appl. Econometrics 29); Jungbacker & Koopman (2015, Econometrics J. 18) for the collapse.
"""

from __future__ import annotations

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
    """All cells of one sort, as EM sums over them. A cell has 1 to 3 *terms*: itself, the pair and the single month before it.

    terms ``(t,)``: which of the three; lags ``(A,)``: the months that they read, and mix ``(t, A)`` their shares, None where each
    reads one; months ``(n,)`` in which there is such a cell, and their pattern ``(n,)``; mask ``(N, U)`` which series have one
    in a month of which pattern; values ``(t, N, n)``, 0 where there is none; count ``(N,)``; own ``(t, t, N)`` sums of products of
    the values; by_pattern: each pattern, and the places of its months.
    """

    terms: Ints
    lags: Ints
    mix: Floats | None
    months: Ints
    pattern: Ints
    mask: Floats
    values: Floats
    count: Floats
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

    Y ``(T, N)``: collapsed series. X ``(T, E)``: explicit series, with weights ``(E, L)`` on L lags. NaN where not known. pairs,
    x_pairs: which of their cells are those of a pair, where known. The others: see ``kernels.collapse`` and ``kernels.kalman``.
    """

    Y: Floats
    X: Floats
    weights: Floats
    pairs: Bools
    x_pairs: Bools
    code: Ints
    sorts: Ints
    pattern: Ints
    patterns: Ints
    form: Ints
    regime: Ints

    @property
    def lags(self) -> int:
        """L, the lags stacked in the state."""
        return int(self.weights.shape[1])

    @cached_property
    def gap(self) -> int:
        """The furthest month that a collapsed value is compared with, at least 1."""
        return _reach(self.sorts)

    @cached_property
    def cycle(self) -> int:
        """Months after which the pattern of known cells comes back."""
        return 12 if (self.form == 1).any() or self.sorts[:, 0].any() else 3

    @cached_property
    def cells(self) -> tuple[Cells, ...]:
        """Of each sort its cells."""
        lag, of, share = collapse.atoms(self.sorts)
        out = []
        for q, sort in enumerate(self.sorts):
            mask = self.patterns == q
            months = np.flatnonzero(mask.any(1)[self.pattern])
            pattern = self.pattern[months]
            here = mask[pattern]
            atoms = np.flatnonzero(lag[q] >= 0)
            terms = np.unique(of[q, atoms])
            mix = (of[q, atoms] == terms[:, None]) * share[q, atoms]
            values = np.stack([np.where(here, self.Y[months - (sort[j] if j else 0)], 0.0).T for j in terms])
            own = np.einsum("ant,bnt->abn", values, values)
            out.append(Cells(
                terms, lag[q, atoms], mix if len(atoms) > len(terms) else None, months, pattern,
                np.ascontiguousarray(mask.T.astype(float)), values, here.sum(0).astype(float), own, _groups(pattern),
            ))  # fmt: skip
        return tuple(out)


def _reach(sorts: Ints) -> int:
    single, double = sorts[:, 2], np.where(sorts[:, 1] > 0, sorts[:, 1] + 1, 0)
    return max(1, int(single.max()), int(double.max()))


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


REACH = 4
"""Months: a series with longer gaps is carried, unless so many have them that a longer state is the smaller one."""


def long_gaps(Y: Floats, pairs: Bools | None = None, reach: int = REACH) -> Bools:
    """``(N,)`` which monthly series cannot be collapsed: they have a gap longer than ``reach`` months between two values, or pairs
    as ``kernels.collapse.codes`` does not take them. They must be explicit.
    """
    return np.asarray((collapse.codes(np.ascontiguousarray(Y), _given(pairs, Y), reach) == -2).any(0))


def shortest(Y: Floats, pairs: Bools, L: int, k: int) -> int:
    """The gap to collapse over, REACH months or up to two years, with which the state is smallest.

    L lags and k places a lag are needed without any monthly series; each that is carried takes a place a lag, and each longer
    gap a lag.
    """
    if not long_gaps(Y, pairs).any():
        return REACH
    carried = {g: int(np.count_nonzero(long_gaps(Y, pairs, g))) for g in range(REACH, 25)}
    return min(carried, key=lambda g: max(L, g + 1) * (k + carried[g]))


def prepare(
    Y: Floats,
    X: Floats,
    weights: Floats,
    order: int,
    pairs: Bools | None = None,
    x_pairs: Bools | None = None,
    reach: int = REACH,
) -> Data:
    """Make a panel ready. Y ``(T, N)``, X ``(T, E)``, weights ``(E, w)`` newest month first, order p of the factors.

    pairs ``(T, N)``, x_pairs ``(T, E)``: which values are the mean of their month and the month before; none if left out.
    The state holds L = max(w, p + 1, longest gap + 1) lags. Raises ValueError for a series that :func:`long_gaps` would name, and
    for an explicit pair in the first month.
    """
    Y = np.ascontiguousarray(Y, float)
    X = np.ascontiguousarray(X, float)
    pairs, x_pairs = _given(pairs, Y), _given(x_pairs, X)
    code = collapse.codes(Y, pairs, reach)
    if (code == -2).any():
        raise ValueError(f"a collapsed series has a gap of more than {reach} months between values: make it explicit")
    form = np.where(np.isnan(X), -1, x_pairs.astype(np.int64))
    if (form[:1] == 1).any():
        raise ValueError("the first month of a pair lies before the panel")
    found = np.flatnonzero(np.bincount(np.append(code[code >= 0], 0)))
    sorts = np.column_stack([found // collapse.BASE**2, found // collapse.BASE % collapse.BASE, found % collapse.BASE])
    L = max(weights.shape[1] if len(weights) else 1, order + 1, _reach(sorts) + 1, 2)
    w = np.zeros((X.shape[1], L))
    w[:, : weights.shape[1]] = weights
    patterns, pattern = collapse.distinct(np.where(code >= 0, np.searchsorted(found, code), -1))
    _, regime = collapse.distinct(np.column_stack([pattern, form]))
    return Data(Y, X, w, pairs, x_pairs, code, sorts, pattern, patterns, form, regime)


def _given(pairs: Bools | None, like: Floats) -> Bools:
    return np.zeros(like.shape, bool) if pairs is None else np.ascontiguousarray(pairs)


def companion(A: Floats) -> Floats:
    """``(R p, R p)`` first-order form of the factors' transition."""
    R, Rp = A.shape
    out = np.zeros((Rp, Rp))
    out[:R] = A
    out[R:, : Rp - R] = np.eye(Rp - R)
    return out


def stationary(p: Parameters, L: int) -> Start:
    """The unconditional distribution of the stacked state. Raises NotConverged if the factors have a unit root."""
    P, settled = kalman.stationary(p.A, p.Q, p.x_rho, p.x_sigma2, L)
    if not settled:
        raise NotConverged("the factors' transition has a unit or explosive root: there is no stationary start")
    return Start(np.zeros(len(P)), P)


def rows(p: Parameters, weights: Floats) -> Floats:
    """``(E, m)`` what an explicit series reads from the state: w_l (λ'f_t-l + e_t-l)."""
    E, L = weights.shape
    R = p.A.shape[0]
    block = np.hstack([p.x_loadings, np.eye(E)])  # (E, k)
    return np.ascontiguousarray((weights[:, :, None] * block[:, None, :]).reshape(E, L * (R + E)))


def pair_weights(d: Data) -> Floats:
    """``(E, L)`` what an explicit value that stands for a pair says of its months."""
    out = np.zeros_like(d.weights)
    out[:, :2] = 0.5
    return out


@dataclass(frozen=True, slots=True)
class Pass:
    """The arrays that one pass of the filter reads; shared with the adjoint."""

    coef: Floats
    inverse: Floats
    Z: Floats
    active: Bools
    width: Ints
    state_Z: Floats
    state_width: Ints
    rows: Floats


def _pass(p: Parameters, d: Data) -> Pass:
    R, E = p.A.shape[0], len(p.x_rho)
    coef, inverse = collapse.spread(p.rho, p.sigma2, d.sorts)
    Z, active, width = collapse.factorise(d.patterns, d.sorts, p.loadings, coef, inverse)
    U, D, _ = Z.shape
    wide = np.zeros((U, D, d.gap + 1, R + E))  # the columns of Z among those of the state, lag by lag
    wide[..., :R] = Z.reshape(U, D, d.gap + 1, R)
    state_width = np.where(width > 0, (width // max(R, 1) - 1) * (R + E) + R, 0)
    every = [rows(p, d.weights)]
    if d.x_pairs.any():
        every.append(rows(p, pair_weights(d)))
    return Pass(coef, inverse, Z, active, width, wide.reshape(U, D, -1), state_width, np.stack(every))


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
    s = like.read if like and known and _alike(like.data, d) else _pass(p, d)
    k, m, T = p.A.shape[0] + len(p.x_rho), len(start.mean), len(d.Y)
    y, constant = collapse.project(
        d.Y, d.patterns, d.pattern, d.sorts, p.loadings, s.coef, s.inverse, s.Z, s.active, s.width
    )  # fmt: skip
    if like and like.memory.filled + T - known <= len(like.memory.covs):
        before, memory = like.slot[:known], like.memory
    else:
        before, memory = np.empty(0, np.int64), Memory.empty(T, m, k, y.shape[1] + len(p.x_rho))
    loglik, means, surprises, slot, memory.filled = kalman.filter_(
        y, d.pattern, d.regime, d.cycle, s.state_Z, s.active, s.state_width, d.X, d.form, s.rows, p.noise, p.A, p.Q, p.x_rho,
        p.x_sigma2, start.mean, start.cov, memory.covs, memory.gains, memory.variances, memory.filled, before,
    )  # fmt: skip
    if means_only:
        x = smoother.means(
            means, surprises, slot, memory.covs, memory.gains, d.pattern, s.state_Z, s.active, s.state_width, d.form, s.rows,
            p.A, p.x_rho, k,
        )  # fmt: skip
        at, V = np.zeros(T, np.int64), memory.covs[slot[-1:]]
    else:
        x, at, V = smoother.smooth(means, slot, d.cycle, memory.covs, k, memory.links, memory.linked)
    return Smoothed(loglik + constant, x, at, V[: at.max() + 1], d, slot, memory, start, s)


def shared(a: Data, b: Data) -> int:
    """The number of months at the beginning in which two data sets know the same cells."""
    if a.code.shape[1] != b.code.shape[1] or a.weights.shape != b.weights.shape or a.gap != b.gap:
        return 0
    n = min(len(a.code), len(b.code))
    for one, other in ((a.code, b.code), (a.form, b.form)):
        apart = (one[:n] != other[:n]).ravel()
        if apart.any():
            n = int(apart.argmax()) // one.shape[1]
    return n


def _alike(a: Data, b: Data) -> bool:
    """Whether one :func:`_pass` serves both."""
    return np.array_equal(a.patterns, b.patterns) and np.array_equal(a.sorts, b.sorts)


def weigh(p: Parameters, s: Smoothed, target: Floats, row: int) -> tuple[Floats, Floats]:
    """Weights of E[target'x_row | data] on every known cell: ``(T, N)`` collapsed and ``(T, E)`` explicit. target: ``(m,)``."""
    d = s.data
    a = s.read
    on_rows, on_explicit = smoother.adjoint(
        target, row, s.slot, s.memory.covs, s.memory.gains, s.memory.variances, d.pattern, a.state_Z, a.active, a.state_width,
        d.form, a.rows, p.A, p.x_rho, p.A.shape[0] + len(p.x_rho),
    )  # fmt: skip
    on_cells = collapse.unproject(
        on_rows, d.patterns, d.pattern, d.sorts, p.loadings, a.coef, a.inverse, a.Z, a.active, a.width
    )
    return on_cells, on_explicit


def expected(p: Parameters, s: Smoothed) -> tuple[Floats, Floats]:
    """E[cell | data] for every month, known or not: ``(T, N)`` collapsed and ``(T, E)`` explicit series; of a pair its mean."""
    d = s.data
    common = s.x[:, : p.A.shape[0]] @ p.loadings.T
    months = common + collapse.carry(d.Y - told(common, d.pairs), d.pairs, p.rho)
    return told(months, d.pairs), shown(p, d, s.x)


def shown(p: Parameters, d: Data, x: Floats) -> Floats:
    """``(T, E)`` what the explicit series show of states x ``(T, m)``, but for their noise."""
    own: Floats = x @ rows(p, d.weights).T
    return np.where(d.x_pairs, x @ rows(p, pair_weights(d)).T, own) if d.x_pairs.any() else own


def told(months: Floats, pairs: Bools) -> Floats:
    """What cells show of months, both ``(T, N)``: the mean with the month before where they are pairs."""
    if not pairs.any():
        return months
    before = np.vstack([months[:1], months[:-1]])
    return np.where(pairs, 0.5 * (months + before), months)
