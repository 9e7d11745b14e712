"""What each indicator adds to a unit's score: an exact split that sums to the score, down the tree.

Means of the form φ(v) = Σ w φ(x) (arithmetic, geometric, harmonic, power) are split on their own scale: from the foot b of
the normalised scale, a child adds w b + (v - b) / (φ(v) - φ(b)) · w (φ(x) - φ(b)). For the arithmetic mean that is w x; for the
geometric one it is the logarithmic-mean split (Ang 2004), in which a child at the foot adds w b and no more. Mazziotta-Pareto:
w x less the child's own part of the penalty. Copeland: each duel's point goes to the indicators in proportion to what they weigh in
it. TOPSIS: the distance from the worst in proportion to its squares. VIKOR: w less the child's regret in the sum, and the largest
regret to the indicator it comes from. A node's part is handed on to its children in proportion to their split of the node.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.typing import Floats, Ints
from modelzoo.scorecard.aggregate import children, scale
from modelzoo.scorecard.choices import FLAT, Aggregation
from modelzoo.scorecard.layout import Layout
from modelzoo.scorecard.multicriteria import distances, margins, regrets


def contributions(
    layout: Layout,
    scores: Floats,
    methods: Sequence[Aggregation] = ("arithmetic",),
    weight: Floats | None = None,
    *,
    power: float = 0.5,
    foot: float = 0.0,
) -> Floats:
    """``(U, M)`` parts from the scores ``(U, N)`` of all nodes, as :func:`modelzoo.scorecard.aggregate.aggregate` gives them.

    The other arguments as there. foot: the lowest score on the normalised scale (above 0 for geometric and harmonic means).
    A gap adds 0. The parts of a unit without a score are NaN.
    """
    weight = layout.weight if weight is None else weight
    if methods[0] in FLAT:
        return _compared(scores[:, layout.leaf], layout.effective(weight)[layout.leaf], methods[0])
    shares = layout.shares(weight)
    # the part of a node is slope · score + rest; the rest is handed on by weight and is 0 in a tree of plain means
    slope, rest = np.ones(scores.shape), np.zeros(scores.shape)
    part = np.zeros(scores.shape)
    for depth in range(len(layout.levels) - 1):
        method = methods[min(depth, len(methods) - 1)]
        parents, block, starts = children(layout, depth)
        count = layout.count[parents]
        x = scores[:, block]
        gaps = np.isnan(x)
        w = np.where(gaps, 0.0, shares[block])
        total = _spread(w, starts)
        w = np.divide(w, total, out=np.zeros(w.shape), where=total > 0)
        v = np.repeat(scores[:, parents], count, axis=-1)
        split = np.where(gaps, 0.0, _split(np.where(gaps, foot or 1.0, x), v, w, method, power, foot, starts))
        above_slope, above_rest = (np.repeat(a[:, parents], count, axis=-1) for a in (slope, rest))
        if method == "arithmetic":
            down = w
        else:
            safe = ~gaps & (np.abs(x) > 1e-12 * np.abs(v))
            down = np.divide(split, x, out=np.zeros(x.shape), where=safe)
        slope[:, block] = above_slope * down
        part[:, block] = above_slope * split + above_rest * w
        rest[:, block] = part[:, block] - slope[:, block] * np.where(gaps, 0.0, x)
    out: Floats = np.where(np.isnan(scores[:, :1]), np.nan, part[:, layout.leaf])
    return out


def _split(x: Floats, v: Floats, w: Floats, method: Aggregation, power: float, foot: float, starts: Ints) -> Floats:
    """``(U, block)`` what each child adds to its parent's score v."""
    if method == "arithmetic":
        return w * x
    if method == "mazziotta_pareto" or method == "mazziotta_pareto_up":
        mean = _spread(w * x, starts)
        mean = np.where(mean > 0, mean, 1.0)  # only where nothing is known
        n = _spread((w > 0).astype(np.float64), starts)
        penalty = w * (x - mean) ** 2 * n / np.maximum(n - 1, 1) / mean
        out: Floats = w * x + (penalty if method == "mazziotta_pareto_up" else -penalty)
        return out
    there, _ = scale(method, power)
    with np.errstate(divide="ignore", invalid="ignore"):
        ground = there(np.array(foot))
        rise = there(v) - ground
        flat = np.abs(v - foot) <= 1e-9 * np.abs(v)
        slope = np.where(flat, _inverse_slope(method, power, foot), (v - foot) / np.where(flat, 1.0, rise))
        added: Floats = w * foot + slope * w * (there(x) - ground)
    # at the foot itself the children's rises cancel only to first order: the little that is left goes by weight
    left = v - _spread(added, starts)
    return added + np.where(flat, left * w, 0.0)


def _inverse_slope(method: Aggregation, power: float, foot: float) -> float:
    """1 / φ'(foot); 0 at a foot of 0, from which nothing rises when the score does not."""
    if foot <= 0:
        return 0.0
    if method == "geometric":
        return foot
    return -(foot**2) if method == "harmonic" else float(foot ** (1.0 - power) / power)


def _spread(x: Floats, starts: Ints) -> Floats:
    """``(U, block)`` each cell as the sum over its siblings."""
    return np.repeat(np.add.reduceat(x, starts, axis=-1), np.diff(np.append(starts, x.shape[-1])), axis=-1)


def _compared(x: Floats, w: Floats, method: Aggregation) -> Floats:
    """``(U, M)`` split of a comparison over all indicators."""
    if method == "copeland":
        ahead = margins(x, w)
        worth = np.divide(np.sign(ahead), ahead, out=np.zeros(ahead.shape), where=ahead != 0)
        parts = np.zeros(x.shape)
        for j in range(x.shape[1]):
            sign = np.nan_to_num(np.sign(x[:, j][:, None] - x[:, j][None, :]))
            parts[:, j] = (worth * w[j] * sign).sum(1)
        return parts
    if method == "topsis":
        to_best, to_worst = distances(x, w)
        squares = (w * (x - x.min(0))) ** 2
        both = to_best + to_worst
        scale_of = np.divide(1.0, to_worst * both, out=np.zeros(both.shape), where=to_worst * both > 0)
        return np.where(both[:, None] > 0, squares * scale_of[:, None], 0.5 * w)
    lost = regrets(x, w)
    total, worst = lost.sum(1), lost.max(1)
    return w - 0.5 * _ranged(lost, total, w) - 0.5 * _ranged(_largest(lost), worst, w)


def _largest(lost: Floats) -> Floats:
    """The largest regret of each unit where it stands, shared by those that tie; 0 elsewhere."""
    top = lost.max(1, keepdims=True)
    tied = lost == top
    out: Floats = tied * top / tied.sum(1, keepdims=True)
    return out


def _ranged(cells: Floats, total: Floats, w: Floats) -> Floats:
    """Cells that sum to ``(total - least) / range`` of each unit; what the least takes away goes by weight."""
    width = np.ptp(total)
    if not width > 0:
        return np.zeros(cells.shape)
    out: Floats = (cells - w * total.min()) / width
    return out
