"""The plain ways to a finer frequency, where a method asks for them: a straight line, and the last value.

Neither meets the published figures; :mod:`engine.disaggregate` does.
"""

from __future__ import annotations

import numpy as np

from engine.calendar import Period
from engine.constraints import Conversion, inside
from engine.disaggregate import Disaggregated, Flag
from engine.errors import BadInput
from engine.typing import Floats


def linear(first: Period, values: Floats, start: Period, n: int, conversion: Conversion = "average") -> Disaggregated:
    """A straight line between values ``(k,)`` of a coarser frequency, one a period from ``first`` on (OECD, CLI system).

    A sum or an average stands in the middle of its period (a sum is divided by the number of periods first), a first or
    last value where it was measured. start, n: the finer grid. Before the first value, after the last and beside a NaN the
    line is not defined.
    """
    lo, hi = inside(first, start.freq)
    per = hi - lo + 1
    level = values / per if conversion == "sum" else values
    anchor = {"sum": (per - 1) / 2, "average": (per - 1) / 2, "first": 0, "last": per - 1}.get(conversion)
    if anchor is None:
        raise BadInput(f"not a conversion: {conversion!r} (sum, average, first, last)")
    place = (np.arange(n) + (start - lo) - anchor) / per  # in coarse periods from the first value
    left = np.floor(place).astype(int)
    share = place - left
    padded = np.concatenate([level, [np.nan, np.nan]])
    on = (left >= 0) & (left < len(values))
    left = np.where(on, left, len(values))
    met = on & (share == 0)
    out = np.where(met, padded[left], (1 - share) * padded[left] + share * padded[left + 1])
    measured = met if conversion in ("first", "last") else np.zeros(n, bool)
    flags: list[Flag] = [
        "undefined" if np.isnan(v) else "exact" if m else "imputed" for v, m in zip(out, measured, strict=True)
    ]
    return Disaggregated("linear", start, out, tuple(flags))


def last_value(first: Period, values: Floats, start: Period, n: int) -> Disaggregated:
    """Each period takes the newest value ``(k,)`` of a coarser period that has ended by then: it never looks ahead.

    A NaN is passed over. Periods before the end of the first are not defined; after the next value would be due, the flag is
    ``extrapolated``.
    """
    out = np.full(n, np.nan)
    newest = -1
    for i in np.flatnonzero(~np.isnan(values)):
        newest = inside(first + int(i), start.freq)[1] - start
        out[max(newest, 0) :] = values[i]
    late = newest + start.freq.per_year // first.freq.per_year
    flags: list[Flag] = [
        "undefined" if np.isnan(v) else "extrapolated" if i >= late else "imputed" for i, v in enumerate(out)
    ]
    return Disaggregated("last value", start, out, tuple(flags))
