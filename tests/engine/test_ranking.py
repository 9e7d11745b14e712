"""Kernels of ranks beside their plain twins."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from engine.board import ranks
from engine.kernels.ranking import closeness, pair_counts, rank_rows, weigh, weigh_known
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


def test_weighted_sums_beside_their_twin_and_to_the_last_digit_for_units_alike() -> None:
    rng = np.random.default_rng(6)
    values, weights = rng.normal(size=(7, 13)), rng.uniform(size=(40, 7))
    values[:, 12] = values[:, 1]
    out = np.empty((40, 13))
    weigh(values, weights, out)
    np.testing.assert_allclose(out, weights @ values, rtol=1e-12)
    assert np.array_equal(out[:, 12], out[:, 1])


def test_means_of_what_is_known_beside_their_twin() -> None:
    # top -> (g, h), g -> (0, 1, 2), h -> (3, 4)
    parent, count = np.array([-1, 0, 0, 1, 1, 1, 2, 2]), np.array([2, 3, 2, 0, 0, 0, 0, 0])
    column = np.array([0, 0, 0, 0, 1, 2, 3, 4])
    rng = np.random.default_rng(7)
    values, weights = rng.normal(size=(5, 5)), rng.uniform(0.1, 1, size=(6, 8))
    values[0, 1] = values[1, 3:] = values[2, :] = values[3, :2] = np.nan

    def mean(children: list[float], w: Floats, known: float) -> float:
        have = [(v, x) for v, x in zip(children, w, strict=True) if not np.isnan(v)]
        if not have or len(have) < known * len(children):
            return np.nan
        return float(sum(v * x for v, x in have) / sum(x for _, x in have))

    for known in (0.0, 0.5, 0.6):
        out = np.empty((6, 5))
        weigh_known(
            np.nan_to_num(values.T), np.where(np.isnan(values.T), 0.0, 1.0), column, parent, count, weights, known, out
        )
        for b in range(6):
            for u in range(5):
                w = weights[b]
                groups = [mean(list(values[u, :3]), w[3:6], known), mean(list(values[u, 3:]), w[6:8], known)]
                np.testing.assert_allclose(out[b, u], mean(groups, w[1:3], known), rtol=1e-12)
