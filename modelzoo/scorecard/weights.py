"""Where weights come from: experts, pairwise judgement, or the data; each says how the data were prepared.

Sources: Saaty (1980) for AHP; Shannon's entropy as in Hwang & Yoon (1981); Diakoulaki, Mavrotas & Papayannakis (1995) for
CRITIC; OECD/JRC Handbook (2008), step 6, for budget allocation and principal components.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.errors import BadInput, Refused
from engine.typing import Floats
from modelzoo.scorecard.preparation import Preparation, prepare, refuse

_ASKED = Preparation("none: asked, not computed from data", "ignored", "ignored")
_RANDOM_INDEX = (
    0.0,
    0.0,
    0.58,
    0.90,
    1.12,
    1.24,
    1.32,
    1.41,
    1.45,
    1.49,
)  # of random judgements of 1 … 10 items (Saaty)
CONSISTENT = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """values: ``(M,)``, summing to 1 (principal components: of length 1, and perhaps negative). notes: what to beware of.

    consistency: of AHP, the consistency ratio; NaN elsewhere.
    """

    values: Floats
    method: str
    prepared: Preparation
    notes: tuple[str, ...] = ()
    consistency: float = float("nan")


def budget(points: Floats, names: Sequence[str] | None = None) -> Weights:
    """Budget allocation: experts share out points ``(E, M)``; each expert counts the same. Raises BadInput."""
    if points.ndim != 2 or not np.isfinite(points).all() or (points < 0).any():
        refuse(~(points >= 0), names, "experts give points not below 0")
    if not (points.sum(1) > 0).all():
        raise BadInput(f"expert {int(np.flatnonzero(~(points.sum(1) > 0))[0])} gave no points at all")
    return Weights((points / points.sum(1, keepdims=True)).mean(0), "budget", _ASKED)


def ahp(judgements: Floats, names: Sequence[str] | None = None) -> Weights:
    """Analytic hierarchy: the principal eigenvector of pairwise judgements ``(n, n)``, how many times i matters as much as j.

    n goes to 10. Raises BadInput where judgements are not reciprocal (within 1 %), Refused where they contradict each
    other: consistency ratio CR = (λ - n) / (n - 1) / RI above .1.
    """
    n = len(judgements)
    said = names or tuple(f"item {i}" for i in range(n))
    if judgements.shape != (n, n) or not 1 <= n <= len(_RANDOM_INDEX):
        raise BadInput(f"AHP takes a square matrix of 1 … {len(_RANDOM_INDEX)} items; split larger groups")
    if not (np.isfinite(judgements) & (judgements > 0)).all():
        raise BadInput("AHP judgements are numbers above 0")
    off = np.abs(judgements * judgements.T - 1.0)
    if off.max() > 0.01:
        i, j = divmod(int(off.argmax()), n)
        raise BadInput(f"AHP: {said[i]} against {said[j]} and the other way round must be reciprocal")
    roots, vectors = np.linalg.eig(judgements)
    top = int(roots.real.argmax())
    weights = np.abs(vectors[:, top].real)
    weights = weights / weights.sum()
    ratio = 0.0 if n < 3 else float((roots[top].real - n) / (n - 1.0) / _RANDOM_INDEX[n - 1])
    if ratio > CONSISTENT:
        strain = np.abs(np.log(judgements * weights[None, :] / weights[:, None]))
        i, j = divmod(int(strain.argmax()), n)
        raise Refused(
            f"AHP: the judgements contradict each other (consistency ratio {ratio:.2f}, at most {CONSISTENT}); look first at "
            f"{said[i]} against {said[j]}: {judgements[i, j]:.3g} was said, the others imply {weights[i] / weights[j]:.3g}"
        )
    return Weights(weights, "ahp", _ASKED, consistency=max(ratio, 0.0))


def entropy(
    x: Floats,
    direction: Floats,
    how: Literal["minmax", "raw"] = "minmax",
    shift: float = 0.0,
    names: Sequence[str] | None = None,
) -> Weights:
    """Weights by how unevenly ``(U, M)`` values are spread: w ∝ 1 - e, e = -Σ p ln p / ln U, p shares of the column.

    0 ln 0 counts as 0. how: minmax turns and scales first, raw takes shares of the values as they are. shift: added after.
    Raises BadInput, naming the indicator, for negative values or gaps, or where no column varies.
    """
    values, said = prepare(x, direction, how, names, shift)
    refuse(values < 0, names, "entropy takes values from 0; prepare by minmax")
    total = values.sum(0)
    refuse(~(total > 0), names, "all values are 0")
    share = values / total
    with np.errstate(divide="ignore", invalid="ignore"):
        e = -np.where(share > 0, share * np.log(share), 0.0).sum(0) / np.log(len(x))
    return Weights(_scaled(np.maximum(1.0 - e, 0.0), "entropy"), "entropy", said)


def critic(x: Floats, direction: Floats, names: Sequence[str] | None = None) -> Weights:
    """Weights by contrast and conflict: w_j ∝ σ_j Σ_k (1 - r_jk), after min-max with direction.

    As scikit-criteria; pymcdm leaves the direction out. Raises BadInput naming the indicator.
    """
    values, said = prepare(x, direction, "minmax", names)
    r = np.atleast_2d(np.corrcoef(values.T))
    return Weights(_scaled(values.std(0) * (1.0 - r).sum(1), "critic"), "critic", said)


def deviation(
    x: Floats, direction: Floats, how: Literal["minmax", "raw"] = "minmax", names: Sequence[str] | None = None
) -> Weights:
    """Weights in proportion to the standard deviation; raw (as scikit-criteria and pymcdm) depends on units of measure."""
    values, said = prepare(x, direction, how, names)
    return Weights(_scaled(values.std(0), "deviation"), "deviation", said)


def pca(x: Floats, direction: Floats, names: Sequence[str] | None = None) -> Weights:
    """Loadings of the first principal component of the correlations of ``(U, M)``: of length 1, turned so that they sum to > 0.

    A negative loading would make a better value lower the score; the notes name it. Raises BadInput naming the indicator.
    """
    values, _ = prepare(x, direction, "minmax", names)
    said = Preparation("standardised (correlations)", "less is better is turned round", "kept")
    roots, vectors = np.linalg.eigh(np.atleast_2d(np.corrcoef(values.T)))
    loadings = vectors[:, -1] * (1.0 if vectors[:, -1].sum() >= 0 else -1.0)
    notes = [f"the first component explains {roots[-1] / roots.sum():.0%} of the variance"]
    for j in np.flatnonzero(loadings < 0).tolist():
        notes.append(f"{names[j] if names else f'column {j}'} has a negative weight: do not weight by this component")
    return Weights(loadings, "pca", said, tuple(notes))


def _scaled(x: Floats, method: str) -> Floats:
    total = x.sum()
    if not total > 0:
        raise BadInput(f"{method}: nothing in the data tells the indicators apart")
    out: Floats = x / total
    return out
