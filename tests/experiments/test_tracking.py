"""What is logged comes back to the last bit, from our bundle and from MLflow's own loader alike."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.calendar import Period, end_of
from engine.errors import NotReady, Unknown
from engine.panel import AXIS
from experiments import tracking
from experiments.backtest import Backtest
from experiments.evaluate import scored, skill_table
from experiments.tracking import Run
from featurestore.memory import MemoryStore
from featurestore.panel import build_panel


@pytest.fixture(scope="module")
def logged(home: Path, replayed: Backtest, tiny_text: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    table = skill_table(scored(replayed.records, replayed.truth), "naive")
    here = tmp_path_factory.mktemp("cwd")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        run = tracking.log(replayed, table, tiny_text, {"figures/a.png": b"png"})
    assert list(here.iterdir()) == [], "something was written into the working directory"
    return run


def test_everything_lies_under_home(logged: Run, home: Path) -> None:
    assert (home / "mlflow.db").is_file()
    assert (home / "artifacts" / logged.id / "artifacts" / "estimates.parquet").is_file()


def test_a_run_comes_back_whole(logged: Run, replayed: Backtest, tiny_text: str) -> None:
    assert tracking.find("latest") == tracking.find(logged.id[:8]) == tracking.runs()[0]
    assert tracking.find("latest").children == logged.children
    kept = tracking.load(logged)
    assert kept.spec == replayed.spec
    assert kept.records.equals(replayed.records)
    assert kept.truth.equals(replayed.truth)
    assert kept.proofs == replayed.proofs
    with pytest.raises(Unknown, match="no run begins"):
        tracking.find("xyz")


def test_parameters_and_scores_are_on_the_runs(logged: Run, home: Path) -> None:
    table = tracking.load(logged).skill
    rmse = table.filter(model="ar", timing="pseudo").filter(pl.col("horizon").is_null())["rmse"][0]
    with sqlite3.connect(home / "mlflow.db") as db:
        metrics = dict(
            db.execute("select key, value from latest_metrics where run_uuid = ?", [logged.children["ar"]]).fetchall()
        )
        params = dict(
            db.execute("select key, value from params where run_uuid = ?", [logged.children["ar"]]).fetchall()
        )
        status = db.execute("select status from runs where run_uuid = ?", [logged.id]).fetchone()
    assert metrics["pseudo_rmse"] == rmse
    assert {k.split("_")[0] for k in metrics} == {"pseudo", "real"}, "a number that does not say pseudo or real"
    assert params == {"model": "nowcast.ar", "option.target": '"gdpc1@US"', "option.lags": "2", "option.since": '""'}
    assert status == ("FINISHED",)


def test_mlflow_loads_the_champion_and_says_the_same_bits(
    logged: Run, replayed: Backtest, store: MemoryStore, home: Path
) -> None:
    import mlflow.pyfunc
    import pandas as pd

    assert tracking.champion("gdpc1@US") is None
    made = tracking.register(logged, "bridge")
    assert tracking.champion("gdpc1@US") == made
    assert made.digest == tracking.digest(logged, "bridge") != tracking.digest(logged, "ar")

    kept = replayed.bundles["bridge"]
    asof, periods = end_of(replayed.spec.real[0]), ["2016-Q2", "2016-Q3"]
    panel = build_panel(store, kept.model.inputs, asof)
    ours = kept.fit_for(asof).fitted.estimate(panel, [Period.parse(p) for p in periods])
    given = pd.DataFrame(panel.matrix(kept.model.inputs), columns=list(kept.model.inputs))
    given["month"] = [str(panel.first + t) for t in range(panel.months)]
    assert AXIS in given

    mlflow.set_tracking_uri(f"sqlite:///{home / 'mlflow.db'}")
    loaded = mlflow.pyfunc.load_model("models:/nowcast-gdpc1-US@champion")
    said = loaded.predict(given, params={"asof": "2016-06-29", "periods": ",".join(periods)})
    assert said["mean"].to_numpy().tobytes() == ours.mean.tobytes()
    quantiles = said[[c for c in said.columns if c.startswith("q")]].to_numpy()
    assert np.ascontiguousarray(quantiles).tobytes() == ours.quantiles.tobytes()
    assert said["period"].to_list() == periods


def test_a_server_keeps_its_own_artifacts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Client:
        def get_experiment_by_name(self, name: str) -> None: ...

        def create_experiment(self, name: str, artifacts: str | None) -> str:
            asked.append((name, artifacts))
            return "1"

    tracking._experiment(Client(), "x")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow:5000")
    tracking._experiment(Client(), "x")
    assert asked == [("x", (home / "artifacts").as_uri()), ("x", None)]


def test_nothing_is_sent_to_the_makers_of_mlflow() -> None:
    from mlflow.telemetry.utils import is_telemetry_disabled

    assert is_telemetry_disabled()


def test_a_server_that_is_not_there_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(NotReady, match=r"MLflow at http://127\.0\.0\.1:9"):
        tracking.runs()
