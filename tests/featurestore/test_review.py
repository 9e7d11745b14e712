"""Review of a load: what stops it, what is a note, what an override leaves behind; the same on both stores."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.calendar import Period, end_of
from engine.errors import BadInput, Held
from engine.indicator import Series
from featurestore import review
from featurestore.ingest import Acceptance, ingest
from featurestore.memory import MemoryStore
from featurestore.sources import Load
from featurestore.sources.province import economy
from featurestore.store import VALUES, Release, Store
from tests.featurestore.test_commands import jingqi, told

START = Period.parse("2015-01")
LENDING = [1000 * 1.01**i + (i * 37 % 11) for i in range(40)]
"""A stock that grows by one per cent a month, give or take."""


@pytest.fixture
def stock(make: Callable[..., Series]) -> Series:
    return make("lending", kind="level_eop")


def load(series: Series, values: Mapping[int, float], month: int, status: Mapping[int, str] | None = None) -> Load:
    """What an office says ten days after the end of that month; months count from START."""
    rows = [(series.id, START.ordinal + i, v, (status or {}).get(i, "A")) for i, v in values.items()]
    frame = pl.DataFrame(rows, schema=VALUES, orient="row")
    at = end_of((START + month).end + timedelta(days=10))
    return Load(Release("office", "lending", at, "day", repr(rows).encode()), frame, (series,))


def monthly(series: Series, values: list[float]) -> list[Load]:
    return [load(series, {i: v}, i) for i, v in enumerate(values)]


def put(store: Store, *loads: Load, accept: tuple[str, ...] = ()) -> list[str]:
    """The names of what was noted."""
    noted: list[str] = []
    accepted = Acceptance(accept, "the bank took over another", "li") if accept else Acceptance((), "", "")
    list(ingest(store, loads, accepted=accepted, note=lambda d: noted.append(d.name)))
    return noted


@pytest.mark.parametrize("seed", [33, 7, 2026])
def test_the_planted_jumps_stop_the_province_and_nothing_else_does(seed: int) -> None:
    clean = review.doubts(MemoryStore(), list(economy(seed).releases()))
    assert {d.rule for d in clean} == {"history"}  # the census of 2008 says all that is known anew
    assert all(d.explained for d in clean)
    faulty = economy(seed, faults=True)
    waiting = [d for d in review.doubts(MemoryStore(), list(faulty.releases())) if not d.explained]
    jumps = faulty.key.filter(pl.col("fault").is_in(["unit_jump", "level_shift"]))
    planted = {(series, period): (value, true) for series, period, value, true in
               jumps.select("series", "period", "value", "true").iter_rows()}  # fmt: skip
    assert {(d.series, d.period) for d in waiting} == planted.keys()
    for doubt in waiting:
        value, true = planted[doubt.series, doubt.period]
        assert doubt.value == value
        assert doubt.expected == pytest.approx(true, rel=0.35 if doubt.rule == "unit" else 0.02)


def test_a_shift_waits_until_somebody_accepts_it(store: Store, stock: Series) -> None:
    shifted = [v * (1.125 if i >= 30 else 1.0) for i, v in enumerate(LENDING)]
    with pytest.raises(Held) as caught:
        put(store, *monthly(stock, shifted))
    said = str(caught.value)
    name = "shift:lending@US:2017-07"
    for part in (
        "nothing was stored",
        name,
        f"{shifted[30]:,.10g}",
        "about 1,35",
        "% in one step",
        "ask for the reason",
    ):
        assert part in said
    assert said.endswith(f'jingqi data ingest SOURCE PATH --accept {name} --because "reason"')
    assert not store.series()
    assert not store.releases().height
    assert put(store, *monthly(stock, shifted), accept=(name,)) == []  # the months after it are no shift
    assert store.releases().height == 40
    (kept,) = store.overrides().to_dicts()
    assert (kept["finding"], kept["value"]) == (name, shifted[30])
    assert (kept["because"], kept["accepted_by"]) == ("the bank took over another", "li")
    assert kept["release"] == 31
    assert kept["known_at"] == end_of((START + 30).end + timedelta(days=10))
    put(store, *monthly(stock, shifted))  # the same again has nothing to review
    put(store, *monthly(stock, shifted), accept=(name,))
    assert store.overrides().height == 1
    with pytest.raises(BadInput, match=r"--accept shift:none@US:2017-07: there is no such finding .* none at all"):
        put(store, *monthly(stock, shifted), accept=("shift:none@US:2017-07",))


def test_a_unit_waits_and_its_correction_passes(store: Store, make: Callable[..., Series]) -> None:
    sums = make("iva", kind="level_ytd")
    values = {i: 100.0 * (i % 12 + 1) * 1.05 ** (i // 12) for i in range(30)}
    put(store, load(sums, values, 29))
    wrong = load(sums, {30: values[18] * 10300}, 30)
    with pytest.raises(Held, match=r"unit:iva@US:2017-07 .* 10\^4 times .*亿元 or 万元"):
        put(store, wrong)
    put(store, wrong, accept=("unit:iva@US",))  # all of that series
    assert put(store, load(sums, {30: values[18] * 1.05}, 31)) == []
    assert put(store, load(sums, {42: values[18] * 1.1}, 42)) == []  # nor is the right one a year later strange


def test_a_break_that_is_marked_is_a_note(store: Store, stock: Series) -> None:
    put(store, *monthly(stock, LENDING[:30]))
    marked = load(stock, {30: LENDING[30] * 1.2}, 30, {30: "B"})
    assert put(store, marked) == ["shift:lending@US:2017-07"]
    assert store.overrides().height == 0


def test_a_history_said_anew_is_a_note_and_a_piece_of_it_is_not(store: Store, stock: Series) -> None:
    put(store, *monthly(stock, LENDING[:30]))
    higher = {i: v * 1.2 for i, v in enumerate(LENDING[:31])}
    with pytest.raises(Held, match="shift:lending@US:2016-09"):
        put(store, load(stock, {i: higher[i] for i in range(20, 31)}, 30))
    assert put(store, load(stock, higher, 30)) == ["history:lending@US:2017-06"]
    units = {i: v * 10000 for i, v in higher.items()}
    assert put(store, load(stock, units, 31)) == ["history:lending@US:2017-07"]


def test_a_shift_inside_the_first_load_is_a_note_and_a_unit_is_not(store: Store, stock: Series) -> None:
    shifted = {i: v * (1.2 if i >= 20 else 1.0) for i, v in enumerate(LENDING)}
    with pytest.raises(Held, match="unit:lending@US:2015-06"):
        put(store, load(stock, shifted | {5: shifted[5] * 1e3}, 39))
    assert put(store, load(stock, shifted, 39)) == ["shift:lending@US:2016-09"]


def test_what_comes_back_is_no_shift_and_growth_is_not_judged(store: Store, make: Callable[..., Series]) -> None:
    lending, growth = make("lending", kind="level_eop"), make("growth", kind="yoy_month")
    put(store, *monthly(lending, LENDING[:30]))
    assert put(store, load(lending, {30: LENDING[30], 31: LENDING[31] * 1.3, 32: LENDING[32]}, 32)) == []
    assert put(store, *(replace(x, series=(growth,)) for x in monthly(growth, [0.01, 50.0, -3.0, 900.0]))) == []


def test_an_older_vintage_is_held_against_what_was_known_on_its_day(store: Store, stock: Series) -> None:
    later = [v * (1.2 if i >= 30 else 1.0) for i, v in enumerate(LENDING)]
    put(store, *monthly(stock, later), accept=("shift:lending@US",))
    late = load(stock, {29: LENDING[29] * 1.001}, 29)
    late = replace(late, release=replace(late.release, content=b"late"))
    assert put(store, late) == []


MAPPING = """
source = "bank"
release = "lending"
layout = "wide"
known_at = {day}
period = {{ column = "Month" }}
series = {{ Loans = "loans_balance@CN-33" }}
"""


def test_the_command(empty: Callable[[], Any], tmp_path: Path) -> None:
    empty()

    def files(n: int, day: str, factor: float = 1.0) -> list[str | Path]:
        rows = [f"{START + i},{v:.2f}" for i, v in enumerate(LENDING[:n])]
        rows[-1] = f"{START + (n - 1)},{LENDING[n - 1] * factor:.2f}"
        (tmp_path / "loans 贷款.csv").write_text("\n".join(["Month,Loans", *rows, ""]))
        (tmp_path / "m.toml").write_text(MAPPING.format(day=day))
        return ["data", "ingest", "csv", tmp_path / "loans 贷款.csv", "--mapping", tmp_path / "m.toml"]

    told(*files(30, "2017-07-12"))
    stopped = jingqi(*files(31, "2017-08-12", 1.2))
    assert stopped.returncode == 1
    assert stopped.stdout == ""
    assert stopped.stderr.count("\n") == 1
    name = "shift:loans_balance@CN-33:2017-07"
    typed_again = stopped.stderr.partition("If it is right: ")[2]
    assert typed_again.startswith(f"jingqi data ingest csv '{tmp_path}/loans 贷款.csv' --mapping {tmp_path}/m.toml")
    assert f'--accept {name} --because "reason"' in typed_again
    assert told("data", "revisions", "loans_balance@CN-33", "--period", "2017-06")["releases"]
    assert jingqi("data", "revisions", "loans_balance@CN-33", "--period", "2017-07").returncode == 1
    half = jingqi(*files(31, "2017-08-12", 1.2), "--accept", name)
    assert half.returncode == 2
    assert "--because" in half.stderr
    done = jingqi(*files(31, "2017-08-12", 1.2), "--accept", name, "--because", "邮储并表", "--by", "王")
    assert (done.returncode, done.stderr) == (0, "")
    (kept,) = told("data", "check", "--overrides")["rows"]
    assert (kept["finding"], kept["because"], kept["accepted_by"], kept["release"]) == (name, "邮储并表", "王", 2)
    printed = jingqi("data", "check", "--overrides").stdout
    assert "邮储并表" in printed
    assert "bank lending" in printed
    other = jingqi("data", "ingest", "nyfed", "--faults")
    assert (other.returncode, "is real" in other.stderr) == (1, True)
    assert json.dumps(kept)
