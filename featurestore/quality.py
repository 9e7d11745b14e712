"""Quality and timeliness of what was delivered: one finding a row, with severity, source and what to do.

Rules read what was known on a day, by the published kind of each series. An *error* is something that cannot be right, or that
should not be used before somebody has looked; a *warning* may be right. Spans in which a series is only carried along from its
first load say nothing about timeliness.

============== ======== =====================================================================================
unit           error    a value a thousand or ten thousand times its neighbours
repeated       error    exactly the month before, to five digits or more: a column pasted twice
missing        error    values before and after, none here (January of a pair excepted)
falls          error    a sum since January that falls within the year
contradiction  error    growth that the levels of the same indicator contradict, far beyond what is usual for the two
shift          error    a stock that jumps and stays there: scope or definition has changed
parts          error    parts of a region that do not add up to it, though all of them are known
late           warning  released more than a week after the usual day
overdue        warning  not released though a week past the usual day
============== ======== =====================================================================================

The usual day is learned: the median delay of the first releases of a series, once there are eight; until then the catalogue's.
A release that mostly repeats is a snapshot of its day: a value that it is the first to show may have been out for weeks, so it
says nothing about timeliness.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
import polars as pl

from engine.calendar import Freq, Period, end_of, known_day
from engine.indicator import Series
from engine.typing import Floats
from featurestore.store import Store

Severity = Literal["error", "warning"]

GRACE = timedelta(days=7)
"""A release this much after its usual day is late."""

POINTS, UNUSUAL = 5.0, 8.0
"""Growth is contradicted beyond so many points, and beyond so many times the usual distance from the levels' growth."""

JUMP = 10.0
"""A stock has jumped if its change is so many times the usual deviation from the median change."""

CLOSURE = 0.005
"""Parts may miss the whole by this share: offices round, and publish by their own revisions."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or may be. period: as people write it; known: when the value became known, empty if it did not."""

    severity: Severity
    rule: str
    series: str
    name_en: str
    name_zh: str
    period: str
    known: str
    agency: str
    says: str
    do: str


FINDINGS = pl.Schema({f.name: pl.String() for f in fields(Finding)})


@dataclass(frozen=True, slots=True)
class _Line:
    """A series as known on the day: values ``(T,)`` from ``first`` on, NaN where not known; first release of each value."""

    series: Series
    first: Period
    values: Floats
    known: Mapping[int, datetime]
    released: Mapping[int, datetime]
    begun: datetime
    untimed: frozenset[int]  # first shown by a snapshot

    @property
    def kind(self) -> str:
        return self.series.indicator.kind

    def period(self, t: int) -> Period:
        return self.first + t

    def pair(self, t: int) -> bool:
        """Whether January is published with February: then it is not missing."""
        p, rule = self.period(t), self.series.indicator.jan_feb
        if p.freq is not Freq.M or p.start.month != 1 or "combined" not in rule:
            return False
        return "since" not in rule or p.start.year >= int(rule.rsplit(" ", 1)[-1])

    def say(self, severity: Severity, rule: str, t: int, says: str, do: str) -> Finding:
        i, p = self.series.indicator, self.period(t)
        known = self.known.get(t)
        day = known_day(known).isoformat() if known else ""
        return Finding(severity, rule, self.series.id, i.name_en, i.name_zh, str(p), day, i.agency, says, do)


def check(store: Store, asof: datetime, ids: Sequence[str] | None = None) -> pl.DataFrame:
    """FINDINGS on what was known at ``asof``, errors first, newest period first. Without ids: everything. Raises Unknown."""
    lines = list(_lines(store, asof, ids))
    found: list[Finding] = []
    for line in lines:
        found += _values(line)
        found += _timeliness(line, asof)
    found += _contradictions(lines, {(f.series, f.period) for f in found if f.severity == "error"})
    found += _parts(lines)
    table = pl.DataFrame([tuple(getattr(f, n) for n in FINDINGS) for f in found], schema=FINDINGS, orient="row")
    return table.sort("severity", "period", "series", "rule", descending=[False, True, False, False])


def departments(store: Store, asof: datetime, ids: Sequence[str] | None = None) -> pl.DataFrame:
    """How each department delivered: agency, series, expected, delivered, on_time (shares of expected), corrected (of delivered).

    Expected are the periods whose usual day lies between the first load of their series and ``asof``.
    """
    totals: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    for line in _lines(store, asof, ids):
        row = totals[line.series.indicator.agency]
        row[0] += 1
        for t, day in _expected(line, asof):
            row[1] += 1
            if t in line.released:
                row[2] += 1
                row[3] += line.released[t] <= day + GRACE
                row[4] += line.known.get(t) not in (None, line.released[t])
    return pl.DataFrame(
        [
            (agency, n, due, got / due if due else None, on_time / due if due else None, late / got if got else None)
            for agency, (n, due, got, on_time, late) in sorted(totals.items())
        ],
        schema={
            "agency": pl.String, "series": pl.Int64, "expected": pl.Int64, "delivered": pl.Float64, "on_time": pl.Float64,
            "corrected": pl.Float64,
        },
        orient="row",
    )  # fmt: skip


def _lines(store: Store, asof: datetime, ids: Sequence[str] | None) -> Iterator[_Line]:
    meaning = store.series()
    events = store.releases()
    snapshots = set(events.filter(pl.col("rows") > 2 * (pl.col("new") + pl.col("revised")))["release"])
    history = store.history(list(ids if ids is not None else meaning)).filter(pl.col("known_at") <= asof)
    for (name,), rows in history.group_by("series", maintain_order=True):
        series = meaning[str(name)]
        lo, hi = int(rows["period"].min()), int(rows["period"].max())  # type: ignore[arg-type]
        values = np.full(hi - lo + 1, np.nan)
        known: dict[int, datetime] = {}
        released: dict[int, datetime] = {}
        untimed = set()
        for ordinal, value, when, event in rows.select("period", "value", "known_at", "release").iter_rows():
            if event in snapshots and ordinal - lo not in released:
                untimed.add(ordinal - lo)
            values[ordinal - lo] = np.nan if value is None else value
            known[ordinal - lo] = when
            released.setdefault(ordinal - lo, when)
        yield _Line(
            series, Period(series.freq, lo), values, known, released, min(released.values()), frozenset(untimed)
        )


# -------------------------------------------------------------------------------------------------------------- one series


def _values(line: _Line) -> Iterator[Finding]:
    """unit, repeated, missing, falls, shift: each on what the ones before it left standing."""
    values = line.values.copy()
    kind, cumulated = line.kind, line.kind.endswith("_ytd")
    amount = kind.startswith(("level", "count"))
    if amount:
        for t, power in _units(values, 12 if cumulated and line.series.freq is Freq.M else 1):
            yield line.say(
                "error", "unit", t, f"{values[t]:,.10g} is about 10^{power} times its neighbours",
                "ask for the unit (亿元 or 万元) and load the release again with it",
            )  # fmt: skip
            values[t] = np.nan
    seen = np.flatnonzero(~np.isnan(line.values))
    for t in range(int(seen[0]), int(seen[-1])) if len(seen) else ():
        if np.isnan(line.values[t]) and not line.pair(t):
            yield line.say("error", "missing", t, "values before and after it, none here", "ask the department for it")
    if not amount or line.series.freq is not Freq.M:
        return
    for t in range(1, len(values)):
        now, before = values[t], values[t - 1]
        if np.isnan(now) or np.isnan(before):
            continue
        if now == before and _digits(now) >= 5:
            yield line.say(
                "error", "repeated", t, f"{now:,.10g}, exactly as the month before", "compare with the original table"
            )
        elif cumulated and now < before and line.period(t).start.month != 1:
            yield line.say(
                "error", "falls", t, f"the sum since January falls from {before:,.10g} to {now:,.10g}",
                "ask whether earlier months were corrected, and for them",
            )  # fmt: skip
    if kind.endswith("_eop"):
        yield from _shifts(line, values)


def _digits(value: float) -> int:
    """Significant digits of a published number: few of them repeat by chance."""
    return len(f"{abs(value):.10g}".replace(".", "").strip("0"))


def _units(values: Floats, lag: int) -> Iterator[tuple[int, int]]:
    """Places where a value is some 10^3 or 10^4 times, or that part of, both the value ``lag`` periods before and after it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.log10(np.abs(values))
    for t in range(len(size)):
        beside = [size[s] for s in (t - lag, t + lag) if 0 <= s < len(size) and np.isfinite(size[s])]
        if beside and np.isfinite(size[t]):
            apart = [size[t] - b for b in beside]
            for power in (3, 4, -3, -4):
                if all(abs(a - power) < 0.35 for a in apart):
                    yield t, power


def _shifts(line: _Line, values: Floats) -> Iterator[Finding]:
    """A change of the logarithm far from the usual one that is not taken back in the month after."""
    change = np.diff(np.log(np.where(values > 0, values, np.nan)))
    usual = np.nanmedian(change) if np.isfinite(change).sum() >= 24 else np.nan
    spread = 1.4826 * np.nanmedian(np.abs(change - usual)) if np.isfinite(usual) else np.nan
    for s in np.flatnonzero(np.abs(change - usual) > JUMP * max(spread, 1e-3)) if np.isfinite(spread) else ():
        back = change[s + 1] if s + 1 < len(change) else 0.0
        if not abs(change[s] + back - 2 * usual) < 0.5 * abs(change[s] - usual):
            yield line.say(
                "error", "shift", int(s) + 1,
                f"{np.expm1(change[s]):+.1%} in a month, where {np.expm1(usual):+.1%} is usual, and it stays",
                "ask for the reason; if scope has changed, link the series or begin a new one",
            )  # fmt: skip


def _usual(line: _Line) -> timedelta:
    own = [
        at - end_of(line.period(t).end) for t, at in line.released.items() if at > line.begun and t not in line.untimed
    ]
    return sorted(own)[len(own) // 2] if len(own) >= 8 else timedelta(days=line.series.indicator.delay_days)


def _expected(line: _Line, asof: datetime) -> Iterator[tuple[int, datetime]]:
    """Periods whose usual day lies between the first load of the series and the day, and that usual day."""
    delay, t = _usual(line), 0
    while True:
        day = end_of(line.period(t).end + delay)
        if day > asof:
            return
        if day > line.begun and not line.pair(t) and t not in line.untimed:
            yield t, day
        t += 1


def _timeliness(line: _Line, asof: datetime) -> Iterator[Finding]:
    for t, day in _expected(line, asof):
        if t in line.released:
            late = line.released[t] - day
            if late > GRACE:
                yield line.say(
                    "warning", "late", t, f"first released {late.days} days after {known_day(day)}, its usual day",
                    "ask whether the calendar has changed",
                )  # fmt: skip
        elif t >= len(line.values) and asof > day + GRACE:
            yield line.say(
                "warning", "overdue", t, f"not released, though due on {known_day(day)}",
                "ask the department whether the statistic or the delivery is late",
            )  # fmt: skip


# ------------------------------------------------------------------------------------------------------------ several series


def _stem(indicator: str) -> str:
    """``elec_total_ytd`` and ``elec_total_yoy`` are two figures of ``elec_total``."""
    for end in ("_yoy_ytd", "_yoy", "_ytd", "_balance"):
        indicator = indicator.removesuffix(end)
    return indicator


def _contradictions(lines: Sequence[_Line], known: set[tuple[str, str]]) -> Iterator[Finding]:
    """Growth beside the growth of the levels. The two differ by scope and base; what is judged is how far from usual."""
    levels = {
        (_stem(x.series.indicator.id), x.series.region.code, x.kind.rsplit("_", 1)[-1]): x
        for x in lines
        if x.kind.startswith(("level_", "count_"))
    }
    for line in lines:
        if not line.kind.startswith("yoy_") or line.series.freq not in (Freq.M, Freq.Q):
            continue
        level = levels.get((_stem(line.series.indicator.id), line.series.region.code, line.kind.rsplit("_", 1)[-1]))
        if level is None or level.series.freq is not line.series.freq:
            continue
        year, shift = line.series.freq.per_year, line.first - level.first
        at = np.arange(len(line.values)) + shift
        ok = (at >= year) & (at < len(level.values))
        gap = np.full(len(line.values), np.nan)
        gap[ok] = line.values[ok] - 100 * (level.values[at[ok]] / level.values[at[ok] - year] - 1)
        for t in np.flatnonzero(
            ok
        ):  # a level that is found wrong already says nothing of growth, in its year or the next
            if {(level.series.id, str(line.period(int(t)) + back)) for back in (0, -year)} & known:
                gap[t] = np.nan
        usual = np.nanmedian(gap) if np.isfinite(gap).sum() >= 2 * year else np.nan
        spread = 1.4826 * np.nanmedian(np.abs(gap - usual)) if np.isfinite(usual) else np.nan
        for t in np.flatnonzero(np.abs(gap - usual) > max(POINTS, UNUSUAL * spread)) if np.isfinite(spread) else ():
            near = [gap[s] for s in (t - 1, t + 1) if 0 <= s < len(gap) and np.isfinite(gap[s])]
            if near and all(abs(g - usual) < 0.5 * abs(gap[t] - usual) for g in near):
                yield line.say(
                    "error", "contradiction", int(t),
                    f"{line.values[t]:.1f} %, where the levels say {line.values[t] - gap[t]:.1f} %; "
                    f"{usual:+.1f} points are usual between them",
                    "compare both with the original table",
                )  # fmt: skip


def _parts(lines: Sequence[_Line]) -> Iterator[Finding]:
    """Sums of the parts of a region, where all of them are known."""
    groups: dict[tuple[str, str], list[_Line]] = defaultdict(list)
    whole = {(x.series.indicator.id, x.series.region.code): x for x in lines}
    for x in lines:
        if x.series.region.within and x.kind in ("level_ytd", "level_month", "level_eop", "count_ytd", "count_eop"):
            groups[x.series.indicator.id, x.series.region.within].append(x)
    for key, parts in groups.items():
        total = whole.get(key)
        if total is None or len(parts) < 2:
            continue
        last = min((p.first + (len(p.values) - 1) for p in parts), default=total.first)
        for t in range(len(total.values)):
            period = total.period(t)
            if period > last or np.isnan(total.values[t]) or any(period < p.first for p in parts):
                continue
            added = sum(float(p.values[period - p.first]) for p in parts)
            if abs(added - total.values[t]) > CLOSURE * abs(total.values[t]):
                yield total.say(
                    "error", "parts", t, f"its {len(parts)} parts add up to {added:,.10g}, it is {total.values[t]:,.10g}",
                    "look for the part that is off, and ask for it",
                )  # fmt: skip
