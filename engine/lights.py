"""Lights: where each item and the whole stand between too cold and too hot, in five steps. What a warning index says.

Colours are those of Okabe & Ito (2008), which colour-blind people tell apart; every light also has a symbol of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

import numpy as np
import polars as pl

from engine.calendar import Period
from engine.errors import BadInput, Unknown
from engine.typing import Floats, Ints


class Light(IntEnum):
    """Five lights; the number is the score of an item. 3 is where the economy should be.

    >>> Light.YELLOW.zh, Light.YELLOW.en, Light.YELLOW.symbol, int(Light.YELLOW)
    ('黄灯', 'yellow', '△', 4)
    """

    BLUE = 1
    LIGHT_BLUE = 2
    GREEN = 3
    YELLOW = 4
    RED = 5

    @property
    def zh(self) -> str:
        return ("蓝灯", "浅蓝灯", "绿灯", "黄灯", "红灯")[self - 1]

    @property
    def en(self) -> str:
        return ("blue", "light blue", "green", "yellow", "red")[self - 1]

    @property
    def meaning_zh(self) -> str:
        return ("过冷", "趋冷", "稳定", "趋热", "过热")[self - 1]

    @property
    def meaning_en(self) -> str:
        return ("too cold", "cooling", "steady", "warming", "too hot")[self - 1]

    @property
    def symbol(self) -> str:
        """Tells the light without its colour: up is hot, down is cold, full is far out."""
        return ("▼", "▽", "●", "△", "▲")[self - 1]

    @property
    def colour(self) -> str:
        return ("#0072B2", "#56B4E9", "#009E73", "#F0E442", "#D55E00")[self - 1]


class Mark(IntEnum):
    """Where the value behind an item's score came from.

    KNOWN: the period's own. CARRIED: the period before, as its own is not known. MISSING: nowhere; the other items are
    weighted up. PAIRED: the figure that February publishes for January and February together. IMPUTED: the period's own, but
    an estimate of ours, not a published figure. The numbers between are marks of boards (modelzoo.scorecard.marks).
    """

    KNOWN = 0
    CARRIED = 1
    MISSING = 2
    PAIRED = 6
    IMPUTED = 7

    @property
    def zh(self) -> str:
        return {1: "沿用上期", 2: "缺失，其余项重新加权", 6: "1—2月合并", 7: "估算值"}.get(self, "")

    @property
    def en(self) -> str:
        said = {1: "carried", 2: "missing, re-weighted", 6: "January and February as one", 7: "estimated"}
        return said.get(self, "")


@dataclass(frozen=True, slots=True)
class Lights:
    """The warning index of one region through time, item by item, with everything known at ``asof``.

    items: series ids (K). index: ``(H,)``. light: ``(H,)`` in force, 1 … 5; raw: ``(H,)`` the band in which the index lies,
    which differs where a change is not confirmed. values: ``(H, K)`` what was scored, NaN where missing; scores: ``(H, K)``
    1 … 5, 0 where missing; marks: ``(H, K)`` of Mark. weights: ``(K,)`` whole numbers. sides: ``(K,)`` 1 more is hotter,
    -1 more is colder. cuts: ``(H, K, 4)`` thresholds in force, ascending; versions: their name at each period. bands:
    ``(4,)`` of the index. Raises BadInput if shapes do not fit or the index is not finite.
    """

    target: str
    asof: datetime
    periods: tuple[Period, ...]
    items: tuple[str, ...]
    index: Floats
    light: Ints
    raw: Ints
    values: Floats
    scores: Ints
    marks: Ints
    weights: Ints
    sides: Ints
    cuts: Floats
    versions: tuple[str, ...]
    bands: Floats

    def __post_init__(self) -> None:
        H, K = len(self.periods), len(self.items)
        shapes = {
            "index": (H,), "light": (H,), "raw": (H,), "values": (H, K), "scores": (H, K), "marks": (H, K),
            "weights": (K,), "sides": (K,), "cuts": (H, K, 4), "bands": (4,),
        }  # fmt: skip
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise BadInput(f"{self.target}: {name} must be {shape}, not {getattr(self, name).shape}")
        if len(self.versions) != H:
            raise BadInput(f"{self.target}: {H} periods need as many names of thresholds")
        if not np.isfinite(self.index).all():
            raise BadInput(f"{self.target}: an index is a finite number, or an error; not NaN")

    def at(self, period: Period) -> int:
        """The row of a period. Raises Unknown."""
        try:
            return self.periods.index(period)
        except ValueError:
            raise Unknown(f"{self.target} as of {self.asof:%Y-%m-%d} has no light for {period}") from None

    @property
    def parts(self) -> Floats:
        """``(H, K)`` what each item adds to the index; the rows sum to it."""
        present = (self.scores > 0) * self.weights
        return np.asarray(100.0 * self.weights * self.scores / (3.0 * present.sum(1))[:, None], np.float64)

    def to_frame(self) -> pl.DataFrame:
        """Tidy, one row a period and item, the whole first (item empty, value the index, score the light in force).

        Columns: target, period, asof, item, value, score, light (English name, empty where missing), mark, weight, adds,
        version.
        """
        parts, whole = self.parts, int(self.weights.sum())
        rows = []
        for h, period in enumerate(self.periods):
            head = {"target": self.target, "period": str(period), "asof": self.asof, "version": self.versions[h]}
            rows.append(head | _row("", self.index[h], self.light[h], "", whole, self.index[h]))
            rows += [
                head | _row(name, self.values[h, k], s, Mark(self.marks[h, k]).en, self.weights[k], parts[h, k])
                for k, (name, s) in enumerate(zip(self.items, self.scores[h], strict=True))
            ]
        return pl.DataFrame(rows, schema=_SCHEMA)


_SCHEMA = pl.Schema(
    {
        "target": pl.String(), "period": pl.String(), "asof": pl.Datetime("us", "UTC"), "item": pl.String(),
        "value": pl.Float64(), "score": pl.Int64(), "light": pl.String(), "mark": pl.String(), "weight": pl.Int64(),
        "adds": pl.Float64(), "version": pl.String(),
    }
)  # fmt: skip


def _row(item: str, value: float, score: int, mark: str, weight: int, adds: float) -> dict[str, object]:
    return {
        "item": item, "value": None if np.isnan(value) else float(value), "score": int(score) or None,
        "light": Light(score).en if score else "", "mark": mark, "weight": int(weight), "adds": float(adds),
    }  # fmt: skip
