"""Answers of firms in both stores: whole or not at all, the same twice is nothing, as of a day; from CSV and the province."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from engine.calendar import Period, end_of
from engine.errors import BadInput
from featurestore.answers import ANSWERS, answers_frame
from featurestore.sources.answers import read
from featurestore.sources.province import Economy, economy
from featurestore.store import Store
from tests.featurestore.test_commands import jingqi, told

Q1 = Period.parse("2024-Q1")
EVER = datetime(2100, 1, 1, tzinfo=UTC)
ORDER = ["source", "freq", "wave", "question", "firm"]


def row(**change: object) -> dict[str, object]:
    known = {"known_at": end_of(date(2024, 4, 15)), "is_synthetic": False, "weight": 1.5, "size": "small"}
    about = {"industry": "textiles", "city": "CN-3301", "scale": "three", "question": "orders", "answer": 1}
    return {"source": "survey", "firm": "F1", "wave": Q1.ordinal, "freq": "Q", **about, **known, **change}


def frame(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=ANSWERS)


TWO = frame(row(), row(firm="F2", answer=-1), row(firm="F2", question="climate", scale="five", answer=-2))


def test_a_wave_said_again_replaces_it_from_then_on(store: Store) -> None:
    assert store.answers(EVER).equals(frame())
    first = store.tell(TWO)
    assert (first.waves, first.rows, first.new) == (1, 3, 3)
    assert store.tell(TWO.reverse()).new == 0
    corrected = frame(row(answer=0), row(firm="F2", answer=-1)).with_columns(known_at=pl.lit(end_of(date(2024, 5, 15))))
    assert store.tell(corrected).new == 2
    assert store.tell(TWO).new == 0
    assert store.answers(end_of(date(2024, 4, 14))).height == 0
    for asof, wanted in ((date(2024, 4, 15), TWO), (date(2024, 5, 14), TWO), (date(2024, 5, 15), corrected)):
        found = answers_frame(store, end_of(asof))
        assert found.schema == ANSWERS
        assert found.sort(ORDER).equals(wanted.sort(ORDER))
    heavier = frame(row(wave=Q1.ordinal - 1, weight=2.5), row(wave=Q1.ordinal - 1, firm="F3", city="CN-3302"))
    assert store.tell(pl.concat([heavier, corrected])).new == 2  # another weight is another description
    found = store.answers(EVER)
    assert found["wave"].to_list() == [Q1.ordinal - 1] * 2 + [Q1.ordinal] * 2
    assert dict(found.filter(pl.col("firm") == "F1").select("wave", "weight").iter_rows()) == {
        Q1.ordinal - 1: 2.5,
        Q1.ordinal: 1.5,
    }


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"answer": 2}, r"survey, 2024-Q1, firm F1, orders: the scales are three \(-1 to 1\)"),
        ({"scale": "seven"}, "the scales are three"),
        ({"answer": 101, "scale": "percent"}, r"percent \(0 to 100\)"),
        ({"answer": None}, "something is empty"),
        ({"weight": 0.0}, "a weight is a number above zero"),
        ({"weight": float("inf")}, "a weight is a number above zero"),
        ({"city": "SYN-3301"}, "is_synthetic"),
        ({"is_synthetic": True}, "is_synthetic"),
        ({"freq": "X"}, "a frequency is one of A, Q, M, W, D"),
        ({"wave": Q1.ordinal + 2}, r"2024-Q3: it had not begun when it was known, 2024-04-15"),
        ({"firm": "F2"}, "two answers to one question"),
        ({"firm": "F2", "size": "large"}, "two answers to one question"),
    ],
)
def test_what_a_store_must_not_take(store: Store, change: dict[str, object], problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        store.tell(pl.concat([TWO, frame(row(**change, question=str(change.get("question", "orders"))))]).unique())
    assert store.answers(EVER).height == 0
    with pytest.raises(BadInput, match="answers need the columns"):
        store.tell(TWO.drop("size"))
    with pytest.raises(BadInput, match="without an answer"):
        store.tell(frame())


CSV = """firm,wave,question,answer,industry,city,size,known_at,weight,freq
甲公司,2024-Q1,orders,1,纺织,CN-3301,small,2024-04-15,1.5,Q
乙公司,2024-Q1,orders,-1,纺织,CN-3302,large,2024-04-15,3,Q
乙公司,2024-03,output,0,纺织,CN-3302,large,2024-03-31,3,M
乙公司,2024-Q1,orders,0,纺织,CN-3302,large,2024-06-15,3,Q
"""


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "问卷.csv"
    path.write_text(CSV, encoding="utf-8")
    found = read(path)
    assert found.schema == ANSWERS
    assert found.height == 4
    assert found.select(pl.col("source", "scale").n_unique()).row(0) == (1, 1)
    assert not found["is_synthetic"].any()
    assert answers_frame(path, end_of(date(2024, 5, 1))).select("firm", "answer").sort("firm", "answer").rows() == [
        ("乙公司", -1), ("乙公司", 0), ("甲公司", 1)
    ]  # fmt: skip
    assert answers_frame(str(path), EVER).height == 2  # the later version of the wave is another wave, and it is whole


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("2024-Q1,orders,1,", "2024-Q5,orders,1,", "row 2, column wave"),
        ("orders,-1,", "orders,worse,", "row 3, column answer: not a whole number of a scale: 'worse'"),
        ("orders,-1,", "orders,,", "row 3, column answer"),
        ("2024-03-31,", "31.3.2024,", "row 4, column known_at: not a day"),
        (",3,M", ",3,Q", "row 4, column freq: not the frequency of the wave"),
        (",1.5,", ",much,", "row 2, column weight"),
        ("weight", "gewicht", "row 1: nobody knows the column 'gewicht'"),
        ("industry", "branch", "row 1: the columns industry are missing"),
        (",3,Q\n", ",3,Q", "cut off"),
        ("orders,-1,", "orders,-2,", "the scales are three"),
    ],
)
def test_a_mistake_in_a_file_is_named_with_its_place(tmp_path: Path, old: str, new: str, place: str) -> None:
    path = tmp_path / "a.csv"
    text = CSV.replace(old, new, 1) if old != ",3,Q\n" else CSV[:-1]
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        read(path)
    assert str(caught.value).startswith("a.csv")
    assert place in str(caught.value)


@pytest.fixture(scope="module")
def made() -> Economy:
    return economy()


def test_the_survey_of_the_province(made: Economy, store: Store) -> None:
    said = made.opinions()
    assert said.schema == ANSWERS
    assert said["is_synthetic"].all()
    assert said["firm"].str.starts_with("SYN-F").all()
    assert said["city"].str.starts_with("SYN-33").all()
    given = made.answers.select(pl.col("new_orders", "business_now", "capacity").count())
    told = said.filter(pl.col("question").is_in(given.columns)).group_by("question").len()
    assert dict(told.iter_rows()) == {k: v[0] for k, v in given.to_dict(as_series=False).items()}
    pmi = {int(x.values["period"][0]): x.release.known_at for x in made.releases() if x.release.code == "pmi"}
    waves = said.filter(pl.col("freq") == "M").select("wave", "known_at").unique()
    assert dict(waves.iter_rows()) == pmi  # what firms said is known with the index that is made of it
    recent = said.filter(pl.col("known_at") > end_of(date(2024, 12, 31)))
    assert store.tell(recent).new == recent.height > 90_000
    found = store.answers(EVER)
    assert found.sort(ORDER).equals(recent.sort(ORDER))
    orders = found.filter((pl.col("question") == "new_orders") & (pl.col("wave") == 2025 * 12 + 5))
    index = 50 + 50 * np.average(orders["answer"], weights=orders["weight"])
    assert 40 < index < 60


def test_the_commands(empty: Callable[[], Any], tmp_path: Path) -> None:
    store = empty()
    path = tmp_path / "a.csv"
    path.write_text(CSV, encoding="utf-8")
    (done,) = told("data", "ingest", "answers", path)
    assert (done["release"], done["rows"], done["new"], done["repeated"]) == ("survey answers", 4, 4, False)
    (again,) = told("data", "ingest", "answers", path)
    assert (again["new"], again["same"], again["repeated"]) == (0, 4, True)
    assert store.answers(EVER).height == 2
    path.write_text(CSV.replace("orders,1,", "orders,9,"), encoding="utf-8")
    refused = jingqi("data", "ingest", "answers", path)
    assert refused.returncode == 1
    assert "a.csv" in refused.stderr
    assert store.answers(EVER).height == 2
    assert jingqi("data", "ingest", "answers").returncode == 1
