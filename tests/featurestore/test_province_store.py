"""The synthetic province in a store: whatever the order and in whatever pieces it comes, the store answers the same."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from engine.calendar import end_of
from engine.indicator import Series
from featurestore.memory import MemoryStore
from featurestore.sources import Load
from featurestore.sources.province import economy
from featurestore.store import Store

DAYS = [end_of(date(y, m, 21)) for y, m in ((2009, 3), (2010, 1), (2014, 11), (2015, 1), (2019, 12), (2026, 2))]


@pytest.fixture(scope="module")
def accounts() -> list[Load]:
    """All releases of the national accounts: first estimates, verifications and censuses."""
    return [load for load in economy().releases() if load.release.code.startswith("accounts")]


def pieces(loads: Sequence[Load], rng: np.random.Generator) -> list[Load]:
    """Each release cut into one to three parts, all in random order."""
    found = []
    for load in loads:
        part = rng.integers(0, rng.integers(1, 4), load.values.height)
        for i in np.unique(part):
            values = load.values.filter(pl.Series(part == i))
            content = hashlib.sha256(load.release.content + bytes([int(i)])).digest()
            there = set(values["series"])
            series: tuple[Series, ...] = tuple(s for s in load.series if s.id in there)
            found.append(Load(replace(load.release, content=content), values, series))
    return [found[i] for i in rng.permutation(len(found))]


def put(store: Store, loads: Sequence[Load]) -> None:
    for load in loads:
        store.append(load.release, load.values, load.series)


def answers(store: Store) -> list[pl.DataFrame]:
    """All that a store says, without the numbers and stamps that two equal stores need not share."""
    ids = sorted(store.series())
    history = store.history(ids).drop("release", "recorded_at")
    return [history, *(store.known(ids, day).drop("release").sort("series", "period") for day in DAYS)]


def test_any_order_and_any_pieces(accounts: list[Load], store: Store) -> None:
    whole = MemoryStore()
    put(whole, accounts)
    shuffled = pieces(accounts, np.random.default_rng(1))
    assert len(shuffled) > 1.5 * len(accounts)
    put(store, shuffled)
    put(store, shuffled[:20])  # and some of it twice
    assert store.series() == whole.series()
    for mine, theirs in zip(answers(store), answers(whole), strict=True):
        assert theirs.height
        assert mine.equals(theirs)


def test_a_census_is_not_known_before_its_day(accounts: list[Load]) -> None:
    store = MemoryStore()
    put(store, accounts)
    before, after = (store.known(["gdp_ytd@SYN-33"], end_of(date(2014, 12, day))) for day in (18, 19))
    assert before["period"].equals(after["period"])
    assert before.height == 27
    rise = (after["value"] / before["value"] - 1).to_list()
    assert rise[:4] == [0] * 4
    assert min(rise[-7:]) > 0.009


def test_the_whole_province_in_one_transaction(server: Any) -> None:
    """Every row of the memory store and of the server, in pieces of three months in random order, the same."""
    loads = list(economy().releases())
    memory, store = MemoryStore(), server.empty()
    memory.append_all(loads)
    rng = np.random.default_rng(5)
    quarter = np.array([4 * x.release.known_at.year + x.release.known_at.month // 3 for x in loads])
    half = rng.permutation(np.unique(quarter)) % 2  # first every other quarter, then what lies between
    for part in (0, 1):
        chosen = [x for x, q in zip(loads, quarter, strict=True) if half[q - quarter.min()] == part]
        assert all(not r.repeated for r in store.append_all([chosen[i] for i in rng.permutation(len(chosen))]))
    for mine, theirs in zip(answers(store), answers(memory), strict=True):
        assert theirs.height
        assert mine.equals(theirs)
