"""What a run was made with: enough to make it again."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

_MATTER = ("numpy", "scipy", "numba", "polars")
"""Packages whose version can move a number."""


def about() -> dict[str, str]:
    """Versions by name, and the git commit where jingqi runs from a checkout."""
    found = {"python": platform.python_version(), **{n: version(n) for n in ("jingqi", *_MATTER, "mlflow")}}
    if commit := _commit(Path(__file__).parents[1]):
        found["commit"] = commit
    return found


def requirements() -> list[str]:
    """What a process needs to load a bundle as MLflow's generic model, pinned."""
    return [f"{n}=={version(n)}" for n in ("jingqi", *_MATTER, "pandas", "mlflow")]


def _commit(checkout: Path) -> str | None:
    """The commit, with a + where files differ from it; None without git or outside a checkout of our own."""
    if not (checkout / ".git").exists():
        return None
    try:
        commit, changed = (
            subprocess.run(["git", *words], cwd=checkout, capture_output=True, text=True, timeout=5, check=True).stdout
            for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return commit.strip() + ("+" if changed.strip() else "")
