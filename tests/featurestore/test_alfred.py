"""ALFRED answers: closed intervals, windows that must meet, values taken back; against a plain as-of reading."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.calendar import Freq, Period, end_of, known_day
from engine.errors import BadInput
from featurestore.memory import MemoryStore
from featurestore.sources.alfred import loads

MAPPING = (
    'source = "alfred"\nrelease = "observations"\n[series]\n"payems*.json" = "payems@US"\n"gdp*.json" = "gdpc1@US"\n'
)
Span = tuple[str, str, str, str]


def answer(start: str, end: str, spans: Sequence[Span], **other: Any) -> str:
    """An answer in the form of the server's."""
    observations = [{"realtime_start": a, "realtime_end": b, "date": day, "value": value} for a, b, day, value in spans]
    facts = {
        "realtime_start": start, "realtime_end": end, "observation_start": "1600-01-01", "observation_end": "9999-12-31",
        "units": "lin", "output_type": 1, "file_type": "json", "order_by": "observation_date", "sort_order": "asc",
        "count": len(spans), "offset": 0, "limit": 100000, "observations": observations,
    }  # fmt: skip
    return json.dumps(facts | other)


FIRST = answer(
    "2016-06-01",
    "2016-06-30",
    [
        ("2016-06-01", "2016-06-02", "2016-04-01", "143915"),  # known when the window began, or earlier
        ("2016-06-03", "2016-06-30", "2016-04-01", "143856"),
        ("2016-06-03", "2016-06-30", "2016-05-01", "143894"),
        ("2016-06-03", "2016-06-10", "2016-01-01", "143000"),  # taken back on the 11th
        ("2016-06-01", "2016-06-30", "2016-03-01", "."),
    ],
)
SECOND = answer(
    "2016-07-01",
    "9999-12-31",
    [
        ("2016-07-01", "9999-12-31", "2016-04-01", "143856"),  # the window begins: no news
        ("2016-07-01", "2016-07-07", "2016-05-01", "143894"),
        ("2016-07-08", "9999-12-31", "2016-05-01", "143867"),
        ("2016-07-08", "9999-12-31", "2016-03-01", "143733"),
    ],
)


def read(folder: Path, **files: str) -> Any:
    for name, text in files.items():
        (folder / f"{name}.json").write_text(text)
    (folder / "m.toml").write_text(MAPPING)
    return tuple(loads(folder, folder / "m.toml"))


def test_each_realtime_start_is_a_release(tmp_path: Path) -> None:
    found = read(tmp_path, payems_1=FIRST, payems_2=SECOND)
    said = {
        str(known_day(x.release.known_at)): {str(Period(Freq.M, p)): (v, s) for _, p, v, s in x.values.iter_rows()}
        for x in found
    }
    assert said == {
        "2016-06-01": {"2016-04": (143915, "A")},
        "2016-06-03": {"2016-04": (143856, "A"), "2016-05": (143894, "A"), "2016-01": (143000, "A")},
        "2016-06-11": {"2016-01": (None, "M")},
        "2016-07-08": {"2016-05": (143867, "A"), "2016-03": (143733, "A")},
    }
    assert [x.release.precision for x in found] == ["assumed", "day", "day", "day"]


def test_several_series_share_a_release(tmp_path: Path) -> None:
    gdp = answer("1776-07-04", "9999-12-31", [("2016-06-03", "9999-12-31", "2016-01-01", "16525")])
    found = read(tmp_path, payems_1=FIRST, gdp=gdp)
    day = next(x for x in found if known_day(x.release.known_at) == date(2016, 6, 3))
    assert {s.id for s in day.series} == {"payems@US", "gdpc1@US"}
    assert ("gdpc1@US", Period(Freq.Q, 2016 * 4).ordinal, 16525.0, "A") in day.values.rows()


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"payems_1": FIRST, "payems_2": SECOND.replace("2016-07-01", "2016-07-02")}, "a hole between them; ask for"),
        ({"payems_1": FIRST, "payems_2": SECOND.replace("2016-07-01", "2016-06-30")}, "overlap"),
        ({"payems_1": FIRST.replace('"count": 5', '"count": 9')}, "5 of 9 observations: ask for the rest with offset=5"),
        ({"payems_1": FIRST.replace('"offset": 0', '"offset": 2')}, "pages leave a hole"),
        ({"payems_1": FIRST.replace('"lin"', '"pch"')}, "payems_1.json, column units"),
        ({"payems_1": FIRST.replace("143894", "n.a.")}, "column 2016-05-01: not a number"),
        ({"payems_1": FIRST.replace("2016-05-01", "2016-05-15")}, "begins no period"),
        ({"payems_1": FIRST.replace("2016-05-01", "2016-08-01")}, "before it began"),
        ({"payems_1": FIRST.replace('"2016-06-10"', '"2016-07-10"')}, "is not within"),
        ({"payems_1": FIRST.replace('"2016-06-02"', '"2016-06-03"')}, "two values for 2016-04 on 2016-06-03"),
        ({"payems_1": FIRST[:-9]}, "payems_1.json"),
        ({"payems_1": '{"error_code":400,"error_message":"Bad Request.  Too many vintage dates."}'}, "Too many vintage"),
        ({"other": FIRST}, "no series in the mapping for this file name"),
        ({}, "without a .json file"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_file(tmp_path: Path, files: dict[str, str], problem: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(tmp_path, **files)
    assert problem in str(caught.value)


def test_pages_of_one_window(tmp_path: Path) -> None:
    whole = json.loads(FIRST)
    pages = [whole | {"offset": a, "observations": whole["observations"][a:b]} for a, b in ((0, 2), (2, 5))]
    paged = read(tmp_path, **{f"payems_{i}": json.dumps(p) for i, p in enumerate(pages)})
    assert [x.values.rows() for x in paged] == [x.values.rows() for x in loads(*_one(tmp_path))]


def _one(folder: Path) -> tuple[Path, Path]:
    (folder / "payems_all.json").write_text(FIRST)
    return folder / "payems_all.json", folder / "m.toml"


START = date(2020, 1, 1)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.lists(st.sampled_from(["1", "2", "3", ".", ""]), min_size=12, max_size=12), min_size=1, max_size=3),
    st.lists(st.integers(1, 11), max_size=2, unique=True),
)
def test_the_store_answers_as_the_intervals_say(
    tmp_path_factory: pytest.TempPathFactory, known: list[list[str]], cuts: list[int]
) -> None:
    """known: value by month and day ("" absent); cut into windows, clipped as the server clips, read back day by day."""
    folder = tmp_path_factory.mktemp("alfred")
    edges = [0, *sorted(cuts), 12]
    for k, (a, b) in enumerate(pairwise(edges)):
        spans: list[Span] = []
        for month, days in enumerate(known):
            first = a
            for d in range(a, b):
                if d + 1 == b or days[d + 1] != days[d]:
                    if days[d]:
                        spans.append((_day(first), _day(d), f"2019-0{month + 1}-01", days[d]))
                    first = d + 1
        (folder / f"payems_{k}.json").write_text(answer(_day(a), _day(b - 1), spans))
    (folder / "m.toml").write_text(MAPPING)
    if all(v in (".", "") for days in known for v in days):
        with pytest.raises(BadInput, match="no value"):
            list(loads(folder, folder / "m.toml"))
        return
    store = MemoryStore()
    for load in loads(folder, folder / "m.toml"):
        store.append(load.release, load.values, load.series)
    for d in range(12):
        at = store.known(["payems@US"], end_of(START + timedelta(days=d)))
        there = {p - 2019 * 12: v for p, v in at.select("period", "value").iter_rows()}
        assert there == {m: float(days[d]) for m, days in enumerate(known) if days[d] not in ("", ".")}


def _day(n: int) -> str:
    return str(START + timedelta(days=n))
