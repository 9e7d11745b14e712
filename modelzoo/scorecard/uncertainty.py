"""What a rank is worth: the scorecard scored again under every choice that an evaluator could defend.

The choices are declared (:class:`Alternatives`), each draw takes one of each at random, and what varies over the draws is what
the choices decide and the data do not. Saisana, Saltelli & Tarantola (2005, J. R. Statist. Soc. A 168); OECD/JRC Handbook step 7.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import BadInput
from engine.typing import Bools, Floats, Ints
from modelzoo.scorecard.alternatives import Alternatives, Prepared, Variants
from modelzoo.scorecard.draws import Places
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.sobol import Sobol, design, indices

_COMPARISONS = 8e9  # of two units in one draw: about a second


@dataclass(frozen=True, slots=True, eq=False)
class Uncertainty:
    """Ranks over B draws of U units. nominal ``(U,)``: the framework's own. ranks ``(B, U)``: every draw.

    mean, median, low, high ``(U,)``: of the ranks, low and high the central 90 % (for a Board). above ``(U, U)``: how likely the
    row's unit is above the column's; tied: how likely they share a place; above, its transpose and tied sum to 1 off the
    diagonal. With thousands of units these two are taken over every k-th draw. groups: the longest runs of units, by mean rank,
    no two of which are separated, as rows; a unit may be in several.
    """

    inputs: tuple[str, ...]
    nominal: Ints
    ranks: Places
    mean: Floats
    median: Floats
    low: Floats
    high: Floats
    above: Floats
    tied: Floats
    groups: tuple[tuple[int, ...], ...]

    def separated(self, confidence: float = 0.95) -> Bools:
        """``(U, U)`` whether the row's unit is above the column's with at least this probability."""
        out: Bools = self.above >= confidence
        return out


def uncertainty(
    framework: Framework,
    prepared: Prepared,
    alternatives: Alternatives,
    *,
    draws: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Uncertainty:
    """Ranks of all units over ``draws`` of the alternatives; the same seed gives the same table.

    confidence: two units are separated where one is above the other in at least this share of the draws.
    Raises BadInput where alternatives do not go together (a geometric mean of scores that reach 0), naming both.
    """
    inputs = alternatives.inputs
    variants = Variants(framework, prepared, alternatives, draws, seed)
    points = np.random.default_rng(seed).uniform(size=(draws, len(inputs)))
    ranks = variants.ranks(points) if inputs else variants.nominal[None].astype(np.int16)
    B, U = ranks.shape
    counts = np.bincount((ranks + (U + 1) * np.arange(U)).ravel(), minlength=U * (U + 1)).reshape(U, U + 1)
    from engine.kernels.ranking import pair_counts

    every = ranks[:: 1 + int(U * U * B / _COMPARISONS)]
    above = pair_counts(np.ascontiguousarray(every.T)) / len(every)
    tied = np.clip(1.0 - above - above.T, 0.0, 1.0)
    mean = counts @ np.arange(U + 1.0) / B
    low, median, high = (_quantile(counts, B, p) for p in (0.05, 0.5, 0.95))
    return Uncertainty(
        inputs, variants.nominal, ranks, mean, median, low, high, above, tied, _groups(above, mean, confidence)
    )


def sensitivity(
    framework: Framework,
    prepared: Prepared,
    alternatives: Alternatives,
    *,
    draws: int = 1000,
    unit: int | None = None,
    seed: int = 0,
) -> Sobol:
    """Which choices move the ranks: Sobol indices of the mean shift of all ranks from the nominal, or of one unit's rank.

    ``draws`` (d + 2) scorecards are computed for d kinds of choice. unit: the row of a unit. Raises BadInput for fewer than two
    kinds, NotEnoughData if no choice moves a rank.
    """
    inputs = alternatives.inputs
    if len(inputs) < 2:
        raise BadInput(f"shares of a variance need two kinds of choice; declared: {', '.join(inputs) or 'none'}")
    variants = Variants(framework, prepared, alternatives, draws, seed)
    ranks = variants.ranks(design(draws, len(inputs), seed))
    shift = np.abs(ranks - variants.nominal).mean(1) if unit is None else ranks[:, unit].astype(np.float64)
    return indices(shift, inputs, seed=seed)


def _quantile(counts: Ints, draws: int, p: float) -> Floats:
    """``(U,)`` quantiles of ranks from their counts ``(U, U + 1)``, between two places as numpy and R do by default."""
    h = (draws - 1) * p
    below = int(np.floor(h))
    up = np.cumsum(counts, 1)
    first = (up <= below).sum(1)
    second = (up <= min(below + 1, draws - 1)).sum(1)
    return np.asarray(first + (h - below) * (second - first), np.float64)


def _groups(above: Floats, mean: Floats, confidence: float) -> tuple[tuple[int, ...], ...]:
    """The longest runs of units in the order of their mean rank in which no pair is separated."""
    order = np.argsort(mean, kind="stable")
    apart = np.maximum(above, above.T)[np.ix_(order, order)] >= confidence
    U = len(order)
    behind = np.where(np.tril(apart, -1), np.arange(1, U + 1), 0).max(
        1
    )  # one past the last unit before that is separated
    start = np.maximum.accumulate(behind)
    last = np.append(np.flatnonzero(np.diff(start)), U - 1)
    return tuple(tuple(order[start[stop] : stop + 1].tolist()) for stop in last)
