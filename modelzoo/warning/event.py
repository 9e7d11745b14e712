"""What is warned of: an event that is a column of the panel, or a slowdown or downswing read from one; and when it counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.calendar import Freq, Period
from engine.errors import BadInput, NotEnoughData
from engine.panel import Panel
from engine.typing import Floats
from modelzoo.warning import chronology

Rule = Literal["flag", "slowdown", "downswing", "declared"]
When = Literal["at", "within"]

OPEN = 6
"""Months at the end in which a downswing is not known yet: a turn needs five months on either side."""


@dataclass(frozen=True)
class Event:
    """An event, and the months before it that a warning should call.

    series: monthly series id in which it is read; under "declared" none.
    rule: "flag" the series is 1 while it lasts and 0 otherwise; "slowdown" it lies more than ``fall`` below its value
        ``span`` months before; "downswing" from a peak to a trough of its growth cycle (12 to 120 months, the OECD's turns), as
        seen from the panel, the last six months open, and months without a figure filled by a line; "declared" from a peak
        to its trough, of months that somebody named.
    when: "at" the estimate for a month is the chance that the event is on in it, told ``ahead`` months before; "within" the
        chance that it begins in the ``ahead`` months after the month; months in which it is on do not count then.
    ahead: months.
    fall: of a slowdown, in units of the series.
    span: of a slowdown, months.
    peaks, troughs: of a declared event, months as ``2007-12``.
    delay: months after which a declared turn is known; the state of later months is not.
    """

    series: str = ""
    rule: Rule = "flag"
    when: When = "at"
    ahead: int = 12
    fall: float = 1.0
    span: int = 6
    peaks: tuple[str, ...] = ()
    troughs: tuple[str, ...] = ()
    delay: int = 12

    def __post_init__(self) -> None:
        if (self.rule == "declared") == bool(self.series):
            raise BadInput(f"event {self.series or self.rule}: it is read in a series, or declared by months")
        if self.rule == "declared":
            chronology.check(f"event of {self.rule} months", self.peaks, self.troughs, self.delay)
        if self.ahead < (1 if self.when == "within" else 0) or self.span < 1:
            raise BadInput(
                f"event {self.series or self.rule}: ahead {self.ahead} and span {self.span} must be positive"
            )

    @property
    def inputs(self) -> tuple[str, ...]:
        """The series that a panel must hold for it."""
        return (self.series,) if self.series else ()

    def on(self, panel: Panel) -> Floats:
        """``(T,)`` 1 while the event lasts, 0 while not, NaN where not known. Raises BadInput.

        A month without a figure between others (January, where it is published with February) keeps the state before.
        """
        if self.rule == "declared":
            return chronology.on(panel, self.peaks, self.troughs, self.delay)
        if panel.meaning(self.series).freq is not Freq.M:
            raise BadInput(f"event {self.series}: a monthly series is needed")
        x = panel.matrix([self.series])[:, 0]
        if self.rule == "downswing":
            return _downswing(x)
        if self.rule == "slowdown":
            fell = np.full(len(x), np.nan)
            fell[self.span :] = x[: -self.span] - x[self.span :]
            return _kept(np.where(np.isnan(fell), np.nan, (fell > self.fall).astype(float)))
        if not np.isin(x[~np.isnan(x)], (0.0, 1.0)).all():
            raise BadInput(f"event {self.series} is not a flag of 0 and 1 as of {panel.day}; a rule can make one of it")
        return _kept(x)

    def label(self, on: Floats) -> Floats:
        """``(T,)`` what came, in the row of the month that an estimate names; NaN where not known yet or not counted."""
        if self.when == "at":
            return on
        T, h = len(on), self.ahead
        after = np.full((T, h), np.nan)
        for k in range(1, h + 1):
            after[: T - k, k - 1] = on[k:]
        begins = (after == 1).any(1)
        quiet = (after == 0).all(1)
        return np.where((on == 0) & begins, 1.0, np.where((on == 0) & quiet, 0.0, np.nan))

    def predictors(self, panel: Panel, ids: Sequence[str], periods: Sequence[Period]) -> Floats:
        """``(H, N)`` what was known for each of these months: ``ahead`` months before under "at"; NaN where unknown."""
        if odd := [str(p) for p in periods if p.freq is not Freq.M]:
            raise BadInput(f"event {self.series or self.rule}: warnings are monthly; {', '.join(odd)} is not a month")
        x = panel.matrix(ids)
        lag = self.ahead if self.when == "at" else 0
        rows = np.array([p - panel.first - lag for p in periods], np.int64)
        inside = (rows >= 0) & (rows < len(x))
        return np.where(inside[:, None], x[np.clip(rows, 0, len(x) - 1)], np.nan)

    def newest(self, panel: Panel, ids: Sequence[str], need: int) -> Period:
        """The newest month for which ``need`` of the predictors are known. Raises NotEnoughData."""
        told = np.flatnonzero((~np.isnan(panel.matrix(ids))).sum(1) >= need)
        if not len(told):
            raise NotEnoughData(f"no month has {need} of {', '.join(ids)} as of {panel.day}")
        return panel.first + int(told[-1]) + (self.ahead if self.when == "at" else 0)

    def sample(self, panel: Panel, ids: Sequence[str]) -> tuple[Floats, Floats]:
        """Predictors ``(T, N)`` and what came ``(T,)``, month by month of the panel's axis; NaN where not known."""
        months = [panel.first + t for t in range(panel.months)]
        return self.predictors(panel, ids, months), self.label(self.on(panel))


def _downswing(x: Floats) -> Floats:
    """``(T,)`` 1 from the month after a peak of the growth cycle to its trough, 0 in upswings, NaN where not known."""
    from engine.cycle import growth_cycle
    from engine.turning import Oecd, date

    at = np.flatnonzero(~np.isnan(x))
    out = np.full(len(x), np.nan)
    if len(at):
        lo, hi = int(at[0]), int(at[-1]) + 1
        filled = np.interp(np.arange(lo, hi), at, x[at])
        states = date(growth_cycle(filled).cycle, Oecd()).states(hi - lo)[: max(hi - lo - OPEN, 0)]
        out[lo : lo + len(states)] = np.where(states == 0, np.nan, (states < 0).astype(float))
    return out


def _kept(on: Floats) -> Floats:
    """Gaps between known months filled with the state before them."""
    at = np.flatnonzero(~np.isnan(on))
    out = on.copy()
    if len(at):
        rows = np.arange(at[0], at[-1] + 1)
        out[rows] = on[at[np.searchsorted(at, rows, side="right") - 1]]
    return out
