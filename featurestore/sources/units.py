"""Units as offices write them: found in a heading, and converted where the factor is known.

>>> split("工业增加值（万元）")
('工业增加值', '万元')
>>> convert(12345.0, "万元", "亿元")
1.2345
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

_SCALES = {
    "万亿": 10**12,
    "亿": 10**8,
    "千万": 10**7,
    "百万": 10**6,
    "十万": 10**5,
    "万": 10**4,
    "千": 10**3,
    "百": 100,
}
_KNOWN = """
元 美元 人 人次 户 家 个 件 台 辆 套 吨 公斤 千克 吨公里 吨标准煤 标箱 千瓦时 度 平方米 平方公里 立方米 公顷 亩 公里
微克/立方米 天 倍 点 次 项 百分点 % ‰
"""
_BASES = frozenset(_KNOWN.split())
_INDEX = re.compile(r"以?(上年同月|上年同期|上月|上年|上期|去年同期|\d{4}年)(?:为|=)?100")
_RAISED = re.compile(r"[①-⑳]|(?<=[^\d/a-zA-Z])[¹²³]")  # wherever they stand: NFKC would make digits of them
_MARKS = re.compile(r"(?:[*†‡§]|[(\[【（]?注\d*[)\]】）]?|\[\d+\])+$")


def plain(text: str) -> str:
    """A heading in one spelling: half-width, without blanks and without footnote marks (①; *, [1], 注1 at its end)."""
    text = "".join(unicodedata.normalize("NFKC", _RAISED.sub("", text)).split())
    found = _MARKS.search(text)
    return text[: found.start()] if found and found.start() else text


def unit_of(text: str) -> str | None:
    """The unit that a text is, in one spelling: 亿元, %, 上年同月=100. None if it is no unit that we know."""
    text = plain(text).replace("人民币", "")
    if hit := _INDEX.fullmatch(text):
        return f"{hit[1]}=100"
    return text if _scale(text) else None


def split(heading: str) -> tuple[str, str | None]:
    """Name and unit of a heading, the unit in brackets or as a % sign at its end. A heading may be a unit alone."""
    text = plain(heading)
    if unit := unit_of(text):
        return "", unit
    if (hit := re.fullmatch(r"(.*)[(\[](?:单位:)?([^()\[\]]+)[)\]]", text)) and (unit := unit_of(hit[2])):
        return plain(hit[1]), unit
    if text.endswith("%") and text[:-1]:
        return text[:-1], "%"
    return text, None


def convert(value: float, unit: str, to: str) -> float | None:
    """The value in another unit; None where no factor is known: 亿元 to 亿美元, % to an index, or a unit we do not know."""
    if unit == to or unit_of(unit) == (unit_of(to) or ""):
        return value
    a, b = _scale(plain(unit)), _scale(plain(to))
    if not a or not b or a[1] != b[1]:
        return None
    factor = Fraction(a[0], b[0])  # one rounding: 12345 万元 is 1.2345 亿元, not 1.2345000000000002
    return value * factor.numerator / factor.denominator


def _scale(unit: str) -> tuple[int, str] | None:
    """How many base units, and which base: 万元/人 is (10000, 元/人)."""
    for scale, size in (("", 1), *_SCALES.items()):
        base = unit.removeprefix(scale)
        top, _, under = base.partition("/")
        if unit.startswith(scale) and (base in _BASES or (top in _BASES and under in _BASES)):
            return size, base
    return None
