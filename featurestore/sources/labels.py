"""Period labels as Chinese and English offices write them: 2018年1-2月, 一季度, 上半年, 1-3季度, 全年, 2018Q1, Jan-Feb 2018.

A label says which months of a year a figure covers. Its year may stand in the label itself or beside it: in a title, in
a year column. Full-width digits, Chinese numerals and every kind of dash read alike.

>>> read("２０１８年１—２月")
Label(span='pair', last=2, year=2018)
>>> str(read("前三季度").period(Freq.Q, 2018))
'2018-Q3'

**January and February.** Since the Spring Festival wanders between them, offices publish the two as one figure,
1-2月. It is one observation: it stands on February, and there is no row for January. Nothing here splits it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from engine.calendar import Freq, Period
from engine.errors import BadInput

Span = Literal["month", "pair", "ytd", "quarter", "half", "year"]
"""month; January and February as one figure; January to a month; a quarter; a half-year; a year."""

_ENGLISH = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DIGITS = {"〇": "0", "零": "0", "一": "1", "两": "2", "二": "2", "三": "3", "四": "4", "五": "5"} | {
    "六": "6", "七": "7", "八": "8", "九": "9"
}  # fmt: skip
_DASH = re.compile(r"[‐‑‒–—―−─~〜至到]+|--+")  # NFKC has made －and ～ plain already
_YEAR = r"(?P<y>(?:1[6-9]|2[01])\d\d)"
_BODIES = tuple(
    re.compile(form)
    for form in (
        r"(?P<a>\d{1,2})月?(?:份)?-(?P<b>\d{1,2})月(?:份|累计)?",
        r"前(?P<b>\d{1,2})个?月(?:累计)?",
        r"(?P<a>\d{1,2})月(?:份)?",
        r"(?P<qa>\d)(?:季度?)?-(?P<qb>\d)季度?",
        r"前(?P<qb>\d)个?季度?",
        r"第?(?P<qa>\d)季度?",
        r"q(?P<qa>\d)",
        r"(?P<half>上|下)半年度?",
        r"h(?P<h>\d)",
        r"(?P<whole>全年度?|年度)",
    )
)
_AFTER = re.compile(rf"(?:{_YEAR}(?:年度?|[-./]))?(?P<body>.+)")
_NUMBERED = re.compile(rf"{_YEAR}[-./]?(?:(?P<q>[qh]\d)|m?(?P<m>\d{{1,2}}))")
_TITLE = re.compile(
    rf"{_YEAR}年(?P<body>\d{{1,2}}月?-\d{{1,2}}月|\d{{1,2}}月|[1前][-\d个]*季度?|第?\d季度?|[上下]半年|全年)?"
)


@dataclass(frozen=True, slots=True)
class Label:
    """span, the last month that it covers (1 to 12), and the year if the label has one."""

    span: Span
    last: int
    year: int | None = None

    @property
    def ends(self) -> Period:
        """The period in which it ends: a month, a quarter (quarter, half) or a year. Raises BadInput without a year."""
        if self.year is None:
            raise BadInput(f"{self} has no year")
        freq = {"quarter": Freq.Q, "half": Freq.Q, "year": Freq.A}.get(self.span, Freq.M)
        return Period(Freq.M, self.year * 12 + self.last - 1).to(freq)

    @property
    def from_january(self) -> bool:
        """Whether it covers the year up to its last month: what a year-to-date figure needs."""
        return self.span in ("pair", "ytd", "year") or self.last == {"month": 1, "quarter": 3, "half": 6}[self.span]

    def period(self, freq: Freq, year: int | None = None) -> Period:
        """The period of a series of that frequency on which a figure so labelled stands.

        A year-to-date figure stands on its last month or quarter, the January-February figure on February. year: used
        where the label has none. Raises BadInput if neither has one, or if no period of that frequency fits.
        """
        label = self if self.year is not None else Label(self.span, self.last, year)
        whole = {
            Freq.M: self.from_january or self.span == "month",
            Freq.Q: self.last % 3 == 0 and self.span != "month" and (self.from_january or self.span == "quarter"),
            Freq.A: self.last == 12 and self.from_january,
        }
        if not whole.get(freq, False):
            raise BadInput(f"{self} is no period of a series of frequency {freq}")
        return Period(Freq.M, label.ends.last_month.ordinal).to(freq)

    def __str__(self) -> str:
        year = "" if self.year is None else f"{self.year:04d}年"
        quarter = "一二三四"[(self.last - 1) // 3]
        body = {
            "month": f"{self.last}月", "pair": "1-2月", "ytd": f"1-{self.last}月", "quarter": f"{quarter}季度",
            "half": "上半年" if self.last == 6 else "下半年", "year": "" if year else "全年",
        }  # fmt: skip
        return year + body[self.span]


def read(text: str) -> Label | None:
    """The label that a text is; None if it is another text. A bare year (2018, 2018年) is the year.

    Raises BadInput for a label of months or quarters that no year has (13月, 2-5月, 5季度).
    """
    plain = _plain(text)
    if hit := re.fullmatch(rf"{_YEAR}(?:年度?)?", plain):
        return _of("year", 12, text, hit["y"])
    if hit := _NUMBERED.fullmatch(plain):
        body = hit["q"] or f"{hit['m']}月"
        return _body(body, text, hit["y"])
    if hit := _AFTER.fullmatch(plain):
        return _body(hit["body"], text, hit["y"])
    return None


def in_title(text: str) -> Label | None:
    """The first label with a year inside a title: 浙江省2018年1-2月统计月报. Raises BadInput as ``read`` does."""
    hit = _TITLE.search(_plain(text))
    if not hit:
        return None
    return _body(hit["body"], text, hit["y"]) if hit["body"] else _of("year", 12, text, hit["y"])


def _plain(text: str) -> str:
    """One spelling: no blanks, half-width, lower case, a plain dash, digits for numerals and for English months."""
    plain = "".join(unicodedata.normalize("NFKC", text).split()).lower()
    plain = re.sub(r"[()]", "", plain) if re.fullmatch(r"\(.*\)", plain) else plain
    plain = _DASH.sub("-", plain)
    if re.search("[a-z]{3}", plain):
        plain = _from_english(plain)
    plain = re.sub("十(?=[一二])", "1", plain).replace("十", "10")
    return "".join(_DIGITS.get(c, c) for c in plain)


def _from_english(plain: str) -> str:
    """jan-feb2018 to 2018年1-2月, march2018 to 2018年3月; another text stays as it is."""
    month = "|".join(f"{m}[a-z]*" for m in _ENGLISH)
    form = rf"(?P<y1>\d{{4}})?[-,.]?(?P<a>{month})\.?(?:-(?P<b>{month})\.?)?[-,]?(?P<y2>\d{{4}})?"
    hit = re.fullmatch(form, plain)
    if not hit or (hit["y1"] and hit["y2"]):
        return plain
    numbers = [str(_ENGLISH.index(m[:3]) + 1) for m in (hit["a"], hit["b"]) if m]
    year = hit["y1"] or hit["y2"]
    return (f"{year}年" if year else "") + "-".join(numbers) + "月"


def _body(body: str, text: str, year: str | None) -> Label | None:
    if hit := re.fullmatch(rf"(?P<rest>[qh]\d),?{_YEAR}", body):  # Q1 2018
        if year:
            return None
        body, year = hit["rest"], hit["y"]
    for form in _BODIES:
        if hit := form.fullmatch(body):
            return _meaning({k: v for k, v in hit.groupdict().items() if v}, text, year)
    return None


def _meaning(found: dict[str, str], text: str, year: str | None) -> Label:
    """What was found: a, b months; qa, qb quarters; half, h half-years; whole."""
    if "whole" in found:
        return _of("year", 12, text, year)
    if "half" in found or "h" in found:
        return _of("half", {"上": 6, "1": 6, "下": 12, "2": 12}.get(found.get("half") or found["h"], 0), text, year)
    quarters = "qa" in found or "qb" in found
    unit = 3 if quarters else 1
    a, b = found.get("qa" if quarters else "a"), found.get("qb" if quarters else "b")
    if b is None:
        return _of("quarter" if quarters else "month", int(a or 0) * unit, text, year)
    first, last = (int(a or 1) - 1) * unit + 1, int(b) * unit
    if first == 1 and unit < last <= 12:
        if quarters and last in (6, 12):
            return _of("half" if last == 6 else "year", last, text, year)
        return _of("pair" if last == 2 else "ytd", last, text, year)
    if last - first == 2 and first in (1, 4, 7, 10) and last <= 12:
        return _of("quarter", last, text, year)
    if first == 1 and last == 1:
        return _of("month", 1, text, year)
    raise BadInput(f"not a span of months that is published: {text!r}")


def _of(span: Span, last: int, text: str, year: str | None) -> Label:
    if not 1 <= last <= 12:
        raise BadInput(f"no year has such a period: {text!r}")
    return Label(span, last, int(year) if year else None)
