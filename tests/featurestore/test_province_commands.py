"""The province from the command line, with its faults: held, accepted, checked, scored."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from engine.errors import BadInput, Unknown
from featurestore.ingest import read, survey
from featurestore.sources.province import economy
from tests.featurestore.test_commands import jingqi, told


def test_faults_are_held_accepted_found_and_scored(empty: Callable[[], Any]) -> None:
    store = empty()
    nothing = jingqi("data", "check", "--score")
    assert nothing.returncode == 1
    assert "jingqi data ingest province --faults" in nothing.stderr
    held = jingqi("data", "ingest", "province", "--seed", "7", "--faults")
    assert held.returncode == 1
    assert not store.series()
    key = economy(7, faults=True).key
    waiting = key.filter(pl.col("fault").is_in(["unit_jump", "level_shift"])).select("series", "period").rows()
    accept = re.findall(r"--accept (\S+)", held.stderr)
    assert {tuple(name.split(":")[1:]) for name in accept} == set(waiting)
    assert "jingqi data ingest province --seed 7 --faults --accept" in held.stderr
    words = [word for name in accept for word in ("--accept", name)]
    done = jingqi("data", "ingest", "province", "--seed", "7", "--faults", *words, "--because", "an exercise")
    assert done.returncode == 0, done.stderr
    assert re.search(r"synthetic-province activity +198 ", done.stdout)
    assert re.search(r"synthetic-province answers", done.stdout)
    assert store.releases()["uri"].str.contains("seed-7").all()
    said = told("data", "check", "--score")
    assert said["asof"] == "2026-01-31"
    assert [(r["severity"], r["recall"], r["precision"], r["planted"]) for r in said["score"]] == [
        ("error", 1.0, 1.0, 6),
        ("warning", 1.0, 1.0, 1),
    ]
    assert (said["missed"], said["wrong"]) == ([], [])
    printed = jingqi("data", "check", "--score").stdout
    assert "100%" in printed
    assert "合成数据" in printed
    rows = told("data", "check", "--asof", "2026-01-31")["rows"]
    assert {r["rule"] for r in rows if r["severity"] == "error"} >= {"unit", "shift", "falls", "missing"}
    assert all(r["is_synthetic"] for r in rows)
    assert len(told("data", "check", "--overrides")["rows"]) == 2
    table = jingqi("data", "check", "--departments", "--asof", "2026-01-31").stdout
    assert "合成省统计局" in table
    assert jingqi("data", "check", "--departments", "--score").returncode == 2
    early = told("data", "check", "--score", "--asof", "2010-12-31")["score"]  # before the first fault
    assert [(r["planted"], r["recall"]) for r in early] == [(0, None)] * 2


def test_what_is_real_has_no_faults_and_a_survey_no_mapping() -> None:
    assert len(read("province", seed=7)) == len(read("province"))
    assert read("province", seed=7)[5].release.uri != read("province")[5].release.uri
    with pytest.raises(BadInput, match="the source nyfed is real"):
        read("nyfed", seed=1)
    with pytest.raises(Unknown, match="answers"):
        read("survey")
    with pytest.raises(BadInput, match="no mapping"):
        survey("answers")
    assert survey("csv") is None
