"""A chronology that somebody declared, as it was known on a day: a turning point is said some months after it happened."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from engine.calendar import Freq, Period, known_day
from engine.errors import BadInput
from engine.panel import Panel
from engine.typing import Floats


def check(name: str, peaks: Sequence[str], troughs: Sequence[str], delay: int) -> None:
    """Peaks and troughs are months that take turns. Raises BadInput."""
    said = sorted([(Period.parse(m), "peak") for m in peaks] + [(Period.parse(m), "trough") for m in troughs])
    if not peaks or not troughs or delay < 0:
        raise BadInput(f"{name}: a declared event needs peaks, troughs and a delay of 0 or more months")
    if odd := [str(p) for p, _ in said if p.freq is not Freq.M]:
        raise BadInput(f"{name}: turning points are months, not {', '.join(odd)}")
    for (_, before), (month, after) in pairwise(said):
        if before == after:
            raise BadInput(f"{name}: {month} is a second {after} with no turn between; peaks and troughs take turns")


def on(panel: Panel, peaks: Sequence[str], troughs: Sequence[str], delay: int) -> Floats:
    """``(T,)`` 1 in the months after a peak to its trough, 0 after a trough to its peak, NaN where nobody had said yet.

    Known on the panel's day are the states of months ``delay`` months back and before. NaN before the first turn too. How
    long is usual: the NBER's committee has taken 4 to 21 months ("Business Cycle Dating Committee Announcements", nber.org).
    """
    sign = {Period.parse(m): 1.0 for m in peaks} | {Period.parse(m): 0.0 for m in troughs}
    months = sorted(sign)
    known = Period.of(known_day(panel.asof), Freq.M) + -delay
    at = np.searchsorted([m.ordinal for m in months], panel.first.ordinal + np.arange(panel.months), side="left") - 1
    states = np.array([sign[m] for m in months])
    out = np.where(at < 0, np.nan, states[np.maximum(at, 0)])
    out[max(known - panel.first + 1, 0) :] = np.nan
    return np.asarray(out, np.float64)
