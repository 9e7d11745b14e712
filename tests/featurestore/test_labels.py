"""Period labels: a table of what offices write, and round trips under every spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calendar import Freq
from engine.errors import BadInput
from featurestore.sources.labels import Label, in_title, read


@pytest.mark.parametrize(
    ("text", "span", "last", "year"),
    [
        ("2018年1-2月", "pair", 2, 2018),
        ("2018年3月", "month", 3, 2018),
        ("1—3月", "ytd", 3, None),
        ("1月-3月", "ytd", 3, None),
        ("1－11月份", "ytd", 11, None),
        ("１～６月", "ytd", 6, None),
        ("1至9月累计", "ytd", 9, None),
        ("10-12月", "quarter", 12, None),
        ("一季度", "quarter", 3, None),
        ("第四季度", "quarter", 12, None),
        ("2 季度", "quarter", 6, None),
        ("上半年", "half", 6, None),
        ("2018年下半年", "half", 12, 2018),
        ("1-3季度", "ytd", 9, None),
        ("一至三季度", "ytd", 9, None),
        ("前三季度", "ytd", 9, None),
        ("前 3 个季度", "ytd", 9, None),
        ("1-2季度", "half", 6, None),
        ("前四季度", "year", 12, None),
        ("前两个月", "pair", 2, None),
        ("前11个月", "ytd", 11, None),
        ("十二月", "month", 12, None),
        ("十月份", "month", 10, None),
        ("二〇一八年一月", "month", 1, 2018),
        ("全年", "year", 12, None),
        ("2018年全年", "year", 12, 2018),
        ("2018", "year", 12, 2018),
        ("２０１８年", "year", 12, 2018),
        ("2018年度", "year", 12, 2018),
        ("2018年上半年", "half", 6, 2018),
        ("2018Q1", "quarter", 3, 2018),
        ("2018-Q4", "quarter", 12, 2018),
        ("Q3 2018", "quarter", 9, 2018),
        ("2018H1", "half", 6, 2018),
        ("2018-03", "month", 3, 2018),
        ("2018.10", "month", 10, 2018),
        ("201812", "month", 12, 2018),
        ("Jan-Feb 2018", "pair", 2, 2018),
        ("January–June 2018", "ytd", 6, 2018),
        ("2018 Sept.", "month", 9, 2018),
        ("March", "month", 3, None),
    ],
)
def test_what_offices_write(text: str, span: str, last: int, year: int | None) -> None:
    found = read(text)
    assert found is not None
    assert (found.span, found.last, found.year) == (span, last, year)


@pytest.mark.parametrize(
    "text", ["", "指标", "增长(%)", "本月", "累计", "亿元", "2018年增加值", "5.1", "12", "月", "1-2"]
)
def test_other_texts_are_no_labels(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize("text", ["13月", "0月", "2-5月", "5季度", "1-5季度", "2018年3-1月", "2018-13", "H3"])
def test_what_no_year_has(text: str) -> None:
    with pytest.raises(BadInput, match=r"period|span"):
        read(text)


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("浙江省2018年1-2月统计月报", Label("pair", 2, 2018)),
        ("表3  2018 年 3 月份主要指标", Label("month", 3, 2018)),
        ("２０１８年前三季度国民经济", Label("ytd", 9, 2018)),
        ("2018年一季度", Label("quarter", 3, 2018)),
        ("2018年上半年经济运行", Label("half", 6, 2018)),
        ("2018年统计月报", Label("year", 12, 2018)),
        ("统计月报", None),
    ],
)
def test_in_a_title(title: str, found: Label | None) -> None:
    assert in_title(title) == found


@st.composite
def labels(draw: st.DrawFn) -> Label:
    span = draw(st.sampled_from(["month", "pair", "ytd", "quarter", "half", "year"]))
    last = {
        "month": st.integers(1, 12), "pair": st.just(2), "ytd": st.integers(3, 12), "quarter": st.sampled_from([3, 6, 9, 12]),
        "half": st.sampled_from([6, 12]), "year": st.just(12),
    }[span]  # fmt: skip
    return Label(span, draw(last), draw(st.none() | st.integers(1600, 2199)))  # type: ignore[arg-type]


@given(labels(), st.sampled_from("-—–－~～至"), st.booleans(), st.booleans())
def test_round_trip(label: Label, dash: str, wide: bool, blanks: bool) -> None:
    text = str(label).replace("-", dash)
    if wide:
        text = text.translate({ord(d): ord(d) + 0xFEE0 for d in "0123456789"})
    if blanks:
        text = f"　{' '.join(text)}\t"
    assert read(text) == label
    if label.year is not None:
        assert in_title(f"全省{text}统计月报") == label


@given(labels(), st.integers(1600, 2199))
def test_a_period_of_a_series_ends_where_the_label_ends(label: Label, year: int) -> None:
    for freq in (Freq.M, Freq.Q, Freq.A):
        try:
            period = label.period(freq, year)
        except BadInput:
            continue
        assert period.freq is freq
        assert period.last_month.end.month == label.last
        assert period.end.year == (label.year or year)


def test_which_series_a_label_fits() -> None:
    def at(text: str, freq: Freq) -> str | None:
        found = read(text)
        assert found is not None
        try:
            return str(found.period(freq, 2018))
        except BadInput:
            return None

    assert at("1-2月", Freq.M) == "2018-02"
    assert [at(t, Freq.Q) for t in ("一季度", "上半年", "前三季度", "全年")] == [f"2018-Q{q}" for q in (1, 2, 3, 4)]
    assert [at(t, Freq.Q) for t in ("3月", "1-2月", "1-5月", "下半年")] == [None] * 4
    assert (at("1-9月", Freq.Q), at("全年", Freq.M), at("全年", Freq.A)) == ("2018-Q3", "2018-12", "2018")
    assert [at(t, Freq.M) for t in ("二季度", "下半年")] == [None, None]
    assert [at(t, Freq.A) for t in ("上半年", "四季度", "12月")] == [None, None, None]
    with pytest.raises(BadInput, match="no year"):
        Label("pair", 2).period(Freq.M)


def test_the_period_in_which_a_label_ends() -> None:
    labels = (Label("pair", 2, 2018), Label("ytd", 9, 2018), Label("quarter", 3, 2018), Label("half", 12, 2018))
    assert [str(label.ends) for label in labels] == ["2018-02", "2018-09", "2018-Q1", "2018-Q4"]
    assert str(Label("year", 12, 2018).ends) == "2018"
