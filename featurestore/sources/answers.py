"""Source ``answers``: a CSV file with a row an answer.

Columns: firm, wave (2024-Q1, 2024-01), question, answer, industry, city (a region's code), size, known_at (a day). There
may be besides: source (else ``survey``), scale (else ``three``), weight (else 1), is_synthetic (else as the city says)
and freq, which must then be that of the wave.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from engine.calendar import Period, end_of
from engine.errors import BadInput
from engine.indicator import SYNTHETIC
from featurestore.answers import ANSWERS, check
from featurestore.sources.mapping import content_of

_NEEDED = ("firm", "wave", "question", "answer", "industry", "city", "size", "known_at")
_OTHERS = {"source": "survey", "scale": "three", "weight": "1"}
_FLAGS = {"true": True, "True": True, "false": False, "False": False}


def read(path: Path) -> pl.DataFrame:
    """ANSWERS rows. Raises BadInput that names file, row and column."""
    content = content_of(path)
    if content and not content.endswith(b"\n"):
        raise BadInput("the last line has no line break: the file is cut off", file=path.name)
    try:
        said = pl.read_csv(io.BytesIO(content), infer_schema=False).with_row_index("row", 2)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise BadInput(f"not CSV: {str(error).splitlines()[0]}", file=path.name) from None
    if missing := [c for c in _NEEDED if c not in said.columns]:
        raise BadInput(f"the columns {', '.join(missing)} are missing", file=path.name, row=1)
    if strange := [c for c in said.columns if c not in ("row", *_NEEDED, *_OTHERS, "is_synthetic", "freq")]:
        raise BadInput(f"nobody knows the column {strange[0]!r}", file=path.name, row=1)
    said = said.with_columns(pl.lit(v).alias(k) for k, v in _OTHERS.items() if k not in said.columns)

    def must(holds: pl.Expr, column: str, problem: str) -> None:
        if (hit := said.filter(~holds.fill_null(False))).height:
            row = hit.row(0, named=True)
            raise BadInput(f"{problem}: {row[column]!r}", file=path.name, row=row["row"], column=column)

    waves = _each(said, "wave", lambda text: (Period.parse(text).ordinal, Period.parse(text).freq.value))
    days = _each(said, "known_at", lambda text: end_of(date.fromisoformat(text)))
    must(pl.col("wave").is_in([k for k, v in waves.items() if v]), "wave", "no period (2024-Q1, 2024-01)")
    must(pl.col("known_at").is_in([k for k, v in days.items() if v]), "known_at", "not a day (2024-04-15)")
    freqs = {k: v[1] for k, v in waves.items() if v}
    freq = pl.col("wave").replace_strict(freqs, default=None, return_dtype=pl.String)
    if "freq" in said.columns:
        must(pl.col("freq") == freq, "freq", "not the frequency of the wave")
    if "is_synthetic" in said.columns:
        must(pl.col("is_synthetic").is_in(list(_FLAGS)), "is_synthetic", "true or false")
        flag = pl.col("is_synthetic").replace_strict(_FLAGS, return_dtype=pl.Boolean)
    else:
        flag = pl.col("city").str.starts_with(SYNTHETIC)
    must(pl.col("answer").cast(pl.Int8, strict=False).is_not_null(), "answer", "not a whole number of a scale")
    must(pl.col("weight").cast(pl.Float64, strict=False).is_not_null(), "weight", "not a number")
    ordinals = {k: v[0] for k, v in waves.items() if v}
    columns = {
        "wave": pl.col("wave").replace_strict(ordinals, return_dtype=pl.Int32),
        "freq": freq,
        "answer": pl.col("answer").cast(pl.Int8),
        "weight": pl.col("weight").cast(pl.Float64),
        "known_at": pl.col("known_at").replace_strict(days, return_dtype=ANSWERS["known_at"]),
        "is_synthetic": flag,
    }
    try:
        return check(said.select(columns.get(name, pl.col(name)).alias(name) for name in ANSWERS.names()))
    except BadInput as error:
        raise BadInput(error.problem, file=path.name) from None


def _each(said: pl.DataFrame, column: str, read: Callable[[str], Any]) -> dict[str, Any]:
    """What each text of a column says, None where it says nothing."""
    found: dict[str, Any] = {}
    for text in said[column].unique().drop_nulls():
        try:
            found[text] = read(text)
        except (BadInput, ValueError):
            found[text] = None
    return found
