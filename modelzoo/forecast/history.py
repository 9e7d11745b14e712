"""What a forecast learns from: a published figure as an even run of values, and the way back to what will be published.

A year has as many **slots** as values of it are published: 1, 4 or 12; or 11 where January and February appear as one observation,
which then stands on February. In years that still had both, a flow of the month is their sum, a rate or share of the month their
mean, and what reaches back to January or stands at the end of a month is that of February. So no month has to be made up.

A sum since January (``level_ytd``, ``count_ytd``) is forecast by its months, :func:`engine.algebra.derive`, and added up again. A
growth rate since January has no months (:mod:`engine.algebra` says why) and is carried on as it is published.

Gaps of up to a year are filled along a straight line beside the usual season; where the sum over the gap is known from sums since
January, the filled months add up to it. What lies before a longer gap is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.algebra import derive
from engine.align import own
from engine.calendar import Freq, Period
from engine.errors import NotEnoughData
from engine.figures import Origin, PairRule, published
from engine.kinds import pair_rule
from engine.panel import Panel
from engine.typing import Bools, Floats

_SUMS = ("level_ytd", "count_ytd")
_FLOWS = (*_SUMS, "level_month")
_LEVELS = (*_FLOWS, "level", "level_annual", "level_eop", "count_eop")
_RATES = ("yoy_month", "index_yoy")
ANNUAL, SEASONS = 8, 2
"""At least so many values of an annual series are needed; of others so many years, and two values more."""


@dataclass(frozen=True, slots=True)
class History:
    """An even run of values up to the newest known one.

    slots: a year, 1, 4, 11 or 12. first: the slot of the first value, counted from year 0. values: ``(n,)`` without gaps; seen:
    ``(n,)`` which of them are known. positive: a level, all of whose values are above zero, so that logarithms and factors make
    sense. sums: published as sums since January; flow: values of the months of a quarter add up. freq: of the periods.
    """

    name: str
    freq: Freq
    slots: int
    first: int
    values: Floats
    seen: Bools
    positive: bool
    sums: bool
    flow: bool

    @property
    def newest(self) -> int:
        """The slot of the last value."""
        return self.first + len(self.values) - 1

    def slot(self, period: Period) -> int:
        """The slot in which the value of a period stands; that of February for a January that is never published."""
        year, part = divmod(period.ordinal, self.freq.per_year)
        return period.ordinal if self.slots != 11 else 11 * year + max(part - 1, 0)

    def since(self, first: int) -> History:
        """Without the values before a slot. Raises NotEnoughData if it begins later: parameters then do not fit."""
        if self.first > first:
            raise NotEnoughData(f"{self.name}: begins later than the values that the parameters were learned from")
        at = first - self.first
        return self if not at else replace(self, first=first, values=self.values[at:], seen=self.seen[at:])

    def weights(self, periods: Sequence[Period]) -> tuple[Floats, Floats]:
        """How the figures of periods are made: ``(P,)`` from the values that are there, ``(P, H)`` from the H slots ahead.

        Raises NotEnoughData for a period before the first value.
        """
        slots = [self.slot(p) for p in periods]
        ahead = max(0, *(s - self.newest for s in slots))
        known, future = np.zeros(len(slots)), np.zeros((len(slots), ahead))
        for j, (period, s) in enumerate(zip(periods, slots, strict=True)):
            start, share = s - s % self.slots if self.sums else s, 1.0
            if self.slots == 11 and period.ordinal % 12 == 0 and self.flow:
                share = 31 / (31 + (period + 1).end.day)  # a January alone: its share of the pair by days
            if start < self.first:
                raise NotEnoughData(f"{self.name}: {period} is not known and lies before what can be learned from")
            row = np.zeros(len(self.values) + ahead)
            row[start - self.first : s - self.first + 1] = share
            known[j] = row[: len(self.values)] @ self.values
            future[j] = row[len(self.values) :]
        return known, future


def read(panel: Panel, series_id: str) -> History:
    """The history of a monthly, quarterly or annual series of a panel.

    Raises NotEnoughData if fewer values are known than ``SEASONS`` years and two (annual: ``ANNUAL``), or if they never differ.
    """
    meaning = panel.meaning(series_id)
    indicator, freq = meaning.indicator, meaning.freq
    first, values = own(panel, series_id)
    sums = indicator.kind in _SUMS and freq is not Freq.A
    total = values
    rule = pair_rule(indicator)
    if sums:
        months = derive(
            published("level_ytd", first, values, pairs=rule), "level_month" if freq is Freq.M else "level_quarter"
        )
        first, values = months.first, months.values
    paired = (panel.flags_of([series_id])[:, 0] & Origin.PAIR) != 0
    kind = indicator.kind or ("level_month" if indicator.aggregation == "sum" and indicator.step == "lin" else "")
    slots, start = freq.per_year, first.ordinal
    if freq is Freq.M and _are_one(
        rule if indicator.jan_feb and indicator.kind else None, first, total, bool(paired.any())
    ):
        slots = 11
        start, (values, total) = 11 * (start // 12), _pairs(first, values, total, kind)
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        raise NotEnoughData(f"{series_id}: no value is known as of {panel.day}")
    long = np.flatnonzero(np.diff(known) > max(slots, 2))
    begin, end = int(known[long[-1] + 1] if len(long) else known[0]), int(known[-1]) + 1
    values, total, start = values[begin:end], total[begin:end], start + begin
    seen = ~np.isnan(values)
    least = ANNUAL if slots == 1 else SEASONS * slots + 2
    if seen.sum() < least:
        raise NotEnoughData(f"{series_id}: a forecast needs {least} values, {seen.sum()} are known as of {panel.day}")
    if np.ptp(values[seen]) == 0.0:
        raise NotEnoughData(
            f"{series_id}: its {seen.sum()} values are all {values[seen][0]:g}; nothing can be learned from them"
        )
    positive = kind in _LEVELS and bool((values[seen] > 0).all())
    whole = filled(values, slots, start)
    if sums and not seen.all():
        whole = _adding_up(whole, seen, total, slots, start)
    return History(series_id, freq, slots, start, whole, seen, positive, sums, kind in _FLOWS)


def _are_one(rule: PairRule | None, first: Period, values: Floats, paired: bool) -> bool:
    """Whether the months to come have January and February as one: by the catalogue, else by the newest two years."""
    last = (first.ordinal + len(values)) // 12
    if rule is not None and rule.combined(np.array([last + 1]))[0]:
        return True
    february = [i for i in range(len(values)) if (first.ordinal + i) % 12 == 1 and not np.isnan(values[i])][-2:]
    return len(february) == 2 and (paired or rule is None) and all(i > 0 and np.isnan(values[i - 1]) for i in february)


def _pairs(first: Period, values: Floats, total: Floats, kind: str) -> tuple[Floats, Floats]:
    """``(11 Y,)`` each: whole years of twelve months with the first two made one, the values and what was published."""
    before = first.ordinal % 12
    after = -(before + len(values)) % 12
    v, t = (np.pad(x, (before, after), constant_values=np.nan).reshape(-1, 12) for x in (values, total))
    january, both = v[:, 0], v[:, 1].copy()
    has = ~np.isnan(january)
    if kind in _FLOWS:
        both[has] = january[has] + v[has, 1]
    elif kind in _RATES:
        both[has] = (january[has] + v[has, 1]) / 2
    return np.column_stack([both, v[:, 2:]]).ravel(), t[:, 1:].ravel()


def filled(values: Floats, slots: int, start: int) -> Floats:
    """``(n,)`` values, known at both ends, with gaps (NaN) filled along straight lines beside the usual season."""
    seen = ~np.isnan(values)
    if seen.all():
        return values.copy()
    at, place = np.arange(len(values)), (start + np.arange(len(values))) % slots
    season = np.zeros(len(values))
    whole = np.interp(at, at[seen], values[seen])
    for _ in range(3 if slots > 1 else 0):
        rest = whole - _moving(whole, slots)
        sums = np.bincount(place[seen], rest[seen], slots)
        means = sums / np.maximum(np.bincount(place[seen], minlength=slots), 1)
        season = (means - means.mean())[place]
        whole = np.where(seen, values, np.interp(at, at[seen], (values - season)[seen]) + season)
    return whole


def _moving(values: Floats, slots: int) -> Floats:
    """A centred mean over a year; at the ends over what is there."""
    kernel = np.ones(slots) if slots % 2 else np.r_[0.5, np.ones(slots - 1), 0.5]
    weight = np.convolve(np.ones(len(values)), kernel, "same")
    out: Floats = np.convolve(values, kernel, "same") / weight
    return out


def _adding_up(whole: Floats, seen: Bools, total: Floats, slots: int, start: int) -> Floats:
    """Months in a gap moved by one amount each, so that they add up to what the sums since January say of the gap."""
    out, i = whole.copy(), 0
    while i < len(out):
        if seen[i]:
            i += 1
            continue
        year = i - (start + i) % slots
        begin = i
        while i < len(out) and not seen[i] and i < year + slots:
            i += 1
        ends = [j for j in range(begin, i) if not np.isnan(total[j])]
        base = 0.0 if begin == max(year, 0) and year >= 0 else total[begin - 1] if begin > 0 else np.nan
        if ends and not np.isnan(base):
            run = slice(begin, ends[-1] + 1)
            out[run] += (total[ends[-1]] - base - out[run].sum()) / (ends[-1] + 1 - begin)
    return out
