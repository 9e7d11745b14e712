"""The service over a shop: the two real vintages, and a champion."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from engine.settings import Settings
from featurestore.store import Store
from serving.app import create_app
from serving.champions import Champion
from tests.serving.shop import JUNE, FakeChampions, Shop


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
