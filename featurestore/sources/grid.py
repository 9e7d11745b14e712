"""The cells of a csv or xlsx file, row by row, with the row's number as people count it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TypeAlias

from engine.errors import BadInput

Cells: TypeAlias = list[object]


def read_csv(
    content: bytes, file: str, *, delimiter: str, encoding: str, unterminated: bool
) -> Iterator[tuple[int, Cells]]:
    """Rows of text. Raises BadInput for bytes that are not text, an open quote, or a last line that was cut off."""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        problem = f"not {encoding} text (the mapping's encoding may name another, such as gb18030)"
        raise BadInput(problem, file=file, row=row) from None
    except LookupError:
        raise BadInput(f"there is no encoding {encoding!r}", file=file) from None
    text = text.removeprefix("\ufeff")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    row = 1
    try:
        for cells in reader:
            if cells:
                yield row, [c.strip() for c in cells]
            row = reader.line_num + 1
    except csv.Error as error:
        raise BadInput(f"{error}: the file is damaged or cut off", file=file, row=row) from None
    if text and not text.endswith(("\n", "\r")) and not unterminated:
        problem = (
            "the last line has no end, so the file seems cut off (if it is whole: unterminated = true in the mapping)"
        )
        raise BadInput(problem, file=file, row=reader.line_num)


def read_xlsx(content: bytes, file: str, *, sheet: str | None) -> Iterator[tuple[int, Cells]]:
    """Rows of text, numbers and dates from one sheet, the first if none is named. Raises BadInput."""
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises what zipfile, the xml parser and its own reader happen to raise
        raise BadInput(f"not a whole xlsx file ({error})", file=file) from error
    names = book.sheetnames
    if sheet is not None and sheet not in names:
        raise BadInput(f"no sheet {sheet!r}; there are {', '.join(names)}", file=file)
    page = book[sheet or names[0]]
    page.reset_dimensions()  # what a file claims about its size may be wrong; its rows are not
    for row, cells in enumerate(page.iter_rows(values_only=True), 1):
        values: Cells = [c.strip() if isinstance(c, str) else "" if c is None else c for c in cells]
        while values and values[-1] == "":
            values.pop()
        if values:
            yield row, values
