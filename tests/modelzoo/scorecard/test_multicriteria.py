"""TOPSIS, VIKOR, Copeland: by hand, and the figures of scikit-criteria and pymcdm with their preparation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.errors import BadInput
from engine.typing import Floats
from modelzoo.scorecard.multicriteria import copeland, topsis, topsis_closeness, vikor, vikor_merit
from modelzoo.scorecard.preparation import How

STOCK = np.array([[7.0, 5, 35], [5, 4, 26], [5, 6, 28], [3, 4, 36], [1, 7, 30], [5, 8, 30]])  # as in test_weights
WEIGHTS, TOWARD = np.array([2.0, 4.0, 1.0]), np.array([1.0, 1.0, -1.0])
GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "mcdm" / "simple_stock.json").read_text())

VALUES = arrays(np.float64, (6, 4), elements=st.integers(0, 9).map(float))


@pytest.mark.parametrize(
    ("how", "theirs", "first"),
    [
        ("invert_vector", "topsis_skc_invert_vector", 0.55957),
        ("vector", "topsis_pymcdm_vector", 0.55973),
        ("minmax", "topsis_pymcdm_minmax", 0.41679),
    ],
)
def test_topsis_is_three_numbers_by_its_preparation(how: How, theirs: str, first: float) -> None:
    found = topsis(STOCK, WEIGHTS, TOWARD, how)  # type: ignore[arg-type]
    np.testing.assert_allclose(found.score, GOLDEN[theirs], rtol=0, atol=1e-6)
    assert found.score[0] == pytest.approx(first, abs=5e-6)
    assert found.prepared.normalisation
    assert found.prepared.direction


def test_topsis_by_hand() -> None:
    # best (1, 1), worst (0, 0), equal weights: the middle unit is as far from one as from the other; .25² + 1 against .75²
    x = np.array([[1.0, 1.0], [0.0, 0.0], [0.5, 0.5], [0.25, 1.0]])
    expected = np.sqrt(0.0625 + 1) / (np.sqrt(0.0625 + 1) + 0.75)
    np.testing.assert_allclose(topsis_closeness(x, np.ones(2)), [1, 0, 0.5, expected], rtol=1e-12)


def test_vikor_by_hand() -> None:
    # regrets with weights 3/4, 1/4: unit 0 (0, 1/4), unit 1 (3/4, 0), unit 2 (3/8, 1/8)
    # sums 1/4, 3/4, 1/2 -> 0, 1, 1/2; largest 1/4, 3/4, 3/8 -> 0, 1, 1/4
    x = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    np.testing.assert_allclose(vikor_merit(x, np.array([3.0, 1.0])), [1, 0, 1 - 0.5 * 0.5 - 0.5 * 0.25], rtol=1e-12)
    np.testing.assert_allclose(
        vikor(5 - 2 * x, np.array([3.0, 1.0]), -np.ones(2)).score, vikor_merit(x, np.array([3.0, 1.0]))
    )


def test_copeland_by_hand() -> None:
    # a beats b on two of three, b beats c on two of three, c beats a on two of three: a circle; d loses to all
    x = np.array([[3.0, 1.0, 2.0], [2.0, 3.0, 1.0], [1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
    assert copeland(x, np.ones(3)).tolist() == [1, 1, 1, -3]
    assert copeland(x, np.array([3.0, 1.0, 1.0])).tolist() == [3, 1, -1, -3]
    assert copeland(np.array([[1.0, 0.0], [0.0, 1.0]]), np.ones(2)).tolist() == [0, 0]
    x[0, 0] = np.nan  # not known for a: counts for neither, so a draws with b and loses to c
    assert copeland(x, np.ones(3)).tolist() == [0, 2, 1, -3]


def test_many_weights_at_once_are_one_at_a_time() -> None:
    rng = np.random.default_rng(1)
    x, many = rng.random((9, 5)), rng.random((8, 5))
    for score in (topsis_closeness, vikor_merit, copeland):
        np.testing.assert_allclose(score(x, many), [score(x, w) for w in many], rtol=1e-12)
        batch = rng.random((8, 9, 5))
        np.testing.assert_allclose(
            score(batch, many), [score(b, w) for b, w in zip(batch, many, strict=True)], rtol=1e-12
        )


def test_a_zero_cannot_be_inverted_and_gaps_are_named() -> None:
    x = STOCK.copy()
    x[0, 2] = 0
    with pytest.raises(BadInput, match="node RI: 1 / value needs values above 0"):
        topsis(x, WEIGHTS, TOWARD, "invert_vector", ("ROE", "CAP", "RI"))
    x[0, 2] = np.nan
    with pytest.raises(BadInput, match="node RI: every value must be known"):
        vikor(x, WEIGHTS, TOWARD, ("ROE", "CAP", "RI"))
    with pytest.raises(BadInput, match="topsis: give a weight not below 0"):
        topsis(STOCK, np.array([1.0, -1, 1]), TOWARD)


@settings(deadline=None)
@given(VALUES, st.integers(0, 5), st.permutations(range(6)))
def test_best_everywhere_is_first_and_order_means_nothing(x: Floats, u: int, order: list[int]) -> None:
    x[u] = x.max(0) + 1.0
    w = np.array([1.0, 2.0, 3.0, 4.0])
    for score in (copeland, topsis_closeness, vikor_merit):
        found = score(x, w)
        assert found[u] == found.max()
        assert (np.delete(found, u) < found[u]).all()
        np.testing.assert_allclose(score(x[order], w), found[order], atol=1e-12)
        np.testing.assert_allclose(score(x[:, ::-1], w[::-1]), found, atol=1e-12)


@settings(deadline=None)
@given(VALUES, st.integers(0, 5), st.integers(0, 3), st.floats(0.5, 5))
def test_more_is_never_worse(x: Floats, u: int, j: int, more: float) -> None:
    better = x.copy()
    better[u, j] += more
    w = np.array([1.0, 2.0, 3.0, 4.0])
    for score in (copeland, topsis_closeness, vikor_merit):
        assert score(better, w)[u] >= score(x, w)[u] - 1e-12
