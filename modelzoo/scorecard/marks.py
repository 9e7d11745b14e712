"""Marks: which values of a board are not simply what was reported. Read as ``mark`` beside scores and parts."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal, TypeAlias

import numpy as np
import polars as pl

from engine.calendar import Period
from engine.reading import READINGS
from modelzoo.scorecard.evaluate import Scored

MarkName: TypeAlias = Literal["hidden", "carried", "filled", "missing", "shrunk"]


class Mark(IntEnum):
    """What was done to a value, as numbered in :mod:`engine.reading`. Of several the first that stands here counts."""

    HIDDEN = 4
    CARRIED = 1
    FILLED = 3
    MISSING = 2
    SHRUNK = 5


NAMES: dict[Mark, tuple[MarkName, str]] = {
    Mark.HIDDEN: ("hidden", "样本过少，不公布"),
    Mark.CARRIED: ("carried", "沿用前期"),
    Mark.FILLED: ("filled", "插补"),
    Mark.MISSING: ("missing", "缺失"),
    Mark.SHRUNK: ("shrunk", "向均值收缩"),
}


def marks(scored: Scored, period: Period) -> pl.DataFrame:
    """READINGS of the level ``mark``, one for each unit and indicator to which something was done."""
    rules = [leaf.missing or scored.framework.missing for leaf in scored.framework.leaves]
    time = np.array([rule == "time" for rule in rules])
    found = {
        Mark.HIDDEN: scored.small.hidden,
        Mark.CARRIED: scored.filled & time,
        Mark.FILLED: scored.filled & ~time,
        Mark.MISSING: np.isnan(scored.imputed),
        Mark.SHRUNK: ~np.isnan(scored.small.reliability),
    }
    first = np.select(list(found.values()), [float(m) for m in found], default=0.0)
    rows = [
        (scored.units[u], str(period), "mark", scored.framework.indicators[j], float(first[u, j]))
        for u, j in np.argwhere(first > 0)
    ]
    return pl.DataFrame(rows, schema=READINGS, orient="row")
