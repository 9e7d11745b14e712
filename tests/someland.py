"""A small economy with many real vintages: quarterly output, revised once, and a monthly indicator of it that is not."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from engine.calendar import Freq, Period, end_of
from engine.indicator import Indicator, Region, Series
from featurestore.memory import MemoryStore
from featurestore.store import VALUES, Release

LAND = Region("XX", "Someland", "某国")
GDP = "out@XX"
INDICATOR = "ind@XX"
FIRST = Period.parse("2000-Q1")
QUARTERS = 60


def _series(name: str, freq: Freq, delay: int) -> Series:
    return Series(
        Indicator(
            name, name, name, freq, "%", "%", "lin", "growth" if freq is Freq.Q else "average", delay, "office", "GDP"
        ),
        LAND,
    )


def economy(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First releases and revised values of output ``(QUARTERS,)``, and the indicator ``(3 QUARTERS,)``."""
    g = np.random.default_rng(seed)
    f = np.zeros(3 * QUARTERS)
    for t in range(1, len(f)):
        f[t] = 0.8 * f[t - 1] + g.normal()
    first = f.reshape(-1, 3).mean(1) + 0.5 * g.normal(size=QUARTERS) + 2.0
    return first, first + 0.3 * g.normal(size=QUARTERS), f + 0.5 * g.normal(size=len(f))


def store(seed: int = 0, scale_after: tuple[Period, float] | None = None) -> MemoryStore:
    """A release of output 45 days after each quarter, which revises the quarter before, and of the indicator 15 days after each
    month; the first four quarters come as one. scale_after: values of releases about later quarters are multiplied."""
    first, revised, monthly = economy(seed)
    gdp, indicator, made = _series("out", Freq.Q, 45), _series("ind", Freq.M, 15), MemoryStore()
    month = FIRST.to(Freq.M) + -2
    events: list[tuple[date, Series, list[tuple[Period, float]]]] = []
    for i in range(3, QUARTERS):
        q = FIRST + i
        by = scale_after[1] if scale_after and q > scale_after[0] else 1.0
        said = [(q, by * first[i]), (q + -1, by * revised[i - 1])]
        if i == 3:
            said = [(FIRST + j, first[j]) for j in range(4)]
        events.append((q.end + timedelta(days=45), gdp, said))
    for i in range(3 * QUARTERS):
        by = scale_after[1] if scale_after and (month + i).to(Freq.Q) > scale_after[0] else 1.0
        events.append(((month + i).end + timedelta(days=15), indicator, [(month + i, by * monthly[i])]))
    for n, (day, series, said) in enumerate(sorted(events, key=lambda e: (e[0], e[1].id))):
        rows = [(series.id, p.ordinal, v, "A") for p, v in said]
        made.append(
            Release("office", f"r{n}", end_of(day), "day", n.to_bytes(32)),
            pl.DataFrame(rows, schema=VALUES, orient="row"),
            [series],
        )
    return made
