"""Skill by hand, the gate rule by rule, two runs side by side."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from engine.calendar import Period, end_of
from engine.errors import BadInput, GateClosed
from experiments.compare import compare
from experiments.evaluate import SKILL, overall, scored, skill_table
from experiments.gate import judge
from experiments.proof import Proof
from experiments.replay import QUANTILES, RECORDS
from experiments.spec import Rules

QUARTERS = [Period.parse("2014-Q1") + k for k in range(10)]
OUTCOMES = np.linspace(0.5, 3.0, 10)
SPREAD = np.array([-2.0, -1.3, -0.7, 0.0, 0.7, 1.3, 2.0])
ORIGIN = end_of(date(2016, 6, 30))


def records(model: str, errors: np.ndarray | float, timing: str = "pseudo", horizon: int = 0) -> pl.DataFrame:
    mean = OUTCOMES + errors
    origins = [end_of(q.end) for q in QUARTERS]
    columns = {
        "model": model, "origin": origins, "timing": timing, "target": "gdpc1@US", "period": [str(q) for q in QUARTERS],
        "horizon": horizon, "phase": "nowcast", "published": False, "mean": mean,
        **{q: mean + s for q, s in zip(QUANTILES, SPREAD, strict=True)},
        "fitted_asof": origins, "fit": "f" * 64, "panel": "p" * 64, "newest": origins,
    }  # fmt: skip
    return pl.DataFrame(columns, schema=RECORDS)


TRUTH = pl.DataFrame({"period": [str(q) for q in QUARTERS], "outcome": OUTCOMES})
RULES = Rules(fewest=10, rmse=0.9, crps=0.9, champion=1.0, coverage={80: (0.5, 1.0)})
PROOFS = (Proof("good", ORIGIN, "pseudo", 7),)
ERRORS = np.array([1.0, -1, 2, -2, 1, -1, 2, -2, 1, -1])  # squares add up to 22


def counted(*parts: pl.DataFrame) -> pl.DataFrame:
    return scored(pl.concat(parts), TRUTH)


BOTH = counted(records("bench", ERRORS), records("good", ERRORS / 2))


def test_skill_by_hand() -> None:
    table = skill_table(BOTH, "bench")
    assert table.schema == SKILL
    scores = overall(table, "pseudo")
    assert list(scores) == ["good", "bench"]
    good = scores["good"]
    assert good["n"] == 10
    assert good["rmse"] == pytest.approx(np.sqrt(2.2) / 2, rel=1e-14)
    assert good["mae"] == pytest.approx(0.7, rel=1e-14)
    assert good["rmse_ratio"] == pytest.approx(0.5, rel=1e-14)
    assert (good["cover50"], good["cover80"], good["cover95"]) == (0.6, 1.0, 1.0)
    assert good["dm_p"] < 0.01
    assert scores["bench"]["dm_p"] is None


def test_real_and_pseudo_are_never_in_one_number() -> None:
    both = counted(records("bench", ERRORS), records("bench", 3 * ERRORS, "real"))
    table = skill_table(both, "bench")
    assert overall(table, "real")["bench"]["rmse"] == pytest.approx(3 * overall(table, "pseudo")["bench"]["rmse"])
    assert sorted(table["timing"].to_list()) == ["pseudo", "pseudo", "real", "real"]


def test_what_was_published_or_has_no_outcome_does_not_count() -> None:
    published = records("bench", 0.0).with_columns(published=pl.lit(True))
    assert scored(published, TRUTH).is_empty()
    assert scored(records("bench", ERRORS), TRUTH.head(3)).height == 3
    with pytest.raises(BadInput, match="nothing to score"):
        skill_table(scored(published, TRUTH), "bench")


def test_errors_at_several_horizons_are_one_outcome_in_the_test() -> None:
    once = skill_table(BOTH, "bench")
    parts = [records(m, e, horizon=h) for m, e in (("bench", ERRORS), ("good", ERRORS / 2)) for h in (-1, 0)]
    early = [p.with_columns(pl.col("origin") - timedelta(days=30)) if p["horizon"][0] else p for p in parts]
    twice = skill_table(counted(*early), "bench")
    assert overall(twice, "pseudo")["good"]["n"] == 20
    assert overall(twice, "pseudo")["good"]["dm_p"] == pytest.approx(overall(once, "pseudo")["good"]["dm_p"], rel=1e-12)


def test_an_unfair_comparison_is_refused() -> None:
    with pytest.raises(BadInput, match=r"not scored on the same days.*2014-Q1"):
        skill_table(counted(records("bench", ERRORS), records("good", ERRORS).slice(1)), "bench")


def test_the_gate_opens_for_what_beats_the_benchmark() -> None:
    verdict = judge(RULES, "good", "bench", BOTH, PROOFS)
    verdict.require()
    assert all(f.met for f in verdict.findings)


@pytest.mark.parametrize(
    ("rules", "model", "proofs", "closed"),
    [
        (replace(RULES, fewest=11), "good", PROOFS, "at least 11 outcomes: 10"),
        (replace(RULES, rmse=0.4), "good", PROOFS, "RMSE at most 0.4 of bench's: 0.500"),
        (replace(RULES, crps=0.1), "good", PROOFS, "CRPS at most 0.1 of bench's"),
        (replace(RULES, coverage={50: (0.9, 1.0)}), "good", PROOFS, "50 % band holds 90% to 100% of outcomes: 60%"),
        (RULES, "good", (), "altering later values moves no bit: 0 values altered"),
        (RULES, "good", (Proof("good", ORIGIN, "real", 7),), "altering later values"),
        (RULES, "good", (Proof("bench", ORIGIN, "pseudo", 7),), "altering later values"),
    ],
)
def test_the_gate_stays_closed_and_says_why(rules: Rules, model: str, proofs: tuple[Proof, ...], closed: str) -> None:
    verdict = judge(rules, model, "bench", BOTH, proofs)
    assert [f.met for f in verdict.findings].count(False) == 1
    with pytest.raises(GateClosed) as raised:
        verdict.require()
    assert closed in str(raised.value)


@pytest.mark.parametrize("column", ["newest", "fitted_asof"])
def test_the_gate_stays_closed_for_a_record_from_the_future(column: str) -> None:
    late = BOTH.with_columns(pl.col(column) + timedelta(seconds=1))
    with pytest.raises(GateClosed, match="10 newer"):
        judge(RULES, "good", "bench", late, PROOFS).require()


def test_the_gate_wants_digests() -> None:
    with pytest.raises(GateClosed, match="10 without digest"):
        judge(RULES, "good", "bench", BOTH.with_columns(panel=pl.lit("")), PROOFS).require()


def test_the_benchmark_itself_may_be_the_first_champion() -> None:
    judge(RULES, "bench", "bench", BOTH, (Proof("bench", ORIGIN, "pseudo", 1),)).require()


@pytest.mark.parametrize(("scale", "is_open"), [(0.6, True), (0.5, True), (0.4, False)])
def test_a_challenger_must_not_be_worse_than_the_champion(scale: float, is_open: bool) -> None:
    champion = counted(records("old", ERRORS * scale))
    verdict = judge(RULES, "good", "bench", BOTH, PROOFS, champion)
    assert verdict.open is is_open
    assert "10 shared outcomes" in verdict.findings[-1].rule


def test_a_champion_of_other_days_cannot_be_compared() -> None:
    elsewhere = counted(records("old", ERRORS)).with_columns(pl.col("origin") - timedelta(days=400))
    with pytest.raises(GateClosed, match="shares origins with the champion: none"):
        judge(RULES, "good", "bench", BOTH, PROOFS, elsewhere).require()


def test_two_runs_are_compared_on_what_both_estimated() -> None:
    table = compare(BOTH, counted(records("good", ERRORS / 4).slice(2)), "bench")
    scores = overall(table, "pseudo")
    assert {name: s["n"] for name, s in scores.items()} == {"A:bench": 8, "A:good": 8, "B:good": 8}
    assert scores["B:good"]["rmse_ratio"] == pytest.approx(0.25)


def test_runs_of_another_target_or_truth_are_not_compared() -> None:
    with pytest.raises(BadInput, match="do not estimate the same"):
        compare(BOTH, BOTH.with_columns(outcome=pl.col("outcome") + 1), "bench")
    with pytest.raises(BadInput, match="in common"):
        compare(BOTH, BOTH.with_columns(pl.col("origin") - timedelta(days=400)), "bench")
