"""Months left out of learning in a replay: named by the label of another model, pooled, logged, and told in the report."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import polars as pl
import pytest
import someland

from engine.calendar import end_of
from engine.errors import BadInput
from experiments import backtest, report, spec
from experiments.backtest import Backtest
from experiments.evaluate import scored, skill_table
from experiments.spec import Spec
from modelzoo import zoo
from modelzoo.nowcast.ar import FittedAr
from modelzoo.nowcast.pool import FittedPool
from tests.experiments.test_pooled import TEXT

MORE = """
[models.calm]
model = "nowcast.without"
options.member = "bridge"
options.stretches = [["2012-02", "2012-12"]]
[models.calm_ar]
model = "nowcast.without"
options.member = "ar"
options.stretches = [["2012-02", "2012-12"]]
[models.calm_pool]
model = "nowcast.pool"
options.members = ["calm_ar", "calm"]
"""


def read(text: str) -> Spec:
    found = spec.parse(text, "someland.toml")
    assert isinstance(found, Spec)
    return found


@pytest.fixture(scope="module")
def run() -> Backtest:
    return backtest.run(read(TEXT + MORE), someland.store(), workers=1)


def test_the_label_stands_for_model_and_options() -> None:
    told: Any = read(TEXT + MORE).make("calm")
    assert told.member.model == "nowcast.bridge"
    assert told.inner == read(TEXT).make("bridge")
    pool: Any = read(TEXT + MORE).make("calm_pool")
    assert pool.models["calm"] == told
    assert zoo.make("nowcast.pool", zoo.given_options(pool)).inputs == pool.inputs


@pytest.mark.parametrize(
    ("label", "named"), [("calm", "the run has no model calm"), ("pool", "no model pool that stands by itself")]
)
def test_what_cannot_be_learned_so_is_refused(label: str, named: str) -> None:
    with pytest.raises(BadInput, match=named):
        read(TEXT + MORE.replace('member = "bridge"', f'member = "{label}"'))


def test_until_the_stretch_begins_nothing_differs(run: Backtest) -> None:
    """To the last bit; and from the first day on which a month of it is known, it does."""
    same = ["mean", "q100", "q900"]
    both = [run.records.filter(model=m).sort("origin", "period") for m in ("bridge", "calm")]
    origins = both[0]["origin"]
    before = origins <= end_of(date(2012, 2, 29))
    assert both[0].select(same).filter(before).equals(both[1].select(same).filter(before))
    after = (origins > end_of(date(2012, 6, 30))) & ~both[0]["published"]
    assert (both[0].filter(after)["mean"] != both[1].filter(after)["mean"]).all()


def test_every_model_is_proved_and_the_pool_holds_what_was_learned(run: Backtest) -> None:
    assert {p.model for p in run.proofs} == set(run.spec.models)
    fitted = run.bundles["calm_pool"].fits[-1].fitted
    assert isinstance(fitted, FittedPool)
    assert isinstance(fitted.members["calm_ar"], FittedAr)


def test_the_report_says_what_was_left_out(run: Backtest) -> None:
    table = skill_table(scored(run.records, run.truth), run.spec.benchmark)
    drawn = {f"figures/{name}-en.svg": b"<svg/>" for name in ("fan", "skill")}
    page = report.page(run, table, "calm", (), drawn).decode()
    assert page.count("2012-02 to 2012-12") == 2
    assert "calm_ar" in page
    plain = dataclasses.replace(run, spec=read(TEXT))
    assert "left out" not in report.page(plain, table.filter(pl.col("model") == "ar"), "ar", (), drawn).decode()
