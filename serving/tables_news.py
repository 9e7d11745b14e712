"""What-if, coming releases and the sources of a band for people at a terminal."""

from __future__ import annotations

import math

from rich.console import Console

from engine.estimate import BANDS, LEVELS, quantile_name
from serving.schemas_news import Coming, Said, WhatIf
from serving.schemas_uncertainty import Uncertainty
from serving.tables import KINDS, LEAST, MOST, made_up, number, signed, table_of


def show_what_if(out: Console, said: WhatIf) -> None:
    """Before and after with bands, then what each supposed release adds; the impacts add up to the change."""
    title = f"What if 情景: {said.period}, as of {said.asof}, in {said.unit}"
    out.print(f"[bold]{title}[/]{made_up(said)}")
    units = {s.series: " ".join(dict.fromkeys((s.unit, s.unit_zh))) for s in said.supposed}
    for s in said.supposed:
        given = "" if s.published is None else f" (published {s.published:g} {s.unit_published} {s.unit_published_zh})"
        out.print(
            f"supposed 假设: {s.name_en} {s.name_zh} {s.period} = {s.value:.4g} {units[s.series]}{given}", style="dim"
        )
    bands = table_of(("", "名称", "mean", *(f"{p} % band" for p in sorted(BANDS))), left=2)
    bands.add_row("before", "之前", *_estimate(said.before))
    bands.add_row("after", "之后", *_estimate(said.after))
    out.print(bands)
    table = table_of(
        ("series", "名称", "period", "kind 类别", "unit", "expected", "supposed", "news", "impact"), left=5
    )
    table.show_footer = True
    large = sum(abs(i.impact) >= LEAST for i in said.items[:MOST])
    for item in said.items[:large]:
        names = (item.name_en or "", item.name_zh or "", item.period or "", f"{item.kind} {KINDS[item.kind]}")
        numbers = map(number, (item.expected, item.actual, item.news))
        table.add_row(*names, units.get(item.series or "", ""), *numbers, signed(item.impact))
    if rest := said.items[large:]:
        table.add_row(f"{len(rest)} smaller", "其余", *[""] * 6, signed(math.fsum(i.impact for i in rest)))
    for column, text in zip(table.columns, ("change", "变化", *[""] * 6, signed(said.change)), strict=True):
        column.footer = text
    out.print(table)
    out.print()


def show_coming(out: Console, said: Coming) -> None:
    """The calendar, and what each release would take from the variance: alone, and in its turn."""
    title = f"Coming releases 待发布数据: {said.period}, as of {said.asof}, sd now {said.sd:.3f} {said.unit}"
    out.print(f"[bold]{title}[/]{made_up(said)}")
    table = table_of(("day", "", "series", "名称", "period", "alone", "in turn", "sd after"), left=5)
    for r in said.releases:
        late = "overdue 逾期" if r.overdue else ""
        table.add_row(
            r.day, late, r.name_en, r.name_zh, r.period, f"{100 * r.reduction_alone:.1f} %", f"{100 * r.reduction_in_turn:.1f} %",
            f"{math.sqrt(r.variance_after):.3f}",
        )  # fmt: skip
    out.print(table)
    out.print(
        "share of today's variance that goes: by this release alone; in its turn, after those above\n", style="dim"
    )


def show_uncertainty(out: Console, said: Uncertainty) -> None:
    """Where the width of the band comes from, a row a source, and the band that holds all that is known."""
    out.print(f"[bold]Uncertainty 不确定性来源: {said.period}, as of {said.asof}, in {said.unit}[/]{made_up(said)}")
    when = (
        f"the value {said.later} periods later 其后 {said.later} 期的数值"
        if said.later
        else "the first release 首次发布值"
    )
    out.print(f"truth 真值: {when}", style="dim")
    table = table_of(("source", "来源", "sd", "share 方差占比", "in the band 已在区间内"), left=2)
    for p in said.parts:
        share = "" if p.share is None else f"{100 * p.share:.1f} %"
        sd = "not known 未知" if p.sd is None else f"{p.sd:.3f}"
        table.add_row(p.name_en, p.name_zh, sd, share, "yes 是" if p.in_band else "no 否")
    out.print(table)
    for p in said.parts:
        out.print(f"{p.name_en}: {p.note_en}\n{p.name_zh}：{p.note_zh}", style="dim")
    q = said.quantiles
    out.print(f"80 % band 区间 {q['q100']:.2f} … {q['q900']:.2f}, sd {said.band_sd:.3f}")
    out.print(f"with all that is known 计入全部已知来源 {said.lower:.2f} … {said.upper:.2f}, sd {said.sd:.3f}")
    if not said.complete:
        out.print("something is not known, so this may be too narrow 有来源未知，区间可能偏窄", style="yellow")
    if said.unrecorded and any(p.source == "revisions" and p.sd is not None for p in said.parts):
        out.print(f"no revisions on record 无修订记录: {', '.join(said.unrecorded)}", style="dim")
    out.print()


def _estimate(said: Said) -> tuple[str, ...]:
    q = [said.quantiles[quantile_name(level)] for level in LEVELS]
    return f"{said.mean:.3f}", *(f"{q[BANDS[p][0]]:6.2f} … {q[BANDS[p][1]]:5.2f}" for p in sorted(BANDS))
