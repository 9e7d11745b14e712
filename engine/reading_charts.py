"""Charts of readings that a governor can read: an index with its turning points, the cycle clock, lights, a board.

Each takes READINGS of one information date and names in the reader's language. Lights have symbols besides colours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl

from engine.calendar import Freq, Period
from engine.charts import BLUE, DARK, GREEN, GREY, ORANGE, PURPLE, RED, Form, Language, as_image, canvas, mark_synthetic
from engine.lights import Light
from engine.reading_views import CLOCK, Course, courses, cycle, lamps, places
from engine.turning import Kind
from engine.typing import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Names = Mapping[str, str]
"""What a code is called in the reader's language; a code without a name stands for itself."""

_SHADES = {95: "#d6e8f4", 80: "#a5cde6"}
_WORDS = {
    "band": ("{} % band", "{}% 区间"),
    "index": ("index", "指数"),
    "downturn": ("downturn", "下行期"),
    "peak": ("peak", "峰"),
    "trough": ("trough", "谷"),
    "candidate": ("hollow: candidate", "空心：待确认"),
    "level": ("level, standard deviations from the mean", "水平（偏离均值的标准差）"),
    "change": ("change over six months, standard deviations", "六个月变动（标准差）"),
    "clock": (("expansion", "downturn", "contraction", "recovery"), ("扩张", "回落", "收缩", "复苏")),
    "pale": ("pale: not the month's own figure", "浅色：非当月实际数据"),
    "whole": ("whole", "综合"),
    "rank": ("place; bar: 90 % of the places over all choices drawn", "位次；横线：各种方法选择下 90% 的位次"),
}


def index(
    readings: pl.DataFrame,
    title: str,
    language: Language = "en",
    downturns: Sequence[tuple[Period, Period]] = (),
    form: Form = "svg",
    synthetic: bool = False,
    names: Names = MappingProxyType({}),
) -> bytes:
    """The indices of one unit through time, the first with bands and turns; downturns, from peak to trough, are shaded.

    Turns are full where confirmed and hollow where candidates (:func:`engine.turning.said`). names: of the indices, where
    there are several. Raises BadInput unless the readings hold an index of one unit.
    """
    first, *more = courses(readings)
    with canvas(9.6, 4.2, language) as (figure, axes):
        for percent, shade in _SHADES.items():
            if percent in first.bands:
                label = _word("band", language).format(percent)
                axes.fill_between(first.months, *first.bands[percent], color=shade, lw=0, zorder=2, label=label)
        for other, colour in zip(more, (ORANGE, GREEN, PURPLE, RED, GREY) * len(more), strict=False):
            axes.plot(other.months, other.index, color=colour, lw=1.3, zorder=3, label=_called(other, names, language))
        axes.plot(first.months, first.index, color=DARK, lw=1.7, zorder=4, label=_called(first, names, language))
        _draw_turns(axes, first, language)
        start, end = first.months[[0, -1]]
        for n, (peak, trough) in enumerate(downturns):
            a, b = (p.last_month.ordinal for p in (peak, trough))
            if b >= start and a <= end:
                label = _word("downturn", language) if n == 0 else "_"  # what begins so stays out of the legend
                axes.axvspan(max(a, start), min(b, end), color=GREY, alpha=0.22, lw=0, zorder=1, label=label)
        _month_axis(axes, first.months)
        axes.set_title(title, loc="left", fontweight="bold")
        axes.legend(ncols=7, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.08), handlelength=1.4)
        if synthetic:
            mark_synthetic(figure, language)
        return as_image(figure, form)


def clock(
    readings: pl.DataFrame,
    title: str,
    language: Language = "en",
    months: int = CLOCK,
    form: Form = "svg",
    synthetic: bool = False,
) -> bytes:
    """The cycle clock: level against change over six months, the newest ``months`` as a path through four quarters.

    Both in standard deviations of the index's own history. Raises BadInput for fewer than two years of an index.
    """
    course = courses(readings)[0]
    change, level = cycle(course)
    shown = slice(max(6, len(level) - months), None)
    u, v = change[shown], level[shown]
    with canvas(5.6, 5.2, language) as (figure, axes):
        reach = 1.15 * max(1.5, float(np.abs(np.r_[u, v]).max()))
        for x, z, n in ((1, 1, 0), (-1, 1, 1), (-1, -1, 2), (1, -1, 3)):
            axes.fill_between([0, x * reach], 0, z * reach, color=("#e8f4ee", "#fdf4e0", "#fbe9e1", "#e6f0f8")[n], lw=0)
            axes.text(0.94 * x * reach, 0.93 * z * reach, _WORDS["clock"][language == "zh"][n],
                      ha="right" if x > 0 else "left", va="center", color=GREY, fontweight="bold")  # fmt: skip
        axes.plot(u, v, color=BLUE, lw=1.2, marker="o", ms=3, zorder=3)
        axes.plot(u[-1:], v[-1:], color=RED, marker="o", ms=8, zorder=4)
        axes.annotate(
            course.periods[-1],
            (u[-1], v[-1]),
            (-9 if u[-1] > 0 else 9, -4),
            textcoords="offset points",
            fontweight="bold",
            ha="right" if u[-1] > 0 else "left",
        )
        axes.axhline(0, color=GREY, lw=0.8)
        axes.axvline(0, color=GREY, lw=0.8)
        axes.set_xlim(-reach, reach)
        axes.set_ylim(-reach, reach)
        axes.set_xlabel(_word("change", language))
        axes.set_ylabel(_word("level", language))
        axes.grid(False)
        axes.set_title(title, loc="left", fontweight="bold")
        if synthetic:
            mark_synthetic(figure, language)
        return as_image(figure, form)


def lights(
    readings: pl.DataFrame,
    title: str,
    names: Names,
    language: Language = "en",
    unit: str | None = None,
    form: Form = "svg",
    synthetic: bool = False,
) -> bytes:
    """A heat map of lights through time: the items of one unit, or without ``unit`` the whole light of every unit.

    Raises BadInput if there is no light.
    """
    grid = lamps(readings, unit)
    order, periods = grid.rows, grid.periods
    with canvas(1.6 + 2.2 + 0.32 * len(periods), 1.2 + 0.34 * len(order), language) as (figure, axes):
        for y, row in enumerate(order):
            for x, period in enumerate(periods):
                light = grid.light.get((row, period))
                if light is None:
                    continue
                pale = (row, period) in grid.mark
                axes.fill_between(
                    [x - 0.47, x + 0.47], y - 0.45, y + 0.45, color=light.colour, lw=0, alpha=0.45 if pale else 1
                )
                ink = "white" if not pale and light in (Light.BLUE, Light.GREEN, Light.RED) else "#222222"
                axes.text(x, y, light.symbol, ha="center", va="center", color=ink, fontsize=8, family="DejaVu Sans")
        axes.set_yticks(range(len(order)), [names.get(r, r) if r else _word("whole", language) for r in order])
        axes.set_xticks(range(len(periods)), periods, rotation=90)
        axes.set_ylim(len(order) - 0.5, -0.5)
        axes.set_xlim(-0.5, len(periods) - 0.5)
        axes.tick_params(length=0)
        axes.grid(False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        said = [f"{light.symbol} {light.zh if language == 'zh' else light.en}" for light in reversed(Light)]
        said += [_word("pale", language)] if grid.mark else []
        axes.set_title(f"{title}\n", loc="left", fontweight="bold")
        axes.text(0, 1.01, "   ".join(said), transform=axes.transAxes, va="bottom", color=GREY, fontsize=9)
        if synthetic:
            mark_synthetic(figure, language)
        return as_image(figure, form)


def board(
    readings: pl.DataFrame,
    title: str,
    names: Names,
    language: Language = "en",
    form: Form = "svg",
    synthetic: bool = False,
) -> bytes:
    """Units by their place, the best on top, each with the interval of its places. Raises BadInput without ranks."""
    rows = places(readings)
    y = np.arange(len(rows))
    most = max(r.high for r in rows)
    with canvas(7.2, 1.1 + 0.32 * len(rows), language) as (figure, axes):
        axes.hlines(y, [r.low for r in rows], [r.high for r in rows], color="#a5cde6", lw=6, zorder=2)
        axes.plot([r.rank for r in rows], y, ls="", marker="o", ms=7, color=DARK, zorder=3)
        for at, row in zip(y, rows, strict=True):
            axes.annotate(
                f"{row.score:.1f}",
                (max(row.high, row.rank), at),
                (8, 0),
                textcoords="offset points",
                va="center",
                color=GREY,
            )
        axes.set_yticks(y, [names.get(r.unit, r.unit) for r in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(0.4, most + 1.2)
        axes.set_xticks(range(1, int(most) + 1, 1 if most <= 20 else 5))
        axes.set_xlabel(_word("rank", language))
        axes.set_title(title, loc="left", fontweight="bold")
        if synthetic:
            mark_synthetic(figure, language)
        return as_image(figure, form)


def _called(course: Course, names: Names, language: Language) -> str:
    return names.get(course.name, course.name) if course.name else _word("index", language)


def _draw_turns(axes: Axes, course: Course, language: Language) -> None:
    """Down at a peak and up at a trough, so that the sign needs no colour."""
    if any(not t.confirmed for t in course.turns.all):
        axes.plot([], [], ls="", marker="o", ms=6, mfc="white", color=GREY, label=_word("candidate", language))
    for kind, marker, colour in ((Kind.PEAK, "v", RED), (Kind.TROUGH, "^", GREEN)):
        label = _word(kind.value, language)
        for turn in (t for t in course.turns.all if t.kind is kind):
            x, y = course.months[turn.row], course.index[turn.row]
            face = colour if turn.confirmed else "white"
            axes.plot([x], [y], ls="", marker=marker, ms=8, mfc=face, mec=colour, mew=1.4, zorder=6, label=label)
            label = "_"


def _month_axis(axes: Axes, months: Floats) -> None:
    span = int(months[-1] - months[0]) + 1
    step = next((s for s in (3, 6, 12, 24, 60, 120) if span / s <= 12), 240)
    ticks = [m for m in range(int(months[0]), int(months[-1]) + 1) if m % step == 0]
    axes.set_xticks(ticks, [str(_month(m)) if step < 12 else str(_month(m))[:4] for m in ticks])
    axes.margins(x=0.01)


def _month(ordinal: float) -> Period:
    return Period(Freq.M, int(ordinal))


def _word(key: str, language: Language) -> str:
    return cast(str, _WORDS[key][language == "zh"])
