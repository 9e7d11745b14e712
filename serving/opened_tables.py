"""Answers for people at a terminal: a light with its proof, a change bridge. English and 简体中文."""

from __future__ import annotations

import math

from rich.console import Console

from engine.interactive_svg import cut
from engine.lights import Light
from serving.schemas_opened import ChangeEnd, Changes, LightProof
from serving.tables import LEAST, signed, table_of

_DIFFER = {"items": "指标", "thresholds": "阈值", "weights": "权重", "rules": "其他规则"}


def show(out: Console, said: object) -> None:
    """Whichever of the two it is."""
    if isinstance(said, LightProof):
        show_proof(out, said)
    elif isinstance(said, Changes):
        show_changes(out, said)
    else:
        raise TypeError(f"neither a proof nor a change bridge: {type(said).__name__}")


def show_proof(out: Console, said: LightProof) -> None:
    """The light; its items with thresholds, scores and flips; other rules; its history."""
    made_up = "  [bold red]SYNTHETIC 合成数据[/]" if said.is_synthetic else ""
    title = f"[bold]{said.title_en or said.target} {said.title_zh}[/] ({said.region} {said.region_zh}), {said.period}"
    out.print(f"{title}, as of [bold]{said.asof}[/]{made_up}")
    held = "" if said.band == said.light else f"; the index lies in {_words(said.band)}, not yet confirmed 尚未确认"
    bounds = " | ".join(f"{b:.1f}" for b in said.bands)
    out.print(f"index 指数 [bold]{said.index:.2f}[/], {_words(said.light)}{held}; bounds 灯号界限 {bounds}")
    out.print(f"thresholds in force 现行阈值: {said.thresholds}{f' ({said.reason})' if said.reason else ''}")
    heads = (
        "item",
        "指标",
        "value 数值",
        "thresholds 阈值",
        "score 得分",
        "weight 权重",
        "adds 贡献",
        "flips 翻转需变动",
    )
    table = table_of(heads, left=2)
    for i in said.items:
        cuts = " ".join(f"{c:6.2f}" for c in i.cuts) + (" ↓" if i.hotter == "below" else "")
        score = f"{_symbol(i.score)} {i.score}" if i.score else ""
        by = "" if i.needed is None else f"at {i.needed:.2f}" if i.change is None else f"{i.change:+.2f}"
        flip = f"{by} {_symbol(i.flips_to)}" if by else ""
        value = "" if i.value is None else f"{i.value:.2f} {i.unit if i.unit == '%' else ''}"
        table.add_row(i.name_en[:30], i.name_zh[:14], value, cuts, score, str(i.weight), f"{i.adds:.2f}", flip)
    out.print(table)
    if any(i.hotter == "below" for i in said.items):
        out.print("↓ less is hotter 数值越低越热", style="dim")
    for i in said.items:
        if i.mark_en:
            out.print(f"{i.name_en} {i.name_zh}: {i.mark_en} {i.mark_zh}", style="dim")
    if all(i.needed is None for i in said.items):
        out.print("No item alone can flip it. 任何单项都不能使灯号翻转。", style="dim")
    for other in said.before:
        same = "the same light 灯号相同" if other.light == said.light else "another light 灯号不同"
        why = ", ".join(f"{d} {_DIFFER[d]}" for d in other.differ) or "nothing 无"
        out.print(
            f"under {other.rules_en} ({other.rules_zh}): {other.index:.2f}, {_words(other.light)}, {same}; differs in 差别 {why}"
        )
    months = (
        "month 月份",
        "first known 首次可知",
        "index then 当时",
        "light then 当时",
        "index now 现在",
        "light now 现在",
    )
    history = table_of(months, left=2)
    for row in said.history[-12:]:
        then, now = (f"{_words(light)}" for light in (row.first_light, row.light))
        star = " *" if row.first_light != row.light else "  "
        history.add_row(row.period, row.first_asof, f"{row.first_index:.1f}", then, f"{row.index:.1f}", now + star)
    if said.history:
        out.print(history)
    _foot(out, said.model, said.version, said.fitted_asof, said.run_id)


def show_changes(out: Console, said: Changes) -> None:
    """A row a step and series, in the order of the steps; the column of impacts adds up to the change."""
    made_up = "  [bold red]SYNTHETIC 合成数据[/]" if said.is_synthetic else ""
    title = f"[bold]{said.title_en or said.target} {said.title_zh}[/] ({said.region} {said.region_zh})"
    out.print(f"{title}, from {said.before.asof} to {said.after.asof}{made_up}")
    lit = said.after.light is not None
    columns = ("step", "步骤", "item", "指标", "figures 数据", "impact 影响", *(("light 灯号",) if lit else ()))
    table = table_of(columns, left=4)
    table.show_footer = True

    def end(name: str, of: ChangeEnd) -> None:
        table.add_row(
            name, of.asof, of.period, "", "", f"{of.value:.3f}", *((_words(of.light),) if lit else ()), style="dim"
        )

    end("before 之前", said.before)
    told = [i for i in said.items if abs(i.impact) >= LEAST or i.light_after != i.light_before]
    for i in told:
        lamp = (_words(i.light_after) if i.light_after != i.light_before else "",) if lit else ()
        names = cut((i.name_en or i.item, i.name_zh))
        table.add_row(i.step, i.step_zh, *names, str(i.cells or ""), signed(i.impact), *lamp)
    if rest := [i for i in said.items if i not in told]:
        counts = str(sum(i.cells for i in rest) or ""), signed(math.fsum(i.impact for i in rest))
        table.add_row("others", "其余", f"{len(rest)} without effect", f"{len(rest)}项无影响", *counts)
    end("after 之后", said.after)
    for column, text in zip(table.columns, ("change", "变化", "", "", "", signed(said.change), ""), strict=False):
        column.footer = text
    out.print(table)
    out.print("; ".join(f"{step} {signed(value)}" for step, value in said.sums.items()), style="dim")
    _foot(out, said.model, said.after.version, said.after.fitted_asof, said.run_id)


def _foot(out: Console, model: str, version: str, fitted: str, run: str) -> None:
    out.print(f"{model}, version {version}, learned as of {fitted}, run {run}\n", style="dim")


def _symbol(light: int | None) -> str:
    return "" if light is None else f"[{Light(light).colour}]{Light(light).symbol}[/]"


def _words(light: int | None) -> str:
    return "" if light is None else f"{_symbol(light)} {Light(light).en} {Light(light).zh}"
