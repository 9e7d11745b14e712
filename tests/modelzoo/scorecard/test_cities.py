"""The 11 cities of Zhejiang on what the censuses of 2010 and 2020 say of them: which ranks stand, and which do not."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.typing import Floats
from modelzoo.scorecard.alternatives import Alternatives, steps
from modelzoo.scorecard.choices import Normalisation, Treatment
from modelzoo.scorecard.doubt import benefit_of_doubt, frontier
from modelzoo.scorecard.evaluate import Scored, evaluate
from modelzoo.scorecard.explain import page
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.node import Node
from modelzoo.scorecard.removal import removal
from modelzoo.scorecard.uncertainty import sensitivity, uncertainty
from modelzoo.scorecard.weight_space import below, first, stability

FILE = (
    Path(__file__).parents[3].parent / "shared" / "data" / "china_city_census_2010_2020" / "census_city_2010_2020.csv"
)
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="needs ../shared/data/china_city_census_2010_2020")

TREE = Node(
    "人口发展",
    children=(
        Node(
            "人口",
            children=(
                Node("growth", direction=1),
                Node("age_15_59_2020", direction=1),
                Node("age_0_14_2020", direction=1),
                Node("age_65_2020", direction=-1),
            ),
        ),
        Node("城镇化", children=(Node("urban", direction=1), Node("urbanising", direction=1))),
        Node("家庭", children=(Node("household_2020", direction=1), Node("male_female_2020", direction=-1))),
    ),
)
FRAMEWORK = Framework(
    "census", "Population", "人口发展", TREE, normalisation=Normalisation("minmax", 1, 100), treatment=Treatment()
)


@cache
def cities() -> tuple[Floats, Scored]:
    urban = {y: pl.col(f"popu_urban_{y}") / pl.col(f"popu_{y}") for y in (2010, 2020)}
    table = (
        pl.read_csv(FILE)
        .filter(pl.col("province") == "浙江省")
        .with_columns(
            growth=pl.col("popu_2020") / pl.col("popu_2010") - 1,
            urban=urban[2020],
            urbanising=urban[2020] - urban[2010],
        )
    )
    raw = table.select(FRAMEWORK.indicators).to_numpy()
    return raw, evaluate(FRAMEWORK, raw, tuple(table["city"]))


def test_ends_of_the_table_stand_and_its_middle_does_not() -> None:
    raw, scored = cities()
    assert len(scored.units) == 11
    choices = Alternatives(
        normalisation=(Normalisation("minmax", 1, 100), Normalisation("z", mean=10, sd=2)),
        aggregation=(("arithmetic",), ("geometric",), ("harmonic",)),
        points=(0, 1, 2),
        noise=(0.25,),
        without=FRAMEWORK.indicators,
    )
    found = uncertainty(FRAMEWORK, steps(raw, scored.units), choices, draws=4000)
    assert np.array_equal(found.nominal, scored.rank)
    assert ((found.low <= scored.rank) & (scored.rank <= found.high)).all()
    top, bottom = int(np.argmin(scored.rank)), int(np.argmax(scored.rank))
    assert (scored.units[top], scored.units[bottom]) == ("嘉兴市", "舟山市")
    assert found.above[top, bottom] == 1.0
    assert (found.high - found.low)[[top, bottom]].max() < np.median(found.high - found.low)
    lone = sum(len(g) for g in found.groups) / len(found.groups)
    assert lone >= 2.0  # no rank of the middle is a rank of one city
    which = sensitivity(FRAMEWORK, steps(raw, scored.units), choices, draws=500)
    assert which.total[which.names.index("points")] == 0.0  # no city is an outlier: the limit moves nothing
    assert which.names[int(np.argmax(which.total))] == "without"


def test_weights_that_would_put_a_city_first() -> None:
    raw, scored = cities()
    values, weights = below(scored)
    found = first(values, weights, draws=20_000)
    names = {u for u, possible in zip(scored.units, found.possible, strict=True) if possible}
    assert names == {"嘉兴市", "杭州市", "金华市"}
    assert found.share[scored.units.index("金华市")] < 1e-3 < found.moved[scored.units.index("金华市")]
    # 杭州 needs 8.6 points of 100 to move, and 嘉兴 stays first as long as fewer do
    assert found.moved[scored.units.index("杭州市")] == pytest.approx(0.0857, abs=1e-3)
    assert stability(values, weights)[scored.units.index("嘉兴市")] == pytest.approx(0.0857, abs=1e-3)
    moved = FRAMEWORK.weighted(
        dict(zip(("人口", "城镇化", "家庭"), found.weights[scored.units.index("杭州市")], strict=True))
    )
    score = evaluate(moved, raw, scored.units).score
    assert score[scored.units.index("杭州市")] == pytest.approx(score.max(), abs=1e-6)


def test_few_cities_need_share_limits() -> None:
    _, scored = cities()
    values = scored.normalised  # 8 indicators
    bare = frontier(values, np.zeros(8), np.ones(8)).score
    held = benefit_of_doubt(
        values, np.full(8, 0.02), np.full(8, 0.3), units=scored.units, names=FRAMEWORK.indicators
    ).score
    assert (bare > 1 - 1e-9).sum() >= 7 > (held > 1 - 1e-9).sum()
    assert (held <= bare + 1e-9).all()


def test_the_page_of_the_last_city_holds() -> None:
    raw, scored = cities()
    found = page(scored, "舟山市")
    u = scored.units.index("舟山市")
    assert found.rank == 11
    assert found.lifts
    for lift in found.lifts:
        changed = raw.copy()
        changed[u, FRAMEWORK.indicators.index(lift.indicator)] = lift.needed
        assert evaluate(FRAMEWORK, changed, scored.units).rank[u] < 11
    assert removal(scored).names[:3] == ("人口", "城镇化", "家庭")
