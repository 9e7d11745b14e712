"""Features at the command line: shown, traced, in a panel beside what is published, listed; refused in one line."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from engine.cli import main

MAPPING = """
source = "test"
release = "retail"
layout = "wide"
known_at = 2019-05-20
period = { column = "Date" }
series = { R = "retail_total_ytd@CN-33", F = "fai_yoy_ytd@CN-33" }
"""
CSV = "Date,R,F\n2018-02,4000,5.0\n2018-03,6000,5.5\n2018-04,8100,5.7\n2019-02,4400,6.1\n2019-03,6520,6.3\n2019-04,8720,6.2\n"


def jingqi(*words: str | Path) -> tuple[int, str, str]:
    out, err, code = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(out), redirect_stderr(err), patch.object(sys, "argv", ["jingqi", *map(str, words)]):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return code, out.getvalue(), err.getvalue()


def told(*words: str | Path) -> Any:
    code, out, err = jingqi(*words, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


@pytest.fixture(scope="module")
def filled(empty: Callable[[], Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    empty()
    folder = tmp_path_factory.mktemp("retail")
    (folder / "m.toml").write_text(MAPPING)
    (folder / "r.csv").write_text(CSV)
    told("data", "ingest", "csv", folder / "r.csv", "--mapping", folder / "m.toml")


def test_show(filled: None) -> None:
    said = told("data", "show", "retail_total_ytd.yoy@CN-33", "--asof", "2019-05-20")
    assert said["name_zh"] == "社会消费品零售总额：同比（按公布数值推算，非官方增速）"
    assert (said["unit_analysed"], said["made"]["version"]) == ("%", 1)
    assert said["made"]["recipe"] == "retail_total_ytd | month | nominal_yoy"
    assert [(v["period"], round(v["value"], 9), v["flags"]) for v in said["values"]] == [
        ("2019-02", 10.0, ["pair", "nominal"]),
        ("2019-03", 6.0, ["nominal"]),
        ("2019-04", round(100 * (2200 / 2100 - 1), 9), ["nominal"]),
    ]
    _, text, _ = jingqi("data", "show", "retail_total_ytd.yoy@CN-33", "--asof", "2019-05-20")
    assert "retail_total_ytd | month | nominal_yoy; version 1, hash " + said["made"]["hash"][:12] in text
    assert "合并 pair, 名义 nominal" in text


def test_trace(filled: None) -> None:
    words = ("data", "show", "retail_total_ytd.month@CN-33", "--asof", "2019-05-20", "--trace")
    said = told(*words, "2019-03")
    assert said["analysed"] == 2120.0
    assert [(s["series"], s["period"], s["value"], s["code"]) for s in said["sources"]] == [
        ("retail_total_ytd@CN-33", "2019-03", 6520.0, "retail"),
        ("retail_total_ytd@CN-33", "2019-02", 4400.0, "retail"),
    ]
    code, text, _ = jingqi(*words, "2019-01")
    assert code == 0
    assert text.endswith(
        "2019-01, retail_total_ytd | month: empty: retail_total_ytd@CN-33: 2019-01 is published together with February, "
        "as one observation\n"
    )
    _, text, _ = jingqi(*words, "2019-02")
    assert text.endswith("2019-02, retail_total_ytd | month: 4400 (合并 pair)\n")


def test_a_panel_of_both(filled: None) -> None:
    ids = ("retail_total_ytd.month@CN-33", "fai_yoy_ytd@CN-33")
    said = told("data", "panel", *ids, "--asof", "2019-05-20")
    assert said["series"][ids[0]][-4:] == [None, 4400.0, 2120.0, 2200.0]
    assert said["series"][ids[1]][-1] == 6.2
    assert list(said["made"]) == [ids[0]]
    assert said["flags"][ids[0]][-4:] == [[], ["pair"], [], []]
    _, text, _ = jingqi("data", "panel", *ids, "--asof", "2019-05-20")
    line = next(x for x in text.splitlines() if "retail_total_ytd | month" in x)
    assert line.split()[-2:] == ["1", said["made"][ids[0]]["hash"][:12]]
    plain = told("data", "panel", ids[1], "--asof", "2019-05-20")
    assert "made" not in plain


def test_refusals_are_one_line(filled: None) -> None:
    code, out, err = jingqi("data", "show", "fai_yoy_ytd.month@CN-33")
    assert (code, out) == (1, "")
    assert err.startswith("jingqi: fai_yoy_ytd.month: investment is published as growth only")
    assert err.count("\n") == 1
    code, _, err = jingqi("data", "panel", "retail_total_ytd.moon@CN-33")
    assert code == 1
    assert "there is retail_total_ytd.month, retail_total_ytd.yoy" in err


def test_the_list() -> None:
    said = told("data", "catalogue", "--features")
    assert len(said) > 280
    assert {r["id"] for r in said} >= {"retail_total_ytd.mom", "gdp_ytd.monthly", "rd_intensity.*"}
    assert all(bool(r["recipe"]) != bool(r["reason"]) for r in said)
    _, text, _ = jingqi("data", "catalogue", "--features", "--module", "three demands")
    assert "社会消费品零售总额：季节调整后环比" in text
    assert "retail_total_ytd | month | split(days) | sa | pch" in text
    assert "gdp_ytd" not in text
