"""What a load would bring into the store that nobody should use before somebody has looked: reviewed before it is stored.

Each release is held against what was known on its day, one after the other, as they would have come:

======= =======================================================================================================
unit    an amount 10^3 or 10^4 times the usual size of its own history, or that part of it
shift   a stock whose change is far from the usual one, beside a value that was known before: scope or definition
history every value known before is another now: a census, a benchmark revision. Never more than a note
======= =======================================================================================================

Only what is new or revised is judged, so that the same load again, once accepted, has nothing to review. A doubt that
is explained is a note: the office marks the value as a break (status B), or the shift lies inside the first load of the
series. What was accepted is the new history: the months that follow a shift are no shift.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import exp, expm1, log, log10
from statistics import median
from typing import Any

import numpy as np
import polars as pl

from engine.calendar import Period
from engine.indicator import Series
from featurestore import jumps
from featurestore.sources import Load
from featurestore.store import Release, Store

WHOLE = 3
"""So many values that were known before, and all of them revised, are a history said anew."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """One value to look at. explained: why it may pass all the same; empty: the load waits until it is accepted."""

    rule: str
    series: str
    period: str
    value: float
    expected: float
    says: str
    explained: str
    release: Release

    @property
    def name(self) -> str:
        """How people call it: ``unit:re_investment_ytd@CN-33:2014-07``."""
        return f"{self.rule}:{self.series}:{self.period}"

    def __str__(self) -> str:
        """``name is 41,234,567 where about 4,100 is expected: why``"""
        about = float(f"{self.expected:.4g}")
        return f"{self.name} is {self.value:,.10g} where about {about:,.10g} is expected: {self.says}"


def doubts(store: Store, loads: Sequence[Load]) -> tuple[Doubt, ...]:
    """Every doubt about the loads, in the order of their days; nothing is stored. Several of one name: the first."""
    amounts = {s.id: s for x in loads for s in x.series if s.indicator.kind.startswith(("level", "count"))}
    if not amounts:
        return ()
    found: list[Doubt] = []
    for (name,), rows in _said(store, loads, list(amounts)).group_by("series", maintain_order=True):
        if (rows["load"] >= 0).any():
            found += _Line(amounts[str(name)]).judge(rows.sort("known_at", "load", "period").iter_rows(), loads)
    found.sort(key=lambda d: d.release.known_at)
    return tuple({d.name: d for d in reversed(found)}.values())[::-1]


def _said(store: Store, loads: Sequence[Load], ids: list[str]) -> pl.DataFrame:
    """series, known_at, load, period, value, status: every change, of the store (load -1) and of the loads (their place)."""
    new = pl.concat([x.values for x in loads])
    load = np.repeat(np.arange(len(loads)), [x.values.height for x in loads])
    days = pl.Series([x.release.known_at for x in loads], dtype=pl.Datetime("us", "UTC"))
    new = new.with_columns(pl.Series("load", load, pl.Int64), days.gather(load).alias("known_at"))
    columns = ["series", "known_at", "load", "period", "value", "status"]
    stored = [i for i in ids if i in store.series()]
    frames = [new.filter(pl.col("series").is_in(ids) & pl.col("period").is_not_null()).select(columns)]
    if stored:
        frames.insert(0, store.history(stored).with_columns(load=pl.lit(-1, pl.Int64)).select(columns))
    cell = ("series", "period")
    changed = pl.any_horizontal(pl.col(c).ne_missing(pl.col(c).shift(1)) for c in (*cell, "value", "status"))
    return pl.concat(frames).sort(*cell, "known_at", "load").filter(changed)


class _Line:
    """A series as it becomes known: sizes are powers of ten by period, of values that are not zero."""

    def __init__(self, series: Series) -> None:
        self._series, self._kind = series, series.indicator.kind
        self._lag = jumps.lag(self._kind, series.freq)
        self._values: dict[int, float] = {}
        self._sizes: dict[int, float] = {}

    def judge(self, rows: Iterator[tuple[Any, ...]], loads: Sequence[Load]) -> Iterator[Doubt]:
        """Rows of one series as ``_said`` gives them, by day."""
        for (_, load), of in groupby(rows, key=lambda row: (row[1], row[2])):
            fresh = {period: (value, status) for *_, period, value, status in of}
            old = {t: self._values[t] for t in fresh if t in self._values}
            known = len(self._values)
            for t, (value, _) in fresh.items():
                self._values.pop(t, None)
                self._sizes.pop(t, None)
                if value is not None:
                    self._values[t] = value
                    if value:
                        self._sizes[t] = log10(abs(value))
            if load >= 0:
                release = loads[load].release
                yield from self._units(fresh, old, release)
                if self._kind.endswith("_eop"):
                    yield from self._shifts(fresh, known == 0, release)
                if known >= WHOLE and len(old) == known:
                    yield from self._history(old, release)

    def _doubt(self, rule: str, t: int, expected: float, says: str, explained: str, release: Release) -> Doubt:
        period = str(Period(self._series.freq, t))
        return Doubt(rule, self._series.id, period, self._values[t], expected, says, explained, release)

    def _units(
        self, fresh: dict[int, tuple[float | None, str]], old: dict[int, float], release: Release
    ) -> Iterator[Doubt]:
        for t, (_, status) in fresh.items():
            if (size := self._sizes.get(t)) is None:
                continue
            usual = jumps.usual_size(self._sizes, t, self._lag)
            if usual is None and old.get(t):
                usual = log10(abs(old[t]))
            if usual is None or not (power := jumps.power(size, usual)):
                continue
            before = self._sizes.get(t - 1)
            if before is not None and t - 1 not in fresh and abs(size - before) < 1.5:
                continue  # the unit changed earlier, and that was accepted
            says = f"about 10^{power} times the usual size of its history; ask for the unit (亿元 or 万元)"
            yield self._doubt("unit", t, 10**usual, says, _break(status), release)

    def _shifts(self, fresh: dict[int, tuple[float | None, str]], first: bool, release: Release) -> Iterator[Doubt]:
        seams = {(s, s + 1) for t in fresh for s in (t - 1, t) if first or (s in fresh) != (s + 1 in fresh)}
        seams = {(s, t) for s, t in seams if min(self._values.get(s, 0.0), self._values.get(t, 0.0)) > 0}
        if not seams:
            return
        low, high = min(self._values), max(self._values)
        logs = np.array([log(v) if (v := self._values.get(t, 0.0)) > 0 else np.nan for t in range(low, high + 1)])
        if (found := jumps.usual_change(logs)) is None:
            return
        (usual, unusual), change = found, np.diff(logs)
        for s, t in sorted(seams):
            here = float(change[s - low])
            beside = [change[i] for i in (s - low - 1, s - low + 1) if 0 <= i < len(change) and np.isfinite(change[i])]
            back = any(abs(here + c - 2 * usual) < 0.5 * abs(here - usual) for c in beside)
            if abs(here - usual) > unusual and not back:
                at, expected = (t, log(self._values[s]) + usual) if t in fresh else (s, log(self._values[t]) - usual)
                says = f"{expm1(here):+.1%} in one step, where {expm1(usual):+.1%} is usual; ask for the reason"
                explained = _break(fresh[at][1]) or ("it lies inside the first load of the series" if first else "")
                yield self._doubt("shift", at, exp(expected), says, explained, release)

    def _history(self, old: dict[int, float], release: Release) -> Iterator[Doubt]:
        factors = [self._values[t] / v for t, v in old.items() if v and t in self._values]
        if factors:
            says = f"all {len(old)} values known before are revised, in the middle by a factor of {median(factors):.4g}"
            last = max(t for t in old if t in self._values)
            yield self._doubt("history", last, old[last], says, "a history said anew", release)


def _break(status: str) -> str:
    return "the office marks a break (status B)" if status == "B" else ""
