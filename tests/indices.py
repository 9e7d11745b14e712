"""Panels for the tests of indices: US monthly levels of ../shared/golden/us, and series made by chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from engine.calendar import Freq, Period
from engine.indicator import Indicator, PublishedKind, Region, Series, Step
from engine.panel import EPOCH, Panel
from engine.typing import Floats

GOLDEN = Path(__file__).parents[1].parent / "shared" / "golden"
ABSENT = "" if GOLDEN.is_dir() else "needs ../shared/golden"
US = Region("US", "United States", "美国")
ASOF = datetime(2023, 1, 1, tzinfo=UTC)


def read(name: str) -> pl.DataFrame:
    """A golden file with a column ``month``; all others as numbers."""
    frame = pl.read_csv(GOLDEN / name, infer_schema_length=None)
    return frame.with_columns(pl.col("month").str.slice(0, 7), pl.exclude("month").cast(pl.Float64))


def series(
    name: str, step: Step = "lin", kind: PublishedKind = "level", direction: Literal["pro", "counter", ""] = ""
) -> Series:
    about = Indicator(
        name, name, name, Freq.M, "unit", "unit", step, "average", 20, "", "", kind=kind, direction=direction
    )
    return Series(about, US)


def panel(first: str, values: Floats, about: Sequence[Series], asof: datetime = ASOF) -> Panel:
    """A panel of ``(T, N)`` values from a month on; every value known from the beginning of its time."""
    known = (asof - EPOCH).total_seconds() * 1e6
    stamps = np.where(np.isnan(values), np.iinfo(np.int64).min, np.int64(known))
    return Panel(asof, tuple(about), Period.parse(first), np.ascontiguousarray(values, float), stamps)


@cache
def us(first: str = "1959-01", last: str = "2019-12") -> Panel:
    """All columns of us_monthly.csv as published; rates and ratios are rates."""
    frame = read("us/us_monthly.csv").filter(pl.col("month").is_between(pl.lit(first), pl.lit(last)))
    rates: Mapping[str, PublishedKind] = dict.fromkeys(("gs10", "fedfunds", "tb3ms", "unrate", "unratensa"), "ratio")
    ids = frame.columns[1:]
    return panel(first, frame.select(ids).to_numpy(), [series(i, kind=rates.get(i, "level")) for i in ids])
