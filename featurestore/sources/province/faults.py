"""Planted faults, with an answer key: seven mistakes that offices make, each in one place that the seed chooses.

Fault                where                          what
unit_jump            re_investment_ytd              one month in 10,000 yuan instead of 100 million: times 10^4
duplicated_month     deposits_balance               last month's value again
missing_city         a release of the cities        one city left out, and never made up for
ytd_falls            re_sales_area_ytd              a year-to-date sum below that of the month before
growth_inconsistent  elec_total_yoy                 growth that the levels of the same scope contradict by 9 points
late_release         prices                         three weeks after its day
level_shift          loans_balance                  an eighth more from one month on, growth unchanged
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl

from engine.calendar import Freq, Period, known_day
from featurestore.sources import Load
from featurestore.sources.province.meaning import CITIES, PROVINCE

KEY = pl.Schema(
    {"fault": pl.String(), "series": pl.String(), "period": pl.String(), "release": pl.String(), "known": pl.Date(),
     "value": pl.Float64(), "true": pl.Float64(), "is_synthetic": pl.Boolean()}
)  # fmt: skip
"""One row a value that is wrong, missing or late: what was published, and what should have been (null: nothing). A
level_shift has one row, its first month; every later value of the series is shifted too."""

LATE = timedelta(days=21)

_Row = tuple[str, str, str, str, object, float | None, float | None, bool]


def plant(loads: list[Load], rng: np.random.Generator) -> tuple[list[Load], pl.DataFrame]:
    """The loads with the faults in them, and the KEY."""
    months = [Period.parse(f"{y}-{m:02d}") for y, m in zip(_years(rng), rng.integers(4, 12, 7), strict=True)]
    unit, twice, missing, falls, growth, late, shift = months
    city = CITIES[int(rng.integers(len(CITIES)))].code
    key: list[_Row] = []
    one = {
        f"re_investment_ytd@{PROVINCE.code}": ("unit_jump", unit),
        f"deposits_balance@{PROVINCE.code}": ("duplicated_month", twice),
        f"re_sales_area_ytd@{PROVINCE.code}": ("ytd_falls", falls),
        f"elec_total_yoy@{PROVINCE.code}": ("growth_inconsistent", growth),
    }
    last: dict[str, float] = {}
    never: set[tuple[str, int]] = set()
    found: list[Load] = []
    for clean in loads:
        load = clean
        code, day = load.release.code, known_day(load.release.known_at)
        for series, (fault, period) in one.items():
            if (true := _value(load, series, period)) is not None:
                before = last.get(series, true)
                wrong = {
                    "unit_jump": round(true * 1e4, 2),
                    "duplicated_month": before,
                    "ytd_falls": round(before * 0.97, 2),
                    "growth_inconsistent": round(true + 9, 1),
                }[fault]
                load = _with(load, series, period, wrong)
                key.append((fault, series, str(period), code, day, wrong, true, True))
            if (now := _value(load, series, None)) is not None:
                last[series] = now
        if code == "cities" and _value(load, f"ind_va_yoy_ytd@{city}", missing) is not None:
            rows = load.values.filter(pl.col("series").str.ends_with("@" + city))
            never = set(rows.select("series", "period").iter_rows())
        load, out = _without(load, never)
        key += out
        if code == "prices" and _value(load, f"cpi_yoy@{PROVINCE.code}", late) is not None:
            load = replace(load, release=replace(load.release, known_at=load.release.known_at + LATE))
            day = known_day(load.release.known_at)
            for series, _, value, _ in load.values.iter_rows():
                key.append(("late_release", series, str(late), code, day, value, value, True))
        series = f"loans_balance@{PROVINCE.code}"
        if (true := _value(load, series, None)) is not None and _month(load, series) >= shift:
            shifted = round(true * 1.125, 2)
            load = _with(load, series, _month(load, series), shifted)
            if _month(load, series) == shift:
                key.append(("level_shift", series, str(shift), code, day, shifted, true, True))
        found.append(load if load is clean else _marked(load))
    return sorted(found, key=lambda x: x.release.known_at), pl.DataFrame(key, schema=KEY, orient="row")


def _marked(load: Load) -> Load:
    """With a content of its own, so that a store tells the release from the one without a fault."""
    content = hashlib.sha256(load.release.content + repr(load.values.rows()).encode()).digest()
    return replace(load, release=replace(load.release, content=content, uri=load.release.uri + "/faults"))


def _years(rng: np.random.Generator) -> list[int]:
    """Seven years, none twice."""
    return [int(y) for y in rng.choice(np.arange(2011, 2025), 7, replace=False)]


def _without(load: Load, never: set[tuple[str, int]]) -> tuple[Load, list[_Row]]:
    """The load without values that never come, and the rows of the key for them."""
    mask = [(series, period) in never for series, period, *_ in load.values.iter_rows()]
    if not any(mask):
        return load, []
    release, freq = load.release, {s.id: s.freq for s in load.series}
    out: list[_Row] = [
        (
            "missing_city",
            series,
            str(Period(freq[series], period)),
            release.code,
            known_day(release.known_at),
            None,
            v,
            True,
        )
        for series, period, v, _ in load.values.filter(pl.Series(mask)).iter_rows()
    ]
    kept = load.values.filter(~pl.Series(mask))
    there = set(kept["series"])
    return Load(release, kept, tuple(s for s in load.series if s.id in there)), out


def _value(load: Load, series: str, period: Period | None) -> float | None:
    """The value of a series in a load, of that period if one is given."""
    if all(s.id != series for s in load.series):
        return None
    row = load.values.filter(pl.col("series") == series)
    if not row.height or (period is not None and row["period"][0] != period.ordinal):
        return None
    return float(row["value"][0])


def _month(load: Load, series: str) -> Period:
    return Period(Freq.M, int(load.values.filter(pl.col("series") == series)["period"][0]))


def _with(load: Load, series: str, period: Period, value: float) -> Load:
    here = (pl.col("series") == series) & (pl.col("period") == period.ordinal)
    return replace(load, values=load.values.with_columns(pl.when(here).then(value).otherwise("value").alias("value")))
