"""Is one model better than another, or was it luck? Ratios and the Diebold-Mariano test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from engine.errors import BadInput, NotEnoughData
from engine.typing import Floats

FEWEST = 8
"""Below this many loss differences the test says nothing worth printing."""


@dataclass(frozen=True, slots=True)
class Test:
    """statistic: negative where the first model loses less. p: two-sided, of equal accuracy."""

    statistic: float
    p: float
    n: int


def ratio(score: float, benchmark: float) -> float:
    """Score relative to the benchmark's, where less is better: below one beats it. Raises BadInput for a zero."""
    if not (np.isfinite(score) and np.isfinite(benchmark) and benchmark > 0):
        raise BadInput(f"no ratio of {score} to {benchmark}: the benchmark's score must be a positive number")
    return score / benchmark


def diebold_mariano(loss: Floats, benchmark: Floats, steps: int = 1) -> Test:
    """Test of equal accuracy of two models over the same outcomes, in time order.

    loss, benchmark: ``(n,)`` losses (squared errors, CRPS …). steps: how many periods ahead the estimates were made;
    their errors may be correlated over ``steps - 1`` lags.

    d = loss - benchmark; S = mean(d) / sqrt((g0 + 2 sum_{k<steps} gk) / n), gk the k-th autocovariance (divisor n):
    Diebold & Mariano (1995), JBES 13(3). Times sqrt((n + 1 - 2 steps + steps (steps-1) / n) / n), against Student's t
    with n - 1 degrees of freedom: Harvey, Leybourne & Newbold (1997), Int. J. of Forecasting 13(2), eq. 9. Where the
    long-run variance comes out not positive, which the flat window allows, g0 alone is used. Equal losses throughout:
    statistic 0, p 1.

    Raises BadInput if shapes differ or a loss is not finite, NotEnoughData below FEWEST or ``2 steps`` outcomes, or
    where the difference is constant but not zero.
    """
    if loss.shape != benchmark.shape or loss.ndim != 1:
        raise BadInput(f"losses of two models over the same outcomes: {loss.shape} and {benchmark.shape} differ")
    if steps < 1:
        raise BadInput(f"an estimate is at least one period ahead, not {steps}")
    d = loss - benchmark
    if not np.isfinite(d).all():
        raise BadInput("a test needs finite losses")
    n = len(d)
    if n < max(FEWEST, 2 * steps):
        raise NotEnoughData(f"a test over {n} outcomes says nothing; it needs {max(FEWEST, 2 * steps)}")
    if not d.any():
        return Test(0.0, 1.0, n)
    centred = d - d.mean()
    covariances = [float(centred[k:] @ centred[: n - k]) / n for k in range(steps)]
    if covariances[0] <= 1e-28 * float(d.mean()) ** 2:  # nothing but rounding
        raise NotEnoughData("one model loses by the same amount every time; there is no spread to test against")
    long_run = covariances[0] + 2.0 * sum(covariances[1:])
    variance = (long_run if long_run > 0 else covariances[0]) / n
    shrink = np.sqrt((n + 1 - 2 * steps + steps * (steps - 1) / n) / n)
    statistic = float(d.mean() / np.sqrt(variance) * shrink)
    return Test(statistic, float(2.0 * stdtr(n - 1, -abs(statistic))), n)
