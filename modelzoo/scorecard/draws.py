"""Scores and ranks of one matrix of values under many draws of weights, blocks of draws side by side.

Where all levels are means on one scale (arithmetic, geometric, harmonic, power), the score of a unit without gaps is one mean
with the effective weights on that scale; a draw then costs one product. TOPSIS costs two. Mixed means, Mazziotta-Pareto and
duels go through :func:`modelzoo.scorecard.aggregate.aggregate`, block by block. The results are the same.
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
from modelzoo.scorecard.choices import FLAT, Aggregation
from modelzoo.scorecard.layout import Layout

Places: TypeAlias = NDArray[np.int16]

_CELLS = 43_000  # of a block of draws: it and its sums stay in the cache
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
    method = methods[0] if len(set(methods)) == 1 else None
    gaps = np.isnan(values).any(1)
    if method == "topsis" and not gaps.any():
        return topsis(values, layout.effective(weight)[:, layout.leaf])
    if method is None or method in (*FLAT, "mazziotta_pareto", "mazziotta_pareto_up"):

        def block(rows: slice) -> None:
            out[rows] = aggregate(layout, values, methods, weight[rows], power=power, known=known)[..., 0]

        _side_by_side(block, len(weight), len(values) * len(layout.names))
        return out

    aggregate(layout, values, methods, power=power, known=known)  # refuses what the scale cannot take, naming the node
    from engine.kernels.ranking import weigh, weigh_known

    there, back = scale(method, power)
    scaled = there(values)
    whole, broken = np.ascontiguousarray(scaled[~gaps].T), np.ascontiguousarray(scaled[gaps].T)
    seen = (~np.isnan(broken)).astype(np.float64)
    broken = np.where(np.isnan(broken), 0.0, broken)
    column = np.zeros(len(layout.names), np.int64)
    column[layout.leaf] = np.arange(len(layout.leaf))

    def means(rows: slice) -> None:
        count = rows.stop - rows.start
        sums, parts = np.empty((count, whole.shape[1])), np.empty((count, broken.shape[1]))
        weigh(whole, np.ascontiguousarray(layout.effective(weight[rows])[:, layout.leaf]), sums)
        weigh_known(broken, seen, column, layout.parent, layout.count, np.ascontiguousarray(weight[rows]), known, parts)
        out[rows, ~gaps], out[rows, gaps] = back(sums), back(parts)

    _side_by_side(means, len(weight), len(values))
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

    _side_by_side(block, len(weights), len(values))
    return out


def rank_table(score: Floats) -> Places:
    """``(B, U)`` places from 1, the best, in each row; scores that are equal up to rounding share the better place.

    Raises BadInput where a score is not finite or there are more units than places.
    """
    from engine.kernels.ranking import rank_rows

    if score.shape[1] > _MOST:
        raise BadInput(f"{score.shape[1]} units are too many to rank in one table; the most is {_MOST}")
    out: Places = np.empty(score.shape, np.int16)

    def block(rows: slice) -> None:
        part = score[rows]
        if not np.isfinite(part.sum()) and not np.isfinite(part).all():
            b, u = (int(i[0]) for i in np.nonzero(~np.isfinite(part)))
            raise BadInput(f"draw {rows.start + b + 1} gives unit {u + 1} no score; only what is scored can be ranked")
        rank_rows(part, _ALIKE, out[rows])

    _side_by_side(block, *score.shape)
    return out


def _side_by_side(work: Callable[[slice], None], draws: int, cells: int) -> None:
    """Blocks of rows on all cores: products and kernels let go of the interpreter's lock. Each writes its own rows.

    cells: that one draw takes.
    """
    step = max(16, _CELLS // max(1, cells))
    blocks = [slice(start, min(start + step, draws)) for start in range(0, draws, step)]
    if len(blocks) < 4:
        for rows in blocks:
            work(rows)
        return
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for _ in pool.map(work, blocks):
            pass
