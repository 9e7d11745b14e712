"""Answers for people at a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from engine.estimate import BANDS, LEVELS, quantile_name
from serving.publish import Published
from serving.schemas import News, Nowcast

MOST, LEAST = 15, 5e-4
"""Rows of a news table, and the least impact that gets one; the others are summed up in one row."""

WIDE = 150
"""Columns where nobody looks, so that a file or a pipe gets one line a row."""


def console() -> Console:
    """Standard output, as wide as the terminal."""
    out = Console(highlight=False)
    return out if out.is_terminal else Console(width=WIDE, highlight=False)


def show_nowcast(out: Console, said: Nowcast) -> None:
    """One row a period: mean, bands, and the published value where there is one."""
    real = "real time" if said.timing == "real" else "pseudo real time"
    out.print(
        f"[bold]{said.name_en} {said.name_zh}[/] ({said.target}), {said.unit}, as of [bold]{said.asof}[/], {real}"
    )
    table = _table(("period", "phase", "mean", *(f"{p} % band" for p in sorted(BANDS)), "published"), left=2)
    for row in said.estimates:
        q = [row.quantiles[quantile_name(level)] for level in LEVELS]
        bands = (f"{q[BANDS[p][0]]:6.2f} … {q[BANDS[p][1]]:5.2f}" for p in sorted(BANDS))
        if row.released is None:
            table.add_row(row.period, row.phase, f"{row.mean:.2f}", *bands, "")
        else:
            table.add_row(row.period, row.phase, "", *("" for _ in BANDS), f"{row.released:.2f}")
    out.print(table)
    out.print(
        f"{said.model}, version {said.version}, learned as of {said.fitted_asof}, run {said.run_id}\n", style="dim"
    )


def show_news(out: Console, said: News) -> None:
    """What moved the estimate, largest first; the column of impacts adds up to the change."""
    title = f"News for {said.period}, from {said.before.asof} to {said.after.asof}, in {said.unit}"
    out.print(f"[bold]{title}[/]")
    table = _table(("series", "名称", "period", "kind", "expected", "actual", "news", "impact"), left=4)
    table.show_footer = True
    table.add_row("estimate before", said.before.asof, *[""] * 5, f"{said.before.mean:.3f}", style="dim")
    large = sum(abs(i.impact) >= LEAST for i in said.items[:MOST])
    for item in said.items[:large]:
        names = (item.name_en or "new parameters", item.name_zh or "参数重估", item.period or "", item.kind)
        table.add_row(*names, *map(_number, (item.expected, item.actual, item.news)), _signed(item.impact))
    if rest := said.items[large:]:
        table.add_row(f"{len(rest)} smaller", "其余", *[""] * 5, _signed(math.fsum(i.impact for i in rest)))
    table.add_row("estimate after", said.after.asof, *[""] * 5, f"{said.after.mean:.3f}", style="dim")
    for column, text in zip(table.columns, ("change", "变化", *[""] * 5, _signed(said.change)), strict=True):
        column.footer = text
    out.print(table)
    out.print("; ".join(f"{kind} {_signed(value)}" for kind, value in said.sums.items()) + "\n", style="dim")


def show_published(out: Console, done: Sequence[Published]) -> None:
    """What was written, or that there was nothing to write."""
    from serving.answer import asof_text

    if not done:
        out.print("nothing to publish: every day of a release has been scored")
        return
    table = _table(("target", "as of", "periods", "", "news"), left=4)
    for one in done:
        table.add_row(one.target, asof_text(one.asof), ", ".join(one.periods), one.problem, str(one.news or ""))
    out.print(table)


def _table(columns: Sequence[str], left: int) -> Table:
    table = Table(box=None, pad_edge=False)
    for n, name in enumerate(columns):
        table.add_column(name, justify="left" if n < left else "right", no_wrap=True)
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _signed(value: float) -> str:
    """With its sign, and no minus before zero."""
    return f"{round(value, 3) + 0.0:+.3f}"
