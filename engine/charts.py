"""From estimates, scores and news to a figure, as SVG. matplotlib is loaded when something is drawn.

Colours are those of Okabe & Ito (2008), which colour-blind people tell apart. Chinese labels need a font that has the
characters; :func:`languages` says which labels this machine can draw. ``synthetic``: the place is made up, and that is written
across the figure.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from engine.errors import BadInput
from engine.estimate import BANDS, LEVELS, quantile_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Language = Literal["en", "zh"]
Form = Literal["svg", "png"]

BLUE, ORANGE, GREEN, RED, PURPLE, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#767676"
DARK = "#003d66"
_SHADES = {95: "#d6e8f4", 80: "#a5cde6", 50: "#6aaed6"}
_MODELS = (BLUE, ORANGE, GREEN, PURPLE, RED)
_CJK = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "SimHei",
    "WenQuanYi Micro Hei", "Noto Sans CJK JP", "Noto Serif CJK SC", "Noto Serif CJK JP",
)  # fmt: skip
LEAST = 0.005
"""An impact that two decimals would print as zero gets no bar of its own."""

_SAID = {
    "nowcast": ("nowcast", "即时预测"),
    "outcome": ("outcome", "实际值"),
    "band": ("{} % band", "{}% 区间"),
    "target": (
        "target period; within it, information dates from left to right",
        "目标时期；其中自左至右为各信息截止日",
    ),
    "horizon": ("months from the end of the quarter to the information date", "信息截止日距季末的月数"),
    "rmse": ("root mean squared error", "均方根误差"),
    "before": ("as of {}", "截至 {}"),
    "revision": ("revisions", "数据修订"),
    "weights": ("new weights", "权重变化"),
    "re-estimation": ("new parameters", "参数重估"),
    "rest": ("{} smaller", "其余 {} 项"),
    "pseudo": ("pseudo real time", "伪实时"),
    "real": ("real time", "实时"),
}


@cache
def languages() -> tuple[Language, ...]:
    """The languages in which this machine can label a figure: English, and Chinese where a font has it."""
    return ("en", "zh") if _chinese_font() else ("en",)


def fan(records: pl.DataFrame, title: str, unit: str, language: Language = "en", *, synthetic: bool = False) -> bytes:
    """How each period's nowcast moved through its origins, with 50, 80 and 95 % bands, and what came out.

    records: columns ``period``, ``origin`` (instants), ``timing`` (one value), ``mean``, the quantiles, ``outcome``
    (may be null), one model. Each period has a place on the axis, its origins run from left to right in it. Raises
    BadInput for no record, or more than one timing: real and pseudo are never drawn as one.
    """
    timing = _only(records, "timing")
    levels, none = [quantile_name(level) for level in LEVELS], [np.nan]
    periods = sorted(set(records["period"].to_list()))
    at: list[float] = []
    mean: list[float] = []
    outcome: list[float] = []
    quantiles = []
    for i, period in enumerate(periods):
        part = records.filter(pl.col("period") == period).sort("origin")
        n, q = len(part), part.select(levels).to_numpy()
        inner = [i + 0.5] if n == 1 else np.linspace(i + 0.08, i + 0.92, n).tolist()
        at += [
            i + 0.02,
            *inner,
            i + 0.98,
            i + 1.0,
        ]  # with edges, as a single origin has no width, and a gap to the next
        mean += none + part["mean"].to_list() + 2 * none
        outcome += (n + 2) * [np.nan if part["outcome"][0] is None else part["outcome"][0]] + none
        quantiles += [q[:1], q, q[-1:], np.full((1, len(levels)), np.nan)]
    y = np.concatenate(quantiles)
    with canvas(10.4, 4.4, language) as (figure, axes):
        for percent, shade in _SHADES.items():
            low, high = (y[:, k] for k in BANDS[percent])
            axes.fill_between(at, low, high, color=shade, lw=0, zorder=1, label=_say("band", language).format(percent))
        axes.plot(at, mean, color=DARK, lw=1.3, marker="o", ms=2.4, zorder=3, label=_say("nowcast", language))
        axes.plot(at, outcome, color=RED, lw=2.6, solid_capstyle="butt", zorder=4, label=_say("outcome", language))
        axes.axhline(0, color=GREY, lw=0.8, zorder=2)
        shown = [i for i, p in enumerate(periods) if len(periods) <= 8 or p.endswith("Q1")]
        axes.set_xticks([i + 0.5 for i in shown], [periods[i] for i in shown])
        axes.margins(x=0.01)
        axes.set_ylabel(unit)
        axes.set_xlabel(f"{_say('target', language)} ({_say(timing, language)})")
        axes.set_title(title, loc="left", fontweight="bold")
        axes.legend(ncols=5, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.14), handlelength=1.4)
        if synthetic:
            mark_synthetic(figure, language)
        return as_svg(figure)


def skill(
    table: pl.DataFrame,
    title: str,
    unit: str,
    language: Language = "en",
    benchmark: str = "",
    *,
    synthetic: bool = False,
) -> bytes:
    """RMSE by horizon, a line a model, its name at the line's end; the benchmark in grey.

    table: ``model``, ``timing`` (one value), ``horizon`` (months, not null), ``rmse``. Raises BadInput as :func:`fan`.
    """
    timing = _only(table, "timing")
    with canvas(7.2, 4.0, language) as (figure, axes):
        colours = iter(_MODELS * 4)
        ends = []
        for (model,), part in table.sort("horizon").group_by("model", maintain_order=True):
            colour = GREY if model == benchmark else next(colours)
            x, y = part["horizon"].to_list(), part["rmse"].to_list()
            axes.plot(x, y, color=colour, lw=2, ls="--" if model == benchmark else "-", marker="o", ms=4)
            ends.append((y[-1], str(model), colour, x[-1]))
        high = 1.08 * max(table["rmse"].to_list())
        for place, (_, model, colour, x) in zip(
            _spread([e[0] for e in sorted(ends)], high / 17), sorted(ends), strict=True
        ):
            at = (x, place)
            axes.annotate(model, at, (8, 0), textcoords="offset points", color=colour, va="center", fontweight="bold")
        axes.set_ylim(0.0, high)
        axes.set_xticks(sorted(set(table["horizon"].to_list())))
        axes.margins(x=0.12)
        axes.set_ylabel(f"{_say('rmse', language)}, {unit}")
        axes.set_xlabel(f"{_say('horizon', language)} ({_say(timing, language)})")
        axes.set_title(title, loc="left", fontweight="bold")
        if synthetic:
            mark_synthetic(figure, language)
        return as_svg(figure)


def news(
    table: pl.DataFrame, ends: tuple[tuple[str, float], tuple[str, float]], title: str, unit: str, language: Language = "en",
    most: int = 10, *, synthetic: bool = False,
) -> bytes:  # fmt: skip
    """From the old estimate to the new one, release by release, largest first: a waterfall that ends where it must.

    table: ``engine.news.SCHEMA``. ends: (day, estimate) before and after. Revisions are one bar, and so are all
    releases beyond the ``most`` largest. Raises BadInput for a table that does not add up.
    """
    (old_day, before), (new_day, after) = ends
    bars = _bars(table, language, most)
    if abs(before + sum(v for _, v in bars) - after) > 1e-6 * max(1.0, abs(before), abs(after)):
        raise BadInput("the news table does not add up to the change of the estimate")
    with canvas(8.4, 1.5 + 0.32 * (len(bars) + 2), language) as (figure, axes):
        names = [
            _say("before", language).format(old_day),
            *(n for n, _ in bars),
            _say("before", language).format(new_day),
        ]
        level, extent = before, [before, after]
        axes.plot([before], [0], marker="D", ms=7, color="black")
        axes.annotate(f"{before:.2f}", (before, 0), (10, 0), textcoords="offset points", va="center", fontweight="bold")
        for row, (_, impact) in enumerate(bars, start=1):
            colour = BLUE if impact >= 0 else RED
            axes.barh(row, impact, left=level, color=colour, height=0.62)
            axes.plot([level, level], [row - 1, row], color=GREY, lw=0.6, zorder=0)
            level += impact
            edge = max(level, level - impact)
            axes.annotate(
                "0.00" if abs(impact) < LEAST else f"{impact:+.2f}",
                (edge, row),
                (5, 0),
                textcoords="offset points",
                va="center",
                color=colour,
            )
            extent.append(level)
        axes.plot([level, level], [len(bars), len(bars) + 1], color=GREY, lw=0.6, zorder=0)
        axes.plot([after], [len(bars) + 1], marker="D", ms=7, color="black")
        axes.annotate(
            f"{after:.2f}", (after, len(bars) + 1), (10, 0), textcoords="offset points", va="center", fontweight="bold"
        )
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        span = max(extent) - min(extent) or 1.0
        axes.set_xlim(min(extent) - 0.08 * span, max(extent) + 0.16 * span)
        axes.grid(axis="y", visible=False)
        axes.grid(axis="x", color="#e4e4e4", lw=0.6)
        axes.set_xlabel(unit)
        axes.set_title(title, loc="left", fontweight="bold")
        if synthetic:
            mark_synthetic(figure, language)
        return as_svg(figure)


def _bars(table: pl.DataFrame, language: Language, most: int) -> list[tuple[str, float]]:
    """Label and impact: releases by size, then the rest, revisions, new weights, new parameters."""
    name = "name_zh" if language == "zh" else "name_en"
    released = table.filter(pl.col("kind") == "release").sort(pl.col("impact").abs(), descending=True)
    shown = min(most, int((released["impact"].abs() >= LEAST).sum()))
    room = 20 if language == "zh" else 38
    bars = [(f"{clip(r[name], room)} {r['period']}", float(r["impact"])) for r in released.head(shown).to_dicts()]
    if len(rest := released.slice(shown)):
        bars.append((_say("rest", language).format(len(rest)), float(rest["impact"].sum())))
    for kind in ("revision", "weights", "re-estimation"):
        if len(part := table.filter(pl.col("kind") == kind)):
            bars.append((_say(kind, language), float(part["impact"].sum())))
    return bars


def clip(name: str, most: int) -> str:
    """Names of computed columns are sentences."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _spread(places: list[float], gap: float) -> list[float]:
    """Rising places moved apart to at least ``gap``, as little as may be: neighbours that touch keep their common middle."""
    heaps: list[list[float]] = []
    for place in places:
        heaps.append([place])
        while len(heaps) > 1 and _top(heaps[-2], gap) + gap > 2 * _middle(heaps[-1]) - _top(heaps[-1], gap):
            heaps[-2:] = [heaps[-2] + heaps[-1]]
    return [_middle(h) + (k - (len(h) - 1) / 2) * gap for h in heaps for k in range(len(h))]


def _middle(heap: list[float]) -> float:
    return sum(heap) / len(heap)


def _top(heap: list[float], gap: float) -> float:
    return _middle(heap) + (len(heap) - 1) / 2 * gap


def _only(frame: pl.DataFrame, column: str) -> str:
    values: Sequence[Any] = frame[column].unique().to_list()
    if len(values) != 1:
        raise BadInput(f"a figure shows one {column}, not {', '.join(map(str, sorted(values))) or 'none'}")
    return str(values[0])


def _say(key: str, language: Language) -> str:
    return _SAID[key][language == "zh"]


@cache
def _chinese_font() -> str | None:
    from matplotlib.font_manager import fontManager

    held = {f.name for f in fontManager.ttflist}
    return next((name for name in _CJK if name in held), None)


@contextmanager
def canvas(width: float, height: float, language: Language) -> Iterator[tuple[Figure, Axes]]:
    """An empty figure in our style, which holds until the block ends; without pyplot, which would ask for a screen."""
    import matplotlib
    from matplotlib.figure import Figure

    chinese = _chinese_font() if language == "zh" else None
    if language == "zh" and chinese is None:
        raise BadInput("no font with Chinese characters is installed; see engine.charts.languages()")
    fonts = [*([chinese] if chinese else []), "DejaVu Sans"]
    style: dict[Any, Any] = {
        "font.family": fonts, "font.size": 9.5, "axes.titlesize": 11, "axes.spines.top": False, "axes.spines.right": False,
        "axes.edgecolor": GREY, "axes.grid": True, "axes.grid.axis": "y", "grid.color": "#e4e4e4", "grid.linewidth": 0.6,
        "axes.axisbelow": True, "axes.unicode_minus": False, "svg.fonttype": "path", "svg.hashsalt": "jingqi",
    }  # fmt: skip
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.add_subplot()


def as_svg(figure: Figure) -> bytes:
    """Letters are drawn as shapes, so that the reader needs no font; the same figure gives the same bytes."""
    return as_image(figure, "svg")


def as_image(figure: Figure, form: Form) -> bytes:
    """The figure as SVG, or as PNG at 200 dots an inch; the same figure gives the same bytes."""
    out = io.BytesIO()
    figure.savefig(out, format=form, dpi=200, metadata={"Date": None} if form == "svg" else {"Software": None})
    return out.getvalue()


def mark_synthetic(figure: Figure, language: Language) -> None:
    """Write across the figure that what it shows is made up."""
    said = "合成数据 · 非官方统计" if language == "zh" else "SYNTHETIC DATA"
    dark = "#333333"  # on coloured tiles a grey one is lost
    figure.text(0.5, 0.5, said, ha="center", va="center", rotation=18, fontsize=34, color=dark, alpha=0.3, zorder=99)
