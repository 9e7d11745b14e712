"""COINr's ASEM example from tests/golden/coinr: the framework, the raw data, and R's figures for each step."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from engine.typing import Floats
from modelzoo.scorecard.evaluate import Scored, evaluate
from modelzoo.scorecard.framework import Framework

FOLDER = Path(__file__).parent / "golden" / "coinr"
DENOMINATORS = ("Area", "Energy", "GDP", "Population")


@cache
def framework() -> Framework:
    return Framework.read(FOLDER / "asem.toml")


@cache
def table(file: str) -> pl.DataFrame:
    """One of R's tables, units in alphabetical order of their codes."""
    return pl.read_csv(FOLDER / f"{file}.csv", null_values="NA", infer_schema_length=None).sort("uCode")


def figures(file: str, columns: Sequence[str] = ()) -> Floats:
    """``(51, K)`` named columns of one of R's tables, by default the indicators; NaN where R has NA."""
    names = list(columns or framework().indicators)
    found: Floats = table(file).select(pl.col(names).cast(pl.Float64)).fill_null(float("nan")).to_numpy()
    return found


def units() -> tuple[str, ...]:
    return tuple(table("ASEM_iData")["uCode"])


def groups() -> tuple[str, ...]:
    """Europe or Asia, by unit."""
    return tuple(table("ASEM_iData")["EurAsia_group"])


def denominators() -> dict[str, Floats]:
    return {name: figures("ASEM_iData", [name])[:, 0] for name in DENOMINATORS}


def raw() -> Floats:
    """``(51, 49)`` as delivered. Two values that the 15 digits of the file made equal to others stand a bit above them again."""
    found = figures("ASEM_iData")
    j = framework().indicators.index("TolMin")
    for unit in ("GRC", "JPN"):
        u = units().index(unit)
        found[u, j] = np.nextafter(found[u, j], np.inf)
    return found


def scored(chosen: Framework | None = None) -> Scored:
    """The whole example, or the same data under another framework of the same indicators."""
    return evaluate(chosen or framework(), raw(), units(), denominators=denominators(), groups=groups())
