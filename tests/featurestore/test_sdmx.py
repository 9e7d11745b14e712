"""SDMX: the same figures in four formats give the same rows; each mistake is named with its row or its observation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.calendar import Period
from engine.errors import BadInput
from featurestore.sources.sdmx import loads

MAPPING = """
source = "office"
release = "labour"
known_at = 2016-07-29
key = ["FREQ", "INDICATOR"]
ignore = ["M.X*"]
[series]
"M.JOBS" = "payems@US"
"Q.GDP" = "gdpc1@US"
"""
CSV1 = """DATAFLOW,FREQ,REF_AREA,INDICATOR,TIME_PERIOD,OBS_VALUE,OBS_STATUS
OFF:LAB(1.0),M,US,JOBS,2016-05,143894,P
OFF:LAB(1.0),M,US,JOBS,2016-06,144175,
OFF:LAB(1.0),M,US,JOBS,2016-04,,M
OFF:LAB(1.0),M,US,JOBS,2016-03,NaN,
OFF:LAB(1.0),M,US,XYZ,2016-05,1,A
OFF:LAB(1.0),Q,US,GDP,2016-Q1,16525,A
"""
BOTH = (
    CSV1.replace("DATAFLOW", "DATAFLOW: Flow").replace("FREQ,", "FREQ: Frequency,").replace(",M,US", ",M: Monthly,US")
)
CSV2 = """STRUCTURE;STRUCTURE_ID;ACTION;FREQ;REF_AREA;INDICATOR;TIME_PERIOD;OBS_VALUE;OBS_STATUS
dataflow;OFF:LAB(1.0);I;M;US;JOBS;2016-05;143894;P
dataflow;OFF:LAB(1.0);A;M;US;JOBS;2016-06;144175;A
dataflow;OFF:LAB(1.0);D;M;US;JOBS;2016-04;;
dataflow;OFF:LAB(1.0);R;Q;US;GDP;2016-Q1;16525;A
"""
EXPECTED = {
    ("payems@US", "2016-05"): (143894.0, "P"),
    ("payems@US", "2016-06"): (144175.0, "A"),
    ("payems@US", "2016-04"): (None, "M"),
    ("gdpc1@US", "2016-Q1"): (16525.0, "A"),
}


def ids(name: str, *codes: str) -> dict[str, Any]:
    return {"id": name, "values": [{"id": c, "name": c.lower()} for c in codes]}


DIMENSIONS = {
    "dataSet": [ids("REF_AREA", "US")],
    "series": [ids("FREQ", "M", "Q"), ids("INDICATOR", "JOBS", "GDP")],
    "observation": [ids("TIME_PERIOD", "2016-04", "2016-05", "2016-06", "2016-Q1")],
}
MONTHS = [{"value": v["id"]} for v in DIMENSIONS["observation"][0]["values"]]  # 2.0 may give values without an id
STATUS = ids("OBS_STATUS", "A", "P", "M")
SERIES = {
    "0:0": {"attributes": [], "observations": {"0": [None, 2], "1": [143894, 1], "2": [144175.0, None]}},
    "1:1": {"observations": {"3": ["16525", 0]}},
}
JSON1 = {
    "meta": {"schema": "https://example.org/data/1.0", "id": "a"},
    "data": {
        "structure": {"dimensions": DIMENSIONS, "attributes": {"dataSet": [], "series": [], "observation": [STATUS]}},
        "dataSets": [{"action": "Information", "series": SERIES}],
    },
}
JSON2 = {
    "data": {
        "structures": [
            {
                "dimensions": DIMENSIONS | {"observation": [{"id": "TIME_PERIOD", "values": MONTHS}]},
                "measures": {"observation": [{"id": "OBS_VALUE"}]},
                "attributes": {"observation": [STATUS]},
            }
        ],
        "dataSets": [
            {"structure": 0, "action": "Replace", "series": {"0:0": {"observations": {"1": ["143894", 1], "2": [144175]}}}},
            {"structure": 0, "action": "Delete", "series": {"0:0": {"observations": {"0": []}}}},
            {"structure": 0, "action": "Append", "series": {"1:1": SERIES["1:1"]}},
        ],
    }
}  # fmt: skip
FLAT = {
    "structure": {
        "dimensions": {"observation": [*DIMENSIONS["series"], *DIMENSIONS["dataSet"], *DIMENSIONS["observation"]]},
        "attributes": {"observation": [STATUS]},
    },
    "dataSets": [
        {"observations": {"0:0:0:0": [None, 2], "0:0:0:1": [143894, 1], "0:0:0:2": [144175, 0], "1:1:0:3": [16525]}}
    ],
}


def read(folder: Path, text: str, mapping: str = MAPPING) -> dict[tuple[str, str], tuple[float | None, str]]:
    (folder / "message").write_text(text, encoding="utf-8")
    (folder / "m.toml").write_text(mapping)
    (load,) = loads(folder / "message", folder / "m.toml")
    freq = {s.id: s.freq for s in load.series}
    return {(i, str(Period(freq[i], p))): (v, s) for i, p, v, s in load.values.iter_rows()}


@pytest.mark.parametrize(
    "text",
    [CSV1, BOTH, CSV2, "\ufeff" + CSV2, json.dumps(JSON1), json.dumps(JSON2), json.dumps(FLAT)],
    ids=["csv1", "csv1-labels", "csv2", "csv2-bom", "json1", "json2", "json-flat"],
)
def test_one_content_in_each_format(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == EXPECTED


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("DATAFLOW,", "FLOW,", "message, row 1: no SDMX-CSV"),
        ("OBS_VALUE", "VALUE", "row 1, column OBS_VALUE"),
        ("143894", "1e999", "row 2, column OBS_VALUE: not a number"),
        ("143894", "x", "row 2, column OBS_VALUE: not a number"),
        ("143894,P", "143894,M", "row 2, column OBS_STATUS: status M means"),
        ("143894,P", "143894,prov", "row 2, column OBS_STATUS"),
        ("2016-05,143894", "2016-06,143894", "row 3: a second value for payems@US 2016-06"),
        ("2016-06", "2016-S1", "row 3, column TIME_PERIOD: not a period"),
        ("2016-06", "2016-Q2", "row 3, column TIME_PERIOD: 2016-Q2 is no period of payems@US"),
        ("2016-06", "2016-12", "row 3, column TIME_PERIOD: 2016-12 had not begun"),
        ("M,US,JOBS,2016-06", "M,UK,JOBS,2016-06", "row 3: M.JOBS has several REF_AREA"),
        ("US,XYZ", "US,JIB", "row 6: the series M.JIB is neither in"),
        ("FREQ,", "FRQ,", "row 2: no dimension FREQ; there are FRQ, REF_AREA"),
        (",A\n", "\n", "row 6: 6 cells under 7 columns"),
        ("16525,A\n", "16525,", "row 7: the last line has no end"),
        ("OFF:LAB(1.0),Q,US,GDP,2016-Q1,16525,A\n", "", "message: the message holds no value of the series Q.GDP"),
    ],
)
def test_a_mistake_in_csv_is_named_with_its_row(tmp_path: Path, old: str, new: str, problem: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(tmp_path, CSV1.replace(old, new, 1))
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("143894", '"n.a."', "message, series 0:0, observation 1, column OBS_VALUE: not a number"),
        ("143894", "true", "series 0:0, observation 1, column OBS_VALUE: not a number"),
        ('"0:0":', '"0:7":', "no SDMX-JSON data message after data set 0 (IndexError"),
        ('"0:0":', '"0":', "key 0 for 2 dimensions"),
        ('"dataSets"', '"sets"', "KeyError: 'dataSets'"),
        ('}]}', '', "not whole JSON"),
        ('"2016-05"', '"May"', "series 0:0, observation 1, column TIME_PERIOD: not a period: 'May'"),
    ],
)  # fmt: skip
def test_a_mistake_in_json_is_named_with_its_place(tmp_path: Path, old: str, new: str, problem: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(tmp_path, json.dumps(JSON1).replace(old, new, 1))
    assert problem in str(caught.value)


def test_powers_of_ten_are_told_or_refused(tmp_path: Path) -> None:
    lines = CSV1.splitlines()
    text = "\n".join([lines[0] + ",UNIT_MULT", *(line + ",3" for line in lines[1:])]) + "\n"
    with pytest.raises(BadInput, match=r"row 2, column UNIT_MULT: values count in 10\^3: .*unit_mult = 3"):
        read(tmp_path, text)
    assert read(tmp_path, text, MAPPING.replace("key", "unit_mult = 3\nkey")) == EXPECTED
    millions = read(tmp_path, text, MAPPING.replace("key", "unit_mult = 6\nkey"))
    assert millions["payems@US", "2016-06"] == (144.175, "A")
    structure = JSON1["data"]["structure"] | {"attributes": {"dimensionGroup": [ids("UNIT_MULT", "3")]}}  # type: ignore[index]
    with pytest.raises(BadInput, match="ask for this message as SDMX-CSV"):
        read(tmp_path, json.dumps({"data": JSON1["data"] | {"structure": structure}}))  # type: ignore[operator]


def test_a_mapping_without_a_key(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="dimensions without TIME_PERIOD"):
        read(tmp_path, CSV1, MAPPING.replace('"FREQ", "INDICATOR"', '"TIME_PERIOD"'))
