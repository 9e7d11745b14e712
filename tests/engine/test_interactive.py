"""Pages of readings: complete in themselves, true to the numbers, safe with any name, in both languages."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import polars as pl
import pytest

from engine import reading_views
from engine.calendar import Period
from engine.errors import BadInput
from engine.interactive import page
from engine.interactive_svg import digits_of, number, round_numbers
from tests.engine.readings import BOARD, INDEX, LIGHTS, MONITOR, index_of

NAMES = {
    "US": ("United States", "美国"), "payems@US": ("Payrolls", "就业"), "SYN-33": ("Made-up province", "合成省"),
    "cpi@SYN-33": ("consumer prices", "居民消费价格"), "composite": ("Comprehensive", "综合指数"),
}  # fmt: skip
ALL: dict[str, pl.DataFrame] = {"index": INDEX, "warning": LIGHTS, "scorecard": BOARD, "monitor": MONITOR}


def made(kind: str, **more: Any) -> str:
    return page(more.pop("readings", ALL[kind]), "Title", "标题", more.pop("names", NAMES), kind, **more).decode()


class Seen(HTMLParser):
    """Elements and their attributes; whether all that was opened was closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def marks(self) -> list[dict[str, str | None]]:
        return [a for t, a in self.seen if t == "g" and a.get("class") == "m"]


@pytest.mark.parametrize("kind", ALL)
def test_a_page_is_whole_and_loads_nothing(kind: str) -> None:
    text = made(kind)
    seen = Seen(text)
    assert seen.open == []
    assert not re.search(r"""(src|href|action)\s*=\s*["']?(https?:|//)|url\(|@import|<link|<iframe|<img""", text)
    assert text.count("<script>") == 1
    policy = next(a["content"] for t, a in seen.seen if t == "meta" and a.get("http-equiv")) or ""
    for tag in ("script", "style"):
        content = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert content is not None
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy  # or a browser would not run ours
    assert "default-src 'none'" in policy
    assert not [a for _, a in seen.seen if any(name.startswith("on") or name == "style" for name in a)]
    ids = [a["id"] for _, a in seen.seen if "id" in a]
    assert len(ids) == len(set(ids))
    assert text == made(kind)


@pytest.mark.parametrize("kind", ALL)
def test_every_mark_reads_out_in_both_languages_and_can_be_reached(kind: str) -> None:
    text = made(kind)
    marks = Seen(text).marks()
    assert marks
    assert all(m["data-en"] and m["data-zh"] and m["role"] == "img" for m in marks)
    charts = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    for chart in charts:
        inner = Seen(chart).marks()
        assert sum(m["tabindex"] == "0" for m in inner) == 1
        assert len({(m["data-x"], m["data-y"]) for m in inner}) == len(inner)


@pytest.mark.parametrize("kind", ALL)
def test_names_that_look_like_code_stay_names(kind: str) -> None:
    bad = '</script><script>alert(1)</script>"><b onclick=x>&'
    codes = [c for column in ("unit", "name") for c in ALL[kind][column].unique() if c]
    text = page(ALL[kind], bad, bad, dict.fromkeys(codes, (bad, bad)), kind).decode()
    assert "alert(1)</script>" not in text
    assert "<b onclick" not in text
    assert Seen(text).open == []
    wild = ALL[kind].with_columns(
        pl.when(pl.col("unit") != "").then(pl.concat_str("unit", pl.lit('"><script>'))).alias("unit")
    )
    assert page(wild, "t", "t", {}, kind).decode().count("<script>") == 1


@pytest.mark.parametrize("kind", ALL)
def test_made_up_places_are_marked_and_others_are_not(kind: str) -> None:
    plain, marked = made(kind), made(kind, synthetic=True)
    for said in ("SYNTHETIC DATA", "合成数据", "Synthetic data"):
        assert said in marked
        assert said not in plain
    assert marked.count('class="made-up"') == marked.count("<svg")


def test_the_reader_starts_in_the_language_that_was_asked_for() -> None:
    english, chinese = made("index"), made("index", language="zh")
    assert '<html lang="en">' in english
    assert 'id="en" checked' in english
    assert '<html lang="zh-Hans">' in chinese
    assert 'id="zh" checked' in chinese
    assert "<title>标题" in chinese
    for text in (english, chinese):
        assert "United States" in text
        assert "美国" in text


def test_tables_carry_the_exact_numbers() -> None:
    held = [float(v) for v in re.findall(r'<data value="([^"]+)">', made("index"))]
    wanted = INDEX.filter(pl.col("level").is_in(["index", "q025", "q100", "q900", "q975"]))["value"].to_list()
    last = INDEX.filter(pl.col("level") == "part", pl.col("period") == INDEX["period"].max())["value"].to_list()
    assert sorted(held) == sorted(wanted + last)
    board = {float(v) for v in re.findall(r'<data value="([^"]+)">', made("scorecard"))}
    assert board == set(BOARD["value"])


def test_what_is_read_out_is_what_was_read() -> None:
    marks = Seen(made("index")).marks()
    values = INDEX.filter(pl.col("level") == "index").sort("period").select("period", "value").rows()
    said = [m["data-en"] or "" for m in marks if "index: " in (m["data-en"] or "")]
    assert [tuple(s.split("\n")[:2]) for s in said] == [(p, f"index: {v:.2f}") for p, v in values]
    turns = [s for s in said if "peak" in s or "trough" in s]
    assert len(turns) == len(reading_views.courses(INDEX)[0].turns.all)
    assert all("confirmed" in s for s in turns)


def test_a_candidate_is_hollow() -> None:
    cut = INDEX.filter(pl.col("period") <= "2013-12")
    turns = reading_views.courses(cut)[0].turns.all
    assert [t.confirmed for t in turns][-1] is False
    text = made("index", readings=cut)
    assert text.count(' candidate" points') == 1
    assert "peak, candidate" in text
    assert "峰，待确认" in text


def test_lights_say_their_colour_their_score_and_their_mark() -> None:
    said = [m["data-en"] for m in Seen(made("warning")).marks()]
    assert "Made-up province\n2024-02\n△ yellow, warming\nindex: 100.00" in said
    assert "va@SYN-33\n2024-02\n▽ light blue, cooling\nscore: 2 / 5\ncarried" in said
    assert "loans@SYN-33\n2024-02\nmissing, re-weighted" in said
    assert 'href="#unit-SYN-3301"' in made("warning")
    assert 'id="unit-SYN-3301"' in made("warning")


def test_a_probability_without_lights_is_drawn_as_an_index() -> None:
    text = made("warning", readings=index_of([0.1, 0.3, 0.2]))
    assert 'class="line"' in text
    assert "Lights by" not in text


def test_a_board_says_places_and_intervals() -> None:
    said = [m["data-en"] for m in Seen(made("scorecard")).marks()]
    assert "b\n1\n1 … 2\nscore: 61.50" in said
    assert "green\n62.50\nplace: 1 / 3" in said or "green\n62.5\nplace: 1 / 3" in said


def test_a_monitor_shows_cells_by_group_with_how_many_firms() -> None:
    counted = pl.concat(
        [MONITOR, MONITOR.filter(pl.col("level") == "index").with_columns(level=pl.lit("firms"), value=pl.lit(37.0))]
    )
    text = made("monitor", readings=counted)
    said = [m["data-en"] for m in Seen(text).marks()]
    assert "size:small\n52.0\n51.4 … 52.6\nfirms: 37" in said
    for group in ("Regions", "Industries", "Sizes of firms"):
        assert group in text


def test_downturns_are_shaded_where_they_lie_in_the_chart() -> None:
    inside = (Period.parse("2009-01"), Period.parse("2010-03"))
    outside = (Period.parse("1990-07"), Period.parse("1991-03"))
    assert made("index", downturns=(inside, outside)).count('class="downturn"') == 1


def test_a_page_of_another_kind_or_of_nothing_is_refused() -> None:
    with pytest.raises(BadInput, match="not 'nowcast'"):
        page(INDEX, "t", "t", {}, "nowcast")
    with pytest.raises(BadInput, match="no ranks"):
        page(INDEX, "t", "t", {}, "scorecard")


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.0), (98.7, 104.2), (-3.0, 250.0), (5.0, 5.0), (0.0, 0.0), (1e-4, 3e-4)]
)
def test_round_numbers_hold_both_ends(low: float, high: float) -> None:
    ticks = round_numbers(low, high)
    assert ticks[0] <= low + 1e-12
    assert ticks[-1] >= high - 1e-12
    assert 2 <= len(ticks) <= 9
    assert len({number(t, digits_of(ticks)) for t in ticks}) == len(ticks)
    assert number(-0.001) == "0.00"
    assert number(-1.5, 1) == "−1.5"


def test_a_probability_has_no_turning_points_and_no_clock() -> None:
    chance = index_of((0.5 + 0.45 * np.sin(2 * np.pi * np.arange(60) / 40)).tolist(), "SYN-33").filter(
        pl.col("level") == "index"
    )
    (course,) = reading_views.courses(chance)
    assert course.is_chance
    assert course.turns.all == ()
    text = page(chance, "Downturn", "下行", {}, "warning").decode()
    assert "probability" in text
    assert "Cycle clock" not in text
    (index,) = reading_views.courses(INDEX)
    assert not index.is_chance
    assert index.turns.all
