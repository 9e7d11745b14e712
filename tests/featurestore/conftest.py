"""Both stores, one suite: a private embedded server for the session, emptied before each test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest
from psycopg_pool import ConnectionPool

from engine.calendar import Freq
from engine.indicator import Indicator, Region, Series
from featurestore import embedded, migrations
from featurestore.memory import MemoryStore
from featurestore.postgres import PostgresStore
from featurestore.sources import Load
from featurestore.store import VALUES, Release, Store

US = Region("US", "United States", "美国")
TABLES = "fs.reading, fs.news, fs.score, fs.score_run, fs.coverage, fs.obs, fs.meaning, fs.series, fs.release"


def _folder() -> Path:
    """A folder that 'nobody' may enter: under root the embedded server runs as that user."""
    folder = Path(tempfile.mkdtemp(prefix="jq-"))
    folder.chmod(0o755)
    return folder


@pytest.fixture(scope="session", autouse=True)
def home() -> Iterator[Path]:
    """JINGQI_HOME of all tests here, and of the commands that they run."""
    folder = _folder()
    before = {k: os.environ.pop(k, None) for k in ("JINGQI_HOME", "JINGQI_DATABASE_URL")}
    os.environ["JINGQI_HOME"] = str(folder)
    yield folder
    embedded.leave(folder)
    shutil.rmtree(folder, ignore_errors=True)
    os.environ.pop("JINGQI_HOME")
    os.environ.update({k: v for k, v in before.items() if v is not None})


@pytest.fixture
def fresh_home() -> Iterator[Path]:
    """Another data folder, with no server yet."""
    folder = _folder()
    yield folder
    embedded.leave(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def conninfo(home: Path) -> str:
    """The embedded server; or one of yours, to run test_stores, test_panel and test_scores on TimescaleDB."""
    found = os.environ.get("JINGQI_TEST_DATABASE_URL") or embedded.start(home)
    with psycopg.connect(found, autocommit=True) as c:
        migrations.upgrade(c)
    return found


@pytest.fixture(scope="session")
def pool(conninfo: str) -> Iterator[ConnectionPool[Any]]:
    options: dict[str, Any] = {"options": "-c timezone=UTC"}
    if "JINGQI_TEST_DATABASE_URL" in os.environ:
        options["prepare_threshold"] = None  # what stands before a test server may not know prepared statements
    with ConnectionPool(conninfo, min_size=1, max_size=4, open=True, kwargs=options) as opened:
        yield opened


@pytest.fixture(scope="session")
def empty(pool: ConnectionPool[Any]) -> Callable[[], PostgresStore]:
    """Forget everything; what is left is a new store."""

    def forget() -> PostgresStore:
        with pool.connection() as c:
            c.execute(f"TRUNCATE {TABLES} RESTART IDENTITY".encode())
        return PostgresStore(pool)

    return forget


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return MemoryStore()
    forget: Callable[[], PostgresStore] = request.getfixturevalue("empty")
    return forget()


@pytest.fixture(scope="session")
def content(conninfo: str) -> Callable[..., tuple[Any, ...]]:
    """All that a store holds, without the numbers and stamps that two equal stores need not share."""
    release = "r.source, r.code, r.known_at, r.content"
    queries = (
        f"SELECT {release}, r.precision, r.uri, r.n_rows, r.n_new, r.n_revised FROM fs.release r ORDER BY 1, 2, 3, 4",
        f"SELECT s.code, o.period, {release}, o.superseded_at, o.value, o.status FROM fs.obs o "
        "JOIN fs.series s USING (series_id) JOIN fs.release r USING (release_id)",
        f"SELECT s.code, {release}, v.first_period, v.last_period FROM fs.coverage v "
        "JOIN fs.series s USING (series_id) JOIN fs.release r USING (release_id)",
        "SELECT s.code, s.freq, m.meaning FROM fs.series s JOIN fs.meaning m USING (series_id)",
    )

    def read(of: str = conninfo) -> tuple[Any, ...]:
        with psycopg.connect(of, options="-c timezone=UTC") as c:
            c.execute("SELECT pg_advisory_xact_lock(%s)", [0x6A696E68])  # wait for a writer that is still at it
            releases = c.execute(queries[0].encode()).fetchall()
            digest = "SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text COLLATE \"C\")) FROM ({}) t"
            return (releases, *(c.execute(digest.format(q).encode()).fetchone() for q in queries[1:]))

    return read


@pytest.fixture(scope="session")
def make() -> Callable[..., Series]:
    """A series of our own: make("x", freq="Q", step="pca")."""

    def series(name: str, **meaning: Any) -> Series:
        fields: dict[str, Any] = {
            "id": name, "name_en": name, "name_zh": "指标", "freq": Freq.M, "unit": "index", "unit_analysed": "%",
            "step": "pch", "aggregation": "growth", "delay_days": 10, "agency": "us", "module": "test",
        }  # fmt: skip
        return Series(Indicator(**fields | meaning | {"freq": Freq(meaning.get("freq", "M"))}), US)

    return series


@pytest.fixture(scope="session")
def say() -> Callable[..., Load]:
    """A release: say(day, series, {period ordinal: value}), None for a value taken back."""

    def release(known: datetime | int, series: Series, values: dict[int, float | None], code: str = "r") -> Load:
        at = known if isinstance(known, datetime) else datetime(2020, 1, known, tzinfo=UTC)
        rows = [(series.id, p, v, "M" if v is None else "A") for p, v in values.items()]
        frame = pl.DataFrame(rows, schema=VALUES, orient="row")
        return Load(Release("test", code, at, "day", repr((at, rows)).encode()), frame, (series,))

    return release
