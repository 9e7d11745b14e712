"""Source ``sdmx``: data messages of statistical offices, SDMX-CSV and SDMX-JSON 1.0 and 2.0, by a mapping of series keys.

::

    source = "ecb"
    release = "exchange-rates"
    known_at = 2024-03-01
    key = ["FREQ", "CURRENCY"]              # dimensions that tell the series apart, in the order of the keys
    ignore = ["*"]                          # patterns of keys left out; without it a key that is not mapped is an error
    [series]
    "M.USD" = "usd@US"

OBS_STATUS becomes the status; without one it is A. An observation that a message deletes is a value taken back (M).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import ClassVar

import polars as pl

from engine.calendar import Period, end_of
from engine.errors import BadInput, Unknown
from engine.indicator import Series
from featurestore import catalogue, rows
from featurestore.sources import Load, mapping
from featurestore.sources.sdmx_read import TIME, Seen, observations
from featurestore.store import VALUES, Precision, Release

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True, kw_only=True)
class Keys:
    """A mapping file. ``unit_mult``: the power of ten that the catalogue's unit counts in, where messages have UNIT_MULT."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}
    source: str
    release: str
    known_at: date
    key: tuple[str, ...]
    series: Mapping[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    unit_mult: int | None = None
    precision: Precision = "day"
    unterminated: bool = False

    def __post_init__(self) -> None:
        if not self.series or not self.key or TIME in self.key:
            raise BadInput(f"a mapping needs series, and key: dimensions without {TIME}")


def loads(path: Path, mapping_path: Path) -> Iterator[Load]:
    """The one release of a message. Raises BadInput that names file and row, or series and observation."""
    m = mapping.read(mapping_path, Keys)
    content = mapping.content_of(path)
    message = _Message(path.name, m)
    for seen in observations(content, path.name, unterminated=m.unterminated):
        message.take(seen)
    digest = mapping.digest(content, mapping.content_of(mapping_path))
    release = Release(m.source, m.release, end_of(m.known_at), m.precision, digest, path.name)
    yield Load(release, *message.rows())


class _Message:
    """Collects the rows of a message; every complaint names its place."""

    def __init__(self, file: str, m: Keys) -> None:
        self._file, self._m = file, m
        self._series: dict[str, Series] = {}
        self._rest: dict[str, Mapping[str, str]] = {}
        self._values: dict[tuple[str, int], tuple[float | None, str]] = {}

    def take(self, seen: Seen) -> None:
        """One observation."""
        m = self._m
        if lost := [k for k in m.key if k not in seen.codes]:
            raise self._bad(f"no dimension {lost[0]}; there are {', '.join(seen.codes)}", seen)
        key = ".".join(seen.codes[k] for k in m.key)
        if key not in m.series:
            if any(fnmatchcase(key, pattern) for pattern in m.ignore):
                return
            raise self._bad(f"the series {key} is neither in the mapping's series nor in its ignore", seen)
        series_id = m.series[key]
        try:
            series = self._series.setdefault(series_id, catalogue.load().series(series_id))
        except (BadInput, Unknown) as error:
            raise self._bad(str(error), seen) from None
        rest = {d: c for d, c in seen.codes.items() if d not in m.key and d != TIME}
        if rest != self._rest.setdefault(series_id, rest):
            other = next(d for d in rest if rest[d] != self._rest[series_id].get(d))
            raise self._bad(f"{key} has several {other}: take {other} into the mapping's key", seen)
        period = self._period(seen, series)
        value, status = self._value(seen)
        if value is None and status not in rows.NO_VALUE:
            return
        if (series_id, period.ordinal) in self._values:
            raise self._bad(f"a second value for {series_id} {period}", seen)
        self._values[series_id, period.ordinal] = (value, status)

    def rows(self) -> tuple[pl.DataFrame, tuple[Series, ...]]:
        """VALUES, and what their series mean. Raises BadInput for a mapped key that has no value."""
        there = {i for i, _ in self._values}
        if lost := [key for key, i in self._m.series.items() if i not in there]:
            raise BadInput(f"the message holds no value of the series {lost[0]}", file=self._file)
        values = [(i, p, v, s) for (i, p), (v, s) in self._values.items()]
        return pl.DataFrame(values, schema=VALUES, orient="row"), tuple(self._series.values())

    def _bad(self, problem: str, seen: Seen, column: str | None = None) -> BadInput:
        place = ", ".join(filter(None, [self._file, seen.place]))
        return BadInput(problem, file=place, row=seen.row, column=column)

    def _period(self, seen: Seen, series: Series) -> Period:
        text = seen.codes.get(TIME, "")
        try:
            period = Period.parse(text)
        except (BadInput, ValueError, OverflowError) as error:
            raise self._bad(str(error), seen, TIME) from None
        if period.freq is not series.freq:
            raise self._bad(f"{text} is no period of {series.id}, whose frequency is {series.freq}", seen, TIME)
        forecast = seen.attributes.get("OBS_STATUS") == "F"
        if period.start < rows.EARLIEST or (period.start > self._m.known_at and not forecast):
            raise self._bad(f"{text} had not begun on the known day, {self._m.known_at}", seen, TIME)
        return period

    def _value(self, seen: Seen) -> tuple[float | None, str]:
        """The value in the unit of the catalogue, and its status."""
        if seen.deleted:
            return None, "M"
        status = seen.attributes.get("OBS_STATUS") or "A"
        if not re.fullmatch("[A-Z]", status):
            raise self._bad(f"not a status (one capital letter): {status!r}", seen, "OBS_STATUS")
        text = "" if seen.value is None else str(seen.value).strip()
        if text in ("", "NaN", "nan"):
            return None, status
        if isinstance(seen.value, bool) or not _NUMBER.fullmatch(text) or abs(float(text)) == float("inf"):
            raise self._bad(f"not a number: {text!r}", seen, "OBS_VALUE")
        if status in rows.NO_VALUE:
            raise self._bad(f"status {status} means that there is no value, yet there is {text}", seen, "OBS_STATUS")
        scale, own = seen.attributes.get("UNIT_MULT", "0"), self._m.unit_mult
        if not re.fullmatch(r"-?\d{1,2}", scale):
            raise self._bad(f"not a power of ten: {scale!r}", seen, "UNIT_MULT")
        if int(scale) and own is None:
            problem = f"values count in 10^{scale}: say in which power of ten the catalogue's unit counts"
            raise self._bad(f"{problem} (unit_mult = {scale})", seen, "UNIT_MULT")
        power = 0 if "UNIT_MULT" not in seen.attributes or own is None else int(scale) - own
        return float(text) * 10**power if power >= 0 else float(text) / 10**-power, status
