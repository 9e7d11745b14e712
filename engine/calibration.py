"""Do bands hold what they promise? Coverage with its test, and where in its distribution each outcome fell."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from engine.errors import BadInput, NotEnoughData
from engine.estimate import BANDS, LEVELS
from engine.skill import FEWEST, Test
from engine.typing import Floats, Ints

CELLS: Floats = np.diff([0.0, *LEVELS, 1.0])
"""``(len(LEVELS) + 1,)`` the probability of each cell that the quantiles cut; adds up to one."""


def cells(quantiles: Floats, outcome: Floats) -> Ints:
    """``(len(LEVELS) + 1,)`` how many outcomes fell below, between and above the quantiles; calibrated: n * CELLS.

    quantiles: ``(n, len(LEVELS))``; an outcome on a quantile counts as below it. Raises BadInput as :func:`pit`.
    """
    _check(quantiles, outcome)
    place = (quantiles < outcome[:, None]).sum(1)
    return np.bincount(place, minlength=len(CELLS)).astype(np.int64)


def pit(quantiles: Floats, outcome: Floats) -> Floats:
    """``(n,)`` probability integral transforms in [0, 1]: the share of the distribution below the outcome; uniform if calibrated.

    Linear between quantiles. Beyond the outermost ones, of which the grid says nothing, in the middle of the tail. Dawid (1984),
    JRSS A 147(2); Diebold, Gunther & Tay (1998), International Economic Review 39(4). Raises BadInput if shapes differ, a number is
    not finite, or there is no outcome.
    """
    _check(quantiles, outcome)
    levels = np.array(LEVELS)
    out = np.empty(len(outcome))
    for i, (q, y) in enumerate(zip(quantiles, outcome, strict=True)):
        if y < q[0]:
            out[i] = levels[0] / 2
        elif y > q[-1]:
            out[i] = (1 + levels[-1]) / 2
        else:
            # of a distribution drawn together in one point its middle
            out[i] = (np.interp(y, q, levels) + (1 - np.interp(-y, -q[::-1], 1 - levels[::-1]))) / 2
    return out


def coverage_test(quantiles: Floats, outcome: Floats, percent: int, steps: int = 1) -> Test:
    """Test that the central band of 50, 80 or 95 % holds its share of outcomes, in time order.

    z = (share - percent / 100) / sqrt(v / n), v the variance under the promise, p (1 - p), and, where estimates are made several
    ``steps`` ahead and may miss together, the hits' autocovariances to lag steps - 1 with Bartlett weights: Newey & West
    (1987), Econometrica 55(3); the unconditional coverage of Christoffersen (1998), International Economic Review 39(4), as a
    Wald test. p: two-sided, normal. statistic: negative where bands are too narrow.

    Raises BadInput as :func:`pit` or for steps below 1, NotEnoughData below FEWEST outcomes.
    """
    _check(quantiles, outcome)
    n = len(outcome)
    if steps < 1:
        raise BadInput(f"an estimate is at least one period ahead, not {steps}")
    if n < FEWEST:
        raise NotEnoughData(f"a test of coverage over {n} outcomes says nothing; it needs {FEWEST}")
    low, high = (quantiles[:, i] for i in BANDS[percent])
    promise = percent / 100
    miss = ((low <= outcome) & (outcome <= high)) - promise
    variance = promise * (1 - promise)
    for k in range(1, steps):
        variance += 2 * (1 - k / steps) * float(miss[k:] @ miss[: n - k]) / n
    variance = max(variance, promise * (1 - promise) / 2)  # hits that alternate may bring it down, not to nothing
    z = float(miss.mean() / np.sqrt(variance / n))
    return Test(z, float(2 * ndtr(-abs(z))), n)


def _check(quantiles: Floats, outcome: Floats) -> None:
    if outcome.ndim != 1 or not len(outcome) or quantiles.shape != (len(outcome), len(LEVELS)):
        raise BadInput(
            f"quantiles (n, {len(LEVELS)}) and outcomes (n,) are needed, not {quantiles.shape}, {outcome.shape}"
        )
    if not (np.isfinite(quantiles).all() and np.isfinite(outcome).all()):
        raise BadInput("calibration needs finite quantiles and outcomes")
