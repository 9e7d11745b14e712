"""A back-test on features: the proof that alters the future holds for recipes, adjustment and its reviews too."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import provincial
import pytest

from engine.calendar import end_of
from engine.panel import Timing
from experiments.proof import prove
from experiments.replay import Horizons, Task, replay
from featurestore.panel import Cube
from modelzoo.nowcast.bridge import Bridge

GDP = "gdp_yoy_ytd@SYN-33"
VINTAGE = end_of(date(2026, 2, 20))


@pytest.mark.parametrize(
    ("timing", "features"),
    [
        ("real", ("elec_total.mom", "export_value.yoy")),
        ("pseudo", ("svc_revenue_yoy_ytd.month", "retail_yoy.real")),
    ],
)
def test_nothing_later_was_seen(
    timing: Timing, features: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JINGQI_HOME", str(tmp_path))  # where results of adjustment lie
    model = Bridge(GDP, tuple(f"{f}@SYN-33" for f in features))
    origins = tuple(end_of(date(2014, m, 25)) for m in (5, 8))
    task = Task("bridge", model, Cube(provincial.store(), model.inputs), timing, VINTAGE, origins, Horizons((0, 1, 2)))
    assert prove(provincial.store(), task).altered > 500
    done = replay(task)
    assert done.records["origin"].unique().sort().to_list() == list(origins)
    assert np.isfinite(done.records["mean"].to_numpy()).all()
