"""Errors in the order of time: every band and every choice rests on rows that were predicted by what came before them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from engine.errors import NotEnoughData
from engine.typing import Floats

FOLDS = 5
START = 0.4  # share of the rows that the first fold learns from
HALF_LIFE = 40  # periods
FEWEST = 20  # rows below which no error can be measured so


def folds(n: int, name: str) -> list[tuple[int, int]]:
    """Stretches of rows ``[start, end)``, each predicted from all rows before its start. Raises NotEnoughData below 20 rows."""
    if n < FEWEST:
        raise NotEnoughData(f"{name}: errors in the order of time need {FEWEST} complete periods, {n} are known")
    edges = np.linspace(max(10, int(START * n)), n, FOLDS + 1).astype(int)
    return [(int(a), int(b)) for a, b in pairwise(edges)]


def spread(errors: Floats) -> float:
    """Root mean square of errors ``(n,)``, the newest last; one of forty periods ago counts half.

    Output has been much calmer since the 1980s: bands from all errors alike would hold nearly every outcome.
    """
    weight = 0.5 ** (np.arange(len(errors))[::-1] / HALF_LIFE)
    return float(np.sqrt(weight @ np.square(errors) / weight.sum()))


def chosen(errors: list[Floats]) -> tuple[int, float]:
    """The candidate with the least squared error over all folds, and the spread of errors of choosing so as one goes.

    errors: one array a fold, ``(candidates, rows)``. The candidate of a fold is the best of the folds before it, so that the choice
    does not flatter the error; the first fold is not counted.
    """
    sums = np.array([np.square(e).sum(1) for e in errors])
    went = [errors[f][int(np.argmin(sums[:f].sum(0)))] for f in range(1, len(errors))]
    return int(np.argmin(sums.sum(0))), spread(np.concatenate(went))


def widening(sigma: Floats) -> Floats:
    """``(H + 1,)`` bands by horizon: none narrower than a nearer one; beyond the last at least the target's own spread, 1."""
    wide = np.maximum.accumulate(sigma)
    return np.append(wide, max(float(wide[-1]), 1.0))
