"""Answers: what single firms said, as known on one day. What monitoring models read where others read a Panel."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import polars as pl

from engine.calendar import Freq, Period, known_day
from engine.errors import BadInput, LookAhead, NotEnoughData
from engine.panel import Timing

COLUMNS = pl.Schema(
    {"firm": pl.String(), "wave": pl.Int32(), "freq": pl.String(), "question": pl.String(), "answer": pl.Int8(),
     "scale": pl.String(), "industry": pl.String(), "city": pl.String(), "size": pl.String(), "weight": pl.Float64(),
     "known_at": pl.Datetime("us", "UTC")}
)  # fmt: skip
"""A row an answer: ``wave`` the ordinal of the period at ``freq``; ``answer`` on its ``scale``, three (-1, 0, 1), five
(-2 … 2) or percent (0 … 100); ``city`` the code of a region; ``weight`` what the firm stands for. Who did not answer has
no row."""


@dataclass(frozen=True, eq=False)
class Answers:
    """Of each wave the version known at ``asof``. Raises BadInput for other columns, LookAhead for a later row."""

    asof: datetime
    rows: pl.DataFrame
    timing: Timing = "real"

    def __post_init__(self) -> None:
        if missing := [c for c in COLUMNS if c not in self.rows.columns]:
            raise BadInput(f"answers need the columns {', '.join(missing)}")
        newest = self.newest
        if newest is not None and newest > self.asof:
            raise LookAhead(f"answers known at {newest:%Y-%m-%d %H:%M} UTC, after the as-of {self.asof:%Y-%m-%d %H:%M}")

    @property
    def newest(self) -> datetime | None:
        """When the newest wave became known."""
        top = self.rows["known_at"].max()
        return top if isinstance(top, datetime) else None

    @property
    def day(self) -> str:
        """The information date as people write it."""
        return known_day(self.asof).isoformat()

    def waves(self, freq: Freq) -> tuple[Period, ...]:
        """The waves of a frequency, oldest first."""
        own = self.rows.filter(pl.col("freq") == freq.value)["wave"].unique().sort()
        return tuple(Period(freq, int(n)) for n in own)

    def wave(self, period: Period) -> pl.DataFrame:
        """The rows of one wave. Raises NotEnoughData if it is not known."""
        bounds = self._bounds.get((period.freq.value, period.ordinal))
        if bounds is None:
            raise NotEnoughData(f"no firm's answers of {period} were known as of {self.day}")
        return self._sorted.slice(*bounds)

    def select(self, ids: Sequence[str]) -> Answers:
        """Itself: answers are not cut by series."""
        return self

    def digest(self) -> str:
        """sha256 over all rows, in whatever order they come."""
        columns = ["freq", "wave", "question", "firm", "answer", "weight", "industry", "city", "size"]
        told = np.sort(self.rows.select(columns).hash_rows(seed=0).to_numpy())
        return hashlib.sha256(repr((columns, len(told))).encode() + told.tobytes()).hexdigest()

    @cached_property
    def _sorted(self) -> pl.DataFrame:
        return self.rows.sort("freq", "wave", maintain_order=True)

    @cached_property
    def _bounds(self) -> dict[tuple[str, int], tuple[int, int]]:
        """Of each wave where it begins among the sorted rows, and how many rows it has."""
        runs = self._sorted.select(pl.struct("freq", "wave").rle().alias("run")).unnest("run")
        begins = runs["len"].cum_sum() - runs["len"]
        waves = runs["value"].struct.unnest()
        return {
            (freq, wave): (start, length)
            for (freq, wave), start, length in zip(waves.iter_rows(), begins, runs["len"], strict=True)
        }
