"""Charts of readings that a governor can read: an index with its turning points, the cycle clock, lights, a board.

Each takes READINGS of one information date and names in the reader's language. Lights have symbols besides colours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl

from engine.calendar import Freq, Period
from engine.charts import BLUE, DARK, GREY, RED, Form, Language, as_image, canvas, mark_synthetic
from engine.errors import BadInput
from engine.estimate import BANDS, LEVELS, quantile_name
from engine.lights import Light
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
    "level": ("level, standard deviations from the mean", "水平（偏离均值的标准差）"),
    "change": ("change over six months, standard deviations", "六个月变动（标准差）"),
    "clock": (("expansion", "downturn", "contraction", "recovery"), ("扩张", "回落", "收缩", "复苏")),
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
) -> bytes:
    """The index of one unit through time with its bands; downturns, from peak to trough, are shaded.

    Raises BadInput unless the readings hold an index of one unit.
    """
    months, levels = _index(readings)
    with canvas(9.6, 4.2, language) as (figure, axes):
        for percent, shade in _SHADES.items():
            ends = [levels.get(quantile_name(LEVELS[k])) for k in BANDS[percent]]
            if ends[0] is not None and ends[1] is not None and (ends[1] > ends[0]).any():
                label = _word("band", language).format(percent)
                axes.fill_between(months, ends[0], ends[1], color=shade, lw=0, zorder=2, label=label)
        axes.plot(months, levels["index"], color=DARK, lw=1.7, zorder=4, label=_word("index", language))
        for n, (peak, trough) in enumerate(downturns):
            a, b = (p.last_month.ordinal for p in (peak, trough))
            if b >= months[0] and a <= months[-1]:
                label = _word("downturn", language) if n == 0 else "_"  # what begins so stays out of the legend
                axes.axvspan(max(a, months[0]), min(b, months[-1]), color=GREY, alpha=0.22, lw=0, zorder=1, label=label)
        _month_axis(axes, months)
        axes.set_title(title, loc="left", fontweight="bold")
        axes.legend(ncols=4, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.08), handlelength=1.4)
        if synthetic:
            mark_synthetic(figure, language)
        return as_image(figure, form)


def clock(
    readings: pl.DataFrame,
    title: str,
    language: Language = "en",
    months: int = 36,
    form: Form = "svg",
    synthetic: bool = False,
) -> bytes:
    """The cycle clock: level against change over six months, the newest ``months`` as a path through four quarters.

    Both in standard deviations of the index's own history. Raises BadInput for fewer than two years of an index.
    """
    at, levels = _index(readings)
    y = levels["index"]
    if len(y) < 24:
        raise BadInput(f"a cycle clock needs two years of an index, not {len(y)} months")
    trend = np.polynomial.Polynomial.fit(at, y, 1)(at)
    level = (y - trend) / (np.std(y - trend) or 1.0)
    change = np.full_like(y, np.nan)
    change[6:] = y[6:] - y[:-6]
    change = (change - np.nanmean(change)) / (np.nanstd(change) or 1.0)
    shown = slice(max(6, len(y) - months), None)
    u, v = change[shown], level[shown]
    with canvas(5.6, 5.2, language) as (figure, axes):
        reach = 1.15 * max(1.5, float(np.abs(np.r_[u, v]).max()))
        for x, z, n in ((1, 1, 0), (-1, 1, 1), (-1, -1, 2), (1, -1, 3)):
            axes.fill_between([0, x * reach], 0, z * reach, color=("#e8f4ee", "#fdf4e0", "#fbe9e1", "#e6f0f8")[n], lw=0)
            axes.text(0.94 * x * reach, 0.93 * z * reach, _WORDS["clock"][language == "zh"][n],
                      ha="right" if x > 0 else "left", va="center", color=GREY, fontweight="bold")  # fmt: skip
        axes.plot(u, v, color=BLUE, lw=1.2, marker="o", ms=3, zorder=3)
        axes.plot(u[-1:], v[-1:], color=RED, marker="o", ms=8, zorder=4)
        axes.annotate(str(_month(at[-1])), (u[-1], v[-1]), (8, 6), textcoords="offset points", fontweight="bold")
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
    shown = readings.filter(pl.col("level") == "light")
    if unit is None:
        rows = shown.filter(pl.col("name") == "").with_columns(row=pl.col("unit"))
    else:
        rows = shown.filter(pl.col("unit") == unit).with_columns(row=pl.col("name"))
    if rows.is_empty():
        raise BadInput(f"there are no lights of {unit or 'any unit'} to draw")
    order = rows["row"].unique(maintain_order=True).to_list()
    order = sorted(order, key=lambda r: (r != "", order.index(r)))
    periods = sorted(rows["period"].unique())
    place = {(r, p): Light(int(v)) for r, p, v in rows.select("row", "period", "value").iter_rows()}
    with canvas(1.6 + 2.2 + 0.32 * len(periods), 1.2 + 0.34 * len(order), language) as (figure, axes):
        for y, row in enumerate(order):
            for x, period in enumerate(periods):
                light = place.get((row, period))
                if light is None:
                    continue
                axes.fill_between([x - 0.47, x + 0.47], y - 0.45, y + 0.45, color=light.colour, lw=0)
                ink = "white" if light in (Light.BLUE, Light.GREEN, Light.RED) else "#222222"
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
    wide = (
        readings.filter(pl.col("level").is_in(["rank", "rank_low", "rank_high", "score"]), pl.col("name") == "")
        .pivot("level", index="unit", values="value")
        .sort("rank" if "rank" in readings["level"] else "unit")
    )
    if not {"rank", "rank_low", "rank_high", "score"} <= set(wide.columns):
        raise BadInput("there are no ranks to draw")
    y = np.arange(wide.height)
    with canvas(7.2, 1.1 + 0.32 * wide.height, language) as (figure, axes):
        axes.hlines(y, wide["rank_low"], wide["rank_high"], color="#a5cde6", lw=6, zorder=2)
        axes.plot(wide["rank"], y, ls="", marker="o", ms=7, color=DARK, zorder=3)
        for at, score, high in zip(y, wide["score"], wide["rank_high"], strict=True):
            axes.annotate(f"{score:.1f}", (high, at), (8, 0), textcoords="offset points", va="center", color=GREY)
        axes.set_yticks(y, [names.get(u, u) for u in wide["unit"]])
        axes.set_ylim(wide.height - 0.4, -0.6)
        axes.set_xlim(0.4, float(max(wide["rank_high"].to_list())) + 1.2)
        axes.set_xticks(range(1, int(max(wide["rank_high"].to_list())) + 1))
        axes.set_xlabel(_word("rank", language))
        axes.set_title(title, loc="left", fontweight="bold")
        if synthetic:
            mark_synthetic(figure, language)
        return as_image(figure, form)


def _index(readings: pl.DataFrame) -> tuple[Floats, dict[str, Floats]]:
    """Months as ordinals ``(H,)`` and each level ``(H,)``."""
    own = readings.filter(pl.col("name") == "", pl.col("level").str.contains(r"^(index|q\d{3})$"))
    units = own["unit"].unique().to_list()
    if len(units) != 1 or not (own["level"] == "index").any():
        raise BadInput(f"a chart of an index shows one unit, not {', '.join(sorted(units)) or 'none'}")
    wide = own.pivot("level", index="period", values="value").sort("period")
    months = np.array([Period.parse(p).last_month.ordinal for p in wide["period"]], float)
    return months, {c: wide[c].to_numpy() for c in wide.columns if c != "period"}


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
