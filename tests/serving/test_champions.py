"""Champions out of a real MLflow registry: a SQLite file and a folder."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.errors import BadInput, NotReady, Unknown
from engine.panel import Panel, empty_known
from featurestore.panel import build_panel
from modelzoo import bundle
from serving import champions
from serving.champions import Registry
from tests.serving.shop import GDP, JULY, JUNE, NAME, Office, Shop


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_life_of_a_champion(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    registry = Registry(office.uri, recheck=10, clock=clock)
    with pytest.raises(NotReady, match="jingqi experiment promote RUN"):
        registry.champion(GDP)
    first = office.version(run_id="from the tag", label="bridge")
    office.promote(first)
    monkeypatch.chdir(office.folder)
    held = registry.champion(GDP)
    assert (held.name, held.version, held.run_id) == (NAME, first, "run1")
    assert held.bundle.model == office.champion.bundle.model
    assert {k: v.tolist() for k, v in held.bundle.fits[0].fitted.state().items()} == {
        k: v.tolist() for k, v in office.champion.bundle.fits[0].fitted.state().items()
    }

    assert sorted(p.name for p in office.folder.iterdir()) == [
        "mlflow.db",
        f"{NAME}-{first}",
    ]  # nothing of MLflow's own

    second = office.version()
    office.promote(second)
    assert registry.champion(GDP) is held  # not asked again yet
    clock.now = 10.0
    assert registry.champion(GDP).version == second
    assert registry.version(NAME, first).run_id == "run1"  # a version that answers no more can still be asked
    with pytest.raises(Unknown, match=f"{NAME} has no version 9"):
        registry.version(NAME, "9")
    again = registry.champion(GDP)
    clock.now = 20.0
    assert registry.champion(GDP) is again  # asked, and the same: not loaded again

    def gone(*_: Any) -> Any:
        raise NotReady("no server")

    clock.now = 30.0
    with monkeypatch.context() as outage:
        outage.setattr(champions, "_registered", gone)
        assert registry.champion(GDP) is again
        clock.now = 40.0
        assert registry.champion(GDP) is again
        with pytest.raises(NotReady, match="no server"):
            Registry(office.uri).champion(GDP)

    older = registry.before(again)
    assert older is not None
    assert (older.version, older.run_id) == (first, "run1")
    assert registry.version(NAME, first) is older  # loaded once: a version does not change
    assert registry.before(older) is None

    office.client.delete_registered_model_alias(NAME, "champion")
    clock.now = 60.0
    with pytest.raises(NotReady, match="no champion for gdpc1@US"):
        registry.champion(GDP)
    office.promote(second)
    assert registry.champion(GDP).version == second


def test_what_the_registry_holds(office: Office) -> None:
    if not office.client.search_model_versions(f"name='{NAME}'"):
        office.promote(office.version())
    office.promote(office.version("elsewhere"), "elsewhere")  # not a nowcast
    registry = Registry(office.uri)
    listed = {m.name: m for m in registry.models()}
    assert sorted(listed) == sorted([NAME, "nowcast-other-US", "elsewhere"])
    assert (listed["nowcast-other-US"].champion, listed["nowcast-other-US"].versions) == (None, 0)
    assert [c.name for c in registry.all()] == [NAME]
    versions = registry.versions(NAME)
    assert [int(v.version) for v in versions] == list(range(len(versions), 0, -1))
    assert [v.version for v in versions if v.aliases == ("champion",)] == [listed[NAME].champion]
    assert all(v.run_id.startswith("run") and v.created.tzinfo for v in versions)
    with pytest.raises(Unknown, match="nope"):
        registry.versions("nope")


def test_a_version_that_is_no_bundle_of_ours(office: Office) -> None:
    version = office.version("nowcast-other-US")
    folder = office.folder / f"nowcast-other-US-{version}" / "data" / "bundle"
    office.promote(version, "nowcast-other-US")
    model = folder / bundle.MODEL_FILE
    model.write_text(model.read_text().replace("payems", "PAYEMS"))
    with pytest.raises(BadInput, match="digest"):
        Registry(office.uri).champion("other@US")
    model.unlink()
    with pytest.raises(BadInput, match=r"0 files model\.json"):
        Registry(office.uri).champion("other@US")
    office.client.delete_registered_model_alias("nowcast-other-US", "champion")


def test_looking_for_a_champion_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="nothing was tracked yet"):
        Registry(f"sqlite:///{tmp_path / 'mlflow.db'}").champion(GDP)
    assert not list(tmp_path.iterdir())


def test_a_server_out_of_reach_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(NotReady, match="MLFLOW_TRACKING_URI"):
        Registry("http://127.0.0.1:9").models()


def test_refits_are_few(shared: Shop) -> None:
    champion = shared.champion(JULY)
    panel = build_panel(shared.store, champion.bundle.model.inputs, JULY)
    for hours in range(1, champions.KEPT_REFITS + 5):
        earlier = Panel.of_frames(
            JULY - timedelta(hours=hours), panel.series, panel.frame, empty_known(panel.frame, JUNE)
        )
        champion.fit_for(earlier)
    assert len(champion._refits) == champions.KEPT_REFITS
