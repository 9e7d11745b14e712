"""Office workbooks: three that look real load with one mapping each, and each mistake is named with its cell and its cure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from engine.calendar import Period, end_of
from engine.errors import BadInput, Unknown
from engine.indicator import Series
from featurestore import catalogue
from featurestore.sources import units
from featurestore.sources.office import loads

MEANINGS: Mapping[str, Mapping[str, str]] = {
    "iva": {"kind": "level_ytd", "unit": "100 million yuan", "unit_zh": "亿元"},
    "iva_yoy": {"kind": "yoy_ytd", "unit": "%", "unit_zh": "%"},
    "trade": {"kind": "level_month", "unit": "100 million yuan", "unit_zh": "亿元"},
    "trade_ytd": {"kind": "level_ytd", "unit": "100 million yuan", "unit_zh": "亿元"},
    "cpi": {"kind": "index_yoy", "unit": "same month of last year = 100", "unit_zh": "上年同月=100"},
    "gdp": {"kind": "level_ytd", "freq": "Q", "unit": "100 million yuan", "unit_zh": "亿元"},
    "gdp_yoy": {"kind": "yoy_ytd", "freq": "Q", "unit": "%", "unit_zh": "%"},
    "power": {"kind": "level_ytd", "unit": "100 million kWh", "unit_zh": "亿千瓦时"},
}


@pytest.fixture(autouse=True)
def names(make: Callable[..., Series], monkeypatch: pytest.MonkeyPatch) -> None:
    """A small Chinese catalogue, so that these tests do not hang on the one that we ship."""
    known = {f"{name}@US": make(name, **meaning) for name, meaning in MEANINGS.items()}

    class Small:
        def series(self, series_id: str) -> Series:
            if series_id not in known:
                raise Unknown(f"{series_id} is not in the catalogue (jingqi data catalogue lists it)")
            return known[series_id]

    monkeypatch.setattr(catalogue, "load", Small)


def book(rows: Sequence[Sequence[Any]], *, merge: tuple[str, ...] = (), title: str = "Sheet1") -> Workbook:
    made = Workbook()
    page = sheet(made)
    page.title = title
    for row in rows:
        page.append(row)
    for area in merge:
        page.merge_cells(area)
    return made


def sheet(made: Workbook) -> Worksheet:
    page = made.active
    assert isinstance(page, Worksheet)
    return page


def read(tmp_path: Path, made: Workbook, mapping: str) -> dict[tuple[str, str], float]:
    made.save(tmp_path / "月报.xlsx")
    head = 'source = "office"\nrelease = "report"\nknown_at = 2019-03-20\n'
    (tmp_path / "m.toml").write_text(head + mapping, encoding="utf-8")
    (load,) = loads(tmp_path / "月报.xlsx", tmp_path / "m.toml")
    assert load.values["status"].unique().to_list() == ["A"]
    freq = {s.id: s.freq for s in load.series}
    return {(i.split("@")[0], str(Period(freq[i], p))): v for i, p, v, _ in load.values.iter_rows()}


# 1. Periods to the left, two rows of merged headings, 万元, a note and a footnote mark below.
REPORT = """
header_rows = [3, 4]
[series]
"规模以上工业 / 增加值" = "iva@US"
"规模以上工业 / 增速" = "iva_yoy@US"
"居民消费价格指数" = "cpi@US"
"""


def report() -> Workbook:
    return book(
        [
            ["浙江省主要经济指标"],
            ["填报日期：2019年3月15日"],
            ["时间", "规模以上工业①", None, "居民消费价格指数\n(上年同月＝100)"],
            [None, "增加值（万元）", "增速（%）", None],
            ["2018年１—２月", "21,234,567.8", 9.5, 101.9],
            ["1-3月", 33500000, "8.1%", "—"],
            [],
            ["2019年1-2月", "23 456 789", "-1.2*", "…"],
            ["注：①规模以上工业为年主营业务收入2000万元及以上的工业企业。", None, None, 1],
        ],
        merge=("A1:D1", "A3:A4", "B3:C3", "D3:D4", "A9:C9"),
    )


def test_periods_to_the_left(tmp_path: Path) -> None:
    assert read(tmp_path, report(), REPORT) == {
        ("iva", "2018-02"): 2123.45678,
        ("iva_yoy", "2018-02"): 9.5,
        ("cpi", "2018-02"): 101.9,
        ("iva", "2018-03"): 3350.0,
        ("iva_yoy", "2018-03"): 8.1,
        ("iva", "2019-02"): 2345.6789,
        ("iva_yoy", "2019-02"): -1.2,
    }  # and no row for January


# 2. Indicators to the left with a unit column, the period only in the title, month and year to date side by side.
BULLETIN = """
header_rows = [4, 5]
unit_column = "B"
ignore = ["去年同期", "备注"]
sheet = "主要指标"
[series]
"进出口总额 / 本月" = "trade@US"
"进出口总额 / 1-本月累计" = "trade_ytd@US"
"全社会用电量 / 1-本月累计" = "power@US"
"其中：工业增加值 / 同比增长" = "iva_yoy@US"
"""


def bulletin() -> Workbook:
    made = book(
        [
            ["2018年11月份全省统计月报"],
            [],
            ["（内部资料）"],
            ["指标名称", "计量单位", "绝对量", None, "同比增长(%)", "去年同期", "备注"],
            [None, None, "本月", "1-本月累计", None, None, None],
            ["进出口总额", "亿元", 2560.5, 25678.1, None, 1, "初步"],
            ["全社会用电量", "万千瓦时", None, 41234567, None, 2, None],
            ["一、工业"],
            ["　其中：工业增加值", "亿元", None, None, 0.073, 3, None],
            ["备注：数据来自海关。"],
        ],
        merge=("A1:G1", "A4:A5", "B4:B5", "C4:D4", "E4:E5", "F4:F5", "G4:G5"),
        title="主要指标",
    )
    sheet(made)["E9"].number_format = "0.0%"
    made.create_sheet("附表", 0)["A1"] = "目录"
    return made


def test_one_period_in_the_title(tmp_path: Path) -> None:
    mapping = BULLETIN.replace('"进出口总额 /', '"进出口总额 / 绝对量 /').replace("用电量 /", "用电量 / 绝对量 /")
    found = read(tmp_path, bulletin(), mapping)
    assert found == {
        ("trade", "2018-11"): 2560.5,
        ("trade_ytd", "2018-11"): 25678.1,
        ("power", "2018-11"): 4123.4567,
        ("iva_yoy", "2018-11"): pytest.approx(7.3, abs=1e-12),
    }


# 3. Periods above, years merged over them, quarters in every style, a hidden column, units in a caption.
ACCOUNTS = """
header_rows = [3, 4]
units = { "增速" = "%" }
[series]
"地区生产总值" = "gdp@US"
"增速" = "gdp_yoy@US"
"""


def accounts() -> Workbook:
    made = book(
        [
            ["地区生产总值（初步核算）", None, None, None, None, "单位：亿元"],
            [],
            ["指标", "2017年", "2018年", None, None, None],
            [None, "全年", "一季度", "上半年", "1-3季度", "全年"],
            ["地区生产总值", 51768, 11789, 25706, "39,796", 56197],
            ["增速", 7.8, 7.4, 7.6, 7.5, "７．１"],
            ["资料来源：省统计局", None, None, None, None, None],
        ],
        merge=("A3:A4", "C3:F3"),
    )
    page = sheet(made)
    page.insert_cols(3)
    page["C4"], page["C5"] = "草稿", "不用"
    page.column_dimensions["C"].hidden = True
    return made


def test_periods_above(tmp_path: Path) -> None:
    made = accounts()
    page = sheet(made)
    page.unmerge_cells("C3:F3")
    page["D3"], page["C3"] = "2018年", None
    page.merge_cells("D3:G3")
    found = read(tmp_path, made, ACCOUNTS)
    assert {k: v for k, v in found.items() if k[0] == "gdp"} == {
        ("gdp", "2017-Q4"): 51768,
        ("gdp", "2018-Q1"): 11789,
        ("gdp", "2018-Q2"): 25706,
        ("gdp", "2018-Q3"): 39796,
        ("gdp", "2018-Q4"): 56197,
    }
    assert found["gdp_yoy", "2018-Q4"] == 7.1


SIMPLE = 'header_rows = [1]\n[series]\n"进出口额" = "trade@US"\n'


@pytest.mark.parametrize(
    ("change", "place", "cure"),
    [
        ({"B3": "约100"}, "cell B3", "missing"),
        ({"A3": "13月"}, "cell A3", "no year has such a period"),
        ({"A3": "2018年2-5月"}, "cell A3", "not a span"),
        ({"A4": "2018年3月"}, "cell B4", "stands in B3 already"),
        ({"A4": "1-2月"}, "cell A4", "of which year"),
        ({"A4": "1-4月"}, "cell B4", "year-to-date"),
        ({"A4": "二季度"}, "cell B4", "no period of a series of frequency M"),
        ({"A4": "2020年4月"}, "cell B4", "had not begun"),
        ({"A4": "合计"}, "cell B4", '"合计 / 进出口额" = "id@region"'),
        ({"B1": "进出口额"}, "cell B2", 'under [units]'),
        ({"B1": "进出口额(亿美元)"}, "cell B2", "亿美元 cannot be converted to 亿元"),
        ({"B1": "进口额(亿元)"}, "cell B2", "neither in the mapping's series nor in its ignore"),
        ({"B3": "=B2*2"}, "cell B3", "open it in Excel and save it"),
        ({"B3": "12%"}, "cell B3", "% cannot be converted"),
        ({"B3": "1,23"}, "cell B3", "not a number"),
        ({"B3": True}, "cell B3", "not a number"),
        ({"B3": "#DIV/0!"}, "cell B3", "not a number"),
        ({"A2": None, "A3": None, "A4": None}, "cell B2", "period ="),
        ({"A2": "1月"}, "cell B2", "year = 2018"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_cell(tmp_path: Path, change: dict[str, Any], place: str, cure: str) -> None:
    made = book([["时间", "进出口额(亿元)"], ["2018年1-2月", 4000], ["3月", 2100], ["4月", 2300]])
    assert read(tmp_path, made, SIMPLE) == {("trade", f"2018-0{m}"): v for m, v in ((2, 4000), (3, 2100), (4, 2300))}
    for cell, value in change.items():
        sheet(made)[cell] = value
    with pytest.raises(BadInput) as caught:
        read(tmp_path, made, SIMPLE)
    assert str(caught.value).startswith(f"月报.xlsx, sheet Sheet1, {place}: ")
    assert cure in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("[1]", "[0]", "header_rows"),
        ("[1]\n", "[1]\nheader = 2\n", "column header"),
        ("trade@US", "none@US", "cell B2: '进出口额': none@US is not in the catalogue"),
        ('进出口额"', '出口额"', "neither in"),
        ("[1]\n", '[1]\nignore = ["进出口额"]\n', "holds no value"),
        ("[1]\n", '[1]\nsheet = "附表"\n', "no sheet '附表'; there are Sheet1"),
        ("[1]\n", '[1]\nperiod = "春天"\n', "no label of a period"),
        ("[1]\n", '[1]\nlabel_columns = ["1"]\n', "not a column of a sheet"),
        ("[1]\n", '[1]\nunits = { "出口" = "亿元" }\n', "units names '出口'"),
        ("trade@US", 'trade@US"\n"没有" = "gdp@US', "nothing is named '没有'"),
    ],
)
def test_a_mistake_in_the_mapping(tmp_path: Path, old: str, new: str, problem: str) -> None:
    made = book([["时间", "进出口额(亿元)"], ["2018年1-2月", 4000], ["3月", 2100]])
    with pytest.raises(BadInput) as caught:
        read(tmp_path, made, SIMPLE.replace(old, new))
    assert problem in str(caught.value)


def test_one_cell_over_january_and_february(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["2018年进出口"], ["", "1月", "2月", "3月"], ["进出口额(万元)", 40000, None, 21000]]
    mapping = SIMPLE.replace("[1]", "[2]")
    found = read(tmp_path, book(rows, merge=("B3:C3",)), mapping)
    assert found == {("trade", "2018-02"): 4.0, ("trade", "2018-03"): 2.1}
    with pytest.raises(BadInput, match=r"cell B3: one cell over 2018-01, 2018-02, 2018-03: split it"):
        read(tmp_path, book([*rows[:2], rows[2][:2]], merge=("B3:D3",)), mapping)


def test_month_and_year_to_date_under_one_name(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["指标", "2018年1-2月", "3月", "1-3月", "4月", "1-4月"],
        ["进出口额(亿元)", 40, 20, 60, 30, 90],
    ]
    mapping = 'header_rows = [1]\n[series]\n"进出口额" = { month = "trade@US", ytd = "trade_ytd@US" }\n'
    found = read(tmp_path, book(rows), mapping)
    assert {k[1]: v for k, v in found.items() if k[0] == "trade"} == {"2018-03": 20, "2018-04": 30}
    assert {k[1]: v for k, v in found.items() if k[0] == "trade_ytd"} == {"2018-02": 40, "2018-03": 60, "2018-04": 90}
    with pytest.raises(
        BadInput, match=r"cell C2: '进出口额' has no series for 2018年3月|cell C2: .* \(a month\): add it"
    ):
        read(tmp_path, book(rows), mapping.replace('month = "trade@US", ', ""))


def test_years_by_months_and_year_columns(tmp_path: Path) -> None:
    table: list[list[Any]] = [["进出口额(亿元)"], ["年份", "1-2月", "3月"], [2017, 3, 4], ["2018年", 5, 6]]
    grid = book(table)
    mapping = SIMPLE.replace("[1]", "[1, 2]")
    sheet(grid).merge_cells("A1:C1")
    expected = {("trade", f"201{y}-0{m}"): v for y, m, v in ((7, 2, 3), (7, 3, 4), (8, 2, 5), (8, 3, 6))}
    assert read(tmp_path, grid, mapping) == expected
    rows: list[list[Any]] = [
        ["年", "月", "进出口额(亿元)"],
        [2017, "1-2月", 3],
        [None, "3月", 4],
        [2018, "1-2月", 5],
        [None, "3月", 6],
    ]
    assert read(tmp_path, book(rows), SIMPLE.replace("[1]\n", '[1]\nlabel_columns = ["A", "B"]\n')) == expected
    dates: list[list[Any]] = [["月", "进出口额(亿元)"], [datetime(2017, 2, 1), 3], [datetime(2017, 3, 31), 4]]
    assert list(read(tmp_path, book(dates), SIMPLE).values()) == [3, 4]


def test_footnote_marks_are_no_digits_and_some_names_begin_like_notes(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["指标", "2018年3月①", "4月²"],
        ["注册进出口额(亿元)", "8.1²", "9①"],
        ["注 1", 5, 6],
        ["Sources of data", 5, 6],
    ]
    found = read(tmp_path, book(rows), SIMPLE.replace('"进出口额"', '"注册进出口额"'))
    assert found == {("trade", "2018-03"): 8.1, ("trade", "2018-04"): 9.0}


@pytest.mark.parametrize(
    ("title", "period"),
    [
        ("2018年1-4月各市主要指标", "2018-04"),
        ("2018年4月各市主要指标（2018年5月15日印发）", "2018-04"),
        ("各市主要指标 2018-05-15 2018.4", None),
        ("各市主要指标", None),
    ],
)
def test_the_title_tells_the_period(tmp_path: Path, title: str, period: str | None) -> None:
    made = book([[title], ["地区", "进出口额(亿元)"], ["全　省", 100], ["杭州市", 40]])
    mapping = 'header_rows = [2]\nignore = ["杭州市"]\n[series]\n"全省 / 进出口额" = "trade_ytd@US"\n'
    if period:
        assert read(tmp_path, made, mapping) == {("trade_ytd", period): 100}
    else:
        with pytest.raises(BadInput, match="cell B3: no heading tells the period, and the title tells none"):
            read(tmp_path, made, mapping)
    said = read(tmp_path, made, 'period = "2018年上半年"\n' + mapping)
    assert said == {("trade_ytd", "2018-06"): 100}


def test_wrong_header_rows_are_hinted_at(tmp_path: Path) -> None:
    made = book([["外贸"], ["时间", "进出口额(亿元)"], ["2018年1-2月", 4000]])
    with pytest.raises(BadInput, match=r"cell B2: .* or correct header_rows"):
        read(tmp_path, made, SIMPLE)


def test_hidden_rows_are_not_read(tmp_path: Path) -> None:
    made = book([["时间", "进出口额(亿元)"], ["2018年1-2月", 4000], ["2018年3月", "草稿"], ["2018年4月", 2300]])
    sheet(made).row_dimensions[3].hidden = True
    assert read(tmp_path, made, SIMPLE) == {("trade", "2018-02"): 4000, ("trade", "2018-04"): 2300}


def test_what_is_no_workbook(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text('source="a"\nrelease="b"\nknown_at=2018-01-01\n' + SIMPLE, encoding="utf-8")
    for content, problem in ((b"\xd0\xcf\x11\xe0old", "save it as .xlsx"), (b"PK\x03\x04", "not a whole xlsx file")):
        (tmp_path / "f.xlsx").write_bytes(content)
        with pytest.raises(BadInput, match=problem):
            list(loads(tmp_path / "f.xlsx", tmp_path / "m.toml"))
    with pytest.raises(BadInput, match="cannot be read"):
        list(loads(tmp_path / "none.xlsx", tmp_path / "m.toml"))


def test_the_release(tmp_path: Path) -> None:
    read(tmp_path, report(), REPORT)
    (load,) = loads(tmp_path / "月报.xlsx", tmp_path / "m.toml")
    assert load.release.known_at == end_of(datetime(2019, 3, 20).date())
    assert (load.release.source, load.release.code, load.release.precision) == ("office", "report", "day")
    assert {s.id for s in load.series} == {"iva@US", "iva_yoy@US", "cpi@US"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("增加值（万元）", ("增加值", "万元")),
        ("增长(％)", ("增长", "%")),
        ("同比±%", ("同比±", "%")),
        ("用电量(亿千瓦时)①", ("用电量", "亿千瓦时")),
        ("CPI（以上年同月为100）", ("CPI", "上年同月=100")),
        ("增加值(规上)", ("增加值(规上)", None)),
        ("进出口总额①（万元）", ("进出口总额", "万元")),
        ("利润总额（注2）（亿元）", ("利润总额", "亿元")),
        ("税收²*(亿元)", ("税收", "亿元")),
        ("万元", ("", "万元")),
        ("亩均税收(万元/亩)", ("亩均税收", "万元/亩")),
        ("R&D 经费 [1]", ("R&D经费", None)),
    ],
)
def test_a_heading_is_a_name_and_a_unit(text: str, found: tuple[str, str | None]) -> None:
    assert units.split(text) == found


def test_conversion() -> None:
    assert units.convert(12345.0, "万元", "亿元") == 1.2345
    assert units.convert(2.5, "万元/人", "元/人") == 25000
    assert units.convert(3.0, "万千瓦时", "亿千瓦时") == 0.0003
    assert units.convert(3.0, "‰", "%") is None
    assert units.convert(3.0, "亿美元", "亿元") is None
    assert units.convert(3.0, "千瓦时", "瓦时") is None
    assert units.convert(3.0, "索引", "索引") == 3.0
