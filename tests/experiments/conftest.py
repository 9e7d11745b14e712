"""One small run, replayed once and tracked once for the whole session: MLflow takes seconds to make its file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments import backtest, spec
from experiments.backtest import Backtest
from experiments.spec import Spec
from featurestore.memory import MemoryStore
from featurestore.sources import nyfed

TINY = """
name = "tiny"
title_en = "US real GDP growth"
title_zh = "美国实际GDP增速"
target = "gdpc1@US"
horizons = [-2, 0, 1]
refit = 4
truth = 2016-07-29
real = [2016-06-29, 2016-07-29]
benchmark = "naive"
[pseudo]
first = 2012-03-31
last = 2016-04-30
months = 3
vintage = 2016-07-29
[gate]
fewest = 10
rmse = 1.0
crps = 1.0
champion = 1.0
coverage.80 = [0.5, 1.0]
[models.naive]
model = "nowcast.naive"
[models.ar]
model = "nowcast.ar"
options.lags = 2
[models.bridge]
model = "nowcast.bridge"
options.indicators = ["indpro@US", "payems@US"]
"""


@pytest.fixture(scope="session")
def store() -> MemoryStore:
    made = MemoryStore()
    for load in nyfed.loads():
        made.append(load.release, load.values, load.series)
    return made


@pytest.fixture(scope="session")
def tiny_text() -> str:
    return TINY


@pytest.fixture(scope="session")
def tiny() -> Spec:
    read = spec.parse(TINY, "tiny.toml")
    assert isinstance(read, Spec)
    return read


@pytest.fixture(scope="session")
def replayed(tiny: Spec, store: MemoryStore) -> Backtest:
    return backtest.run(tiny, store, workers=1)


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A JINGQI_HOME for the session, which MLflow's file lies in."""
    with tempfile.TemporaryDirectory(prefix="jingqi-test-") as folder:
        os.chmod(folder, 0o755)
        before = {k: os.environ.pop(k, None) for k in ("JINGQI_HOME", "MLFLOW_TRACKING_URI", "JINGQI_DATABASE_URL")}
        os.environ["JINGQI_HOME"] = folder
        yield Path(folder)
        for key, value in before.items():
            os.environ.pop(key, None)
            if value is not None:
                os.environ[key] = value
