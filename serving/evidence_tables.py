"""Answers for people at a terminal: rule alarms with their record, survey cells that lead. English and 简体中文."""

from __future__ import annotations

from rich.console import Console

from serving.schemas_evidence import Alarms, Leads
from serving.tables import table_of

_STATUS = {
    "alarm": "[bold red]▲ alarm 报警[/]", "quiet": "● quiet 平静", "unknown": "unknown 未知",
}  # fmt: skip
MOST = 30
"""Rows of a table of leads."""


def show_alarms(out: Console, said: Alarms) -> None:
    """A row a region and rule that can be told, alarms first."""
    made_up = "  [bold red]SYNTHETIC 合成数据[/]" if said.is_synthetic else ""
    out.print(f"[bold]Rule alarms 规则报警[/], as of [bold]{said.asof}[/]{made_up}")
    heads = ("region", "rule", "规则", "status", "month", "value", "limit", "since", "hits", "false", "missed")
    table = table_of(heads, left=5)
    for a in sorted(said.alarms, key=lambda a: a.status != "alarm"):
        if a.status == "not published":
            continue
        counts = ("" if v is None else str(v) for v in (a.hits, a.false, a.missed))
        numbers = ("" if v is None else f"{v:.2f}" for v in (a.value, a.limit))
        names = a.name_en[:38], a.name_zh[:14]
        table.add_row(a.region, *names, _STATUS[a.status], a.period or "", *numbers, a.since or "", *counts)
    out.print(table)
    event = ", ".join(sorted({s.partition("@")[0] for s in said.event.values()}))
    out.print(
        f"hits: months of a downswing of {event} with an alarm; false: other months with one; missed: months of one without.\n"
        "命中：工业增速下行期内报警的月份；误报：其他月份的报警；漏报：下行期内未报警的月份。",
        style="dim",
    )


def show_leads(out: Console, said: Leads) -> None:
    """A row a cell, index and statistic, the strongest first."""
    made_up = "  [bold red]SYNTHETIC 合成数据[/]" if said.is_synthetic else ""
    out.print(
        f"[bold]Survey cells that lead statistics 先行于统计指标的调查单元[/], as of [bold]{said.asof}[/]{made_up}"
    )
    heads = (
        "cell",
        "单元",
        "index",
        "指数",
        "statistic",
        "统计指标",
        "lead",
        "correlation",
        "chance",
        "firms",
        "months",
    )
    table = table_of(heads, left=6)
    for r in said.leads[:MOST]:
        table.add_row(
            r.unit[:22], r.unit_zh[:7], r.index_en or r.index, r.index_zh, r.statistic_en[:22], r.statistic_zh[:8],
            f"{r.lead:+d}", f"{r.correlation:.2f}", f"{r.probability:.2f}", f"{r.firms:.0f}", str(r.months),
        )  # fmt: skip
    out.print(table)
    out.print(
        "lead: months by which the cell comes first 先行月数; chance: that a series without relation goes with it as much 偶然概率",
        style="dim",
    )
    if len(said.leads) > MOST:
        out.print(f"{len(said.leads) - MOST} weaker ones are not shown 其余{len(said.leads) - MOST}项略", style="dim")
