"""The service over a shop: the two real vintages, and a champion."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import featurestore.connect
from engine.settings import Settings
from featurestore.store import Store
from serving import commands
from serving.app import create_app
from serving.champions import Champion
from tests.serving.shop import JUNE, FakeChampions, Office, Run, Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture(scope="session")
def shared() -> Shop:
    """For tests that only read."""
    return Shop()


@pytest.fixture(scope="session")
def ask(shared: Shop) -> Callable[..., TestClient]:
    """A client of the service: ask(), ask(keys=("a",)), ask(champion=None), ask(store=...)."""
    champion = shared.champion(JUNE)

    def client(
        keys: tuple[str, ...] = (), champion: Champion | None = champion, store: Store = shared.store
    ) -> TestClient:
        settings = Settings(Path("/nowhere"), None, keys, "")
        return TestClient(create_app(store, FakeChampions(champion), settings), raise_server_exceptions=False)

    return client


@pytest.fixture(scope="session")
def http(ask: Callable[..., TestClient]) -> TestClient:
    return ask()


@pytest.fixture
def run(shared: Shop, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Commands over the shop and its champion."""

    @contextmanager
    def connect() -> Iterator[Store]:
        yield shared.store

    monkeypatch.setattr(featurestore.connect, "connect", connect)
    monkeypatch.setattr(commands, "_champions", lambda: FakeChampions(shared.champion(JUNE)))
    return Run()


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory, shared: Shop) -> Office:
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return Office(tmp_path_factory.mktemp("office"), shared)
