"""The tables beside the indicators: regions, modules and their submodules, departments, units. Read and checked."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import get_args

from engine.errors import BadInput
from engine.indicator import Level, Region

NAMES = ("regions.csv", "modules.csv", "submodules.csv", "departments.csv", "units.csv")
"""The tables; every other ``.csv`` of the folder holds indicators."""

_CODE = re.compile(r"[A-Z][A-Z0-9](-[A-Z0-9]+)*")
_GB = re.compile(r"[1-9]\d{5}")
_REGION = tuple(f.name for f in fields(Region))


@dataclass(frozen=True, slots=True)
class Module:
    """A module. ``number``: its place in the plan, None outside it; ``submodules``: Chinese names by English name."""

    name_en: str
    name_zh: str
    number: int | None
    submodules: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file: its cells by column, and where it stands."""

    file: str
    number: int
    cells: Mapping[str, str]

    def bad(self, problem: str, column: str) -> BadInput:
        """The error for one cell of it."""
        return BadInput(problem, file=self.file, row=self.number, column=column)


@dataclass(frozen=True, slots=True)
class Tables:
    """regions by code, modules by English name, Chinese names of departments and units by their English ones."""

    regions: Mapping[str, Region]
    modules: Mapping[str, Module]
    departments: Mapping[str, str]
    units: Mapping[str, str]


def read(folder: Path, wrong: list[BadInput]) -> Tables:
    """All tables; mistakes are added to ``wrong``."""
    return Tables(
        _regions(folder / "regions.csv", wrong),
        _modules(folder, wrong),
        _names(folder / "departments.csv", wrong),
        _names(folder / "units.csv", wrong),
    )


def rows(path: Path, required: tuple[str, ...], optional: tuple[str, ...], wrong: list[BadInput]) -> Iterator[Row]:
    """The rows of a file, without blanks around the cells. A row with too few or an empty required cell is reported.

    Columns may stand in any order; of the optional ones some or all may be left out.
    """
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        if len(set(header)) < len(header) or not set(required) <= set(header) <= {*required, *optional}:
            also = f", and may be {', '.join(optional)}" if optional else ""
            wrong.append(BadInput(f"the columns must be {', '.join(required)}{also}", file=path.name, row=1))
            return
        for line in reader:
            number = reader.line_num
            if len(line) != len(header):
                problem = f"{len(line)} cells under {len(header)} columns"
                wrong.append(BadInput(problem, file=path.name, row=number))
                continue
            row = Row(path.name, number, dict(zip(header, (c.strip() for c in line), strict=True)))
            empty = [c for c in required if not row.cells[c]]
            wrong += [row.bad("is empty", c) for c in empty]
            if not empty:
                yield row


def _regions(path: Path, wrong: list[BadInput]) -> dict[str, Region]:
    found: dict[str, tuple[Row, Region]] = {}
    numbers: set[str] = set()
    for row in rows(path, _REGION[:4], _REGION[4:], wrong):
        region = Region(**row.cells)  # type: ignore[arg-type]
        if not _CODE.fullmatch(region.code):
            wrong.append(row.bad(f"{region.code!r} does not match {_CODE.pattern}", "code"))
        if region.code in found:
            wrong.append(row.bad(f"{region.code} stands twice", "code"))
        if region.level not in get_args(Level):
            wrong.append(row.bad(f"{region.level!r} is none of {', '.join(get_args(Level))}", "level"))
        if region.gb and not _GB.fullmatch(region.gb):
            wrong.append(row.bad(f"{region.gb!r} is not six digits as in GB/T 2260", "gb"))
        if region.gb in numbers:
            wrong.append(row.bad(f"{region.gb} stands twice", "gb"))
        numbers |= {region.gb} - {""}
        found[region.code] = row, region
    for row, region in found.values():
        if region.within and (region.within not in found or region.within == region.code):
            wrong.append(row.bad(f"{region.within!r} is no other region of this file", "within"))
    return {code: region for code, (_, region) in found.items()}


def _modules(folder: Path, wrong: list[BadInput]) -> dict[str, Module]:
    found: dict[str, tuple[str, int | None]] = {}
    for row in rows(folder / "modules.csv", ("name_en", "name_zh"), ("number",), wrong):
        name, number = row.cells["name_en"], row.cells.get("number", "")
        if name in found:
            wrong.append(row.bad(f"{name} stands twice", "name_en"))
        if number and not re.fullmatch(r"[1-9]\d?", number):
            wrong.append(row.bad(f"{number!r} is no number of a module in the plan, nor empty", "number"))
            continue
        if number and any(int(number) == n for _, n in found.values()):
            wrong.append(row.bad(f"{number} stands twice", "number"))
        found[name] = row.cells["name_zh"], int(number) if number else None
    within: dict[str, dict[str, str]] = {module: {} for module in found}
    for row in rows(folder / "submodules.csv", ("module", "name_en", "name_zh"), (), wrong):
        module, name = row.cells["module"], row.cells["name_en"]
        if module not in within:
            wrong.append(row.bad(f"{module!r} is not in modules.csv", "module"))
            continue
        if name in within[module]:
            wrong.append(row.bad(f"{name} stands twice in {module}", "name_en"))
        within[module][name] = row.cells["name_zh"]
    return {name: Module(name, zh, number, within[name]) for name, (zh, number) in found.items()}


def _names(path: Path, wrong: list[BadInput]) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in rows(path, ("name_en", "name_zh"), (), wrong):
        if row.cells["name_en"] in found:
            wrong.append(row.bad(f"{row.cells['name_en']} stands twice", "name_en"))
        found[row.cells["name_en"]] = row.cells["name_zh"]
    return found
