"""Regions of weights beside cases that can be drawn, and beside the linear programme they solve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from engine.board import ranks
from engine.errors import BadInput, Refused
from modelzoo.scorecard.choices import Aggregation, Normalisation
from modelzoo.scorecard.evaluate import evaluate
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.node import Node
from modelzoo.scorecard.weight_space import below, first, overtaking, stability

TRIANGLE = np.array([[3.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 3.0], [1.0, 1.0, 1.0], [0.9, 0.9, 0.9]])


def test_shares_of_the_simplex_by_hand() -> None:
    # a specialist is first where its weight is the largest (and then at least 1/3, so it beats the all-rounder): a third each;
    # the all-rounder is level only in the centre; its weaker copy nowhere
    found = first(TRIANGLE, np.full(3, 1 / 3), draws=60_000, seed=1)
    np.testing.assert_allclose(found.share, [1 / 3, 1 / 3, 1 / 3, 0, 0], atol=4 * found.error.max())
    assert found.share.sum() == pytest.approx(1.0)
    assert found.possible.tolist() == [True, True, True, True, False]
    np.testing.assert_allclose(found.moved[:4], 0.0, atol=1e-12)


def test_two_parts_exactly() -> None:
    # a leads where 4 w > 3 (1 - w) + ..., lines 4w, 3(1-w), 2: a from w > 1/2, b from w < 1/3, c between
    values = np.array([[4.0, 0.0], [0.0, 3.0], [2.0, 2.0]])
    found = first(values, np.array([0.2, 0.8]), draws=60_000, seed=2)
    np.testing.assert_allclose(found.share, [1 / 2, 1 / 3, 1 / 6], atol=4 * found.error.max())
    np.testing.assert_allclose(found.moved, [0.3, 0.0, 1 / 3 - 0.2], atol=1e-9)
    np.testing.assert_allclose(found.weights[2], [1 / 3, 2 / 3], atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_overtaking_solves_its_linear_programme(seed: int) -> None:
    rng = np.random.default_rng(seed)
    N = int(rng.integers(2, 6))
    values, weights = rng.normal(size=(4, N)), rng.dirichlet(np.ones(N))
    found, score = overtaking(values, weights), values @ weights
    for a in range(4):
        for c in range(4):
            if score[a] <= score[c]:
                assert np.isnan(found[a, c])
                continue
            lead = values[a] - values[c]
            best = linprog(
                np.full(2 * N, 0.5),
                A_ub=np.concatenate([lead, -lead])[None],
                b_ub=[-lead @ weights],
                A_eq=np.concatenate([np.ones(N), -np.ones(N)])[None],
                b_eq=[0.0],
                bounds=[(0, None)] * N + [(0, w) for w in weights],
            )
            if best.status == 2:
                assert np.isinf(found[a, c])
            else:
                assert found[a, c] == pytest.approx(best.fun, abs=1e-8)


def test_a_rival_as_good_on_one_part_draws_level_when_all_weight_is_there() -> None:
    assert overtaking(np.array([[1.0, 1.0], [1.0, 0.0]]), np.full(2, 0.5))[0, 1] == pytest.approx(0.5)
    assert np.isinf(overtaking(np.array([[1.0, 1.0], [0.9, 0.0]]), np.full(2, 0.5))[0, 1])


def test_a_rank_stands_below_its_stability_and_falls_at_it() -> None:
    rng = np.random.default_rng(3)
    values, weights = rng.uniform(size=(6, 4)), np.full(4, 0.25)
    order = np.argsort(-(values @ weights))
    least = stability(values, weights)
    for u in range(6):
        for _ in range(300):  # any move smaller than that leaves the place
            other = rng.dirichlet(np.ones(4))
            step = 0.5 * np.abs(other - weights).sum()
            near = weights + (other - weights) * min(1.0, 0.999 * least[u] / step)
            score = values @ near
            assert (score > score[u]).sum() == np.flatnonzero(order == u)[0]


def test_first_agrees_with_overtaking_and_ignores_the_order_of_units() -> None:
    rng = np.random.default_rng(4)
    values, weights = rng.uniform(size=(7, 3)), np.array([0.5, 0.3, 0.2])
    found = first(values, weights, draws=2000)
    leader = int(np.argmax(values @ weights))
    assert found.moved[leader] == 0.0
    for u in np.flatnonzero(found.possible):
        score = values @ found.weights[u]
        assert score[u] == pytest.approx(score.max(), abs=1e-9)
        if u != leader:
            assert found.moved[u] >= overtaking(values, weights)[leader, u] - 1e-9
    assert (found.share[~found.possible] == 0.0).all()
    swapped = first(values[::-1], weights, draws=2000)
    assert np.array_equal(swapped.share[::-1], found.share)
    np.testing.assert_allclose(swapped.moved[::-1], found.moved, atol=1e-9)


def test_level_units_and_bad_input() -> None:
    assert stability(np.array([[1.0, 2.0], [2.0, 1.0], [0.0, 0.0]]), np.full(2, 0.5)).tolist() == [0.0, 0.0, np.inf]
    with pytest.raises(BadInput, match="unit 2 has no value on part 1"):
        first(np.array([[1.0, 2.0], [np.nan, 1.0]]), np.full(2, 0.5))
    with pytest.raises(BadInput, match="sum to 1"):
        overtaking(np.eye(2), np.ones(2))


def made(aggregation: Aggregation, power: float = -1.5) -> Framework:
    groups = tuple(
        Node(g, weight=w, children=(Node(f"{g}1", direction=1), Node(f"{g}2", direction=1)))
        for g, w in zip("abc", (2, 1, 1), strict=True)
    )
    return Framework(
        "made", "Made", "虚构", Node("top", children=groups), normalisation=Normalisation("minmax", 1, 100),
        aggregation=(aggregation,), power=power,
    )  # fmt: skip


@pytest.mark.parametrize("aggregation", ["arithmetic", "geometric", "harmonic", "power"])
def test_the_nearest_weights_of_a_scorecard_put_the_unit_first(aggregation: Aggregation) -> None:
    framework, units = made(aggregation), tuple("ABCDEF")
    raw = np.random.default_rng(5).uniform(size=(6, 6))
    scored = evaluate(framework, raw, units)
    values, weights = below(scored)
    assert weights.tolist() == [0.5, 0.25, 0.25]
    assert np.array_equal(ranks(values @ weights), scored.rank)
    found = first(values, weights, draws=1000)
    assert found.possible.sum() > 1
    for u in np.flatnonzero(found.possible):
        other = framework.weighted(dict(zip("abc", found.weights[u], strict=True)))
        score = evaluate(other, raw, units).score
        assert score[u] == pytest.approx(score.max(), rel=1e-7)


def test_what_is_no_mean_is_refused() -> None:
    raw = np.random.default_rng(6).uniform(size=(5, 6))
    with pytest.raises(Refused, match="topsis is not a mean"):
        below(evaluate(made("topsis"), raw, tuple("ABCDE")))
    arithmetic = evaluate(made("arithmetic"), raw, tuple("ABCDE"))
    assert below(arithmetic, "b")[0].shape == (5, 2)
    with pytest.raises(BadInput, match="b1 is an indicator"):
        below(arithmetic, "b1")
    raw[2, :2] = np.nan
    with pytest.raises(BadInput, match="C has no score on a"):
        below(evaluate(made("arithmetic"), raw, tuple("ABCDE")))
