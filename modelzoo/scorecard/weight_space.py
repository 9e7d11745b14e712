"""Which weights put a unit first, and how far weights must move before a rank changes.

Scores are weighted means, Σ_j w_j x_uj with weights on the simplex. A geometric score has the ranks of the weighted mean of the
logarithms, and so on: :func:`below` takes the children of a node to the scale on which its score is such a mean.

Distance between weights is the share that moves from some parts to others, ½ Σ |w_j - w'_j|: to say that 7 points of 100 must
move is to say it in the evaluator's own words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import BadInput, NotConverged, Refused
from engine.typing import Bools, Floats
from modelzoo.scorecard.aggregate import scale
from modelzoo.scorecard.evaluate import Scored


@dataclass(frozen=True, slots=True)
class First:
    """Being first over all weights, by unit, each ``(U,)`` unless said otherwise.

    share: of the simplex of weights in which the unit is first, sampled; equal firsts share. error: its standard error.
    possible: whether some weights put it first (exact; a region may be too thin for a sample). moved: the least share of weight
    that must move from the given weights for it to be first, 0 for who is, NaN where it is never first. weights ``(U, N)``:
    those nearest weights, NaN where never first.
    """

    share: Floats
    error: Floats
    possible: Bools
    moved: Floats
    weights: Floats


def below(scored: Scored, node: str | None = None) -> tuple[Floats, Floats]:
    """The children of a node (by default the top) as values ``(U, N)``, more is better, and weights ``(N,)`` that sum to 1.

    Raises Unknown for a name, Refused where the node is no mean on any scale, BadInput where a unit has a gap.
    """
    framework, layout = scored.framework, scored.framework.layout
    row = 0 if node is None else layout.row(node)
    children = layout.children(row)
    if children.start == children.stop:
        raise BadInput(f"node {layout.names[row]} is an indicator: there are no weights below it")
    depth = next(d for d, level in enumerate(layout.levels) if level.start <= row < level.stop)
    method = framework.aggregation[min(depth, len(framework.aggregation) - 1)]
    if method not in ("arithmetic", "geometric", "harmonic", "power"):
        raise Refused(
            f"node {layout.names[row]}: {method} is not a mean of weighted parts; draw weights instead (uncertainty)"
        )
    x = scored.scores[:, children]
    if np.isnan(x).any():
        u, j = (int(i[0]) for i in np.nonzero(np.isnan(x)))
        raise BadInput(
            f"{scored.units[u]} has no score on {layout.names[children.start + j]}; weights compare what all have"
        )
    falls = method == "harmonic" or (method == "power" and framework.power < 0.0)
    there, _ = scale(method, framework.power)
    return (-there(x) if falls else there(x)), layout.shares(scored.weight)[children]


def first(values: Floats, weights: Floats, *, draws: int = 20_000, seed: int = 0) -> First:
    """The region of weights in which each unit is first: values ``(U, N)``, weights ``(N,)`` that sum to 1.

    Raises BadInput if something is not known, NotConverged if a programme is not solved.
    """
    values, weights = _checked(values, weights)
    U, N = values.shape
    rng = np.random.default_rng(seed)
    wins, squares = np.zeros(U), np.zeros(U)
    for start in range(0, draws, 4096):
        w = rng.exponential(size=(min(4096, draws - start), N))  # uniform on the simplex, once divided by their sum
        score = w @ values.T
        best = score.max(1, keepdims=True)
        top = score >= best - 1e-12 * np.abs(best)  # equal up to rounding
        part = top / top.sum(1, keepdims=True)
        wins += part.sum(0)
        squares += (part**2).sum(0)
    share = wins / draws
    error = np.sqrt(np.maximum(squares / draws - share**2, 0.0) / draws)
    moved, nearest = np.full(U, np.nan), np.full((U, N), np.nan)
    for u in range(U):
        found = _nearest(values, weights, u)
        if found is not None:
            nearest[u] = found
            moved[u] = 0.5 * np.abs(found - weights).sum()
    return First(share, error, ~np.isnan(moved), moved, nearest)


def overtaking(values: Floats, weights: Floats) -> Floats:
    """``(U, U)`` the least share of weight that must move until the column's unit draws level with the row's, which is ahead.

    NaN where the row's unit is not ahead, infinity where it is at least as good on every part and no weights help. Exact: weight
    goes to the part where the rival gains most, from the parts where it loses most, which solves the linear programme.
    """
    values, weights = _checked(values, weights)
    U = len(values)
    score = values @ weights
    out = np.full((U, U), np.nan)
    for a in range(U):
        lead = values[a] - values  # (U, N) by part
        gap = score[a] - score
        worst = lead.min(1, keepdims=True)
        order = np.argsort(-lead, axis=1)
        taken = weights[order]  # what there is to move, the costliest part first
        gain = np.take_along_axis(lead, order, 1) - worst
        gained = np.cumsum(taken * gain, 1)
        moved = np.cumsum(taken, 1)
        for c in np.flatnonzero(gap > 0.0):
            if worst[c, 0] > 0.0:  # ahead on every part
                out[a, c] = np.inf
                continue
            k = min(int(np.searchsorted(gained[c], gap[c])), len(weights) - 1)
            short = gap[c] - (gained[c, k] - taken[c, k] * gain[c, k])
            part = short / gain[c, k] if gain[c, k] > 0.0 else 0.0
            out[a, c] = min(moved[c, k] - taken[c, k] + part, 1.0)
    return out


def stability(values: Floats, weights: Floats) -> Floats:
    """``(U,)`` the least share of weight whose move lets a unit overtake or be overtaken: below it, its rank stands.

    Infinity for a unit that no weights move; 0 for one that is level with another.
    """
    distance = overtaking(values, weights)
    score = values @ weights
    distance[(score[:, None] == score) & ~np.eye(len(score), dtype=bool)] = 0.0
    distance = np.where(np.isnan(distance), np.inf, distance)
    least: Floats = np.minimum(distance.min(0), distance.min(1))
    return least


def _checked(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    values, weights = np.asarray(values, float), np.asarray(weights, float)
    if values.ndim != 2 or weights.shape != values.shape[1:]:
        raise BadInput(f"values (U, N) and weights (N,), not {values.shape} and {weights.shape}")
    if not np.isfinite(values).all():
        u, j = (int(i[0]) for i in np.nonzero(~np.isfinite(values)))
        raise BadInput(f"unit {u + 1} has no value on part {j + 1}; weights can be compared where all parts are known")
    if not (weights >= 0.0).all() or abs(weights.sum() - 1.0) > 1e-9:
        raise BadInput("weights are not below 0 and sum to 1")
    return values, weights


def _nearest(values: Floats, weights: Floats, u: int) -> Floats | None:
    """The nearest weights that put unit u first, None if there are none: minimise Σ (up + down), w = weights + up - down."""
    from scipy.optimize import linprog

    N = values.shape[1]
    rivals = np.delete(values, u, 0) - values[u]  # first: rivals @ w <= 0
    scale = np.abs(rivals).max(1)
    rivals = rivals[scale > 0.0] / scale[scale > 0.0, None]
    if not (rivals @ weights > 0.0).any():
        return weights.copy()
    found = linprog(
        np.ones(2 * N),
        A_ub=np.hstack([rivals, -rivals]),
        b_ub=-(rivals @ weights),
        A_eq=np.concatenate([np.ones(N), -np.ones(N)])[None],
        b_eq=[0.0],
        bounds=[(0.0, None)] * N + [(0.0, float(w)) for w in weights],
        method="highs",
    )
    if found.status == 2:
        return None
    if found.status != 0:
        raise NotConverged(f"the weights that put unit {u + 1} first: {found.message}")
    nearest: Floats = weights + found.x[:N] - found.x[N:]
    return nearest
