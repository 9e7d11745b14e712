"""指标协同: how likely the goals of the year are to be met, one by one and together, given a nowcast of the year's outcome.

A goal is met where the outcome is on its better side. The distribution of an outcome runs through the quantiles of its estimate: on
the scale of normal deviates it is linear between them and goes on with its outermost slopes, so a normal estimate stays normal and
a skewed one keeps its skew. How likely all are met together depends on how outcomes go with each other: a Gaussian copula
with the correlation that is given, and the bounds that hold whatever it is (Fréchet).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.calendar import Period
from engine.errors import BadInput, Unknown
from engine.estimate import LEVELS, Estimate
from engine.typing import Floats
from modelzoo.scorecard.framework import Framework


@dataclass(frozen=True, slots=True)
class Goal:
    """value: what is aimed at. direction: 1 at least that, -1 at most. weight: against the other goals."""

    name: str
    value: float
    direction: Literal[1, -1] = 1
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """mean: of the outcome. probability: that the goal is met. margin: mean less goal, above 0 on the better side."""

    goal: Goal
    mean: float
    probability: float
    margin: float


@dataclass(frozen=True, slots=True)
class Together:
    """expected: weighted share of goals that will be met. all: probability that every one is; low and high: the least and the
    most it can be, however the outcomes go together."""

    outlooks: tuple[Outlook, ...]
    expected: float
    all: float
    low: float
    high: float


def goals(framework: Framework) -> tuple[Goal, ...]:
    """The targets of a framework's indicators as goals, with what they weigh at the top. Raises BadInput."""
    layout = framework.layout
    found = []
    for leaf, weight in zip(framework.leaves, layout.effective()[layout.leaf].tolist(), strict=True):
        if leaf.target is None or leaf.direction not in (1, -1):
            raise BadInput(f"node {leaf.name}: a goal needs a target and a direction of 1 or -1")
        found.append(Goal(leaf.name, leaf.target, leaf.direction, weight))
    return tuple(found)


def outlook(goal: Goal, estimate: Estimate, period: Period) -> Outlook:
    """One goal, with the estimate of the period's outcome: that of its last month or quarter where the estimate is of those.

    Raises Unknown if the estimate is not about that period.
    """
    last = period.last_month.to(estimate.periods[0].freq)
    if last not in estimate.periods:
        raise Unknown(f"the estimate of {estimate.target} says nothing of {period}")
    row = estimate.periods.index(last)
    mean = float(estimate.mean[row])
    below = probability_below(estimate.quantiles[row], goal.value)
    met = 1.0 - below if goal.direction == 1 else below
    margin = goal.direction * (mean - goal.value)
    if not np.ptp(estimate.quantiles[row]) > 0.0:  # certain; one that is just reached is met
        met = float(margin >= 0.0)
    return Outlook(goal, mean, met, margin)


def together(
    asked: Sequence[Goal], estimates: Mapping[str, Estimate], period: Period, correlation: Floats | None = None
) -> Together:
    """All goals, each with the estimate of its name. correlation: ``(K, K)`` of the outcomes; unrelated if not given.

    Raises Unknown for a goal without an estimate, BadInput for no goals, or what is no correlation matrix.
    """
    if not asked:
        raise BadInput("give a goal or more")
    if missing := [g.name for g in asked if g.name not in estimates]:
        raise Unknown(f"no estimate of {', '.join(missing)}: every goal needs one")
    found = tuple(outlook(g, estimates[g.name], period) for g in asked)
    met = np.array([o.probability for o in found])
    weight = np.array([g.weight for g in asked])
    if not ((weight >= 0).all() and weight.sum() > 0):
        raise BadInput("the weights of goals are numbers not below 0, and not all 0")
    low, high = max(0.0, float(met.sum()) - len(met) + 1.0), float(met.min())
    every = float(met.prod()) if correlation is None else _copula(met, [g.direction for g in asked], correlation)
    return Together(found, float(weight @ met / weight.sum()), min(max(every, low), high), low, high)


def probability_below(quantiles: Floats, value: float) -> float:
    """The probability that the outcome is at most ``value``, from quantiles ``(len(LEVELS),)`` at LEVELS.

    Where all quantiles are one value the outcome is certain: 1 at or above it, else 0.
    """
    from scipy.special import ndtr, ndtri

    z, q = ndtri(np.array(LEVELS)), np.unique(quantiles)
    if len(q) == 1:
        return float(value >= q[0])
    first, last = np.searchsorted(quantiles, q), np.searchsorted(quantiles, q, side="right") - 1
    z = 0.5 * (z[first] + z[last])  # levels that share a value: a step, halfway up
    k = int(np.clip(np.searchsorted(q, value) - 1, 0, len(q) - 2))
    return float(ndtr(z[k] + (value - q[k]) * (z[k + 1] - z[k]) / (q[k + 1] - q[k])))


def _copula(met: Floats, direction: Sequence[int], correlation: Floats) -> float:
    from scipy.special import ndtri
    from scipy.stats import multivariate_normal

    R, K = np.asarray(correlation, float), len(met)
    if R.shape != (K, K) or not np.allclose(R, R.T) or not np.allclose(np.diag(R), 1.0):
        raise BadInput(f"{K} goals take a symmetric ({K}, {K}) correlation with 1 on its diagonal, not {R.shape}")
    if np.linalg.eigvalsh(R)[0] < -1e-9:
        raise BadInput("no outcomes can go together like that: the correlation has a negative eigenvalue")
    if K == 1:
        return float(met[0])
    sign = np.array(direction, float)
    # a goal "at least" is met where the deviate, turned round, is low
    turned = R * np.outer(sign, sign)
    z = np.clip(ndtri(met), -8.0, 8.0)
    return float(multivariate_normal(np.zeros(K), turned, allow_singular=True, seed=0).cdf(z))
