"""Answers for people at a terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import polars as pl
from rich.console import Console
from rich.table import Table

from engine.estimate import BANDS, LEVELS, quantile_name
from engine.lights import Light
from engine.record import HEADS, Beside, record, words
from serving.publish import Published
from serving.schemas import News, Nowcast, Reading, Readings
from serving.schemas_news import Coming, WhatIf
from serving.schemas_uncertainty import Uncertainty

KINDS = {"revision": "修订", "release": "新发布", "weights": "权重变化", "re-estimation": "参数重估"}
"""What moved an estimate, in Chinese."""

MOST, LEAST = 15, 5e-4
"""Rows of a news table, and the least impact that gets one; the others are summed up in one row."""

NAMES = {"series": 36, "名称": 32}
"""Most columns of a terminal for names, by heading."""

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
        f"[bold]{said.name_en} {said.name_zh}[/] ({said.target}), {said.unit}, as of [bold]{said.asof}[/], {real}{made_up(said)}"
    )
    table = table_of(("period", "phase", "mean", *(f"{p} % band" for p in sorted(BANDS)), "published"), left=2)
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
    out.print(f"[bold]{title}[/]{made_up(said)}")
    table = table_of(("series", "名称", "period", "kind 类别", "expected", "actual", "news", "impact"), left=4)
    table.show_footer = True
    table.add_row("estimate before", said.before.asof, *[""] * 5, f"{said.before.mean:.3f}", style="dim")
    large = sum(abs(i.impact) >= LEAST for i in said.items[:MOST])
    for item in said.items[:large]:
        kind = f"{item.kind} {KINDS[item.kind]}"
        names = (item.name_en or "new parameters", item.name_zh or "参数重估", item.period or "", kind)
        table.add_row(*names, *map(number, (item.expected, item.actual, item.news)), signed(item.impact))
    if rest := said.items[large:]:
        table.add_row(f"{len(rest)} smaller", "其余", *[""] * 5, signed(math.fsum(i.impact for i in rest)))
    table.add_row("estimate after", said.after.asof, *[""] * 5, f"{said.after.mean:.3f}", style="dim")
    for column, text in zip(table.columns, ("change", "变化", *[""] * 5, signed(said.change)), strict=True):
        column.footer = text
    out.print(table)
    out.print(
        "; ".join(f"{kind} {KINDS[kind]} {signed(value)}" for kind, value in said.sums.items()) + "\n", style="dim"
    )


def show_readings(out: Console, said: Readings, last: int = 12) -> None:
    """An index by month, lights by item and month, a board by place, a monitor by cell: the ``last`` periods, 0 for all."""
    real = "real time" if said.timing == "real" else "pseudo real time"
    title = f"[bold]{said.title_en or said.target} {said.title_zh}[/] ({said.target}), as of [bold]{said.asof}[/]"
    out.print(f"{title}, {real}{made_up(said)}")
    rows = {(r.unit, r.period, r.level, r.name): r for r in said.readings}
    periods = sorted({r.period for r in said.readings})[-last:]
    units = list(dict.fromkeys(r.unit for r in said.readings))
    show = _board if said.kind == "scorecard" else _lights if _has(said, "light") else _index
    out.print(show(rows, units, periods))
    _notes(out, rows, units)
    if show is _board:
        out.print(f"{periods[-1]}; 90 %: the places over all choices drawn", style="dim")
        for line in _marked(said, periods[-1]):
            out.print(line, style="dim")
    out.print(
        f"{said.model}, version {said.version}, learned as of {said.fitted_asof}, run {said.run_id}\n", style="dim"
    )


_Rows = Mapping[tuple[str, str, str, str], Reading]
_KEYED = pl.Schema({c: pl.String() for c in ("unit", "period", "level", "name")} | {"value": pl.Float64()})


def _index(rows: _Rows, units: Sequence[str], periods: Sequence[str]) -> Table:
    """A row a name and month, with its record where there is one; of several units the newest month alone."""
    periods = periods if len(units) == 1 else periods[-1:]
    records = {u: told for u in units if (told := record(_frame(rows), u))}
    named = any(r.level == "index" and r.name for r in rows.values())
    asked = any(r.level == "firms" for r in rows.values())
    heads = ["unit", "单位", "period", *(("name", "名称") if named else ()), "index", "80 % band"]
    heads += ["firms"] if asked else []
    heads += [f"{en} {zh}" for en, zh in HEADS] if any(r.months for r in records.values()) else []
    table = table_of(heads, left=5 if named else 3)
    chance = all(0.0 <= r.value <= 1.0 for (_, _, level, _), r in rows.items() if level == "index")
    for unit in units:
        for period in periods:
            for r in [r for (u, p, level, _), r in rows.items() if (u, p, level) == (unit, period, "index")]:
                low, high, firms = (rows.get((unit, period, c, r.name)) for c in ("q100", "q900", "firms"))
                digits = 2 if chance else 1
                band = f"{low.value:.{digits}f} … {high.value:.{digits}f}" if low and high else ""
                cells = [f"{r.value:.2f}", band]
                cells += [f"{firms.value:.0f}" if firms else ""] if asked else []
                names = (r.name_en or r.name, r.name_zh) if named else ()
                told = records.get(unit)
                beside = _beside(told.months.get(period)) if told and not r.name else []
                table.add_row(unit, r.unit_zh, period, *names, *cells, *beside)
    return table


def _beside(m: Beside | None) -> list[str]:
    if m is None:
        return []
    shares = (f"{100 * s:.0f} %" for s in (m.sign, m.direction))
    return [f"{m.cycle:.2f}", f"{m.low:.2f} … {m.high:5.2f}", f"{m.noise:.2f}", *shares]


def _notes(out: Console, rows: _Rows, units: Sequence[str]) -> None:
    """What the records of an index rest on; of several units only what differs is said again."""
    frame, said = _frame(rows), dict[tuple[str, str], list[str]]()
    for unit in units:
        for sentence in words(told) if (told := record(frame, unit)) else ():
            said.setdefault(sentence, []).append(unit)
    for (en, zh), of in said.items():
        head = "" if len(of) == len(units) else f"{', '.join(of)}: "
        out.print(f"{head}{en}\n{zh}", style="dim")


def _frame(rows: _Rows) -> pl.DataFrame:
    return pl.DataFrame([(*key, r.value) for key, r in rows.items()], schema=_KEYED, orient="row")


def _lights(rows: _Rows, units: Sequence[str], periods: Sequence[str]) -> Table:
    """A row a unit or, of one unit alone, an item; a column a month. ▲ red △ yellow ● green ▽ light blue ▼ blue."""
    table = table_of(("unit" if len(units) > 1 else "item", "名称", *(p[2:] for p in periods), "index"), left=2)
    one = units[0] if len(units) == 1 else None
    names = list(dict.fromkeys(n for (_, _, level, n) in rows if level == "light")) if one else [""]
    for unit, name in [(u, n) for u in units for n in names]:
        lamps = [rows.get((unit, p, "light", name)) for p in periods]
        said = next((r for r in lamps if r), None)
        if said is None:
            continue
        index = rows.get((unit, periods[-1], "index", ""))
        head = (said.name_en or name or "whole", said.name_zh or "综合") if one else (unit, said.unit_zh)
        table.add_row(*head, *(_lamp(r) for r in lamps), f"{index.value:.1f}" if index and not name else "")
    return table


def _board(rows: _Rows, units: Sequence[str], periods: Sequence[str]) -> Table:
    """The newest period; a row a unit, the best on top, with the groups of indicators."""
    period = periods[-1]
    leaves = {n for (_, _, level, n) in rows if level == "part"}
    groups = {n: r for (_, p, level, n), r in rows.items() if level == "node" and p == period and n not in leaves}
    table = table_of(("place", "90 %", "unit", "单位", "score", *(r.name_zh or n for n, r in groups.items())), left=4)
    ranked = sorted(
        (r for (_, p, level, _), r in rows.items() if level == "rank" and p == period), key=lambda r: r.value
    )
    for r in ranked:
        low, high = (rows[r.unit, period, c, ""].value for c in ("rank_low", "rank_high"))
        scores = [rows.get((r.unit, period, "node", n)) for n in groups]
        cells = [f"{s.value:.1f}" if s else "" for s in scores]
        total = rows[r.unit, period, "score", ""].value
        table.add_row(f"{r.value:.0f}", f"{low:.0f}–{high:.0f}", r.unit, r.unit_zh, f"{total:.2f}", *cells)
    return table


def _marked(said: Readings, period: str) -> list[str]:
    """A line for each indicator and what was done to its values: ``研发强度 carried 沿用前期: 11 units``."""
    from modelzoo.scorecard.marks import NAMES, Mark

    found: dict[tuple[str, str], list[str]] = {}
    for r in said.readings:
        if r.level == "mark" and r.period == period:
            what = " ".join(NAMES[Mark(int(r.value))])
            found.setdefault((f"{r.name_en or r.name} {r.name_zh}", what), []).append(r.unit)
    return [
        f"{name}: {what} ({', '.join(u) if len(u) < 4 else f'{len(u)} units'})" for (name, what), u in found.items()
    ]


def _lamp(r: Reading | None) -> str:
    if r is None:
        return ""
    light = Light(int(r.value))
    return f"[{light.colour}]{light.symbol}[/]"


def _has(said: Readings, level: str) -> bool:
    return any(r.level == level for r in said.readings)


def show_published(out: Console, done: Sequence[Published]) -> None:
    """What was written, or that there was nothing to write."""
    from serving.answer import asof_text

    if not done:
        out.print("nothing to publish: every day of a release has been scored")
        return
    table = table_of(("target", "as of", "periods", "", "news"), left=4)
    for one in done:
        many = len(one.periods) > 4
        periods = f"{one.periods[0]} … {one.periods[-1]}" if many else ", ".join(one.periods)
        table.add_row(one.target, asof_text(one.asof), periods, one.problem, str(one.news or ""))
    out.print(table)


def table_of(columns: Sequence[str], left: int) -> Table:
    table = Table(box=None, pad_edge=False)
    for n, name in enumerate(columns):
        most = NAMES.get(name)  # names of computed columns are long
        table.add_column(name, justify="left" if n < left else "right", no_wrap=True, max_width=most)
    return table


def made_up(said: Nowcast | News | WhatIf | Coming | Uncertainty | Readings) -> str:
    return "  [bold red]SYNTHETIC 合成数据[/]" if said.is_synthetic else ""


def number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def signed(value: float) -> str:
    """With its sign, and no minus before zero."""
    return f"{round(value, 3) + 0.0:+.3f}"
