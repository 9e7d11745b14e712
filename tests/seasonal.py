"""A panel of made-up seasonal series as forecasts meet them: levels, rates, sums since January, quarters and years."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import numpy as np

from engine.calendar import Freq, Period, end_of
from engine.indicator import Indicator, Region, Series
from engine.panel import NEVER, Panel
from engine.typing import Floats

FIRST = Period.parse("2009-01")


def series(name: str, freq: Freq, **said: Any) -> Series:
    base: dict[str, Any] = {
        "unit": "x",
        "unit_analysed": "x",
        "step": "lin",
        "aggregation": "last",
        "delay_days": 15,
        "agency": "",
        "module": "",
    }
    return Series(Indicator(name, name, name, freq, **(base | said)), Region("SYN-33", "", ""))


def panel(columns: dict[Series, Floats], asof: date, first: Period = FIRST) -> Panel:
    """values: one a period of the series from ``first`` on."""
    n = max(len(v) * 12 // s.freq.per_year for s, v in columns.items())
    values = np.full((n, len(columns)), np.nan)
    for j, (s, v) in enumerate(columns.items()):
        k = 12 // s.freq.per_year
        values[k - 1 : len(v) * k : k, j] = v
    stamp = int(end_of(asof).timestamp()) * 1_000_000
    return Panel(end_of(asof), tuple(columns), first, values, np.where(np.isnan(values), NEVER, stamp))


def growing(n: int, slots: int, seed: int) -> Floats:
    """A level that grows by about 6 % a year, with a season and noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    trend = np.cumsum(0.06 / slots + rng.normal(scale=0.004, size=n))
    return 100 * np.exp(trend + 0.08 * np.sin(2 * np.pi * t / slots) + rng.normal(scale=0.01, size=n))


def swinging(n: int, seed: int) -> Floats:
    """A rate that may be negative."""
    rng = np.random.default_rng(seed)
    out = np.zeros(n)
    for t in range(1, n):
        out[t] = 0.8 * out[t - 1] + rng.normal()
    return out + 1.0


def since_january(months: Floats) -> Floats:
    """Sums since January with no January: the office publishes January and February as one."""
    out = np.concatenate([np.cumsum(months[i : i + 12]) for i in range(0, len(months), 12)])
    out[::12] = np.nan
    return out


@cache
def panels() -> tuple[Panel, Panel]:
    """As of the middle of October and of November 2020: twelve years to 2020-09 and to 2020-10."""
    n = 12 * 11 + 10
    level, other, rate = growing(n, 12, 1), growing(n, 12, 2), swinging(n, 3)
    ytd, quarter, year = since_january(growing(n, 12, 4)), growing(46, 4, 5), growing(11, 1, 6)
    meant = {
        series("level", Freq.M, kind="level_month"): level,
        series("rate", Freq.M, kind="yoy_month", aggregation="average", unit_analysed="%"): rate,
        series("ytd", Freq.M, kind="level_ytd", jan_feb="combined"): ytd,
        series("quarter", Freq.Q, kind="level"): quarter,
        series("year", Freq.A, kind="level_annual"): year,
        series("other", Freq.M, kind="level_month"): other,
    }
    old = {s: v[: n - 1] if len(v) == n else v[:45] if len(v) == 46 else v for s, v in meant.items()}
    new = {s: np.where(np.arange(len(v)) == 5, v * 1.01, v) for s, v in meant.items()}
    new[next(s for s in new if s.indicator.id == "quarter")] = quarter[:45] * 1.001
    return panel(old, date(2020, 10, 16)), panel(new, date(2020, 11, 16))
