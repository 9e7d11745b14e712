"""What published figures say about the periods of a finer grid, as rows of C x = y.

A quarter is the sum, the average, the first or the last of its months; a year-to-date figure is the sum of the months from
January on. Rows of several kinds may stand together: that is how a January–February figure, monthly year-to-date figures
and an annual total bind the same twelve months.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from scipy.linalg import qr

from engine.calendar import Freq, Period
from engine.errors import BadInput
from engine.typing import Bools, Floats

Conversion: TypeAlias = Literal["sum", "average", "first", "last"]
"""What a value of the coarser frequency is of the periods in it."""


@dataclass(frozen=True, slots=True)
class Constraints:
    """C x = y for the ``n`` periods from ``first`` on.

    matrix: ``(m, n)``, values: ``(m,)``, labels: ``(m,)`` what each row is called in messages.
    """

    first: Period
    matrix: Floats
    values: Floats
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        m = len(self.matrix)
        if self.values.shape != (m,) or len(self.labels) != m:
            raise BadInput(f"{m} rows of constraints need {m} values and labels, not {len(self.values)} values")
        if not m:
            raise BadInput("no value is known that could be spread over its periods")
        if not (np.isfinite(self.matrix).all() and np.isfinite(self.values).all()):
            raise BadInput("constraints hold finite numbers only; leave out the row of a value that is not known")
        # Rows that follow from others would make the system singular, and contradict it as soon as one is rounded.
        factor, order = qr(self.matrix.T, mode="r", pivoting=True)
        size = np.abs(np.diag(factor))
        rank = int((size > 1e-10 * max(size[0], 1e-300)).sum())
        if rank < m:
            odd = ", ".join(sorted(self.labels[i] for i in order[rank:])[:5])
            raise BadInput(f"{odd}: what this says follows from the other rows; leave it out")

    @property
    def periods(self) -> tuple[Period, ...]:
        """The ``n`` periods."""
        return tuple(self.first + i for i in range(self.matrix.shape[1]))

    def determined(self) -> Bools:
        """``(n,)`` which periods the rows alone settle, such as a month between two year-to-date figures."""
        basis = qr(self.matrix.T, mode="economic")[0]
        share: Floats = (basis**2).sum(axis=1)  # of the period's unit vector, in the space of the rows
        return share > 1.0 - 1e-9

    def span(self) -> tuple[int, int]:
        """Places of the first and the last period of which any row speaks."""
        at = np.flatnonzero(self.matrix.any(axis=0))
        return int(at[0]), int(at[-1])


def spread(first: Period, values: Floats, start: Period, n: int, conversion: Conversion) -> Constraints:
    """Rows for ``(k,)`` values of a coarser frequency, one a period from ``first`` on; NaN where not known gives no row.

    start, n: the finer grid. Raises BadInput for a value whose periods are not all on the grid.

    >>> spread(Period.parse("2024-Q1"), np.array([6.0]), Period.parse("2024-01"), 4, "sum").matrix.tolist()
    [[1.0, 1.0, 1.0, 0.0]]
    """
    if conversion not in get_args(Conversion):
        raise BadInput(f"not a conversion: {conversion!r} ({', '.join(get_args(Conversion))})")
    rows: list[Floats] = []
    labels: list[str] = []
    for period, lo, hi in _known(first, values, start, n):
        row = np.zeros(n)
        if conversion == "sum":
            row[lo:hi] = 1.0
        elif conversion == "average":
            row[lo:hi] = 1.0 / (hi - lo)
        else:
            row[lo if conversion == "first" else hi - 1] = 1.0
        rows.append(row)
        labels.append(f"{period} ({conversion})")
    return _constraints(start, rows, values, labels, n)


def year_to_date(first: Period, values: Floats, start: Period, n: int) -> Constraints:
    """Rows for ``(k,)`` year-to-date sums at the grid's own frequency, from ``first`` on; NaN where none is published.

    A January without a figure gives no row, and February's then holds the pair. start, n: the grid. Raises BadInput for a
    figure whose year does not begin on the grid.
    """
    rows: list[Floats] = []
    labels: list[str] = []
    for period, _, hi in _known(first, values, start, n):
        january = Period.of(period.start.replace(month=1), period.freq) - start
        if january < 0:
            raise BadInput(
                f"{period}: a year-to-date sum needs a grid from the beginning of the year, not from {start}"
            )
        rows.append(((np.arange(n) >= january) & (np.arange(n) < hi)).astype(float))
        labels.append(f"{period} (year to date)")
    return _constraints(start, rows, values, labels, n)


def stack(*parts: Constraints) -> Constraints:
    """All rows together. Raises BadInput if the grids differ, or if a row follows from others."""
    if len({(p.first, p.matrix.shape[1]) for p in parts}) != 1:
        raise BadInput("constraints that stand together need one grid")
    return Constraints(
        parts[0].first,
        np.vstack([p.matrix for p in parts]),
        np.concatenate([p.values for p in parts]),
        tuple(label for p in parts for label in p.labels),
    )


def inside(period: Period, fine: Freq) -> tuple[Period, Period]:
    """The first and the last of the finer periods in one period. Raises BadInput if it does not divide into them."""
    if (
        period.freq not in (Freq.A, Freq.Q, Freq.M)
        or fine not in (Freq.A, Freq.Q, Freq.M)
        or fine.per_year < period.freq.per_year
    ):
        raise BadInput(f"{period} does not divide into periods of frequency {fine.value}")
    return Period.of(period.start, fine), period.to(fine)


def _known(first: Period, values: Floats, start: Period, n: int) -> list[tuple[Period, int, int]]:
    """The periods with a value, and the places from … to (exclusive) that each covers."""
    if values.ndim != 1:
        raise BadInput(f"values are one a period, shape (k,), not {values.shape}")
    found = []
    for i in np.flatnonzero(~np.isnan(values)):
        period = first + int(i)
        lo, hi = (p - start for p in inside(period, start.freq))
        if lo < 0 or hi >= n:
            raise BadInput(f"{period} lies outside the grid {start} … {start + (n - 1)}")
        found.append((period, lo, hi + 1))
    return found


def _constraints(start: Period, rows: list[Floats], values: Floats, labels: list[str], n: int) -> Constraints:
    matrix = np.array(rows, float).reshape(len(rows), n)
    return Constraints(start, matrix, values[~np.isnan(values)], tuple(labels))
