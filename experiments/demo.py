"""``jingqi demo``: the very commands a user would type, one after the other through the root command, each shown."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import click

from engine.cli import root
from engine.settings import settings
from experiments import tracking
from experiments.run import page_of

TARGET, OLD, NEW = "gdpc1@US", "2016-06-29", "2016-07-29"

STEPS = (
    ("data", "ingest", "nyfed"),
    ("experiment", "run", "us_gdp"),
    ("experiment", "promote", "latest"),
    ("publish",),
    ("nowcast", TARGET, "--asof", OLD),
    ("nowcast", TARGET, "--asof", NEW, "--news-since", OLD),
)


def demo() -> None:
    """Run STEPS, then say where to look. Raises what the commands raise."""
    for step in STEPS:
        click.secho(f"$ jingqi {shlex.join(step)}", bold=True)
        root.main(list(step), prog_name="jingqi", standalone_mode=False)
        click.echo()
    found = settings()
    jingqi, mlflow = _command("jingqi"), _command("mlflow")
    click.secho("Where to look", bold=True)
    click.echo(f"report   file://{page_of(tracking.find('latest'))}")
    click.echo(f"MLflow   {mlflow} ui --backend-store-uri {found.tracking_uri}")
    click.echo(f"API      {jingqi} serve")
    click.echo(f"         curl 'http://127.0.0.1:8000/v1/nowcasts/{TARGET}?asof={NEW}'")


def _command(name: str) -> str:
    """What to type for a command of this environment: its name where the shell finds this very one, else its path."""
    here = Path(sys.executable).with_name(name)
    on_path = shutil.which(name)
    if on_path and Path(on_path).resolve() == here.resolve():
        return name
    short = here.relative_to(Path.cwd()) if here.is_relative_to(Path.cwd()) else here
    return str(short)
