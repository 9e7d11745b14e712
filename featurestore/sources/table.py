"""Sources ``csv`` and ``xlsx``: any table, tidy or wide, read by a mapping file that says what its columns are.

A mapping is TOML. A wide table, one column a series::

    source = "bea"
    release = "national-accounts"
    layout = "wide"
    known_at = 2016-07-29               # or known_column = "vintage"
    period = { column = "Date", format = "%m/%d/%y" }
    series = { GDPC1 = "gdpc1@US", PAYEMS = "payems@US" }

A tidy one, a row a value, has ``series_column``, ``value_column`` and perhaps ``status_column`` besides; ``series``
then translates the names in the series column, and names that are series ids already need no translation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl

from engine.calendar import Freq, Period, end_of
from engine.errors import BadInput, Unknown
from engine.indicator import Series
from featurestore import catalogue, rows
from featurestore.sources import Load
from featurestore.sources.grid import Cells, read_csv, read_xlsx
from featurestore.sources.mapping import content_of, digest, read
from featurestore.store import VALUES, Precision, Release

_STRICT = {"extra": "forbid"}  # for pydantic: a key that we do not know is a mistake
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class PeriodColumn:
    """format: as of ``strptime``; without it 2016-Q2, 2016-06 or any day of the period."""

    __pydantic_config__: ClassVar = _STRICT
    column: str
    format: str | None = None


@dataclass(frozen=True, kw_only=True)
class Columns:
    """A mapping file. ``ignore``: columns (wide) or series names (tidy) that are left out on purpose."""

    __pydantic_config__: ClassVar = _STRICT
    source: str
    release: str
    layout: Literal["tidy", "wide"]
    period: PeriodColumn
    series: Mapping[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    series_column: str = "series"
    value_column: str = "value"
    status_column: str | None = None
    known_at: date | None = None
    known_column: str | None = None
    precision: Precision = "day"
    sheet: str | None = None
    header_row: int = 1
    delimiter: str = ","
    decimal: Literal[".", ","] = "."
    encoding: str = "utf-8"
    missing: tuple[str, ...] = ("", ".", "NA", "N/A", "n.a.", "#N/A", "…", "—")
    unterminated: bool = False

    def __post_init__(self) -> None:
        if (self.known_at is None) == (self.known_column is None):
            raise BadInput("a mapping says either known_at (a day) or known_column (where the days stand)")
        if self.header_row < 1 or len(self.delimiter) != 1:
            raise BadInput("header_row counts from 1, and a delimiter is one character")
        if self.layout == "wide" and (not self.series or self.status_column):
            raise BadInput("a wide table needs series (column = series id), and has no status column")


def loads(path: Path, mapping: Path, kind: Literal["csv", "xlsx"]) -> Iterator[Load]:
    """One release for each known day in the file, oldest first. Raises BadInput that names file, row and column."""
    columns = read(mapping, Columns)
    content = content_of(path)
    if kind == "csv":
        options = {"delimiter": columns.delimiter, "encoding": columns.encoding}
        grid = read_csv(content, path.name, unterminated=columns.unterminated, **options)
    else:
        grid = read_xlsx(content, path.name, sheet=columns.sheet)
    table = _Table(path.name, columns, ragged=kind == "xlsx")
    for row, cells in grid:
        table.take(row, cells)
    yield from table.loads(digest(content, content_of(mapping)))


class _Table:
    """Collects the values of a table row by row; every complaint names its place."""

    def __init__(self, file: str, columns: Columns, *, ragged: bool) -> None:
        self._file, self._m, self._ragged = file, columns, ragged
        self._header: dict[str, int] = {}
        self._series: dict[str, Series] = {}
        self._seen: dict[tuple[date, str, int], int] = {}
        self._rows: dict[date, list[tuple[str, int, float | None, str]]] = {}
        self._last_row = 0

    def _bad(self, problem: str, row: int, column: str | None = None) -> BadInput:
        return BadInput(problem, file=self._file, row=row, column=column)

    def take(self, row: int, cells: Cells) -> None:
        """One row of the file."""
        self._last_row = row
        if row < self._m.header_row:
            return
        if not self._header:
            self._read_header(row, cells)
            return
        width = len(self._header)
        if len(cells) > width or (len(cells) < width and not self._ragged):
            raise self._bad(f"{len(cells)} cells under {width} columns: the file is damaged or cut off", row)
        cells = cells + [""] * (width - len(cells))
        m = self._m
        known = m.known_at or self._day(cells, row, m.known_column or "")
        if m.layout == "wide":
            for name, series_id in m.series.items():
                self._value(row, cells, name, self._meaning(series_id, row, name), known, "")
            return
        name = str(self._cell(cells, m.series_column))
        if name in m.ignore:
            return
        series = self._meaning(m.series.get(name, name), row, m.series_column)
        status = str(self._cell(cells, m.status_column)) if m.status_column else ""
        self._value(row, cells, m.value_column, series, known, status)

    def _read_header(self, row: int, cells: Cells) -> None:
        m = self._m
        if row != m.header_row:
            raise self._bad("the header row is empty", m.header_row)
        names = [str(c) for c in cells]
        wanted = {m.period.column, *((m.known_column,) if m.known_column else ())}
        if m.layout == "wide":
            wanted |= m.series.keys()
            if strange := [n for n in names if n not in wanted and n not in m.ignore]:
                problem = f"column {strange[0]!r} is neither in the mapping's series nor in its ignore"
                raise self._bad(problem, row, strange[0])
        else:
            wanted |= {m.series_column, m.value_column, *((m.status_column,) if m.status_column else ())}
        for name in sorted(wanted):
            if names.count(name) != 1:
                times = "is missing" if name not in names else "stands twice"
                raise self._bad(f"column {name!r} {times}; the header is {', '.join(names)}"[:300], row, name)
        self._header = {n: i for i, n in enumerate(names)}
        if len(self._header) != len(names):
            raise self._bad("two columns have one name", row, next(n for n in names if names.count(n) > 1))

    def _cell(self, cells: Cells, name: str | None) -> object:
        return cells[self._header[name or ""]]

    def _meaning(self, series_id: str, row: int, column: str) -> Series:
        if series_id not in self._series:
            try:
                self._series[series_id] = catalogue.load().series(series_id)
            except (BadInput, Unknown) as error:
                raise self._bad(f"unknown series: {error}", row, column) from None
        return self._series[series_id]

    def _value(self, row: int, cells: Cells, column: str, series: Series, known: date, status: str) -> None:
        period = self._period(cells, row, series.freq, known, forecast=status == "F")
        value = self._number(self._cell(cells, column), row, column)
        if status in rows.NO_VALUE and value is not None:
            raise self._bad(f"status {status} means that there is no value, yet there is {value}", row, column)
        if status and not re.fullmatch("[A-Z]", status):
            raise self._bad(f"not a status (one capital letter): {status!r}", row, self._m.status_column)
        if value is None and status not in rows.NO_VALUE:
            return
        key = (known, series.id, period.ordinal)
        if key in self._seen:
            raise self._bad(f"{series.id} {period} stands in row {self._seen[key]} already", row, column)
        self._seen[key] = row
        self._rows.setdefault(known, []).append((series.id, period.ordinal, value, status or "A"))

    def _number(self, cell: object, row: int, column: str) -> float | None:
        if isinstance(cell, bool | datetime | date | time):
            raise self._bad(f"not a number: {cell}", row, column)
        if isinstance(cell, int | float):
            return float(cell)
        text = str(cell)
        if text in self._m.missing:
            return None
        if self._m.decimal == ",":
            text = text.replace(".", "x").replace(",", ".")  # a point is then no part of a number
        if not _NUMBER.fullmatch(text) or abs(float(text)) == float("inf"):
            raise self._bad(f"not a number: {str(cell)!r}", row, column)
        return float(text)

    def _period(self, cells: Cells, row: int, freq: Freq, known: date, *, forecast: bool) -> Period:
        column = self._m.period.column
        cell = self._cell(cells, column)
        found = self._date_cell(cell, row, column, self._m.period.format)
        try:
            found = Period.parse(str(cell)) if found is None else found
            period = found if found.freq is freq else found.to(freq)
        except (BadInput, ValueError, OverflowError) as error:
            raise self._bad(str(error), row, column) from None
        if period.start > found.start or period.end < found.end:
            raise self._bad(f"{found} is longer than a period of frequency {freq}", row, column)
        if period.start < rows.EARLIEST or (period.start > known and not forecast):
            problem = f"date out of range: {period} does not lie between {rows.EARLIEST.year} and the known day {known}"
            raise self._bad(problem, row, column)
        return period

    def _day(self, cells: Cells, row: int, column: str) -> date:
        cell = self._cell(cells, column)
        found = self._date_cell(cell, row, column, None)
        try:
            day = found.start if found else date.fromisoformat(str(cell))
        except ValueError:
            raise self._bad(f"not a day (2016-07-29): {str(cell)!r}", row, column) from None
        if not rows.EARLIEST <= day <= date(2200, 1, 1):
            raise self._bad(f"date out of range: {day}", row, column)
        return day

    def _date_cell(self, cell: object, row: int, column: str, form: str | None) -> Period | None:
        """The day in a date cell of a spreadsheet, or in a text of a given format; None for other texts."""
        if isinstance(cell, datetime):
            cell = cell.date()
        if isinstance(cell, date):
            return Period.of(cell, Freq.D)
        if form is None:
            return None
        try:
            return Period.of(datetime.strptime(str(cell), form).date(), Freq.D)
        except ValueError:
            raise self._bad(f"{str(cell)!r} is no date of the form {form}", row, column) from None

    def loads(self, digest: bytes) -> Iterator[Load]:
        """What was collected, one release a known day."""
        if not self._header:
            raise self._bad("the file has no header row", self._m.header_row)
        if not self._rows:
            raise self._bad("the table holds no value", self._last_row)
        for known, values in sorted(self._rows.items()):
            frame = pl.DataFrame(values, schema=VALUES, orient="row")
            series = tuple(self._series[i] for i in frame["series"].unique(maintain_order=True))
            release = Release(self._m.source, self._m.release, end_of(known), self._m.precision, digest, self._file)
            yield Load(release, frame, series)
