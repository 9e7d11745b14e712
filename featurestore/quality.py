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

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from engine.calendar import Freq, known_day
from engine.typing import Floats
from featurestore import jumps
from featurestore.findings import FINDINGS, Finding, Line, lines
from featurestore.quality_across import contradictions, parts
from featurestore.store import Store

GRACE = timedelta(days=7)
"""A release this much after its usual day is late."""


DEPARTMENTS = pl.Schema(
    {"agency": pl.String(), "agency_zh": pl.String(), "series": pl.Int64(), "expected": pl.Int64(),
     "delivered": pl.Float64(), "on_time": pl.Float64(), "corrected": pl.Float64(), "is_synthetic": pl.Boolean()}
)  # fmt: skip


def check(store: Store, asof: datetime, ids: Sequence[str] | None = None) -> pl.DataFrame:
    """FINDINGS on what was known at ``asof``, errors first, newest period first. Without ids: everything. Raises Unknown."""
    series = list(lines(store, asof, ids))
    found: list[Finding] = []
    for line in series:
        found += _values(line)
        found += _timeliness(line, asof)
    found += contradictions(series, {(f.series, f.period) for f in found if f.severity == "error"})
    found += parts(series)
    table = pl.DataFrame([tuple(getattr(f, n) for n in FINDINGS) for f in found], schema=FINDINGS, orient="row")
    return table.sort("severity", "period", "series", "rule", descending=[False, True, False, False])


def departments(store: Store, asof: datetime, ids: Sequence[str] | None = None) -> pl.DataFrame:
    """DEPARTMENTS: how each delivered; delivered and on_time are shares of what was expected, corrected of what was delivered.

    Expected are the periods whose usual day lies between the first load of their series and ``asof``.
    """
    totals: dict[tuple[str, str, bool], list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    for line in lines(store, asof, ids):
        about = line.series.indicator
        row = totals[about.agency, about.agency_zh, line.series.is_synthetic]
        row[0] += 1
        for t, day in _expected(line, asof):
            row[1] += 1
            if t in line.released:
                row[2] += 1
                row[3] += line.released[t] <= day + GRACE
                row[4] += line.known.get(t) not in (None, line.released[t])
    rows = [
        (*of, n, due, got / due if due else None, on_time / due if due else None, late / got if got else None, made_up)
        for (*of, made_up), (n, due, got, on_time, late) in sorted(totals.items())
    ]
    return pl.DataFrame(rows, schema=DEPARTMENTS, orient="row")


def _values(line: Line) -> Iterator[Finding]:
    """unit, repeated, missing, falls, shift: each on what the ones before it left standing."""
    values = line.values.copy()
    kind, cumulated = line.kind, line.kind.endswith("_ytd")
    amount = kind.startswith(("level", "count"))
    if amount:
        for t, power in _units(values, jumps.lag(kind, line.series.freq)):
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
    """Places where a value is some 10^3 or 10^4 times those beside it, or that part of them."""
    sizes = {t: math.log10(abs(v)) for t, v in enumerate(values.tolist()) if v and not math.isnan(v)}
    for t, size in sizes.items():
        if power := jumps.power(size, jumps.usual_size(sizes, t, lag)):
            yield t, power


def _shifts(line: Line, values: Floats) -> Iterator[Finding]:
    """A change of the logarithm far from the usual one that is not taken back in the month after."""
    logs = np.log(np.where(values > 0, values, np.nan))
    found = jumps.usual_change(logs)
    if found is None:
        return
    (usual, unusual), change = found, np.diff(logs)
    for s in np.flatnonzero(np.abs(change - usual) > unusual):
        back = change[s + 1] if s + 1 < len(change) else 0.0
        if not abs(change[s] + back - 2 * usual) < 0.5 * abs(change[s] - usual):
            yield line.say(
                "error", "shift", int(s) + 1,
                f"{np.expm1(change[s]):+.1%} in a month, where {np.expm1(usual):+.1%} is usual, and it stays",
                "ask for the reason; if scope has changed, link the series or begin a new one",
            )  # fmt: skip


def _usual(line: Line, ends: Sequence[datetime]) -> timedelta:
    own = sorted(at - ends[t] for t, at in line.released.items() if at > line.begun and t not in line.untimed)
    return own[len(own) // 2] if len(own) >= 8 else timedelta(days=line.series.indicator.delay_days)


def _expected(line: Line, asof: datetime) -> Iterator[tuple[int, datetime]]:
    """Periods whose usual day lies between the first load of the series and the day, and that usual day."""
    ends = line.ends(known_day(asof) + timedelta(days=62))  # a survey may be published before its period ends
    delay = _usual(line, ends)
    for t, end in enumerate(ends):
        day = end + delay
        if day > asof:
            return
        if day > line.begun and t not in line.untimed and not line.pair(t):
            yield t, day


def _timeliness(line: Line, asof: datetime) -> Iterator[Finding]:
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
