"""What a chart of readings shows, before it is drawn: courses with turns, the cycle clock, a grid of lamps, places on a board.

Static and interactive charts draw these, so that a picture and a page say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from engine.calendar import Freq, Period
from engine.errors import BadInput, NotEnoughData
from engine.estimate import BANDS, LEVELS, quantile_name
from engine.lights import Light, Mark
from engine.turning import Bbq, Turns, said
from engine.typing import Floats

CLOCK = 36
"""Months that the hand of a cycle clock has gone through."""

_NONE = Turns((), 0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """One index of one unit through time.

    months: ``(H,)`` ordinals of the last months of ``periods``, ascending. index: ``(H,)``. bands: by per cent, low and high
    ``(H,)``, NaN where there is none; a band without width anywhere is left out. turns: what may be said of the months shown
    (:func:`engine.turning.said` with BBQ), rows of ``index``; none for quarters, for gaps, below 15 months, or of a chance.
    """

    unit: str
    name: str
    periods: tuple[str, ...]
    months: Floats
    index: Floats
    bands: Mapping[int, tuple[Floats, Floats]]
    turns: Turns

    @property
    def is_chance(self) -> bool:
        """Whether all values lie in 0 … 1: the probability of an event, which has neither turning points nor a cycle."""
        return _chance(self.index)


class Lamps(NamedTuple):
    """rows: units, or items with the whole ("") first. place: the light of a row in a period; score and mark of an item."""

    rows: tuple[str, ...]
    periods: tuple[str, ...]
    light: Mapping[tuple[str, str], Light]
    score: Mapping[tuple[str, str], float]
    mark: Mapping[tuple[str, str], Mark]


class Place(NamedTuple):
    """A unit on a board; low and high: the central 90 % of its places."""

    unit: str
    rank: int
    low: float
    high: float
    score: float


def units(readings: pl.DataFrame) -> list[str]:
    """Units by code: a province stands before its cities, the whole before its cells."""
    return sorted(readings["unit"].unique().to_list())


def courses(readings: pl.DataFrame) -> tuple[Course, ...]:
    """The indices of one unit, the whole ("") first, then as the readings name them. Raises BadInput for none, or more units."""
    own = readings.filter(pl.col("level").str.contains(r"^(index|q\d{3})$"))
    found = units(own)
    if len(found) != 1 or not (own["level"] == "index").any():
        raise BadInput(f"a chart of an index shows one unit, not {', '.join(found) or 'none'}")
    names = own.filter(pl.col("level") == "index")["name"].unique(maintain_order=True).to_list()
    return tuple(_course(own, found[0], name) for name in sorted(names, key=lambda n: n != ""))


def _course(own: pl.DataFrame, unit: str, name: str) -> Course:
    wide = own.filter(pl.col("name") == name).pivot("level", index="period", values="value")
    wide = wide.filter(pl.col("index").is_not_null())
    periods = [Period.parse(p) for p in wide["period"]]
    order = np.argsort([p.last_month.ordinal for p in periods])
    months = np.array([periods[i].last_month.ordinal for i in order], float)
    index = wide["index"].to_numpy()[order]
    bands = {}
    for percent, ends in BANDS.items():
        low, high = (quantile_name(LEVELS[k]) for k in ends)
        if low in wide.columns and high in wide.columns:
            pair = wide[low].to_numpy()[order], wide[high].to_numpy()[order]
            if (pair[1] > pair[0]).any():
                bands[percent] = pair
    whole = all(p.freq is Freq.M for p in periods) and (np.diff(months) == 1).all()
    return Course(unit, name, tuple(str(periods[i]) for i in order), months, index, bands, _turns(index, bool(whole)))


def _chance(index: Floats) -> bool:
    return bool(index.min() >= 0.0 and index.max() <= 1.0)


def _turns(index: Floats, whole: bool) -> Turns:
    if not whole or _chance(index):
        return _NONE
    try:
        return said(index, Bbq())
    except NotEnoughData:
        return _NONE


def cycle(course: Course) -> tuple[Floats, Floats]:
    """``(H,)`` change over six months and level, both in standard deviations of their own history; a line is taken out.

    The first six changes are NaN. Raises BadInput for fewer than two years.
    """
    y = course.index
    if len(y) < 24:
        raise BadInput(f"a cycle clock needs two years of an index, not {len(y)} months")
    level = y - np.polynomial.Polynomial.fit(course.months, y, 1)(course.months)
    change = np.full_like(y, np.nan)
    change[6:] = y[6:] - y[:-6]
    change = (change - np.nanmean(change)) / (np.nanstd(change) or 1.0)
    return change, np.asarray(level / (np.std(level) or 1.0), np.float64)


def lamps(readings: pl.DataFrame, unit: str | None = None) -> Lamps:
    """The lights of the items of one unit, or without ``unit`` the whole light of every unit. Raises BadInput for none."""
    if unit is None:
        rows = readings.filter(pl.col("name") == "").with_columns(row=pl.col("unit"))
    else:
        rows = readings.filter(pl.col("unit") == unit).with_columns(row=pl.col("name"))
    parts = {level: rows.filter(pl.col("level") == level) for level in ("light", "score", "mark")}
    if (shown := parts["light"]).is_empty():
        raise BadInput(f"there are no lights of {unit or 'any unit'} to draw")
    order = (
        shown["row"].unique(maintain_order=True).to_list() + parts["mark"]["row"].unique(maintain_order=True).to_list()
    )
    order = sorted(dict.fromkeys(order), key=lambda r: r if unit is None else "" if not r else "x")
    at = {
        level: {(r, p): v for r, p, v in part.select("row", "period", "value").iter_rows()}
        for level, part in parts.items()
    }
    return Lamps(
        tuple(order),
        tuple(sorted(shown["period"].unique())),
        {k: Light(int(v)) for k, v in at["light"].items()},
        at["score"],
        {k: Mark(int(v)) for k, v in at["mark"].items()},
    )


def places(readings: pl.DataFrame) -> tuple[Place, ...]:
    """Units of the newest period by their place, the best first. Raises BadInput without ranks."""
    levels = ["rank", "rank_low", "rank_high", "score"]
    own = readings.filter(pl.col("level").is_in(levels), pl.col("name") == "")
    if own.is_empty():
        raise BadInput("there are no ranks to draw")
    wide = own.filter(pl.col("period") == own["period"].max()).pivot("level", index="unit", values="value")
    if not set(levels) <= set(wide.columns):
        raise BadInput("there are no ranks to draw")
    rows = wide.sort("rank", "unit").select("unit", *levels).iter_rows()
    return tuple(Place(u, int(rank), low, high, score) for u, rank, low, high, score in rows)
