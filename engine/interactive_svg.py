"""Inline SVG whose marks can be pointed at and focused. Every label stands in both languages.

A mark holds what it reads out in ``data-en`` and ``data-zh``, and its row and column in ``data-x`` and ``data-y``, by which
arrow keys move. Colours and script are those of ``engine/pages``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

Say = tuple[str, str]
"""English and Chinese."""

MOST = 46
"""Letters of a label at the left; the rest is in what the mark reads out."""


def number(value: float, digits: int = 2) -> str:
    """With a true minus, and none before zero."""
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def both(said: Say) -> str:
    """HTML of which the page shows one language."""
    if said[0] == said[1]:
        return escape(said[0])
    return f'<span class="en">{escape(said[0])}</span><span class="zh" lang="zh-Hans">{escape(said[1])}</span>'


def text(x: float, y: float, said: Say, anchor: str = "start", kind: str = "") -> str:
    """A label in both languages; once where they are the same."""
    if said[0] == said[1]:
        inner = escape(said[0])
    else:
        inner = f'<tspan class="en">{escape(said[0])}</tspan><tspan class="zh" lang="zh-Hans">{escape(said[1])}</tspan>'
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{inner}</text>'


def mark(shape: str, lines: Iterable[Say], x: int, y: int, first: bool) -> str:
    """A shape that reads out these lines; ``first`` is where the tabulator enters the chart."""
    en, zh = (escape("\n".join(s)).replace("\n", "&#10;") for s in zip(*lines, strict=True))
    return (
        f'<g class="m" role="img" tabindex="{0 if first else -1}" data-x="{x}" data-y="{y}" data-en="{en}" data-zh="{zh}" '
        f'aria-label="{en}">{shape}</g>'
    )


def svg(width: float, height: float, label: Say, parts: Iterable[str], synthetic: bool, kind: str = "broad") -> str:
    """A chart with its name for those who hear it; across it, that the place is made up."""
    en, zh = map(escape, label)
    marked = ""
    if synthetic:
        turned = f'text-anchor="middle" transform="translate({width / 2:.0f} {height / 2 + 12:.0f}) rotate(-14)"'
        said = '<tspan class="en">SYNTHETIC DATA</tspan><tspan class="zh" lang="zh-Hans">合成数据 · 非官方统计</tspan>'
        marked = f'<text class="made-up" {turned}>{said}</text>'
    return (
        f'<div class="wide"><svg class="{kind}" viewBox="0 0 {width:.0f} {height:.0f}" role="group" data-en="{en}" data-zh="{zh}" '
        f'aria-label="{en}">{"".join(parts)}{marked}</svg></div>'
    )


def pair(name: Say, value: str) -> Say:
    """A named value."""
    return f"{name[0]}: {value}", f"{name[1]}：{value}"


def filled(said: Say, value: object) -> Say:
    """A text with a value in its place."""
    return said[0].format(value), said[1].format(value)


def cut(said: Say) -> Say:
    """As much of a label as has room."""
    en, zh = said
    return (en if len(en) <= MOST else en[: MOST - 1] + "…"), (
        zh if len(zh) <= MOST // 2 else zh[: MOST // 2 - 1] + "…"
    )


def margin(names: Sequence[Say]) -> float:
    """Room for the longest label at the left."""
    return 22 + max(
        (max(6.4 * len(en), 12.4 * sum(1 if ord(c) > 255 else 0.55 for c in zh)) for en, zh in map(cut, names)),
        default=0,
    )


def round_numbers(low: float, high: float) -> list[float]:
    """Four to nine round numbers that hold both ends."""
    rough = (high - low) / 5 or abs(high) / 5 or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [k * step for k in range(first, max(last, first + 1) + 1)]


def digits_of(ticks: Sequence[float]) -> int:
    """Digits after the point that tell round numbers apart."""
    return len(f"{ticks[1] - ticks[0]:.9f}".rstrip("0").partition(".")[2])


def rule(left: float, right: float, y: float, said: str) -> str:
    """A line across, with its number at the left."""
    line = f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return line + text(left - 6, y + 4, (said, said), "end")


def points(places: Iterable[tuple[float, float]]) -> str:
    """Places as SVG wants them."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
