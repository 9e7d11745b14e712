"""Jumps that no economy makes: a value in another unit, a stock at another level. Both checks read them here.

The check of a load (review.py) asks about one value beside what was known before it; the check of a store (quality.py)
about every value beside those on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

import numpy as np

from engine.calendar import Freq
from engine.typing import Floats

UNIT = 2.6, 4.5
"""A unit is mistaken for another (千 or 万 of it, or that part) from so many powers of ten to so many: months differ too."""

JUMP = 10.0
"""A stock has jumped if its change is so many times the usual deviation from the usual change."""

SMALL = 0.03
"""A smaller change, in logs, is no jump however smooth the stock has been."""

LEAST = 24
"""Changes of a stock that must be known before one of them can be called unusual."""


def lag(kind: str, freq: Freq) -> int:
    """With what a value is compared: a sum since January with that of other years, others with their neighbours."""
    return freq.per_year if kind.endswith("_ytd") and freq in (Freq.M, Freq.Q) else 1


def usual_size(sizes: Mapping[int, float], t: int, lag: int) -> float | None:
    """The median size (power of ten) of the two values before ``t`` and the two after it, ``lag`` apart."""
    beside = [sizes[s] for s in (t - 2 * lag, t - lag, t + lag, t + 2 * lag) if s in sizes]
    return median(beside) if beside else None


def power(size: float, usual: float | None) -> int:
    """The power of ten by which a size is off, 3 or 4 up or down, or 0 where no unit is mistaken."""
    if usual is None or not UNIT[0] < abs(size - usual) < UNIT[1]:
        return 0
    return (3 if abs(size - usual) < 3.5 else 4) * (1 if size > usual else -1)


def usual_change(logs: Floats) -> tuple[float, float] | None:
    """The median change of the logs ``(T,)`` of a stock, and what is unusual: JUMP times the usual deviation from it, or SMALL.

    None for fewer than LEAST changes. NaN where not known.
    """
    change = np.diff(logs)
    change = change[np.isfinite(change)]
    if len(change) < LEAST:
        return None
    usual = float(np.median(change))
    return usual, max(JUMP * 1.4826 * float(np.median(np.abs(change - usual))), SMALL)
