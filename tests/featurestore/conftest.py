"""All stores, one suite: a list in memory, PostgreSQL and TimescaleDB; servers are emptied before each test."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
TIMESCALE = Path(__file__).parents[1] / "timescale"


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


@dataclass(frozen=True)
class Server:
    """A database that tests may empty, and its connections."""

    name: str
    conninfo: str
    pool: ConnectionPool[Any]

    def empty(self) -> PostgresStore:
        """Forget everything; what is left is a new store."""
        with self.pool.connection() as c:
            tables = c.execute(
                "SELECT string_agg(format('fs.%I', tablename), ', ') FROM pg_tables "
                "WHERE schemaname = 'fs' AND tablename <> 'migration'"
            ).fetchone()
            assert tables
            c.execute(f"TRUNCATE {tables[0]} RESTART IDENTITY".encode())
        return PostgresStore(self.pool)


@contextmanager
def _server(name: str, conninfo: str) -> Iterator[Server]:
    with psycopg.connect(conninfo, autocommit=True) as c:
        migrations.upgrade(c)
    # What stands before a test server may not know prepared statements.
    options: dict[str, Any] = {"options": "-c timezone=UTC", "prepare_threshold": None}
    with ConnectionPool(conninfo, min_size=1, max_size=4, open=True, kwargs=options) as pool:
        yield Server(name, conninfo, pool)


@pytest.fixture(scope="session")
def postgres(home: Path) -> Iterator[Server]:
    """The embedded PostgreSQL, which the commands of these tests use too."""
    with _server("postgres", embedded.start(home)) as server:
        yield server


@pytest.fixture(scope="session")
def yours() -> Iterator[Server]:
    """A server of yours, which forgets what it has."""
    with _server("yours", os.environ["JINGQI_TEST_DATABASE_URL"]) as server:
        yield server


@pytest.fixture(scope="session")
def timescale() -> Iterator[Server]:
    """TimescaleDB, compiled to WebAssembly and run by node: see tests/README.md."""
    if not TIMESCALE.joinpath("node_modules").exists() or not shutil.which("node"):
        lacking = "TimescaleDB needs node and the packages that `make test` installs with npm (tests/README.md)"
        if os.environ.get("CI"):
            pytest.fail(lacking)
        pytest.skip(lacking)
    folder = _folder()
    command = ["node", str(TIMESCALE / "front.mjs"), str(folder / ".s.PGSQL.5432")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline().startswith("TimescaleDB answers"), "the server did not start"
        with _server("timescale", f"host={folder} user=postgres dbname=postgres") as server:
            yield server
        process.stdin.close()
    shutil.rmtree(folder, ignore_errors=True)


# Only one of pytest's workers runs what needs TimescaleDB: its server takes seconds to start, and half a gigabyte.
_TIMESCALE = pytest.param("timescale", marks=pytest.mark.xdist_group("timescale"))
_SERVERS = ["postgres", _TIMESCALE, *(["yours"] if "JINGQI_TEST_DATABASE_URL" in os.environ else [])]


@pytest.fixture(params=_SERVERS)
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["memory", *_SERVERS])
def store(request: pytest.FixtureRequest) -> Store:
    """An empty store of every kind."""
    if request.param == "memory":
        return MemoryStore()
    found: Server = request.getfixturevalue(request.param)
    return found.empty()


@pytest.fixture(scope="session")
def conninfo(postgres: Server) -> str:
    return postgres.conninfo


@pytest.fixture(scope="session")
def pool(postgres: Server) -> ConnectionPool[Any]:
    return postgres.pool


@pytest.fixture(scope="session")
def empty(postgres: Server) -> Callable[[], PostgresStore]:
    return postgres.empty


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
        return Load(
            Release("test", code, at, "day", hashlib.sha256(repr((at, rows)).encode()).digest()), frame, (series,)
        )

    return release
