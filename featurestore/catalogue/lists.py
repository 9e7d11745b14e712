"""The two lists that the plan demands, made from the catalogue: what the departments deliver, and through which interface.

A line is a mapping of texts; of each text in two languages there are two, ``..._zh`` and ``..._en``. What the catalogue assumes
is marked, so that the department can put it right.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from engine.calendar import Freq
from engine.indicator import Indicator, Region
from featurestore.catalogue import Catalogue

Line = dict[str, str]
TITLES = {"needs": "数据需求清单 Data needs", "interfaces": "数据接口清单 Data interfaces"}
COLUMNS = {
    "number": "模块号 No.", "module_zh": "模块", "module_en": "Module", "submodule_zh": "子模块", "submodule_en": "Submodule",
    "id": "代码 ID", "content_zh": "数据内容", "content_en": "Content", "fields_zh": "字段", "fields_en": "Fields",
    "department_zh": "来源部门", "department_en": "Department", "frequency_zh": "频率", "frequency_en": "Frequency",
    "due_zh": "报送时限", "due_en": "Due day", "name_zh": "接口名称", "name_en": "Interface",
    "description_zh": "接口说明", "description_en": "Description", "inputs_zh": "输入", "inputs_en": "Inputs",
    "outputs_zh": "输出", "outputs_en": "Outputs",
}  # fmt: skip
"""What stands above the texts of a line."""

_FREQ = {
    Freq.A: ("年度", "annual"),
    Freq.Q: ("季度", "quarterly"),
    Freq.M: ("月度", "monthly"),
    Freq.W: ("周度", "weekly"),
    Freq.D: ("日度", "daily"),
}
_PERIOD = {
    Freq.A: ("年", "year"),
    Freq.Q: ("季", "quarter"),
    Freq.M: ("月", "month"),
    Freq.W: ("周", "week"),
    Freq.D: ("日", "day"),
}
_MEASURE = {
    "level": ("数值", "value"), "count": ("数量", "count"), "yoy": ("同比增速", "growth on the year"), "share": ("比重", "share"),
    "ratio": ("比率", "ratio"), "index": ("指数", "index"),
}  # fmt: skip
_STRETCH = {
    "month": ("当月", "of the month"), "quarter": ("当季", "of the quarter"), "annual": ("全年", "of the year"),
    "ytd": ("累计", "year to date"), "eop": ("期末", "end of period"),
}  # fmt: skip
_INDEX = {
    "index_yoy": ("同比指数", "index on the year"), "index_mom": ("环比指数", "index on the month before"),
    "index_yoy_ytd": ("累计同比指数", "index on the year, year to date"), "index_di": ("扩散指数", "diffusion index"),
    "index_balance": ("景气指数", "balance index"),
}  # fmt: skip
_TENTATIVE = ("（暂定）", " (assumed)")


def needs(catalogue: Catalogue) -> list[Line]:
    """The list of data needs: one line an indicator of the plan, in the order of its modules."""
    return [
        {
            "number": str(catalogue.modules[i.module].number),
            **_placed(catalogue, i),
            "id": i.id,
            "content_zh": i.name_zh,
            "content_en": i.name_en,
            **_both("fields", _fields(i)),
            **_both("department", _marked((i.agency_zh, i.agency), i, "agency")),
            **_both("frequency", _frequency(i)),
            **_both("due", due(i)),
        }
        for i in _plan(catalogue)
    ]


def interfaces(catalogue: Catalogue) -> list[Line]:
    """The list of data interfaces: one line for all that one department delivers to one submodule."""

    def key(i: Indicator) -> tuple[str, str, str]:
        return i.module, i.submodule, i.agency

    plan = list(_plan(catalogue))
    first = {k: n for n, k in reversed(list(enumerate(map(key, plan))))}
    return [
        _interface(catalogue, list(together))
        for _, together in groupby(sorted(plan, key=lambda i: first[key(i)]), key=key)
    ]


def due(i: Indicator) -> tuple[str, str]:
    """The day by which a period must have been delivered, in Chinese and English."""
    days, (zh, en) = i.delay_days, _PERIOD[i.freq]
    if days <= 0:
        said = (f"当{zh}末", f"at the end of the {en}")
        if days:
            said = (f"{said[0]}前{-days}日", f"{-days} days before the end of the {en}")
    elif i.freq is Freq.M and days <= 28:
        said = (f"次月{days}日前", f"by day {days} of the next month")
    else:
        said = (f"{zh}后{days}日内", f"within {days} days of the end of the {en}")
    return _marked(said, i, "delay_days")


def _plan(catalogue: Catalogue) -> Iterator[Indicator]:
    inside = [i for i in catalogue.indicators.values() if catalogue.modules[i.module].number is not None]
    yield from sorted(inside, key=lambda i: catalogue.modules[i.module].number or 0)


def _interface(catalogue: Catalogue, delivered: Sequence[Indicator]) -> Line:
    one = delivered[0]
    placed = _placed(catalogue, one)
    count = Counter(i.freq for i in delivered)
    unsure = next((i for i in delivered if "agency" in i.assumed.split()), one)
    zh = "、".join(f"{_FREQ[f][0]}{n}项" for f, n in count.items())
    en = ", ".join(f"{n} {_FREQ[f][1]}" for f, n in count.items())
    codes = {c: catalogue.regions[c] for i in delivered for c in catalogue.measured[i.id]}
    where = (_places(codes.values(), zh=True), _places(codes.values(), zh=False))
    return {
        "name_zh": f"{placed['module_zh']}·{placed['submodule_zh']}（{one.agency_zh}）",
        "name_en": f"{placed['module_en']}, {placed['submodule_en']} ({one.agency})",
        "description_zh": f"提供“{placed['submodule_zh']}”的指标数据：{zh}",
        "description_en": f"Figures on {placed['submodule_en']}: {en}",
        "inputs_zh": f"指标代码；地区：{where[0]}；统计期：{'、'.join(_FREQ[f][0] for f in count)}；截至日",
        "inputs_en": f"indicator; region: {where[1]}; period: {', '.join(_FREQ[f][1] for f in count)}; information date",
        "outputs_zh": "；".join(f"{i.id} {i.name_zh}（{i.unit_zh}）" for i in delivered) + "；各附公布日、状态",
        "outputs_en": "; ".join(f"{i.id} ({i.unit})" for i in delivered) + "; each with day of release and status",
        **_both("department", _marked((one.agency_zh, one.agency), unsure, "agency")),
    }


def _placed(catalogue: Catalogue, i: Indicator) -> Line:
    module = catalogue.modules[i.module]
    submodule = (module.submodules[i.submodule], i.submodule)
    return {**_both("module", (module.name_zh, module.name_en)), **_both("submodule", submodule)}


def _fields(i: Indicator) -> tuple[str, str]:
    """Period, region, the figure with its kind and unit, status."""
    measure, _, stretch = i.kind.partition("_")
    if (said := _INDEX.get(i.kind)) is None:
        (zh, en), (when_zh, when_en) = _MEASURE[measure], _STRETCH.get(stretch, ("", ""))
        said = (when_zh + zh, f"{en} {when_en}".strip())
    unit = _marked((i.unit_zh, i.unit), i, "unit")
    return f"统计期、地区、{said[0]}（{unit[0]}）、状态", f"period, region, {said[1]} ({unit[1]}), status"


def _frequency(i: Indicator) -> tuple[str, str]:
    zh, en = _marked(_FREQ[i.freq], i, "freq")
    if since := re.search(r"combined since (\d{4})", i.jan_feb):
        return f"{zh}，{since[1]}年起1—2月合并", f"{en}, January and February as one since {since[1]}"
    if i.jan_feb == "combined":
        return f"{zh}，1—2月合并", f"{en}, January and February as one"
    return zh, en


def _places(regions: Collection[Region], *, zh: bool) -> str:
    """Names; cities only by their number."""
    names = [r.name_zh if zh else r.name_en for r in regions if r.level != "city"]
    if cities := sum(r.level == "city" for r in regions):
        names.append(f"{cities}个设区市" if zh else f"{cities} cities")
    return "、".join(names) if zh else ", ".join(names)


def _marked(said: tuple[str, str], i: Indicator, field: str) -> tuple[str, str]:
    zh, en = _TENTATIVE if field in i.assumed.split() else ("", "")
    return said[0] + zh, said[1] + en


def _both(name: str, said: tuple[str, str]) -> Line:
    return {f"{name}_zh": said[0], f"{name}_en": said[1]}
