"""Published scores: written once, read newest first, and there for dashboards as plain views."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from engine.calendar import Period, end_of
from engine.errors import BadInput
from engine.estimate import LEVELS, Estimate, quantile_name
from featurestore.store import NEWS, QUANTILES, SCORES, ScoreRun, Store

A, B = end_of(date(2016, 6, 29)), end_of(date(2016, 7, 29))
RUN = ScoreRun("run1", "gdpc1@US", "nowcast.dfm", "3", A, A, "pseudo", "abc")


def scores(asof: datetime, mean: float) -> pl.DataFrame:
    periods = [Period.parse(p) for p in ("2016-Q3", "2016-Q2")]
    return Estimate.normal("gdpc1@US", asof, periods, np.array([mean, mean + 1]), np.ones(2)).to_frame()


NEWS_ROWS = pl.DataFrame(
    [(A, "2016-Q2", "release", "payems@US", "2016-06", B, 150.0, 287.0, 137.0, 0.002, 0.274)], schema=NEWS, orient="row"
)


def test_the_names_are_those_of_the_engine() -> None:
    assert tuple(quantile_name(level) for level in LEVELS) == QUANTILES


def test_written_once_and_read_newest_first(store: Store) -> None:
    later = replace(RUN, asof=B, panel="def")
    assert store.publish(RUN, scores(A, 2.0))
    assert store.publish(later, scores(B, 1.2), NEWS_ROWS)
    assert not store.publish(RUN, scores(A, 9.0))
    assert store.publish(replace(RUN, panel="late data"), scores(A, 2.5))
    found = store.scores("gdpc1@US")
    assert found.schema == SCORES
    assert found.select("asof", "period", "mean").rows() == [
        (B, "2016-Q2", 2.2), (B, "2016-Q3", 1.2),
        (A, "2016-Q2", 3.5), (A, "2016-Q3", 2.5), (A, "2016-Q2", 3.0), (A, "2016-Q3", 2.0),
    ]  # fmt: skip
    first = found.row(0, named=True)
    assert (first["run_id"], first["version"], first["timing"], first["panel"]) == ("run1", "3", "pseudo", "def")
    assert first["q025"] < first["q500"] == first["mean"] < first["q975"]
    assert store.scores("gdpc1@US", asof=A)["asof"].unique().to_list() == [A]
    assert store.scores("gdpc1@US", asof=datetime(2016, 1, 1, tzinfo=UTC)).is_empty()
    assert store.scores("other@US").schema == SCORES


def test_scores_of_another_run_are_refused(store: Store) -> None:
    for wrong in (scores(B, 2.0), scores(A, 2.0).drop("q025"), scores(A, 2.0).clear()):
        with pytest.raises(BadInput, match="gdpc1@US"):
            store.publish(RUN, wrong)
    with pytest.raises(BadInput, match="impact"):
        store.publish(RUN, scores(A, 2.0), NEWS_ROWS.drop("impact"))
    assert store.scores("gdpc1@US").is_empty()


def test_dashboards_read_views(server: Any, make: Any, say: Any) -> None:
    store = server.empty()
    store.publish(replace(RUN, asof=B), scores(B, 1.2), NEWS_ROWS)
    load = say(datetime(2019, 7, 1, tzinfo=UTC), make("x", freq="Q"), {4 * 2019: 5.0})
    store.append(load.release, load.values, load.series)
    with server.pool.connection() as c:

        def rows(view: str) -> list[Any]:
            return c.execute(f'SELECT "time", metric, value FROM api_v1.{view} ORDER BY 1, 2').fetchall()  # type: ignore[no-any-return]

        assert (B, "gdpc1@US 2016-Q2 mean", 2.2) in rows("scores")
        assert len(rows("scores")) == 2 * 8
        assert rows("news") == [(B, "payems@US", 0.274)]
        assert rows("observations") == [(datetime(2019, 1, 1, tzinfo=UTC), "x@US", 5.0)]
        assert rows("releases") == [(datetime(2019, 7, 1, tzinfo=UTC), "test r", 1.0)]
