"""A proof that trusts no time stamp: alter all that became known after an origin, replay it, compare every bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

import numpy as np
import polars as pl

from engine.calendar import Period, end_of
from engine.errors import LookAhead
from engine.indicator import Series
from engine.panel import Timing
from experiments.replay import Replayed, Task, replay
from featurestore.panel import Cube
from featurestore.store import Store
from featurestore.surveys import Waves


@dataclass(frozen=True, slots=True)
class Proof:
    """At this origin so many values became known later; altering all of them moved no bit of what the model learned or
    said."""

    model: str
    origin: datetime
    timing: Timing
    altered: int


def prove(store: Store, task: Task, seed: int = 0) -> Proof:
    """Replay the task up to its witness on the store as it is and on one whose later values are altered.

    Raises LookAhead, naming what moved, if the two differ in one bit.
    """
    other, count = altered(store, task, seed)
    return compare(replay(replace(task, origins=other.origins)), replay(other), count)


def altered(store: Store, task: Task, seed: int = 0) -> tuple[Task, int]:
    """The task up to its witness on a store in which all values that became known later are others, and their number.

    The witness is the first origin; of a chain of warm fits the second, whose fit began where the first one ended.
    """
    seen = task.origins[: 2 if task.warm else 1]
    if isinstance(task.cube, Waves):
        waves, count = task.cube.altered(seen[-1])
        return replace(task, cube=waves, origins=seen), count
    shadow = _Altered(store, replace(task, origins=seen), np.random.default_rng(seed))
    cube = Cube(cast(Store, shadow), task.model.inputs)  # it reads no more than series and history
    return replace(task, cube=cube, origins=seen), shadow.count


def compare(honest: Replayed, shadow: Replayed, count: int) -> Proof:
    """Hold the origins of a replay on altered data against the same of an honest one. Raises LookAhead."""
    origin = shadow.task.origins[-1]
    was = honest.records.filter(pl.col("origin") <= origin)
    moved = [c for c in was.columns if _bits(was[c]) != _bits(shadow.records[c])]
    if moved:
        raise LookAhead(
            f"{honest.task.label}: {', '.join(moved)} at the {honest.task.timing} origin {origin:%Y-%m-%d %H:%M} UTC "
            f"changed when {count} values that became known later were altered"
        )
    return Proof(honest.task.label, origin, honest.task.timing, count)


def _bits(column: pl.Series) -> list[object]:
    return [v.hex() if isinstance(v, float) else v for v in column.to_list()]


class _Altered:
    """A store of which a Cube reads ``series`` and ``history``; values that became known after the origin are altered.

    When a value became known is worked out here anew: in pseudo real time, at the end of the day ``delay_days`` after
    its period ended, and never if it came after the vintage.
    """

    def __init__(self, store: Store, task: Task, rng: np.random.Generator) -> None:
        self._store, self._task, self._rng = store, task, rng
        self.count = 0

    def series(self) -> Mapping[str, Series]:
        return self._store.series()

    def history(self, ids: Sequence[str]) -> pl.DataFrame:
        rows = self._store.history(ids)
        late = self._late(rows)
        self.count = int(late.sum())
        factor = self._rng.uniform(0.5, 2.0, rows.height)
        shift = self._rng.normal(0.0, 1.0, rows.height)
        value = rows["value"].to_numpy()
        return rows.with_columns(pl.Series("value", np.where(late, value * factor + shift, value)).fill_nan(None))

    def _late(self, rows: pl.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        origin = self._task.origins[-1]
        if self._task.timing == "real":
            return (rows["known_at"] > origin).to_numpy()
        meaning = self.series()
        seen = rows.select("series", "period").unique().rows()
        assumed = {}
        for series_id, ordinal in seen:
            s = meaning[series_id]
            assumed[series_id, ordinal] = end_of(Period(s.freq, ordinal).end + timedelta(days=s.indicator.delay_days))
        after = [
            assumed[i, p] > origin or known > self._task.vintage
            for i, p, known in rows.select("series", "period", "known_at").iter_rows()
        ]
        return np.array(after, bool)
