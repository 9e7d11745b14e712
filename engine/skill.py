"""Is one model better than another, or was it luck? Ratios, the Diebold-Mariano test and the model confidence set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import stdtr

from engine.errors import BadInput, NotEnoughData
from engine.typing import Bools, Floats, Ints

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


@dataclass(frozen=True, slots=True)
class ConfidenceSet:
    """p: ``(M,)`` of each model; ``order``: their places, the first to be eliminated first.

    The set at a size of 10 % holds every model with p > 0.1: with a probability of 90 % the best is among them.
    """

    p: Floats
    order: tuple[int, ...]

    def members(self, size: float = 0.1) -> Bools:
        """``(M,)`` which models are in the set of that size."""
        inside: Bools = self.p > size
        return inside


def confidence_set(
    losses: Floats,
    statistic: Literal["range", "max"] = "range",
    block: float | None = None,
    draws: int = 2000,
    seed: int = 0,
) -> ConfidenceSet:
    """Model confidence set: models are eliminated one by one until equal accuracy of those left cannot be rejected.

    losses: ``(n, M)`` of M models over the same n outcomes in time order; average first what belongs to one outcome, such as the
    estimates of a quarter at several horizons. statistic: ``range``, the largest t of one model against another, or ``max``, of one
    against the mean of all. block: mean length of the blocks of the stationary bootstrap, sqrt(n) without it.

    Hansen, Lunde & Nason (2011), Econometrica 79(2): T_R,M and T_max,M of section 3.1.2, with the elimination rules of their
    section 3.1.2; p of a model is the largest p of the tests up to its elimination (definition 4), 1 for the last one.
    Bootstrap: Politis & Romano (1994), JASA 89(428).

    Raises BadInput for another shape, a loss that is not finite, or a block below 1; NotEnoughData below FEWEST outcomes.
    """
    if losses.ndim != 2 or losses.shape[1] < 1:
        raise BadInput(f"losses must be (outcomes, models), not {losses.shape}")
    if not np.isfinite(losses).all():
        raise BadInput("a model confidence set needs finite losses")
    n, M = losses.shape
    if n < FEWEST:
        raise NotEnoughData(f"a model confidence set over {n} outcomes says nothing; it needs {FEWEST}")
    length = float(np.sqrt(n)) if block is None else block
    if length < 1 or draws < 1:
        raise BadInput(f"blocks of at least one outcome and one draw are needed, not {length:g} and {draws}")
    counts = np.stack([np.bincount(d, minlength=n) for d in stationary(n, length, draws, seed)]) / n
    mean = losses.mean(0)
    drawn = counts @ losses - mean  # (draws, M)
    left, p, order, highest = list(range(M)), np.ones(M), [], 0.0
    while len(left) > 1:
        observed, simulated, worst = _equal(mean[left], drawn[:, left], statistic)
        highest = max(highest, float((simulated >= observed).mean()))
        p[left[worst]] = highest
        order.append(left.pop(worst))
    return ConfidenceSet(p, (*order, left[0]))


def _equal(mean: Floats, drawn: Floats, statistic: str) -> tuple[float, Floats, int]:
    """The statistic of equal accuracy, its bootstrap distribution ``(draws,)``, and the place of the worst model."""
    if statistic == "max":
        gap, noise = mean - mean.mean(), drawn - drawn.mean(1, keepdims=True)
    else:
        gap, noise = mean[:, None] - mean, drawn[:, :, None] - drawn[:, None, :]
    spread = np.sqrt((noise**2).mean(0))
    small = spread <= 1e-14 * np.abs(mean).max()  # one model twice, or against itself
    unit = np.where(small, 1.0, spread)
    t, simulated = np.where(small, 0.0, gap / unit), np.where(small, 0.0, noise / unit)
    if statistic == "max":
        return float(t.max()), simulated.max(1), int(t.argmax())
    return float(np.abs(t).max()), np.abs(simulated).max((1, 2)), int(t.max(1).argmax())


def stationary(n: int, block: float, draws: int, seed: int) -> Ints:
    """``(draws, n)`` places drawn by the stationary bootstrap: blocks of geometric length around a circle of n outcomes."""
    g = np.random.default_rng(seed)
    starts = g.integers(0, n, (draws, n))
    fresh = g.random((draws, n)) < 1.0 / block
    fresh[:, 0] = True
    t = np.arange(n)
    since = np.maximum.accumulate(np.where(fresh, t, 0), axis=1)
    places: Ints = (np.take_along_axis(starts, since, axis=1) + t - since) % n
    return places
