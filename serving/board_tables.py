"""A change of places and the page of a unit, for people at a terminal."""

from __future__ import annotations

import math

from rich.console import Console
from rich.table import Table

from modelzoo.scorecard.change import CAUSES, NAMES, Cause
from serving.board_schemas import BoardChange, ChangeRow, StandingRow, UnitPage

_HEADS = [f"{en} {NAMES[c][1]}" for c, en in zip(CAUSES, ("own", "others", "revision", "method"), strict=True)]


def show(out: Console, said: BoardChange | UnitPage) -> None:
    """Whichever of the two it is."""
    if isinstance(said, UnitPage):
        show_page(out, said)
    else:
        show_change(out, said)


def show_change(out: Console, said: BoardChange) -> None:
    """Places gained and points of the score by cause, a row a unit; of one unit alone its indicators too."""
    b, a = said.before, said.after
    out.print(f"[bold]{said.title_en or said.target} {said.title_zh}[/] ({said.target}){_made_up(said.is_synthetic)}")
    out.print(f"from [bold]{b.period}[/] as of {b.asof} to [bold]{a.period}[/] as of {a.asof}")
    row = {(r.unit, r.indicator, r.cause): r for r in said.rows}
    places = _table(("unit", "单位", "from", "to", "gained 位次变化", *_HEADS), 2, "places 位次")
    score = _table(("unit", "单位", "from", "to", "change 得分变化", *_HEADS), 2, "score 得分")
    for u in said.units:
        mine = [row[u.unit, "", c] for c in CAUSES]
        ranks = (str(u.rank_before), str(u.rank_after), _signed(u.rank_before - u.rank_after, 0))
        places.add_row(u.unit, u.unit_zh, *ranks, *(_signed(r.places or 0.0, 1) for r in mine))
        scores = (f"{u.score_before:.2f}", f"{u.score_after:.2f}", _signed(u.score_after - u.score_before))
        score.add_row(u.unit, u.unit_zh, *scores, *(_signed(r.score) for r in mine))
    out.print(places)
    out.print(score)
    names = list(dict.fromkeys(r.indicator for r in said.rows if r.indicator))
    if names:
        out.print(_by_indicator(row, said.units[0].unit, names))
    out.print(f"method 方法: {', '.join(said.method) or 'nothing changed 未变'}", style="dim")
    for unit, why in said.left_out:
        out.print(f"{unit} left out 未列入: {why}", style="dim")
    for end in dict.fromkeys((b, a)):
        out.print(f"{end.model}, version {end.version}, learned as of {end.fitted_asof}, run {end.run_id}", style="dim")
    out.print()


def show_page(out: Console, said: UnitPage) -> None:
    """Place and score, strengths and weaknesses, what would gain a place, peers, marks."""
    out.print(
        f"[bold]{said.unit_en} {said.unit_zh}[/] ({said.unit}), {said.title_en or said.target} {said.title_zh}, "
        f"{said.board.period} as of [bold]{said.board.asof}[/]{_made_up(said.is_synthetic)}"
    )
    interval = f"90 %: {said.rank_low:.0f}–{said.rank_high:.0f}"
    out.print(f"place 位次 [bold]{said.rank}[/] of {said.units}, {interval}; score 得分 {said.score:.2f}")
    out.print(_standings("strengths 优势", said.strengths))
    out.print(_standings("weaknesses 短板", said.weaknesses))
    lifts = _table(
        ("indicator", "指标", "value 现值", "needed 所需", "effort 幅度", "points/unit 每单位得分", "places 可升位次"),
        2,
        "what would gain a place 提升位次",
    )
    for r in said.lifts:
        cells = (_plain(r.value), _plain(r.needed), f"{r.effort:.1%}", _plain(r.gain), f"+{r.places}")
        lifts.add_row(r.indicator_en or r.indicator, r.indicator_zh, *cells)
    out.print(lifts if said.lifts else "no indicator alone gains a place 单个指标均不能提升位次")
    peers = _table(("unit", "单位", "distance 距离"), 2, "peers 相近单位")
    for p in said.peers:
        peers.add_row(p.peer, p.peer_zh, f"{p.distance:.1f}")
    out.print(peers)
    if said.goals:
        g = said.goals
        goals = _table(
            ("indicator", "指标", "goal 目标", "nowcast 预计", "probability 达标概率"), 2, f"goals of {g.year} 年度目标"
        )
        for row in g.goals:
            numbers = (_plain(row.goal), _plain(row.mean), f"{row.probability:.0%}")
            goals.add_row(row.indicator_en or row.indicator, row.indicator_zh, *numbers)
        out.print(goals)
        out.print(
            f"all met 全部达标 {g.all_met:.0%} (from {g.low:.0%} to {g.high:.0%}); expected share 预期达标比重 {g.expected:.0%}"
        )
    for m in said.marks:
        out.print(f"{m.indicator_en or m.indicator} {m.indicator_zh}: {m.mark} {m.mark_zh}", style="dim")
    end = said.board
    out.print(f"{end.model}, version {end.version}, learned as of {end.fitted_asof}, run {end.run_id}\n", style="dim")


def _by_indicator(row: dict[tuple[str, str, Cause], ChangeRow], unit: str, names: list[str]) -> Table:
    """Points of the score, the largest change first."""
    table = _table(("indicator", "指标", "change 得分变化", *_HEADS), 2, "score by indicator 各指标对得分变化的贡献")
    cells = {n: [row[unit, n, c] for c in CAUSES] for n in names}
    for name in sorted(names, key=lambda n: -abs(math.fsum(r.score for r in cells[n]))):
        parts = cells[name]
        total = math.fsum(r.score for r in parts)
        table.add_row(
            parts[0].indicator_en or name, parts[0].indicator_zh, _signed(total), *(_signed(r.score) for r in parts)
        )
    return table


def _standings(title: str, rows: tuple[StandingRow, ...]) -> Table:
    table = _table(("indicator", "指标", "value 数值", "score 得分", "place 位次", "gap 与均值差"), 2, title)
    for r in rows:
        cells = (_plain(r.value), f"{r.score:.1f}", str(r.place), _signed(r.gap))
        table.add_row(r.indicator_en or r.indicator, r.indicator_zh, *cells)
    return table


def _table(columns: tuple[str, ...], left: int, title: str) -> Table:
    table = Table(box=None, pad_edge=False, title=title, title_justify="left", title_style="bold")
    for n, name in enumerate(columns):
        table.add_column(name, justify="left" if n < left else "right", no_wrap=True)
    return table


def _plain(value: float) -> str:
    """Four digits that say something, never an exponent: 0.01234, 12.34, 123456."""
    digits = 3 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:.{min(max(digits, 0), 12)}f}"


def _signed(value: float, digits: int = 2) -> str:
    """With its sign; a plain 0 where nothing moved."""
    return f"{round(value, digits):+.{digits}f}" if value else "0"


def _made_up(is_synthetic: bool) -> str:
    return "  [bold red]SYNTHETIC 合成数据[/]" if is_synthetic else ""
