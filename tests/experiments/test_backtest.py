"""History is replayed with only what was known, and the proof would notice if it were not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from engine.calendar import Period, end_of
from engine.errors import LookAhead
from engine.estimate import Estimate
from engine.model import State
from engine.panel import Panel
from experiments import backtest, proof
from experiments.backtest import Backtest
from experiments.replay import RECORDS, replay
from experiments.spec import Spec
from featurestore.memory import MemoryStore
from featurestore.panel import Cube, build_panel, pseudo_panel


def test_every_record_says_when_and_from_what(replayed: Backtest, tiny: Spec) -> None:
    r = replayed.records
    assert r.schema == RECORDS
    assert r["model"].unique().sort().to_list() == ["ar", "bridge", "naive"]
    assert (r["newest"] <= r["origin"]).all()
    assert (r["fitted_asof"] <= r["origin"]).all()
    assert set(r.filter(timing="real")["origin"]) == {end_of(d) for d in tiny.real}
    assert tiny.pseudo
    assert set(r.filter(timing="pseudo")["origin"]) == {end_of(d) for d in tiny.pseudo.days}
    assert r.group_by("model", "fitted_asof").agg(pl.col("fit").n_unique())["fit"].max() == 1


def test_horizons_are_months_from_the_end_of_the_quarter(replayed: Backtest) -> None:
    seen = replayed.records.filter(pl.col("model") == "naive", pl.col("timing") == "real")
    assert seen.select("origin", "period", "horizon").rows() == [
        (end_of(date(2016, 6, 29)), "2016-Q2", 0),
        (end_of(date(2016, 7, 29)), "2016-Q2", 1),
        (end_of(date(2016, 7, 29)), "2016-Q3", -2),
    ]
    assert seen["published"].to_list() == [False, True, False]
    assert seen["phase"].to_list() == ["nowcast", "backcast", "nowcast"]


def test_panels_are_those_of_the_store(replayed: Backtest, store: MemoryStore, tiny: Spec) -> None:
    ids = tiny.make("bridge").inputs
    assert tiny.pseudo
    mine = replayed.records.filter(model="bridge")
    real, day = mine.filter(timing="real").row(0, named=True), end_of(tiny.real[0])
    assert real["panel"] == build_panel(store, ids, day).digest()
    pseudo = mine.filter(timing="pseudo").row(0, named=True)
    assert pseudo["panel"] == pseudo_panel(store, ids, pseudo["origin"], end_of(tiny.pseudo.vintage)).digest()


def test_the_bundle_holds_a_fit_at_each_real_vintage(replayed: Backtest, tiny: Spec, store: MemoryStore) -> None:
    for label, kept in replayed.bundles.items():
        assert [f.asof for f in kept.fits] == [end_of(d) for d in tiny.real]
        assert {f.timing for f in kept.fits} == {"real"}
        at = replayed.records.filter(model=label, timing="real", period="2016-Q3").row(0, named=True)
        again = kept.fit_for(at["origin"]).fitted.estimate(
            build_panel(store, kept.model.inputs, at["origin"]), [Period.parse("2016-Q3")]
        )
        assert again.mean[0] == at["mean"]


def test_truth_is_the_value_in_the_named_vintage(replayed: Backtest) -> None:
    growth = 100 * ((16575.1 / 16525) ** 4 - 1)
    assert replayed.truth.filter(period="2016-Q2")["outcome"].to_list() == [pytest.approx(growth, rel=1e-12)]
    assert "2016-Q3" not in replayed.truth["period"]


def test_processes_give_the_same_bits(replayed: Backtest, tiny: Spec, store: MemoryStore) -> None:
    assert backtest.run(tiny, store, workers=2).records.equals(replayed.records)


def test_each_model_is_proved_at_a_pseudo_and_a_real_origin(replayed: Backtest) -> None:
    assert [(p.model, p.timing) for p in replayed.proofs] == [
        (m, t) for m in ("naive", "ar", "bridge") for t in ("pseudo", "real")
    ]
    assert all(p.altered > 0 for p in replayed.proofs)


def test_the_proof_alters_exactly_what_came_later(tiny: Spec, store: MemoryStore) -> None:
    task = next(t for t in backtest.plan(tiny, "naive", store) if t.timing == "pseudo")
    assert task.origins[0] == end_of(date(2012, 3, 31))
    first = replace(task, origins=task.origins[:1])
    rows, other = store.history(["gdpc1@US"]), proof._Altered(store, first, np.random.default_rng(0))
    changed = rows.filter(other.history(["gdpc1@US"])["value"] != rows["value"])
    # 28 days after 2012-03-31 is later than that origin: 2012-Q1 came later, in either vintage; 2011-Q4 did not
    assert changed.equals(rows.filter(pl.col("period") >= Period.parse("2012-Q1").ordinal))


@dataclass(frozen=True)
class Oracle:
    """Looks at the panel of another day than it is given."""

    target: str
    cube: Cube
    ahead: int

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.target,)

    def fit(self, panel: Panel) -> Oracle:
        return self

    def restore(self, state: State) -> Oracle:
        return self

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        later = self.cube.pseudo(panel.asof + timedelta(days=self.ahead), end_of(date(2016, 7, 29)))
        level = float(np.nanmean(later.matrix([self.target])))
        return Estimate.normal(self.target, panel.asof, periods, np.full(len(periods), level), np.ones(len(periods)))

    def state(self) -> State:
        return {"none": np.zeros(1)}


@pytest.mark.parametrize("ahead", [0, 200])
def test_a_model_that_looks_ahead_is_caught(ahead: int, tiny: Spec, store: MemoryStore) -> None:
    task = next(t for t in backtest.plan(tiny, "naive", store) if t.timing == "pseudo")
    assert isinstance(task.cube, Cube)
    honest = replace(task, model=Oracle("gdpc1@US", task.cube, ahead), origins=task.origins[:1])
    other, count = proof.altered(store, honest)
    assert isinstance(other.cube, Cube)
    shadow = replay(replace(other, model=Oracle("gdpc1@US", other.cube, ahead)))
    if ahead:
        with pytest.raises(LookAhead, match="mean"):
            proof.compare(replay(honest), shadow, count)
    else:
        assert proof.compare(replay(honest), shadow, count).altered == count > 0


def test_a_fit_newer_than_an_origin_is_caught(tiny: Spec, store: MemoryStore) -> None:
    task = next(t for t in backtest.plan(tiny, "naive", store) if t.timing == "pseudo")
    with pytest.raises(LookAhead):
        replay(replace(task, origins=task.origins[::-1]))
