"""What firms answered: firms x questions x waves, with weights, as of a day. Confidential, so that no public view has it.

A row is one answer. ``answer`` by ``scale``: three: 1 better or up, 0 the same, -1 worse or down; five: 2 much better,
1 better, 0 the same, -1 worse, -2 much worse; percent: 0 to 100, as in the use of capacity. Who did not answer has no
row. A wave is all that a source says about one period; said again later, it replaces the earlier one from then on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from engine.calendar import Freq, Period, known_day
from engine.errors import BadInput
from engine.indicator import SYNTHETIC

if TYPE_CHECKING:
    from featurestore.store import Store

ANSWERS = pl.Schema(
    {"source": pl.String(), "firm": pl.String(), "wave": pl.Int32(), "freq": pl.String(), "question": pl.String(),
     "answer": pl.Int8(), "scale": pl.String(), "industry": pl.String(), "city": pl.String(), "size": pl.String(),
     "weight": pl.Float64(), "known_at": pl.Datetime("us", "UTC"), "is_synthetic": pl.Boolean()}
)  # fmt: skip
"""``wave``: ordinal of the period at ``freq``; ``city``: the code of a region; ``weight``: what the firm stands for."""

SCALES = {"three": (-1, 1), "five": (-2, 2), "percent": (0, 100)}
"""Least and greatest answer."""

WAVE = ["source", "freq", "wave", "known_at"]
FIRM = ["firm", "industry", "city", "size", "weight", "is_synthetic"]
QUESTION = ["question", "scale"]


@dataclass(frozen=True, slots=True)
class Told:
    """What came in: waves, rows, and the rows of those waves that were not there yet."""

    waves: int
    rows: int
    new: int


@dataclass(frozen=True, slots=True)
class Wave:
    """One wave: rows ``start`` to ``end`` of a frame."""

    source: str
    freq: str
    wave: int
    known_at: datetime
    start: int
    end: int


def answers_frame(where: Store | Path | str, asof: datetime) -> pl.DataFrame:
    """ANSWERS rows that were known at ``asof``, of a store or of a CSV file: of each wave the newest version.

    Raises BadInput for a file that cannot be read as such.
    """
    if isinstance(where, Path | str):
        from featurestore.sources.answers import read

        return newest(read(Path(where)), asof)
    return where.answers(asof)


def newest(answers: pl.DataFrame, asof: datetime) -> pl.DataFrame:
    """Of each wave the version that was known at ``asof``."""
    known = answers.filter(pl.col("known_at") <= asof)
    said = known.select(WAVE).unique()
    last = said.filter(pl.col("known_at") == pl.col("known_at").max().over("source", "freq", "wave"))
    return known.join(last, on=WAVE, how="semi").select(ANSWERS.names())


def check(answers: pl.DataFrame) -> pl.DataFrame:
    """The answers, sorted by wave. Raises BadInput for a row that a store must not take, with its firm and wave."""
    if answers.schema != ANSWERS:
        raise BadInput(f"answers need the columns {dict(ANSWERS)}, not {dict(answers.schema)}")
    if not answers.height:
        raise BadInput("a survey without an answer")
    scale = pl.col("scale")
    on_scale = pl.any_horizontal((scale == s) & pl.col("answer").is_between(*ends) for s, ends in SCALES.items())
    problems = (
        ("something is empty", pl.any_horizontal(pl.all().is_null())),
        (f"the scales are {', '.join(f'{s} ({a} to {b})' for s, (a, b) in SCALES.items())}", ~on_scale),
        ("a weight is a number above zero", ~((pl.col("weight") > 0) & pl.col("weight").is_finite())),
        (f"a city that is made up ({SYNTHETIC}…), and only such a one, is_synthetic",
         pl.col("city").str.starts_with(SYNTHETIC) != pl.col("is_synthetic")),
    )  # fmt: skip
    for problem, where in problems:
        if (hit := answers.filter(where)).height:
            raise _bad(hit, problem)
    for source, freq, wave, known_at in answers.select(WAVE).unique().sort(WAVE).iter_rows():
        if freq not in [f.value for f in Freq]:
            raise BadInput(f"{source}: a frequency is one of {', '.join(Freq)}, not {freq!r}")
        if wave > Period.of(known_day(known_at), Freq(freq)).ordinal:
            raise BadInput(
                f"{source} {Period(Freq(freq), wave)}: it had not begun when it was known, {known_day(known_at)}"
            )
    number = answers.select(pl.struct(WAVE).rle_id())["source"]
    ordered = answers if number.n_unique() == answers.select(WAVE).unique().height else answers.sort(WAVE)
    codes = ordered.select(pl.struct(WAVE).rle_id(), *(_code(c) for c in ("question", "firm")))
    n, question, firm = (codes[c].to_numpy().astype(np.int64) for c in codes.columns)
    keys = (n * (question.max() + 1) + question) * (firm.max() + 1) + firm
    if (np.diff(np.sort(keys)) == 0).any():
        raise _bad(ordered.filter(pl.struct(*WAVE, "firm", "question").is_duplicated()), "two answers to one question")
    return ordered


def _code(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Categorical).to_physical()


def _bad(hit: pl.DataFrame, problem: str) -> BadInput:
    row = hit.row(0, named=True)
    known = row["wave"] is not None and row["freq"] in [f.value for f in Freq]
    wave = str(Period(Freq(row["freq"]), row["wave"])) if known else "without a wave"
    return BadInput(
        f"answers of {row['source']}, {wave}, firm {row['firm']}, {row['question']}: {problem} ({hit.height} such rows)"
    )


def waves(ordered: pl.DataFrame) -> Iterator[Wave]:
    """The waves in checked answers, one after the other."""
    number = ordered.select(pl.struct(WAVE).rle_id())["source"].to_numpy().astype(np.int64)
    begins = np.flatnonzero(np.diff(number, prepend=-1)).tolist()
    for start, end in zip(begins, [*begins[1:], len(number)], strict=True):
        source, freq, wave, known_at = ordered[start].select(WAVE).row(0)
        yield Wave(source, freq, wave, known_at, start, end)
