"""From values of items to scores, an index and a light that is held: arrays only, row by row a month.

Rows with too little known have no index (NaN) and no light (0); the light before them is remembered.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engine.lights import Mark
from engine.typing import Bools, Floats, Ints

CEMAC = (190 / 3, 250 / 3, 350 / 3, 410 / 3)
"""Between blue, light blue, green, yellow and red on the scale where all items green is 100."""

TAIWAN = tuple(100 * n / 27 for n in (17, 23, 32, 38))
"""Nine items of weight 1: blue to 16 points, yellow-blue from 17, green 23, yellow-red 32, red 38; here on the same scale."""

NEAR = 1e-9
"""An index that lies on a band but for rounding lies on it."""


class Sources(NamedTuple):
    """``(T, K)`` each: the row whose value scores an item in a month (-1 for none), that mark, and the row of its own value."""

    row: Ints
    mark: Ints
    due: Ints


def sources(known: Bools, quarterly: Bools, first: int, pair: bool) -> Sources:
    """Where the value of each item in each month is found.

    known: ``(T, K)``. quarterly: ``(K,)``, whose values stand in the last month of the quarter and count for all three.
    first: ordinal of the month of row 0. pair: whether an empty January takes the value of a known February (a series that
    publishes January by itself has done so by then). Otherwise an empty cell takes the period before, once.
    """
    T, K = known.shape
    row, month = np.arange(T)[:, None] + np.zeros((1, K), np.int64), (first + np.arange(T))[:, None]
    due = np.where(quarterly, row + 2 - month % 3, row)
    before = due - np.where(quarterly, 3, 1)
    own = _at(known, due)
    carried = ~own & _at(known, before)
    source = np.where(own, due, np.where(carried, before, -1))
    mark = np.where(own, Mark.KNOWN, np.where(carried, Mark.CARRIED, Mark.MISSING))
    if pair:
        paired = ~own & ~quarterly & (month % 12 == 0) & _at(known, due + 1)
        source, mark = np.where(paired, due + 1, source), np.where(paired, Mark.PAIRED, mark)
    return Sources(source.astype(np.int64), mark.astype(np.int64), due.astype(np.int64))


def looked_up(values: Floats, source: Ints) -> Floats:
    """``(T, K)`` the values in the rows named, NaN for -1."""
    return np.where(source < 0, np.nan, np.take_along_axis(values, np.maximum(source, 0), 0))


def scores(x: Floats, cuts: Floats, sides: Ints) -> Ints:
    """``(…, K)`` values to 1 … 5, 0 for NaN. cuts: ``(…, K, 4)`` ascending; sides: ``(K,)`` 1, or -1 where more is colder.

    A value on a threshold gets the hotter light.
    """
    above = np.where(sides > 0, (x[..., None] >= cuts).sum(-1), 4 - (x[..., None] > cuts).sum(-1))
    return np.where(np.isnan(x), 0, 1 + above).astype(np.int64)


def index(score: Ints, weights: Ints, least: float, marks: Ints | None = None) -> Floats:
    """``(T,)`` 100 Σ w s / (3 Σ w) over the items that are scored.

    NaN where they hold less than ``least`` of the weight, or where all of them are carried.
    """
    present = ((score > 0) * weights).sum(-1)
    enough = (present > 0) & (present >= least * weights.sum() - NEAR)
    if marks is not None:
        enough &= ((marks == Mark.KNOWN) | (marks == Mark.PAIRED)).any(-1)
    points = (score * weights).sum(-1)
    out = np.full(score.shape[:-1], np.nan)
    np.divide(100.0 * points, 3.0 * present, out=out, where=enough)
    return out


def hold(value: Floats, bands: Floats, delta: float) -> tuple[Ints, Ints]:
    """``(T,)`` lights in force, and the bands in which the index lies, 1 … 5, 0 without an index.

    A light changes only as far as the index has crossed a band by ``delta``, or has lain beyond it for two periods. So of two
    paths the one that is nowhere lower never has the lower light.
    """
    seen = ~np.isnan(value)
    x = value[:, None]
    raw = np.where(seen, 1 + (x >= bands - NEAR).sum(1), 0)
    low = np.where(seen, 1 + (x >= bands + delta - NEAR).sum(1), 0)
    high = np.where(seen, 1 + (x >= bands - delta - NEAR).sum(1), 0)
    light = np.zeros(len(value), np.int64)
    now = last = 0
    for t, (r, lo, hi) in enumerate(zip(raw.tolist(), low.tolist(), high.tolist(), strict=True)):
        if not r:
            continue
        if not now:
            now = r
        else:
            now = min(max(now, lo), hi)
            now = min(max(now, min(last, r)), max(last, r))
        light[t] = now
        last = r
    return light, raw.astype(np.int64)


def _at(known: Bools, row: Ints) -> Bools:
    """Whether each item is known in the row named, which may lie outside."""
    T = len(known)
    inside = (row >= 0) & (row < T)
    return np.asarray(inside & np.take_along_axis(known, np.clip(row, 0, T - 1), 0), np.bool_)
