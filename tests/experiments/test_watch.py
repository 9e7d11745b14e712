"""A run of readings, all the way: replayed, scored, drawn, logged, gated, promoted; and what is wrong is named."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from engine.calendar import Period
from engine.errors import BadInput, GateClosed, NotEnoughData
from experiments import backtest, readings_report, tracking, watched
from experiments import spec as specs
from experiments.backtest import Watched
from experiments.gate import judge_readings
from experiments.replay import READ
from experiments.run import look
from experiments.spec import Watch
from featurestore.memory import MemoryStore

TEXT = """
kind = "index"
name = "watch"
title_en = "US coincident index"
title_zh = "美国一致指数"
target = "coincident@US"
periods = 24
refit = 6
real = [2016-06-29, 2016-07-29]
[pseudo]
first = 2007-01-31
last = 2010-12-31
vintage = 2016-07-29
[turns]
peaks = ["2007-12"]
troughs = ["2009-06"]
source = "NBER"
[gate]
nsr = [0.0, 5.0]
[models.conference]
model = "prosperity.conference"
options.components = ["payems@US", "indpro@US", "pcec96@US"]
"""


@pytest.fixture(scope="module")
def watch() -> Watch:
    spec = specs.parse(TEXT, "watch.toml")
    assert isinstance(spec, Watch)
    return spec


@pytest.fixture(scope="module")
def found(watch: Watch, store: MemoryStore) -> Watched:
    return backtest.watch(watch, store, workers=1)


def test_each_origin_reads_the_newest_periods_and_nothing_newer(found: Watched) -> None:
    assert found.records.schema == READ
    index = found.records.filter(pl.col("level") == "index")
    per_origin = index.group_by("origin").agg(pl.len(), pl.col("period").max())
    assert per_origin["len"].unique().to_list() == [24]
    assert found.records.filter(pl.col("newest") > pl.col("origin")).is_empty()
    assert {p.timing for p in found.proofs} == {"pseudo", "real"}
    assert all(p.altered > 0 for p in found.proofs)
    last = index.filter(pl.col("origin") == datetime(2016, 7, 30, tzinfo=UTC))
    assert last["period"].max() in ("2016-05", "2016-06")


def test_scores_say_how_steady_the_index_was_and_find_the_recession(watch: Watch, found: Watched) -> None:
    scores = watched.by_score(watched.scored(watch, found.records), "conference")
    assert scores["nsr"] > 0
    assert scores["loss"] == 1.0 - scores["turns"] == 0.0
    assert scores["direction"] > 0.7
    assert scores["hits"] == 1.0
    assert abs(scores["lead"]) <= 4


def readings(rows: list[tuple[int, str, str, float]], level: str = "index") -> pl.DataFrame:
    """READ rows of one model from (origin day of 2020-01, unit, period, value)."""
    made: list[dict[str, Any]] = [
        {"model": "m", "origin": datetime(2020, 1, day, tzinfo=UTC), "timing": "real", "target": "x@US", "unit": unit,
         "period": period, "level": level, "name": "", "value": value, "fitted_asof": None, "fit": "", "panel": "",
         "newest": None}
        for day, unit, period, value in rows
    ]  # fmt: skip
    return pl.DataFrame(made, schema=READ)


def spec_of(kind: Any, turns: specs.Turns | None = None) -> Watch:
    return Watch(
        kind=kind,
        name="x",
        title_en="",
        title_zh="",
        target="x@US",
        refit=1,
        models={},
        periods=3,
        gate={},
        turns=turns,
    )


def test_revisions_by_hand() -> None:
    rows = [(1, "A", "2019-01", 1.0), (1, "A", "2019-02", 2.0), (2, "A", "2019-01", 1.0), (2, "A", "2019-02", 3.0),
            (2, "A", "2019-03", 0.0)]  # fmt: skip
    scores = watched.by_score(watched.scored(spec_of("warning"), readings(rows)), "m")
    assert scores["mar"] == 0.5  # 1 and 2 became 1 and 3
    assert scores["nsr"] == pytest.approx(np.std([0.0, 1.0]) / np.sqrt(np.mean(np.array([-1.0, 1.0]) ** 2)))
    assert scores["direction"] == 1.0
    with pytest.raises(NotEnoughData, match="two origins"):
        watched.scored(spec_of("warning"), readings(rows[:2]))


def test_ranks_by_hand() -> None:
    first = [(1, u, "2019-01", float(v)) for u, v in zip("ABC", (1, 2, 3), strict=True)]
    same = [(2, u, "2019-01", float(v)) for u, v in zip("ABC", (10, 20, 30), strict=True)]
    swap = [(2, u, "2019-01", float(v)) for u, v in zip("ABC", (2, 1, 3), strict=True)]
    board = spec_of("scorecard")
    kept = watched.by_score(watched.scored(board, readings(first + same, "score")), "m")
    moved = watched.by_score(watched.scored(board, readings(first + swap, "score")), "m")
    assert (kept["tau"], kept["loss"]) == (1.0, 0.0)
    assert moved["tau"] == pytest.approx(1 / 3)


def test_turns_are_matched_though_the_index_was_rebased_in_between() -> None:
    start = Period.parse("2000-01")
    path = np.r_[np.arange(0, 24), np.arange(24, 0, -1), np.arange(0, 24)].astype(float)
    half = len(path) // 2
    rows = [(1, "A", str(start + t), path[t]) for t in range(half)]
    rows += [(2, "A", str(start + t), path[t] + 500.0) for t in range(half - 3, len(path))]
    turns = specs.Turns((str(start + 24),), (str(start + 50),), "by construction")
    scores = watched.by_score(watched.scored(spec_of("index", turns), readings(rows)), "m")
    assert scores["hits"] == scores["turns"] == 1.0
    assert scores["extra"] == 0.0


def test_warnings_are_held_against_downturns_and_lights_the_other_way_round() -> None:
    start = Period.parse("2000-01")
    turns = specs.Turns(("2000-06",), ("2000-12",), "by construction")
    chance = [0.9 if 6 <= t <= 11 else 0.1 for t in range(36)]
    rows = [(day, "A", str(start + t), chance[t]) for day in (1, 2) for t in range(36)]
    said = watched.by_score(watched.scored(spec_of("warning", turns), readings(rows)), "m")
    assert said["auroc"] == 1.0
    assert said["auroc_low"] == 1.0
    assert said["loss"] == 0.0
    lit = pl.concat(
        [readings([(d, u, p, 100 - v) for d, u, p, v in rows]), readings([(1, "A", "2000-01", 3.0)], "light")]
    )
    assert watched.by_score(watched.scored(spec_of("warning", turns), lit), "m")["auroc"] == 1.0


def test_of_equal_losses_the_steadier_model_comes_first() -> None:
    rows = [
        ("restless", "loss", 1, 0.0),
        ("restless", "nsr", 9, 0.9),
        ("steady", "loss", 1, 0.0),
        ("steady", "nsr", 9, 0.1),
    ]
    assert watched.ranking(pl.DataFrame(rows, schema=watched.SCORED, orient="row")) == ["steady", "restless"]


def test_the_gate_holds_to_its_rules_to_the_proof_and_to_the_champion(watch: Watch, found: Watched) -> None:
    verdict = judge_readings(watch, "conference", found.records, found.proofs)
    assert verdict.open
    assert not judge_readings(watch, "conference", found.records, ()).open
    strict = specs.parse(TEXT.replace("nsr = [0.0, 5.0]", "nsr = [0.0, 0.0001]"), "x")
    assert isinstance(strict, Watch)
    with pytest.raises(GateClosed, match="nsr from 0"):
        judge_readings(strict, "conference", found.records, found.proofs).require()
    unknown = specs.parse(TEXT.replace("nsr = [0.0, 5.0]", "auroc = [0.5, 1.0]"), "x")
    assert isinstance(unknown, Watch)
    with pytest.raises(BadInput, match=r"gate\.auroc"):
        judge_readings(unknown, "conference", found.records, found.proofs)
    against = judge_readings(watch, "conference", found.records, found.proofs, found.records)
    assert against.open  # as good as itself
    upside_down = pl.when(pl.col("level") == "index").then(-pl.col("value")).otherwise("value")
    worse = found.records.with_columns(value=upside_down)  # its peaks are troughs, so that no turning point is found
    closed = judge_readings(watch, "conference", worse, found.proofs, found.records)
    assert [f.rule for f in closed.findings if not f.met] == ["loss at most the champion's, over shared origins"]


def test_a_run_is_logged_with_its_page_and_becomes_champion(
    watch: Watch, store: MemoryStore, home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = look(watch, TEXT, store, workers=1)
    kept = tracking.load(done.run)
    assert isinstance(kept.spec, Watch)
    assert kept.records.equals(done.found.records)
    assert done.run.kind == "index"
    assert done.run.scores == {"conference": pytest.approx(watched.by_score(done.table, "conference")["loss"])}
    page = done.page.read_text(encoding="utf-8")
    assert "美国一致指数" in page
    assert page.count("<img") >= 4
    made = tracking.register(done.run, "conference")
    assert made.name == "index-coincident-US"
    assert tracking.champion("coincident@US", "index") == made
    assert tracking.champion("coincident@US") is None


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("periods = 24", "periods = 0", "key periods"),
        ('peaks = ["2007-12"]', 'peaks = ["2007-Q4"]', r"key turns\.peaks"),
        ("nsr = [0.0, 5.0]", "nsr = [1.0, 0.5]", r"key gate\.nsr"),
        ('kind = "index"', 'kind = "omen"', "key kind"),
        ("prosperity.conference", "prosperity.nothing", r"key models\.conference"),
        ('target = "coincident@US"', 'target = "coincident"', "key target"),
    ],
)
def test_a_spec_that_cannot_be_used_is_named(was: str, becomes: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        specs.parse(TEXT.replace(was, becomes), "watch.toml")


@pytest.mark.parametrize("file", sorted(specs.SHIPPED.glob("*.toml")), ids=lambda f: f.stem)
def test_every_spec_that_ships_can_be_read_and_its_models_speak_about_its_target(file: Any) -> None:
    spec, _ = specs.load(file.stem)
    assert spec.name == file.stem
    assert {spec.make(label).targets[0] for label in spec.models} == {spec.target}


def test_an_index_that_was_rebased_is_drawn_on_one_base() -> None:
    rows = [
        (1, "A", "2019-01", 10.0),
        (1, "A", "2019-02", 11.0),
        (2, "A", "2019-02", 111.0),
        (2, "A", "2019-03", 113.0),
    ]
    moved = readings_report._on_one_base(readings(rows))
    assert moved["value"].to_list() == [110.0, 111.0, 111.0, 113.0]
