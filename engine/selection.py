"""Which of many series should lead a composite: the rank score of the package cif (LenkaV/CIF), over criteria of a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from engine.comovement import Profile
from engine.errors import BadInput
from engine.matching import Matching
from engine.typing import Floats


class Criteria(NamedTuple):
    """What a series is ranked by. gap: months between the median lead at turning points and that of the correlation."""

    missing: float
    before: float
    extra: float
    mean: float
    deviation: float
    variation: float
    gap: float
    correlation: float


WEIGHTS = Criteria(0.25, 0.05, 0.15, 0.15, 0.0, 0.10, 0.15, 0.15)
LARGE_IS_GOOD = Criteria(0, 0, 0, 1, 0, 0, 0, 1)


def criteria(matching: Matching, correlation: Profile) -> Criteria:
    """The criteria of one series; leads and their spread are 0 where nothing matches, a variation about 0 is infinite."""
    mean, median = matching.mean or 0.0, matching.median or 0.0
    deviation = matching.deviation or 0.0
    variation = float("inf") if matching.variation is None else matching.variation
    gap = abs(correlation.lead - median)
    missing, before, extra = (float(len(rows)) for rows in (matching.missing, matching.before, matching.extra))
    return Criteria(missing, before, extra, mean, deviation, variation, gap, abs(correlation.value))


def scores(series: Sequence[Criteria], weights: Criteria = WEIGHTS) -> Floats:
    """``(N,)`` weighted sum of ranks among the N series, N the best; of equals all get the best rank, leads count by size.

    A score says how a series compares with the others at hand, and changes with them. Raises BadInput without a series.
    """
    from scipy.stats import rankdata  # slow to import

    if not series:
        raise BadInput("scores need one series or more")
    table = np.array(series, np.float64)
    table[:, Criteria._fields.index("mean")] = np.abs(table[:, Criteria._fields.index("mean")])
    ranks = [rankdata(c if good else -c, method="max") for c, good in zip(table.T, LARGE_IS_GOOD, strict=True)]
    return np.asarray(np.array(weights) @ np.array(ranks), np.float64)
