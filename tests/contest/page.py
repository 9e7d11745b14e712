"""The numbers of a contest as Markdown. What stands between two marks of the page is made; what people write around it stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

BEGIN, END = "<!-- numbers: begin -->", "<!-- numbers: end -->"


def write(page: Path, title: str, numbers: str) -> None:
    """Put the numbers between the marks; a page that is not there yet begins with its title."""
    text = page.read_text(encoding="utf-8") if page.exists() else f"# {title}\n\n{BEGIN}\n{END}\n"
    head, mark, rest = text.partition(BEGIN)
    _, closing, tail = rest.partition(END)
    if not (mark and closing):
        raise SystemExit(f"{page}: the marks {BEGIN} and {END} are gone")
    page.write_text(f"{head}{BEGIN}\n\n{numbers.strip()}\n\n{END}{tail}", encoding="utf-8")


def grid(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = ["---", *("---:" for _ in header[1:])]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (header, rule, *lines))


def skill(table: pl.DataFrame, benchmark: str) -> str:
    """RMSE by horizon; the smallest of a column in bold."""
    horizons = sorted(
        (c for c in table.columns if c[0] == "h" and c[1:].lstrip("-").isdigit()), key=lambda c: int(c[1:])
    )
    least = {c: table[c].min() for c in (*horizons, "rmse")}
    lines = []
    for row in table.iter_rows(named=True):
        cells = [f"**{row[c]:.2f}**" if row[c] == least[c] else f"{row[c]:.2f}" for c in (*horizons, "rmse")]
        lines.append([row["model"], *cells, f"{round(100 * (row['ratio'] - 1)):+d} %".replace("-", "−")])
    return grid(["model", *(signed(int(c[1:])) for c in horizons), "mean", f"against {benchmark}"], lines)


def tests(table: pl.DataFrame, benchmark: str, pool: str) -> str:
    """MAE, CRPS, coverage and what the tests say."""
    header = [
        "model",
        "MAE",
        "CRPS",
        "50 %",
        "80 %",
        "95 %",
        f"DM p, {benchmark}",
        f"DM p, {pool}",
        "MCS p, range",
        "MCS p, max",
    ]
    lines = [
        [
            row["model"],
            f"{row['mae']:.2f}",
            f"{row['crps']:.2f}",
            *(f"{100 * row[f'cover{p}']:.0f}" for p in (50, 80, 95)),
        ]
        + [chance(row[c]) for c in ("dm_benchmark", "dm_pool", "mcs_range", "mcs_max")]
        for row in table.iter_rows(named=True)
    ]
    return grid(header, lines)


def coverage(found: Mapping[str, pl.DataFrame]) -> str:
    """Coverage of the 80 % band by horizon, with p of the test, a line a model."""
    horizons = [h for h in next(iter(found.values()))["horizon"].to_list() if h is not None]
    lines = []
    for model, frame in found.items():
        cells = []
        for h in horizons:
            row = frame.filter(horizon=h).row(0, named=True)
            cells.append(f"{100 * row['cover80']:.0f} ({chance(row['p80'])})")
        lines.append([model, *cells, f"{100 * frame.filter(pl.col('horizon').is_null())['cover80'].item():.0f}"])
    return grid(["80 % band holds, % (p)", *map(signed, horizons), "all"], lines)


def chance(p: float | None) -> str:
    return "" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def signed(horizon: int) -> str:
    return f"{horizon:+d}".replace("-", "−") if horizon else "0"
