"""``jingqi forecast``: one series, or all of a province in one call."""

from __future__ import annotations

from pathlib import Path

import click

from engine.calendar import Period, parse_asof


@click.command()
@click.argument("ids", metavar="ID ...", nargs=-1)
@click.option("--all", "region", metavar="REGION", help="All series of a region: SYN-33.")
@click.option("--module", metavar="M", help="Of these only the series of a module: its name or number.")
@click.option("--asof", metavar="D", help="Known at the end of that day. Without it: the newest release in the store.")
@click.option(
    "--to", "until", metavar="P", help="The last period: 2026-12, 2026-Q4, 2035. Beyond two years the trend answers."
)
@click.option("--model", metavar="NAME", help="A forecast model of the zoo instead of the champion or the pool: trend.")
@click.option("--workers", type=click.IntRange(1), help="Processes of a batch. Without it: as many as CPUs.")
@click.option("--chart", metavar="FILE", help="Also draw the forecast of one series, as FILE.svg.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print for machines: the body of the HTTP answer; of several a list."
)
def forecast(
    ids: tuple[str, ...],
    region: str | None,
    module: str | None,
    asof: str | None,
    until: str | None,
    model: str | None,
    workers: int | None,
    chart: str | None,
    as_json: bool,
) -> None:
    """Published figures carried on, as of any day: jingqi forecast retail_total_ytd@SYN-33 --to 2035.

    ID may be a pattern: jingqi forecast "retail*@SYN-33". Of several series those that cannot be forecast are listed with
    the reason.
    """
    from rich.console import Console
    from rich.progress import Progress

    from engine.errors import BadInput
    from featurestore.connect import connect
    from serving import answer, commands, forecast_tables, forecasts, wire

    if not ids and region is None:
        raise click.UsageError("name one or more series, or --all REGION")
    to = Period.parse(until) if until else None
    one = len(ids) == 1 and not set(ids[0]) & set("*?[") and region is None and module is None
    if chart and not (one and Path(chart).suffix == ".svg"):
        raise BadInput("--chart draws the forecast of one series, into a file that ends in .svg")
    with connect() as store:
        champions = commands._champions()
        day = answer.possible(parse_asof(asof)) if asof else answer.newest_day(store)
        if one:
            said = forecasts.forecast(store, champions, ids[0], day, to, model)
            if chart:
                Path(chart).write_bytes(forecast_tables.draw(store, said, day))
            if as_json:
                click.echo(wire.encode(said), nl=False)
            else:
                forecast_tables.show(said)
            return
        console = Console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
            line = bar.add_task("forecast", total=None)
            several = forecasts.many(
                store, champions, forecasts.chosen(store, ids, region, module), day, to, model, workers,
                lambda done, of: bar.update(line, completed=done, total=of),
            )  # fmt: skip
    if as_json:
        click.echo(wire.encode(several), nl=False)
    else:
        forecast_tables.show_many(several)
