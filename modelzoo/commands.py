"""``jingqi models``: the zoo, and a model's options."""

from __future__ import annotations

import json

import click

_SHOWN = ("type", "default", "required", "doc")


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def models(name: str | None, as_json: bool) -> None:
    """List the zoo; with NAME (nowcast.dfm), the options of that model."""
    from modelzoo import zoo

    rows: list[dict[str, object]]
    if name is None:
        rows = [{"model": n, "summary": zoo.summary(n)} for n in zoo.names()]
    else:
        rows = [{"option": o.name} | {k: getattr(o, k) for k in _SHOWN} for o in zoo.options(name)]
    if as_json:
        found = rows if name is None else {"model": name, "summary": zoo.summary(name), "options": rows}
        click.echo(json.dumps(found, ensure_ascii=False, default=str))
        return
    _print(name, rows)


def _print(name: str | None, rows: list[dict[str, object]]) -> None:
    from rich.console import Console
    from rich.table import Table

    from modelzoo import zoo

    columns = ("model", "summary") if name is None else ("option", "type", "default", "doc")
    table = Table(
        *columns, title=None if name is None else f"{name}: {zoo.summary(name)}", title_justify="left", box=None
    )
    for row in rows:
        shown = row | {"default": "(required)" if row.get("required") else str(row.get("default"))}
        table.add_row(*(str(shown[c]).replace("[", r"\[") for c in columns))
    Console().print(table)
