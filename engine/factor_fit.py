"""Maximum likelihood for the factor model: EM, squared.

EM climbs surely and slowly. SQUAREM extrapolates two EM steps, takes a third from there, and keeps it only if the likelihood did
not fall: as sure as EM, and several times faster. Source: Varadhan & Roland (2008, Scand. J. Statistics 35), scheme S3.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.errors import NotConverged
from engine.factor import Data, Parameters
from engine.factor_em import em_step, tame
from engine.kernels.em import LIMIT
from engine.typing import Bools, Floats, Ints

FALL = 1e-3
"""What the first state, which EM's step for the factors leaves out, may cost of the log-likelihood; more is a failure."""


EXACT = 1e-10
"""An idiosyncratic variance of a standardised series that is none. Of R factors each may be one series, but not two."""

SUSPECTS = "are two series copies of each other, or does a factor have a unit root?"


def maximise(
    p: Parameters, d: Data, free: Bools, x_free: Bools, blocks: Ints, tolerance: float, iterations: int, *, hold: bool = False
) -> tuple[Parameters, Floats]:  # fmt: skip
    """Parameters at which a whole cycle raised the log-likelihood by less than ``tolerance`` of its size, and the path to them.

    Arguments as of ``factor_em.m_step``. The path ``(n,)`` holds the log-likelihood of every point that was kept; but for the first
    state, which EM's step for the factors leaves out, it never falls. Raises NotConverged after ``iterations`` EM steps, or if the
    likelihood falls by more than that state can cost.
    """
    path: list[float] = []
    last, used = -np.inf, 0
    while used < iterations:
        one, start = _step(p, d, free, x_free, blocks, hold)
        if start < last - FALL * max(100.0, abs(last)):
            raise NotConverged(f"EM: the likelihood fell from {last:.6g} to {start:.6g}: {SUSPECTS}")
        if np.isfinite(last) and start - last <= tolerance * 0.5 * (abs(start) + abs(last)):
            if np.count_nonzero(np.concatenate([p.sigma2, p.x_sigma2]) < EXACT) > len(p.Q):
                raise NotConverged(f"EM: more series than factors are explained without error: {SUSPECTS}")
            return p, np.array([*path, start])
        two, middle = _step(one, d, free, x_free, blocks, hold)
        path += [start, middle]
        far = _extrapolate(p, one, two)
        p, last, used = two, start, used + 2
        if far is not None:
            used += 1
            try:
                three, reached = _step(far, d, free, x_free, blocks, hold)
            except NotConverged:
                continue
            if reached >= middle:
                path.append(reached)
                p = three
    raise NotConverged(f"EM: the likelihood still rose by {path[-1] - path[-2]:.3g} in the last of {used} steps")


def _step(p: Parameters, d: Data, free: Bools, x_free: Bools, blocks: Ints, hold: bool) -> tuple[Parameters, float]:
    """``factor_em.em_step``; raises NotConverged where a variance has shrunk to nothing, so that the likelihood has no bound."""
    try:
        new, loglik = em_step(p, d, free, x_free, blocks, hold=hold)
    except (ZeroDivisionError, np.linalg.LinAlgError):
        raise NotConverged(f"EM: something is explained without error: {SUSPECTS}") from None
    if not np.isfinite(loglik):
        raise NotConverged(f"EM: the likelihood is {loglik}: {SUSPECTS}")
    return new, loglik


def _extrapolate(p: Parameters, one: Parameters, two: Parameters) -> Parameters | None:
    """Where two steps lead if their direction and slowing down hold; None if they have stopped."""
    zero, first, second = _pack(p), _pack(one), _pack(two)
    step = first - zero
    bend = second - first - step
    size = np.linalg.norm(bend)
    if size == 0.0:
        return None
    reach = max(1.0, float(np.linalg.norm(step) / size))
    return _unpack(zero + 2 * reach * step + reach**2 * bend, p)


def _pack(p: Parameters) -> Floats:
    """All parameters as one vector without bounds: Q by its Cholesky factor, variances by logs, ρ by its inverse tanh."""
    root = np.linalg.cholesky(p.Q)
    i = np.arange(len(root))
    return np.concatenate(
        [
            p.A.ravel(), np.log(root[i, i]), root[np.tril_indices(len(root), -1)],
            p.loadings.ravel(), np.arctanh(p.rho), np.log(p.sigma2),
            p.x_loadings.ravel(), np.arctanh(p.x_rho), np.log(p.x_sigma2),
        ]
    )  # fmt: skip


def _unpack(v: Floats, like: Parameters) -> Parameters:
    """Inverse of :func:`_pack`; roots on or outside of the unit circle are drawn back."""
    R, N, E = len(like.Q), len(like.rho), len(like.x_rho)
    sizes = (like.A.size, R, R * (R - 1) // 2, N * R, N, N, E * R, E, E)
    A, logs, below, lam, rho, sigma2, x_lam, x_rho, x_sigma2 = np.split(v, np.cumsum(sizes)[:-1])
    root = np.diag(np.exp(logs))
    root[np.tril_indices(R, -1)] = below
    return replace(
        like, A=tame(A.reshape(like.A.shape)), Q=root @ root.T,
        loadings=lam.reshape(N, R), rho=np.clip(np.tanh(rho), -LIMIT, LIMIT), sigma2=np.exp(sigma2),
        x_loadings=x_lam.reshape(E, R), x_rho=np.clip(np.tanh(x_rho), -LIMIT, LIMIT), x_sigma2=np.exp(x_sigma2),
    )  # fmt: skip
