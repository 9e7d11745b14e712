"""The generic form of a bundle: the same bits, and questions that cannot be answered are refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from engine.calendar import Freq, Period, end_of
from engine.errors import BadInput, NotReady
from engine.indicator import Indicator, Region, Series
from engine.panel import AXIS, Panel, empty_known
from modelzoo import bundle, zoo
from modelzoo.pyfunc import Predictor, _load_pyfunc

DAY = date(2016, 6, 29)
SERIES = Series(
    Indicator("gdpc1", "Real GDP", "实际国内生产总值", Freq.Q, "bn", "%", "pca", "growth", 28, "BEA", "x"),
    Region("US", "United States", "美国"),
)
VALUES = np.full(120, np.nan)
VALUES[2::3] = np.random.default_rng(0).normal(2, 1, 40)


@pytest.fixture
def panel() -> Panel:
    months = np.arange(120, dtype=np.int32) + 2006 * 12
    frame = pl.DataFrame({AXIS: months, SERIES.id: pl.Series(VALUES).fill_nan(None)})
    return Panel.of_frames(end_of(DAY), (SERIES,), frame, empty_known(frame, end_of(DAY)))


@pytest.fixture
def loaded(panel: Panel, tmp_path: Path) -> Predictor:
    model = zoo.make("nowcast.ar", {"target": SERIES.id})
    bundle.save(tmp_path / "b", bundle.Bundle("nowcast.ar", model, (bundle.fit(model, panel),), (SERIES,)))
    return _load_pyfunc(str(tmp_path / "b"))


@pytest.fixture
def given(panel: Panel) -> pd.DataFrame:
    return pd.DataFrame({"month": [str(panel.first + t) for t in range(120)], SERIES.id: VALUES})


def test_the_same_bits_as_the_bundle(loaded: Predictor, given: pd.DataFrame, panel: Panel) -> None:
    ours = loaded.kept.fits[0].fitted.estimate(panel, [Period.parse("2016-Q2"), Period.parse("2016-Q3")])
    said = loaded.predict(given, {"asof": "2016-06-29", "periods": "2016-Q2,2016-Q3"})
    assert said["mean"].to_numpy().tobytes() == ours.mean.tobytes()
    assert said["q975"].to_numpy().tobytes() == np.ascontiguousarray(ours.quantiles[:, -1]).tobytes()
    assert said["period"].to_list() == ["2016-Q2", "2016-Q3"]


def test_questions_that_cannot_be_answered(loaded: Predictor, given: pd.DataFrame) -> None:
    with pytest.raises(BadInput, match="params lack asof, periods"):
        loaded.predict(given)
    with pytest.raises(BadInput, match="lacks the columns month"):
        loaded.predict(given.drop(columns="month"), {"asof": "2016-06-29", "periods": "2016-Q2"})
    with pytest.raises(BadInput, match="without a gap"):
        loaded.predict(given.drop(index=50), {"asof": "2016-06-29", "periods": "2016-Q2"})
    with pytest.raises(NotReady, match="first fitted as of 2016-06-29"):
        loaded.predict(given, {"asof": "2016-06-28", "periods": "2016-Q2"})
