"""The commands as a user types them: run, promote, list, compare; and the demo is made of such commands."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from engine.cli import root
from engine.errors import GateClosed, Unknown
from experiments import demo, tracking
from experiments.commands import experiment
from featurestore.memory import MemoryStore

Ask = Callable[..., str]


@pytest.fixture(scope="module")
def ask(store: MemoryStore, tiny_text: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Commands on a store in memory, in one process, with a JINGQI_HOME of their own; two runs are on record."""
    folder = tmp_path_factory.mktemp("home")

    @contextmanager
    def connect() -> Iterator[MemoryStore]:
        yield store

    def ask(*words: str) -> str:
        return CliRunner().invoke(experiment, words, catch_exceptions=False).stdout

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JINGQI_HOME", str(folder))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setattr("featurestore.connect.connect", connect)
        patch.setattr(os, "sched_getaffinity", lambda _: {0})
        assert "no run yet" in ask("list")
        assert not (folder / "mlflow.db").exists(), "asking for runs made a database"
        strict = tiny_text.replace("rmse = 1.0", "rmse = 0.01").replace("lags = 2", "lags = 1")
        for name, text in (("tiny", tiny_text), ("strict", strict.replace('"tiny"', '"strict"'))):
            (folder / f"{name}.toml").write_text(text, encoding="utf-8")
            ask("run", str(folder / f"{name}.toml"), "--json")
        yield ask


def _id(ask: Ask, spec: str) -> str:
    rows: list[dict[str, Any]] = json.loads(ask("list", "--json"))
    return next(str(r["run"]) for r in rows if r["spec"] == spec)


def test_runs_are_listed_newest_first(ask: Ask) -> None:
    rows = json.loads(ask("list", "--json"))
    assert [r["spec"] for r in rows] == ["strict", "tiny"]
    assert rows[0]["best"] in ("ar", "bridge")
    assert rows[1]["run"][:8] in ask("list")


def test_the_report_says_pseudo_and_needs_nothing_else(ask: Ask) -> None:
    run = _id(ask, "tiny")
    html = (Path(os.environ["JINGQI_HOME"]) / "reports" / f"tiny-{run[:8]}.html").read_text(encoding="utf-8")
    assert "Pseudo real time" in html
    assert "伪实时" in html
    assert not re.search(r'(?:src|href)="(?!data:)|url\(|<script', html), "the page asks for something from elsewhere"
    sections = dict(re.findall(r'<h2><span class="en" lang="en">(.*?)</span>.*?</h2>(.*?)(?=<h2>|$)', html, re.DOTALL))
    for heading, body in sections.items():
        if "<figure>" in body or "<td" in body:
            assert re.search(r"pseudo|real vintages|Proof", heading), f"{heading} does not say pseudo or real"


def test_promote_moves_the_alias_through_the_gate_only(ask: Ask) -> None:
    strict, tiny = _id(ask, "strict"), _id(ask, "tiny")
    with pytest.raises(GateClosed, match=r"RMSE at most 0\.01 of naive's"):
        ask("promote", strict)
    assert tracking.champion("gdpc1@US") is None
    said = ask("promote", tiny, "--model", "ar")
    assert "ar of run" in said
    assert "version 1" in said
    held = tracking.champion("gdpc1@US")
    assert held is not None
    assert (held.parent, held.label) == (tiny, "ar")
    # the same once more changes nothing
    assert "already champion" in ask("promote", tiny[:10], "--model", "ar")
    # another must now be no worse than the champion
    with pytest.raises(GateClosed):
        ask("promote", tiny, "--model", "naive")
    assert tracking.champion("gdpc1@US") == held
    with pytest.raises(Unknown, match="no model 'dfm'"):
        ask("promote", tiny, "--model", "dfm")


def test_two_runs_side_by_side(ask: Ask) -> None:
    said = json.loads(ask("compare", _id(ask, "tiny"), "latest", "--json"))
    assert {r["model"] for r in said["skill"]} == {f"{run}:{m}" for run in "AB" for m in ("naive", "ar", "bridge")}
    assert "A:bridge" in ask("compare", _id(ask, "tiny"), _id(ask, "strict"))


def test_the_demo_is_made_of_commands_that_exist() -> None:
    context = root.make_context("jingqi", ["--help"], resilient_parsing=True)
    for step in demo.STEPS:
        name, command, rest = root.resolve_command(context, list(step))
        assert command is not None, step
        while hasattr(command, "resolve_command"):
            name, command, rest = command.resolve_command(context, rest)
            assert command is not None, step
        command.make_context(name, rest)  # raises for an option or an argument that the command does not take
