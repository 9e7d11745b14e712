"""From the store to Answers: what firms had answered, as known on a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import polars as pl

from engine.answers import Answers
from engine.calendar import known_day
from engine.errors import NotEnoughData
from engine.panel import Timing
from featurestore.answers import ANSWERS, WAVE
from featurestore.store import Store


def build_answers(store: Store, asof: datetime) -> Answers:
    """Every wave in the version known at ``asof``. Raises NotEnoughData if there is none."""
    return _known(store.answers(asof), asof, "real")


class Waves:
    """The answers of several days, read once and then cut in memory: equal to build_answers on each of those days."""

    def __init__(self, store: Store, days: Sequence[datetime]) -> None:
        self._waves: dict[tuple[Any, ...], pl.DataFrame] = {}
        for day in sorted(days):
            for key, part in store.answers(day).partition_by(WAVE, as_dict=True, maintain_order=True).items():
                self._waves.setdefault(key, part)

    def panel(self, asof: datetime) -> Answers:
        """As :func:`build_answers`, for one of the days."""
        return self._at(asof, "real")

    def pseudo(self, origin: datetime, vintage: datetime) -> Answers:
        """The same: every wave carries its own day, so that none need be assumed."""
        return self._at(origin, "pseudo")

    def altered(self, after: datetime) -> tuple[Waves, int]:
        """The same with every answer that became known after a day turned round, and how many there are."""
        other, count = Waves.__new__(Waves), 0
        other._waves = dict(self._waves)
        for key, part in self._waves.items():
            if key[-1] > after:
                other._waves[key] = part.with_columns(answer=-pl.col("answer"))
                count += part.height
        return other, count

    def _at(self, asof: datetime, timing: Timing) -> Answers:
        newest: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        for key in sorted(self._waves):
            if key[-1] <= asof:
                newest[key[:-1]] = key
        rows = [self._waves[key] for key in newest.values()]
        return _known(pl.concat(rows) if rows else pl.DataFrame(schema=ANSWERS), asof, timing)


def _known(rows: pl.DataFrame, asof: datetime, timing: Timing) -> Answers:
    if rows.is_empty():
        raise NotEnoughData(
            f"no firm's answers were known as of {known_day(asof)}: `jingqi data ingest` brings them in"
        )
    return Answers(asof, rows, timing)
