"""China's national months (internal) as they stood at each month's end, by the publication calendar of the folder."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache

import numpy as np
import warned

from engine.calendar import Freq, Period, end_of
from engine.indicator import Indicator, Region, Series
from engine.panel import NEVER, Panel
from engine.typing import Floats

FOLDER = warned.GOLDEN.parent / "data/china_national_monthly"
ABSENT = "" if FOLDER.is_dir() else "needs ../shared/data/china_national_monthly (internal)"
NATION = Region("CN", "China", "中国")
FIRST, LAST = Period.parse("1999-01"), Period.parse("2023-02")

COINCIDENT = ("IVA", "TRS", "IEV", "PUR", "IET")
"""Value added of industry, retail sales, foreign trade, fiscal revenue, profits of industry: growth on the year."""

LEADING = ("M2", "FIL", "商品房销售面积:累计值", "CEI", "PMO")
"""Money, loans, sold floor space, expectations of consumers, new orders of industry."""

_AS_IS = ("IVA", "M2", "FIL", "CEI", "PMO")
_CALENDAR = {
    "IVA": "工业增加值", "TRS": "社会消费品零售总额", "IEV": "进出口金额", "PUR": "公共财政收入", "IET": "房地产开发投资完成额",
    "M2": "M2", "FIL": "金融机构各项贷款余额", "商品房销售面积:累计值": "商品房销售面积", "CEI": "消费者预期指数",
    "PMO": "PMI：新订单",
}  # fmt: skip
"""Profits have no row of their own: they come at the end of the month after, as the last rows of the calendar do."""

_SAME_MONTH = ("PMO",)  # at the end of the month itself


@cache
def day_of_month() -> Mapping[str, int]:
    """``name in the calendar -> day on which a month is usually published``."""
    with (FOLDER / "release_calendar_raw.csv").open(encoding="utf-8") as file:
        return {
            r["指标名称"]: int(r["release_day_text"][:2])
            for r in csv.DictReader(file)
            if r["release_day_text"][0].isdigit()
        }


def released(code: str, month: Period) -> date:
    """The usual day on which a month's figure is out, never before the month is over."""
    day = day_of_month()[_CALENDAR[code]]
    after = month if code in _SAME_MONTH else month + 1
    start = (after + -1).end + timedelta(days=1)
    return min(start + timedelta(days=day - 1), after.end)


@cache
def published() -> dict[str, Floats]:
    """``code -> (T,)`` from FIRST to LAST as the folder has them: one vintage."""
    named = {"M2": "MTW"} | {c: c for c in (*COINCIDENT, *LEADING) if c != "M2"}
    columns = {c: np.full(LAST - FIRST + 1, np.nan) for c in named}
    place = {v: k for k, v in named.items()}
    for name in ("monthly_long.csv", "monthly_extra_long.csv"):
        with (FOLDER / name).open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if (
                    row["code"] in place
                    and row["value"]
                    and 0 <= (t := Period.parse(row["period"]) - FIRST) < LAST - FIRST + 1
                ):
                    columns[place[row["code"]]][t] = float(row["value"])
    return columns


@cache
def whole() -> Panel:
    """All months, growth on the year in per cent or the balance itself, with the instants at which they became known."""
    codes = (*COINCIDENT, *LEADING)
    values = np.full((LAST - FIRST + 1, len(codes)), np.nan)
    stamps = np.full(values.shape, NEVER)
    for j, code in enumerate(codes):
        x = published()[code]
        if code not in _AS_IS:
            x = np.r_[np.full(12, np.nan), 100 * (x[12:] / x[:-12] - 1)]
        values[:, j] = x
        for t in np.flatnonzero(~np.isnan(x)):
            stamps[t, j] = int(end_of(released(code, FIRST + int(t))).timestamp()) * 10**6
    series = tuple(
        Series(Indicator(f"c{j}", c, c, Freq.M, "%", "%", "lin", "average", 15, "", ""), NATION)
        for j, c in enumerate(codes)
    )
    return Panel(end_of(date(2023, 4, 30)), series, FIRST, values, stamps)


def ids(codes: Sequence[str]) -> tuple[str, ...]:
    """Series ids of these codes."""
    every = (*COINCIDENT, *LEADING)
    return tuple(f"c{every.index(c)}@CN" for c in codes)


def then(day: date) -> Panel:
    """What had been published by the end of that day."""
    panel, asof = whole(), end_of(day)
    known = panel.stamps <= int(asof.timestamp()) * 10**6
    last = int(np.flatnonzero(known.any(1))[-1]) + 1
    values = np.where(known, panel.values, np.nan)[:last]
    return Panel(asof, panel.series, panel.first, values, np.where(known, panel.stamps, NEVER)[:last])
