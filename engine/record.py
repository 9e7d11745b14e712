"""The record that stands beside the last months of an index, taken from its readings, and what it means in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from engine.revisions import LEAST
from engine.track import MATURE

MONTHS = 12
"""Newest months beside which a record is printed."""

FEWEST = LEAST + MATURE + MONTHS - 1
"""Monthly readings below which nothing can be said of the oldest of these months."""

Say = tuple[str, str]
"""English and Chinese."""

HEADS: tuple[Say, ...] = (
    ("cycle", "周期"),
    ("became, 80 %", "后来80%"),
    ("noise/signal", "噪信比"),
    ("side kept", "同侧"),
    ("direction kept", "同向"),
)
"""What stands beside a month."""

_LEVELS = ("cycle", "cycle_low", "cycle_high", "noise", "sign", "direction")


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known of readings as old as that of this month. Shares lie in 0 … 1, the others are in the unit of the cycle."""

    cycle: float
    low: float
    high: float
    noise: float
    sign: float
    direction: float


@dataclass(frozen=True, slots=True)
class Turned:
    """Turning points dated now that the record covers; the share that was confirmed in its time, and after how many months;
    of those confirmed the share that are none now. months: None where none was confirmed."""

    count: int
    found: float
    false: float
    months: float | None


@dataclass(frozen=True, slots=True)
class Record:
    """months: by period, empty where the readings were too few. vintages: how many, by timing: real, or pseudo.

    timing: that of the record, "" without one. turns: None where no turning point is old enough.
    """

    timing: Literal["real", "pseudo", ""]
    vintages: dict[str, int]
    months: dict[str, Beside]
    turns: Turned | None


def record(readings: pl.DataFrame, unit: str) -> Record | None:
    """The record of one unit; None where the readings hold none, as those of lights, boards and monitors."""
    own = readings.filter(pl.col("unit") == unit)
    counted = own.filter(pl.col("level") == "vintages").select("name", "value").iter_rows()
    vintages = {name: int(value) for name, value in counted}
    if not vintages:
        return None
    by = {level: dict(own.filter(level=level).select("period", "value").iter_rows()) for level in _LEVELS}
    months = {p: Beside(*(by[level][p] for level in _LEVELS)) for p in sorted(by["cycle"])}
    said = dict(own.filter(pl.col("level").str.starts_with("turns")).select("level", "value").iter_rows())
    turns = None
    if "turns" in said:
        turns = Turned(int(said["turns"]), said["turns_found"], said["turns_false"], said.get("turns_months"))
    timing: Literal["real", "pseudo", ""] = "" if not months else "pseudo" if "pseudo" in vintages else "real"
    return Record(timing, vintages, months, turns)


def words(told: Record) -> tuple[Say, ...]:
    """What a record rests on and what its columns mean, sentence by sentence."""
    real, pseudo = told.vintages.get("real", 0), told.vintages.get("pseudo", 0)
    if not told.timing:
        return (
            (
                f"How far these months may be believed cannot be said: {real} earlier months with real vintages and {pseudo} in "
                f"pseudo real time are too few; {FEWEST} are needed.",
                f"尚不能说明近月读数可信到什么程度：此前有真实历史版本的月份{real}个、伪实时月份{pseudo}个，均不足{FEWEST}个。",
            ),
        )
    if told.timing == "real":
        basis = (
            f"Record: {real} earlier months, each read with the vintages of its day (real time), against what the index says now.",
            f"可信度记录：此前{real}个月，各按当日已发布的数据读取（实时），与现在的指数比较。",
        )
    else:
        basis = (
            f"Record: {pseudo} earlier months in pseudo real time, the newest vintage cut by usual delays, as {real} with real "
            "vintages are too few. What offices revised is not in it.",
            f"可信度记录：真实历史版本仅{real}个月，不足以判断；改用{pseudo}个月的伪实时读数（按通常发布时滞截取最新数据），未含官方数据修订。",
        )
    meaning = (
        "Cycle: per cent from trend, or points from its neutral level; became: what such readings were revised to. Noise/signal: "
        "spread of the revisions of months of this age to that of the cycle; at 1 one knows as much without it. Kept: share of "
        "readings whose side of neutral, or direction, stood.",
        "周期：偏离趋势的百分比，或偏离中性水平的点数；后来：同龄读数修订后的区间。噪信比：同龄月份修订的离散度与周期离散度之比，为1时看与不看"
        "一样。同侧、同向：读数的方位、升降后来未变的比例。",
    )
    return basis, meaning, *((_turned(told.turns),) if told.turns else ())


def _turned(t: Turned) -> Say:
    after = "" if t.months is None else f", {t.months:g} months after them (median)"
    after_zh = "" if t.months is None else f"，中位时滞{t.months:g}个月"
    return (
        f"Turning points: of the {t.count} dated now, {t.found:.0%} were confirmed in their time{after}; of those confirmed, "
        f"{t.false:.0%} are none now.",
        f"拐点：现在认定的{t.count}个中，{t.found:.0%}在当时得到确认{after_zh}；当时确认的拐点中，{t.false:.0%}现已不成立。",
    )
