"""Panel: all that was known on one day, analysed and comparable. What passes between data and methods."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
import polars as pl

from engine.calendar import Freq, Period, known_day
from engine.errors import BadInput, LookAhead, Unknown
from engine.indicator import Series
from engine.typing import Floats

Timing = Literal["real", "pseudo"]
"""``real``: values and days as they were. ``pseudo``: one later vintage, cut by usual publication delays."""

AXIS = "month"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = np.iinfo(np.int64).min  # which numpy writes as NaT, and polars reads as null
STAMP = pl.Datetime("us", "UTC")


@dataclass(frozen=True, slots=True)
class Panel:
    """Values known at ``asof``, one row a month, one column a series.

    frame: column ``month`` (Int32, ordinals of monthly periods, without gaps) and one Float64 column per series id; a quarterly
    value stands in the last month of its quarter; null where nothing is known.
    known: the same shape; Datetime(us, UTC), when the newest value behind the cell became known.

    Raises LookAhead if a cell became known after ``asof``, BadInput if the two frames do not fit.
    """

    asof: datetime
    series: tuple[Series, ...]
    frame: pl.DataFrame
    known: pl.DataFrame
    timing: Timing = "real"
    _column: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.asof.tzinfo is None:
            raise BadInput("the information date of a panel needs a time zone")
        ids = [s.id for s in self.series]
        if self.frame.columns != [AXIS, *ids] or self.known.columns != [AXIS, *ids]:
            raise BadInput(f"the frames of a panel need the columns {AXIS}, {', '.join(ids)}")
        months = self.frame[AXIS].to_numpy()
        if len(months) == 0 or not np.array_equal(months, np.arange(months[0], months[0] + len(months))):
            raise BadInput("the months of a panel must follow each other without a gap, and there must be at least one")
        object.__setattr__(self, "_column", {name: i for i, name in enumerate(ids)})
        newest = self.newest
        if newest is not None and newest > self.asof:
            late = [c for c in ids if (m := self.known[c].max()) is not None and m > self.asof]  # type: ignore[operator]
            raise LookAhead(
                f"{', '.join(late)}: known at {newest:%Y-%m-%d %H:%M} UTC, after the as-of {self.asof:%Y-%m-%d %H:%M}"
            )

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._column)

    @property
    def first(self) -> Period:
        """The month of row 0."""
        return Period(Freq.M, int(self.frame[AXIS][0]))

    @property
    def last(self) -> Period:
        """The month of the last row."""
        return Period(Freq.M, int(self.frame[AXIS][-1]))

    @property
    def newest(self) -> datetime | None:
        """When the newest value in the panel became known: the proof that nothing from the future was used."""
        if not self.series:
            return None
        tops = [top for s in self.known.iter_columns() if s.name != AXIS and (top := s.max()) is not None]
        return max(tops) if tops else None  # type: ignore[return-value]

    @property
    def day(self) -> str:
        """The information date as people write it."""
        return known_day(self.asof).isoformat()

    def row(self, period: Period) -> int:
        """The row in which a period ends: one subtraction. May lie outside of the frame."""
        return period.last_month.ordinal - self.first.ordinal

    def matrix(self, ids: Sequence[str]) -> Floats:
        """``(T, len(ids))`` values, NaN where not known. Raises Unknown for a series that the panel lacks."""
        self._require(ids)
        return np.column_stack([self.frame[i].to_numpy() for i in ids]) if ids else np.empty((self.frame.height, 0))

    def known_at(self, ids: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
        """``(T, len(ids))`` microseconds since 1970 UTC at which each cell became known; NEVER where it is empty."""
        self._require(ids)
        return np.column_stack([self.known[i].to_numpy().view(np.int64) for i in ids])

    def meaning(self, series_id: str) -> Series:
        """The series of that id. Raises Unknown."""
        self._require([series_id])
        return self.series[self._column[series_id]]

    def select(self, ids: Sequence[str]) -> Panel:
        """The same panel with these series only."""
        self._require(ids)
        return replace(
            self, series=tuple(self.meaning(i) for i in ids),
            frame=self.frame.select(AXIS, *ids), known=self.known.select(AXIS, *ids),
        )  # fmt: skip

    def with_values(self, ids: Sequence[str], values: Floats, asof: datetime | None = None) -> Panel:
        """The same panel with other values in some columns, NaN for none: how news steps from one vintage to the next.

        values: ``(T, len(ids))``. A cell that was empty becomes known at the panel's own information date.
        """
        self._require(ids)
        asof = asof or self.asof
        stamps, seen = self.known_at(ids), ~np.isnan(values)
        stamps = np.where(seen & (stamps == NEVER), (asof - EPOCH) // timedelta(microseconds=1), stamps)
        stamps = np.where(seen, stamps, NEVER)
        frame = pl.from_numpy(values, list(ids), orient="row").fill_nan(None)
        known = pl.from_numpy(stamps, list(ids), orient="row").select(
            pl.when(pl.all() != NEVER).then(pl.all()).cast(STAMP)
        )
        return replace(self, asof=asof, frame=self.frame.with_columns(frame), known=self.known.with_columns(known))

    def over(self, first: Period, last: Period) -> Panel:
        """The same panel on an axis that covers at least the months ``first`` … ``last``; new months are empty."""
        a, b = min(first.ordinal, self.first.ordinal), max(last.ordinal, self.last.ordinal)
        if (a, b) == (self.first.ordinal, self.last.ordinal):
            return self
        axis = pl.DataFrame({AXIS: np.arange(a, b + 1, dtype=np.int32)})
        return replace(
            self,
            frame=axis.join(self.frame, on=AXIS, how="left", maintain_order="left"),
            known=axis.join(self.known, on=AXIS, how="left", maintain_order="left"),
        )

    def digest(self) -> str:
        """sha256 of ids, months and values to the last bit: two panels with one digest give the same answers."""
        h = hashlib.sha256(repr((self.ids, self.first.ordinal, self.frame.height)).encode())
        values = self.matrix(self.ids)
        h.update(np.where(np.isnan(values), np.nan, values).tobytes())  # one bit pattern for every NaN
        return h.hexdigest()

    def _require(self, ids: Sequence[str]) -> None:
        if missing := [i for i in ids if i not in self._column]:
            raise Unknown(f"the panel as of {self.day} does not hold {', '.join(missing)}")


def empty_known(frame: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """A ``known`` frame for values of which only one date of knowledge is on record."""
    stamp = pl.lit(at).dt.cast_time_unit("us")
    return frame.select(
        AXIS, *(pl.when(pl.col(c).is_not_null()).then(stamp).alias(c) for c in frame.columns if c != AXIS)
    )
