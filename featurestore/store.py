"""Store: every value ever released. Append only; three times for each value.

``period``       what the value is about
``known_at``     when the public could know it, with its precision
``recorded_at``  when it reached us, stamped by the database and never by a client
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

import polars as pl

from engine.indicator import Series

Precision = Literal["instant", "day", "month", "assumed"]

VALUES = pl.Schema({"series": pl.String, "period": pl.Int32, "value": pl.Float64, "status": pl.String})
"""Rows of a release: series id, ordinal of the period at the frequency of the series, value, SDMX observation status
(A normal, P provisional, E estimate, B break …; M with a null value: the office took the value back)."""

KNOWN = pl.Schema({**VALUES, "known_at": pl.Datetime("us", "UTC"), "precision": pl.String, "release": pl.Int32})
"""What was known on a day: VALUES, with when and by which release event each value became known."""

HISTORY = pl.Schema({**KNOWN, "recorded_at": pl.Datetime("us", "UTC"), "nth": pl.Int32})
"""Every version of every value; ``nth`` counts from 1, the first release."""


@dataclass(frozen=True, slots=True)
class Release:
    """One publication: what a source said on one day.

    content: sha256 of the file as it came. The same release with the same content twice is a no-op.
    """

    source: str
    code: str
    known_at: datetime
    precision: Precision
    content: bytes
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an append did. ``new`` and ``revised`` rows were stored; ``same`` rows were already known."""

    event: int
    rows: int
    new: int
    revised: int
    same: int
    repeated: bool


@dataclass(frozen=True, slots=True)
class ScoreRun:
    """Where published scores come from: enough to make them again."""

    run_id: str
    target: str
    model: str
    version: str
    asof: datetime
    fitted_asof: datetime
    timing: str
    panel: str


class Store(Protocol):
    """Two kinds keep this promise, and one test suite runs on both: memory and PostgreSQL (with or without TimescaleDB)."""

    def append(self, release: Release, values: pl.DataFrame, series: Sequence[Series]) -> Receipt:
        """Store what is new or changed, whole or not at all. ``values`` follows VALUES, ``series`` tells what its ids mean.

        Raises BadInput for a series that is not described, a value that is not finite, or a duplicate (series, period).
        """
        ...

    def known(self, ids: Sequence[str], asof: datetime, recorded: datetime | None = None) -> pl.DataFrame:
        """KNOWN rows: the version of each value that was public at ``asof`` (a value taken back is absent).

        recorded: only what had reached us by then as well, so that a late feed can be told from a late statistic.
        Raises Unknown for a series that was never stored.
        """
        ...

    def history(self, ids: Sequence[str]) -> pl.DataFrame:
        """HISTORY rows: all versions, sorted by series, period, known_at. Raises Unknown."""
        ...

    def series(self) -> Mapping[str, Series]:
        """All series stored, by id, with what they mean."""
        ...

    def releases(self) -> pl.DataFrame:
        """One row a release event: event, source, code, known_at, precision, recorded_at, rows, new, revised."""
        ...

    def publish(self, run: ScoreRun, scores: pl.DataFrame, news: pl.DataFrame | None = None) -> bool:
        """Write scores (``Estimate.to_frame()``) and news rows for dashboards; False if this run was published before."""
        ...

    def scores(self, target: str, asof: datetime | None = None) -> pl.DataFrame:
        """Published scores of a target, newest information date first, with the fields of their ScoreRun."""
        ...


def nth_release(history: pl.DataFrame, n: int) -> pl.DataFrame:
    """The n-th published version of each value, n from 1; values with fewer versions are absent."""
    return history.filter(pl.col("nth") == n)


def first_release(history: pl.DataFrame) -> pl.DataFrame:
    """The value as it was first published."""
    return nth_release(history, 1)


def latest_release(history: pl.DataFrame) -> pl.DataFrame:
    """The value as it stands today."""
    return history.filter(pl.col("nth") == pl.col("nth").max().over("series", "period"))
