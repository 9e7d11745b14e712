"""How far a series runs ahead of another, and how surely: the best lead with an interval from blocks of months.

Sources: Künsch, "The Jackknife and the Bootstrap for General Stationary Observations" (Annals of Statistics, 1989) for blocks;
the statistic is that of :func:`engine.comovement.cross_correlation`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engine.comovement import cross_correlation
from engine.errors import BadInput
from engine.matching import EARLIEST, LATEST
from engine.typing import Floats

BLOCK = 36
"""Months in a block: about a short cycle, so that what moves together stays together."""


class Ahead(NamedTuple):
    """lead: months by which the series runs ahead, at the correlation that is largest in size. low, high: its interval.

    share: of the draws in which it runs ahead at all (lead > 0). draws: how many there were.
    """

    lead: int
    correlation: float
    low: float
    high: float
    share: float
    draws: int


def ahead(
    reference: Floats, series: Floats, latest: int = LATEST, earliest: int = EARLIEST, block: int = BLOCK,
    draws: int = 999, percent: float = 90.0, seed: int = 0,
) -> Ahead:  # fmt: skip
    """The best lead of ``series`` over ``reference``, ``(T,)`` of the same months, between -latest and earliest months.

    A month is drawn with the series' values at every lead beside it, in circular blocks, so that what is drawn is the pair.
    The sign of the relation is that of the sample, so that a draw cannot turn the series over. Cycles are few: with T of 200
    and blocks of 36 a draw holds six of them, and the interval is as wide as that. Raises BadInput for a block that does not
    fit or a per cent outside (0, 100), and as ``cross_correlation``.

    >>> wave = np.sin(np.arange(240) / 7)
    >>> found = ahead(wave[:-5], wave[5:], draws=99)  # what comes five months later is told now
    >>> found.lead, found.low, found.high
    (5, 5.0, 5.0)
    """
    profile = cross_correlation(reference, series, latest, earliest)
    y, x = np.asarray(reference, np.float64), np.asarray(series, np.float64)
    rows = np.arange(earliest, len(y) - latest)
    beside = np.column_stack([x[rows - lead] for lead in profile.leads])
    kept = np.isfinite(y[rows]) & np.isfinite(beside).all(1)
    y, beside = y[rows][kept], np.sign(profile.value) * beside[kept]
    if not 1 <= block <= len(y) // 2 or not 0 < percent < 100:
        raise BadInput(f"blocks of {block} months and {percent} % do not fit {len(y)} months known at every lead")
    starts = np.random.default_rng(seed).integers(0, len(y), (draws, -(-len(y) // block)))
    at = ((starts[:, :, None] + np.arange(block)) % len(y)).reshape(draws, -1)[:, : len(y)]
    best = np.array([profile.leads[np.argmax(_correlations(y[rows], beside[rows]))] for rows in at])
    low, high = np.percentile(best, [(100 - percent) / 2, (100 + percent) / 2])
    return Ahead(profile.lead, profile.value, float(low), float(high), float((best > 0).mean()), draws)


def _correlations(y: Floats, x: Floats) -> Floats:
    """``(K,)`` of y ``(n,)`` with every column of x ``(n, K)``."""
    a, b = y - y.mean(), x - x.mean(0)
    size = np.sqrt((a @ a) * (b * b).sum(0))
    out = np.full(x.shape[1], -1.0)
    np.divide(a @ b, size, out=out, where=size > 0)
    return out
