"""Small panels for the tests of early warning: items of a made-up region, US series of the golden folder."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np

from engine.calendar import Freq, Period, end_of
from engine.indicator import Indicator, Region, Series
from engine.panel import NEVER, Panel
from engine.typing import Floats
from modelzoo.warning.rules import Item

GOLDEN = Path(__file__).parents[1].parent / "shared" / "golden"
ABSENT = "" if (GOLDEN / "us").is_dir() else "needs ../shared/golden/us (US monthly series and NBER dates)"
NOWHERE = Region("X", "Nowhere", "某地")
IDS = tuple(f"i{k}" for k in range(10))
WEIGHTS = (7, 5, 5, 4, 5, 4, 4, 5, 5, 6)
ITEMS = tuple(Item(i, w) for i, w in zip(IDS, WEIGHTS, strict=True))


def series(name: str, region: Region = NOWHERE, freq: Freq = Freq.M, **said: str) -> Series:
    return Series(Indicator(name, name, name, freq, "%", "%", "lin", "average", 15, "", "", **said), region)  # type: ignore[arg-type]


def panel(
    columns: Mapping[str, Floats] | Floats,
    first: str = "2010-01",
    region: Region = NOWHERE,
    said: Mapping[str, Mapping[str, str]] | None = None,
    quarterly: Sequence[str] = (),
    asof: date | None = None,
) -> Panel:
    """Columns by indicator, or ``(T, 10)`` for IDS, all known from the month's end; as of the end of the last month."""
    if not isinstance(columns, Mapping):
        columns = dict(zip(IDS, columns.T, strict=True))
    start, values = Period.parse(first), np.column_stack(list(columns.values())).astype(float)
    meaning = tuple(series(c, region, Freq.Q if c in quarterly else Freq.M, **(said or {}).get(c, {})) for c in columns)
    ends = np.array([int(end_of((start + t).end).timestamp()) * 10**6 for t in range(len(values))])
    stamps = np.where(np.isnan(values), NEVER, ends[:, None])
    return Panel(end_of(asof or (start + len(values) + -1).end), meaning, start, values, stamps)


def cycle(months: int = 120, seed: int = 0, K: int = 10) -> Floats:
    """``(T, K)`` items around a common wave of 40 months, each in its own unit."""
    g = np.random.default_rng(seed)
    wave = np.sin(2 * np.pi * np.arange(months) / 40)
    return (wave[:, None] + 0.5 * g.normal(size=(months, K))) * g.uniform(0.5, 20, K) + g.uniform(-50, 50, K)


def until(whole: Panel, month: Period) -> Panel:
    """The panel as it stood at the end of a month: no later rows."""
    t = whole.row(month) + 1
    return Panel(end_of(month.end), whole.series, whole.first, whole.values[:t], whole.stamps[:t])


US = Region("US", "United States", "美国")


@cache
def us() -> Panel:
    """Monthly US series, the spread of ten years over three months (bond-equivalent) and the NBER months, 1947-01 on."""
    with (GOLDEN / "us/us_monthly.csv").open() as file:
        rows = list(csv.DictReader(file))
    with (GOLDEN / "us/nber_recession_monthly.csv").open() as file:
        nber = {r["month"]: float(r["nber"]) for r in csv.DictReader(file)}
    columns = {c: np.array([float(r[c]) if r[c] else np.nan for r in rows]) for c in rows[0] if c != "month"}
    bill = columns["tb3ms"]
    columns["spread"] = columns["gs10"] - 100 * (365 * bill / 100) / (360 - 91 * bill / 100)
    columns["indpro"] = 100 * np.r_[np.nan, np.diff(np.log(columns["indpro"]))]
    columns["payems"] = 100 * np.r_[np.nan, np.diff(np.log(columns["payems"]))]
    columns["usrec"] = np.array([nber.get(r["month"], np.nan) for r in rows])
    kept = {c: columns[c] for c in ("spread", "indpro", "payems", "unrate", "houst", "usrec")}
    return panel(kept, rows[0]["month"], US)
