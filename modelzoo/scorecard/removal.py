"""What each node does to the ranks: the scorecard without it, and how much of the score it explains.

A nominal weight is a rate of exchange, not a share of influence: a node that goes with all others moves the score far beyond its
weight, one that hardly varies not at all. The correlation ratio Var(E[score | node]) / Var(score) is the influence that a node has
alone, whatever the shape (Paruolo, Saisana & Saltelli 2013, J. R. Statist. Soc. A 176); the conditional mean is a local line.
:mod:`modelzoo.scorecard.influence` has the say by linear correlation and the weights that would give a wanted one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import BadInput, NotEnoughData
from engine.typing import Floats, Ints
from modelzoo.scorecard.aggregate import aggregate
from modelzoo.scorecard.draws import rank_table
from modelzoo.scorecard.evaluate import Scored
from modelzoo.scorecard.layout import Layout

# of the kernel, as shares of the range; the last is a straight line
_WIDTHS = (0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.8, 1.5, 5.0)
_UNITS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Removal:
    """What changes without each of K nodes, all below the top that leave something behind, in the order of the layout.

    ranks ``(K, U)``. shift ``(K,)``: the mean absolute change of rank; most ``(K,)``: the largest, unit ``(K,)`` whose row it is.
    """

    names: tuple[str, ...]
    ranks: Ints
    shift: Floats
    most: Ints
    unit: Ints


def removal(scored: Scored) -> Removal:
    """Ranks without each node, its weight going to its siblings. Units stay, also one that only this node tells apart."""
    framework, layout = scored.framework, scored.framework.layout
    rows = [n for n in range(1, len(layout.names)) if layout.count[layout.parent[n]] > 1]
    weight = np.repeat(scored.weight[None], len(rows), 0)
    weight[np.arange(len(rows)), rows] = 0.0
    kept = [i for i, w in enumerate(weight) if _stands(layout, w)]
    rows, weight = [rows[i] for i in kept], weight[kept]
    score = aggregate(layout, scored.normalised, framework.aggregation, weight, power=framework.power, known=0.0)[
        ..., 0
    ]
    if np.isnan(score).any():
        k, u = (int(i[0]) for i in np.nonzero(np.isnan(score)))
        raise NotEnoughData(
            f"{scored.units[u]} has no score without {layout.names[rows[k]]}, the only thing known of it"
        )
    ranks = rank_table(score).astype(np.int64)
    change = np.abs(ranks - rank_table(scored.score[None])[0])
    return Removal(
        tuple(layout.names[r] for r in rows), ranks, change.mean(1), change.max(1), change.argmax(1).astype(np.int64)
    )


@dataclass(frozen=True, slots=True, eq=False)
class Importance:
    """names ``(K,)``. nominal ``(K,)``: weight at the top as a share of these nodes'. ratio ``(K,)``: correlation ratio with
    the top, 0 to 1. effective ``(K,)``: ratio as a share of their sum, to be held against nominal. linear ``(K,)``: r², what a
    straight line explains; a ratio far above it says that the node works on a curve."""

    names: tuple[str, ...]
    nominal: Floats
    ratio: Floats
    effective: Floats
    linear: Floats


def importance(scored: Scored, names: Sequence[str] | None = None) -> Importance:
    """Nominal and effective weights of nodes, by default those right below the top.

    Raises Unknown for a name, NotEnoughData, naming the node, with fewer than 8 units that have a score on it.
    """
    layout = scored.framework.layout
    rows = (
        [layout.row(n) for n in names]
        if names is not None
        else list(range(*layout.levels[1].indices(len(layout.names))))
    )
    ratio, linear = np.empty(len(rows)), np.empty(len(rows))
    for i, row in enumerate(rows):
        x = scored.scores[:, row]
        known = np.isfinite(x)
        if known.sum() < _UNITS:
            raise NotEnoughData(f"node {layout.names[row]}: {known.sum()} units have a score; a curve needs {_UNITS}")
        ratio[i] = correlation_ratio(x[known], scored.score[known])
        flat = np.ptp(x[known]) == 0.0
        linear[i] = 0.0 if flat else np.corrcoef(x[known], scored.score[known])[0, 1] ** 2
    nominal = layout.effective(scored.weight)[rows]
    return Importance(
        tuple(layout.names[r] for r in rows), nominal / nominal.sum(), ratio, ratio / max(ratio.sum(), 1e-300), linear
    )


def correlation_ratio(x: Floats, y: Floats) -> float:
    """Var(E[y | x]) / Var(y) of ``(n,)`` pairs, 0 to 1: a local line, its width by leave-one-out cross-validation.

    Raises BadInput where y does not vary.
    """
    if np.ptp(y) == 0.0:
        raise BadInput("the score is the same for all units: nothing is explained")
    if np.ptp(x) == 0.0:
        return 0.0
    z = (x - x.min()) / np.ptp(x)
    away = z[:, None] - z
    best, fitted = np.inf, np.full(len(y), y.mean())
    for width in _WIDTHS:
        k = np.exp(-0.5 * (away / width) ** 2)
        s0, s1, s2 = k.sum(1), (k * away).sum(1), (k * away**2).sum(1)
        # row i holds the weights of the local line at z_i; a breath of a ridge where only one point is near
        smooth = k * (s2[:, None] - s1[:, None] * away) / (s0 * s2 - s1**2 + 1e-9 * s0**2)[:, None]
        smooth /= smooth.sum(1, keepdims=True)
        own = np.diag(smooth)
        if (own > 0.95).any():
            continue
        missed = float((((y - smooth @ y) / (1.0 - own)) ** 2).mean())
        if missed < best:
            best, fitted = missed, smooth @ y
    return float(min(fitted.var() / y.var(), 1.0))


def _stands(layout: Layout, weight: Floats) -> bool:
    """Whether every group still has a child with weight."""
    return all((weight[layout.children(int(g))] > 0.0).any() for g in layout.groups)
