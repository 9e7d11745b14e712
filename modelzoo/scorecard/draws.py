"""Scores and ranks of one matrix of values under many draws of weights, blocks of draws side by side.

Where all levels are means on one scale (arithmetic, geometric, harmonic, power) and nothing is missing, the score is one mean
with the effective weights on that scale; a draw then costs one product. TOPSIS costs two. All else goes through
:func:`modelzoo.scorecard.aggregate.aggregate`, block by block, with the same results.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.errors import BadInput
from engine.typing import Floats
from modelzoo.scorecard.aggregate import aggregate, scale
from modelzoo.scorecard.framework import FLAT, Aggregation
from modelzoo.scorecard.layout import Layout

Places: TypeAlias = NDArray[np.int16]

_CELLS = 43_000  # units times draws of a block: it and its sums stay in the cache
_MOST = 32_000  # units that int16 can rank
_ALIKE = 1e-12  # scores that differ by less than this share of the largest are equal: sums in another order


def scores(
    layout: Layout,
    values: Floats,
    methods: Sequence[Aggregation],
    weight: Floats,
    *,
    power: float = 0.5,
    known: float = 0.0,
) -> Floats:
    """``(B, U)`` scores of the top from normalised values ``(U, M)`` and weights ``(B, N)``. NaN where a unit has no score.

    Raises BadInput, naming the node, as :func:`aggregate` does.
    """
    out = np.empty((len(weight), len(values)))
    one = len(set(methods)) == 1
    complete = not np.isnan(values).any()
    if one and complete and methods[0] == "topsis":
        return topsis(values, layout.effective(weight)[:, layout.leaf])
    if one and complete and methods[0] not in (*FLAT, "mazziotta_pareto", "mazziotta_pareto_up"):
        aggregate(
            layout, values, methods, power=power, known=known
        )  # refuses what the scale cannot take, naming the node
        there, back = scale(methods[0], power)
        turned = np.ascontiguousarray(there(values).T)
        from engine.kernels.ranking import weigh

        def block(rows: slice) -> None:
            sums = np.empty((rows.stop - rows.start, len(values)))
            weigh(turned, np.ascontiguousarray(layout.effective(weight[rows])[:, layout.leaf]), sums)
            out[rows] = back(sums)

    else:

        def block(rows: slice) -> None:
            out[rows] = aggregate(layout, values, methods, weight[rows], power=power, known=known)[..., 0]

    _side_by_side(block, out.shape)
    return out


def topsis(values: Floats, weights: Floats) -> Floats:
    """``(B, U)`` TOPSIS closeness from values ``(U, M)`` on which more is better, one preparation for all, and weights ``(B, M)``.

    The ideal of a draw is the best value times its weight, so squared distances are two products with squared weights.
    """
    from engine.kernels.ranking import closeness

    squares = np.ascontiguousarray(np.vstack([(values - values.max(0)) ** 2, (values - values.min(0)) ** 2]).T)
    out = np.empty((len(weights), len(values)))

    def block(rows: slice) -> None:
        closeness(np.square(weights[rows]) @ squares, out[rows])

    _side_by_side(block, out.shape)
    return out


def rank_table(score: Floats) -> Places:
    """``(B, U)`` places from 1, the best, in each row; scores that are equal up to rounding share the better place.

    Raises BadInput where a score is not finite or there are more units than places.
    """
    from engine.kernels.ranking import rank_rows

    if score.shape[1] > _MOST:
        raise BadInput(f"{score.shape[1]} units are too many to rank in one table; the most is {_MOST}")
    out = np.empty(score.shape, np.int16)

    def block(rows: slice) -> None:
        part = score[rows]
        if not np.isfinite(part.sum()) and not np.isfinite(part).all():
            b, u = (int(i[0]) for i in np.nonzero(~np.isfinite(part)))
            raise BadInput(f"draw {rows.start + b + 1} gives unit {u + 1} no score; only what is scored can be ranked")
        rank_rows(part, _ALIKE, out[rows])

    _side_by_side(block, out.shape)
    return out


def _side_by_side(work: Callable[[slice], None], shape: tuple[int, ...]) -> None:
    """Blocks of rows on all cores: products and kernels let go of the interpreter's lock. Each writes its own rows."""
    draws, step = shape[0], max(16, _CELLS // max(1, shape[1]))
    blocks = [slice(start, min(start + step, draws)) for start in range(0, draws, step)]
    if len(blocks) < 4:
        for rows in blocks:
            work(rows)
        return
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for _ in pool.map(work, blocks):
            pass
