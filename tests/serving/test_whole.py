"""The real thing: embedded PostgreSQL, an MLflow registry, the command as a process and the service beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from engine import cli
from engine.settings import Settings
from featurestore import embedded
from featurestore.connect import connect
from featurestore.store import Store
from serving.app import create_app
from serving.champions import Registry
from serving.publish import publish
from tests.serving.shop import GDP, JULY, JUNE, Office, Shop

JINGQI = Path(sys.executable).with_name("jingqi")


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, office: Office) -> Iterator[Path]:
    """A folder that every user may enter, since PostgreSQL does not run as root."""
    folder = Path(tempfile.mkdtemp(prefix="jq-"))
    folder.chmod(0o755)
    monkeypatch.setenv("JINGQI_HOME", str(folder))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", office.uri)
    for name in ("JINGQI_DATABASE_URL", "JINGQI_API_KEYS"):
        monkeypatch.delenv(name, raising=False)
    yield folder
    embedded.leave(folder)
    shutil.rmtree(folder, ignore_errors=True)


def process(*words: str) -> bytes:
    return subprocess.run([JINGQI, *words], check=True, capture_output=True, env=dict(os.environ)).stdout


def command(*words: str) -> bytes:
    """The same without the seconds in which a new process loads MLflow."""
    done = CliRunner().invoke(cli.root, words, catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout_bytes


def service(store: Store, office: Office) -> TestClient:
    app = create_app(store, Registry(office.uri), Settings(Path("/nowhere"), None, (), ""))
    return TestClient(app, raise_server_exceptions=False)


def test_command_and_service_give_the_same_bytes_before_and_after_publishing(home: Path, office: Office) -> None:
    office.promote(office.version())
    with connect() as store:
        shop = Shop(store)
        http = service(store, office)
        day = "2016-07-29"
        news = f"/v1/nowcasts/{GDP}/news?from=2016-06-29&to={day}&period=2016-Q3"

        def both() -> tuple[bytes, bytes]:
            return http.get(f"/v1/nowcasts/{GDP}?asof={day}").content, http.get(news).content

        asked = both()
        assert process("nowcast", GDP, "--asof", day, "--json") == asked[0]
        done = publish(shop.store, Registry(office.uri))
        assert [d.asof for d in done] == [JUNE, JULY]
        assert both() == asked
        assert command("nowcast", GDP, "--asof", day, "--json") == asked[0]
        said = orjson.loads(command("nowcast", GDP, "--asof", day, "--news-since", "2016-06-29", "--json"))
        assert said["nowcast"] == orjson.loads(asked[0])
        assert said["news"][1] == orjson.loads(asked[1])
        assert b"nothing to publish" in command("publish")
        assert http.get("/readyz").status_code == 200


def test_a_database_that_goes_away_is_a_503_that_names_no_host(
    home: Path, office: Office, ask: Callable[..., TestClient]
) -> None:
    with connect() as store:
        http = ask(store=store)
        assert http.get("/readyz").status_code == 200
        store._pool.timeout = 1.0
        embedded.leave(home)
        for url in ("/readyz", "/v1/indicators", f"/v1/nowcasts/{GDP}"):
            reply = http.get(url)
            assert (reply.status_code, reply.json()["type"]) == (503, "urn:jingqi:problem:not-ready"), reply.text
            assert str(home) not in reply.text
