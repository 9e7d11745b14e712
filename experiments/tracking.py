"""The file that speaks MLflow: log a run, find it again, register, move the alias.

One parent run for each ``experiment run`` and one child for each model; a version is registered when a child is
promoted. Without MLFLOW_TRACKING_URI everything lies under JINGQI_HOME: a SQLite file and a folder of artifacts. Only
the client is used, never MLflow's fluent interface, which reads the working directory, asks git and keeps a global
run.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from engine.errors import NotReady, Unknown
from engine.settings import settings
from experiments import versions
from experiments.backtest import Backtest, Watched
from experiments.evaluate import SKILL
from experiments.proof import Proof
from experiments.spec import Kind, Spec, Watch, parse
from modelzoo import bundle, zoo
from modelzoo.bundle import Bundle

ALIAS = "champion"
HEADLINES = ("loss", "real_rmse", "pseudo_rmse")
"""The metric by which the models of a run are listed: the last of these that a child has."""

SUBJECT = ("kind", "target", "title_en", "title_zh")
"""What a spec says it is about: tags of the run, and of the versions registered from it."""

_ROLE, _LABEL, _PARENT = "jingqi.role", "jingqi.label", "mlflow.parentRunId"


@dataclass(frozen=True, slots=True)
class Run:
    """A logged run. By label of its models: ``children``, their run ids; ``scores``, their RMSE, or the ``loss``
    of a reading (less is better)."""

    id: str
    name: str
    kind: Kind
    target: str
    started: datetime
    children: Mapping[str, str]
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a logged run holds, read back. truth: empty where nothing is published later to compare with."""

    spec: Spec | Watch
    records: pl.DataFrame
    truth: pl.DataFrame
    skill: pl.DataFrame
    proofs: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a registered model: the run and label it came from, and the digest of its bundle."""

    name: str
    number: str
    parent: str
    label: str
    digest: str


def log(found: Backtest | Watched, table: pl.DataFrame, spec_text: str, files: Mapping[str, bytes]) -> Run:
    """Log a run whole; a run that could not be finished is marked FAILED.

    table: ``evaluate.SKILL``, or ``watched.SCORED``. files: name -> content, figures and report. Raises NotReady if
    MLflow cannot be reached.
    """
    with _client() as client:
        experiment = _experiment(client, found.spec.name)
        about = versions.about()
        tags = {_ROLE: "run", **_subject(found.spec), **{f"jingqi.{k}": v for k, v in about.items()}}
        parent = client.create_run(
            experiment, tags=tags, run_name=f"{found.spec.name} {datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
        ).info.run_id
        done = {}
        try:
            for label, kept in found.bundles.items():
                done[label] = _log_model(client, experiment, parent, label, kept, table)
            _log_batch(client, parent, _common(found.spec), _metrics(table))
            with tempfile.TemporaryDirectory() as scratch:
                _write(Path(scratch), found, table, spec_text, files)
                client.log_artifacts(parent, scratch)
        except BaseException:
            client.set_terminated(parent, "FAILED")
            raise
        client.set_terminated(parent, "FINISHED")
    return find(parent)


def runs() -> list[Run]:
    """All finished runs, newest first."""
    if not _exists():
        return []
    with _client() as client:
        ids = [e.experiment_id for e in client.search_experiments()]
        parents = _search(client, ids, f"tags.`{_ROLE}` = 'run' and attributes.status = 'FINISHED'")
        models = _search(client, ids, f"tags.`{_ROLE}` = 'model'")
        children: dict[str, dict[str, Any]] = {}
        for child in models:
            children.setdefault(child.data.tags[_PARENT], {})[child.data.tags[_LABEL]] = child
        found = [_run(p, children.get(p.info.run_id, {})) for p in parents]
    return sorted(found, key=lambda r: r.started, reverse=True)


def find(named: str) -> Run:
    """A run by its id, the beginning of it, or ``latest``. Raises Unknown."""
    known = runs()
    if not known:
        raise Unknown("no run is on record: jingqi experiment run us_gdp")
    hits = known[:1] if named == "latest" else [r for r in known if r.id.startswith(named)]
    if len(hits) != 1:
        listed = ", ".join(r.id[:8] for r in (hits or known)[:5])
        raise Unknown(f"{'several runs begin' if hits else 'no run begins'} with {named!r}: {listed}, or latest")
    return hits[0]


def load(run: Run) -> Kept:
    """What was logged. Raises NotReady, BadInput."""
    with _client() as client, tempfile.TemporaryDirectory() as scratch:
        folder = Path(client.download_artifacts(run.id, "", scratch))
        return Kept(
            parse((folder / "spec.toml").read_text(encoding="utf-8"), f"the spec of run {run.id[:8]}"),
            pl.read_parquet(folder / "estimates.parquet"),
            pl.read_parquet(folder / "truth.parquet"),
            pl.read_parquet(folder / "skill.parquet"),
            tuple(
                Proof(p["model"], datetime.fromisoformat(p["origin"]), p["timing"], p["altered"])
                for p in json.loads((folder / "proofs.json").read_text(encoding="utf-8"))
            ),
        )


def champion(target: str, kind: Kind = "nowcast") -> Version | None:
    """The version that holds the alias for a target, if there is one."""
    from mlflow.exceptions import MlflowException

    name = bundle.registry_name(kind, target)
    with _client() as client:
        try:
            held = client.get_model_version_by_alias(name, ALIAS)
        except MlflowException as problem:
            if problem.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise
        tags = held.tags
        return Version(name, str(held.version), tags["parent"], tags["label"], tags["bundle"])


def digest(run: Run, label: str) -> str:
    """The digest of the bundle that a run logged under that label. Raises Unknown."""
    with _client() as client:
        return str(client.get_run(_child(run, label)).data.tags["jingqi.bundle"])


def register(run: Run, label: str) -> Version:
    """Make the logged model the champion: a new version of the registered model, and the alias on it."""
    from mlflow.exceptions import MlflowException

    name = bundle.registry_name(run.kind, run.target)
    child = _child(run, label)
    with _client() as client:
        try:
            client.get_registered_model(name)
        except MlflowException:
            about = {"kind": run.kind, "target": run.target}
            client.create_registered_model(name, tags=about, description=f"The {run.kind} {run.target}, by jingqi.")
        logged = client.get_run(child)
        tags = {
            "parent": run.id,
            "label": label,
            "bundle": logged.data.tags["jingqi.bundle"],
            "run_id": child,
            **{name: client.get_run(run.id).data.tags.get(f"jingqi.{name}", "") for name in SUBJECT},
        }
        made = client.create_model_version(name, f"{logged.info.artifact_uri}/model", child, tags=tags)
        client.set_registered_model_alias(name, ALIAS, made.version)
        return Version(name, str(made.version), run.id, label, tags["bundle"])


def _run(parent: Any, children: Mapping[str, Any]) -> Run:
    return Run(
        parent.info.run_id,
        parent.data.params["spec"],
        parent.data.tags.get("jingqi.kind", "nowcast"),
        parent.data.params["target"],
        datetime.fromtimestamp(parent.info.start_time / 1000, UTC),
        {label: c.info.run_id for label, c in children.items()},
        {label: c.data.metrics[m] for label, c in children.items() for m in HEADLINES if m in c.data.metrics},
    )


def _child(run: Run, label: str) -> str:
    if label not in run.children:
        raise Unknown(f"run {run.id[:8]} has no model {label!r}; it has {', '.join(run.children)}")
    return run.children[label]


def _log_model(client: Any, experiment: str, parent: str, label: str, kept: Bundle, table: pl.DataFrame) -> str:
    from mlflow.models import ModelSignature
    from mlflow.pyfunc import save_model
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

    from modelzoo.pyfunc import MONTH

    signature = ModelSignature(
        inputs=Schema([ColSpec("string", MONTH), *(ColSpec("double", i) for i in kept.model.inputs)]),
        params=ParamSchema([ParamSpec("asof", "string", ""), ParamSpec("periods", "string", "")]),
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "bundle"
        bundle.save(folder, kept)
        content = json.loads((folder / bundle.MODEL_FILE).read_text(encoding="utf-8"))
        tags = {_ROLE: "model", _LABEL: label, _PARENT: parent, "jingqi.bundle": content["digest"]}
        run_id: str = client.create_run(experiment, tags=tags, run_name=label).info.run_id
        options = {f"option.{k}": json.dumps(v)[:500] for k, v in zoo.given_options(kept.model).items()}
        _log_batch(
            client, run_id, {"model": kept.name, **options}, _metrics(table.filter(pl.col("model") == label), bare=True)
        )
        save_model(
            Path(scratch) / "model",
            loader_module="modelzoo.pyfunc",
            data_path=str(folder),
            pip_requirements=versions.requirements(),
            signature=signature,
        )
        client.log_artifacts(run_id, str(Path(scratch) / "model"), "model")
    client.set_terminated(run_id, "FINISHED")
    return run_id


def _subject(spec: Spec | Watch) -> dict[str, str]:
    return {f"jingqi.{name}": str(getattr(spec, name)) for name in SUBJECT}


def _common(spec: Spec | Watch) -> dict[str, str]:
    said = {"spec": spec.name, "kind": spec.kind, "target": spec.target, "refit": str(spec.refit)}
    if isinstance(spec, Spec):
        said |= {"truth": str(spec.truth), "benchmark": spec.benchmark}
    if spec.pseudo:
        days = spec.pseudo.days
        said |= {
            "pseudo_origins": f"{days[0]} … {days[-1]}, {len(days)}",
            "pseudo_vintage": str(spec.pseudo.vintage),
        }
    real = ", ".join(map(str, spec.real))
    return said | {"real_origins": real if len(real) <= 500 else f"{spec.real[0]} … {spec.real[-1]}, {len(spec.real)}"}


def _metrics(table: pl.DataFrame, bare: bool = False) -> list[tuple[str, float, int]]:
    """As (name, value, step); ``bare`` without the model's label.

    Of nowcasts ``pseudo_rmse`` over all horizons, ``pseudo_rmse_at`` with the horizon as its step; of readings the score.
    """
    found = []
    for row in table.to_dicts():
        label = "" if bare else f"{row['model']}_"
        if "score" in row:
            found.append((f"{label}{row['score']}", float(row["value"]), 0))
            continue
        horizon = row["horizon"]
        for score in (c for c in SKILL.names() if c not in ("timing", "model", "horizon")):
            if row[score] is not None:
                name = f"{label}{row['timing']}_{score}" + ("" if horizon is None else "_at")
                found.append((name, float(row[score]), horizon or 0))
    return found


def _log_batch(client: Any, run_id: str, params: Mapping[str, str], metrics: list[tuple[str, float, int]]) -> None:
    from mlflow.entities import Metric, Param

    now = int(time.time() * 1000)
    client.log_batch(
        run_id, [Metric(k, v, now, step) for k, v, step in metrics], [Param(k, v) for k, v in params.items()]
    )


def _write(
    folder: Path, found: Backtest | Watched, table: pl.DataFrame, spec_text: str, files: Mapping[str, bytes]
) -> None:
    (folder / "spec.toml").write_text(spec_text, encoding="utf-8")
    found.records.write_parquet(folder / "estimates.parquet")
    truth = found.truth if isinstance(found, Backtest) else pl.DataFrame()
    truth.write_parquet(folder / "truth.parquet")
    table.write_parquet(folder / "skill.parquet")
    proofs = [asdict(p) | {"origin": p.origin.isoformat()} for p in found.proofs]
    (folder / "proofs.json").write_text(json.dumps(proofs, indent=1), encoding="utf-8")
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _search(client: Any, ids: list[str], wanted: str) -> Iterator[Any]:
    token = None
    while True:
        page = client.search_runs(ids, wanted, max_results=1000, page_token=token)
        yield from page
        if not (token := page.token):
            return


def _experiment(client: Any, name: str) -> str:
    held = client.get_experiment_by_name(name)
    if held is not None:
        return str(held.experiment_id)
    # a server has its own place for artifacts; a bare database would put them into the working directory
    served = settings().tracking_uri.startswith(("http://", "https://"))
    return str(client.create_experiment(name, None if served else (settings().home / "artifacts").as_uri()))


def _exists() -> bool:
    """Whether there can be runs at all: asking MLflow for a SQLite file makes one, which takes seconds."""
    path = settings().tracking_uri.removeprefix("sqlite:///")
    return path == settings().tracking_uri or Path(path).exists()


@contextmanager
def _client() -> Iterator[Any]:
    """MLflow's client, quiet; what goes wrong between us and it becomes NotReady."""
    uri = settings().tracking_uri
    settings().home.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():  # its advice to its own authors, and to those who log by hand
        warnings.simplefilter("ignore")
        client, problems = _connect(uri)
        try:
            yield client
        except problems as error:
            said = str(error).partition("(Caused by")[0]
            raise NotReady(f"MLflow at {uri} does not answer as it should: {said}") from error


@cache
def _connect(uri: str) -> tuple[Any, Any]:
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    for name in ("mlflow", "alembic"):  # an upgrade of a new SQLite file prints a hundred lines
        logging.getLogger(name).setLevel(logging.ERROR)
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    logging.getLogger("mlflow").setLevel(logging.ERROR)  # importing it sets its own level
    return MlflowClient(uri, uri), MlflowException
