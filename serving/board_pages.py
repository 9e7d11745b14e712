"""A change of places and the page of a unit as HTML that needs nothing else, in English and Chinese."""

from __future__ import annotations

import math
from html import escape
from pathlib import Path

from engine import interactive_charts as drawing
from engine import interactive_page as html
from engine.errors import BadInput
from engine.interactive_charts import Bar
from engine.interactive_svg import Say, both, pair
from modelzoo.scorecard.change import CAUSES, NAMES
from serving.board_schemas import BoardChange, StandingRow, UnitPage

_UNIT, _INDICATOR = ("unit", "单位"), ("indicator", "指标")
_PLACE, _SCORE, _VALUE = ("place", "位次"), ("score", "得分"), ("value", "数值")


def write(said: BoardChange | UnitPage, file: Path) -> None:
    """One page. Raises BadInput for a file that is not called .html."""
    if file.suffix != ".html":
        raise BadInput(f"--chart writes a page: name a file that ends in .html, not {file.name}")
    file.write_bytes(_page(said) if isinstance(said, UnitPage) else _change(said))


def _page(said: UnitPage) -> bytes:
    title = _called(said.unit, said.unit_en, said.unit_zh)
    low, high = f"{said.rank_low:.0f}", f"{said.rank_high:.0f}"
    stands = (
        f"{said.title_en or said.target}: place {said.rank} of {said.units} (90 %: {low} to {high}), score {said.score:.2f}",
        f"{said.title_zh or said.target}：第 {said.rank} 位，共 {said.units} 个（90%：{low} 至 {high}），得分 {said.score:.2f}",
    )
    parts = [f"<p>{both(stands)}</p>"]
    gaps = sorted((*said.strengths, *said.weaknesses), key=lambda r: -r.gap)
    label = ("Adds to the score, less the mean of the others", "对得分的贡献与其他单位均值之差")
    if gaps:
        bars = [Bar(_of(r), r.gap, more=(pair(_PLACE, str(r.place)), pair(_SCORE, f"{r.score:.1f}"))) for r in gaps]
        heads = [_INDICATOR, _VALUE, _SCORE, _PLACE, ("gap", "差距")]
        rows = [
            [both(_of(r)), html.exact(r.value, 4), html.exact(r.score), str(r.place), html.exact(r.gap)] for r in gaps
        ]
        head = html.heading(("Strengths and weaknesses", "优势与短板"))
        parts += [head, _soft(label), drawing.bars(bars, label, said.is_synthetic), html.table(heads, rows)]
    parts.append(html.heading(("What would gain a place", "提升位次")))
    if said.lifts:
        label = ("Way to the next place, % of the range over the units", "提升一位所需幅度，占各单位极差的百分比")
        names = [_called(r.indicator, r.indicator_en, r.indicator_zh) for r in said.lifts]
        more = [
            (pair(("needed", "所需"), f"{r.needed:.4g}"), pair(("places at best", "最多可升"), f"+{r.places}"))
            for r in said.lifts
        ]
        bars = [Bar(name, 100 * r.effort, more=m) for name, r, m in zip(names, said.lifts, more, strict=True)]
        heads = [
            _INDICATOR,
            ("now", "现值"),
            ("needed", "所需"),
            ("points per unit", "每单位得分"),
            ("places", "可升位次"),
        ]
        rows = [
            [both(name), html.exact(r.value, 4), html.exact(r.needed, 4), html.exact(r.gain, 4), f"+{r.places}"]
            for name, r in zip(names, said.lifts, strict=True)
        ]
        parts += [_soft(label), drawing.bars(bars, label, said.is_synthetic, 1), html.table(heads, rows)]
    else:
        parts.append(f"<p>{both(('No indicator alone gains a place.', '单个指标均不能提升位次。'))}</p>")
    if said.goals:
        heads = [_INDICATOR, ("goal", "目标"), ("nowcast", "预计"), ("probability", "达标概率")]
        rows = [
            [
                both(_called(r.indicator, r.indicator_en, r.indicator_zh)),
                *map(html.exact, (r.goal, r.mean, r.probability)),
            ]
            for r in said.goals.goals
        ]
        parts += [
            html.heading((f"Goals of {said.goals.year}", f"{said.goals.year}年度目标")),
            html.table(heads, rows, True),
        ]
    peers = [[both(_called(p.peer, p.peer_en, p.peer_zh)), html.exact(p.distance)] for p in said.peers]
    parts += [html.heading(("Peers", "相近单位")), html.table([_UNIT, ("distance", "距离")], peers, True)]
    marks = [
        [both(_called(m.indicator, m.indicator_en, m.indicator_zh)), both((m.mark, m.mark_zh))] for m in said.marks
    ]
    if marks:
        parts += [
            html.heading(("Not simply as reported", "数据说明")),
            html.table([_INDICATOR, ("mark", "标记")], marks, True),
        ]
    return html.document(title, f"{said.board.period}, {said.board.asof}", parts, said.is_synthetic)


def _change(said: BoardChange) -> bytes:
    b, a = said.before, said.after
    row = {(r.unit, r.indicator, r.cause): r for r in said.rows}
    parts: list[str] = []
    indicators = list(dict.fromkeys(r.indicator for r in said.rows if r.indicator))
    heads = [_UNIT, ("from", "原位次"), ("to", "现位次"), *(NAMES[c] for c in CAUSES)]
    rows = [
        [both(_called(u.unit, u.unit_en, u.unit_zh)), str(u.rank_before), str(u.rank_after)]
        + [html.exact(row[u.unit, "", c].places, 1) for c in CAUSES]
        for u in said.units
    ]
    parts += [html.heading(("Places gained, by cause", "位次变化及原因")), html.table(heads, rows, True)]
    for u in said.units:
        name = _called(u.unit, u.unit_en, u.unit_zh)
        moved = (f"place {u.rank_before} → {u.rank_after}", f"位次 {u.rank_before} → {u.rank_after}")
        bars = [
            Bar(NAMES[c], row[u.unit, "", c].score, more=(pair(("places", "位次"), f"{row[u.unit, '', c].places:+g}"),))
            for c in CAUSES
        ]
        label = (
            f"Score {u.score_before:.2f} → {u.score_after:.2f}",
            f"得分 {u.score_before:.2f} → {u.score_after:.2f}",
        )
        head = f'<h3 id="{escape(drawing.anchor(u.unit))}">{both(name)} · {both(moved)}</h3>'
        parts += [head, _soft(label), drawing.bars(bars, label, said.is_synthetic)]
    if indicators:
        unit = said.units[0].unit
        cells = {n: [row[unit, n, c] for c in CAUSES] for n in indicators}
        order = sorted(indicators, key=lambda n: -abs(math.fsum(r.score for r in cells[n])))
        table = [
            [
                both(_called(n, cells[n][0].indicator_en, cells[n][0].indicator_zh)),
                *(html.exact(r.score) for r in cells[n]),
            ]
            for n in order
        ]
        parts += [
            html.heading(("Score by indicator", "各指标贡献")),
            html.table([_INDICATOR, *(NAMES[c] for c in CAUSES)], table, True),
        ]
    title = (said.title_en or said.target, said.title_zh or said.target)
    return html.document(title, f"{b.period} ({b.asof}) → {a.period} ({a.asof})", parts, said.is_synthetic)


def _soft(said: Say) -> str:
    return f'<p class="soft">{both(said)}</p>'


def _called(code: str, en: str, zh: str) -> Say:
    return en or zh or code, zh or en or code


def _of(r: StandingRow) -> Say:
    return _called(r.indicator, r.indicator_en, r.indicator_zh)
