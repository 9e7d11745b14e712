"""No look-ahead: values that became known after the as-of date are altered at random, and no output moves by one bit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.calendar import Freq, Period, end_of, known_day
from engine.model import Model
from engine.panel import Panel
from featurestore.memory import MemoryStore
from featurestore.panel import Cube, build_panel, pseudo_panel
from featurestore.sources import Load
from featurestore.sources.nyfed import loads
from modelzoo.nowcast.ar import Ar
from modelzoo.nowcast.bridge import Bridge
from modelzoo.nowcast.bvar import Bvar
from modelzoo.nowcast.dfm import Dfm
from modelzoo.nowcast.elastic import Elastic
from modelzoo.nowcast.naive import Naive
from modelzoo.nowcast.umidas import Umidas

FEW = ("gdpc1@US", "payems@US", "indpro@US", "rsafs@US", "gacdisa066msfrbny@US", "unrate@US")
MODELS: tuple[Model, ...] = (
    Naive("gdpc1@US"),
    Ar("gdpc1@US"),
    Bridge("gdpc1@US", ("indpro@US", "payems@US")),
    Umidas("gdpc1@US", FEW[1:4], lags=3),
    Elastic("gdpc1@US", FEW[1:], since="1990-01"),
    Bvar("gdpc1@US", FEW[1:4]),
    Dfm("gdpc1@US", {"global": FEW, "labor": ("payems@US", "unrate@US")}, since="2000-01", tolerance=1e-3),
)
VINTAGE = end_of(date(2016, 7, 29))


@cache
def vintages() -> tuple[Load, ...]:
    return tuple(loads())


def answers(model: Model, panel: Panel) -> bytes:
    now = Period.of(known_day(panel.asof), Freq.Q)
    estimate = model.fit(panel).estimate(panel, [now, now + 1])
    return estimate.mean.tobytes() + estimate.quantiles.tobytes()


def altered(load: Load, known: pl.Series, asof: datetime, seed: int) -> Load:
    """The same release with every value that became known after ``asof`` multiplied by a random number."""
    g = np.random.default_rng(seed)
    noise = pl.Series(g.uniform(0.5, 2.0, len(known)))
    value = pl.when(known > asof).then(pl.col("value") * noise).otherwise(pl.col("value"))
    return replace(load, values=load.values.with_columns(value))


def store_of(*parts: Load) -> MemoryStore:
    store = MemoryStore()
    for load in parts:
        store.append(load.release, load.values, load.series)
    return store


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(days=st.integers(0, 29), seed=st.integers(0, 10**6))
def test_real_time(model: Model, days: int, seed: int) -> None:
    """As of any day before the second vintage, that vintage may say what it likes."""
    first, second = vintages()
    asof = end_of(date(2016, 6, 29) + timedelta(days=days))
    known = pl.Series([second.release.known_at] * second.values.height)
    true, false = store_of(first, second), store_of(first, altered(second, known, asof, seed))
    assert not true.known(FEW, VINTAGE).equals(false.known(FEW, VINTAGE))
    panels = [build_panel(s, FEW, asof) for s in (true, false)] + [Cube(false, FEW).panel(asof)]
    assert len({answers(model, p) for p in panels}) == 1
    assert max(p.newest for p in panels if p.newest) <= asof


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(origin=st.dates(date(2008, 1, 1), date(2016, 7, 28)), seed=st.integers(0, 10**6))
def test_pseudo_real_time(model: Model, origin: date, seed: int) -> None:
    """As of any day in the past, values that publication delays put after it may be anything."""
    (_, second), asof = vintages(), end_of(origin)
    meaning = {s.id: s for s in second.series}
    known = pl.Series(
        [
            end_of(Period(meaning[i].freq, p).end + timedelta(days=meaning[i].indicator.delay_days))
            for i, p in second.values.select("series", "period").iter_rows()
        ]
    )
    true, false = store_of(second), store_of(altered(second, known, asof, seed))
    panels = [pseudo_panel(s, FEW, asof, VINTAGE) for s in (true, false)] + [Cube(false, FEW).pseudo(asof, VINTAGE)]
    assert len({answers(model, p) for p in panels}) == 1
    assert all(p.timing == "pseudo" for p in panels)


def test_the_test_would_catch_it() -> None:
    """Altering values known *before* the as-of date does move every model: the property above is not empty."""
    first, second = vintages()
    asof = VINTAGE
    known = pl.Series([second.release.known_at + timedelta(days=1)] * second.values.height)
    moved = store_of(first, altered(second, known, asof, 1))
    for model in MODELS:
        assert answers(model, build_panel(store_of(first, second), FEW, asof)) != answers(
            model, build_panel(moved, FEW, asof)
        )
