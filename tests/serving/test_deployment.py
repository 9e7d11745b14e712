"""The folder mlflow/: configuration that fits together, and never a package that hides the real one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "mlflow"
COMPOSE = (FOLDER / "compose.yaml").read_text(encoding="utf-8")


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
    return found


def defined() -> dict[str, str]:
    lines = (FOLDER / "server.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_folder_holds_no_code() -> None:
    assert not [f for f in FOLDER.rglob("*") if f.suffix in (".py", ".pyc", ".pyi", ".so")]


def test_the_mlflow_that_is_imported_is_the_real_one() -> None:
    code = "import mlflow; print(mlflow.__version__, mlflow.__file__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    version, file = done.stdout.split()
    assert re.fullmatch(r"\d+\.\d+\.\d+\w*", version)
    assert "site-packages" in Path(file).parts
    assert not Path(file).is_relative_to(FOLDER)


def test_every_variable_used_is_defined_and_every_one_defined_is_used() -> None:
    used = set(re.findall(r"(?<!\$)\$\{(\w+)\}", COMPOSE))
    assert not re.findall(r"(?<![\w$])\$\w", COMPOSE.replace("&& \\", ""))  # one way to write them
    assert used == set(defined())
    assert all(defined().values())


def test_what_the_database_script_reads_is_given_to_it() -> None:
    script = (FOLDER / "initdb/databases.sql").read_text(encoding="utf-8")
    given = set(services()["database"]["environment"])
    assert set(re.findall(r"\\getenv \w+ (\w+)", script)) <= given
    assert (
        "./initdb/databases.sql:/docker-entrypoint-initdb.d/900_databases.sql:ro" in services()["database"]["volumes"]
    )


def test_the_servers_are_called_with_options_they_have() -> None:
    from mlflow.cli import cli

    from serving.commands import serve

    program, name, *options = services()["mlflow"]["command"]
    server = cli.commands[name]
    assert program == "mlflow"
    known = {o for p in server.params for o in (*p.opts, *p.secondary_opts)}
    assert {o.split("=")[0] for o in options} <= known
    (_, _, line) = services()["jingqi"]["command"]
    assert line.startswith("jingqi db upgrade && exec jingqi serve ")
    assert set(re.findall(r"--\w+", line)) <= {o for p in serve.params for o in p.opts}


def test_the_settings_of_jingqi_are_ones_that_it_reads() -> None:
    reads = (ROOT / "engine/settings.py").read_text(encoding="utf-8")
    for name in services()["jingqi"]["environment"]:
        assert name in reads or name == "MLFLOW_DISABLE_TELEMETRY"


def test_services_wait_for_what_they_need_and_their_volumes_exist() -> None:
    named = yaml.safe_load(COMPOSE)["volumes"]
    for service in services().values():
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert source in named or (FOLDER / source).is_file()
        for other in service.get("depends_on", {}):
            assert services()[other]["healthcheck"]
    assert list(services()["jingqi"]["depends_on"]) == ["database", "mlflow"]
