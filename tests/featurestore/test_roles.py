"""Writer, modeler and the read-only API: what each may do, and what it may not, on every server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from engine.calendar import Period
from featurestore import append, connect, embedded, migrations, roles, rows, scores, status
from featurestore.store import ScoreRun

JAN = Period.parse("2019-01").ordinal
DAY = datetime(2020, 1, 9, tzinfo=UTC)
RUN = ScoreRun("run1", "x@US", "nowcast.ar", "1", DAY, DAY, "real", "abc")
VIEWS = "SELECT table_name FROM information_schema.views WHERE table_schema = 'api_v1'"
TABLES = "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname = 'fs' UNION SELECT 'fs.answered'"


@contextmanager
def acting(server: Any, role: str) -> Iterator[psycopg.Connection[Any]]:
    """A transaction in which the connection has no more rights than the role; it changes nothing."""
    with server.pool.connection() as c, c.transaction(force_rollback=True):
        if server.name == "timescale":  # the front of this server turns COPY FROM STDIN into the reading of a file
            c.execute(f"GRANT pg_read_server_files TO {role}")
        c.execute(f"SET LOCAL ROLE {role}")
        yield c


def refused(c: psycopg.Connection[Any], statement: str) -> bool:
    try:
        with c.transaction():
            c.execute(statement.encode())
    except InsufficientPrivilege:
        return True
    return False


@pytest.fixture
def filled(server: Any, make: Any, say: Any) -> Any:
    load = say(1, make("x"), {JAN: 1.0, JAN + 1: 2.0})
    server.empty().append(load.release, load.values, load.series)
    return server


def test_all_roles_are_there(filled: Any) -> None:
    with filled.pool.connection() as c:
        assert roles.found(c) == roles.ROLES
        assert roles.use(c) == roles.ROLES


def test_a_writer_adds_releases_and_deletes_nothing(filled: Any, make: Any, say: Any) -> None:
    load = say(5, make("x"), {JAN: 1.0, JAN + 1: 3.0, JAN + 2: 4.0})
    with acting(filled, "jingqi_writer") as c:
        _, arrived, values = rows.arrive([load])
        (receipt,) = append.append(c, arrived, values)
        assert (receipt.new, receipt.revised, receipt.same) == (1, 1, 1)
        assert c.execute("SELECT count(*) FROM fs.obs").fetchone() == (4,)
        for statement in (
            "DELETE FROM fs.obs",
            *([] if filled.name == "timescale" else ["UPDATE fs.obs SET value = 0"]),  # see featurestore/roles.py
            "UPDATE fs.release SET known_at = now()",
            "TRUNCATE fs.coverage",
            "DROP TABLE fs.news",
            "INSERT INTO fs.migration VALUES ('x', 'x')",
        ):
            assert refused(c, statement), statement


def test_a_modeler_reads_all_and_adds_scores(filled: Any, make: Any) -> None:
    with acting(filled, "jingqi_modeler") as c:
        for (table,) in c.execute(TABLES).fetchall():
            assert not refused(c, f"SELECT * FROM {table}"), table
        number = scores.insert_run(c, {f: getattr(RUN, f) for f in scores.RUN_COLUMNS})
        assert number is not None
        c.execute("INSERT INTO fs.reading VALUES (%s, 'US', '2019-01', 'index', '', 100)", [number])
        for statement in (
            "INSERT INTO fs.series (code, freq) VALUES ('y', 'M')",
            "UPDATE fs.score_run SET model = 'other'",
            "DELETE FROM fs.reading",
            "UPDATE fs.obs SET superseded_at = now()",
        ):
            assert refused(c, statement), statement


def test_the_api_reads_views_and_no_table(filled: Any) -> None:
    with acting(filled, "jingqi_api") as c:
        assert c.execute("SELECT metric, value FROM api_v1.observations ORDER BY value").fetchall() == [
            ("x@US", 1.0), ("x@US", 2.0)
        ]  # fmt: skip
        views = [v for (v,) in c.execute(VIEWS).fetchall()]
        assert {"observations", "scores", "news", "releases", "readings"} <= set(views)
        for view in views:
            assert not refused(c, f"SELECT * FROM api_v1.{view}"), view
            rights = "SELECT has_table_privilege('jingqi_api', %s, 'INSERT, UPDATE, DELETE, TRUNCATE')"
            assert c.execute(rights, [f"api_v1.{view}"]).fetchone() == (False,)
        tables = [t for (t,) in c.execute(TABLES).fetchall()]
        assert "fs.obs" in tables
        for table in tables:
            assert refused(c, f"SELECT * FROM {table}"), table
            assert refused(c, f"INSERT INTO {table} DEFAULT VALUES"), table


def test_a_user_with_a_role_logs_in(postgres: Any, conninfo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a server of the user's own, on which somebody else runs the upgrades."""
    with psycopg.connect(conninfo, autocommit=True) as c:
        c.execute("DROP ROLE IF EXISTS guest, clerk")
        c.execute("CREATE ROLE guest LOGIN IN ROLE jingqi_api")
        c.execute("CREATE ROLE clerk LOGIN IN ROLE jingqi_writer")
    clerk = conninfo.replace(f"user={embedded.DATABASE}", "user=clerk")
    monkeypatch.setenv("JINGQI_DATABASE_URL", clerk)
    postgres.empty()
    with connect.connect() as store:
        assert store.releases().is_empty()
    with psycopg.connect(conninfo.replace(f"user={embedded.DATABASE}", "user=guest")) as c:
        assert refused(c, "SELECT * FROM fs.obs")
        assert c.execute("SELECT count(*) FROM api_v1.releases").fetchone() == (0,)


def test_who_may_not_create_roles_upgrades_without(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as c:
        c.execute("DROP DATABASE IF EXISTS tenant")
        c.execute("DROP ROLE IF EXISTS tenant")
        c.execute("CREATE ROLE tenant LOGIN")
        c.execute("CREATE DATABASE tenant OWNER tenant")
    theirs = conninfo.replace(f"user={embedded.DATABASE}", "user=tenant").replace("dbname=jingqi", "dbname=tenant")
    with connect.link(theirs) as c:
        assert migrations.upgrade(c) == tuple(s.name for s in migrations.steps())
        assert roles.found(c) in ((), roles.ROLES)
        assert status.facts(c, "here")["pending"] == []


def test_status_tells_all_of_it(filled: Any) -> None:
    with filled.pool.connection() as c:
        if filled.name == "timescale":
            c.execute("SELECT compress_chunk(c, if_not_compressed => true) FROM show_chunks('fs.obs') c")
        facts = status.facts(c, "here")
    steps = [s.name for s in migrations.steps()]
    assert (facts["applied"], facts["pending"], facts["roles"]) == (steps, [], list(roles.ROLES))
    assert (facts["releases"], facts["series"], facts["values"], facts["published"]) == (1, 1, 2, 0)
    assert facts["bytes_database"] > facts["bytes_values"] > 0
    lines = dict(line.split("  ", 1) for line in status.text(facts).splitlines())
    assert lines["roles"].strip() == ", ".join(roles.ROLES)
    if filled.name == "timescale":
        assert facts["server"].startswith("PostgreSQL 17")
        assert facts["timescaledb_version"].startswith("2.")
        assert facts["hypertables"] == [{"name": "fs.obs", "chunks": 1, "by_column": 1}]
        assert lines["hypertables"].strip() == "fs.obs (1 chunks, 1 stored by column)"
    if filled.name == "postgres":
        assert facts["hypertables"] == []
        assert lines["hypertables"].strip() == "none"
