"""Readings as a file: a page to explore, .html, or a picture, .png or .svg; a picture in Chinese where its name ends in .zh.png."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import polars as pl

from engine.charts import Form, Language
from engine.errors import BadInput
from engine.reading import READINGS
from serving.schemas import Readings

PICTURES = (".png", ".svg")


def write(said: Readings, file: Path) -> None:
    """One page or picture that needs nothing else. Raises BadInput for a name of another ending."""
    rows = [[getattr(r, c) for c in READINGS.names()] for r in said.readings]
    table = pl.DataFrame(rows, schema=READINGS, orient="row")
    names = {r.unit: (r.unit_en, r.unit_zh) for r in said.readings if r.unit_en}
    names |= {r.name: (r.name_en, r.name_zh) for r in said.readings if r.name_en}
    titles = (said.title_en or said.target, said.title_zh or said.target)
    if file.suffix == ".html":
        from engine import interactive

        content = interactive.page(table, *titles, names, said.kind, synthetic=said.is_synthetic)
    elif file.suffix in PICTURES:
        content = _picture(said, table, titles, names, file)
    else:
        raise BadInput(
            f"--chart writes a page or a picture: name a file that ends in .html, .png or .svg, not {file.name}"
        )
    file.write_bytes(content)


def _picture(
    said: Readings, table: pl.DataFrame, titles: tuple[str, str], names: dict[str, tuple[str, str]], file: Path
) -> bytes:
    """Lights of all units, or of one unit its items; of an index or a monitor the first unit; a board."""
    from engine import reading_charts as drawing
    from engine.reading_views import units

    language: Language = "zh" if file.stem.endswith(".zh") else "en"
    form, zh = cast(Form, file.suffix[1:]), language == "zh"
    called = {code: both[zh] or code for code, both in names.items()}
    found, title = units(table), f"{titles[zh]} · {said.asof}"
    if said.kind == "scorecard":
        return drawing.board(table, title, called, language, form, said.is_synthetic)
    if (table["level"] == "light").any():
        only = found[0] if len(found) == 1 else None
        return drawing.lights(table, title, called, language, only, form, said.is_synthetic)
    own = table.filter(pl.col("unit") == found[0])
    return drawing.index(own, title, language, form=form, synthetic=said.is_synthetic, names=called)
