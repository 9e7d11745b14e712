"""An analyst's hour: three workbooks as offices send them, loaded from the command line with one mapping each.

Each is first tried with a mapping that is not finished yet: what it says must be enough to finish it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from tests.featurestore.test_commands import jingqi, told

HEAD = 'source = "省统计局"\nrelease = "{name}"\nknown_at = {day}\nheader_rows = [3, 4]\n'


def workbook(path: Path, title: str, rows: Sequence[Sequence[Any]], merged: Sequence[str]) -> Path:
    book = Workbook()
    page = book.active
    assert isinstance(page, Worksheet)
    page.title = title
    for row in rows:
        page.append(row)
    for area in merged:
        page.merge_cells(area)
    book.save(path)
    return path


def monthly(path: Path) -> Path:
    """Periods to the left, 万元 and 亿元 side by side, % signs, a footnote mark, notes below."""
    rows: list[list[Any]] = [
        ["浙江省2018年规模以上工业、投资与消费情况"],
        ["制表单位：省统计局", None, None, None, None, "单位：万元、%"],
        ["时  间", "规模以上工业增加值", None, "固定资产投资", "社会消费品零售总额", None],
        [None, "累计（万元）", "同比增长（%）", "同比增长（%）", "累计（亿元）", "同比增长（%）"],
        ["1-2月", 20345678, "9.3", "6.1", 3756.2, 10.2],
        ["1-3月", 33012345, "8.6%", 6.5, 5738.9, "10.1%"],
        ["1-4月", 44891234, 8.3, 6.4, 7543.1, 9.9],
        ["1-5月", "57,123,456", 8.2, "6.2*", "9,466.0", 9.6],
        ["注：1. 固定资产投资不含农户。"],
        ["    2. *为初步数。"],
    ]
    return workbook(path, "月报", rows, ("A1:F1", "A3:A4", "B3:C3", "E3:F3", "A9:F9", "A10:F10"))


def accounts(path: Path) -> Path:
    """Quarters above, cities to the left, the unit in a corner."""
    rows: list[list[Any]] = [
        ["2018年浙江省及各市生产总值"],
        [*[None] * 7, "单位：亿元，%"],
        ["地  区", "一季度", None, "上半年", None, "1-3季度", None, "全年", None],
        [None, *["总量", "增速"] * 4],
        ["全  省", 11789, 7.4, 25706, 7.6, 39796, 7.5, 56197, 7.1],
        ["  杭州市", 3060, 7.4, 6435, 7.6, 9891, 7.5, 13509, 6.7],
        ["  宁波市", 2205, 7.1, 5041, 7.5, 7699, 7.4, 10746, 7.0],
        ["注：各市合计不等于全省。"],
    ]
    return workbook(path, "Sheet1", rows, ("A1:I1", "A3:A4", "B3:C3", "D3:E3", "F3:G3", "H3:I3"))


def bulletin(path: Path, month: int = 5, electricity: float = 1712.3) -> Path:
    """Indicators to the left with a column of units, the month only in the title."""
    rows: list[list[Any]] = [
        [f"2018年{month}月全省主要经济指标"],
        [],
        ["指标", "计量单位", "本月", None, "1-本月", None],
        [None, None, "绝对量", "同比±%", "绝对量", "同比±%"],
        ["一、进出口总额", "亿元", None, None, 2240.1 * month, 7.9],
        ["   其中：出口", "万元", 17123456, None, None, 6.1],
        ["二、财政", "", "", "", "", ""],
        ["   一般公共预算收入", "亿元", None, None, 680.5 * month, 13.8],
        ["三、全社会用电量", "亿千瓦时", 372.5, 8.1, electricity, None],
        ["四、居民消费价格指数", "上年同月=100", 101.9, None, None, None],
        ["资料来源：杭州海关、省财政厅、省电力公司"],
    ]
    return workbook(path, "主要指标", rows, ("A1:F1", "A3:A4", "B3:B4", "C3:D3", "E3:F3"))


REPORT = """[series]
"规模以上工业增加值 / 累计" = "ind_va_ytd@CN-33"
"规模以上工业增加值 / 同比增长" = "ind_va_yoy_ytd@CN-33"
"固定资产投资 / 同比增长" = "fai_yoy_ytd@CN-33"
"社会消费品零售总额 / 累计" = "retail_total_ytd@CN-33"
"社会消费品零售总额 / 同比增长" = "retail_yoy_ytd@CN-33"
"""
GDP = """[series]
"全省 / 总量" = "gdp_ytd@CN-33"
"全省 / 增速" = "gdp_yoy_ytd@CN-33"
"杭州市 / 总量" = "gdp_ytd@CN-3301"
"杭州市 / 增速" = "gdp_yoy_ytd@CN-3301"
"""
INDICATORS = """unit_column = "B"
[series]
"一、进出口总额 / 1-本月 / 绝对量" = "trade_total_ytd@CN-33"
"其中：出口 / 本月 / 绝对量" = "export_value@CN-33"
"其中：出口 / 1-本月 / 同比±" = "export_yoy_ytd@CN-33"
"一般公共预算收入 / 1-本月 / 绝对量" = "fiscal_general_rev_ytd@CN-33"
"一般公共预算收入 / 1-本月 / 同比±" = "fiscal_general_rev_yoy_ytd@CN-33"
"三、全社会用电量 / 本月 / 绝对量" = "elec_total@CN-33"
"三、全社会用电量 / 本月 / 同比±" = "elec_total_yoy@CN-33"
"三、全社会用电量 / 1-本月 / 绝对量" = "elec_total_ytd@CN-33"
"四、居民消费价格指数 / 本月 / 绝对量" = "cpi_yoy@CN-33"
"""


class Desk:
    """A folder in which the analyst works."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def ingest(self, book: Path, mapping: str, day: str = "2018-06-20") -> Any:
        toml = self.folder / f"{book.stem}.toml"
        toml.write_text(HEAD.format(name=book.stem, day=day) + mapping, encoding="utf-8")
        return jingqi("data", "ingest", "office", book, "--mapping", toml)

    def refused(self, book: Path, mapping: str, *parts: str, day: str = "2019-01-20") -> None:
        done = self.ingest(book, mapping, day)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.count("\n") == 1
        for part in parts:
            assert part in done.stderr

    def stored(self, series: str) -> dict[str, float]:
        return {v["period"]: v["value"] for v in told("data", "show", series)["values"]}


@pytest.fixture
def desk(empty: Callable[[], Any], tmp_path: Path) -> Desk:
    empty()
    return Desk(tmp_path)


def test_a_monthly_report(desk: Desk) -> None:
    book = monthly(desk.folder / "月报.xlsx")
    first = REPORT.splitlines(keepends=True)
    desk.refused(
        book, "".join(first[:3]), "月报.xlsx, sheet 月报, cell D5: '固定资产投资 / 同比增长' is neither",
        'write "固定资产投资 / 同比增长" = "id@region" under [series]',
        'Not mapped either: "社会消费品零售总额 / 累计", "社会消费品零售总额 / 同比增长"',
    )  # fmt: skip
    desk.refused(book, REPORT.replace("fai_yoy_ytd", "fai_level"), "cell D5", "fai_level", "jingqi data catalogue")
    done = desk.ingest(book, REPORT)
    assert (done.returncode, done.stderr) == (0, "")
    assert desk.stored("ind_va_ytd@CN-33") == {
        "2018-02": 2034.5678, "2018-03": 3301.2345, "2018-04": 4489.1234, "2018-05": 5712.3456
    }  # fmt: skip
    assert desk.stored("fai_yoy_ytd@CN-33")["2018-05"] == 6.2
    assert desk.stored("retail_yoy_ytd@CN-33")["2018-03"] == 10.1
    again = desk.ingest(book, REPORT)
    assert re.search(r"20 +0 +0 +20 +yes", again.stdout)


def test_accounts_by_quarter(desk: Desk) -> None:
    book = accounts(desk.folder / "生产总值.xlsx")
    desk.refused(book, GDP, "sheet Sheet1, cell B7: '宁波市 / 总量'", 'Not mapped either: "宁波市 / 增速"')
    done = desk.ingest(book, 'ignore = ["宁波市"]\n' + GDP, day="2019-01-20")
    assert (done.returncode, done.stderr) == (0, "")
    assert desk.stored("gdp_ytd@CN-33") == {"2018-Q1": 11789, "2018-Q2": 25706, "2018-Q3": 39796, "2018-Q4": 56197}
    assert desk.stored("gdp_yoy_ytd@CN-3301") == {"2018-Q1": 7.4, "2018-Q2": 7.6, "2018-Q3": 7.5, "2018-Q4": 6.7}
    desk.refused(
        book,
        'ignore = ["宁波市"]\n' + GDP,
        "cell F5",
        "had not begun on the known day, 2018-06-20",
        "known_at",
        day="2018-06-20",
    )


def test_a_bulletin_and_the_month_in_which_somebody_mistook_the_unit(desk: Desk) -> None:
    book = bulletin(desk.folder / "主要指标.xlsx")
    desk.refused(book, INDICATORS.removeprefix('unit_column = "B"\n'), "cell B5", 'write unit_column = "B"')
    desk.refused(
        book, INDICATORS, "cell F5: '一、进出口总额 / 1-本月 / 同比±'",
        'write "一、进出口总额 / 1-本月 / 同比±" = "id@region" under [series]',
    )  # fmt: skip
    ignored = 'ignore = ["一、进出口总额 / 1-本月 / 同比±"]\n' + INDICATORS
    done = desk.ingest(book, ignored)
    assert (done.returncode, done.stderr) == (0, "")
    assert desk.stored("export_value@CN-33") == {"2018-05": 1712.3456}
    assert desk.stored("cpi_yoy@CN-33") == {"2018-05": 101.9}
    assert desk.stored("elec_total_ytd@CN-33") == {"2018-05": 1712.3}
    # A year of history, in which the sum of the year before is the measure; then 万千瓦时 under the heading 亿千瓦时.
    before = bulletin(desk.folder / "去年.xlsx")
    rows = ignored.replace("[series]", 'period = "2017年6月"\n[series]')
    assert desk.ingest(before, rows, day="2017-07-20").returncode == 0
    wrong = bulletin(desk.folder / "六月.xlsx", month=6, electricity=20987654)
    held = desk.ingest(wrong, ignored, day="2018-07-20")
    assert held.returncode == 1
    assert "unit:elec_total_ytd@CN-33:2018-06 is 20,987,654 where about 1,712 is expected" in held.stderr
    assert "--accept unit:elec_total_ytd@CN-33:2018-06" in held.stderr
    assert desk.stored("cpi_yoy@CN-33").keys() == {"2017-06", "2018-05"}  # nothing of the file was stored
    right = bulletin(desk.folder / "六月.xlsx", month=6, electricity=2098.7)
    assert desk.ingest(right, ignored, day="2018-07-20").returncode == 0
    assert desk.stored("elec_total_ytd@CN-33")["2018-06"] == 2098.7
