"""docs/sources.md cannot rot: its files are written as they stand there, and each of its ingest commands is run."""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from engine.calendar import Period
from engine.errors import BadInput
from featurestore import ingest
from featurestore.memory import MemoryStore

PAGE = (Path(__file__).parents[2] / "docs/sources.md").read_text(encoding="utf-8")
FILES = re.compile(r"^`([\w./]+)`\n\n(?:```\w+\n(.*?)```|((?:\|[^\n]*\n)+))", re.DOTALL | re.MULTILINE)
INGEST = re.compile(r"^jingqi data ingest (\w+) (\S+) --mapping (\S+)$", re.MULTILINE)
EXPECTED = {
    "figures.csv": 4,
    "gdp.csv": 2,
    "report.xlsx": 8,
    "jobs.csv": 2,
    "answers": 3,
    "japan.csv": 3,
}  # values that the page's examples hold


def workbook(table: str) -> Workbook:
    """The table of the page as a workbook, ← and ↑ merged with the cell to the left or above."""
    made = Workbook()
    page = made.active
    assert isinstance(page, Worksheet)
    rows = [[c.strip() for c in line.strip()[1:-1].split("|")][1:] for line in table.splitlines()[2:]]
    for r, cells in enumerate(rows, 1):
        for c, text in enumerate(cells, 1):
            if text and text not in "←↑":
                below = len(list(takewhile(lambda row: row[c - 1] == "↑", rows[r:])))  # noqa: B023  # used up at once
                right = len(list(takewhile(lambda other: other == "←", cells[c:])))
                page.cell(r, c, text)
                if below or right:
                    page.merge_cells(start_row=r, end_row=r + below, start_column=c, end_column=c + right)
    return made


@pytest.fixture
def written(tmp_path: Path) -> Path:
    for name, block, table in FILES.findall(PAGE):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        if table:
            workbook(table).save(tmp_path / name)
        else:
            (tmp_path / name).write_text(block, encoding="utf-8")
    return tmp_path


def test_every_example_is_known() -> None:
    assert [path for _, path, _ in INGEST.findall(PAGE)] == list(EXPECTED)
    assert {source for source, _, _ in INGEST.findall(PAGE)} >= set(ingest.SOURCES) - {
        "nyfed",
        "province",
        "xlsx",
        "answers",
        "fredmd",
        "rtdsm",
    }
    assert re.search(r"^jingqi data ingest answers survey.csv$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("source", "path", "mapping"), INGEST.findall(PAGE))
def test_the_examples_run(written: Path, source: str, path: str, mapping: str) -> None:
    found = ingest.read(source, written / path, written / mapping)
    assert sum(load.values.height for load in found) == EXPECTED[path]
    store = MemoryStore()
    assert all(not receipt.repeated for _, receipt in ingest.ingest(store, found))
    assert all(receipt.repeated for _, receipt in ingest.ingest(store, found))


def test_the_survey(written: Path) -> None:
    found = ingest.survey("answers", written / "survey.csv")
    assert found is not None
    assert found.select("question", "answer").rows() == [("orders", 1), ("capacity", 78), ("orders", -1)]
    assert MemoryStore().tell(found).new == 3


def test_the_report_of_an_office(written: Path) -> None:
    (load,) = ingest.read("office", written / "report.xlsx", written / "report.toml")
    freq = {s.id: s.freq for s in load.series}
    found = {(i.split("@")[0], str(Period(freq[i], p))): v for i, p, v, _ in load.values.iter_rows()}
    assert found["export_value", "2018-02"] == 3021.7
    assert found["export_yoy_ytd", "2018-03"] == 4.1
    assert found["trade_total_ytd", "2018-04"] == 8496.6002
    assert ("export_value", "2018-01") not in found


def test_a_mapping_that_lacks_a_name_says_which_cell(written: Path) -> None:
    text = (written / "report.toml").read_text(encoding="utf-8")
    (written / "report.toml").write_text(text.replace('"出口总额 / 当月"', '"出口总额 / 本月"'), encoding="utf-8")
    with pytest.raises(BadInput, match=r'report.xlsx, sheet Sheet, cell B4: .*write "出口总额 / 当月" = "id@region"'):
        ingest.read("office", written / "report.xlsx", written / "report.toml")
