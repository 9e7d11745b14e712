"""Pools learn from what had come out, in real vintages: truths, ledger, records, bundle, proof."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
import someland

from engine.calendar import Period, end_of, known_day
from engine.errors import BadInput, LookAhead, NotEnoughData
from experiments import backtest, pooled, spec
from experiments.backtest import Backtest
from experiments.evaluate import overall, scored, skill_table
from experiments.replay import QUANTILES
from experiments.spec import Spec
from experiments.truth import outcomes
from featurestore.memory import MemoryStore
from featurestore.panel import Cube, build_panel
from modelzoo.nowcast.pool import FittedPool, Pool

TEXT = """
name = "someland"
title_en = "Output of Someland"
title_zh = "某国产出"
target = "out@XX"
horizons = [-2, -1, 0, 1]
refit = 1
real = { first = 2010-01-31, last = 2014-06-30 }
truth = "first"
benchmark = "ar"
lists.monthly = ["ind@XX"]
[gate]
fewest = 20
rmse = 1.0
crps = 1.0
champion = 1.0
coverage.80 = [0.5, 1.0]
[models.ar]
model = "nowcast.ar"
options.lags = 2
[models.bridge]
model = "nowcast.bridge"
options.indicators = ["$monthly"]
[models.pool]
model = "nowcast.pool"
options.members = ["ar", "bridge"]
"""


def read(text: str = TEXT) -> Spec:
    found = spec.parse(text, "someland.toml")
    assert isinstance(found, Spec)
    return found


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    made: MemoryStore = someland.store()
    return made


@pytest.fixture(scope="module")
def run(store: MemoryStore) -> Backtest:
    return backtest.run(read(), store, workers=1)


def days(store: MemoryStore) -> list[object]:
    return store.history([someland.GDP])["known_at"].unique().to_list()


def test_the_first_release_and_the_next_are_told_apart(store: MemoryStore) -> None:
    first, revised, _ = someland.economy()
    cube = Cube(store, [someland.GDP])
    said = outcomes(cube, days(store), "first")  # type: ignore[arg-type]
    assert said["period"].to_list()[:2] == ["2001-Q1", "2001-Q2"]  # what the first vintage brought may have been older
    assert said["outcome"].to_list() == pytest.approx(first[4:].tolist())
    assert known_day(said["known_at"][0]) == date(2001, 5, 15)
    later = outcomes(cube, days(store), "next")  # type: ignore[arg-type]
    assert later["period"].to_list()[:2] == ["2000-Q4", "2001-Q1"]
    assert later["outcome"].to_list() == pytest.approx(revised[3:-1].tolist())
    assert known_day(later["known_at"][1]) == date(2001, 8, 14)
    mature = outcomes(cube, days(store), date(2012, 6, 30))  # type: ignore[arg-type]
    assert mature["period"].to_list()[-1] == "2012-Q1"
    with pytest.raises(NotEnoughData, match="first release"):
        outcomes(cube, days(store)[:1], "first")  # type: ignore[arg-type]


def test_a_range_of_origins_is_its_month_ends(run: Backtest) -> None:
    assert run.spec.real[:2] == (date(2010, 1, 31), date(2010, 2, 28))
    assert len(run.spec.real) == 54
    assert set(run.records["timing"]) == {"real"}
    assert run.spec.evidence == "real"


def test_a_pool_equals_its_members_by_weights_learned_from_the_past(run: Backtest) -> None:
    pool = run.spec.make("pool")
    assert isinstance(pool, Pool)
    origin = end_of(date(2013, 5, 31))
    whole = pooled.ledger(run.records, run.truth, tuple(pool.members), run.series, "real")
    past = whole.before(origin)
    assert 0 < len(past) < len(whole)
    learned = pool.learn(past)
    assert not np.allclose(learned.shares, 0.5)
    row = run.records.filter(model="pool", origin=origin, period="2013-Q2").row(0, named=True)
    by_hand = [run.records.filter(model=m, origin=origin, period="2013-Q2")["mean"].item() for m in ("ar", "bridge")]
    assert row["mean"] == pytest.approx(float(learned.shares[learned.row(row["horizon"])] @ by_hand), rel=1e-12)


def test_early_pools_weigh_equally(run: Backtest) -> None:
    early = run.records.filter(pl.col("origin") == end_of(date(2010, 1, 31)))
    for (period,), part in early.group_by("period"):
        means = dict(part.select("model", "mean").rows())
        assert means["pool"] == pytest.approx((means["ar"] + means["bridge"]) / 2), period


def test_the_bundle_of_a_pool_says_what_the_replay_said(run: Backtest, store: MemoryStore) -> None:
    kept = run.bundles["pool"]
    assert len(kept.fits) == backtest.KEPT
    assert isinstance(kept.fits[-1].fitted, FittedPool)
    for fit in (kept.fits[0], kept.fits[-1]):
        panel = build_panel(store, kept.model.inputs, fit.asof)
        assert panel.digest() == fit.panel_digest
        for row in run.records.filter(model="pool", origin=fit.asof).to_dicts():
            again = fit.fitted.estimate(panel, [Period.parse(row["period"])])
            assert again.mean[0] == row["mean"]
            assert again.quantiles[0].tolist() == [row[c] for c in QUANTILES]


def test_a_pool_written_out_is_one_model_and_may_be_a_member(store: MemoryStore) -> None:
    written = TEXT.replace(
        '[models.pool]\nmodel = "nowcast.pool"\noptions.members = ["ar", "bridge"]',
        '[models.both]\nmodel = "nowcast.pool"\noptions.weights = "equal"\n'
        'options.members.ar = { model = "nowcast.ar", options = { lags = 2 } }\n'
        'options.members.bridge = { model = "nowcast.bridge", options = { indicators = ["$monthly"] } }\n'
        '[models.pool]\nmodel = "nowcast.pool"\noptions.members = ["ar", "both"]\noptions.weights = "equal"',
    ).replace("last = 2014-06-30", "last = 2011-12-31")
    asked = read(written)
    assert asked.pools == ("pool",)
    found = backtest.run(asked, store, workers=1)
    wide = found.records.pivot("model", index=["origin", "period"], values="mean")
    assert wide["both"].to_numpy() == pytest.approx((wide["ar"] + wide["bridge"]).to_numpy() / 2, rel=1e-12)
    assert wide["pool"].to_numpy() == pytest.approx((wide["ar"] + wide["both"]).to_numpy() / 2, rel=1e-12)
    kept = found.bundles["pool"]
    row = found.records.filter(model="pool", origin=kept.fits[-1].asof).row(-1, named=True)
    again = kept.fits[-1].fitted.estimate(
        build_panel(store, kept.model.inputs, kept.fits[-1].asof), [Period.parse(row["period"])]
    )
    assert again.quantiles[0].tolist() == [row[c] for c in QUANTILES]
    assert {p.model for p in found.proofs} == {"ar", "bridge", "both", "pool"}


def test_each_model_is_proved(run: Backtest) -> None:
    assert {(p.model, p.timing) for p in run.proofs} == {(m, "real") for m in ("ar", "bridge", "pool")}
    assert all(p.altered > 0 for p in run.proofs)


def test_what_comes_later_moves_no_pool(run: Backtest) -> None:
    """The same economy until 2012-Q3, and another one after it: whatever was said before that quarter came out is the same."""
    other = backtest.run(read(), someland.store(scale_after=(Period.parse("2012-Q3"), 5.0)), workers=1)
    until = pl.col("origin") <= end_of(date(2012, 10, 31))
    columns = ["model", "origin", "period", "mean", *QUANTILES]
    assert run.records.filter(until).select(columns).equals(other.records.filter(until).select(columns))
    after = pl.col("origin") >= end_of(date(2013, 3, 31))
    assert not run.records.filter(after).select(columns).equals(other.records.filter(after).select(columns))


def test_a_pool_that_learned_from_tomorrow_is_caught(
    run: Backtest, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = run.spec.make("pool")
    assert isinstance(pool, Pool)
    whole = pooled.ledger(run.records, run.truth, tuple(pool.members), run.series, "real")
    tomorrow = pool.learn(whole)
    task = backtest.plan(run.spec, "pool", store)[0]
    with pytest.raises(LookAhead, match="outcomes that became known later"):
        pooled._proved(pool, task, end_of(date(2011, 1, 31)), whole, tomorrow)


def test_processes_give_the_same_bits(run: Backtest, store: MemoryStore) -> None:
    assert backtest.run(read(), store, workers=2).records.equals(run.records)


def test_a_pool_is_scored_beside_its_members(run: Backtest) -> None:
    table = skill_table(scored(run.records, run.truth), "ar")
    assert set(overall(table, "real")) == {"ar", "bridge", "pool"}


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('["ar", "bridge"]', '["ar", "dfm"]', "key models.pool: members: the run has no model dfm"),
        ('["ar", "bridge"]', '["ar", "pool"]', "key models.pool: members: the run has no model pool"),
        ('["ar", "bridge"]', "[]", "key models.pool: a pool needs members"),
        ("real = { first = 2010-01-31, last = 2014-06-30 }", "", "key real: a run needs origins"),
        ("last = 2014-06-30 }", "last = 2014-06-30, every = 3 }", "key real"),
        ('truth = "first"', 'truth = "third"', "key truth"),
        ('["$monthly"]', '"$weekly"', "key models.bridge: no list 'weekly'; the run has monthly"),
    ],
)
def test_a_mistake_names_the_key(old: str, new: str, key: str) -> None:
    with pytest.raises(BadInput, match=key.replace(".", r"\.")):
        read(TEXT.replace(old, new))


def test_a_pool_refuses_a_ledger_of_others(run: Backtest) -> None:
    pool = run.spec.make("pool")
    assert isinstance(pool, Pool)
    whole = pooled.ledger(run.records, run.truth, tuple(pool.members), run.series, "real")
    with pytest.raises(BadInput, match="does not teach"):
        pool.learn(replace(whole, members=("bridge", "ar")))
