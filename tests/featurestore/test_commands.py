"""The commands as a user types them: exit codes, one line on stderr, the store unchanged by what is refused."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from engine.cli import main

JINGQI = [sys.executable, "-c", "from engine.cli import main; main()"]
MAPPING = """
source = "test"
release = "jobs"
layout = "wide"
known_at = 2016-07-29
period = { column = "Date" }
series = { PAYEMS = "payems@US", UNRATE = "unrate@US" }
"""
CSV = "Date,PAYEMS,UNRATE\n2016-04,143877,5\n2016-05,143888,4.7\n2016-06,144175,4.9\n"


def typed(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """In a process of its own, as a shell would."""
    return subprocess.run([*JINGQI, *map(str, words)], capture_output=True, text=True, timeout=60)


def jingqi(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """The same in this process, which has the libraries loaded already."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(out), redirect_stderr(err), patch.object(sys, "argv", ["jingqi", *map(str, words)]):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return subprocess.CompletedProcess(list(words), code, out.getvalue(), err.getvalue())


def told(*words: str | Path) -> Any:
    done = jingqi(*words, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def filled(empty: Callable[[], Any]) -> None:
    empty()
    assert [r["new"] for r in told("data", "ingest", "nyfed")] == [8653, 23]


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (",4.9\n", "\n", "row 4: 2 cells under 3 columns"),
        ("4.9\n", "", "row 4"),  # cut off before the last number
        ("175,4.9\n", "175,4.", "row 4"),  # cut off in the middle of a number
        (CSV[-10:], '"4.', "row 4"),  # cut off in the middle of a quoted cell
        ("UNRATE", "UNEMP", "row 1, column UNEMP"),
        ("143888", "n.v.", "row 3, column PAYEMS"),
        ("2016-05", "2016-04", "row 3, column PAYEMS"),
        ("2016-06", "2016-13", "row 4, column Date"),
        ("2016-06", "2061-06", "row 4, column Date"),
        ("2016-04", "0999-04", "row 2, column Date"),
    ],
)
def test_a_bad_file_changes_nothing(
    filled: None, content: Callable[[], Any], tmp_path: Path, old: str, new: str, place: str
) -> None:
    (tmp_path / "m.toml").write_text(MAPPING)
    (tmp_path / "jobs.csv").write_text(CSV.replace(old, new, 1))
    before = content()
    done = typed("data", "ingest", "csv", tmp_path / "jobs.csv", "--mapping", tmp_path / "m.toml")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"jingqi: jobs.csv, {place}")
    assert done.stderr.count("\n") == 1
    assert content() == before


def test_a_good_file_and_again(filled: None, content: Callable[[], Any], tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(MAPPING)
    (tmp_path / "jobs.csv").write_text(CSV.replace("4.9", "5.1"))
    words = ("data", "ingest", "csv", tmp_path / "jobs.csv", "--mapping", tmp_path / "m.toml")
    (first,) = told(*words)
    assert (first["new"], first["revised"], first["same"], first["repeated"]) == (0, 1, 5, False)
    after = content()
    (again,) = told(*words)
    assert (again["new"], again["revised"], again["repeated"]) == (0, 0, True)
    assert content() == after


def test_show(filled: None) -> None:
    assert typed("data", "show", "gdpc1@US", "--asof", "2016-07-29").stdout.endswith("2016-07-29\n")
    old = told("data", "show", "gdpc1@US", "--asof", "2016-06-29")
    assert (old["name_zh"], old["unit_analysed"], old["asof"]) == (
        "实际国内生产总值增速",
        "%, annualised",
        "2016-06-29",
    )
    assert old["values"][-1] == {
        "period": "2016-Q1", "value": 16514.6, "analysed": 100 * ((16514.6 / 16470.6) ** 4 - 1), "known": "2016-06-29"
    }  # fmt: skip
    new = told("data", "show", "gdpc1@US", "--asof", "2016-07-29")
    assert [v["period"] for v in new["values"][-2:]] == ["2016-Q1", "2016-Q2"]
    table = jingqi("data", "show", "gdpc1@US").stdout.splitlines()
    assert table[0] == (
        "gdpc1@US  实际国内生产总值增速 Real GDP growth, 美国 "
        "(十亿美元，不变价 billions of chained dollars; analysed: %，折年率 %, annualised)"
    )
    assert table[-1].split() == ["2016-Q2", "16575.1", "1.218234151", "2016-07-29"]


def test_a_cell_is_traced_to_its_releases(filled: None) -> None:
    found = told("data", "show", "gdpc1@US", "--asof", "2016-07-29", "--trace", "2016-Q2")
    assert found["analysed"] == 100 * ((16575.1 / 16525) ** 4 - 1)
    assert [(s["period"], s["value"], s["nth"], s["known_at"]) for s in found["sources"]] == [
        ("2016-Q2", 16575.1, 1, "2016-07-29"),
        ("2016-Q1", 16525.0, 2, "2016-07-29"),
    ]
    empty = jingqi("data", "show", "gdpc1@US", "--asof", "2016-06-29", "--trace", "2016-Q2").stdout
    assert empty.endswith("2016-Q2, pca: empty: was first released on 2016-07-29, after 2016-06-29\n")


def test_check_and_departments(filled: None) -> None:
    """The second vintage lacks June's personal income: the Bureau of Economic Analysis was due on 29 July."""
    found = told("data", "check", "--asof", "2016-09-30")
    assert {"dspic96@US", "pcepi@US"} <= {r["series"] for r in found["rows"] if r["rule"] == "overdue"}
    assert all(r["severity"] in ("error", "warning") and r["do"] for r in found["rows"])
    table = jingqi("data", "check", "payems@US", "--asof", "2016-07-29").stdout
    assert table.strip() == "nothing found"
    by = {r["agency"]: r for r in told("data", "check", "--departments", "--asof", "2016-09-30")["rows"]}
    labour = by["Bureau of Labor Statistics"]
    assert labour["series"] > 3
    assert labour["expected"] > 3  # July and August, of which the two snapshots say nothing
    assert labour["delivered"] == 0.0


def test_revisions(filled: None) -> None:
    first, latest = told("data", "revisions", "gdpc1@US", "--period", "2016-Q1")["releases"]
    assert (first["release"], first["which"], first["value"], first["known"]) == (1, "first", 16514.6, "2016-06-29")
    assert (latest["release"], latest["which"], latest["value"], latest["known"]) == (
        2,
        "latest",
        16525.0,
        "2016-07-29",
    )
    revised = told("data", "revisions", "gdpc1@US")["releases"]
    assert {r["period"] for r in revised} >= {"2013-Q1", "2016-Q1"}
    assert "2016-Q2" not in {r["period"] for r in revised}


def test_panel(filled: None) -> None:
    panel = told("data", "panel", "gdpc1@US", "payems@US", "--asof", "2016-06-29")
    assert (panel["asof"], panel["timing"], panel["newest"]) == ("2016-06-29", "real", "2016-06-30T00:00:00+00:00")
    assert panel["months"][-1] == "2016-05"
    assert panel["series"]["payems@US"][-1] == 143894.0 - 143856.0
    table = jingqi("data", "panel", "--asof", "2016-06-29", "--last", "2").stdout.splitlines()
    assert table[1].split()[-2:] == ["2016-05", "2016-06"]
    assert len(table) == 31


def test_catalogue_is_aligned_also_in_chinese() -> None:
    surveys = {i["id"] for i in told("data", "catalogue", "--module", "surveys")}
    assert {i for i in surveys if not i.startswith("fm_")} == {"gacdisa066msfrbny", "gacdfsa066msfrbphi"}
    heading, header, *lines, last = jingqi("data", "catalogue", "--module", "三大收入").stdout.splitlines()
    assert (heading, len(lines), last) == ("4 三大收入 three incomes", 13, "")

    def cells(text: str) -> int:
        return sum(2 if ord(c) > 0x2E80 else 1 for c in text)

    for freq in (" Q ", " M "):
        at = {cells(line[: line.index(freq) + 1]) for line in lines if freq in line}
        assert at == {cells(header[: header.index("freq")])}


def test_catalogue_by_module() -> None:
    everything = told("data", "catalogue")
    assert (len(everything), len({i["module"] for i in everything if i["module_number"]})) == (135 + 29 + 141, 15)
    for name in ("gdp", "GDP", "1"):
        assert [i["id"] for i in told("data", "catalogue", "--module", name)][:2] == ["gdp_ytd", "gdp_yoy_ytd"]
    (cities,) = (i for i in everything if i["id"] == "gdp_city_ytd")
    assert (cities["submodule_zh"], cities["unit_zh"], cities["kind"]) == ("省内各市情况", "亿元", "level_ytd")
    assert (len(cities["regions"]), cities["regions"][-1]) == (11, "CN-3311")
    blocks = jingqi("data", "catalogue").stdout.rstrip().split("\n\n")
    assert [b.split()[0] for b in blocks[:15]] == [str(n) for n in range(1, 16)]
    assert sum(len(b.splitlines()) - 2 for b in blocks) == 135 + 29 + 141
    assert "CN-33 CN-33/*" in blocks[0]


def test_interfaces(tmp_path: Path) -> None:
    both = told("data", "interfaces", "--xlsx", tmp_path / "lists.xlsx")
    assert (len(both["needs"]), set(both)) == (135, {"needs", "interfaces"})
    assert (tmp_path / "lists.xlsx").stat().st_size > 10_000
    printed = jingqi("data", "interfaces").stdout.splitlines()
    assert printed[0] == "数据需求清单 Data needs (135)"
    assert len(printed) == 2 + 135 + 2 + len(both["interfaces"])
    assert "次月18日前" in next(line for line in printed if " ind_va_yoy " in line)
    refused = jingqi("data", "interfaces", "--xlsx", tmp_path / "nowhere" / "lists.xlsx")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert "lists.xlsx: cannot be written: No such file or directory" in refused.stderr


def test_status_and_wrong_questions(filled: None) -> None:
    facts = told("db", "status")
    assert (facts["where"], facts["timescaledb"], facts["pending"], facts["series"]) == ("embedded", "absent", [], 29)
    for words, code, problem in (
        (("data", "show", "no@US"), 1, "not in the store: no@US"),
        (("data", "show", "gdpc1@US", "--asof", "yesterday"), 1, "not a day or an instant: 'yesterday'"),
        (("data", "revisions", "gdpc1@US", "--period", "2016-01"), 1, "not a period of frequency Q"),
        (("data", "revisions", "gdpc1@US", "--period", "1900-Q1"), 1, "has no value for 1900-Q1"),
        (("data", "catalogue", "--module", "x"), 1, "no module 'x'"),
        (("data", "ingest", "nowhere"), 2, "nowhere"),
    ):
        done = jingqi(*words)
        assert (done.returncode, done.stdout) == (code, "")
        assert problem in done.stderr
        assert code == 2 or done.stderr.count("\n") == 1


def test_commands_load_nothing_heavy() -> None:
    code = (
        "import sys, featurestore.commands;"
        "print([m for m in ('polars', 'numpy', 'psycopg', 'rich', 'pydantic') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
