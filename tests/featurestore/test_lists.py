"""The two lists that the plan demands: complete, in both languages, and a workbook that can be read as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from engine.calendar import Freq
from featurestore.catalogue import lists, load
from featurestore.workbook import Sheet, width, write


def test_every_indicator_of_the_plan_is_needed_once() -> None:
    known = load()
    needs = lists.needs(known)
    assert [n["id"] for n in needs] == [i.id for i in known.indicators.values() if i.kind]
    assert all(all(n.values()) for n in needs)
    assert [int(n["number"]) for n in needs] == sorted(int(n["number"]) for n in needs)
    assert len({(n["module_zh"], n["submodule_zh"]) for n in needs}) == 60
    assert set().union(*needs) <= set(lists.COLUMNS)
    (exports,) = (n for n in needs if n["id"] == "export_value")
    assert exports == {
        "number": "3", "module_zh": "三大需求", "module_en": "three demands", "submodule_zh": "进出口",
        "submodule_en": "imports and exports", "id": "export_value",
        "content_zh": "出口总额(当月)", "content_en": "Exports in the month",
        "fields_zh": "统计期、地区、当月数值（亿元）、状态",
        "fields_en": "period, region, value of the month (100 million yuan), status",
        "department_zh": "杭州海关", "department_en": "Hangzhou Customs", "frequency_zh": "月度，2020年起1—2月合并",
        "frequency_en": "monthly, January and February as one since 2020",
        "due_zh": "次月15日前", "due_en": "by day 15 of the next month",
    }  # fmt: skip


def test_every_indicator_comes_through_one_interface() -> None:
    known = load()
    interfaces = lists.interfaces(known)
    plan = [i for i in known.indicators.values() if i.kind]
    assert len(interfaces) == len({(i.module, i.submodule, i.agency) for i in plan})
    assert len({i["name_zh"] for i in interfaces}) == len({i["name_en"] for i in interfaces}) == len(interfaces)
    assert all(all(i.values()) for i in interfaces)
    for language, sign in (("zh", "；"), ("en", "; ")):
        delivered = [o.split()[0] for i in interfaces for o in i[f"outputs_{language}"].split(sign)[:-1]]
        assert sorted(delivered) == sorted(i.id for i in plan)
    (homes,) = (i for i in interfaces if i["name_en"].startswith("price level, house prices"))
    assert homes["description_zh"] == "提供“房地产价格”的指标数据：月度2项"
    assert homes["inputs_zh"] == "指标代码；地区：4个设区市；统计期：月度；截至日"
    assert homes["outputs_en"].startswith("house_price_new_mom (last month = 100); ")
    (all_of_it,) = (i for i in interfaces if i["name_en"].startswith("gdp, growth"))
    assert all_of_it["inputs_en"] == (
        "indicator; region: Zhejiang, 11 cities; period: quarterly, annual; information date"
    )


def test_what_is_assumed_is_marked() -> None:
    known = load()
    needs = {n["id"]: n for n in lists.needs(known)}
    fields = {"freq": "frequency", "delay_days": "due", "agency": "department", "unit": "fields"}
    for i in known.indicators.values():
        if i.kind:
            for field, text in fields.items():
                marked = field in i.assumed.split()
                assert ("（暂定）" in needs[i.id][f"{text}_zh"]) is marked
                assert ("(assumed)" in needs[i.id][f"{text}_en"]) is marked
    unsure = {i["name_zh"] for i in lists.interfaces(known) if "（暂定）" in i["department_zh"]}
    assert "金融运行·保费收入（省保监局）" in unsure
    assert "物价水平·生产者价格（国家统计局浙江调查总队）" not in unsure


@pytest.mark.parametrize(
    ("freq", "days", "zh", "en"),
    [
        ("M", 18, "次月18日前", "by day 18 of the next month"),
        ("M", 49, "月后49日内", "within 49 days of the end of the month"),
        ("M", 0, "当月末", "at the end of the month"),
        ("M", -2, "当月末前2日", "2 days before the end of the month"),
        ("Q", 20, "季后20日内", "within 20 days of the end of the quarter"),
        ("A", 60, "年后60日内", "within 60 days of the end of the year"),
        ("D", 0, "当日末", "at the end of the day"),
    ],
)
def test_due_days(freq: str, days: int, zh: str, en: str) -> None:
    some = load().indicators["cn_mfg_pmi"]
    assert lists.due(replace(some, freq=Freq(freq), delay_days=days)) == (zh, en)


def test_the_workbook(tmp_path: Path) -> None:
    path = tmp_path / "lists.xlsx"
    lines = {"needs": lists.needs(load()), "interfaces": lists.interfaces(load())}
    write(path, [Sheet(lists.TITLES[name], lists.COLUMNS, of) for name, of in lines.items()])
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == list(lists.TITLES.values())
    for page, of in zip(book, lines.values(), strict=True):
        header, *rows = page.iter_rows(values_only=True)
        assert list(header) == [lists.COLUMNS[k] for k in of[0]]
        assert [list(r) for r in rows] == [list(line.values()) for line in of]
        assert (page.freeze_panes, page.auto_filter.ref) == ("A2", page.dimensions)
        assert all(cell.font.bold for cell in page[1])
        assert not page["A2"].font.bold
        for column in page.columns:
            have = page.column_dimensions[column[0].column_letter].width
            need = max(width(str(c.value)) for c in column)
            assert min(need, 60) < have <= 62
            assert need <= 60 or all(c.alignment.wrap_text for c in column)


def test_width_of_chinese() -> None:
    assert (width("GDP"), width("增速"), width("（%）")) == (3, 4, 5)
