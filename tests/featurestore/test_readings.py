"""Published readings: one table for indices, lights, boards and monitors, the same in every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from engine import reading
from engine.calendar import Period, end_of
from engine.errors import BadInput
from engine.estimate import LEVELS, Estimate
from engine.reading import READINGS
from featurestore.store import PUBLISHED, ScoreRun, Store

A, B = end_of(date(2016, 6, 29)), end_of(date(2016, 7, 29))
RUN = ScoreRun("run1", "coincident@US", "prosperity.cli", "3", A, A, "real", "abc")
MONTHS = (Period.parse("2016-04"), Period.parse("2016-05"))


def told(mean: float) -> pl.DataFrame:
    quantiles = np.full((2, len(LEVELS)), mean)
    parts = np.column_stack([np.full(2, mean - 1), np.ones(2)])
    return reading.of_estimate(
        Estimate("coincident@US", A, MONTHS, np.full(2, mean), quantiles, ("payems@US", "indpro@US"), parts), "US"
    )


def test_an_estimate_as_readings_holds_its_mean_bands_and_parts() -> None:
    rows = told(101.5)
    assert rows.schema == READINGS
    assert rows.height == 2 * (1 + len(LEVELS) + 2)
    parts = rows.filter(pl.col("level") == "part").group_by("period").agg(pl.col("value").sum())
    assert parts["value"].to_list() == [101.5, 101.5]


def test_written_once_and_the_newest_is_read(store: Store) -> None:
    assert store.publish_readings(RUN, told(101.0))
    assert not store.publish_readings(RUN, told(7.0))
    assert store.publish_readings(replace(RUN, asof=B, panel="def"), told(102.0))
    found = store.readings("coincident@US")
    assert found.schema == PUBLISHED
    assert found["asof"].unique().to_list() == [B]
    assert found.filter(pl.col("level") == "index")["value"].to_list() == [102.0, 102.0]
    earlier = store.readings("coincident@US", asof=A)
    assert earlier.select(READINGS.names()).sort(READINGS.names()[:4]).equals(told(101.0).sort(READINGS.names()[:4]))
    assert (earlier["model"][0], earlier["version"][0], earlier["timing"][0]) == ("prosperity.cli", "3", "real")
    assert store.readings("coincident@US", asof=end_of(date(2016, 7, 1))).is_empty()
    assert store.readings("other@US").schema == PUBLISHED
    assert store.scores("coincident@US").is_empty()


def test_rows_that_cannot_be_read_are_refused_and_nothing_is_written(store: Store) -> None:
    good = told(1.0)
    for wrong, said in (
        (good.drop("name"), "name"),
        (good.clear(), "nothing"),
        (good.with_columns(value=pl.lit(float("nan"))), "finite"),
        (pl.concat([good, good.head(1)]), "twice"),
    ):
        with pytest.raises(BadInput, match=said):
            store.publish_readings(RUN, wrong)
    assert store.readings("coincident@US").is_empty()
