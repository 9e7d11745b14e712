"""One suite for both stores, and an oracle that knows nothing of either."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.calendar import Freq, Period, end_of
from engine.errors import BadInput, Unknown
from engine.indicator import Series
from featurestore import timescale
from featurestore.memory import MemoryStore
from featurestore.sources import Load, nyfed
from featurestore.store import (
    HISTORY,
    KNOWN,
    RELEASES,
    VALUES,
    Release,
    Store,
    first_release,
    latest_release,
    nth_release,
)

JAN = Period.parse("2019-01").ordinal
A, B = (end_of(d) for d in nyfed.VINTAGES)
Say = Callable[..., Load]


def put(store: Store, *loads: Load) -> list[Any]:
    return [store.append(x.release, x.values, x.series) for x in loads]


def day(n: int) -> datetime:
    return datetime(2020, 1, n, tzinfo=UTC)


def values(frame: pl.DataFrame) -> dict[int, float]:
    return dict(frame.select("period", "value").iter_rows())


def test_only_changes_are_stored(store: Store, make: Any, say: Say) -> None:
    x = make("x")
    first, second = put(store, say(1, x, {JAN: 1.0, JAN + 1: 2.0}), say(5, x, {JAN: 1.0, JAN + 1: 2.5, JAN + 2: 3.0}))
    assert (first.new, first.revised, first.same, first.repeated) == (2, 0, 0, False)
    assert (second.new, second.revised, second.same, second.repeated) == (1, 1, 1, False)
    history = store.history(["x@US"])
    assert history.schema == HISTORY
    assert history.select("period", "nth", "value").rows() == [
        (JAN, 1, 1.0), (JAN + 1, 1, 2.0), (JAN + 1, 2, 2.5), (JAN + 2, 1, 3.0)
    ]  # fmt: skip
    assert values(first_release(history)) == {JAN: 1.0, JAN + 1: 2.0, JAN + 2: 3.0}
    assert values(latest_release(history)) == {JAN: 1.0, JAN + 1: 2.5, JAN + 2: 3.0}
    assert values(nth_release(history, 2)) == {JAN + 1: 2.5}
    assert store.releases().schema == RELEASES
    assert store.releases().select("new", "revised", "rows").rows() == [(2, 0, 2), (1, 1, 3)]


def test_known_on_a_day_begins_with_the_instant_of_release(store: Store, make: Any, say: Say) -> None:
    x = make("x")
    put(store, say(2, x, {JAN: 1.0}), say(5, x, {JAN: 7.0}))
    second = timedelta(microseconds=1)
    assert store.known(["x@US"], day(2) - second).is_empty()
    assert store.known(["x@US"], day(2)).schema == KNOWN
    assert values(store.known(["x@US"], day(2))) == {JAN: 1.0}
    assert values(store.known(["x@US"], day(5) - second)) == {JAN: 1.0}
    assert values(store.known(["x@US"], day(5))) == {JAN: 7.0}


def test_the_same_release_twice_changes_nothing(store: Store, make: Any, say: Say) -> None:
    x = make("x")
    load = say(1, x, {JAN: 1.0})
    (first,), history = put(store, load), store.history(["x@US"])
    (again,) = put(store, load)
    assert (again.repeated, again.new, again.revised, again.release) == (True, 0, 0, first.release)
    assert store.history(["x@US"]).equals(history)
    assert store.releases().height == 1


def test_a_value_taken_back_is_absent_until_it_returns(store: Store, make: Any, say: Say) -> None:
    x = make("x")
    put(store, say(1, x, {JAN: 1.0, JAN + 1: 2.0}), say(3, x, {JAN: None}), say(5, x, {JAN: 1.0}))
    assert values(store.known(["x@US"], day(2))) == {JAN: 1.0, JAN + 1: 2.0}
    assert values(store.known(["x@US"], day(4))) == {JAN + 1: 2.0}
    assert values(store.known(["x@US"], day(6))) == {JAN: 1.0, JAN + 1: 2.0}
    assert store.history(["x@US"]).filter(period=JAN)["value"].to_list() == [1.0, None, 1.0]


def test_a_correction_on_the_same_day_wins_and_both_are_on_record(store: Store, make: Any, say: Say) -> None:
    x = make("x")
    put(store, say(3, x, {JAN: 1.0}), say(3, x, {JAN: 1.5}))
    assert values(store.known(["x@US"], day(3))) == {JAN: 1.5}
    assert store.history(["x@US"])["value"].to_list() == [1.0, 1.5]


def test_a_late_older_vintage_takes_its_place(store: Store, make: Any, say: Say) -> None:
    """1, 2, 1: the third release repeated what the store then knew, and means something once the second is there."""
    x = make("x")
    put(store, say(1, x, {JAN: 1.0}), say(9, x, {JAN: 1.0}), say(5, x, {JAN: 2.0}))
    assert store.history(["x@US"]).select("known_at", "value").rows() == [(day(1), 1.0), (day(5), 2.0), (day(9), 1.0)]
    put(store, say(7, x, {JAN: 1.0}))
    assert store.history(["x@US"]).select("known_at", "value").rows() == [(day(1), 1.0), (day(5), 2.0), (day(7), 1.0)]
    assert store.known(["x@US"], day(9))["known_at"].to_list() == [day(7)]


def test_what_had_reached_us(store: Store, make: Any, say: Say) -> None:
    x = make("x")
    put(store, say(5, x, {JAN: 2.0}))
    then = store.releases()["recorded_at"][0]
    put(store, say(1, x, {JAN: 2.0}), say(3, x, {JAN: 9.0}))
    assert store.known(["x@US"], day(9))["known_at"].to_list() == [day(5)]
    assert values(store.known(["x@US"], day(3), recorded=then)) == {}
    assert values(store.known(["x@US"], day(9), recorded=then)) == {JAN: 2.0}
    stamps = store.releases()["recorded_at"].to_list()
    assert all(a < b for a, b in pairwise(stamps))


def test_meaning_is_stored_with_the_data(store: Store, make: Any, say: Say) -> None:
    x = make("x", freq="Q", step="pca")
    put(store, say(1, x, {4 * 2019: 1.0}))
    assert store.series() == {"x@US": x}
    other = make("x", freq="Q", step="pca", unit="billions")
    put(store, say(1, other, {4 * 2019: 1.0}))
    assert store.series() == {"x@US": other}
    with pytest.raises(BadInput, match="stored with frequency Q, not M"):
        put(store, say(2, make("x"), {JAN: 1.0}))
    assert store.series() == {"x@US": other}


@pytest.mark.parametrize("freq", list(Freq))
def test_periods_of_every_frequency_come_back(store: Store, make: Any, say: Say, freq: Freq) -> None:
    x = make("x", freq=freq)
    days = ("1899-12-31", "1970-01-01", "2000-02-29", "2019-12-31")
    periods = {Period.of(datetime.fromisoformat(d), freq).ordinal: float(i) for i, d in enumerate(days)}
    put(store, say(9, x, dict(periods)))
    assert values(store.known(["x@US"], day(9))) == periods


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (("x@US", JAN, float("nan"), "A"), "not a finite number"),
        (("x@US", JAN, float("inf"), "A"), "not a finite number"),
        (("x@US", JAN, None, "A"), "statuses"),
        (("x@US", JAN, 1.0, "M"), "statuses"),
        (("x@US", JAN, 1.0, "ok"), "one capital letter"),
        (("x@US", 12 * 1500, 1.0, "A"), "before 1600"),
        (("x@US", 12 * 2020 + 1, 1.0, "A"), "x@US 2020-02: a period that had not begun"),
        (("y@US", JAN, 1.0, "A"), "no meaning is given for y@US"),
        (("x@US", JAN - 1, 1.0, "A"), "two rows for one period"),
    ],
)
def test_what_a_store_refuses(store: Store, make: Any, say: Say, row: tuple[Any, ...], problem: str) -> None:
    x = make("x")
    put(store, say(1, x, {JAN: 5.0}))
    before = store.history(["x@US"])
    rows = pl.DataFrame([("x@US", JAN - 1, 0.0, "A"), row], schema=VALUES, orient="row")
    with pytest.raises(BadInput, match=problem):
        store.append(Release("test", "bad", day(2), "day", b"bad"), rows, (x,))
    assert store.history(["x@US"]).equals(before)
    assert store.releases().height == 1


def test_a_forecast_may_lie_ahead(store: Store, make: Any) -> None:
    rows = pl.DataFrame([("x@US", 12 * 2021, 1.0, "F")], schema=VALUES, orient="row")
    assert store.append(Release("test", "f", day(2), "day", b"f"), rows, (make("x"),)).new == 1


def test_unknown_series(store: Store) -> None:
    with pytest.raises(Unknown, match="no@US"):
        store.known(["no@US"], day(1))
    with pytest.raises(Unknown, match="no@US"):
        store.history(["no@US"])


def test_the_new_york_vintages_in_either_order(server: Any) -> None:
    loads = list(nyfed.loads())
    ids = [s.id for s in loads[0].series]
    seen = []
    fresh: tuple[Callable[[], Store], ...] = (MemoryStore, server.empty)
    for new in fresh:
        for order in (loads, loads[::-1]):
            store = new()
            put(store, *order)
            # which of the two was recorded first is the one thing that may differ
            numbers = dict(store.releases().select("release", "known_at").iter_rows())
            assert set(numbers.values()) == {A, B}
            seen.append([f.drop("release", "recorded_at", strict=False)
                         for f in (store.known(ids, A), store.known(ids, B), store.history(ids))])  # fmt: skip
    for other in seen[1:]:
        assert all(a.equals(b) for a, b in zip(seen[0], other, strict=True))
    assert [f.height for f in seen[0]] == [8653, 8676, 8761]


def test_writers_at_the_same_time(store: Store, make: Any, say: Say) -> None:
    """Eight releases of one value from eight threads, in whatever order they come."""
    loads = [say(d, make("x"), {JAN: float(d % 2)}, code=f"r{d}") for d in range(1, 9)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda x: put(store, x), loads))
    assert store.history(["x@US"])["value"].to_list() == [1.0, 0.0] * 4


def test_many_at_once_are_one_arrival(store: Store, make: Any, say: Say) -> None:
    """In the order in which they became known, whatever the order of the list; receipts in the order of the list."""
    x, y = make("x"), make("y", freq="Q")
    loads = [
        say(5, x, {JAN: 1.0, JAN + 1: 3.0}),
        say(1, x, {JAN: 1.0, JAN + 1: 2.0}),
        say(3, y, {4 * 2019: 7.0}),
        say(5, x, {JAN: 1.0, JAN + 1: 3.0}),
    ]
    receipts = store.append_all(loads)
    assert [(r.release, r.new, r.revised, r.same, r.repeated) for r in receipts] == [
        (3, 0, 1, 1, False), (1, 2, 0, 0, False), (2, 1, 0, 0, False), (3, 0, 0, 2, True)
    ]  # fmt: skip
    assert store.releases()["recorded_at"].n_unique() == 1
    assert store.history(["x@US"]).select("period", "nth", "value").rows() == [
        (JAN, 1, 1.0), (JAN + 1, 1, 2.0), (JAN + 1, 2, 3.0)
    ]  # fmt: skip
    assert all(r.repeated for r in store.append_all(loads))
    assert store.append_all([]) == ()


def test_all_or_none(store: Store, make: Any, say: Say) -> None:
    x = make("x")
    good, bad, other = say(1, x, {JAN: 1.0}), say(2, x, {12 * 2021: 1.0}), say(3, make("x", freq="Q"), {4 * 2019: 1.0})
    with pytest.raises(BadInput, match=r"test r: x@US 2021-01: a period that had not begun when it was known \(1 such"):
        store.append_all([good, bad])
    with pytest.raises(BadInput, match="stored with frequency M, not Q"):
        store.append_all([good, other])
    assert store.releases().is_empty()
    assert store.series() == {}


# An oracle. Everything that was ever said, as plain tuples (known_at, arrival, value); the last word counts.

Said = dict[tuple[str, int], list[tuple[datetime, int, float | None]]]


def last_word(said: Said, asof: datetime, arrived: int) -> dict[tuple[str, int], tuple[datetime, float]]:
    found = {}
    for cell, words in said.items():
        heard = sorted((*w[:2], i) for i, w in enumerate(words) if w[0] <= asof and w[1] <= arrived)
        if not heard:
            continue
        value = words[heard[-1][2]][2]
        since = heard[-1]
        for word in reversed(heard):  # known since the first of the words that agree with the last one
            if words[word[2]][2] != value:
                break
            since = word
        if value is not None:
            found[cell] = (since[0], value)
    return found


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[int, str, dict[int, float | None]]]:
    value = st.none() | st.sampled_from([1.0, 2.0])
    said = st.dictionaries(st.integers(0, 2), value, min_size=1, max_size=3)
    release = st.tuples(st.integers(1, 5), st.sampled_from(["m", "q"]), said)
    return draw(st.lists(release, min_size=1, max_size=7))


def check_story(store: Store, story: list[tuple[int, str, dict[int, float | None]]], make: Any, say: Say) -> None:
    series: dict[str, Series] = {"m": make("m"), "q": make("q", freq="Q")}
    said: Said = {}
    stamps = []
    for arrival, (on, name, values_said) in enumerate(story):
        base = Period.parse("2019-01").to(series[name].freq).ordinal
        put(store, say(on, series[name], {base + p: v for p, v in values_said.items()}, code=f"r{arrival}"))
        stamps.append(store.releases()["recorded_at"][-1])
        for p, v in values_said.items():
            said.setdefault((f"{name}@US", base + p), []).append((day(on), arrival, v))
    ids = sorted({cell[0] for cell in said})
    questions = [(day(d), len(story), None) for d in range(1, 6)]
    questions += [(day(on), arrived, stamps[arrived]) for on in (2, 5) for arrived in range(len(story))]
    for asof, arrived, pin in questions:
        known = store.known(ids, asof, pin).select("series", "period", "known_at", "value")
        assert {(s, p): (k, v) for s, p, k, v in known.iter_rows()} == last_word(said, asof, arrived)
    history = store.history(ids)
    for cell, words in said.items():
        told = [v for _, _, v in sorted(words, key=lambda w: w[:2])]
        versions = [v for i, v in enumerate(told) if i == 0 or v != told[i - 1]]
        mine = history.filter(series=cell[0], period=cell[1])
        assert mine["value"].to_list() == versions
        assert mine["nth"].to_list() == list(range(1, len(versions) + 1))


def check_batches(
    store: Store, story: list[tuple[int, str, dict[int, float | None]]], cut: list[int], make: Any, say: Say
) -> None:
    """The same story in batches: as if its releases had come one by one, sorted by day within a batch."""
    series = {"m": make("m"), "q": make("q", freq="Q")}
    loads = []
    for i, (on, name, told) in enumerate(story):
        base = Period.parse("2019-01").to(series[name].freq).ordinal
        loads.append(say(on, series[name], {base + p: v for p, v in told.items()}, code=f"r{i}"))
    plain = MemoryStore()
    for lo, hi in pairwise(sorted({0, *(c for c in cut if c < len(loads)), len(loads)})):
        one_by_one = [plain.append(x.release, x.values, x.series)
                      for x in sorted(loads[lo:hi], key=lambda x: x.release.known_at)]  # fmt: skip
        got = store.append_all(loads[lo:hi])
        assert sorted(got, key=lambda r: r.release) == one_by_one
        then, plain_then = (s.releases()["recorded_at"][-1] for s in (store, plain))
        ids = sorted(plain.series())
        for n in range(1, 6):
            assert store.known(ids, day(n)).equals(plain.known(ids, day(n)))
            assert store.known(ids, day(n), then).equals(plain.known(ids, day(n), plain_then))
        assert store.history(ids).drop("recorded_at").equals(plain.history(ids).drop("recorded_at"))
        assert store.releases().drop("recorded_at").equals(plain.releases().drop("recorded_at"))


cuts = st.lists(st.integers(1, 6), max_size=2)


@given(stories(), cuts)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_memory_takes_batches(make: Any, say: Say, story: list[Any], cut: list[int]) -> None:
    check_batches(MemoryStore(), story, cut, make, say)


@given(stories(), cuts)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_servers_take_batches(server: Any, make: Any, say: Say, story: list[Any], cut: list[int]) -> None:
    check_batches(server.empty(), story, cut, make, say)


@given(stories())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_memory_equals_the_oracle(make: Any, say: Say, story: list[Any]) -> None:
    check_story(MemoryStore(), story, make, say)


@given(stories())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_servers_equal_the_oracle(server: Any, make: Any, say: Say, story: list[Any]) -> None:
    check_story(server.empty(), story, make, say)


def test_values_lie_in_chunks_where_the_server_can(server: Any) -> None:
    """One code path: a hypertable with the column store on TimescaleDB, a plain table elsewhere."""
    with server.pool.connection() as c:
        kind = timescale.probe(c)
        if server.name != "yours":
            assert kind == {"postgres": "absent", "timescale": "community"}[server.name]
        if kind == "absent":
            parts = c.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = 'fs.obs'::regclass").fetchone()
            assert parts == (0,)
        else:
            tables = c.execute(
                "SELECT hypertable_schema, hypertable_name, compression_enabled FROM timescaledb_information.hypertables"
            ).fetchall()
            assert tables == [("fs", "obs", kind == "community")]


def test_values_stored_by_column_are_read_and_revised(timescale: Any, make: Any, say: Say) -> None:
    store, plain, x = timescale.empty(), MemoryStore(), make("x")
    months = range(Period.parse("1990-01").ordinal, JAN)
    for loads in ([say(1, x, {m: m / 7 for m in months})], [say(9, x, {m: m / 7 + m % 3 for m in months})]):
        put(store, *loads)
        put(plain, *loads)
        with timescale.pool.connection() as c:
            c.execute("SELECT compress_chunk(c, if_not_compressed => true) FROM show_chunks('fs.obs') c")
            stored = c.execute(
                "SELECT count(*) FILTER (WHERE is_compressed), count(*) FROM timescaledb_information.chunks"
            )
            assert stored.fetchone() == (3, 3)
    late = say(5, x, {m: 1.0 for m in months if m % 5 == 0})  # an older vintage that comes last reopens what was packed
    put(store, late)
    put(plain, late)
    assert store.history(["x@US"]).drop("recorded_at").equals(plain.history(["x@US"]).drop("recorded_at"))
    for n in (3, 7, 10):
        assert store.known(["x@US"], day(n)).equals(plain.known(["x@US"], day(n)))
