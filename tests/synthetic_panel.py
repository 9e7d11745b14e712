"""Panels made from a known truth: monthly series about one factor, and a quarterly sum of it."""

from __future__ import annotations

from datetime import date
from typing import Literal

import numpy as np

from engine.calendar import Freq, Period, end_of
from engine.indicator import Indicator, Region, Series
from engine.panel import NEVER, Panel
from engine.typing import Floats

REGION = Region("ZZ", "Nowhere", "无处")
STEPS: tuple[Literal["pch", "chg", "lin"], ...] = ("pch", "chg", "lin")


def series(name: str, freq: Freq, step: Literal["lin", "chg", "pch", "pca"] = "pch") -> Series:
    aggregation: Literal["growth", "average"] = "average" if step == "lin" else "growth"
    return Series(Indicator(name, name, name, freq, "", "", step, aggregation, 30, "", ""), REGION)


def panel_of(columns: dict[str, tuple[Freq, Floats]], first: str = "1980-01") -> Panel:
    """One column a series, as of long after; the quarterly ones in the last months of their quarters."""
    values = np.column_stack([v for _, v in columns.values()])
    stamps = np.where(np.isnan(values), NEVER, 0).astype(np.int64)
    meanings = tuple(series(n, f) for n, (f, _) in columns.items())
    return Panel(end_of(date(2030, 1, 1)), meanings, Period.parse(first), values, stamps)


def simulate(months: int, monthly: int, seed: int = 0, noise: float = 0.5, late: bool = True) -> Panel:
    """``y@ZZ`` (quarterly: the factor summed up as growth is, plus noise), ``x0@ZZ`` … with ragged ends, ``q@ZZ`` quarterly."""
    g = np.random.default_rng(seed)
    f = np.zeros(months)
    for t in range(1, months):
        f[t] = 0.7 * f[t - 1] + g.normal()
    y, q = np.full(months, np.nan), np.full(months, np.nan)
    w = np.array([1, 2, 3, 2, 1]) / 3
    for t in range(5, months, 3):
        y[t] = w @ f[t - 4 : t + 1] + noise * g.normal()
        q[t] = f[t] + g.normal()
    y[months - 4 :] = np.nan
    columns = {"y": (Freq.Q, y)}
    for i in range(monthly):
        x = g.uniform(0.5, 1.5) * f + noise * g.normal(size=months)
        if late:
            x[months - i % 3 :] = np.nan
        columns[f"x{i}"] = (Freq.M, x)
    columns["q"] = (Freq.Q, q)
    return panel_of(columns)
