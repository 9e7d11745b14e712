"""The 11 cities of Zhejiang in 2013 by official figures: what their output says of them, and what it leaves to the evaluator."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.typing import Floats
from modelzoo.scorecard.alternatives import Alternatives, steps
from modelzoo.scorecard.choices import Normalisation
from modelzoo.scorecard.evaluate import Scored, evaluate
from modelzoo.scorecard.explain import page
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.uncertainty import uncertainty
from modelzoo.scorecard.weight_space import below, first

HERE = Path(__file__).parents[2] / "golden" / "zhejiang"
FACTS = Path(__file__).parents[3].parent / "shared" / "data" / "zhejiang_release_facts" / "facts.csv"
FRAMEWORK = Framework.read(HERE / "cities.toml")
SINCE_CENSUS = (2013.5 - (2010 + 10 / 12)) / 10  # from November 2010 to the middle of 2013, as a share of the decade


@cache
def cities() -> tuple[pl.DataFrame, Floats, Floats, Scored]:
    """The table, raw values ``(11, 3)``, heads ``(11,)`` and the scorecard."""
    table = pl.read_csv(HERE / "cities_2013.csv")
    heads, urban = (
        (table[f"{what}_2010"] ** (1 - SINCE_CENSUS) * table[f"{what}_2020"] ** SINCE_CENSUS).to_numpy()
        for what in ("population", "urban")
    )
    raw = np.column_stack([table["gdp_2013"], urban, table["growth_2013"]]).astype(float)
    return table, raw, heads, evaluate(FRAMEWORK, raw, tuple(table["city"]), denominators={"population": heads})


def row(scored: Scored, city: str) -> int:
    return scored.units.index(f"{city}市")


@pytest.mark.skipif(not FACTS.is_file(), reason="needs ../shared/data/zhejiang_release_facts")
def test_the_figures_are_those_of_the_releases() -> None:
    table, *_ = cities()
    facts = pl.read_csv(FACTS).filter(pl.col("area").is_in(table["city"].to_list()), pl.col("end") == "2013-12")
    for column, kind in (("gdp_2013", "ytd_level_current_price"), ("growth_2013", "ytd_yoy_constant_price")):
        said = facts.filter(kind=kind).select(city="area", value="value", source="source_url")
        both = table.join(said, on=["city", "source"])
        assert both.height == facts.filter(kind=kind).height == 11
        assert both[column].to_list() == both["value"].to_list()


def test_totals_are_those_of_the_province() -> None:
    table, _, heads, _ = cities()
    assert table["gdp_2013"].sum() == pytest.approx(37_477.11)
    assert abs(float(table["gdp_2013"].to_numpy().sum()) / 37_568 - 1) < 0.003, (
        "cities are compiled apart, and miss the province by a quarter percent"
    )
    assert table["population_2020"].sum() == 64_567_588  # as the census published it
    assert table["population_2010"].sum() == 54_426_891
    assert 54_426_891 < heads.sum() < 64_567_588


def test_scores_by_hand() -> None:
    table, raw, heads, scored = cities()
    columns = np.column_stack([raw[:, 0] / heads, raw[:, 1] / heads, raw[:, 2]])
    share = (columns - columns.min(0)) / np.ptp(columns, axis=0)
    expected = 1 + 99 * (0.5 * share[:, :2].mean(1) + 0.5 * share[:, 2])
    np.testing.assert_allclose(scored.score, expected, rtol=1e-12)
    assert 1e8 * columns[row(scored, "杭州"), 0] == pytest.approx(88_144, abs=1)  # 元 a head
    ends = [table["city"][int(i)] for i in np.argsort(-columns[:, 0], kind="stable")[[0, 1, -2, -1]]]
    assert ends == ["宁波市", "杭州市", "丽水市", "温州市"]


def test_the_poorer_grew_faster_but_for_wenzhou_which_is_last_in_both() -> None:
    _, _, _, scored = cities()
    per_head, growth = scored.normalised[:, 0], scored.normalised[:, 2]
    last = row(scored, "温州")
    assert (per_head[last], growth[last]) == (1.0, 1.0)
    others = np.arange(11) != last
    assert np.corrcoef(per_head[others], growth[others])[0, 1] < -0.4
    found = page(scored, "温州市")
    assert {s.indicator for s in found.strengths} == {"urban"}, "it is a city of townspeople"
    assert found.weaknesses[0].indicator == "growth"


def test_who_is_first_is_the_evaluator_s_to_say_and_wenzhou_never_is() -> None:
    _, raw, heads, scored = cities()
    values, weights = below(scored)
    found = first(values, weights, draws=5000)
    can = {u for u, possible in zip(scored.units, found.possible, strict=True) if possible}
    # two parts: by hand, the best of level·w + pace·(1 - w) over a fine grid of w
    grid = np.linspace(0, 1, 100_001)[:, None]
    by_hand = {
        scored.units[int(u)] for u in np.unique(np.argmax(grid * values[:, 0] + (1 - grid) * values[:, 1], axis=1))
    }
    assert can == by_hand
    assert {"杭州市", "嘉兴市"} <= can
    assert "温州市" not in can
    choices = Alternatives(
        normalisation=(
            Normalisation("minmax", 1, 100),
            Normalisation("z", mean=100, sd=10),
            Normalisation("percentile", 1, 100),
        ),
        aggregation=(("arithmetic",), ("geometric",)),
        noise=(0.25,),
        without=("gdp", "urban"),
    )
    drawn = uncertainty(FRAMEWORK, steps(raw, scored.units, denominators={"population": heads}), choices, draws=2000)
    assert np.array_equal(drawn.nominal, scored.rank)
    assert ((drawn.low <= scored.rank) & (scored.rank <= drawn.high)).all()
    assert np.median(drawn.high - drawn.low) >= 2, "three figures do not rank eleven cities"
