"""Store: every value ever released. Append only; three times for each value.

``period``       what the value is about
``known_at``     when the public could know it, with its precision
``recorded_at``  when it reached us, stamped by the database and never by a client
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

import polars as pl

from engine.errors import BadInput
from engine.indicator import Series
from engine.reading import READINGS
from featurestore.answers import Told

if TYPE_CHECKING:
    from featurestore.sources import Load

Precision = Literal["instant", "day", "month", "assumed"]

_STAMP = pl.Datetime("us", "UTC")
_VALUES: dict[str, pl.DataType] = {
    "series": pl.String(), "period": pl.Int32(), "value": pl.Float64(), "status": pl.String()
}  # fmt: skip
_KNOWN = _VALUES | {"known_at": _STAMP, "precision": pl.String(), "release": pl.Int32()}

VALUES = pl.Schema(_VALUES)
"""Rows of a release: series id, ordinal of the period at the frequency of the series, value, SDMX observation status
(A normal, P provisional, E estimate, B break …; M with a null value: the office took the value back)."""

KNOWN = pl.Schema(_KNOWN)
"""What was known on a day: VALUES, with when and by which release event each value became known."""

HISTORY = pl.Schema(_KNOWN | {"recorded_at": _STAMP, "nth": pl.Int32()})
"""Every version of every value; ``nth`` counts from 1, the first release. A release that only repeats is no version."""

RELEASES = pl.Schema(
    {"release": pl.Int32(), "source": pl.String(), "code": pl.String(), "known_at": _STAMP, "precision": pl.String(),
     "recorded_at": _STAMP, "rows": pl.Int32(), "new": pl.Int32(), "revised": pl.Int32(), "uri": pl.String()}
)  # fmt: skip
"""One row a release event, in the order in which they were recorded."""

QUANTILES = ("q025", "q100", "q250", "q500", "q750", "q900", "q975")

SCORES = pl.Schema(
    {c: pl.String() for c in ("run_id", "target", "model", "version")}
    | {"asof": _STAMP, "fitted_asof": _STAMP, "timing": pl.String(), "panel": pl.String(), "published_at": _STAMP}
    | {"period": pl.String(), "phase": pl.String()}
    | {c: pl.Float64() for c in ("mean", *QUANTILES)}
)
"""Published scores: the fields of a ScoreRun, then one period of ``Estimate.to_frame()``."""

NEWS = pl.Schema(
    {"since": _STAMP, "target_period": pl.String(), "kind": pl.String(), "series": pl.String(), "period": pl.String()}
    | {"known_at": _STAMP}
    | {c: pl.Float64() for c in ("expected", "actual", "news", "weight", "impact")}
)
"""What moved a score since an earlier information date: ``news.table`` with the two that it was asked for."""


PUBLISHED = pl.Schema(
    {c: t for c, t in SCORES.items() if c not in ("period", "phase", "mean", *QUANTILES)} | dict(READINGS)
)
"""Published readings: the fields of a ScoreRun, when it was published, then one row of ``engine.reading.READINGS``."""

OVERRIDES = pl.Schema(
    {"finding": pl.String(), "value": pl.Float64(), "expected": pl.Float64(), "says": pl.String(), "because": pl.String(),
     "accepted_by": pl.String(), "accepted_at": _STAMP, "source": pl.String(), "code": pl.String(),
     "known_at": _STAMP, "release": pl.Int32()}
)  # fmt: skip
"""One row a finding that was accepted; ``release``: its number in the store, null where its load never came to an end."""


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

    release: int
    rows: int
    new: int
    revised: int
    same: int
    repeated: bool


@dataclass(frozen=True, slots=True)
class Override:
    """One finding of one release, accepted. Raises BadInput where nobody says who, or why."""

    finding: str
    value: float
    expected: float
    says: str
    because: str
    accepted_by: str
    release: Release

    def __post_init__(self) -> None:
        if not self.because.strip() or not self.accepted_by.strip():
            raise BadInput(f"{self.finding}: an override needs who accepts it, and a reason")

    def key(self) -> tuple[str, str, str, datetime, bytes]:
        """The same finding of the same release twice is one override."""
        r = self.release
        return self.finding, r.source, r.code, r.known_at, r.content


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
    """Two kinds keep this promise, one test suite runs on both: memory, and PostgreSQL with or without TimescaleDB."""

    def append(self, release: Release, values: pl.DataFrame, series: Sequence[Series]) -> Receipt:
        """Store what is new or changed, whole or not at all. ``values`` follows VALUES, ``series`` describes its ids.

        Releases may come in any order: an older vintage that is loaded later takes its place among the others, and the
        store answers as if it had come in time. Raises BadInput for rows that ``rows.check`` refuses.
        """
        ...

    def append_all(self, loads: Sequence[Load]) -> tuple[Receipt, ...]:
        """Store many releases, all or none of them, as one arrival: as if appended one after the other by ``known_at``.

        Returns a receipt for each, in the order given. Raises BadInput.
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
        """RELEASES rows: one for each release event, in the order in which they were recorded."""
        ...

    def publish(self, run: ScoreRun, scores: pl.DataFrame, news: pl.DataFrame | None = None) -> bool:
        """Write scores (``Estimate.to_frame()``) and NEWS rows for dashboards; False if the same was published before.

        The same: target, run, version, information date and panel digest.
        """
        ...

    def scores(self, target: str, asof: datetime | None = None) -> pl.DataFrame:
        """SCORES rows of a target, newest information date first; with ``asof`` none newer than that."""
        ...

    def publish_readings(self, run: ScoreRun, readings: pl.DataFrame) -> bool:
        """Write READINGS rows for dashboards; False if the same run was published before. Raises BadInput."""
        ...

    def readings(self, target: str, asof: datetime | None = None) -> pl.DataFrame:
        """PUBLISHED rows of a target's newest publication, or the newest one of just that information date."""
        ...

    def override(self, accepted: Sequence[Override]) -> None:
        """Keep who accepted which finding of which release, and why; the same finding of it again changes nothing."""
        ...

    def overrides(self) -> pl.DataFrame:
        """OVERRIDES rows, in the order in which they were accepted."""
        ...

    def tell(self, answers: pl.DataFrame) -> Told:
        """Store what firms answered, ANSWERS rows, whole or not at all; the same wave twice changes nothing. BadInput."""
        ...

    def answers(self, asof: datetime) -> pl.DataFrame:
        """ANSWERS rows of all surveys, by source, frequency and wave: of each wave the newest version at ``asof``."""
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
