"""Charts of readings as inline SVG: an index, the cycle clock, lights, named bars and intervals, a board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from engine.calendar import Freq, Period
from engine.interactive_svg import (
    Say,
    cut,
    digits_of,
    filled,
    margin,
    mark,
    number,
    pair,
    points,
    round_numbers,
    rule,
    svg,
    text,
)
from engine.lights import Light
from engine.reading_views import CLOCK, Course, Lamps, Place, cycle
from engine.turning import Kind
from engine.typing import Floats

W = 920

BAND = ("{} % band", "{}% 区间")
TURN = {Kind.PEAK: ("peak", "峰"), Kind.TROUGH: ("trough", "谷")}
STATE = {True: ("confirmed", "已确认"), False: ("candidate", "待确认")}
PHASES = {
    (True, True): ("expansion", "扩张"), (False, True): ("downturn", "回落"),
    (False, False): ("contraction", "收缩"), (True, False): ("recovery", "复苏"),
}  # fmt: skip
_TINT = {(True, True): "#e8f4ee", (False, True): "#fdf4e0", (False, False): "#fbe9e1", (True, False): "#e6f0f8"}


class Bar(NamedTuple):
    """A named number with an interval, if it has one; more: what else is read out."""

    name: Say
    value: float
    low: float | None = None
    high: float | None = None
    more: tuple[Say, ...] = ()


def course(one: Course, label: Say, downturns: Sequence[tuple[Period, Period]], lit: Sequence[Light | None],
           synthetic: bool) -> str:  # fmt: skip
    """An index with bands, turns and shaded downturns; a strip for each period reads out all of it. lit: its lights, or none."""
    left, right, top, bottom, height = 52, 16, 14, 30, 330
    ends = [one.index, *(b for ends in one.bands.values() for b in ends)]
    ticks = round_numbers(min(np.nanmin(e) for e in ends), max(np.nanmax(e) for e in ends))
    months = one.months
    span = max(months[-1] - months[0], 1.0)

    def x(month: float) -> float:
        return float(left + (month - months[0]) / span * (W - left - right))

    def y(value: float) -> float:
        return float(top + (ticks[-1] - value) / (ticks[-1] - ticks[0]) * (height - top - bottom))

    parts = [rule(left, W - right, y(t), number(t, digits_of(ticks))) for t in ticks]
    for peak, trough in downturns:
        a, b = max(peak.last_month.ordinal, months[0]), min(trough.last_month.ordinal, months[-1])
        if b > a:
            parts.append(
                f'<rect class="downturn" x="{x(a):.1f}" width="{x(b) - x(a):.1f}" y="{top}" height="{height - top - bottom}"/>'
            )
    for percent in sorted(one.bands, reverse=True):
        low, high = one.bands[percent]
        held = np.flatnonzero(~(np.isnan(low) | np.isnan(high)))
        path = [(months[i], high[i]) for i in held] + [(months[i], low[i]) for i in held[::-1]]
        parts.append(f'<polygon class="b{percent}" points="{points((x(m), y(v)) for m, v in path)}"/>')
    parts.append(
        f'<polyline class="line" points="{points((x(m), y(v)) for m, v in zip(months, one.index, strict=True))}"/>'
    )
    parts += [_month(x(m), height - 10, m, span) for m in _shown(months)]
    turns = {t.row: t for t in one.turns.all}
    half = (W - left - right) / span / 2
    for k, (month, value) in enumerate(zip(months, one.index, strict=True)):
        lines: list[Say] = [(one.periods[k],) * 2, pair(label, number(value))]
        for percent in sorted(one.bands):
            low, high = (b[k] for b in one.bands[percent])
            if low < high:
                lines.append(pair(filled(BAND, percent), f"{number(low)} … {number(high)}"))
        if (light := lit[k] if lit else None) is not None:
            lines.append(
                (f"{light.symbol} {light.en}, {light.meaning_en}", f"{light.symbol} {light.zh}，{light.meaning_zh}")
            )
        shape = f'<rect class="hit" x="{x(month) - half:.1f}" width="{2 * half:.1f}" y="{top}" height="{height - top - bottom}"/>'
        shape += f'<circle class="dot" cx="{x(month):.1f}" cy="{y(value):.1f}" r="4"/>'
        if (turn := turns.get(k)) is not None:
            kind, state = TURN[turn.kind], STATE[turn.confirmed]
            lines.append((f"{kind[0]}, {state[0]}", f"{kind[1]}，{state[1]}"))
            shape += _triangle(x(month), y(value), turn.kind, turn.confirmed)
        parts.append(mark(shape, lines, k, 0, k == len(months) - 1))
    return svg(W, height, label, parts, synthetic)


def clock(one: Course, label: Say, synthetic: bool) -> str:
    """The cycle clock of the newest months; raises BadInput as ``reading_views.cycle``."""
    change, level = (v[max(6, len(one.index) - CLOCK) :] for v in cycle(one))
    periods, size, pad = one.periods[-len(change) :], 460, 44
    reach = 1.15 * max(1.5, float(np.abs(np.r_[change, level]).max()))

    def at(u: float, v: float) -> tuple[float, float]:
        scale = (size - 2 * pad) / (2 * reach)
        return pad + (u + reach) * scale, pad + (reach - v) * scale

    middle, parts = size / 2, []
    for (rising, high), said in PHASES.items():
        parts.append(f'<rect fill="{_TINT[rising, high]}" x="{middle if rising else pad}" y="{pad if high else middle}" '
                     f'width="{middle - pad}" height="{middle - pad}"/>')  # fmt: skip
        parts.append(text(size - pad - 8 if rising else pad + 8, pad + 18 if high else size - pad - 8, said,
                          "end" if rising else "start", "strong"))  # fmt: skip
    parts.append(f'<polyline class="line" points="{points(at(u, v) for u, v in zip(change, level, strict=True))}"/>')
    for k, (u, v) in enumerate(zip(change, level, strict=True)):
        last = k == len(change) - 1
        a, b = at(u, v)
        phase = PHASES[bool(u >= 0), bool(v >= 0)]
        lines = [
            (periods[k],) * 2, phase, pair(("level", "水平"), f"{number(v)} σ"),
            pair(("change over six months", "六个月变动"), f"{number(u)} σ"),
        ]  # fmt: skip
        kind, radius = ("dot shown last", 8.0) if last else ("dot shown", 3.5)
        parts.append(mark(f'<circle class="{kind}" cx="{a:.1f}" cy="{b:.1f}" r="{radius}"/>', lines, k, 0, last))
    a, b = at(change[-1], level[-1])
    parts.append(
        text(
            a - 12 if a > middle else a + 12, b + 4, (periods[-1],) * 2, "end" if a > middle else "start", "ink strong"
        )
    )
    parts.append(text(middle, size - 12, ("change over six months, σ →", "六个月变动（标准差）→"), "middle"))
    parts.append(text(pad, 26, ("↑ level, σ from the mean", "↑ 水平（偏离均值的标准差）")))
    return svg(size, size, label, parts, synthetic, "square")


def lamps(grid: Lamps, names: Sequence[Say], label: Say, index: Mapping[tuple[str, ...], float], links: bool,
          synthetic: bool) -> str:  # fmt: skip
    """Lights through time, a row each; carried ones are pale. index: what the index of a row was. links: to the row's section."""
    left = margin(names)
    cell = max(22.0, min(40.0, (W - left - 8) / len(grid.periods)))
    height, tall = 26 * len(grid.rows) + 74, 26
    parts = []
    for j, row in enumerate(grid.rows):
        named = text(left - 8, 18 + tall * j, cut(names[j]), "end", "ink strong" if not row else "ink")
        parts.append(f'<a href="#{escape(anchor(row))}">{named}</a>' if links else named)
        for k, period in enumerate(grid.periods):
            at = (row, period)
            light, score, said = grid.light.get(at), grid.score.get(at), grid.mark.get(at)
            if light is None and said is None:
                continue
            lines = [names[j], (period,) * 2]
            fill, ink, symbol = "#eef0f3", "ink", "–"
            if light is not None:
                fill, symbol = light.colour, light.symbol
                ink = "ink" if said or light in (Light.LIGHT_BLUE, Light.YELLOW) else "paper"
                lines.append((f"{symbol} {light.en}, {light.meaning_en}", f"{symbol} {light.zh}，{light.meaning_zh}"))
            if score is not None:
                lines.append(pair(("score", "得分"), f"{score:.0f} / 5"))
            if at in index:
                lines.append(pair(("index", "指数"), number(index[at])))
            if said:
                lines.append((said.en, said.zh))
            x, y = left + cell * k, tall * j
            shape = (
                f'<rect class="tile" x="{x + 1:.1f}" y="{y + 1}" width="{cell - 2:.1f}" height="{tall - 2}" fill="{fill}"'
                f' fill-opacity="{0.45 if said else 1}"/>' + text(x + cell / 2, y + 17, (symbol, symbol), "middle", ink)
            )
            parts.append(mark(shape, lines, k, j, (j, k) == (0, len(grid.periods) - 1)))
    for k, period in enumerate(grid.periods):
        place = f"translate({left + cell * (k + 0.5) + 4:.1f} {tall * len(grid.rows) + 8}) rotate(-90)"
        parts.append(f'<text transform="{place}" text-anchor="end">{escape(period)}</text>')
    return svg(left + cell * len(grid.periods) + 8, height, label, parts, synthetic)


def bars(rows: Sequence[Bar], label: Say, synthetic: bool, digits: int = 2) -> str:
    """Named numbers as bars from zero, blue up and orange down."""
    left, tall = margin([r.name for r in rows]), 24
    most = max((abs(r.value) for r in rows), default=0.0) or 1.0
    low = min(0.0, min((r.value for r in rows), default=0.0)) / most
    wide = (W - left - 80) / ((max(0.0, max((r.value for r in rows), default=0.0)) / most) - low or 1.0)
    zero, parts = left + 10 - low * wide, []
    for j, row in enumerate(rows):
        length, y = row.value / most * wide, tall * j
        at = zero + max(length, 0) + 6
        shape = (
            f'<rect class="hit" x="0" y="{y}" width="{W}" height="{tall}"/>'
            f'<rect class="tile {"up" if row.value >= 0 else "down"}" x="{zero + min(length, 0):.1f}" y="{y + 4}" '
            f'width="{abs(length):.1f}" height="{tall - 8}"/>' + text(at, y + 16, (number(row.value, digits),) * 2)
        )
        parts.append(text(left - 8, y + 16, cut(row.name), "end", "ink"))
        parts.append(mark(shape, [row.name, (number(row.value, digits),) * 2, *row.more], 0, j, j == 0))
    parts.append(f'<line class="zero" x1="{zero:.1f}" x2="{zero:.1f}" y1="0" y2="{tall * len(rows)}"/>')
    return svg(W, tall * len(rows) + 6, label, parts, synthetic)


def intervals(rows: Sequence[Bar], label: Say, synthetic: bool, digits: int = 1) -> str:
    """Named numbers as dots, each with its interval."""
    left, tall = margin([r.name for r in rows]), 26
    ends = [v for r in rows for v in (r.value, r.low, r.high) if v is not None]
    ticks = round_numbers(min(ends), max(ends))
    bottom = tall * len(rows) + 6

    def x(value: float) -> float:
        return left + 14 + (value - ticks[0]) / (ticks[-1] - ticks[0]) * (W - left - 40)

    parts = [f'<line class="grid" x1="{x(t):.1f}" x2="{x(t):.1f}" y1="0" y2="{bottom}"/>' for t in ticks]
    parts += [text(x(t), bottom + 16, (number(t, digits_of(ticks)),) * 2, "middle") for t in ticks]
    for j, row in enumerate(rows):
        y = tall * (j + 0.5)
        shape = f'<rect class="hit" x="0" y="{tall * j}" width="{W}" height="{tall}"/>'
        lines = [row.name, (number(row.value, digits),) * 2]
        if row.low is not None and row.high is not None:
            shape += f'<line class="interval" x1="{x(row.low):.1f}" x2="{x(row.high):.1f}" y1="{y}" y2="{y}"/>'
            lines.append((f"{number(row.low, digits)} … {number(row.high, digits)}",) * 2)
        shape += f'<circle class="dot shown" cx="{x(row.value):.1f}" cy="{y}" r="5"/>'
        parts.append(text(left - 8, y + 4, cut(row.name), "end", "ink"))
        parts.append(mark(shape, [*lines, *row.more], 0, j, j == 0))
    return svg(W, bottom + 24, label, parts, synthetic)


def board(rows: Sequence[Place], names: Sequence[Say], label: Say, synthetic: bool) -> str:
    """Places with the central 90 % of them, the best on top."""
    told = [
        Bar(name, row.rank, row.low, row.high, (pair(("score", "得分"), number(row.score)),))
        for name, row in zip(names, rows, strict=True)
    ]
    return intervals(told, label, synthetic, 0)


def anchor(unit: str) -> str:
    """The id of a unit's section."""
    return f"unit-{unit}"


def _shown(months: Floats) -> list[int]:
    span = int(months[-1] - months[0]) + 1
    step = next((s for s in (1, 3, 6, 12, 24, 60, 120) if span / s <= 10), 240)
    return [m for m in range(int(months[0]), int(months[-1]) + 1) if m % step == 0]


def _month(x: float, y: float, month: float, span: float) -> str:
    said = str(Period(Freq.M, int(month)))
    return text(x, y, (said if span < 120 else said[:4],) * 2, "middle")


def _triangle(x: float, y: float, kind: Kind, confirmed: bool) -> str:
    """Above a peak pointing down, below a trough pointing up."""
    s = -kind.sign
    corners = points([(x, y + s * 5), (x - 6, y + s * 15), (x + 6, y + s * 15)])
    return f'<polygon class="{kind.value}{"" if confirmed else " candidate"}" points="{corners}"/>'
