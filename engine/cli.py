"""The root command. Sub-commands come from the entry-point group ``jingqi.commands`` and are loaded when they are called."""

from __future__ import annotations

import signal
import sys
from importlib.metadata import EntryPoint, entry_points

import click

from engine.errors import JingqiError

# One line each, here and not in the packages, so that ``jingqi --help`` imports none of them.
HELP = {
    "data": "Ingest, show and trace what was published.",
    "db": "The database: upgrade, status.",
    "demo": "The main job on the embedded default, then where to look.",
    "experiment": "Replay history, compare, promote.",
    "index": "A prosperity index, as of any day.",
    "models": "The zoo; a model's options.",
    "monitor": "What firms answered, as indices.",
    "nowcast": "What a champion says, as of any day, and why it moved.",
    "forecast": "Published figures carried on, one or a region's.",
    "publish": "Score the champions and write the results to the store.",
    "scorecard": "Regions scored and ranked, with intervals.",
    "serve": "The HTTP service.",
    "warning": "Five lights, or the probability of a downturn.",
}


class Lazy(click.Group):
    """A group that knows the names of its commands without loading them."""

    @staticmethod
    def _points() -> dict[str, EntryPoint]:
        return {p.name: p for p in entry_points(group="jingqi.commands")}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._points())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        point = self._points().get(cmd_name)
        command: click.Command | None = point.load() if point else None
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, HELP.get(name, "")) for name in self.list_commands(ctx)])


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="jingqi")
def root() -> None:
    """jingqi (景气): what the economy is doing, as of any day, and why the answer moved.

    --asof DATE everywhere means "known at the end of that day"; --json prints for machines.
    Exit codes: 0; 1 an error in the data or the question, one line; 2 wrong usage.
    """


def main() -> None:
    """Run the command; a JingqiError becomes one line on stderr and exit code 1."""
    # A plain SIGTERM would skip what is done at exit: servers that this process started would stay behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        root(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        sys.exit(130)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(wrong.exit_code)
    except JingqiError as error:
        click.echo(f"jingqi: {' '.join(str(error).split())}", err=True)
        sys.exit(1)
