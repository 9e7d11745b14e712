"""Where EM begins: principal components block by block, with missing values, and regressions on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import NotEnoughData
from engine.typing import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class Whole:
    """Parameters of all N series in one order: A ``(R, R p)``, Q ``(R, R)``, loadings ``(N, R)``, rho and sigma2 ``(N,)``."""

    A: Floats
    Q: Floats
    loadings: Floats
    rho: Floats
    sigma2: Floats

    def oriented(self, anchors: Ints) -> Whole:
        """The same model with the loading of series ``anchors[j]`` on factor j not negative: a factor's sign is arbitrary."""
        sign = np.where(self.loadings[anchors, np.arange(len(anchors))] < 0, -1.0, 1.0)
        lags = self.A.shape[1] // len(sign)
        return Whole(
            self.A * sign[:, None] * np.tile(sign, lags),
            self.Q * sign[:, None] * sign,
            self.loadings * sign,
            self.rho,
            self.sigma2,
        )

    def carried(self, scale: Floats, known: Bools, free: Bools, weights: Floats) -> Whole | None:
        """The same model of series that were ``known``, standardised anew: ``scale`` ``(N,)`` is the old deviation by the new one.

        free ``(N, R)``, weights ``(N, L)`` as in :func:`start`. A deviation that moved more than fourfold is another unit,
        as after a new base year, and standard values are what they were. The other series begin white, of unit variance and
        without loadings, which a step of EM gives them. None if a factor would be left without any: EM could not find one.
        """
        scale = np.where((scale > 0.25) & (scale < 4.0), scale, 1.0)
        keep = known[:, None] & free
        loadings = np.where(keep, self.loadings * scale[:, None], 0.0)
        if not (loadings != 0.0).any(0).all():
            return None
        new = 1.0 / np.sum(weights**2, axis=1)
        sigma2 = np.where(known, self.sigma2 * scale**2, new)
        return Whole(self.A, self.Q, loadings, np.where(known, self.rho, 0.0), sigma2)


def principal(X: Floats, r: int, rounds: int = 25) -> tuple[Floats, Floats]:
    """Factors ``(T, r)`` of unit variance and loadings ``(n, r)`` of X ``(T, n)``; missing values filled by their fit, in rounds.

    Stock & Watson (2002, J. Bus. Econ. Stat. 20, appendix A).
    """
    missing = np.isnan(X)
    filled = np.where(missing, 0.0, X)
    for _ in range(rounds if missing.any() else 1):
        _, vectors = np.linalg.eigh(filled.T @ filled)
        v = vectors[:, ::-1][:, :r]
        f = filled @ v
        if missing.any():
            filled = np.where(missing, f @ v.T, X)
    scale = np.maximum(f.std(0), 1e-8)
    return f / scale, v * scale


def start(
    standard: Floats, free: Bools, quarterly: Bools, weights: Floats, blocks: Ints, order: int, names: Sequence[str]
) -> Whole:
    """Starting values. standard ``(T, N)`` with NaN, free ``(N, R)`` loadings not zero by design, weights ``(N, L)``.

    Raises NotEnoughData for a block with fewer usable monthly series than factors, copies counted once.
    """
    T, N = standard.shape
    R, L = free.shape[1], weights.shape[1]
    rest = standard.copy()
    F, loadings = np.zeros((T, R)), np.zeros((N, R))
    A, Q = np.zeros((R, R * order)), np.zeros((R, R))
    for b in np.unique(blocks):
        at = np.flatnonzero(blocks == b)
        monthly = np.flatnonzero(free[:, at[0]] & ~quarterly)
        if len(monthly) < len(at):
            raise NotEnoughData(
                f"block {names[b]}: {len(at)} factors need as many monthly series, {len(monthly)} are usable"
            )
        f, lam = principal(rest[:, monthly], len(at))
        size = np.sqrt((lam**2).sum(0))
        if (size < 1e-5 * size.max()).any():
            raise NotEnoughData(
                f"block {names[b]}: {len(at)} factors need as many monthly series that are no copies of each other; of "
                f"{len(monthly)} usable ones {int((size >= 1e-5 * size.max()).sum())} are left"
            )
        F[:, at] = f
        loadings[np.ix_(monthly, at)] = lam
        rest[:, monthly] -= f @ lam.T
        lagged = np.stack([np.vstack([np.zeros((lag, len(at))), f[: T - lag]]) for lag in range(L)])
        for i in np.flatnonzero(free[:, at[0]] & quarterly):
            sums = np.einsum("l,ltr->tr", weights[i], lagged)
            seen = ~np.isnan(rest[:, i])
            beta = np.linalg.lstsq(sums[seen], rest[seen, i], rcond=None)[0]
            loadings[i, at] = beta
            rest[:, i] -= sums @ beta
        past = np.column_stack([f[order - lag : T - lag] for lag in range(1, order + 1)])
        B = np.linalg.lstsq(past, f[order:], rcond=None)[0].T
        size = max(1.0, float(np.abs(B).sum(1).max()) / 0.98)
        A[np.ix_(at, np.concatenate([at + lag * R for lag in range(order)]))] = B / size
        error = f[order:] - past @ B.T
        Q[np.ix_(at, at)] = error.T @ error / len(error) + 1e-6 * np.eye(len(at))
    rho, sigma2 = np.zeros(N), np.ones(N)
    for n in range(N):
        e = rest[:, n]
        if quarterly[n]:
            sigma2[n] = max(float(np.nanvar(e)), 1e-4) / np.sum(weights[n] ** 2)
            continue
        pair = ~(np.isnan(e[1:]) | np.isnan(e[:-1]))
        if pair.any():
            a, c = e[1:][pair], e[:-1][pair]
            rho[n] = np.clip(float(a @ c) / max(float(c @ c), 1e-12), -0.9, 0.9)
            sigma2[n] = max(float(np.mean((a - rho[n] * c) ** 2)), 1e-4)
    return Whole(A, Q, loadings, rho, sigma2)
