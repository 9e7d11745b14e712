"""The two real vintages in a store, a bridge equation as champion, and champions with and without a registry."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
from click.testing import CliRunner, Result

from engine.calendar import end_of
from engine.errors import NoChampion, Unknown
from featurestore.memory import MemoryStore
from featurestore.panel import build_panel
from featurestore.sources import nyfed
from featurestore.store import VALUES, Release, Store
from modelzoo import bundle, zoo
from modelzoo.bundle import Bundle
from serving import commands
from serving.champions import Champion
from serving.schemas import ModelVersion, RegisteredModel

GDP, NAME = "gdpc1@US", "nowcast-gdpc1-US"
JUNE, JULY = end_of(date(2016, 6, 29)), end_of(date(2016, 7, 29))


@dataclass
class FakeChampions:
    """One champion of a nowcast, or none, others of other kinds, and versions that answer no more."""

    one: Champion | None
    others: tuple[Champion, ...] = ()
    older: tuple[Champion, ...] = ()

    def champion(self, target: str, kind: str = "nowcast") -> Champion:
        for held in self.all():
            if held.kind == kind and held.target == target:
                return held
        raise NoChampion(f"no champion for {target}: `jingqi experiment promote RUN`")

    def version(self, name: str, version: str) -> Champion:
        for held in (*self.all(), *self.older):
            if (held.name, held.version) == (name, version):
                return held
        raise Unknown(f"{name} has no version {version}")

    def all(self) -> tuple[Champion, ...]:
        return self.others if self.one is None else (self.one, *self.others)

    def before(self, champion: Champion) -> Champion | None:
        older = [c for c in self.older if c.name == champion.name and int(c.version) < int(champion.version)]
        return max(older, key=lambda c: int(c.version), default=None)

    def models(self) -> tuple[RegisteredModel, ...]:
        return tuple(RegisteredModel(name=c.name, kind=c.kind, champion=c.version, versions=1) for c in self.all())

    def versions(self, name: str) -> tuple[ModelVersion, ...]:
        if self.one is None or name != self.one.name:
            raise Unknown(f"no registered model {name!r}")
        born = datetime(2026, 1, 1, tzinfo=UTC)
        about = {"run_id": self.one.run_id, "created": born, "tags": {"jingqi.target": GDP}}
        return (ModelVersion(name=name, version=self.one.version, aliases=("champion",), **about),)  # type: ignore[arg-type]


@dataclass
class Shop:
    """A store with the vintages, and champions fitted to its panels."""

    store: Store = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        for load in nyfed.loads():
            self.store.append(load.release, load.values, load.series)

    def champion(self, *days: datetime, version: str = "1", name: str = "nowcast.bridge") -> Champion:
        """Fitted to the panel of each day."""
        options = {"target": GDP} | ({"indicators": ["payems@US", "indpro@US"]} if name.endswith("bridge") else {})
        model = zoo.make(name, options)
        panels = [build_panel(self.store, model.inputs, day) for day in days]
        fits = tuple(bundle.fit(model, p) for p in panels)
        return Champion(NAME, version, "5f0c6e3b", Bundle(name, model, fits, panels[0].series))

    def reader(self, kind: str, *days: datetime, target: str = "coincident@US", version: str = "1") -> Champion:
        """A champion that reads an index, under the name of any kind: how it is served does not depend on what it reads."""
        components = ["payems@US", "indpro@US", "pcec96@US"]
        model = zoo.about("prosperity.conference", target, {"components": components})
        panels = [build_panel(self.store, model.inputs, day) for day in days]
        fits = tuple(bundle.fit(model, p) for p in panels)
        name = bundle.registry_name(kind, target)
        kept = Bundle("prosperity.conference", model, fits, panels[0].series)
        return Champion(name, version, "77aa", kept, "US coincident index", "美国一致指数")

    def say(self, day: datetime, values: dict[int, float], series_id: str = GDP, code: str = "late") -> None:
        """Another release: ordinals of periods and their values."""
        rows = [(series_id, p, v, "A") for p, v in values.items()]
        content = repr((code, day, rows)).encode()
        meaning = self.store.series()[series_id]
        release = Release("test", code, day, "day", content)
        self.store.append(release, pl.DataFrame(rows, schema=VALUES, orient="row"), [meaning])


class Office:
    """A registry to write into, as an experiment does."""

    def __init__(self, folder: Path, shop: Shop) -> None:
        from mlflow import MlflowClient

        self.folder, self.uri = folder, f"sqlite:///{folder / 'mlflow.db'}"
        self.client = MlflowClient(self.uri, self.uri)
        self.client.create_registered_model(NAME)
        self.client.create_registered_model("nowcast-other-US")
        self.client.create_registered_model("elsewhere")
        self.champion: Champion = shop.champion(JUNE)

    def version(self, name: str = NAME, **tags: str) -> str:
        """Another version, with a bundle beside what MLflow itself would lay there."""
        number = len(self.client.search_model_versions(f"name='{name}'")) + 1
        folder = self.folder / f"{name}-{number}"
        bundle.save(folder / "data" / "bundle", self.champion.bundle)
        (folder / "MLmodel").write_text("flavors: {}\n")
        made = self.client.create_model_version(name, str(folder), run_id=f"run{number}", tags=tags)
        return str(made.version)

    def promote(self, version: str, name: str = NAME) -> None:
        self.client.set_registered_model_alias(name, "champion", version)


class Run:
    """A command of the service in this process, by its name."""

    def __call__(self, name: str, *words: str) -> Result:
        return CliRunner().invoke(getattr(commands, name), words, catch_exceptions=False)
