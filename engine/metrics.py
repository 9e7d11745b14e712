"""Scores of estimates against outcomes. Pure functions of arrays; everywhere error = estimate - outcome, n outcomes.

All raise BadInput if there is nothing to score, shapes differ, or a number is not finite: a score over holes would
flatter the model that left them.
"""

from __future__ import annotations

import numpy as np

from engine.errors import BadInput
from engine.estimate import BANDS, LEVELS
from engine.typing import Floats

_CUTS = np.concatenate([[0.0], (np.array(LEVELS)[1:] + np.array(LEVELS)[:-1]) / 2, [1.0]])
LEVEL_WEIGHTS: Floats = np.diff(_CUTS)
"""``(len(LEVELS),)`` how much probability each level stands for: the midpoint rule on [0, 1]. Adds up to one."""


def rmse(mean: Floats, outcome: Floats) -> float:
    """Root mean squared error, sqrt(sum(e²) / n), in the unit of the target."""
    return float(np.sqrt(np.mean(_errors(mean, outcome) ** 2)))


def mae(mean: Floats, outcome: Floats) -> float:
    """Mean absolute error, sum(|e|) / n, in the unit of the target."""
    return float(np.mean(np.abs(_errors(mean, outcome))))


def bias(mean: Floats, outcome: Floats) -> float:
    """Mean error, sum(e) / n: positive where the model says too much."""
    return float(np.mean(_errors(mean, outcome)))


def sign(mean: Floats, outcome: Floats) -> float:
    """Share of outcomes on the same side of zero as the estimate, in [0, 1]; zero itself counts as not above."""
    _errors(mean, outcome)
    return float(np.mean((mean > 0) == (outcome > 0)))


def crps(quantiles: Floats, outcome: Floats) -> Floats:
    """``(n,)`` continuous ranked probability score of the quantile grid, in the unit of the target; small is good.

    CRPS = 2 ∫ pinball(level) d level, with pinball(a) = (1{y <= q_a} - a) (q_a - y): Gneiting & Ranjan (2011),
    Journal of Business & Economic Statistics 29(3), eq. 12. The integral is a sum over LEVELS with LEVEL_WEIGHTS; as
    each pinball loss is a proper score, so is the sum. A distribution drawn together in one point scores its absolute
    error. quantiles: ``(n, len(LEVELS))``.
    """
    if quantiles.ndim != 2 or quantiles.shape[1] != len(LEVELS):
        raise BadInput(f"quantiles must be (n, {len(LEVELS)}), not {quantiles.shape}")
    gap = np.stack([_errors(q, outcome) for q in quantiles.T], axis=1)
    pinball = ((gap >= 0) - np.array(LEVELS)) * gap
    scores: Floats = 2.0 * pinball @ LEVEL_WEIGHTS
    return scores


def coverage(quantiles: Floats, outcome: Floats, percent: int) -> float:
    """Share of outcomes within the central 50, 80 or 95 % band, its ends included. Well calibrated: percent / 100."""
    low, high = (quantiles[:, i] for i in BANDS[percent])
    return float(np.mean((_errors(low, outcome) <= 0) & (_errors(high, outcome) >= 0)))


def _errors(estimate: Floats, outcome: Floats) -> Floats:
    if estimate.shape != outcome.shape or outcome.ndim != 1 or len(outcome) == 0:
        raise BadInput(f"a score needs as many estimates as outcomes, at least one: {estimate.shape}, {outcome.shape}")
    errors = estimate - outcome
    if not np.isfinite(errors).all():
        raise BadInput("a score needs finite estimates and outcomes")
    return errors
