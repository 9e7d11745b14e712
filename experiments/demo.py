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
GROWTH, BEFORE, PROVINCE = "gdp_yoy_ytd@SYN-33", "2025-05-31", "2025-06-30"

_PROMOTE = ("experiment", "promote", "latest")
STEPS = (
    ("data", "ingest", "nyfed"),
    ("experiment", "run", "us_gdp"), _PROMOTE,
    ("experiment", "run", "us_prosperity"), _PROMOTE,
    ("data", "ingest", "province"),
    ("experiment", "run", "province_gdp"), _PROMOTE,
    ("experiment", "run", "province_lights"), _PROMOTE,
    ("experiment", "run", "province_enterprise"), _PROMOTE,
    ("experiment", "run", "province_quality"), _PROMOTE,
    ("publish",),
    ("nowcast", TARGET, "--asof", OLD),
    ("nowcast", TARGET, "--asof", NEW, "--news-since", OLD),
    ("nowcast", GROWTH, "--asof", PROVINCE, "--news-since", BEFORE),
    ("nowcast", GROWTH, "--asof", PROVINCE, "--coming"),
    ("forecast", "retail_total_ytd@SYN-33", "--asof", PROVINCE),
    ("index", "coincident@US", "--asof", NEW),
    ("index", "coincident@US", "--asof", NEW, "--since", OLD),
    ("warning", "warning@SYN-33", "--asof", PROVINCE),
    ("warning", "warning@SYN-33", "--asof", PROVINCE, "--region", "SYN-3301", "--proof"),
    ("monitor", "enterprise@SYN-33", "--asof", PROVINCE, "--region", "SYN-33"),
    ("scorecard", "quality@SYN-33", "--asof", PROVINCE),
    ("scorecard", "quality@SYN-33", "--asof", PROVINCE, "--since", "2024-09-30"),
    ("scorecard", "quality@SYN-33", "--asof", PROVINCE, "--region", "SYN-3308", "--page"),
)  # fmt: skip


def demo() -> None:
    """Run STEPS, then say where to look. Raises what the commands raise."""
    for step in STEPS:
        click.secho(f"$ jingqi {shlex.join(step)}", bold=True)
        root.main(list(step), prog_name="jingqi", standalone_mode=False)
        click.echo()
    found = settings()
    jingqi, mlflow = _command("jingqi"), _command("mlflow")
    click.secho("Where to look", bold=True)
    for name in (
        "us_gdp",
        "us_prosperity",
        "province_gdp",
        "province_lights",
        "province_enterprise",
        "province_quality",
    ):
        run = next(r for r in tracking.runs() if r.name == name)
        click.echo(f"report   file://{page_of(run)}")
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
