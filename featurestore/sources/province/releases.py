"""The offices' releases, one after another, in the terms of the store: first estimates and revisions of past years."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import numpy as np
import polars as pl

from engine.indicator import Series
from engine.typing import Floats
from featurestore.sources import Load
from featurestore.sources.province.latent import FIRST
from featurestore.sources.province.levels import Level
from featurestore.sources.province.meaning import CITIES, PROVINCE, SOURCE, Line, lines
from featurestore.sources.province.publication import FIRST_YEAR, WINDOWS, known, published, release_days
from featurestore.sources.province.vintages import Vintages
from featurestore.store import VALUES, Release

VERSION = 1
"""Of the generator: another one may give another economy for the same seed."""

_CITY_DECIMALS = 2


def releases(
    truth: dict[str, Level],
    parts: dict[str, tuple[Level, ...]],
    vintages: Vintages,
    rng: np.random.Generator,
    seed: int,
) -> list[Load]:
    """All releases by the day on which they became known. Two of one code never fall on one instant."""
    days = {group: release_days(group, rng) for group in WINDOWS}
    columns = list(_columns(truth, parts))
    rows: dict[tuple[str, str, date], list[tuple[Series, int, float]]] = defaultdict(list)
    for column in columns:
        for t in np.flatnonzero(np.isfinite(column.unrounded)):
            day = days[column.group][t]
            rows[column.group, column.group, day].append(column.row(int(t), day, vintages))
    for event in vintages.events():
        for column in (c for c in columns if c.line.family in event.families):
            for t in np.flatnonzero(np.isfinite(column.unrounded)):
                year = FIRST_YEAR + int(t) // 12
                if event.years[0] <= year <= event.years[1] and days[column.group][t] < event.day:
                    rows["revised", event.code, event.day].append(column.row(int(t), event.day, vintages))
    return collect(rows, seed)


def collect(rows: Mapping[tuple[str, str, date], Sequence[tuple[Series, int, float]]], seed: int) -> list[Load]:
    """Loads by the day on which they became known, from series, period and value by group, code and day."""
    everything = [(series.id, period, value, "A") for of in rows.values() for series, period, value in of]
    frame = pl.DataFrame(
        everything, schema=VALUES, orient="row"
    )  # one, and slices of it: a frame costs more than its rows
    loads, start = [], 0
    for what, of in rows.items():
        loads.append(_load(*what, frame[start : start + len(of)], of, seed))
        start += len(of)
    return sorted(loads, key=lambda load: (load.release.known_at, load.release.code))


class _Column:
    """One line in one region: unrounded values on true levels, and how they are said on a day."""

    def __init__(self, line: Line, truth: Level, city: int | None) -> None:
        self.line, self._city = line, city
        self.group = "cities" if city is not None and line.group in ("accounts", "activity") else line.group
        self.series = line.series(PROVINCE if city is None else CITIES[city])
        self.unrounded: Floats = published(line, truth)
        self._decimals = _CITY_DECIMALS if line.is_level and city is not None else line.decimals

    def row(self, t: int, day: date, vintages: Vintages) -> tuple[Series, int, float]:
        """Series, ordinal of the period, and what is published on that day about month ``t``."""
        year, value = FIRST_YEAR + t // 12, float(self.unrounded[t])
        if self.line.is_level:
            value *= vintages.level(self.line, year, day, self._city)
        else:
            value += vintages.growth(self.line, year, day)
        period = (FIRST + t).to(self.series.freq)
        return self.series, period.ordinal, round(value, self._decimals)


def _columns(truth: dict[str, Level], parts: dict[str, tuple[Level, ...]]) -> Iterator[_Column]:
    for line in lines():
        yield _Column(line, truth[line.truth], None)
        if line.in_cities:
            yield from (_Column(line, level, city) for city, level in enumerate(parts[line.truth]))


def _load(
    group: str, code: str, day: date, values: pl.DataFrame, said: Sequence[tuple[Series, int, float]], seed: int
) -> Load:
    instant, precision = known(group, day)
    uri = f"synthetic:province/version-{VERSION}/seed-{seed}/{code}/{day}"
    content = hashlib.sha256(uri.encode() + repr([(s.id, p, v) for s, p, v in said]).encode()).digest()
    series = tuple({s.id: s for s, _, _ in said}.values())
    return Load(Release(SOURCE, code, instant, precision, content, uri), values, series)
