"""Units compared over all indicators at once: Copeland's duels, TOPSIS, VIKOR. More is better for every score.

``copeland``, ``topsis_closeness``, ``vikor_merit`` take values on which more is better, as normalised by a framework;
:func:`topsis` and :func:`vikor` take a raw decision matrix and say how they prepared it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.errors import BadInput
from engine.typing import Floats
from modelzoo.scorecard.preparation import How, Preparation, prepare

_TIE = 1e-12  # weights that sum to 1 in another order differ by less; a duel closer than this is drawn


@dataclass(frozen=True, slots=True)
class Compared:
    """score: ``(U,)``, more is better. method; prepared: what was done to the matrix before."""

    score: Floats
    method: str
    prepared: Preparation


def topsis(
    x: Floats,
    weights: Floats,
    direction: Floats,
    how: Literal["minmax", "vector", "invert_vector"] = "minmax",
    names: Sequence[str] | None = None,
) -> Compared:
    """Closeness to the ideal (Hwang & Yoon 1981) from raw values ``(U, M)``, weights ``(M,)``, direction ``(M,)``.

    how: minmax (pymcdm's default), vector (its vector normalisation; the ideal turns with the direction) or invert_vector
    (scikit-criteria's pipeline). The three rank units differently. Raises BadInput naming the indicator.
    """
    return _compared("topsis", topsis_closeness, x, weights, direction, how, names)


def vikor(
    x: Floats, weights: Floats, direction: Floats, names: Sequence[str] | None = None, majority: float = 0.5
) -> Compared:
    """1 - Q of VIKOR (Opricovic & Tzeng 2004) from raw values, prepared by min-max, which is its own linear scale."""
    return _compared("vikor", lambda v, w: vikor_merit(v, w, majority), x, weights, direction, "minmax", names)


def copeland(values: Floats, weights: Floats) -> Floats:
    """``(..., U)`` duels won less duels lost, from values ``(..., U, M)`` and weights ``(..., M)``.

    A duel goes to the unit that is ahead on indicators of more weight; an indicator not known for either counts for neither.
    """
    score: Floats = np.sign(margins(values, weights)).sum(-1)
    return score


def margins(values: Floats, weights: Floats) -> Floats:
    """``(..., U, U)`` weight of the indicators on which the row is ahead of the column, less that where it is behind."""
    share = weights / weights.sum(-1, keepdims=True)
    ahead = np.zeros((*np.broadcast_shapes(values.shape[:-2], weights.shape[:-1]), values.shape[-2], values.shape[-2]))
    for j in range(values.shape[-1]):
        column = values[..., j]
        sign = np.nan_to_num(np.sign(column[..., :, None] - column[..., None, :]))
        ahead += share[..., j, None, None] * sign
    ahead[np.abs(ahead) < _TIE] = 0.0
    return ahead


def topsis_closeness(values: Floats, weights: Floats) -> Floats:
    """``(..., U)`` from values ``(..., U, M)`` on which more is better and weights ``(..., M)``; .5 where all are alike."""
    to_best, to_worst = distances(values, weights)
    both = to_best + to_worst
    return np.where(both > 0, to_worst / np.where(both > 0, both, 1.0), 0.5)


def distances(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """``(..., U)`` weighted distances to the best and to the worst value of every indicator."""
    squares = (weights / weights.sum(-1, keepdims=True)) ** 2
    best, worst = values.max(-2, keepdims=True), values.min(-2, keepdims=True)
    return _dot((best - values) ** 2, squares) ** 0.5, _dot((values - worst) ** 2, squares) ** 0.5


def vikor_merit(values: Floats, weights: Floats, majority: float = 0.5) -> Floats:
    """``(..., U)`` 1 - Q from values on which more is better: 1 is the best. majority: the weight of the mean regret.

    Q joins the sum and the largest of the weighted distances from the best, each on its range over the units.
    """
    regret = regrets(values, weights)
    total, worst = _unit(regret.sum(-1)), _unit(regret.max(-1))
    merit: Floats = 1.0 - majority * total - (1.0 - majority) * worst
    return merit


def regrets(values: Floats, weights: Floats) -> Floats:
    """``(..., U, M)`` share of the weight lost on each indicator: 0 at the best value, the whole weight at the worst."""
    best, worst = values.max(-2, keepdims=True), values.min(-2, keepdims=True)
    width = np.where(best > worst, best - worst, 1.0)
    share = weights / weights.sum(-1, keepdims=True)
    lost: Floats = share[..., None, :] * (best - values) / width
    return lost


def _unit(x: Floats) -> Floats:
    low, high = x.min(-1, keepdims=True), x.max(-1, keepdims=True)
    out: Floats = (x - low) / np.where(high > low, high - low, 1.0)
    return out


def _dot(x: Floats, w: Floats) -> Floats:
    if x.ndim == 2:  # one matrix, many weights: one product
        many: Floats = w @ x.T
        return many
    out: Floats = (x @ w[..., None])[..., 0]
    return out


def _compared(
    method: str,
    score: Callable[[Floats, Floats], Floats],
    x: Floats,
    weights: Floats,
    direction: Floats,
    how: How,
    names: Sequence[str] | None,
) -> Compared:
    if weights.shape != (x.shape[-1],) or not (np.isfinite(weights) & (weights >= 0)).all() or not weights.sum() > 0:
        raise BadInput(f"{method}: give a weight not below 0 for each of the {x.shape[-1]} indicators, not all 0")
    values, said = prepare(x, direction, how, names)
    return Compared(score(values, weights), method, said)
