"""How far the last months of a cycle may be believed: what was said of past months at each age, against what they became.

Everything is counted by *age*, the months between a month and the newest month known when it was estimated. Age 0 is the
last point of a chart. Orphanides and van Norden (2002): where the noise-to-signal ratio is near 1, a reader knows as much
about the last point without the chart as with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from engine.calendar import Period
from engine.errors import BadInput, NotEnoughData
from engine.estimate import BANDS, LEVELS
from engine.track import MATURE, Track
from engine.typing import Bools, Floats, Ints

AGES = 24
LEAST = 24  # estimates at every age


@dataclass(frozen=True, slots=True)
class Revisions:
    """Final minus first said, for each age 0 … A - 1; all arrays ``(A,)``, quantiles ``(A, len(LEVELS))``.

    mean, absolute, root: mean, mean absolute and root mean square revision, in the unit of the cycle. noise: standard
    deviation of the revision / that of the final cycle. correlation: with the final cycle. sign: share on the final side of
    the neutral level. direction: share whose last change went the final way.
    """

    ages: Ints
    count: Ints
    mean: Floats
    absolute: Floats
    root: Floats
    noise: Floats
    correlation: Floats
    sign: Floats
    direction: Floats
    quantiles: Floats


@dataclass(frozen=True, slots=True)
class Honesty:
    """What is printed beside the last months of a cycle, oldest first; all ``(M,)``, quantiles ``(M, len(LEVELS))``.

    quantiles: of what the value will become, by what became of values of that age. agrees: the second opinion lies on the
    same side of its neutral level; None without one. turns: the record of its turning points; None if it was not asked for.
    """

    rows: Ints
    ages: Ints
    values: Floats
    noise: Floats
    sign: Floats
    direction: Floats
    quantiles: Floats
    agrees: Bools | None
    turns: Track | None

    def to_frame(self, first: Period) -> pl.DataFrame:
        """A line for each month; ``first`` is the period of row 0 of the cycle. lower and upper: the 80 % band."""
        low, high = BANDS[80]
        return pl.DataFrame(
            {
                "period": [str(first + int(row)) for row in self.rows],
                "age": self.ages,
                "value": self.values,
                "lower": self.quantiles[:, low],
                "upper": self.quantiles[:, high],
                "noise": self.noise,
                "sign": self.sign,
                "direction": self.direction,
                "agrees": pl.Series("agrees", self.agrees, pl.Boolean) if self.agrees is not None else None,
            }
        )


def as_known(values: Floats, cycle: Callable[[Floats], Floats], first: int) -> Floats:
    """``(T, V)`` the cycle as estimated each month: a column for each as-of month, NaN after it.

    values: ``(T,)`` a series that is never revised, from ``first`` known months on; or ``(T, V)``, a column for each vintage,
    of which those with fewer than ``first`` known months are left out. cycle: from ``(T,)`` values to ``(T,)``. It gets what
    was known and nothing else. Raises NotEnoughData if nothing is left.
    """
    y = np.asarray(values, np.float64)
    if y.ndim == 1:
        known = np.flatnonzero(np.isfinite(y))[first - 1 :]
        columns = [np.where(np.arange(len(y)) <= t, y, np.nan) for t in known]
    elif y.ndim == 2:
        columns = [c for c in y.T if np.isfinite(c).sum() >= first]
    else:
        raise BadInput(f"values are (T,) or (T, V), not of shape {y.shape}")
    if not columns:
        raise NotEnoughData(f"no vintage has {first} months, from which a replay starts")
    out = np.full((len(y), len(columns)), np.nan)
    for v, column in enumerate(columns):
        last = int(np.flatnonzero(np.isfinite(column))[-1])
        out[: last + 1, v] = cycle(column[: last + 1])
    return out


def revisions(vintages: Floats, ages: int = AGES, mature: int = MATURE, neutral: float = 0.0) -> Revisions:
    """Measures of what was said at ages 0 … ``ages`` against the newest vintage.

    vintages: ``(T, V)``, columns by as-of month, NaN after the last known month of each (:func:`as_known`). Only months that
    the newest vintage knows for ``mature`` months or more count: before, the final is not final. neutral: 0 for a cycle, 100
    for an index of it. Raises BadInput for columns out of order, NotEnoughData below 24 estimates at an age.
    """
    y = np.asarray(vintages, np.float64)
    if y.ndim != 2 or ages < 0 or mature < 0:
        raise BadInput(f"vintages are (T, V) and ages and mature not negative, not {y.shape}, {ages}, {mature}")
    known = np.isfinite(y)
    if not known.any(axis=0).all():
        raise BadInput("a vintage knows no month", column=f"{int(np.argmin(known.any(axis=0))) + 1}")
    last = len(y) - 1 - np.argmax(known[::-1], axis=0)
    if (np.diff(last) < 0).any():
        raise BadInput("vintages go from old to new", column=f"{int(np.argmax(np.diff(last) < 0)) + 2}")
    final, end = y[:, -1], int(last[-1]) - mature
    rows: list[list[float]] = []
    quantiles, counts = [], []
    for age in range(ages + 1):
        v = np.flatnonzero((last - age >= 1) & (last - age <= end))
        v = v[np.append(last[v][1:] != last[v][:-1], True)] if len(v) else v  # the newest of one as-of month
        t = last[v] - age
        v, t = (a[np.isfinite(y[t, v] + y[t - 1, v] + final[t] + final[t - 1])] for a in (v, t))
        if len(v) < LEAST:
            raise NotEnoughData(
                f"{len(v)} months were estimated {age} months later and are final by now ({mature} months); {LEAST} are needed"
            )
        said, became = y[t, v], final[t]
        change, changed = said - y[t - 1, v], became - final[t - 1]
        revision = became - said
        size = became.std(ddof=1)
        moves = size > 0 and said.std() > 0
        rows.append([
            revision.mean(),
            np.abs(revision).mean(),
            np.sqrt(np.mean(revision**2)),
            revision.std(ddof=1) / size if size > 0 else np.inf,
            float(np.corrcoef(said, became)[0, 1]) if moves else 0.0,
            np.mean(np.sign(said - neutral) == np.sign(became - neutral)),
            np.mean(np.sign(change) == np.sign(changed)),
        ])  # fmt: skip
        quantiles.append(np.quantile(revision, LEVELS))
        counts.append(len(v))
    mean, absolute, root, noise, correlation, sign, direction = np.array(rows).T
    return Revisions(
        np.arange(ages + 1),
        np.array(counts),
        mean,
        absolute,
        root,
        noise,
        correlation,
        sign,
        direction,
        np.array(quantiles),
    )


def honesty(
    cycle: Floats,
    past: Revisions,
    months: int = 12,
    neutral: float = 0.0,
    second: Floats | None = None,
    turns: Track | None = None,
) -> Honesty:
    """The last ``months`` known months of a cycle ``(T,)`` with the record of their ages.

    second: another cycle of the same months, such as Hamilton's, compared by the side of 0 on which it lies. Raises BadInput
    if the record does not reach so far back, NotEnoughData if so many months are not known.
    """
    y = np.asarray(cycle, np.float64)
    known = np.flatnonzero(np.isfinite(y))
    if y.ndim != 1 or not 1 <= months <= len(past.ages):
        raise BadInput(f"a cycle is (T,) and months 1 … {len(past.ages)}, not {y.shape} and {months}")
    if len(known) < months:
        raise NotEnoughData(f"{len(known)} months of the cycle are known, not {months}")
    rows = known[-months:]
    ages = rows[-1] - rows
    if ages[0] >= len(past.ages):
        raise BadInput(f"a cycle with gaps: its last {months} months reach back {ages[0]} months, row {rows[0] + 1}")
    values, agrees = y[rows], None
    if second is not None:
        other = np.asarray(second, np.float64)
        if other.shape != y.shape or not np.isfinite(other[rows]).all():
            raise BadInput(
                f"the second opinion is (T,) and known in the last {months} months, not of shape {other.shape}"
            )
        agrees = np.sign(other[rows]) == np.sign(values - neutral)
    return Honesty(
        rows,
        ages,
        values,
        past.noise[ages],
        past.sign[ages],
        past.direction[ages],
        values[:, None] + past.quantiles[ages],
        agrees,
        turns,
    )
