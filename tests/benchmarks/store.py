"""The store on the embedded PostgreSQL against the usual ways: a log table read by DISTINCT ON, write_row, fetchall.

    store.py [SERIES]    SERIES × 400 months × 10 versions: 300, 1.2 million rows, unless given; 5,000 for 20 million

Rows lie in both tables as they were published, release after release. The log table has the index made for its query
(series, period, newest version first), the transport is the same on both sides where the query is the question.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import peers  # isort: skip
import numpy as np
import polars as pl
import psycopg
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool

from engine.calendar import Freq
from engine.indicator import Indicator, Region, Series
from featurestore import embedded, migrations, wire
from featurestore.panel import Cube, build_panel
from featurestore.postgres import PostgresStore

MONTHS, VERSIONS, WANTED = 400, 10, 100
DAY = 86_400_000_000  # microseconds
FOREVER = (datetime(9999, 12, 31) - datetime(1970, 1, 1)) // timedelta(microseconds=1)
PEER = f"psycopg-{version('psycopg')}"
LOG = {"series_id": "int4", "period": "date", "known_at": "timestamptz", "value": "float8"}
OBS = LOG | {"superseded_at": "timestamptz", "release_id": "int4", "status": "text1"}


@contextmanager
def server() -> Iterator[str]:
    """A new embedded server, gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="jq-"))
    home.chmod(0o755)  # under root the server runs as another user
    try:
        yield embedded.start(home)
    finally:
        embedded.leave(home)
        shutil.rmtree(home, ignore_errors=True)


def publish(c: psycopg.Connection[Any], count: int) -> list[str]:
    """Fill both tables: month t is first published in release t, then revised in each of the nine releases after it."""
    series = [
        Series(
            Indicator(
                f"x{i}", f"x{i}", "指标", Freq.M, "index", "%", "lin", "average", 15, "us", "test"
            ),
            Region("US", "United States", "美国"),
        )
        for i in range(count)
    ]  # fmt: skip
    with c.cursor() as cursor:
        cursor.executemany("INSERT INTO fs.series (code, freq) VALUES (%s, 'M')", [(s.id,) for s in series])
        cursor.executemany(
            "INSERT INTO fs.meaning (series_id, meaning) VALUES (%s, %s)",
            [(i + 1, Jsonb(asdict(s))) for i, s in enumerate(series)],
        )
        starts = (
            (np.arange(MONTHS + VERSIONS + 2) + 15 * 12).astype("datetime64[M]").astype("datetime64[D]").astype(int)
        )
        known = (starts[1:] + 15) * DAY
        for when in known[: MONTHS + VERSIONS]:
            cursor.execute(
                "INSERT INTO fs.release (source, code, known_at, content, precision, uri, n_rows) "
                "VALUES ('bench', 'x', %s, '', 'day', '', 1)",
                [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(when))],
            )
        cursor.execute("SET session_replication_role = replica")  # no check of foreign keys: they are right
        cursor.execute("CREATE TABLE log (series_id int, period date, known_at timestamptz, value float8)")
        g = np.random.default_rng(0)
        for release in range(MONTHS + VERSIONS - 1):
            months = np.arange(max(release - VERSIONS + 1, 0), min(release, MONTHS - 1) + 1)
            month, number = np.tile(months, count), np.repeat(np.arange(1, count + 1), len(months))
            last = month == release - VERSIONS + 1
            rows = {
                "series_id": number,
                "period": starts[month],
                "known_at": np.full(len(month), known[release]),
                "value": g.normal(size=len(month)),
                "superseded_at": np.where(last, FOREVER, known[release + 1]),
                "release_id": np.full(len(month), release + 1),
                "status": np.full(len(month), b"A"),
            }
            for table, types in (("fs.obs", OBS), ("log", LOG)):
                statement = f"COPY {table} ({', '.join(types)}) FROM STDIN (FORMAT binary)"
                with cursor.copy(statement.encode()) as copy:
                    for piece in wire.pack({name: rows[name] for name in types}, types.values()):
                        copy.write(piece)
        cursor.execute("SET session_replication_role = origin")
    c.execute("CREATE UNIQUE INDEX ON log (series_id, period, known_at DESC)")
    c.execute("VACUUM ANALYZE log")
    c.execute("VACUUM ANALYZE fs.obs")
    c.execute("CHECKPOINT")
    return [s.id for s in series]


def read(
    c: psycopg.Connection[Any], query: str, types: dict[str, str], values: dict[str, Any] | None = None
) -> pl.DataFrame:
    """The rows of a query, column by column."""
    return pl.DataFrame(wire.fetch(c, query, types, values))


def asof(c: psycopg.Connection[Any], store: PostgresStore, ids: list[str]) -> None:
    """100 series as known some years ago; then the same panel cut from the history in memory."""
    wanted = ids[:: len(ids) // WANTED][:WANTED]
    numbers = [ids.index(i) + 1 for i in wanted]
    day = datetime(2010, 6, 30, tzinfo=UTC)
    distinct = (
        "SELECT DISTINCT ON (series_id, period) series_id, period, known_at, value FROM log "
        "WHERE series_id = ANY(%(ids)s) AND known_at <= %(asof)s ORDER BY series_id, period, known_at DESC"
    )
    interval = (
        "SELECT series_id, period, known_at, value FROM fs.obs WHERE series_id = ANY(%(ids)s) "
        "AND known_at <= %(asof)s AND superseded_at > %(asof)s AND value IS NOT NULL"
    )

    def ours() -> pl.DataFrame:
        return read(c, interval, LOG, {"ids": numbers, "asof": day})

    def theirs() -> pl.DataFrame:
        return read(c, distinct, LOG, {"ids": numbers, "asof": day})

    assert ours().sort("series_id", "period").equals(theirs().sort("series_id", "period"))
    peers.report("store.asof", peers.race(ours, theirs, 9, 3), "distinct-on-log")

    cube = Cube(store, wanted)
    assert cube.panel(day).frame.equals(build_panel(store, wanted, day).frame)
    peers.report(
        "store.cube", peers.race(lambda: cube.panel(day), lambda: build_panel(store, wanted, day), 7, 3), "build_panel"
    )


def ingest(c: psycopg.Connection[Any]) -> None:
    """A million rows, from numpy columns into a table without indexes."""
    n = 1_000_000
    g = np.random.default_rng(0)
    columns = {
        "series_id": g.integers(1, 1000, n),
        "period": g.integers(0, 20_000, n),
        "value": g.normal(size=n),
        "status": np.full(n, b"A"),
    }
    types = ("int4", "date", "float8", "text1")
    c.execute("CREATE UNLOGGED TABLE arrived (series_id int, period date, value float8, status text)")

    def ours() -> None:
        c.execute("TRUNCATE arrived")
        with c.cursor().copy("COPY arrived FROM STDIN (FORMAT binary)") as copy:
            for piece in wire.pack(columns, types):
                copy.write(piece)

    def theirs() -> None:
        c.execute("TRUNCATE arrived")
        given = columns | {"period": columns["period"].astype("datetime64[D]"), "status": columns["status"].astype(str)}
        with c.cursor().copy("COPY arrived FROM STDIN") as copy:
            for row in zip(*(column.tolist() for column in given.values()), strict=True):
                copy.write_row(row)

    peers.report("store.ingest", peers.race(ours, theirs, 3, 1), f"{PEER}-write_row")


def fetch(c: psycopg.Connection[Any]) -> None:
    """0.7 million rows from the server into polars."""
    query = "SELECT series_id, period, known_at, value FROM log LIMIT 700000"

    def theirs() -> pl.DataFrame:
        return pl.DataFrame(c.execute(query).fetchall(), schema=list(LOG), orient="row")

    assert read(c, query, LOG).height == theirs().height == 700_000
    peers.report("store.read", peers.race(lambda: read(c, query, LOG), theirs, 3, 1), f"{PEER}-fetchall")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    with server() as conninfo, psycopg.connect(conninfo, autocommit=True, options="-c timezone=UTC") as c:
        migrations.upgrade(c)
        ids = publish(c, count)
        print(
            f"  {count * MONTHS * VERSIONS:,} rows of {count:,} series in {c.info.parameter_status('server_version')}"
        )
        with ConnectionPool(conninfo, min_size=1, open=True, kwargs={"options": "-c timezone=UTC"}) as pool:
            asof(c, PostgresStore(pool), ids)
        ingest(c)
        fetch(c)


if __name__ == "__main__":
    main()
