"""Source ``office``: Excel tables as statistical offices send them, by a mapping that says which name is which series.

::

    source = "zhejiang-statistics"
    release = "monthly-report"
    known_at = 2018-03-14
    header_rows = [3, 4]                     # rows of headings
    label_columns = ["A"]                    # columns in which the rows are named or dated
    [series]
    "规模以上工业 / 增加值" = "iva_ytd@CN-33"   # headings from outside to inside, those of the row first
    "出口额" = { month = "export@CN-33", ytd = "export_ytd@CN-33" }

Every heading that reads as a period (see ``labels``) dates its row or column; a year may also stand in a year column, in
an earlier heading, in the title, or in the mapping (``year``, ``period``). A unit is taken from the cell (8.1%), else from
the heading, else from ``unit_column``, else from the mapping's ``units``, else from 单位：… above the table, and converted
to that of the catalogue. Rows and columns that are hidden are not read, nor are notes (注, 备注, 资料来源).

**January and February.** A figure labelled 1-2月, or one cell merged over January and February, is one observation: it
stands on February with status A, and January has no row. Nothing is split here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import ClassVar

import polars as pl

from engine.calendar import Freq, Period, end_of
from engine.errors import BadInput, Unknown
from engine.indicator import Series
from featurestore import catalogue, rows
from featurestore.sources import Load, labels, mapping, units
from featurestore.sources.headings import above, is_note, lines, text_of
from featurestore.sources.labels import Label, Span
from featurestore.sources.sheet import Cell, Sheet, letters, number_of, open_sheet
from featurestore.store import VALUES, Precision, Release

_NUMBER = re.compile(r"[+-]?(\d+|\d{1,3}([, ]\d{3})+)(\.\d*)?")
_TAKES: Mapping[str, tuple[Span, ...]] = {
    "pair": ("pair", "ytd", "month"), "quarter": ("quarter",), "half": ("half", "ytd"), "year": ("year", "ytd")
}  # fmt: skip
_UNIT_HEADINGS = ("单位", "unit", "Unit")
SHOWN = 20
"""So many names that a mapping lacks are told at once."""

_SHORT = ("index_yoy", "index_mom", "index_di")  # kinds of one month, besides those that end in _month and _quarter


@dataclass(frozen=True, kw_only=True)
class Office:
    """A mapping file. ``ignore``: whole names, or one heading of them, that are left out on purpose."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}
    source: str
    release: str
    known_at: date
    header_rows: tuple[int, ...]
    series: Mapping[str, str | Mapping[Span, str]]
    label_columns: tuple[str, ...] = ("A",)
    unit_column: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    year: int | None = None
    period: str | None = None
    precision: Precision = "day"
    sheet: str | None = None
    missing: tuple[str, ...] = ("-", "--", "—", "——", "…", "……", "/", ".", "..", "NA", "N/A", "n.a.", "#N/A")

    def __post_init__(self) -> None:
        if not self.series or not self.header_rows or min(self.header_rows) < 1 or not self.label_columns:
            raise BadInput("a mapping needs series, header_rows (counted from 1) and label_columns")
        names = [name_of(n) for n in self.series]
        if len(set(names)) < len(names):
            raise BadInput("two names in series are the same but for blanks, units or footnote marks")
        if strange := [n for n in self.units if name_of(n) not in names]:
            raise BadInput(f"units names {strange[0]!r}, which is not in series")
        if self.period is not None and labels.read(self.period) is None:
            raise BadInput(f"period: {self.period!r} is no label of a period (2018年1-2月)")
        for column in (*self.label_columns, *filter(None, [self.unit_column])):
            number_of(column)


def loads(path: Path, mapping_path: Path) -> Iterator[Load]:
    """The one release of a file. Raises BadInput that names sheet and cell, and says what to do."""
    m = mapping.read(mapping_path, Office)
    content = mapping.content_of(path)
    values, series = _Table(open_sheet(content, path.name, m.sheet), m).read()
    digest = mapping.digest(content, mapping.content_of(mapping_path))
    release = Release(m.source, m.release, end_of(m.known_at), m.precision, digest, path.name)
    yield Load(release, pl.DataFrame(values, schema=VALUES, orient="row"), series)


def name_of(text: str) -> tuple[str, ...]:
    """The headings in a name of a mapping, in one spelling: without units and footnote marks, as in the sheet."""
    return tuple(part for part in (units.split(p)[0] for p in re.split(r"\s+/\s+", text)) if part)


class _Table:
    """Reads a sheet cell by cell; every complaint names its place."""

    def __init__(self, sheet: Sheet, m: Office) -> None:
        self._sheet, self._m = sheet, m
        self._series = {name_of(n): s for n, s in m.series.items()}
        self._units = {name_of(n): u for n, u in m.units.items()}
        self._ignore = {name_of(n) for n in m.ignore}
        self._names: set[tuple[str, ...]] = set()
        self._meaning: dict[str, Series] = {}
        told, self._caption = above(sheet, min(m.header_rows))
        if m.period is not None:
            told = [x for x in (labels.read(m.period),) if x]
        if m.year is not None:
            told = [Label(x.span, x.last, x.year or m.year) for x in told if x.year in (None, m.year)][:1]
            told = told or [Label("year", 12, m.year)]
        self._told = told
        stub = [number_of(c) for c in m.label_columns]
        aside = {*stub, number_of(m.unit_column)} if m.unit_column else set(stub)
        body = [r for r in sheet.rows if r > max(m.header_rows) and not self._is_note(r)]
        self._across = lines(sheet, {c: [(r, c) for r in m.header_rows] for c in sheet.columns if c not in aside})
        self._down = lines(sheet, {r: [(r, c) for c in stub] for r in body})

    def read(self) -> tuple[list[tuple[str, int, float, str]], tuple[Series, ...]]:
        """Rows of VALUES, and what their series mean."""
        sheet = self._sheet
        seen: dict[tuple[str, int], Cell] = {}
        values = []
        for row in self._down:
            for column in self._across:
                found = self._value(row, column)
                if found is None:
                    continue
                series, period, value = found
                if before := seen.get((series.id, period.ordinal)):
                    problem = f"{series.id} {period} stands in {letters(before[1])}{before[0]} already"
                    raise sheet.bad(f"{problem}: give the two headings different names, or ignore one", row, column)
                seen[series.id, period.ordinal] = (row, column)
                values.append((series.id, period.ordinal, value, "A"))
        if lost := [" / ".join(n) for n in self._series if n not in self._names]:
            there = ", ".join(repr(" / ".join(n)) for n in sorted(self._names)[:12])
            raise sheet.bad(f"nothing is named {lost[0]!r}, as the mapping's series say; the names there are {there}")
        if not values:
            raise sheet.bad("the table holds no value: do header_rows and label_columns say where it stands?")
        return values, tuple(self._meaning[s] for s in dict.fromkeys(v[0] for v in values))

    def _is_note(self, row: int) -> bool:
        return is_note(next((v for c in self._sheet.columns if (v := self._sheet.values.get((row, c)))), None))

    def _value(self, row: int, column: int) -> tuple[Series, Period, float] | None:
        sheet = self._sheet
        name = self._down[row].name + self._across[column].name
        self._names.add(name)
        if name in self._ignore or any((part,) in self._ignore for part in name):
            return None
        if (row, column) in sheet.unsaved:
            raise sheet.bad("a formula whose result is not in the file: open it in Excel and save it", row, column)
        raw = sheet.values.get((row, column), "")
        if raw == "" or raw in self._m.missing:
            return None
        series, period = self._which(row, column, name, raw)
        if block := sheet.merged.get((row, column)):
            period = self._over(block, series, period, name, raw)
        number, sign = self._number(raw, row, column)
        return series, period, self._converted(number, sign, series, row, column, name)

    def _which(self, row: int, column: int, name: tuple[str, ...], raw: object) -> tuple[Series, Period]:
        """The series that a cell belongs to and its period."""
        sheet = self._sheet
        shown = " / ".join(name)
        if name not in self._series:
            problem = f"{shown!r} is neither in the mapping's series nor in its ignore"
            cure = f'write "{shown}" = "id@region" under [series]'
            if isinstance(raw, str) and not re.search(r"\d", raw):
                cure += ", or correct header_rows, if this is a heading"
                if name[-1:] and name[-1].endswith(_UNIT_HEADINGS):
                    cure = f'write unit_column = "{letters(column)}", if units stand there'
            raise sheet.bad(f"{problem}: {cure}{self._others(name)}", row, column)
        label, year, titled = self._when(row, column)
        target = self._series[name]
        if not isinstance(target, str):
            takes = _TAKES.get(label.span, (label.span,))
            if label.from_january and label.span in ("month", "quarter"):
                takes = (*takes, "ytd")
            chosen = next((target[s] for s in takes if s in target), None)
            if chosen is None:
                raise sheet.bad(f"{shown!r} has no series for {label} (a {label.span}): add it", row, column)
            target = chosen
        try:
            series = self._meaning.setdefault(target, catalogue.load().series(target))
            period = label.period(series.freq, year)
        except (BadInput, Unknown) as error:
            raise sheet.bad(f"{shown!r}: {error}", row, column) from None
        kind = series.indicator.kind
        short = kind in _SHORT or kind.endswith(("_month", "_quarter"))
        if short and label.span in ("ytd", "half", "year") and not titled:
            problem = f"{label} covers more than one period of {series.id}, which is no year-to-date figure"
            raise sheet.bad(f"{problem}: map it to a year-to-date series, or ignore it", row, column)
        if period.start < rows.EARLIEST or period.start > self._m.known_at:
            told = f"{period} had not begun on the known day, {self._m.known_at}"
            raise sheet.bad(f"{told}: correct known_at in the mapping, or the period", row, column)
        return series, period

    def _others(self, name: tuple[str, ...]) -> str:
        """The other names that the mapping lacks, so that one look at the sheet is enough."""
        there = self._sheet.values
        cells = ((r, c) for r in self._down for c in self._across if re.search(r"\d", str(there.get((r, c), ""))))
        names = dict.fromkeys(self._down[r].name + self._across[c].name for r, c in cells)
        lacking = [n for n in names if n not in self._series and n != name]
        lacking = [n for n in lacking if n not in self._ignore and not any((part,) in self._ignore for part in n)]
        told = ", ".join('"' + " / ".join(n) + '"' for n in lacking[:SHOWN])
        more = f" and {len(lacking) - SHOWN} more" if len(lacking) > SHOWN else ""
        return f". Not mapped either: {told}{more}" if lacking else ""

    def _when(self, row: int, column: int) -> tuple[Label, int | None, bool]:
        """Label and year of a cell, and whether only the title tells them."""
        sheet = self._sheet
        beside, over = self._down[row], self._across[column]
        found = [x for x in (beside, over) if x.label is not None]
        if len(found) == 2:  # a table of years by months
            found.sort(key=lambda x: (x.label and x.label.span) == "year")
            if (found[1].label and found[1].label.span) != "year" or found[0].year not in (None, found[1].year):
                raise sheet.bad(f"two periods: {beside.label} to the left, {over.label} above", row, column)
            found = [found[0]._replace(year=found[1].year)]
        years = {x.year for x in self._told if x.year}
        if not found:
            if len(self._told) != 1:
                several = ", ".join(map(str, self._told)) or "none"
                problem = f"no heading tells the period, and the title tells {several}"
                raise sheet.bad(f'{problem}: write period = "2018年1-2月" in the mapping', row, column)
            return self._told[0], self._told[0].year, True
        line = found[0]
        assert line.label is not None
        if line.year is None and len(years) != 1:
            raise sheet.bad(f"{line.label} of which year? Write year = 2018 in the mapping", row, column)
        return line.label, line.year or years.pop(), False

    def _over(
        self, block: tuple[Cell, ...], series: Series, period: Period, name: tuple[str, ...], raw: object
    ) -> Period:
        """The period of one cell merged over several: its own, or February if it covers January and February."""
        cells = [c for c in block if c[0] in self._down and c[1] in self._across]
        found = set()
        for row, column in cells:
            if self._down[row].name + self._across[column].name != name:
                raise self._sheet.bad("one cell over several names: split the merged cell", *block[0])
            found.add(self._which(row, column, name, raw)[1])
        if len(found) == 1:
            return period
        if series.freq is Freq.M and len(found) == 2 and sorted(p.ordinal % 12 for p in found) == [0, 1]:
            first, last = sorted(found)
            if last - first == 1:
                return last
        several = ", ".join(map(str, sorted(found)))
        raise self._sheet.bad(f"one cell over {several}: split it (only January and February may be one)", *block[0])

    def _number(self, raw: object, row: int, column: int) -> tuple[float, str | None]:
        """The number in a cell and the unit that the cell itself shows."""
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            return (float(raw) * 100, "%") if (row, column) in self._sheet.percent else (float(raw), None)
        text = re.sub("[−–﹣]", "-", unicodedata.normalize("NFKC", re.sub("[①-⑳⁰¹²³⁴-⁹*†‡]+$", "", str(raw)))).strip()
        sign = "%" if text.endswith("%") else None
        text = text.removesuffix("%").strip()
        if not isinstance(raw, str) or not _NUMBER.fullmatch(text):
            raise self._sheet.bad(f"not a number: {text_of(raw)!r} (no value? add it to missing)", row, column)
        return float(text.replace(",", "").replace(" ", "")), sign

    def _converted(
        self, number: float, sign: str | None, series: Series, row: int, column: int, name: tuple[str, ...]
    ) -> float:
        """The value in the unit of the catalogue. Raises BadInput where the unit is not told or has no known factor."""
        sheet = self._sheet
        unit_to = series.indicator.unit_zh or series.indicator.unit
        told = sheet.heading(row, number_of(self._m.unit_column)) if self._m.unit_column else ""
        beside, over = self._down[row].unit, self._across[column].unit
        if beside and over and beside != over:
            raise sheet.bad(f"two units: {beside} to the left, {over} above", row, column)
        unit = sign or over or beside or str(told) or self._units.get(name)
        if unit is None or unit == "":
            fitting = [u for u in self._caption if units.convert(1.0, u, unit_to) is not None]
            unit = fitting[0] if len(fitting) == 1 else None
        if unit is None:
            problem = f"no unit is told for {' / '.join(name)!r}; {series.id} is in {unit_to}"
            raise sheet.bad(f'{problem}: write "{" / ".join(name)}" = "{unit_to}" under [units]', row, column)
        value = units.convert(number, unit, unit_to)
        if value is None:
            problem = f"{unit} cannot be converted to {unit_to}, the unit of {series.id}"
            raise sheet.bad(f"{problem}: map it to a series in {unit}, or put it in ignore", row, column)
        return value
