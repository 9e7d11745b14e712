"""From published to analysed values, by the name that the catalogue gives: lin, chg, pch, pca.

The names are those of FRED and of the New York Fed's specification (Bok et al. 2017, appendix).
"""

from __future__ import annotations

import numpy as np

from engine.calendar import Freq
from engine.indicator import Step
from engine.typing import Floats


def analyse(values: Floats, step: Step, freq: Freq) -> Floats:
    """Apply a step to one gap-free run of periods.

    values: ``(T,)`` one value a period, NaN where not known. Returns ``(T,)``; the first value of a change is NaN, and so is
    a growth rate on a base that is not positive.

    >>> analyse(np.array([100.0, 101.0, np.nan, 103.0]), "pch", Freq.M).round(6).tolist()
    [nan, 1.0, nan, nan]
    """
    if step == "lin":
        return values.copy()
    out = np.full_like(values, np.nan)
    base, now = values[:-1], values[1:]
    if step == "chg":
        out[1:] = now - base
        return out
    power = freq.per_year if step == "pca" else 1
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = 100.0 * ((now / base) ** power - 1.0)
    out[1:] = np.where((base > 0) & (now > 0), growth, np.nan)
    return out


def reach(step: Step) -> int:
    """How many periods back an analysed value looks: a revision of period t moves t … t + reach."""
    return 0 if step == "lin" else 1
