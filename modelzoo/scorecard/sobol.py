"""Sobol indices: how much of the variance of an outcome each uncertain choice brings, alone and with the others.

A design of N (d + 2) points in the unit cube holds two independent samples A and B and, for each input, A with that input
taken from B. First index: Saltelli et al. (2010), mean of y_B (y_AB - y_A) over the variance. Total index: Jansen (1999), half
the mean of (y_A - y_AB)² over the variance. Those are COINr's ``SA_sample`` and ``SA_estimate``; here the outcome is centred
first, which leaves the expectation and lowers the noise of the first index, and the bootstrap draws whole rows and the variance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import BadInput, NotEnoughData
from engine.typing import Floats

LEVELS = (0.05, 0.95)


@dataclass(frozen=True, slots=True)
class Sobol:
    """Shares of the variance by input, each ``(d,)``: first order and total, with the central 90 % of the bootstrap.

    The first indices sum to at most 1 and the totals to at least 1, both to 1 where inputs do not interact, up to sampling error.
    """

    names: tuple[str, ...]
    variance: float
    first: Floats
    first_low: Floats
    first_high: Floats
    total: Floats
    total_low: Floats
    total_high: Floats


def design(draws: int, inputs: int, seed: int) -> Floats:
    """``(draws (inputs + 2), inputs)`` points in the unit cube: A, B, then A with one column of B after the other."""
    if draws < 2 or inputs < 2:
        raise BadInput(f"shares of a variance need at least two draws and two inputs, not {draws} and {inputs}")
    base = np.random.default_rng(seed).uniform(size=(2, draws, inputs))
    points = np.concatenate([base[0], base[1], *[base[0]] * inputs])
    for i in range(inputs):
        points[(i + 2) * draws : (i + 3) * draws, i] = base[1, :, i]
    return points


def indices(outcome: Floats, names: tuple[str, ...], *, bootstrap: int = 200, seed: int = 0) -> Sobol:
    """The indices of the inputs ``names`` from the outcomes ``(N (d + 2),)`` of a :func:`design`, in its order.

    Raises BadInput if the outcomes are not those of a design or not finite, NotEnoughData if the outcome does not vary.
    """
    d = len(names)
    N = len(outcome) // (d + 2)
    if outcome.shape != (N * (d + 2),) or N < 2:
        raise BadInput(f"{d} inputs need outcomes of a design of N ({d} + 2) points, not {outcome.shape}")
    if not np.isfinite(outcome).all():
        raise BadInput(
            f"the outcome of point {int(np.argmin(np.isfinite(outcome)))} of the design is not a finite number"
        )
    if np.ptp(outcome) == 0.0:
        raise NotEnoughData(
            "the outcome is the same at every point: there is no variance to share out; declare wider choices"
        )
    y = outcome - outcome[: 2 * N].mean()
    a, b, ab = y[:N], y[N : 2 * N], y[2 * N :].reshape(d, N)
    firsts = b * (ab - a)  # (d, N): what one row adds to each sum
    totals = 0.5 * (a - ab) ** 2
    squares = a**2 + b**2

    def estimate(counts: Floats) -> tuple[Floats, Floats, Floats]:
        """counts: ``(R, N)``, how often each row is taken. Variance ``(R,)``, first and total ``(R, d)``."""
        centre = counts @ (a + b) / (2 * N)
        variance = (counts @ squares - 2 * N * centre**2) / (2 * N - 1)
        with np.errstate(invalid="ignore", divide="ignore"):  # a resample of equal outcomes: left out of the quantiles
            return variance, counts @ firsts.T / N / variance[:, None], counts @ totals.T / N / variance[:, None]

    variance, first, total = estimate(np.ones((1, N)))
    rng = np.random.default_rng(seed)
    counts = np.stack([np.bincount(rng.integers(N, size=N), minlength=N) for _ in range(bootstrap)]).astype(np.float64)
    _, firsts_drawn, totals_drawn = estimate(counts)
    first_low, first_high = np.nanquantile(firsts_drawn, LEVELS, axis=0)
    total_low, total_high = np.nanquantile(totals_drawn, LEVELS, axis=0)
    return Sobol(names, float(variance[0]), first[0], first_low, first_high, total[0], total_low, total_high)
