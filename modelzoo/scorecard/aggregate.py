"""From indicators to every node above them: means level by level, or comparisons of units over all indicators at once.

A mean is taken of what is known, with the weights of the rest scaled up (as COINr does); a node with too few known children
is NaN. Means: arithmetic; geometric and harmonic, which need values above 0; power, (Σ w xᵖ)^(1/p); Mazziotta-Pareto,
M - S²/M with S² the variance (n - 1) between children, so that unlike children cost (``mazziotta_pareto_up``: M + S²/M, for
an index of something bad; De Muro, Mazziotta & Pareto 2011). It is the one method here that is not monotone: a child far above its
siblings can cost more than it brings. Copeland, TOPSIS and VIKOR score a node from all indicators below it with their effective
weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from engine.errors import BadInput
from engine.typing import Floats, Ints
from modelzoo.scorecard.choices import FLAT, Aggregation
from modelzoo.scorecard.layout import Layout
from modelzoo.scorecard.multicriteria import copeland, topsis_closeness, vikor_merit

Pair = tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]


def aggregate(
    layout: Layout,
    values: Floats,
    methods: Sequence[Aggregation] = ("arithmetic",),
    weight: Floats | None = None,
    *,
    power: float = 0.5,
    known: float = 0.0,
) -> Floats:
    """``(..., U, N)`` the scores of all nodes from normalised values ``(..., U, M)`` and weights ``(..., N)``.

    Leading axes of values and weight broadcast: one call scores many variants. weight: any scale, the tree's own by
    default. methods: one, or one a level of groups from the top down. known: least share of children known for a score.

    Raises BadInput, naming the node, where a mean needs values above 0, or TOPSIS or VIKOR meets a gap.
    """
    weight = layout.weight if weight is None else weight
    if values.shape[-1] != len(layout.leaf):
        raise BadInput(f"the framework has {len(layout.leaf)} indicators, the data {values.shape[-1]} columns")
    batch = np.broadcast_shapes(values.shape[:-2], weight.shape[:-1])
    out = np.full((*batch, values.shape[-2], len(layout.names)), np.nan)
    out[..., layout.leaf] = values
    if methods[0] in FLAT:
        return _flat(layout, out, values, weight, methods[0])
    shares = layout.shares(weight)[..., None, :]
    for depth in range(len(layout.levels) - 2, -1, -1):
        method = methods[min(depth, len(methods) - 1)]
        parents, block, starts = children(layout, depth)
        if method == "mazziotta_pareto" or method == "mazziotta_pareto_up":
            sign = 1.0 if method == "mazziotta_pareto_up" else -1.0
            mean = _mean(out[..., block], shares[..., block], starts, known)
            _above(mean, layout.names, parents, method)
            away = (out[..., block] - np.repeat(mean, layout.count[parents], axis=-1)) ** 2
            counted = np.add.reduceat(~np.isnan(away) & (shares[..., block] > 0), starts, axis=-1, dtype=np.int64)
            spread = _mean(away, shares[..., block], starts, known) * counted / np.maximum(counted - 1, 1)
            out[..., parents] = mean + sign * spread / mean
        else:
            there, back = scale(method, power)
            if method != "arithmetic":
                _above(
                    out[..., block],
                    layout.names,
                    np.arange(block.start, block.stop),
                    method,
                    method == "power" and power > 0,
                )
            out[..., parents] = back(_mean(there(out[..., block]), shares[..., block], starts, known))
    return out


def scale(method: Aggregation, power: float) -> Pair:
    """On which scale a mean is arithmetic, and the way back: log for the geometric, 1/x for the harmonic, xᵖ for power."""
    if method == "arithmetic":
        return (lambda x: x), (lambda x: x)
    if method == "geometric":
        return np.log, np.exp
    if method == "harmonic":
        return (lambda x: 1.0 / x), (lambda x: 1.0 / x)
    return (lambda x: x**power), (lambda x: x ** (1.0 / power))


def children(layout: Layout, depth: int) -> tuple[Ints, slice, Ints]:
    """The groups of a depth, the block of all their children, and where each one's children start in the block."""
    rows = np.arange(layout.levels[depth].start, layout.levels[depth].stop)
    parents, block = rows[layout.count[rows] > 0], layout.levels[depth + 1]
    return parents, block, layout.first[parents] - block.start


def _mean(x: Floats, share: Floats, starts: Ints, known: float) -> Floats:
    gaps = np.isnan(x)
    if not gaps.any():
        mean: Floats = np.add.reduceat(x * share, starts, axis=-1)
        return mean
    weight = np.where(gaps, 0.0, share)
    total = np.add.reduceat(weight, starts, axis=-1)
    seen = np.add.reduceat(~gaps, starts, axis=-1, dtype=np.int64)
    of = np.diff(np.append(starts, x.shape[-1]))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.add.reduceat(np.where(gaps, 0.0, x) * weight, starts, axis=-1) / total
    enough: Floats = np.where((total > 0) & (seen >= known * of), mean, np.nan)
    return enough


def _above(x: Floats, names: Sequence[str], rows: Ints, method: str, zero: bool = False) -> None:
    bad = (x < 0) if zero else (x <= 0)
    if bad.any():
        name = names[int(rows[np.flatnonzero(bad.any(tuple(range(x.ndim - 1))))[0]])]
        scale_for = "z with mean 100 and sd 10" if method.startswith("mazziotta") else "a scale such as 1 … 100"
        need = "from" if zero else "above"
        raise BadInput(f"node {name}: the {method} mean needs scores {need} 0; normalise to {scale_for}")


def _flat(layout: Layout, out: Floats, values: Floats, weight: Floats, method: Aggregation) -> Floats:
    score = {"copeland": copeland, "topsis": topsis_closeness, "vikor": vikor_merit}[method]
    for row in layout.groups:
        columns = layout.below(int(row))
        if method != "copeland" and (gap := np.isnan(values[..., columns]).any(tuple(range(values.ndim - 1)))).any():
            name = layout.indicators[int(columns[np.flatnonzero(gap)[0]])]
            raise BadInput(f"node {name}: {method} needs every value; fill its gaps or leave it out")
        out[..., row] = score(values[..., columns], layout.effective(weight, int(row))[..., layout.leaf[columns]])
    return out
