"""The store on PostgreSQL, with or without TimescaleDB, through psycopg.

A row says what a release changed, and ``[known_at, superseded_at)`` when that was the newest knowledge, so that "as
known on a day" is one range condition. What a release merely repeated is kept as runs of periods (``fs.coverage``):
should an older vintage come later and change what lies before, the repetition becomes a row of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from psycopg import Connection, OperationalError
from psycopg_pool import ConnectionPool, PoolTimeout

from engine.calendar import Freq
from engine.errors import NotReady
from engine.indicator import Indicator, Region, Series
from featurestore import append, overrides, readings, rows, scores, waves, wire
from featurestore.answers import Told
from featurestore.sources import Load
from featurestore.store import HISTORY, KNOWN, RELEASES, Override, Receipt, Release, ScoreRun

_OBS = {
    "series_id": "int4",
    "period": "date",
    "value": "float8",
    "status": "text1",
    "known_at": "timestamptz",
    "release_id": "int4",
}


class PostgresStore:
    """Keeps the promise of :class:`featurestore.store.Store`; safe to share between threads."""

    def __init__(self, pool: ConnectionPool[Connection[tuple[Any, ...]]]) -> None:
        self._pool = pool

    @contextmanager
    def _link(self) -> Iterator[Connection[tuple[Any, ...]]]:
        """A connection of the pool. Raises NotReady if the server is gone; only the cause names hosts."""
        try:
            with self._pool.connection() as c:
                yield c
        except (OperationalError, PoolTimeout) as error:
            raise NotReady("the database does not answer: is its server running?") from error

    def append(self, release: Release, values: pl.DataFrame, series: Sequence[Series]) -> Receipt:
        return self.append_all([Load(release, values, tuple(series))])[0]

    def append_all(self, loads: Sequence[Load]) -> tuple[Receipt, ...]:
        if not loads:
            return ()
        order, arrived, values = rows.arrive(loads)
        with self._link() as c, c.transaction():
            receipts = append.append(c, arrived, values)
        return tuple(receipts[i] for i in order)

    def known(self, ids: Sequence[str], asof: datetime, recorded: datetime | None = None) -> pl.DataFrame:
        if recorded is None:
            newest = "known_at <= %(asof)s AND superseded_at > %(asof)s AND value IS NOT NULL"
            return self._read(ids, newest, {"asof": asof}).select(KNOWN.names())
        # What had reached us by then, whether or not a later load has shown it to be a repetition.
        said = "known_at <= %(asof)s AND release_id IN (SELECT release_id FROM fs.release WHERE recorded_at <= %(at)s)"
        return rows.at(rows.versions(self._read(ids, said, {"asof": asof, "at": recorded})), asof)

    def history(self, ids: Sequence[str]) -> pl.DataFrame:
        return rows.versions(self._read(ids, "true", {}))

    def _read(self, ids: Sequence[str], where: str, values: Mapping[str, object]) -> pl.DataFrame:
        """HISTORY rows without nth, sorted by series, period, known_at and release. Raises Unknown."""
        with self._link() as c, c.transaction():
            c.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            found = c.execute(
                "SELECT code, series_id, freq FROM fs.series WHERE code = ANY(%s)", [list(ids)]
            ).fetchall()
            if missing := [i for i in ids if i not in {code for code, _, _ in found}]:
                raise rows.not_stored(missing)
            sql = (
                "SELECT series_id, period, coalesce(value, 'NaN') AS value, status, known_at, release_id FROM fs.obs "
                f"WHERE series_id = ANY(%(ids)s) AND {where}"
            )
            columns = wire.fetch(c, sql, _OBS, {**values, "ids": [n for _, n, _ in found]})
            events = c.execute(
                "SELECT release_id, precision, recorded_at FROM fs.release WHERE release_id = ANY(%s)",
                [np.unique(columns["release_id"]).tolist()],
            ).fetchall()
        period = columns["period"]
        for freq in {f for _, _, f in found}:
            mine = np.isin(columns["series_id"], [n for _, n, f in found if f == freq])
            period[mine] = rows.ordinals(period[mine], Freq(freq))
        facts = pl.DataFrame(
            events, schema={c: HISTORY[c] for c in ("release", "precision", "recorded_at")}, orient="row"
        )
        frame = pl.DataFrame(
            {
                "series": pl.Series(columns["series_id"]).replace_strict(
                    [n for _, n, _ in found], [code for code, _, _ in found], return_dtype=pl.String
                ),
                "period": pl.Series(period, dtype=pl.Int32),
                "value": pl.Series(columns["value"]).fill_nan(None),
                "status": pl.Series(columns["status"].astype(str), dtype=pl.String),
                "known_at": pl.Series(columns["known_at"]).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
                "release": pl.Series(columns["release_id"], dtype=pl.Int32),
            }
        )
        names = [c for c in HISTORY.names() if c != "nth"]
        return frame.join(facts, on="release", how="left").select(names).sort("series", "period", "known_at", "release")

    def series(self) -> Mapping[str, Series]:
        with self._link() as c:
            found = c.execute(
                "SELECT DISTINCT ON (s.code) s.code, m.meaning FROM fs.series s JOIN fs.meaning m USING (series_id) "
                "ORDER BY s.code, m.recorded_at DESC"
            ).fetchall()
        return {code: _meaning(fields) for code, fields in found}

    def releases(self) -> pl.DataFrame:
        with self._link() as c:
            found = c.execute(
                "SELECT release_id, source, code, known_at, precision, recorded_at, n_rows, n_new, n_revised, uri "
                "FROM fs.release ORDER BY release_id"
            ).fetchall()
        return pl.DataFrame(found, schema=RELEASES, orient="row")

    def publish(self, run: ScoreRun, scored: pl.DataFrame, news: pl.DataFrame | None = None) -> bool:
        with self._link() as c, c.transaction():
            return scores.write(c, run, scored, news)

    def scores(self, target: str, asof: datetime | None = None) -> pl.DataFrame:
        with self._link() as c:
            return scores.read(c, target, asof)

    def publish_readings(self, run: ScoreRun, said: pl.DataFrame) -> bool:
        with self._link() as c, c.transaction():
            return readings.write(c, run, said)

    def readings(self, target: str, asof: datetime | None = None) -> pl.DataFrame:
        with self._link() as c:
            return readings.read(c, target, asof)

    def override(self, accepted: Sequence[Override]) -> None:
        with self._link() as c, c.transaction():
            overrides.write(c, accepted)

    def overrides(self) -> pl.DataFrame:
        with self._link() as c:
            return overrides.read(c)

    def tell(self, answers: pl.DataFrame) -> Told:
        with self._link() as c, c.transaction():
            return waves.write(c, answers)

    def answers(self, asof: datetime) -> pl.DataFrame:
        with self._link() as c, c.transaction():
            return waves.read(c, asof)


def _meaning(fields: Mapping[str, Any]) -> Series:
    indicator = fields["indicator"]
    return Series(Indicator(**indicator | {"freq": Freq(indicator["freq"])}), Region(**fields["region"]))
