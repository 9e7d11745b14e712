"""Time as integers. A period is a frequency and an ordinal; dates appear only at the edges.

>>> q = Period.parse("2016-Q2")
>>> str(q + 1), q.start, q.end, str(q.last_month), (q + 4) - q
('2016-Q3', datetime.date(2016, 4, 1), datetime.date(2016, 6, 30), '2016-06', 4)

**Information dates.** A release dated by a day is known from the midnight that ends that day; ``asof D`` means that same
midnight. Both are written in UTC, so that "known on D" and "as of D" agree whatever zone the office sits in. A release with
an exact instant keeps it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from engine.errors import BadInput


class Freq(StrEnum):
    """Frequency of a series. ``per_year`` is undefined for weeks and days."""

    A = "A"
    Q = "Q"
    M = "M"
    W = "W"
    D = "D"

    @property
    def per_year(self) -> int:
        """Periods in a year; raises BadInput for W and D, which do not divide it."""
        if self not in _MONTHS:
            raise BadInput(f"frequency {self.value} has no fixed number of periods in a year")
        return 12 // _MONTHS[self]


_MONTHS = {Freq.A: 12, Freq.Q: 3, Freq.M: 1}  # in a period

_FORMS = (
    (Freq.M, re.compile(r"(\d{4})-?M?(\d{2})$")),
    (Freq.Q, re.compile(r"(\d{4})-?[Qq]([1-4])$")),
    (Freq.W, re.compile(r"(\d{4})-?W(\d{2})$")),
    (Freq.A, re.compile(r"(\d{4})$")),
)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A year, quarter, month, week or day. ``ordinal`` counts from year 0 (days and weeks from 0001-01-01)."""

    freq: Freq
    ordinal: int

    @classmethod
    def parse(cls, text: str) -> Period:
        """``2024``, ``2024-Q1``, ``2024-01``, ``2024-W05`` or ``2024-01-31``; raises BadInput for anything else."""
        text = text.strip()
        for freq, form in _FORMS:
            if hit := form.match(text):
                year, part = int(hit[1]), int(hit[2]) if hit.lastindex == 2 else 1
                if freq is Freq.W:
                    try:
                        return cls.of(date.fromisocalendar(year, part, 1), Freq.W)
                    except ValueError:
                        break
                if freq is Freq.M and not 1 <= part <= 12:
                    break
                return cls(freq, year * freq.per_year + part - 1)
        try:
            return cls(Freq.D, date.fromisoformat(text).toordinal())
        except ValueError:
            raise BadInput(f"not a period: {text!r} (2024, 2024-Q1, 2024-01, 2024-W05 or 2024-01-31)") from None

    @classmethod
    def of(cls, day: date, freq: Freq) -> Period:
        """The period of that frequency in which the day lies."""
        if freq is Freq.D:
            return cls(freq, day.toordinal())
        if freq is Freq.W:
            return cls(freq, (day.toordinal() - 1) // 7)
        return cls(freq, day.year * freq.per_year + (day.month - 1) * freq.per_year // 12)

    @property
    def start(self) -> date:
        """First day."""
        if self.freq is Freq.D:
            return date.fromordinal(self.ordinal)
        if self.freq is Freq.W:
            return date.fromordinal(self.ordinal * 7 + 1)
        n = self.freq.per_year
        return date(self.ordinal // n, self.ordinal % n * (12 // n) + 1, 1)

    @property
    def end(self) -> date:
        """Last day."""
        return (self + 1).start - timedelta(days=1)

    @property
    def last_month(self) -> Period:
        """The month in which the period ends: the row of a quarterly value in a monthly panel."""
        return self.to(Freq.M)

    def to(self, freq: Freq) -> Period:
        """The period of another frequency in which this one ends. ``2016-06`` to Q is ``2016-Q2``."""
        if self.freq in _MONTHS and freq in _MONTHS:
            return Period(freq, ((self.ordinal + 1) * _MONTHS[self.freq] - 1) // _MONTHS[freq])
        return Period.of(self.end, freq)

    def __add__(self, n: int) -> Period:
        return Period(self.freq, self.ordinal + n)

    def __sub__(self, other: Period) -> int:
        if self.freq is not other.freq:
            raise BadInput(f"{self} and {other} differ in frequency")
        return self.ordinal - other.ordinal

    def __str__(self) -> str:
        if self.freq is Freq.D:
            return self.start.isoformat()
        if self.freq is Freq.W:
            year, week, _ = self.start.isocalendar()
            return f"{year:04d}-W{week:02d}"
        year, part = divmod(self.ordinal, self.freq.per_year)
        if self.freq is Freq.A:
            return f"{year:04d}"
        return f"{year:04d}-Q{part + 1}" if self.freq is Freq.Q else f"{year:04d}-{part + 1:02d}"


def end_of(day: date) -> datetime:
    """The information date "known at the end of that day": the midnight in UTC that ends it."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def known_day(instant: datetime) -> date:
    """The day at whose end an instant is known; inverse of :func:`end_of`."""
    return (instant.astimezone(UTC) - timedelta(microseconds=1)).date()


def parse_asof(text: str) -> datetime:
    """``--asof`` and ``?asof=``: a day means its end, an instant must carry a zone. Raises BadInput."""
    try:
        if len(text) == 10:
            return end_of(date.fromisoformat(text))
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise BadInput(f"an instant needs a time zone: {text!r}")
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(f"not a day or an instant: {text!r} (2016-07-29, or 2016-07-29T08:30:00-04:00)") from None
