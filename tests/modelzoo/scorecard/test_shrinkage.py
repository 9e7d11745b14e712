"""Shrinkage beside Efron and Morris's baseball players; suppression that does not leak."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import BadInput, NotEnoughData
from modelzoo.scorecard.choices import Normalisation
from modelzoo.scorecard.evaluate import evaluate
from modelzoo.scorecard.explain import page
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.node import Node
from modelzoo.scorecard.shrinkage import share_variance, shrink, suppress

# Efron & Morris (1977, Scientific American 236): batting averages of 18 players after 45 times at bat in 1970
HITS = np.array([18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7])
AVERAGES = HITS / 45


def test_baseball_is_shrunk_as_published() -> None:
    found = shrink(AVERAGES, share_variance(AVERAGES, np.full(18, 45.0)))
    assert found.mean[0] == pytest.approx(0.265, abs=5e-4)
    assert found.reliability[0] == pytest.approx(0.212, abs=1e-3)
    assert found.values[0] == pytest.approx(0.294, abs=5e-4)  # Clemente, .400 before
    assert found.values[-1] == pytest.approx(0.242, abs=5e-4)  # Alvis, .156 before


def test_equal_variances_give_james_and_stein() -> None:
    y = np.random.default_rng(1).normal(5, 2, 11)
    found = shrink(y, np.full(11, 0.5))
    factor = 1 - (11 - 3) * 0.5 / ((y - y.mean()) ** 2).sum()
    np.testing.assert_allclose(found.values, y.mean() + factor * (y - y.mean()), rtol=1e-10)
    np.testing.assert_allclose(found.reliability, factor, rtol=1e-10)


def test_what_is_estimated_from_less_is_shrunk_more_and_truth_is_nearer() -> None:
    rng = np.random.default_rng(2)
    before, after = [], []
    for _ in range(60):
        truth = rng.normal(50, 5, 90)
        v = rng.uniform(1, 60, 90)
        y = truth + rng.normal(size=90) * np.sqrt(v)
        found = shrink(y, v)
        assert (np.diff(found.reliability[np.argsort(v)]) <= 1e-12).all()
        before.append(((y - truth) ** 2).mean())
        after.append(((found.values - truth) ** 2).mean())
        assert abs(found.between[""] ** 0.5 - 5) < 3
    assert np.mean(after) < 0.65 * np.mean(before)


def test_the_stated_variance_is_the_error() -> None:
    rng = np.random.default_rng(3)
    stated, errors = [], []
    for _ in range(300):
        truth = rng.normal(0, 2, 11)
        v = rng.uniform(0.5, 6, 11)
        found = shrink(truth + rng.normal(size=11) * np.sqrt(v), v)
        stated.append(found.variance.mean())
        errors.append(((found.values - truth) ** 2).mean())
    assert np.mean(stated) == pytest.approx(np.mean(errors), rel=0.25)


def test_no_difference_between_units_and_groups_apart() -> None:
    flat = shrink(np.array([1.0, 1.01, 0.99, 1.0, 1.0]), np.full(5, 4.0))
    assert flat.between[""] == 0.0
    assert np.ptp(flat.values) < 0.02
    y = np.array([1.0, 2, 3, 4, 101, 102, 103, 104, np.nan])
    found = shrink(y, np.append(np.full(8, 0.1), 0.0), ("a",) * 4 + ("b",) * 5)
    np.testing.assert_allclose(found.mean[:8], [2.5] * 4 + [102.5] * 4)
    assert np.isnan(found.values[8])
    order = np.random.default_rng(4).permutation(9)
    turned = shrink(
        y[order], np.append(np.full(8, 0.1), 0.0)[order], tuple((("a",) * 4 + ("b",) * 5)[i] for i in order)
    )
    np.testing.assert_allclose(turned.values, found.values[order], rtol=1e-9)


def test_errors_name_unit_and_group() -> None:
    with pytest.raises(NotEnoughData, match="group b has 3 known units"):
        shrink(np.arange(7.0), np.ones(7), ("a",) * 4 + ("b",) * 3)
    with pytest.raises(BadInput, match="unit 2 has a value and the sampling variance 0"):
        shrink(np.arange(5.0), np.array([1.0, 0, 1, 1, 1]))
    with pytest.raises(BadInput, match="all 0 or all 1"):
        share_variance(np.zeros(4), np.full(4, 9.0))
    with pytest.raises(BadInput, match="needs a base"):
        suppress(np.ones((2, 1)), np.full((2, 1), np.nan), 5)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_a_hidden_cell_moves_nothing_and_no_total_gives_it_away(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, base = rng.uniform(size=(12, 3)), rng.integers(0, 30, size=(12, 3)).astype(float)
    groups = tuple("abc"[i] for i in rng.integers(0, 3, 12))
    found = suppress(values, base, 8, groups)
    hidden = found.small | found.secondary
    assert np.array_equal(np.isnan(found.values), hidden)
    assert np.array_equal(found.small, base < 8)
    other = np.where(hidden, rng.normal(size=values.shape), values)  # other values under the cover
    assert np.array_equal(suppress(other, base, 8, groups).values, found.values, equal_nan=True)
    for g in set(groups):
        rows = np.array([x == g for x in groups])
        for j in range(3):
            covered = hidden[rows, j]
            if covered.any() and not covered.all():
                assert covered.sum() >= 2
                assert base[rows, j][covered].sum() >= 8
    assert not suppress(values, base, 8).secondary.any()


def test_hidden_cells_reach_no_shrunken_value() -> None:
    rng = np.random.default_rng(9)
    values, base = rng.uniform(size=(11, 1)), np.array([[3.0]] + [[40.0]] * 10)
    shown = [
        shrink(suppress(np.where(base < 5, noise, values), base, 5).values[:, 0], np.full(11, 0.01)).values
        for noise in (0.5, 1e6)
    ]
    assert np.array_equal(shown[0], shown[1], equal_nan=True)
    assert np.isnan(shown[0][0])


def test_hidden_cells_reach_no_score_rank_part_or_page() -> None:
    tree = Node("top", children=tuple(Node(f"x{j}", direction=1) for j in range(3)))
    made = Framework("made", "Made", "虚构", tree, normalisation=Normalisation("minmax"))
    rng = np.random.default_rng(10)
    values, base = rng.uniform(size=(11, 3)), rng.integers(5, 40, size=(11, 3)).astype(float)
    base[4, 1] = 2.0
    units = tuple("ABCDEFGHIJK")
    seen = []
    for under in (0.4, 1e9):
        raw = np.where(base < 5, under, values)
        scored = evaluate(made, suppress(raw, base, 5, ("all",) * 11).values, units)
        seen.append((scored.score, scored.rank, scored.parts, scored.normalised, page(scored, "E")))
    for one, other in zip(seen[0][:4], seen[1][:4], strict=True):
        np.testing.assert_array_equal(one, other)
    assert seen[0][4] == seen[1][4]
    told = (*seen[0][4].strengths, *seen[0][4].weaknesses)
    assert "x1" not in {s.indicator for s in told} | {lift.indicator for lift in seen[0][4].lifts}
