"""What is said of a place that is made up is marked wherever it is shown: views, tables, JSON."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.calendar import Period
from engine.estimate import Estimate
from engine.indicator import SYNTHETIC, Region, is_synthetic
from featurestore import display
from featurestore.sources.province.meaning import CITIES, PROVINCE, lines
from featurestore.store import ScoreRun
from tests.featurestore.test_commands import jingqi, told

AT = datetime(2020, 1, 15, tzinfo=UTC)
SYN = "gdp_ytd@SYN-33"


@pytest.fixture
def both(server: Any, make: Any, say: Any) -> Any:
    """A series of the made-up province and a real one, each with a score."""
    store = server.empty()
    made_up = next(line for line in lines() if line.indicator.id == "gdp_ytd").series(PROVINCE)
    load = say(AT, made_up, {4 * 2019 + 2: 5.0})
    load = replace(load, release=replace(load.release, uri="synthetic:province/version-1/seed-33/accounts/2020-01-15"))
    real = say(AT, make("x", freq="Q"), {4 * 2019 + 2: 7.0}, code="real")
    for one in (load, real):
        store.append(one.release, one.values, one.series)
    for target in (SYN, "x@US"):
        estimate = Estimate.normal(target, AT, [Period.parse("2019-Q4")], [1.0], [0.5])  # type: ignore[arg-type]
        store.publish(ScoreRun("run", target, "nowcast.ar", "1", AT, AT, "real", "abc"), estimate.to_frame())
    return server


def test_every_view_tells_the_made_up_from_the_real(both: Any) -> None:
    with both.pool.connection() as c:
        for view, name in (("observations", "metric"), ("scores", "target"), ("releases", "uri")):
            rows = c.execute(f"SELECT {name}, is_synthetic FROM api_v1.{view}".encode()).fetchall()
            assert rows
            assert {made_up for _, made_up in rows} == {True, False}
            assert all(made_up == ("SYN" in what or what.startswith("synthetic:")) for what, made_up in rows)
        views = "SELECT table_name FROM information_schema.views WHERE table_schema = 'api_v1'"
        marked = "SELECT table_name FROM information_schema.columns WHERE table_schema = 'api_v1' AND column_name = 'is_synthetic'"
        assert set(c.execute(views)) == set(c.execute(marked))


def test_regions_and_ids() -> None:
    assert PROVINCE.is_synthetic
    assert all(c.is_synthetic and c.code.startswith(SYNTHETIC) for c in CITIES)
    assert not Region("CN-33", "Zhejiang", "浙江省").is_synthetic
    assert [is_synthetic(i) for i in (SYN, "gdp_ytd@CN-33", "syn-x@CN-33", "SYN-x")] == [True, False, False, False]


def test_the_terminal(server: Any, both: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if server.name != "postgres":
        pytest.skip("the commands ask one server")
    for words in (
        ("show", SYN),
        ("panel", SYN),
        ("revisions", SYN, "--period", "2019-Q3"),
        ("show", SYN, "--trace", "2019-Q3"),
    ):
        assert display.MARK in jingqi("data", *words).stdout, words
    for words in (("show", "x@US"), ("panel", "x@US")):
        assert display.MARK not in jingqi("data", *words).stdout, words
    assert told("data", "show", SYN)["is_synthetic"] is True
    assert told("data", "panel", SYN, "x@US")["is_synthetic"] == {SYN: True, "x@US": False}
