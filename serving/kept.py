"""Answers already made, as bytes, for as long as what they were made from has not changed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import NamedTuple

import polars as pl

from engine.errors import JingqiError
from featurestore.store import Store
from serving.champions import Champions
from serving.wire import etag

MOST_BYTES = 64 * 2**20


class Body(NamedTuple):
    """Bytes and their entity tag."""

    content: bytes
    tag: str


class Kept:
    """The bodies asked for last, up to ``MOST_BYTES``. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bodies: OrderedDict[Hashable, Body] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable | None, make: Callable[[], bytes]) -> Body:
        """The body of that key, made if need be; None keeps nothing. What ``make`` raises is not kept."""
        with self._lock:
            if key in self._bodies:
                self._bodies.move_to_end(key)
                return self._bodies[key]
        content = make()
        body = Body(content, etag(content))
        if key is not None:
            with self._lock:
                if key not in self._bodies:
                    self._bodies[key] = body
                    self._bytes += len(content)
                while self._bytes > MOST_BYTES:
                    self._bytes -= len(self._bodies.popitem(last=False)[1].content)
        return body


def data_state(store: Store) -> Hashable:
    """Changes whenever a release reaches the store. (What a series means changes with the code, and that restarts us.)"""
    return store.releases().height


def model_state(store: Store, champions: Champions, target: str, kind: str = "nowcast") -> Hashable | None:
    """Changes also with the champion and with what was published; None where there is no champion to answer."""
    try:
        champion = champions.champion(target, kind)
    except JingqiError:
        return None  # asking it again will say what is wrong
    said = store.scores(target) if kind == "nowcast" else store.readings(target)
    published = said.select(pl.col("published_at").max()).item()
    return data_state(store), champion.name, champion.version, published
