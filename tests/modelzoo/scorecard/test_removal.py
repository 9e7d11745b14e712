"""Without each node, and what each explains: beside the scorecard without it and beside variances known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from engine.board import ranks
from engine.errors import NotEnoughData, Unknown
from modelzoo.scorecard.aggregate import aggregate
from modelzoo.scorecard.choices import Normalisation
from modelzoo.scorecard.evaluate import evaluate
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.node import Node
from modelzoo.scorecard.removal import correlation_ratio, importance, removal

TREE = Node(
    "top",
    children=(
        Node("a", weight=2, children=(Node("a1", direction=1), Node("a2", direction=1, weight=3))),
        Node("b", children=(Node("b1", direction=1),)),
        Node("c", children=(Node("c1", direction=1), Node("c2", direction=-1))),
    ),
)
MADE = Framework("made", "Made", "虚构", TREE, normalisation=Normalisation("minmax"))
UNITS = tuple(f"u{i}" for i in range(12))
RAW = np.random.default_rng(7).uniform(size=(12, 5))


def test_ranks_without_each_node_are_those_of_the_smaller_framework() -> None:
    scored = evaluate(MADE, RAW, UNITS)
    found = removal(scored)
    assert found.names == ("a", "b", "c", "a1", "a2", "c1", "c2")  # without b1, b would be empty: that is without b
    for name, rank, shift, most, unit in zip(
        found.names, found.ranks, found.shift, found.most, found.unit, strict=True
    ):
        left = MADE.without(name)
        keep = [MADE.indicators.index(i) for i in left.indicators]
        expected = ranks(aggregate(left.layout, scored.normalised[:, keep])[:, 0])
        assert np.array_equal(rank, expected)
        change = np.abs(expected - scored.rank)
        assert shift == pytest.approx(change.mean())
        assert most == change.max() == change[unit]


def test_a_unit_known_by_one_node_alone_is_named() -> None:
    raw = RAW.copy()
    raw[4, [0, 1, 3, 4]] = np.nan
    with pytest.raises(NotEnoughData, match="u4 has no score without b"):
        removal(evaluate(MADE, raw, UNITS))


def test_correlation_ratio_of_known_shapes() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 3))
    found = [correlation_ratio(x[:, j], x @ np.array([1.0, 2, 3])) for j in range(3)]
    np.testing.assert_allclose(found, np.array([1, 4, 9]) / 14, atol=0.06)  # independent: w² σ² / Σ
    u = rng.uniform(-1, 1, 200)
    assert correlation_ratio(u, 3 * u - 1) == pytest.approx(1.0, abs=1e-6)
    assert correlation_ratio(u, u**2) > 0.97  # a line explains nothing of it
    assert correlation_ratio(u, rng.normal(size=200)) < 0.1
    assert correlation_ratio(np.ones(200), u) == 0.0
    # the width is the one that foretells a point from the others, not the one that follows it
    assert np.mean([correlation_ratio(np.linspace(0, 1, 100), rng.normal(size=100)) for _ in range(20)]) < 0.06


def test_effective_weights_see_what_nominal_ones_do_not() -> None:
    rng = np.random.default_rng(2)
    tree = Node("top", children=tuple(Node(n, direction=1) for n in ("loud", "still", "echo")))
    made = Framework("made", "Made", "虚构", tree, normalisation=Normalisation("goalposts", 0, 1))
    loud = rng.uniform(size=40)
    raw = np.column_stack([loud, 0.5 + 0.01 * rng.uniform(size=40), loud])
    scored = evaluate(made, raw, tuple(f"u{i}" for i in range(40)), goalposts=np.array([[0.0] * 3, [1.0] * 3]))
    found = importance(scored)
    np.testing.assert_allclose(found.nominal, 1 / 3)
    assert found.effective.sum() == pytest.approx(1.0)
    assert found.effective[1] < 0.15
    assert found.effective[0] == pytest.approx(found.effective[2])
    assert found.effective[0] > 0.42
    assert (found.ratio <= 1.0).all()
    with pytest.raises(Unknown, match="no node x"):
        importance(scored, ["x"])
    few = evaluate(made, raw[:6], tuple("abcdef"), goalposts=np.array([[0.0] * 3, [1.0] * 3]))
    with pytest.raises(NotEnoughData, match="node loud: 6 units"):
        importance(few)
