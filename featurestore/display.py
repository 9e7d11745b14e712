"""Tables for people: aligned also where names are Chinese, plain where the output is no terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from engine.figures import Origin
from engine.indicator import Series

_FLAGS = {Origin.PAIR: ("pair", "合并"), Origin.IMPUTED: ("imputed", "估算"), Origin.NOMINAL_SCOPE: ("nominal", "名义")}

MARK = "[合成数据 synthetic]"
"""Stands wherever figures of a place are shown that is made up."""


def title(series: Series) -> str:
    """A series in one line."""
    i = series.indicator
    unit, analysed = _unit(i.unit, i.unit_zh), _unit(i.unit_analysed, i.unit_analysed_zh)
    said = f"{series.id}  {i.name_zh} {i.name_en}, {series.region.name_zh} ({unit}; analysed: {analysed})"
    return marked(said, series.is_synthetic)


def name(series: Series) -> str:
    """What is measured, in Chinese."""
    return marked(series.indicator.name_zh, series.is_synthetic)


def marked(text: str, is_synthetic: bool) -> str:
    """The text, with the mark behind it if it is about a place that is made up."""
    return f"{text} {MARK}".strip() if is_synthetic else text


def _unit(english: str, chinese: str) -> str:
    return english if chinese in ("", english) else f"{chinese} {english}"


def meaning(series: Series) -> dict[str, Any]:
    """What a series means, for machines."""
    said = asdict(series.indicator) | {"freq": series.freq.value, "region": series.region.code}
    said["is_synthetic"] = series.is_synthetic
    del said["id"]
    return said | ({"made": asdict(series.made)} if series.made else {})


def flags(bits: int) -> list[str]:
    """What a cell of a feature is flagged with: pair, imputed, nominal."""
    return [english for flag, (english, _) in _FLAGS.items() if bits & flag]


def flag_text(bits: int) -> str:
    """The same for people, in Chinese and English."""
    return ", ".join(f"{chinese} {english}" for flag, (english, chinese) in _FLAGS.items() if bits & flag)


def made(series: Series) -> str:
    """How a feature is made, in one line; empty for what is published."""
    if not (m := series.made):
        return ""
    return f"{m.recipe}; version {m.version}, hash {m.hash[:12]}" + (f"; {m.note}" if m.note else "")


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
