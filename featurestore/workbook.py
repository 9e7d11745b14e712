"""Tables as an Excel file that can be read and printed as it is: columns as wide as their texts, a header that stays."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import BadInput

_WIDEST = 60  # characters; longer texts are wrapped


@dataclass(frozen=True, slots=True)
class Sheet:
    """lines: texts by column, the same columns in each; headings: what stands above each column."""

    title: str
    headings: Mapping[str, str]
    lines: Sequence[Mapping[str, str]]


def write(path: Path, sheets: Sequence[Sheet]) -> None:
    """Write a workbook, over any that is there. Raises BadInput if the place cannot be written."""
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    book.remove(book.active)
    for sheet in sheets:
        page = book.create_sheet(sheet.title)
        columns = list(sheet.lines[0])
        page.append([sheet.headings[c] for c in columns])
        for line in sheet.lines:
            page.append([line[c] for c in columns])
        for number, column in enumerate(columns, 1):
            texts = [sheet.headings[column], *(line[column] for line in sheet.lines)]
            page.column_dimensions[get_column_letter(number)].width = min(max(map(width, texts)), _WIDEST) + 2
        for row in page.iter_rows():
            for cell in row:
                cell.alignment = Alignment(wrap_text=True, vertical="top")
                cell.font = Font(bold=cell.row == 1)
        page.freeze_panes = "A2"
        page.auto_filter.ref = page.dimensions
        page.print_title_rows = "1:1"
        page.page_setup.orientation, page.page_setup.fitToHeight = "landscape", 0
        page.sheet_properties.pageSetUpPr.fitToPage = True
    try:
        book.save(path)
    except OSError as error:
        raise BadInput(f"cannot be written: {error.strerror}", file=str(path)) from None


def width(text: str) -> int:
    """How many columns a text takes: two for a Chinese character."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
