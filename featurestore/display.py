"""Tables for people: aligned also where names are Chinese, plain where the output is no terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from engine.indicator import Series

MARK = "[合成数据 synthetic]"
"""Stands wherever figures of a place are shown that is made up."""


def title(series: Series) -> str:
    """A series in one line."""
    i = series.indicator
    unit, analysed = _unit(i.unit, i.unit_zh), _unit(i.unit_analysed, i.unit_analysed_zh)
    mark = f"  {MARK}" if series.is_synthetic else ""
    return f"{series.id}  {i.name_zh} {i.name_en}, {series.region.name_zh} ({unit}; analysed: {analysed}){mark}"


def _unit(english: str, chinese: str) -> str:
    return english if chinese in ("", english) else f"{chinese} {english}"


def meaning(series: Series) -> dict[str, Any]:
    """What a series means, for machines."""
    said = asdict(series.indicator) | {"freq": series.freq.value, "region": series.region.code}
    said["is_synthetic"] = series.is_synthetic
    del said["id"]
    return said


def table(lines: Sequence[Mapping[str, Any]], heading: str = "") -> None:
    """One row a line, columns named by the keys of the first; numbers to the right."""
    console = Console()
    if not console.is_terminal:
        console.width = 10_000  # a file or a pipe has no width: nothing is wrapped or cut
    if heading:
        console.print(heading, markup=False, highlight=False)
    grid = Table(box=None, pad_edge=False, header_style="bold")
    columns = list(lines[0]) if lines else []
    for name in columns:
        numeric = any(isinstance(line[name], int | float) for line in lines)
        grid.add_column(name, justify="right" if numeric else "left", no_wrap=True)
    for line in lines:
        grid.add_row(*(_text(line[name]) for name in columns))
    console.print(grid, markup=False, highlight=False)


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else ""
    return f"{cell:.10g}" if isinstance(cell, float) else str(cell)
