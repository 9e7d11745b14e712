"""The catalogue: what is measured, where, and how it is read. Data files, checked when they are loaded.

``regions.csv`` holds one region a row; every other ``.csv`` beside it holds one indicator a row, with the fields of
``engine.indicator.Indicator`` and ``regions``: the codes in which it is measured, separated by blanks.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import get_args

from engine.calendar import Freq
from engine.errors import BadInput, Unknown
from engine.indicator import Aggregation, Indicator, Region, Series, Step, split_id

_INDICATOR = tuple(f.name for f in fields(Indicator))
_REGION = tuple(f.name for f in fields(Region))
_CODE = {"id": re.compile(r"[a-z0-9_]+"), "code": re.compile(r"[A-Z]{2}(-[A-Z0-9]+)*")}
_CHOICES = {"freq": tuple(Freq), "step": get_args(Step), "aggregation": get_args(Aggregation)}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """indicators and regions by id and code; ``measured``: the regions of each indicator."""

    indicators: Mapping[str, Indicator]
    regions: Mapping[str, Region]
    measured: Mapping[str, tuple[str, ...]]

    def series(self, series_id: str) -> Series:
        """What ``gdpc1@US`` means. Raises BadInput for another form of id, Unknown if it is not in the catalogue."""
        indicator, region = split_id(series_id)
        if region not in self.measured.get(indicator, ()):
            raise Unknown(f"{series_id} is not in the catalogue (jingqi data catalogue lists it)")
        return Series(self.indicators[indicator], self.regions[region])

    def all(self) -> tuple[Series, ...]:
        """Every series, in the order of the files."""
        return tuple(Series(i, self.regions[r]) for i in self.indicators.values() for r in self.measured[i.id])


@cache
def load(folder: Path = Path(__file__).parent) -> Catalogue:
    """Read and check all files. Raises BadInput that names every mistake with its file, row and column."""
    wrong: list[BadInput] = []
    regions: dict[str, Region] = {}
    for row, cells, place in _rows(folder / "regions.csv", _REGION, wrong):
        if cells["code"] in regions:
            wrong.append(BadInput(f"{cells['code']} stands twice", file=place, row=row, column="code"))
        regions[cells["code"]] = Region(**cells)
    indicators: dict[str, Indicator] = {}
    measured: dict[str, tuple[str, ...]] = {}
    for path in sorted(folder.glob("*.csv")):
        if path.name == "regions.csv":
            continue
        for row, cells, place in _rows(path, (*_INDICATOR, "regions"), wrong):
            where = tuple(cells.pop("regions").split())
            mistakes = dict(_mistakes(cells))
            if cells["id"] in indicators:
                mistakes["id"] = f"{cells['id']} stands twice"
            if strange := [r for r in where if r not in regions]:
                mistakes["regions"] = f"not in regions.csv: {', '.join(strange)}"
            wrong += [BadInput(problem, file=place, row=row, column=column) for column, problem in mistakes.items()]
            if not mistakes:
                indicators[cells["id"]] = Indicator(
                    **cells | {"freq": Freq(cells["freq"]), "delay_days": int(cells["delay_days"])}  # type: ignore[arg-type]
                )
                measured[cells["id"]] = where
    if wrong:
        raise BadInput("; ".join(str(w) for w in wrong))
    return Catalogue(indicators, regions, measured)


def _rows(path: Path, columns: tuple[str, ...], wrong: list[BadInput]) -> Iterator[tuple[int, dict[str, str], str]]:
    """Row number, cells by column, file name. Rows with an empty or ill-formed cell are reported instead."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        if sorted(header) != sorted(columns):
            raise BadInput(f"the columns must be {', '.join(columns)}", file=path.name, row=1)
        for line in reader:
            row = reader.line_num
            if len(line) != len(header):
                wrong.append(BadInput(f"{len(line)} cells under {len(header)} columns", file=path.name, row=row))
                continue
            cells = dict(zip(header, (c.strip() for c in line), strict=True))
            bad = [c for c in header if not cells[c]]
            wrong += [BadInput("is empty", file=path.name, row=row, column=c) for c in bad]
            for column in _CODE.keys() & cells.keys():
                if cells[column] and not _CODE[column].fullmatch(cells[column]):
                    bad.append(column)
                    problem = f"{cells[column]!r} does not match {_CODE[column].pattern}"
                    wrong.append(BadInput(problem, file=path.name, row=row, column=column))
            if not bad:
                yield row, cells, path.name


def _mistakes(cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Column and problem of what an indicator's cells say wrongly."""
    for column, choices in _CHOICES.items():
        if cells[column] not in choices:
            yield column, f"{cells[column]!r} is none of {', '.join(choices)}"
    if cells["step"] == "pca" and cells["freq"] in ("W", "D"):
        yield "step", "an annual rate needs a frequency that divides the year"
    if cells["step"] == "lin" and cells["unit_analysed"] != cells["unit"]:
        yield "unit_analysed", f"differs from the unit ({cells['unit']}), though the step is lin"
    try:
        if not -366 <= int(cells["delay_days"]) <= 1000:
            yield "delay_days", f"{cells['delay_days']} is not between -366 and 1000 days"
    except ValueError:
        yield "delay_days", f"not a whole number: {cells['delay_days']!r}"
