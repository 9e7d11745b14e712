"""What a check reads and says: series as they were known on a day, and one finding a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import numpy as np
import polars as pl

from engine.calendar import Freq, Period, known_day
from engine.indicator import Series
from engine.typing import Floats
from featurestore import rows
from featurestore.store import Store

Severity = Literal["error", "warning"]


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
    agency_zh: str
    says: str
    do: str
    is_synthetic: bool


FINDINGS = pl.Schema({f.name: pl.Boolean() if f.name == "is_synthetic" else pl.String() for f in fields(Finding)})


@dataclass(frozen=True, slots=True)
class Line:
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
        year, month = divmod(self.first.ordinal + t, 12)
        rule = self.series.indicator.jan_feb
        if month or self.series.freq is not Freq.M or "combined" not in rule:
            return False
        return "since" not in rule or year >= int(rule.rsplit(" ", 1)[-1])

    def ends(self, last: date) -> list[datetime]:
        """The midnights at which the periods end, from the first to that which runs on a day; at least those with values."""
        n = max(Period.of(last, self.series.freq) - self.first, len(self.values) - 1) + 1
        starts = rows.starts(np.arange(1, n + 1) + self.first.ordinal, self.series.freq)
        return [_EPOCH + timedelta(days=day) for day in starts.tolist()]

    def say(self, severity: Severity, rule: str, t: int, says: str, do: str) -> Finding:
        i, p = self.series.indicator, self.period(t)
        known = self.known.get(t)
        day = known_day(known).isoformat() if known else ""
        about = (self.series.id, i.name_en, i.name_zh, str(p), day, i.agency, i.agency_zh)
        return Finding(severity, rule, *about, says, do, self.series.is_synthetic)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def lines(store: Store, asof: datetime, ids: Sequence[str] | None) -> Iterator[Line]:
    meaning = store.series()
    events = store.releases()
    snapshots = set(events.filter(pl.col("rows") > 2 * (pl.col("new") + pl.col("revised")))["release"])
    history = store.history(list(ids if ids is not None else meaning)).filter(pl.col("known_at") <= asof)
    for (name,), mine in history.group_by("series", maintain_order=True):
        series = meaning[str(name)]
        lo, hi = int(mine["period"].min()), int(mine["period"].max())  # type: ignore[arg-type]
        values = np.full(hi - lo + 1, np.nan)
        known: dict[int, datetime] = {}
        released: dict[int, datetime] = {}
        untimed = set()
        for ordinal, value, when, event in mine.select("period", "value", "known_at", "release").iter_rows():
            if event in snapshots and ordinal - lo not in released:
                untimed.add(ordinal - lo)
            values[ordinal - lo] = np.nan if value is None else value
            known[ordinal - lo] = when
            released.setdefault(ordinal - lo, when)
        yield Line(series, Period(series.freq, lo), values, known, released, min(released.values()), frozenset(untimed))
