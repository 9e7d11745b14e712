"""Figures of a contest in the style of the house, as PNG, in English and Chinese."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import polars as pl

from engine import calibration
from engine.charts import BLUE, DARK, GREEN, GREY, ORANGE, PURPLE, RED, Language, as_image, canvas
from engine.estimate import BANDS, LEVELS, quantile_name
from experiments.replay import QUANTILES

_SHADES = {95: "#d6e8f4", 80: "#a5cde6", 50: "#6aaed6"}
_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, RED, "#56B4E9", "#8c6d31", "#3b3b3b")
_SAID = {
    "horizon": ("months from the end of the quarter to the information date", "信息截止日距季末的月数"),
    "rmse": ("root mean squared error, {}", "均方根误差，{}"),
    "band": ("{} % band", "{}% 区间"),
    "mean": ("nowcast at the quarter's end", "季末即时预测"),
    "outcome": ("outcome", "实际值"),
    "promised": ("promised, %", "名义覆盖率，%"),
    "held": ("held, %", "实际覆盖率，%"),
    "cell": ("where the outcome fell, between quantiles", "实际值落入的分位区间"),
    "share": ("outcomes, % (line: promised)", "占比，%（横线：名义值）"),
}


def _say(key: str, language: Language) -> str:
    return _SAID[key][language == "zh"]


def skill(
    table: pl.DataFrame, shown: Sequence[str], benchmark: str, title: str, unit: str, language: Language
) -> bytes:
    """RMSE by horizon, a line for each model of ``shown``; the benchmark dashed in grey. table: of ``judge.table``."""
    columns = sorted(
        (c for c in table.columns if c[0] == "h" and c[1:].lstrip("-").isdigit()), key=lambda c: int(c[1:])
    )
    at = [int(c[1:]) for c in columns]
    with canvas(8.0, 4.4, language) as (figure, axes):
        colours = iter(_COLOURS * 4)
        for model in shown:
            y = [table.filter(model=model)[c].item() for c in columns]
            plain = model == benchmark
            colour = GREY if plain else next(colours)
            axes.plot(at, y, color=colour, ls="--" if plain else "-", lw=2, marker="o", ms=4, label=model)
        axes.set_ylim(bottom=0.0)
        axes.set_xticks(at)
        axes.set_xlabel(_say("horizon", language))
        axes.set_ylabel(_say("rmse", language).format(unit))
        axes.set_title(title, loc="left", fontweight="bold")
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))
        return as_image(figure, "png")


def fan(rows: pl.DataFrame, horizon: int, title: str, unit: str, language: Language) -> bytes:
    """The distribution at one horizon, and what came out, through time. rows: cases of one model."""
    part = rows.filter(horizon=horizon).sort("period")
    q, x = part.select([quantile_name(level) for level in LEVELS]).to_numpy(), np.arange(part.height)
    with canvas(10.4, 4.2, language) as (figure, axes):
        for percent, shade in _SHADES.items():
            low, high = (q[:, k] for k in BANDS[percent])
            label = _say("band", language).format(percent)
            axes.fill_between(x, low, high, color=shade, lw=0, step="mid", label=label, zorder=1)
        axes.step(x, part["mean"].to_numpy(), where="mid", color=DARK, lw=1.3, label=_say("mean", language), zorder=3)
        axes.plot(x, part["outcome"].to_numpy(), "o", color=RED, ms=4, label=_say("outcome", language), zorder=4)
        axes.axhline(0, color=GREY, lw=0.8, zorder=2)
        periods = part["period"].to_list()
        first = [i for i, p in enumerate(periods) if p.endswith("Q1")]
        axes.set_xticks(first, [periods[i][:4] for i in first])
        axes.margins(x=0.01)
        axes.set_ylabel(unit)
        axes.set_title(title, loc="left", fontweight="bold")
        axes.legend(ncols=5, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.08), handlelength=1.4)
        return as_image(figure, "png")


def covers(rows: pl.DataFrame, shown: Sequence[str], title: str, language: Language) -> bytes:
    """What share of outcomes the bands of each model of ``shown`` held, against what they promised."""
    with canvas(5.6, 4.4, language) as (figure, axes):
        axes.plot([40, 100], [40, 100], color=GREY, lw=1, ls="--")
        for model, colour in zip(shown, _COLOURS * 4, strict=False):
            mine = rows.filter(model=model)
            y, q = mine["outcome"].to_numpy(), mine.select(QUANTILES).to_numpy()
            held = [100 * float(((q[:, a] <= y) & (y <= q[:, b])).mean()) for a, b in (BANDS[p] for p in sorted(BANDS))]
            axes.plot(sorted(BANDS), held, marker="o", ms=5, lw=1.6, color=colour, label=model)
        axes.set_xticks(sorted(BANDS))
        axes.set_xlabel(_say("promised", language))
        axes.set_ylabel(_say("held", language))
        axes.set_title(title, loc="left", fontweight="bold")
        axes.legend(frameon=False)
        return as_image(figure, "png")


def falls(rows: pl.DataFrame, title: str, language: Language) -> bytes:
    """How often the outcome fell below, between and above the quantiles. rows: cases of one model."""
    found = calibration.cells(rows.select(QUANTILES).to_numpy(), rows["outcome"].to_numpy())
    promised, held = 100 * calibration.CELLS, 100 * found / found.sum()
    edges = [f"{100 * level:g}" for level in LEVELS]
    names = [f"< {edges[0]}", *(f"{a}–{b}" for a, b in pairwise(edges)), f"> {edges[-1]}"]
    with canvas(7.2, 3.6, language) as (figure, axes):
        x = np.arange(len(names))
        axes.bar(x, held, width=0.7, color=BLUE)
        axes.hlines(promised, x - 0.42, x + 0.42, color=RED, lw=2)
        axes.set_xticks(x, names)
        axes.set_xlabel(_say("cell", language))
        axes.set_ylabel(_say("share", language))
        axes.set_title(title, loc="left", fontweight="bold")
        return as_image(figure, "png")
