"""Weights are not importance: what each node really has to say in the score, and weights that give it a wanted say.

A node's say is its correlation with the top, as a share of the sum over the nodes compared (Becker, Saisana, Paruolo &
Vandecasteele 2017; the objective of COINr's ``get_opt_weights``, which by default stops at a tolerance of .1, long before
the target is met).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import BadInput, NotConverged, Unknown
from engine.typing import Floats, Ints
from modelzoo.scorecard.aggregate import aggregate
from modelzoo.scorecard.choices import Aggregation
from modelzoo.scorecard.layout import Layout

_REACHED = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Optimised:
    """names: ``(K,)`` nodes. weights: ``(K,)`` on the tree's scale, summing to 1. wanted, obtained: ``(K,)`` shares of say."""

    names: tuple[str, ...]
    weights: Floats
    wanted: Floats
    obtained: Floats
    notes: tuple[str, ...]


def say(
    layout: Layout, values: Floats, weight: Floats, rows: Ints, methods: Sequence[Aggregation] = ("arithmetic",)
) -> Floats:
    """``(K,)`` correlation of the nodes of ``rows`` with the top over the units, as shares of their sum.

    values: ``(U, M)`` normalised, without gaps. weight: ``(N,)``. Raises BadInput where a node is the same for all units.
    """
    scores = aggregate(layout, values, methods, weight)
    away = scores - scores.mean(0)
    length = np.sqrt((away**2).sum(0))
    for row in (0, *rows):
        if not length[row] > 1e-12 * max(1.0, float(np.abs(scores[:, row]).max())):
            raise BadInput(f"node {layout.names[row]}: its score is the same for all units, or has gaps")
    r = away[:, rows].T @ away[:, 0] / (length[rows] * length[0])
    shares: Floats = r / r.sum()
    return shares


def optimise(
    layout: Layout,
    values: Floats,
    names: Sequence[str],
    wanted: Floats | None = None,
    methods: Sequence[Aggregation] = ("arithmetic",),
    most: float = 5.0,
) -> Optimised:
    """Weights of the named nodes whose shares of :func:`say` come closest, in least squares, to ``wanted``.

    wanted: ``(K,)`` on any scale, equal by default. most: how many times a weight may lie above or below its wanted share;
    without that, nodes that can never have the wanted say drive others to nothing. The rest of the tree keeps its weights.
    The notes name what stays more than .01 away.

    Raises Unknown for a name; BadInput; NotConverged.
    """
    from scipy.optimize import least_squares

    for name in names:
        if name not in layout.names:
            raise Unknown(f"the framework has no node {name}")
    rows = np.array([layout.row(name) for name in names], np.int64)
    aim = np.full(len(rows), 1.0) if wanted is None else np.asarray(wanted, float)
    if aim.shape != rows.shape or not (np.isfinite(aim) & (aim > 0)).all():
        raise BadInput(f"give a wanted share above 0 for each of the {len(rows)} nodes")
    if not most > 1:
        raise BadInput(f"a weight may lie more than 1 time from its wanted share, not {most}")
    aim = aim / aim.sum()
    start, room = np.log(aim), np.log(most)

    def full(logs: Floats) -> Floats:
        weight = layout.weight.copy()
        weight[rows] = np.exp(logs)
        return weight

    def gap(logs: Floats) -> Floats:
        # the last rows hold the level of each group of siblings, which the shares leave free
        parents = np.unique(layout.parent[rows])
        level = np.array([(logs - start)[layout.parent[rows] == parent].mean() for parent in parents])
        out: Floats = np.r_[say(layout, values, full(logs), rows, methods) - aim, 1e-3 * level]
        return out

    found = least_squares(
        gap, start, bounds=(start - room, start + room), xtol=1e-12, ftol=1e-12, gtol=1e-12, max_nfev=500
    )
    if not found.success:
        raise NotConverged(f"no weights were found for {', '.join(names)}: {found.message}")
    weights = np.exp(found.x)
    obtained = say(layout, values, full(found.x), rows, methods)
    notes = tuple(
        f"{name} has {have:.1%} of the say, {want:.1%} was wanted"
        for name, have, want in zip(names, obtained, aim, strict=True)
        if abs(have - want) > _REACHED
    )
    return Optimised(tuple(names), weights / weights.sum(), aim, obtained, notes)
