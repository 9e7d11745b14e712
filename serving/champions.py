"""Champions: which model answers for a target. The only file of the service that speaks MLflow, and only when asked.

What is loaded is our own bundle (arrays and JSON), not a pyfunc: a request runs no code of MLflow's.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

from engine.errors import BadInput, NoChampion, NotReady, Unknown
from engine.indicator import Series
from engine.panel import Panel
from modelzoo import bundle as bundles
from modelzoo.bundle import Bundle, Fit
from serving.schemas import ModelVersion, RegisteredModel

if TYPE_CHECKING:
    from mlflow import MlflowClient

ALIAS = "champion"
KINDS = ("nowcast", "forecast", "index", "warning", "scorecard", "monitor")
"""First word of a registered name: what its numbers are about."""

KEPT_REFITS = 16


@dataclass(frozen=True)
class Champion:
    """A version of a registered model that has earned its place, loaded."""

    name: str
    version: str
    run_id: str
    bundle: Bundle
    title_en: str = ""
    title_zh: str = ""
    _refits: OrderedDict[str, Fit] = field(default_factory=OrderedDict, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def kind(self) -> str:
        """One of KINDS."""
        return self.name.partition("-")[0]

    @property
    def target(self) -> str:
        """What it speaks about."""
        return self.bundle.model.targets[0]

    def fit_for(self, panel: Panel) -> Fit:
        """Parameters that could be known at ``panel.asof``.

        The bundle's own; or where all of those were learned later, or from columns made by another recipe, a new fit of the
        same model to this very panel, kept by the panel's digest.
        """
        if all(_recipe(panel.meaning(s.id)) == _recipe(s) for s in self.bundle.series):
            try:
                return self.bundle.fit_for(panel.asof)
            except NotReady:
                pass
        key = f"{panel.asof.isoformat()} {panel.digest()}"
        with self._lock:  # two requests for one day fit once
            if key not in self._refits:
                self._refits[key] = bundles.fit(self.bundle.model, panel)
                while len(self._refits) > KEPT_REFITS:
                    self._refits.popitem(last=False)
            self._refits.move_to_end(key)
            return self._refits[key]


def _recipe(series: Series) -> str:
    """The hash of how a column was made; empty for what is published."""
    return series.made.hash if series.made else ""


class Champions(Protocol):
    """Who answers. The service knows the registry by these questions."""

    def champion(self, target: str, kind: str = "nowcast") -> Champion:
        """The champion of a kind for a target. Raises NoChampion, naming the command that
        mends it, NotReady where the registry does not answer."""
        ...

    def version(self, name: str, version: str) -> Champion:
        """One version of a registered model, champion or not. Raises Unknown."""
        ...

    def all(self) -> tuple[Champion, ...]:
        """Every champion there is, by name."""
        ...

    def before(self, champion: Champion) -> Champion | None:
        """The version that was champion before this one; None if it is the first."""
        ...

    def models(self) -> tuple[RegisteredModel, ...]:
        """The registry."""
        ...

    def versions(self, name: str) -> tuple[ModelVersion, ...]:
        """All versions of a registered model, newest first. Raises Unknown."""
        ...


class Registry:
    """Champions from an MLflow registry.

    A loaded version is kept. Whether the alias still points to it is asked again after ``recheck`` seconds, by one
    thread while the others go on with what they have. If MLflow is then out of reach, the one held goes on answering.
    """

    def __init__(self, tracking_uri: str, recheck: float = 15.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._uri, self._recheck, self._clock = tracking_uri, recheck, clock
        self._lock = threading.Lock()
        self._held: dict[str, Champion] = {}
        self._older: dict[tuple[str, str], Champion] = {}
        self._due: dict[str, float] = {}
        self._client: MlflowClient | None = None

    def champion(self, target: str, kind: str = "nowcast") -> Champion:
        found = self._champion(bundles.registry_name(kind, target))
        if found is None:
            what = "" if kind == "nowcast" else f"{kind} "
            raise NoChampion(
                f"no champion for {what}{target}: `jingqi experiment run SPEC`, then `jingqi experiment promote RUN` "
                "(`jingqi demo` does both)"
            )
        return found

    def version(self, name: str, version: str) -> Champion:
        key = name, version
        if key not in self._older:  # a version does not change
            if version not in {v.version for v in self.versions(name)}:
                raise Unknown(f"{name} has no version {version}; `/v1/models/{name}/versions` lists them")
            with self._asking() as client:
                self._older[key] = self._load(client, name, version)
        return self._older[key]

    def all(self) -> tuple[Champion, ...]:
        names = (m.name for m in self.models() if m.champion is not None and m.name.partition("-")[0] in KINDS)
        return tuple(c for c in map(self._champion, names) if c is not None)

    def before(self, champion: Champion) -> Champion | None:
        older = [v.version for v in self.versions(champion.name) if int(v.version) < int(champion.version)]
        return self.version(champion.name, older[0]) if older else None

    def models(self) -> tuple[RegisteredModel, ...]:
        with self._asking() as client:
            listed = [
                RegisteredModel(
                    name=m.name,
                    kind=m.name.partition("-")[0],
                    target=m.tags.get("target"),
                    champion=_champion_version(m),
                    versions=sum(1 for _ in _pages(client.search_model_versions, f"name='{m.name}'")),
                )
                for m in _pages(client.search_registered_models, None)
            ]
        return tuple(sorted(listed, key=lambda m: m.name))

    def versions(self, name: str) -> tuple[ModelVersion, ...]:
        with self._asking() as client:
            model = _registered(client, name)
            if model is None:
                raise Unknown(f"no registered model {name!r}")
            found = [
                ModelVersion(
                    name=name,
                    version=str(v.version),
                    aliases=tuple(sorted(a for a, n in model.aliases.items() if str(n) == str(v.version))),
                    run_id=_run_id(v),
                    created=datetime.fromtimestamp(v.creation_timestamp / 1000, UTC),
                    tags=dict(v.tags),
                )
                for v in _pages(client.search_model_versions, f"name='{model.name}'")
            ]
        return tuple(sorted(found, key=lambda v: -int(v.version)))

    def _champion(self, name: str) -> Champion | None:
        held = self._held.get(name)
        if held is not None and self._clock() < self._due[name]:
            return held
        if not self._lock.acquire(blocking=held is None):
            return held  # another thread is asking
        try:
            held = self._held.get(name)
            if held is None or self._clock() >= self._due[name]:
                held = self._renew(name, held)
            return held
        finally:
            self._lock.release()

    def _renew(self, name: str, held: Champion | None) -> Champion | None:
        try:
            with self._asking() as client:
                model = _registered(client, name)
                version = _champion_version(model) if model else None
                if version is None:
                    self._held.pop(name, None)
                    return None
                if held is None or held.version != version:
                    held = self._load(client, name, version)
        except NotReady:
            if held is None:
                raise
        self._due[name] = (
            self._clock() + self._recheck
        )  # before the champion: a reader looks them up the other way round
        self._held[name] = held
        return held

    def _load(self, client: MlflowClient, name: str, version: str) -> Champion:
        from mlflow.artifacts import download_artifacts

        about = client.get_model_version(name, version)
        with TemporaryDirectory(prefix="jingqi-") as scratch:
            place = client.get_model_version_download_uri(
                name, version
            )  # "models:/…" would ask MLflow's default registry
            folder = download_artifacts(place, dst_path=scratch, tracking_uri=self._uri)
            files = sorted(Path(folder).rglob(bundles.MODEL_FILE))
            if len(files) != 1:
                raise BadInput(
                    f"version {version} holds {len(files)} files {bundles.MODEL_FILE}; a model of jingqi's has one",
                    file=name,
                )
            titles = (about.tags.get("title_en", ""), about.tags.get("title_zh", ""))
            return Champion(name, version, _run_id(about), bundles.load(files[0].parent), *titles)

    @contextmanager
    def _asking(self) -> Iterator[MlflowClient]:
        """The client; what goes wrong between us and the registry becomes NotReady."""
        path = self._uri.removeprefix("sqlite:///")
        if path != self._uri and not Path(path).exists():  # MLflow would make an empty one
            raise NoChampion("nothing was tracked yet: `jingqi experiment run SPEC`, or `jingqi demo`")
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        try:
            if self._client is None:
                self._client = MlflowClient(self._uri, self._uri)
            yield self._client
        except MlflowException as error:
            raise NotReady(
                "the MLflow server does not answer as it should: look at MLFLOW_TRACKING_URI and its log"
            ) from error


def _registered(client: MlflowClient, name: str) -> Any:
    """The registered model, None if there is none of that name."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def _champion_version(model: Any) -> str | None:
    version = model.aliases.get(ALIAS)
    return None if version is None else str(version)


def _run_id(version: Any) -> str:
    """The run that made a version: the registry's own field, or the tag where a version was copied from elsewhere."""
    return str(version.run_id or version.tags.get("run_id", ""))


def _pages(search: Callable[..., Any], which: str | None) -> Iterator[Any]:
    """All results of a paged search."""
    page = search(which)
    yield from page
    while page.token:
        page = search(which, page_token=page.token)
        yield from page
