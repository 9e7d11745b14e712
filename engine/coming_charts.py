"""Coming releases as a figure: what each would take from the variance of a nowcast, alone and in its turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from engine.charts import DARK, GREY, Language, as_svg, canvas, clip, mark_synthetic
from engine.errors import BadInput

_LIGHT = "#6aaed6"

_SAID = {
    "alone": ("by this release alone", "仅此项发布"),
    "turn": ("in its turn, after those above", "按日程依次发布"),
    "share": ("share of today's variance that goes, %", "方差减少占当前方差的比重，%"),
    "overdue": ("overdue", "已逾期"),
    "rest": ("{} more take less", "其余 {} 项影响较小"),
}


class Bar(NamedTuple):
    """One coming release: names in English and Chinese, its period and usual day as text, and shares (0 … 1) of the variance now
    that go by it alone, and in its turn."""

    name_en: str
    name_zh: str
    period: str
    day: str
    overdue: bool
    alone: float
    turn: float


def coming(
    bars: Sequence[Bar], title: str, language: Language = "en", most: int = 14, *, synthetic: bool = False
) -> bytes:
    """A bar a release, soonest on top; of more than ``most`` those that take most. SVG. Raises BadInput for none."""
    if not bars:
        raise BadInput("a figure of coming releases needs at least one")
    weight = [max(b.alone, b.turn) for b in bars]
    kept = sorted(sorted(range(len(bars)), key=lambda i: -weight[i])[:most])
    zh = language == "zh"
    with canvas(9.0, 1.7 + 0.32 * len(kept), language) as (figure, axes):
        alone = 100 * np.array([bars[i].alone for i in kept])
        turn = 100 * np.array([bars[i].turn for i in kept])
        rows = np.arange(len(kept))
        axes.barh(rows, alone, color=_LIGHT, height=0.62, label=_say("alone", language))
        axes.plot(turn, rows, ls="none", marker="D", ms=5, color=DARK, label=_say("turn", language))
        for row, value in zip(rows, alone, strict=True):
            axes.annotate(
                f"{value:.1f}", (max(value, 0.0), row), (8, 0), textcoords="offset points", va="center", color=GREY
            )
        names = []
        for b in (bars[i] for i in kept):
            day = f"{b.day}, {_say('overdue', language)}" if b.overdue else b.day
            names.append(f"{clip(b.name_zh, 20) if zh else clip(b.name_en, 38)} {b.period} ({day})")
        axes.set_yticks(rows, names)
        axes.invert_yaxis()
        top = max(float(np.max(alone)), float(np.max(turn)), 1.0)
        axes.set_xlim(min(0.0, 1.1 * float(min(alone.min(), turn.min()))), 1.14 * top)
        axes.grid(axis="y", visible=False)
        axes.grid(axis="x", color="#e4e4e4", lw=0.6)
        left_out = f"  ({_say('rest', language).format(len(bars) - len(kept))})" if len(bars) > len(kept) else ""
        axes.set_xlabel(_say("share", language) + left_out)
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
        figure.legend(frameon=False, loc="outside lower left", ncols=2, handlelength=1.4)
        if synthetic:
            mark_synthetic(figure, language)
        return as_svg(figure)


def _say(key: str, language: Language) -> str:
    return _SAID[key][language == "zh"]
