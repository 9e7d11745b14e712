"""What the headings of a row or a column of a sheet say: a name, a unit, a period."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from engine.errors import BadInput
from featurestore.sources import labels, units
from featurestore.sources.labels import Label
from featurestore.sources.sheet import Cell, Sheet

_DAY = re.compile(r"\d{4}年\d{1,2}月\d{1,2}日|\d{4}([-./])\d{1,2}\1\d{1,2}(?!\d)")
_NOTE = re.compile(
    r"[*(\[（【]?(注(?=[:：\d①-⑳一二三、)）】\]\s]|$)|备注|说明|附注|资料来源|数据来源|制表|填表|审核|(notes?|sources?)\b)",
    re.IGNORECASE,
)


class Line(NamedTuple):
    """``name``: headings from outside to inside. ``year``: of the label, or known from the headings before it."""

    name: tuple[str, ...]
    unit: str | None = None
    label: Label | None = None
    year: int | None = None


def lines(sheet: Sheet, cells: Mapping[int, Sequence[Cell]]) -> dict[int, Line]:
    """The lines of rows, or of columns, whose headings stand in ``cells``.

    A label without a year takes that of the label before it under the same name, as long as the months go one way.
    Raises BadInput that names the cell of what is no period, of two periods or two units, and of months that go back.
    """
    found: dict[int, Line] = {}
    before: dict[tuple[str, ...], tuple[int | None, list[Label]]] = {}
    for at, places in cells.items():
        line = _line(sheet, places)
        if line.label is not None and line.year is not None:
            before[line.name] = (line.year, [line.label])
        elif line.label is not None:
            year, past = before.setdefault(line.name, (None, []))
            past.append(line.label)
            last = [x.last for x in past]
            if last not in (sorted(last), sorted(last, reverse=True)):
                problem = f"{line.label} comes after {past[-2]}: of which year? Write the year there"
                raise sheet.bad(problem, *_written(sheet, places))
            line = line._replace(year=year)
        found[at] = line
    return found


def _written(sheet: Sheet, places: Sequence[Cell]) -> Cell:
    return next(p for p in reversed(places) if sheet.heading(*p) != "")


def _line(sheet: Sheet, places: Sequence[Cell]) -> Line:
    name: list[str] = []
    unit: str | None = None
    label: Label | None = None
    year: int | None = None
    for place in places:
        text = text_of(sheet.heading(*place))
        try:
            read = labels.read(units.plain(text))
        except BadInput as error:
            raise sheet.bad(error.problem, *place) from None
        if read and read.span == "year" and read.year:
            year = read.year
        elif read and label not in (None, read):
            raise sheet.bad(f"{text!r} beside {label}: two periods for one line", *place)
        elif read:
            label, year = read, read.year or year
        elif text:
            part, own = units.split(text)
            if own and unit not in (None, own):
                raise sheet.bad(f"two units for one line: {unit} and {own}", *place)
            unit = own or unit
            if part and part not in name[-1:]:  # a merged heading stands in each of its cells
                name.append(part)
    if year and not label:
        label = Label("year", 12, year)
    return Line(tuple(name), unit, label, year)


def text_of(value: object) -> str:
    """A heading as text: a date cell is its month, 2018.0 is 2018."""
    if isinstance(value, datetime):
        return f"{value.year:04d}-{value.month:02d}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def is_note(text: object) -> bool:
    """Whether a row that begins with this text is a note, not a part of the table."""
    return isinstance(text, str) and bool(_NOTE.match(text))


def above(sheet: Sheet, first: int) -> tuple[list[Label], tuple[str, ...]]:
    """What stands above row ``first`` and in the sheet's name: the periods told, without mere years if there are others,
    and the units that a caption (单位：亿元、%) states."""
    top = [v for (r, _), v in sorted(sheet.values.items()) if r < first and isinstance(v, str)]
    caption = next((hit[1] for v in top if (hit := re.search(r"单位[:：]([^)）]+)", v))), "")
    told: dict[Label, None] = {}
    for text in (*top, sheet.name):
        try:
            found = None if is_note(text) else labels.in_title(_DAY.sub("", text))  # the day of printing is no period
        except BadInput:
            continue
        if found:
            told[found] = None
    exact = [x for x in told if x.span != "year"]
    return exact or list(told), tuple(u for u in map(units.plain, re.split("[、,，;；]", caption)) if u)
