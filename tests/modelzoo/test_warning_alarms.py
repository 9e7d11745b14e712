"""Rule alarms by hand, their record against a declared event, and the rules that ship."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import warned

from engine.calendar import Period
from engine.errors import BadInput, Unknown
from modelzoo.warning.alarms import Rule, alarms, load, parse, record
from modelzoo.warning.event import Event

FALLS = Rule("falls", "负增长", "falls", "a", "as is", "below", "0", 2)
SLOWER = Rule("slower", "低于", "slower", "a", "as is", "below", "b", 1)


def test_the_rules_that_ship_read_the_catalogue() -> None:
    file = Path(__file__).parents[2] / "featurestore/catalogue/zhejiang.csv"
    with file.open(encoding="utf-8") as f:
        known = {r["id"] for r in csv.DictReader(f)}
    rules = load()
    assert len(rules) >= 12
    assert {i.split("@")[0] for r in rules for i in r.inputs("CN-33")} <= known
    assert "private_below_investment" in {r.id for r in rules}
    assert all(r.name_zh and r.name_en and r.reason for r in rules)


def test_by_hand() -> None:
    a = np.array([1, -1, -2, np.nan, -3, 2, -1, -1.0])
    b = np.array([0, 0, 0, 0, -4, 3, np.nan, np.nan])
    p = warned.panel({"a": a, "b": b})
    assert np.array_equal(FALLS.traced(p, "X")[0], [0, 0, 1, np.nan, 1, 0, 0, 1], equal_nan=True)
    assert np.array_equal(SLOWER.traced(p, "X")[0], [0, 1, 1, np.nan, 0, 1, np.nan, np.nan], equal_nan=True)
    other = Rule("other", "其他", "other", "c", "as is", "above", "0", 1)
    told = alarms([FALLS, SLOWER, other], p, ["X"])
    assert told["status"].to_list() == ["alarm", "alarm", "not published"]
    assert told["period"].to_list() == ["2010-08", "2010-06", None]
    assert told["since"].to_list() == ["2010-08", "2010-06", None]
    assert told["limit"].to_list() == [0.0, 3.0, None]
    earlier = alarms([FALLS], p, ["X"], Period.parse("2010-05"))
    assert earlier.row(0, named=True)["since"] == "2010-03"  # April was not published, and did not break the row
    assert alarms([FALLS], warned.panel({"a": a * np.nan, "b": b}), ["X"])["status"][0] == "unknown"


def test_growth_of_a_level_and_above() -> None:
    level = np.r_[np.linspace(100, 111, 12), np.linspace(90, 150, 12)]
    rule = Rule("up", "过热", "up", "a", "growth", "above", "20", 1)
    alarm, value, _ = rule.traced(warned.panel({"a": level}), "X")
    assert value[12:] == pytest.approx(100 * (level[12:] / level[:12] - 1))
    assert np.array_equal(alarm[12:], (value[12:] > 20).astype(float))
    assert np.isnan(alarm[:12]).all()


def test_record_against_an_event() -> None:
    event = np.zeros(40)
    event[[10, 11, 12, 30, 31]] = 1
    a = np.ones(40)
    a[[7, 8, 9, 20, 21]] = -1
    p = warned.panel({"a": a, "e": event})
    told = record([FALLS], p, {"X": Event("e@X", when="within", ahead=4)}).row(0, named=True)
    assert (told["hits"], told["missed"], told["false"]) == (2, 6, 1)  # alarms in 8, 9 and 21
    assert told["quiet"] == 40 - 5 - 4 - 9  # event months and the last four, whose future is open, do not count
    assert (told["events"], told["called"], told["lead"]) == (2, 1, 2.0)
    assert told["recall"] == pytest.approx(2 / 8)
    assert record([FALLS], p, {"Y": Event("e@X", when="within")}).height == 0


def test_nothing_after_the_day_moves_an_alarm() -> None:
    a = np.sin(np.arange(60.0))
    b = a.copy()
    b[40:] = -9
    p, q = (warned.until(warned.panel({"a": v, "b": 0 * v}), Period.parse("2013-04")) for v in (a, b))
    assert alarms([FALLS, SLOWER], p, ["X"]).equals(alarms([FALLS, SLOWER], q, ["X"]))


def test_refusals() -> None:
    head = "id,name_zh,name_en,left,form,sign,right,periods,reason\n"
    with pytest.raises(BadInput, match=r"mine\.csv, row 2, column sign"):
        parse(head + "x,甲,x,a,as is,under,0,1,\n", "mine.csv")
    with pytest.raises(BadInput, match=r"mine\.csv, row 3, column id: a second rule x"):
        parse(head + 2 * "x,甲,x,a,as is,below,0,1,\n", "mine.csv")
    with pytest.raises(BadInput, match="column periods"):
        parse(head + "x,甲,x,a,as is,below,0,0,\n", "mine.csv")
    with pytest.raises(Unknown, match="no rules"):
        load("nowhere")
    with pytest.raises(BadInput, match="not one"):
        alarms([FALLS], warned.panel({"a": np.ones(5)}), ["X"], Period.parse("2010-Q1"))
