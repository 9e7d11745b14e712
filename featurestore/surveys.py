"""From the store to Answers: what firms had answered, as known on a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from engine.answers import Answers
from engine.calendar import known_day
from engine.errors import NotEnoughData
from engine.panel import Timing
from featurestore.answers import ANSWERS, WAVE, newest
from featurestore.store import Store


def build_answers(store: Store, asof: datetime) -> Answers:
    """Every wave in the version known at ``asof``. Raises NotEnoughData if there is none."""
    return _known(store.answers(asof), asof, "real")


class Waves:
    """The answers of several days, read once and then cut in memory: equal to build_answers on each of those days."""

    def __init__(self, store: Store, days: Sequence[datetime]) -> None:
        read: pl.DataFrame | None = None
        for day in sorted(days):
            found = store.answers(day)
            read = (
                found
                if read is None
                else pl.concat([read, found.join(read.select(WAVE).unique(), on=WAVE, how="anti")])
            )
        self._rows = pl.DataFrame(schema=ANSWERS) if read is None else read

    def panel(self, asof: datetime) -> Answers:
        """As :func:`build_answers`, for one of the days."""
        return _known(newest(self._rows, asof), asof, "real")

    def pseudo(self, origin: datetime, vintage: datetime) -> Answers:
        """The same: every wave carries its own day, so that none need be assumed."""
        return _known(newest(self._rows, origin), origin, "pseudo")


def _known(rows: pl.DataFrame, asof: datetime, timing: Timing) -> Answers:
    if rows.is_empty():
        raise NotEnoughData(
            f"no firm's answers were known as of {known_day(asof)}: `jingqi data ingest` brings them in"
        )
    return Answers(asof, rows, timing)
