"""Panel: all that was known on one day, analysed and comparable. What passes between data and methods."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Literal

import numpy as np
import polars as pl

from engine.calendar import Freq, Period, known_day
from engine.errors import BadInput, LookAhead, Unknown
from engine.figures import Flags, Origin
from engine.indicator import Series
from engine.typing import Bools, Floats, Ints

Timing = Literal["real", "pseudo"]
"""``real``: values and days as they were. ``pseudo``: one later vintage, cut by usual publication delays."""

AXIS = "month"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = np.iinfo(np.int64).min  # which numpy writes as NaT, and polars reads as null
STAMP = pl.Datetime("us", "UTC")


@dataclass(frozen=True, eq=False)
class Panel:
    """Values known at ``asof``, one row a month, one column a series.

    values: ``(T, N)`` from the month ``first`` on, NaN where nothing is known; a quarterly or annual value stands in the last
    month of its period. stamps: ``(T, N)`` int64, microseconds since 1970 UTC when the newest value behind the cell became known,
    NEVER where it is empty. As polars frames both are ``frame`` and ``known``. flags: ``(T, N)`` what to be careful about, the
    bits PAIR, IMPUTED and NOMINAL_SCOPE of ``engine.figures.Origin``; 0 for a published figure of its own month, an empty cell,
    and where none are given. A cell that is empty and has a stamp is left out of learning (``without``).

    Raises LookAhead if a cell became known after ``asof``, BadInput if the shapes do not fit.
    """

    asof: datetime
    series: tuple[Series, ...]
    first: Period
    values: Floats
    stamps: Ints
    timing: Timing = "real"
    flags: Flags = field(default_factory=lambda: np.zeros((0, 0), np.uint8))
    _column: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.asof.tzinfo is None:
            raise BadInput("the information date of a panel needs a time zone")
        if self.first.freq is not Freq.M or not len(self.values):
            raise BadInput("a panel begins with a month, and has at least one")
        if self.values.shape != self.stamps.shape or self.values.shape[1] != len(self.series):
            raise BadInput(
                f"{len(self.series)} series, values {self.values.shape} and stamps {self.stamps.shape} do not fit"
            )
        if not self.flags.size:
            object.__setattr__(self, "flags", np.zeros(self.values.shape, np.uint8))
        if self.flags.shape != self.values.shape or self.flags.dtype != np.uint8:
            raise BadInput(f"the flags of a panel are bytes of the shape of its values, not {self.flags.shape}")
        object.__setattr__(self, "_column", {s.id: i for i, s in enumerate(self.series)})
        newest = self.newest
        if newest is not None and newest > self.asof:
            late = [i for i, top in zip(self.ids, self.stamps.max(0), strict=True) if top > _microseconds(self.asof)]
            raise LookAhead(
                f"{', '.join(late)}: known at {newest:%Y-%m-%d %H:%M} UTC, after the as-of {self.asof:%Y-%m-%d %H:%M}"
            )

    @classmethod
    def of_frames(
        cls,
        asof: datetime,
        series: tuple[Series, ...],
        frame: pl.DataFrame,
        known: pl.DataFrame,
        timing: Timing = "real",
    ) -> Panel:
        """From a column ``month`` (Int32, ordinals without gaps) and one column per series id, Float64 and Datetime(us, UTC).

        Raises BadInput if the two frames do not fit.
        """
        ids = [s.id for s in series]
        if frame.columns != [AXIS, *ids] or known.columns != [AXIS, *ids]:
            raise BadInput(f"the frames of a panel need the columns {AXIS}, {', '.join(ids)}")
        months = frame[AXIS].to_numpy()
        if len(months) == 0 or not np.array_equal(months, np.arange(months[0], months[0] + len(months))):
            raise BadInput("the months of a panel must follow each other without a gap, and there must be at least one")
        if not frame[AXIS].equals(known[AXIS]):
            raise BadInput("the two frames of a panel have the same months")
        values = np.column_stack([frame[i].cast(pl.Float64).to_numpy() for i in ids])
        stamps = np.column_stack([known[i].cast(STAMP).to_numpy().view(np.int64) for i in ids])
        return cls(asof, series, Period(Freq.M, int(months[0])), values, stamps, timing)

    @cached_property
    def frame(self) -> pl.DataFrame:
        """Column ``month`` and one Float64 column per series id; null where nothing is known."""
        columns = {i: pl.Series(i, self.values[:, j], nan_to_null=True) for j, i in enumerate(self.ids)}
        return pl.DataFrame({AXIS: self._axis, **columns})

    @cached_property
    def known(self) -> pl.DataFrame:
        """The same shape; Datetime(us, UTC), when the newest value behind the cell became known."""
        stamps = np.ascontiguousarray(self.stamps).view("datetime64[us]")
        return pl.DataFrame(
            {AXIS: self._axis, **{i: pl.Series(stamps[:, j], dtype=STAMP) for j, i in enumerate(self.ids)}}
        )

    @property
    def _axis(self) -> pl.Series:
        return pl.Series(AXIS, np.arange(self.first.ordinal, self.first.ordinal + self.months, dtype=np.int32))

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._column)

    @property
    def months(self) -> int:
        """T, the number of rows."""
        return len(self.values)

    @property
    def last(self) -> Period:
        """The month of the last row."""
        return self.first + (self.months - 1)

    @property
    def newest(self) -> datetime | None:
        """When the newest value in the panel became known: the proof that nothing from the future was used."""
        top = int(self.stamps.max(initial=NEVER))
        return None if top == NEVER else EPOCH + timedelta(microseconds=top)

    @property
    def day(self) -> str:
        """The information date as people write it."""
        return known_day(self.asof).isoformat()

    def row(self, period: Period) -> int:
        """The row in which a period ends: one subtraction. May lie outside of the frame."""
        return period.last_month.ordinal - self.first.ordinal

    def matrix(self, ids: Sequence[str]) -> Floats:
        """``(T, len(ids))`` values, NaN where not known. Raises Unknown for a series that the panel lacks."""
        return self.values[:, self._places(ids)]

    def known_at(self, ids: Sequence[str]) -> Ints:
        """``(T, len(ids))`` microseconds since 1970 UTC at which each cell became known; NEVER where it is empty."""
        return self.stamps[:, self._places(ids)]

    def flags_of(self, ids: Sequence[str]) -> Flags:
        """``(T, len(ids))`` bits of ``engine.figures.Origin``."""
        return self.flags[:, self._places(ids)]

    def meaning(self, series_id: str) -> Series:
        """The series of that id. Raises Unknown."""
        return self.series[self._places([series_id])[0]]

    def meanings(self, ids: Sequence[str]) -> list[Series]:
        """The series of these ids. Raises Unknown."""
        return [self.series[j] for j in self._places(ids)]

    def select(self, ids: Sequence[str]) -> Panel:
        """The same panel with these series only."""
        at = self._places(ids)
        return replace(
            self,
            series=tuple(self.series[j] for j in at),
            values=self.values[:, at],
            stamps=self.stamps[:, at],
            flags=self.flags[:, at],
        )

    def with_values(self, ids: Sequence[str], values: Floats, asof: datetime | None = None) -> Panel:
        """The same panel with other values in some columns, NaN for none: how news steps from one vintage to the next.

        values: ``(T, len(ids))``. A cell that was empty becomes known at the panel's own information date. Flags stay where the
        cell is not emptied.
        """
        at, asof = self._places(ids), asof or self.asof
        seen, stamps = ~np.isnan(values), self.stamps[:, at]
        stamps = np.where(seen, np.where(stamps == NEVER, _microseconds(asof), stamps), NEVER)
        whole, when, flags = self.values.copy(), self.stamps.copy(), self.flags.copy()
        whole[:, at], when[:, at], flags[:, at] = values, stamps, np.where(seen, flags[:, at], 0)
        return replace(self, asof=asof, values=whole, stamps=when, flags=flags)

    def over(self, first: Period, last: Period) -> Panel:
        """The same panel on an axis that covers at least the months ``first`` … ``last``; new months are empty."""
        before, after = max(0, self.first - first), max(0, last - self.last)
        if not before and not after:
            return self
        here, shape = slice(before, before + self.months), (before + self.months + after, len(self.series))
        values, stamps, flags = np.full(shape, np.nan), np.full(shape, NEVER), np.zeros(shape, np.uint8)
        values[here], stamps[here], flags[here] = self.values, self.stamps, self.flags
        return replace(self, first=self.first + -before, values=values, stamps=stamps, flags=flags)

    def without(self, stretches: Sequence[tuple[Period, Period]]) -> Panel:
        """The same panel to learn from, months left out: each stretch from its first month to its last.

        Every value whose period overlaps a stretch is emptied: of a quarter that lies partly in it, of a pair of January and
        February, of a year. The stamps stay, so that models still see how late each series was known (``left_out``).
        """
        taken = np.zeros(self.months + 1, np.int64)  # months taken before each row
        months = self.first.ordinal + np.arange(self.months)
        taken[1:] = np.cumsum(np.any([(months >= a.ordinal) & (months <= b.ordinal) for a, b in stretches], axis=0))
        length = np.array([12 // s.freq.per_year for s in self.series])
        length = np.where(self.flags & np.uint8(Origin.PAIR), 2, length)
        rows = np.arange(self.months)[:, None]
        touched = taken[rows + 1] > taken[np.maximum(rows + 1 - length, 0)]
        return replace(
            self, values=np.where(touched, np.nan, self.values), flags=np.where(touched, np.uint8(0), self.flags)
        )

    def left_out(self, ids: Sequence[str]) -> Bools:
        """``(T, len(ids))`` which cells are known and not to be learned from; none unless the panel was made ``without`` months."""
        at = self._places(ids)
        return np.asarray(np.isnan(self.values[:, at]) & (self.stamps[:, at] != NEVER))

    def digest(self) -> str:
        """sha256 of ids, months, values to the last bit, and flags and what is left out if there are any: two panels with one
        digest give the same answers."""
        h = hashlib.sha256(repr((self.ids, self.first.ordinal, self.months)).encode())
        h.update(np.where(np.isnan(self.values), np.nan, self.values).tobytes())  # one bit pattern for every NaN
        if self.flags.any():
            h.update(self.flags.tobytes())
        if (left_out := self.left_out(self.ids)).any():
            h.update(left_out.tobytes())
        return h.hexdigest()

    def _places(self, ids: Sequence[str]) -> list[int]:
        if missing := [i for i in ids if i not in self._column]:
            raise Unknown(f"the panel as of {self.day} does not hold {', '.join(missing)}")
        return [self._column[i] for i in ids]


def _microseconds(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)


def empty_known(frame: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """A ``known`` frame for values of which only one date of knowledge is on record."""
    stamp = pl.lit(at).dt.cast_time_unit("us")
    return frame.select(
        AXIS, *(pl.when(pl.col(c).is_not_null()).then(stamp).alias(c) for c in frame.columns if c != AXIS)
    )
