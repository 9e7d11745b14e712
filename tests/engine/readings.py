"""Small readings of every kind, for charts and pages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from engine.calendar import Period
from engine.reading import READINGS

_Row = tuple[str, str, str, str, float]


def _frame(rows: Sequence[_Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=READINGS, orient="row")


def index_of(values: Sequence[float], unit: str = "US", name: str = "", first: str = "2008-01") -> pl.DataFrame:
    """An index with an 80 and a 95 % band, and two parts that add up to it."""
    rows: list[_Row] = []
    for k, value in enumerate(values):
        month = str(Period.parse(first) + k)
        rows += [(unit, month, level, name, value + z) for level, z in (("index", 0.0), ("q025", -1.0), ("q100", -0.6))]
        rows += [(unit, month, level, name, value + z) for level, z in (("q900", 0.6), ("q975", 1.0))]
        rows += [(unit, month, "part", "payems@US", value - 60.0), (unit, month, "part", "base", 60.0)]
    return _frame(rows)


_MONTHS = np.arange(108)
INDEX = index_of((100 + 4 * np.sin(2 * np.pi * _MONTHS / 54) + 0.01 * np.cos(_MONTHS)).tolist())
"""Nine years of a sine of four and a half years."""

MONITOR = pl.concat(
    index_of([50.0 + shift, 51.5 + shift, 49.0 + shift], unit, name, "2024-01").filter(pl.col("level") != "part")
    for unit, shift in (("SYN-33", 0.0), ("SYN-3301", 1.0), ("industry:制造业", -2.0), ("size:small", 3.0))
    for name in ("composite", "operation")
)


def _lit(unit: str, month: str, light: int, items: dict[str, tuple[int, int]]) -> list[_Row]:
    """items: score, 0 where missing, and mark."""
    rows: list[_Row] = [(unit, month, "index", "", 60.0 + 10 * light), (unit, month, "light", "", float(light))]
    for item, (score, mark) in items.items():
        name = f"{item}@{unit}"
        rows += [(unit, month, level, name, float(score)) for level in ("light", "score") if score]
        rows += [(unit, month, "mark", name, float(mark))] if mark else []
        rows.append((unit, month, "part", name, 10.0 * score))
    return rows


LIGHTS = _frame(
    [
        *_lit("SYN-33", "2024-01", 3, {"cpi": (3, 0), "va": (2, 0)}),
        *_lit("SYN-33", "2024-02", 4, {"cpi": (5, 0), "va": (2, 1), "loans": (0, 2)}),
        *_lit("SYN-3301", "2024-01", 1, {"cpi": (1, 0), "va": (1, 0)}),
        *_lit("SYN-3301", "2024-02", 5, {"cpi": (5, 0), "va": (5, 0)}),
    ]
)

BOARD = _frame(
    [
        (unit, "2023", level, name, value)
        for unit, score, rank, low, high in (("a", 52.25, 2, 1, 3), ("b", 61.5, 1, 1, 2), ("c", 40.0, 3, 2, 3))
        for level, name, value in (
            ("score", "", score), ("rank", "", float(rank)), ("rank_low", "", float(low)), ("rank_high", "", float(high)),
            ("node", "green", score + rank), ("node", "growth", score - rank), ("part", "forest", score / 4),
            ("part", "income", 3 * score / 4),
        )
    ]
)  # fmt: skip
