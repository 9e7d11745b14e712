"""Forecasts for people: at a terminal, and as a figure."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from rich.table import Table

from engine.calendar import Freq, Period
from engine.estimate import BANDS, LEVELS, quantile_name
from featurestore.panel import build_panel
from featurestore.store import Store
from serving.forecast_schemas import Forecast, Forecasts
from serving.tables import console

_PAST = 5  # years shown before a forecast


def show(said: Forecast) -> None:
    """One row a period: mean and bands; of more than two years the ends of years alone."""
    out = console()
    mark = "  [bold red]SYNTHETIC 合成数据[/]" if said.is_synthetic else ""
    head = f"[bold]{said.name_en} {said.name_zh}[/] ({said.target}), {said.unit}, as of [bold]{said.asof}[/]{mark}"
    out.print(f"{head}\nnewest published: {said.newest}: {said.newest_value:.2f}")
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("period", "mean", *(f"{p} % band" for p in sorted(BANDS))):
        table.add_column(name, justify="left" if name == "period" else "right")
    last = Period.parse(said.estimates[-1].period)
    per_year = last.freq.per_year
    for row in said.estimates:
        if len(said.estimates) > 2 * per_year and (last - Period.parse(row.period)) % per_year:
            continue
        q = [row.quantiles[quantile_name(level)] for level in LEVELS]
        bands = (f"{q[BANDS[p][0]]:.2f} … {q[BANDS[p][1]]:.2f}" for p in sorted(BANDS))
        table.add_row(row.period, f"{row.mean:.2f}", *bands)
    out.print(table)
    out.print(f"{_who(said)}\n", style="dim")


def show_many(said: Forecasts) -> None:
    """One row a series: the newest value, the next and the last period with its 80 % band; then what was left out, and why."""
    out = console()
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("series", "名称", "newest", "next", "last", "80 % band", "model"):
        table.add_column(name, justify="left" if name in ("series", "名称", "model") else "right")
    for f in said.forecasts:
        first, last = f.estimates[0], f.estimates[-1]
        band = f"{last.quantiles['q100']:.2f} … {last.quantiles['q900']:.2f}"
        newest = f"{f.newest}: {f.newest_value:.2f}"
        ends = (f"{r.period}: {r.mean:.2f}" for r in (first, last))
        table.add_row(
            f.target,
            f.name_zh,
            newest,
            *ends,
            band,
            f.model if f.version is None else f"{f.model}, version {f.version}",
        )
    out.print(table)
    out.print(f"{len(said.forecasts)} series forecast, {len(said.left_out)} left out")
    for out_ in said.left_out:
        out.print(f"  {out_.target}: {out_.reason}")


def draw(store: Store, said: Forecast, asof: datetime) -> bytes:
    """The last years as published, the forecast as a fan with 50, 80 and 95 % bands, as SVG."""
    from engine import charts

    panel = build_panel(store, [said.target], asof)
    freq = Period.parse(said.estimates[0].period).freq
    known = panel.matrix([said.target])[:, 0]
    rows = np.flatnonzero(~np.isnan(known))[-_PAST * freq.per_year :]
    past = (panel.first.ordinal + rows + 1) / 12
    ahead = np.array([(Period.parse(r.period).to(Freq.M).ordinal + 1) / 12 for r in said.estimates])
    q = np.array([[r.quantiles[quantile_name(level)] for level in LEVELS] for r in said.estimates])
    with charts.canvas(9.0, 3.8, "en") as (figure, axes):
        for percent, shade in zip(sorted(BANDS, reverse=True), ("#d6e8f4", "#a5cde6", "#6aaed6"), strict=True):
            low, high = BANDS[percent]
            axes.fill_between(ahead, q[:, low], q[:, high], color=shade, lw=0, label=f"{percent} % band")
        axes.plot(past, known[rows], color=charts.RED, lw=1.4, label="published")
        axes.plot(ahead, [r.mean for r in said.estimates], color=charts.DARK, lw=1.4, label="forecast")
        axes.set_ylabel(said.unit)
        axes.set_title(f"{said.name_en}, as of {said.asof}", loc="left", fontweight="bold")
        axes.legend(ncols=5, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.1))
        if said.is_synthetic:
            charts.mark_synthetic(figure, "en")
        return charts.as_svg(figure)


def _who(said: Forecast) -> str:
    if said.version is None:
        return f"{said.model}, fitted to what was known as of {said.fitted_asof}; no champion"
    return f"{said.model}, version {said.version}, learned as of {said.fitted_asof}, run {said.run_id}"
