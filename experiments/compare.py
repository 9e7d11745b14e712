"""Two runs on the origins and periods that both estimated: skill side by side."""

from __future__ import annotations

import polars as pl

from engine.errors import BadInput
from experiments.evaluate import skill_table
from experiments.spec import Watch
from experiments.watched import scored

KEYS = ("timing", "origin", "period")


def compare(first: pl.DataFrame, second: pl.DataFrame, benchmark: str) -> pl.DataFrame:
    """``evaluate.SKILL`` rows of both; models are called ``A:label`` and ``B:label``, ratios are to ``A:benchmark``.

    first, second: ``evaluate.scored`` records. Raises BadInput if they have nothing in common or differ in target or
    truth.
    """
    common = first.select(KEYS).unique().join(second.select(KEYS).unique(), on=KEYS, how="inner")
    if common.is_empty():
        raise BadInput("the two runs have no origin and period in common")
    outcomes = first.select("target", "period", "outcome").unique().join(
        second.select("target", "period", "outcome").unique(), on="period", suffix="_b"
    )  # fmt: skip
    if odd := outcomes.filter(
        (pl.col("target") != pl.col("target_b")) | (pl.col("outcome") != pl.col("outcome_b"))
    ).rows():
        raise BadInput(
            f"the two runs do not estimate the same: {odd[0][0]} and {odd[0][3]} for {odd[0][1]}, or another truth"
        )
    both = [
        run.join(common, on=KEYS, how="semi").with_columns(model=pl.lit(f"{name}:") + pl.col("model"))
        for name, run in (("A", first), ("B", second))
    ]
    return skill_table(pl.concat(both), f"A:{benchmark}")


def both_read(spec: Watch, first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """``watched.SCORED`` rows of two runs of readings, over the origins that both have; models are ``A:label``, ``B:label``.

    spec: of the first; its chronology serves both. Raises BadInput if they differ in target or share no origin.
    """
    keys = ("target", "timing", "origin")
    common = first.select(keys).unique().join(second.select(keys).unique(), on=keys, how="inner")
    if common.is_empty():
        raise BadInput("the two runs have no target and origin in common")
    both = [
        run.join(common, on=keys, how="semi").with_columns(model=pl.lit(f"{name}:") + pl.col("model"))
        for name, run in (("A", first), ("B", second))
    ]
    return scored(spec, pl.concat(both))
