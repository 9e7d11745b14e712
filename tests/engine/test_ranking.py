"""Kernels of ranks beside their plain twins."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from engine.board import ranks
from engine.kernels.ranking import closeness, pair_counts, rank_rows
from engine.typing import Floats


def table(score: Floats, alike: float = 0.0) -> NDArray[np.int16]:
    out = np.empty(score.shape, np.int16)
    rank_rows(np.ascontiguousarray(score), alike, out)
    return out


@settings(deadline=None)  # the first call compiles
@given(arrays(float, st.tuples(st.integers(1, 3), st.integers(1, 40)), elements=st.integers(-3, 3).map(float)))
def test_ties_share_the_better_place(score: Floats) -> None:
    assert np.array_equal(table(score), np.stack([ranks(s) for s in score]))


@settings(deadline=None)  # the first call compiles
@given(arrays(float, (2, 60), elements=st.floats(-1e300, 1e300)))
def test_any_finite_scores(score: Floats) -> None:
    assert np.array_equal(table(score), np.stack([ranks(s) for s in score]))


def test_crowded_buckets_and_scores_closer_than_a_scale() -> None:
    rng = np.random.default_rng(1)
    score = rng.normal(size=(4, 337))
    score[1] = np.exp(40 * score[1])  # an outlier: all others fall in one bucket
    score[2] = 5e-324 * np.arange(337)  # the width of a bucket is no number
    score[3, :300] = 1.0
    assert np.array_equal(table(score), np.stack([ranks(s) for s in score]))


def test_scores_alike_share_a_place() -> None:
    score = np.array([[3.0, 1.0, 3.0 - 1e-14, 3.0 + 1e-14, -2.0]])
    assert table(score, 1e-12).tolist() == [[1, 4, 1, 1, 5]]
    assert table(score).tolist() == [[2, 4, 3, 1, 5]]
    other = np.random.default_rng(5).normal(size=(50, 80))
    assert np.array_equal(table(other, 1e-12), table(other))


def test_closeness_beside_its_twin() -> None:
    rng = np.random.default_rng(2)
    best, worst = rng.uniform(size=(2, 5, 9))
    best[0, 0] = worst[0, 0] = 0.0
    out = np.empty((5, 9))
    closeness(np.hstack([best, worst]), out)
    twin = np.sqrt(worst) / np.where(worst + best > 0, np.sqrt(worst) + np.sqrt(best), 1.0)
    twin[0, 0] = 0.5
    np.testing.assert_allclose(out, twin, rtol=1e-14)


def test_pairs_beside_their_twin() -> None:
    rank = np.random.default_rng(3).integers(1, 6, size=(8, 500)).astype(np.int16)
    assert np.array_equal(pair_counts(rank), (rank[:, None] < rank[None]).sum(2))
