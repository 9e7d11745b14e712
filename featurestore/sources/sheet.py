"""One sheet of a workbook as a person sees it: merged cells known, hidden rows and columns gone, what is a percentage."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

from engine.errors import BadInput

Cell = tuple[int, int]
"""Row and column, both from 1, as Excel counts."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """values: cells that hold something. merged: the cells of each merged range, by its first cell, which alone has a value.

    rows, columns: those that are not hidden. percent: numbers that Excel shows times 100 with a % sign.
    unsaved: formulas whose result the file does not hold.
    """

    file: str
    name: str
    values: dict[Cell, object]
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    merged: dict[Cell, tuple[Cell, ...]]
    percent: frozenset[Cell]
    unsaved: frozenset[Cell]
    _first: dict[Cell, Cell] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._first.update({cell: first for first, cells in self.merged.items() for cell in cells})

    def heading(self, row: int, column: int) -> object:
        """The value of a cell, or that of the merged range in which it lies; "" if there is none."""
        return self.values.get(self._first.get((row, column), (row, column)), "")

    def bad(self, problem: str, row: int | None = None, column: int | None = None) -> BadInput:
        """An error that names file, sheet and cell."""
        place = f"{self.file}, sheet {self.name}"
        if row and column:
            return BadInput(problem, file=f"{place}, cell {letters(column)}{row}")
        return BadInput(problem, file=place, row=row)


def letters(column: int) -> str:
    """1 to A, 27 to AA."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def number_of(name: str) -> int:
    """A to 1, AA to 27. Raises BadInput."""
    number = 0
    for letter in name.upper():
        if not "A" <= letter <= "Z":
            raise BadInput(f"not a column of a sheet (A, B, AA): {name!r}")
        number = number * 26 + ord(letter) - ord("A") + 1
    if not 1 <= number <= 16384:
        raise BadInput(f"not a column of a sheet (A, B, AA): {name!r}")
    return number


def open_sheet(content: bytes, file: str, name: str | None) -> Sheet:
    """A sheet by its name, or the first that is not hidden. Raises BadInput for what is no xlsx file."""
    from openpyxl import load_workbook

    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise BadInput("an old .xls file, or one with a password: open it and save it as .xlsx", file=file)
    try:
        results = load_workbook(io.BytesIO(content), data_only=True)
        formulas = load_workbook(io.BytesIO(content))
    except Exception as error:  # openpyxl raises what zipfile, the xml parser and its own reader happen to raise
        raise BadInput(f"not a whole xlsx file ({error})", file=file) from error
    seen = [s.title for s in results.worksheets if s.sheet_state == "visible"]
    wanted = name or next(iter(seen), None)
    if wanted is None or wanted not in {s.title for s in results.worksheets}:
        raise BadInput(f"no sheet {wanted!r}; there are {', '.join(seen)}", file=file)
    page, written = results[wanted], formulas[wanted]
    values: dict[Cell, object] = {}
    percent: set[Cell] = set()
    unsaved = {(c.row, c.column) for line in written.iter_rows() for c in line if c.data_type == "f"}
    for line in page.iter_rows():
        for cell in line:
            if cell.value is None:
                continue
            at = (cell.row, cell.column)
            unsaved.discard(at)
            value = cell.value.strip() if isinstance(cell.value, str) else cell.value
            if value != "":
                values[at] = value
            if isinstance(value, int | float) and "%" in str(cell.number_format):
                percent.add(at)
    hidden_rows = {r for r, d in page.row_dimensions.items() if d.hidden}
    hidden_columns = _hidden_columns(page)
    last = max((r for r, _ in (*values, *unsaved)), default=0)
    return Sheet(
        file,
        wanted,
        values,
        tuple(r for r in range(1, last + 1) if r not in hidden_rows),
        tuple(c for c in range(1, page.max_column + 1) if c not in hidden_columns),
        {(m.min_row, m.min_col): tuple(m.cells) for m in page.merged_cells.ranges},
        frozenset(percent),
        frozenset(unsaved),
    )


def _hidden_columns(page: Any) -> set[int]:
    """Hidden columns; a group of columns has one entry, under its first letter."""
    groups = page.column_dimensions.items()
    return {
        c
        for key, d in groups
        if d.hidden
        for c in range(d.min or number_of(key), (d.max or d.min or number_of(key)) + 1)
    }
