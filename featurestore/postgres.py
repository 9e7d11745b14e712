"""The store on PostgreSQL, with or without TimescaleDB, through psycopg.

A row says what a release changed, and ``[known_at, superseded_at)`` when that was the newest knowledge, so that "as
known on a day" is one range condition. What a release merely repeated is kept as runs of periods (``fs.coverage``):
should an older vintage come later and change what lies before, the repetition becomes a row of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from psycopg import Connection, OperationalError
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool, PoolTimeout

from engine.calendar import Freq
from engine.errors import BadInput, NotReady
from engine.indicator import Indicator, Region, Series
from featurestore import overrides, readings, rows, scores, timescale, waves, wire
from featurestore.answers import Told
from featurestore.store import HISTORY, KNOWN, RELEASES, Override, Receipt, Release, ScoreRun

_APPEND = 0x6A696E68
"""The lock under which one writer at a time appends: versions of one series may come from several releases, so that a
lock for each release would not do."""

_OBS = {
    "series_id": "int4",
    "period": "date",
    "value": "float8",
    "status": "text1",
    "known_at": "timestamptz",
    "release_id": "int4",
}

_CHANGED = """
CREATE TEMP TABLE changed ON COMMIT DROP AS
SELECT s.series_id, s.period, nullif(s.value, 'NaN') AS value, s.status,
       p.release_id IS NOT NULL AS revised, p.value AS before, p.status AS status_before
FROM stage s LEFT JOIN LATERAL (
    SELECT o.value, o.status, o.release_id FROM fs.obs o
    WHERE o.series_id = s.series_id AND o.period = s.period AND o.known_at <= %(known_at)s
    ORDER BY o.known_at DESC, o.release_id DESC LIMIT 1) p ON true
WHERE p.release_id IS NULL OR ROW(p.value, p.status) IS DISTINCT FROM ROW(nullif(s.value, 'NaN'), s.status)"""

_INSERT = """
INSERT INTO fs.obs (known_at, value, series_id, period, release_id, status)
SELECT %(known_at)s, value, series_id, period, %(release)s, status FROM changed"""

# A later release that repeated what this one changes has said something after all. If the first to speak of the value
# again has a row already, there is nothing to do.
_REPEATED = """
INSERT INTO fs.obs (known_at, value, series_id, period, release_id, status)
SELECT l.known_at, c.before, c.series_id, c.period, l.release_id, c.status_before
FROM changed c CROSS JOIN LATERAL (
    SELECT r.known_at, r.release_id FROM fs.coverage v JOIN fs.release r USING (release_id)
    WHERE v.series_id = c.series_id AND c.period BETWEEN v.first_period AND v.last_period AND r.known_at > %(known_at)s
    ORDER BY r.known_at, r.release_id LIMIT 1) l
WHERE c.revised
ON CONFLICT DO NOTHING"""

# A row that repeats the one before it (an older vintage came late) stays as evidence and is never the newest knowledge.
_INTERVALS = """
WITH marked AS (
    SELECT o.series_id, o.period, o.known_at, o.release_id, o.superseded_at,
           lag(o.release_id) OVER w IS NULL
           OR ROW(o.value, o.status) IS DISTINCT FROM ROW(lag(o.value) OVER w, lag(o.status) OVER w) AS version
    FROM fs.obs o JOIN changed USING (series_id, period)
    WINDOW w AS (PARTITION BY o.series_id, o.period ORDER BY o.known_at, o.release_id)),
ends AS (
    SELECT *, CASE WHEN version THEN coalesce(min(known_at) FILTER (WHERE version) OVER (
        PARTITION BY series_id, period ORDER BY known_at, release_id ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING),
        '9999-12-31 00:00+00') ELSE known_at END AS until
    FROM marked)
UPDATE fs.obs o SET superseded_at = e.until FROM ends e
WHERE o.series_id = e.series_id AND o.period = e.period AND o.known_at = e.known_at AND o.release_id = e.release_id
  AND e.superseded_at <> e.until"""


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
        values = rows.check(release, values, series)
        with self._link() as c, c.transaction():
            c.execute("SELECT pg_advisory_xact_lock(%s)", [_APPEND])
            numbers = _describe(c, series)
            key = [release.source, release.code, release.known_at, release.content]
            found = c.execute(
                "SELECT release_id, n_rows FROM fs.release "
                "WHERE source = %s AND code = %s AND known_at = %s AND content = %s", key
            ).fetchone()  # fmt: skip
            if found:
                return Receipt(found[0], found[1], 0, 0, found[1], repeated=True)
            number = c.execute(
                "INSERT INTO fs.release (source, code, known_at, content, precision, uri, n_rows) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING release_id",
                [*key, release.precision, release.uri, values.height],
            ).fetchone()[0]  # type: ignore[index]
            _stage(c, number, values, series, numbers)
            if timescale.in_use(c):
                c.execute("SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0")
            at = {"known_at": release.known_at, "release": number}
            c.execute(_CHANGED, at)
            new, revised = c.execute(
                "SELECT count(*) FILTER (WHERE NOT revised), count(*) FILTER (WHERE revised) FROM changed"
            ).fetchone() or (0, 0)
            c.execute(_INSERT, at)
            c.execute(_REPEATED, at)
            c.execute(_INTERVALS)
            c.execute("UPDATE fs.release SET n_new = %s, n_revised = %s WHERE release_id = %s", [new, revised, number])
        return Receipt(number, values.height, new, revised, values.height - new - revised, repeated=False)

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
                "COPY (SELECT series_id, period, coalesce(value, 'NaN'), status, known_at, release_id FROM fs.obs "
                f"WHERE series_id = ANY(%(ids)s) AND {where}) TO STDOUT (FORMAT binary)"
            )
            with c.cursor().copy(sql.encode(), {**values, "ids": [n for _, n, _ in found]}) as copy:
                stream = b"".join(copy)
            columns = dict(zip(_OBS, wire.unpack(stream, _OBS.values()), strict=True))
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


def _describe(c: Connection[tuple[Any, ...]], series: Sequence[Series]) -> dict[str, int]:
    """Store what the series mean where it is new or has changed; their numbers by id."""
    codes = [s.id for s in series]
    c.execute(
        "INSERT INTO fs.series (code, freq) SELECT * FROM unnest(%s::text[], %s::text[]) ON CONFLICT DO NOTHING",
        [codes, [s.freq.value for s in series]],
    )
    stored = {
        code: (number, freq, meaning)
        for code, number, freq, meaning in c.execute(
            "SELECT DISTINCT ON (s.code) s.code, s.series_id, s.freq, m.meaning FROM fs.series s "
            "LEFT JOIN fs.meaning m USING (series_id) WHERE s.code = ANY(%s) ORDER BY s.code, m.recorded_at DESC",
            [codes],
        )
    }
    for s in series:
        number, freq, meaning = stored[s.id]
        if freq != s.freq:
            raise BadInput(f"{s.id} is stored with frequency {freq}, not {s.freq}")
        fields = {k: v for k, v in asdict(s).items() if k != "made"}  # only what is published is stored
        if fields != meaning:
            c.execute(
                "INSERT INTO fs.meaning (series_id, meaning) VALUES (%s, %s)", [number, Jsonb(fields, json.dumps)]
            )
    return {code: number for code, (number, _, _) in stored.items()}


def _meaning(fields: Mapping[str, Any]) -> Series:
    indicator = fields["indicator"]
    return Series(Indicator(**indicator | {"freq": Freq(indicator["freq"])}), Region(**fields["region"]))


def _stage(
    c: Connection[tuple[Any, ...]],
    release: int,
    values: pl.DataFrame,
    series: Sequence[Series],
    numbers: Mapping[str, int],
) -> None:
    """The rows of a release into a temporary table, and the runs of periods that it speaks of into ``fs.coverage``."""
    number = values["series"].replace_strict(numbers, return_dtype=pl.Int32).to_numpy()
    ordinal = values["period"].cast(pl.Int64).to_numpy()
    freqs = {s.id: s.freq for s in series}
    start = np.empty_like(ordinal)
    for freq in set(freqs.values()):
        mine = values["series"].is_in([i for i, f in freqs.items() if f is freq]).to_numpy()
        start[mine] = rows.starts(ordinal[mine], freq)
    c.execute("CREATE TEMP TABLE stage (series_id int, period date, value float8, status text) ON COMMIT DROP")
    columns = {
        "series_id": number,
        "period": start,
        "value": values["value"].fill_null(np.nan).to_numpy(),
        "status": values["status"].to_numpy().astype("S1"),
    }
    with c.cursor().copy("COPY stage FROM STDIN (FORMAT binary)") as copy:
        copy.write(wire.pack(columns, ("int4", "date", "float8", "text1")))
    c.execute("ANALYZE stage")
    begins = np.ones(len(ordinal), bool)  # rows are sorted: a run ends where the series changes or a period is left out
    begins[1:] = (np.diff(number) != 0) | (np.diff(ordinal) != 1)
    ends = np.append(begins[1:], True)
    runs = {
        "series_id": number[begins],
        "release_id": np.full(begins.sum(), release),
        "first_period": start[begins],
        "last_period": start[ends],
    }
    with c.cursor().copy("COPY fs.coverage FROM STDIN (FORMAT binary)") as copy:
        copy.write(wire.pack(runs, ("int4", "int4", "date", "date")))
