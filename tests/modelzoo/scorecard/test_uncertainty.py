"""Ranks under every declared choice: beside COINr's vignette (MIT, computed with 100 draws), and by properties."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.board import ranks
from engine.calendar import Period
from engine.errors import BadInput, NotEnoughData
from engine.typing import Floats
from modelzoo.scorecard.aggregate import aggregate
from modelzoo.scorecard.alternatives import Alternatives, Prepared, steps
from modelzoo.scorecard.choices import Aggregation, Normalisation, Screening, Treatment
from modelzoo.scorecard.draws import rank_table, scores
from modelzoo.scorecard.evaluate import evaluate
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.node import Node
from modelzoo.scorecard.normalise import normalise
from modelzoo.scorecard.outliers import treat
from modelzoo.scorecard.uncertainty import sensitivity, uncertainty

GOLDEN = Path(__file__).parents[2] / "golden" / "coinr"
VIGNETTE = Alternatives(  # COINr 1.1.14, vignette "sensitivity"
    normalisation=(Normalisation("minmax", 1, 100), Normalisation("z", mean=10, sd=2)),
    aggregation=(("arithmetic",), ("geometric",)),
    points=(1, 2, 3, 4, 5),
    noise=(0.25, 0.25, 0.0),
)


@cache
def asem() -> tuple[Framework, tuple[str, ...], Prepared]:
    framework = Framework.read(GOLDEN / "asem.toml")
    table = pl.read_csv(GOLDEN / "step_Imputed.csv").sort("uCode")
    screened = table.select(framework.indicators).to_numpy()

    @cache
    def treated(rule: Treatment) -> Floats:
        return treat(screened, rule)[0]

    def prepared(f: Framework) -> tuple[Floats, Floats]:
        assert f.treatment is not None
        return normalise(treated(f.treatment), f.layout, f.normalisation), f.layout.weight

    return framework, tuple(table["uCode"]), prepared


def tree(*sizes: int, aggregation: Aggregation = "arithmetic") -> Framework:
    groups = tuple(
        Node(f"g{g}", children=tuple(Node(f"x{g}{j}", direction=1) for j in range(n))) for g, n in enumerate(sizes)
    )
    return Framework("made", "Made", "虚构", Node("top", children=groups), aggregation=(aggregation,))


def plain(values: Floats) -> Prepared:
    return lambda f: (values, f.layout.weight)


def test_rank_intervals_are_those_of_coinr() -> None:
    framework, units, prepared = asem()
    golden = pl.read_csv(GOLDEN / "vignette_UA_rankstats.csv").sort("uCode")
    found = uncertainty(framework, prepared, VIGNETTE, draws=10_000, seed=1)
    assert units == tuple(golden["uCode"])
    assert np.array_equal(found.nominal, golden["Nominal"].to_numpy())
    error = np.maximum(found.ranks.std(0) / 10, 0.05)  # of a mean of COINr's 100 draws
    z = (found.mean - golden["Mean"].to_numpy()) / error
    assert np.abs(z).max() < 4.5
    assert (z**2).mean() < 2.5
    # a quantile of 100 draws lies between those of ours that are four standard errors away, up to half a place
    for column, low, high in (("Q5", 0.0, 0.14), ("Median", 0.3, 0.7), ("Q95", 0.86, 1.0)):
        theirs = golden[column].to_numpy()
        assert (theirs >= np.quantile(found.ranks, low, axis=0) - 0.5).all()
        assert (theirs <= np.quantile(found.ranks, high, axis=0) + 0.5).all()


def test_sobol_indices_are_those_of_coinr() -> None:
    framework, _, prepared = asem()
    golden = pl.read_csv(GOLDEN / "vignette_SA_sobol.csv")
    found = sensitivity(framework, prepared, VIGNETTE, draws=4000, seed=1)
    name = {"Winmax": "points", "Normalisation": "normalisation", "Weights": "noise", "Aggregation": "aggregation"}
    assert found.names == ("normalisation", "aggregation", "points", "noise")
    for row in golden.iter_rows(named=True):
        i = found.names.index(name[row["Variable"]])
        assert row["Si_q5"] < found.first[i] < row["Si_q95"]  # the vignette's own interval of 90 %
        assert row["STi_q5"] < found.total[i] < row["STi_q95"]
    assert found.first.sum() < 1.0 < found.total.sum()


@pytest.mark.parametrize(
    "method", ["arithmetic", "geometric", "harmonic", "power", "topsis", "mazziotta_pareto", "vikor"]
)
def test_draws_are_scored_as_one_by_one(method: Aggregation) -> None:
    rng = np.random.default_rng(5)
    framework = tree(2, 3, 1)
    values, weight = rng.uniform(60, 100, (9, 6)), rng.uniform(0.5, 2, (700, len(framework.layout.names)))
    many = scores(framework.layout, values, (method,), weight)
    for b in (0, 350, 699):
        one = aggregate(framework.layout, values, (method,), weight[b])[:, 0]
        np.testing.assert_allclose(many[b], one, rtol=1e-11)
        assert np.array_equal(rank_table(many)[b], ranks(many[b]))


@pytest.mark.parametrize("methods", [("arithmetic",), ("geometric",), ("power",), ("geometric", "arithmetic")])
@pytest.mark.parametrize("known", [0.0, 0.6])
def test_draws_with_gaps_are_scored_as_one_by_one(methods: tuple[Aggregation, ...], known: float) -> None:
    rng = np.random.default_rng(6)
    framework = tree(3, 3, 2)
    values, weight = rng.uniform(1, 100, (8, 8)), rng.uniform(0.5, 2, (40, 12))
    values[2, 1] = values[4, 3:5] = values[5, :6] = np.nan
    weight[:5, 1] = 0.0
    weight[3:9, 5] = 0.0
    many = scores(framework.layout, values, methods, weight, known=known)
    for b in range(40):
        one = aggregate(framework.layout, values, methods, weight[b], known=known)[:, 0]
        np.testing.assert_allclose(many[b], one, rtol=1e-12)
    assert np.isnan(many).any() == (known == 0.6)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.booleans())
def test_what_holds_for_every_table(seed: int, geometric: bool) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(1, 6, size=(7, 5)).astype(float)  # ties are common
    values[6] = values[5]
    framework = tree(2, 3, aggregation="geometric" if geometric else "arithmetic")
    choices = Alternatives(noise=(0.4,), without=("g0", "x11"))
    found = uncertainty(framework, plain(values), choices, draws=300, seed=seed)
    off = ~np.eye(7, dtype=bool)
    np.testing.assert_allclose((found.above + found.above.T + found.tied)[off], 1.0)
    assert found.tied[5, 6] == 1.0  # units alike in all share a place in every draw
    assert (found.low <= found.median).all()
    assert (found.median <= found.high).all()
    np.testing.assert_allclose(found.low, np.quantile(found.ranks, 0.05, axis=0), atol=1e-9)
    again = uncertainty(framework, plain(values), choices, draws=300, seed=seed)
    assert np.array_equal(again.ranks, found.ranks)
    order = rng.permutation(7)
    turned = uncertainty(framework, plain(values[order]), choices, draws=300, seed=seed)
    assert np.array_equal(turned.ranks, found.ranks[:, order])
    for group in found.groups:
        for a in group:
            for b in group:
                assert a == b or found.above[a, b] < 0.95
    assert {u for group in found.groups for u in group} == set(range(7))
    in_order = np.argsort(found.mean, kind="stable").tolist()
    for group in found.groups:  # a run that the next unit in order would break
        at = in_order.index(group[-1])
        assert list(group) == in_order[at + 1 - len(group) : at + 1]
        for further in in_order[at + 1 : at + 2]:
            assert max(np.maximum(found.above, found.above.T)[further, u] for u in group) >= 0.95


def test_without_choices_the_interval_is_the_rank() -> None:
    values = np.array([[3.0, 1, 2], [1, 1, 1], [9, 9, 9]])
    found = uncertainty(tree(1, 2), plain(values), Alternatives())
    assert found.nominal.tolist() == [2, 3, 1]
    for statistic in (found.low, found.median, found.high, found.mean):
        assert np.array_equal(statistic, found.nominal)
    assert found.groups == ((2,), (0,), (1,))


def test_a_unit_best_in_all_is_first_in_every_draw_and_one_left_out_is_as_if_it_were_not_there() -> None:
    values = np.array([[9.0, 8, 7], [1, 5, 4], [8, 2, 1]])
    framework = tree(1, 2)
    found = uncertainty(framework, plain(values), Alternatives(noise=(0.9,), without=("x10",)), draws=500)
    assert (found.ranks[:, 0] == 1).all()
    assert found.separated()[0].tolist() == [False, True, True]
    left = uncertainty(framework, plain(values), Alternatives(without=("x00",)), draws=400, seed=3)  # all of g0
    with_all = ranks(aggregate(framework.layout, values)[:, 0])
    without = ranks(aggregate(framework.without("g0").layout, values[:, 1:])[:, 0])
    assert not np.array_equal(with_all, without)
    assert {tuple(row) for row in left.ranks.tolist()} == {tuple(with_all), tuple(without)}
    assert 0.4 < (left.ranks == with_all).all(1).mean() < 0.6


def test_alternatives_of_a_kind_are_equally_likely() -> None:
    values = np.array(
        [[4.0, 4, 4], [10, 1, 1.6], [1, 30, 1.2]]
    )  # arithmetic, geometric and harmonic means rank them three ways
    tree_of_three = Node("top", children=tuple(Node(f"x{j}", direction=1) for j in range(3)))
    framework = Framework("made", "Made", "虚构", tree_of_three)
    choices = Alternatives(aggregation=(("arithmetic",), ("geometric",), ("harmonic",)))
    found = uncertainty(framework, plain(values), choices, draws=9000, seed=1)
    counts = np.unique(found.ranks, axis=0, return_counts=True)[1]
    assert len(counts) == 3
    np.testing.assert_allclose(counts / 9000, 1 / 3, atol=0.02)


def test_noise_moves_weights_evenly_within_its_share() -> None:
    # w uniform on 0.75 … 1.25 each: 0.59 w1 never reaches w2, 1.68 w1 always passes it, 1.2 w1 > w2 with probability 0.7958
    tree_of_two = Node("top", children=(Node("x", direction=1), Node("y", direction=1)))
    framework = Framework("made", "Made", "虚构", tree_of_two)
    values = np.array([[0.59, 0.0], [1.68, 0.0], [1.2, 0.0], [0.0, 1.0]])
    found = uncertainty(framework, plain(values), Alternatives(noise=(0.25,)), draws=20_000, seed=1)
    np.testing.assert_allclose(found.above[:3, 3], [0.0, 1.0, 0.7958], atol=0.012)


def test_sobol_of_one_unit_and_of_what_cannot_move() -> None:
    rng = np.random.default_rng(8)
    values = rng.uniform(size=(6, 4))
    values[0] = 2.0  # first whatever is chosen
    choices = Alternatives(noise=(0.5,), without=("x00", "x10"))
    assert sensitivity(tree(2, 2), plain(values), choices, draws=200, unit=3).total.max() <= 1.5
    with pytest.raises(NotEnoughData, match="no variance"):
        sensitivity(tree(2, 2), plain(values), choices, draws=200, unit=0)
    with pytest.raises(BadInput, match="two kinds of choice"):
        sensitivity(tree(2, 2), plain(values), Alternatives(noise=(0.5,)))


def test_errors_name_what_does_not_fit() -> None:
    framework, values = tree(2, 2), np.array([[0.0, 1, 2, 3], [1, 2, 3, 4]])
    with pytest.raises(BadInput, match=r"geometric and goalposts.*do not go together.*x00"):
        uncertainty(framework, plain(values), Alternatives(aggregation=(("arithmetic",), ("geometric",))), draws=10)
    made = replace(framework, normalisation=Normalisation("minmax", 1, 100), aggregation=("geometric",))
    scales = Alternatives(normalisation=(made.normalisation, Normalisation("z")))
    with pytest.raises(BadInput, match="the alternative z 0 ± 1, gaps leave cannot be used: node"):
        uncertainty(made, steps(values, ("a", "b")), scales)
    with pytest.raises(BadInput, match="treats no outliers"):
        uncertainty(framework, plain(values), Alternatives(points=(1, 2)))
    with pytest.raises(BadInput, match="one noise or 2"):
        uncertainty(framework, plain(values), Alternatives(noise=(0.1, 0.1, 0.1)))
    with pytest.raises(BadInput, match="whole framework"):
        uncertainty(framework, plain(values), Alternatives(without=("top",)))
    with pytest.raises(BadInput, match="one alternative is no choice"):
        Alternatives(aggregation=(("geometric",),))
    with pytest.raises(BadInput, match="noise is a share"):
        Alternatives(noise=(25.0,))
    with pytest.raises(BadInput, match="no score"):
        uncertainty(
            replace(framework, known=1.0), plain(np.where(values == 0, np.nan, values)), Alternatives(noise=(0.1,))
        )


def test_from_raw_values_all_steps_are_those_of_evaluate() -> None:
    framework, units, prepared = asem()
    table = pl.read_csv(GOLDEN / "ASEM_iData.csv", null_values="NA").sort("uCode")
    raw = steps(
        table.select(framework.indicators).cast(pl.Float64).to_numpy(),
        units,
        denominators={d: table[d].cast(pl.Float64).to_numpy() for d in ("Area", "Energy", "GDP", "Population")},
        groups=tuple(table["EurAsia_group"]),
    )
    found = uncertainty(framework, raw, VIGNETTE, draws=500, seed=2)
    expected = uncertainty(framework, prepared, VIGNETTE, draws=500, seed=2)
    assert np.array_equal(found.nominal, expected.nominal)
    assert (found.ranks == expected.ranks).mean() > 0.999
    # the interval goes with the ranks onto a board
    scored = evaluate(
        framework,
        table.select(framework.indicators).cast(pl.Float64).to_numpy(),
        units,
        denominators={d: table[d].cast(pl.Float64).to_numpy() for d in ("Area", "Energy", "GDP", "Population")},
        groups=tuple(table["EurAsia_group"]),
    )
    board = scored.board("asem@WORLD", datetime(2018, 12, 31, tzinfo=UTC), Period.parse("2018"), found.low, found.high)
    assert np.array_equal(board.rank, found.nominal)
    assert ((board.rank_low <= board.rank) & (board.rank <= board.rank_high)).mean() > 0.9
    filled = uncertainty(framework, raw, Alternatives(missing=("group", "regression", "leave")), draws=60)
    assert filled.inputs == ("missing",)
    assert 1 < len({tuple(row) for row in filled.ranks.tolist()}) <= 3


def test_variants_that_score_other_units_are_refused() -> None:
    framework = replace(tree(2, 2), normalisation=Normalisation("minmax"))
    raw = np.random.default_rng(1).uniform(size=(6, 4))
    prepared = steps(raw, tuple("abcdef"))
    prepared(framework)
    raw[0] = np.nan
    with pytest.raises(BadInput, match="other units"):
        prepared(replace(framework, screening=Screening(known=0.5)))
