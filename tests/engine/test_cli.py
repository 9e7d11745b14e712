"""The command: light to start, honest in its exit codes."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from engine import cli, errors

HEAVY = (
    "numpy",
    "pandas",
    "polars",
    "statsmodels",
    "scipy",
    "numba",
    "mlflow",
    "fastapi",
    "psycopg",
    "matplotlib",
    "sklearn",
)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).parent / "jingqi"), *arguments], capture_output=True, text=True, check=False
    )


def python(*lines: str) -> str:
    return subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True).stdout


def loaded_by(*arguments: str) -> str:
    """What the command prints, and then the list of heavy modules that it loaded."""
    return python(
        f"import sys; sys.argv = {['jingqi', *arguments]}",
        "from engine.cli import main",
        "try: main()",
        f"finally: print([m for m in {HEAVY} if m in sys.modules])",
    )


def test_help_names_every_command_and_loads_none() -> None:
    names = {p.name for p in entry_points(group="jingqi.commands")}
    assert names == set(cli.HELP)
    out = loaded_by("--help")
    assert out.rstrip().endswith("[]"), out
    for name, text in cli.HELP.items():
        assert name in out
        assert text.split(";")[0] in out


@pytest.mark.parametrize("name", sorted(cli.HELP))
def test_the_help_of_a_command_loads_nothing_heavy(name: str) -> None:
    out = loaded_by(name, "--help")
    assert out.rstrip().endswith("[]"), out


def test_wrong_usage_is_two_and_a_domain_error_is_one_line_and_one() -> None:
    wrong = run("nonsense")
    assert wrong.returncode == 2
    assert "No such command" in wrong.stderr
    error = run("models", "nowcast.crystal_ball")
    assert error.returncode == 1
    assert error.stderr.count("\n") == 1
    assert "crystal_ball" in error.stderr


def test_one_tree_of_errors_and_all_of_it_in_the_docstring() -> None:
    ours = [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, Exception)]
    assert len(ours) > 5
    for e in ours:
        assert issubclass(e, errors.JingqiError)
        assert e.__name__ in (errors.__doc__ or "")


def test_blas_has_one_thread_whoever_came_first() -> None:
    for first in ("import engine, numpy", "import numpy, engine"):
        out = python(
            first,
            "from threadpoolctl import threadpool_info",
            "import scipy.linalg",
            "print({i['num_threads'] for i in threadpool_info() if i['user_api'] == 'blas'})",
        )
        assert out.strip() == "{1}", f"{first}: {out}"
