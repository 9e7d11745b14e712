"""The model confidence set against arch, and what it must do where the best model is known; calibration in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from arch.bootstrap import MCS
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from engine.calibration import CELLS, cells, coverage_test, pit
from engine.errors import BadInput, NotEnoughData
from engine.estimate import LEVELS
from engine.skill import confidence_set, stationary
from engine.typing import Floats


def losses(seed: int, n: int = 150, gaps: tuple[float, ...] = (0.0, 0.02, 0.1, 0.3, 1.0)) -> Floats:
    g = np.random.default_rng(seed)
    common = np.convolve(g.normal(size=n + 3), [0.5, 0.3, 0.2, 0.2], "valid")
    return np.stack([(common + g.normal(size=n) * 0.6) ** 2 + gap for gap in gaps], axis=1)


@pytest.mark.parametrize("statistic", ["range", "max"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_p_values_are_those_of_arch(statistic: str, seed: int) -> None:
    """Up to the draws: with 4,000 of them on either side the standard error of a p-value's difference is at most 0.011."""
    table = losses(seed)
    ours = confidence_set(table, statistic, block=8, draws=4000, seed=seed)  # type: ignore[arg-type]
    peer = MCS(table, 0.1, reps=4000, block_size=8, method="R" if statistic == "range" else "max", seed=seed)
    peer.compute()
    theirs = peer.pvalues["Pvalue"].sort_index().to_numpy()
    np.testing.assert_allclose(ours.p, theirs, atol=0.045)
    assert ours.order == tuple(peer.pvalues.index)
    assert ours.p[ours.order[-1]] == 1.0


@pytest.mark.parametrize("statistic", ["range", "max"])
def test_the_best_stays_and_the_hopeless_goes(statistic: str) -> None:
    """At 10 % the best of the truth may be lost in about one of ten; twenty-five of thirty leave room for chance."""
    kept = lost = 0
    for seed in range(30):
        found = confidence_set(losses(seed, 100, (0.0, 0.1, 2.0)), statistic, draws=400, seed=seed)  # type: ignore[arg-type]
        kept += bool(found.members()[0])
        lost += not found.members()[2]
    assert kept >= 25
    assert lost == 30


@given(st.integers(0, 50), st.floats(0.01, 100.0), st.permutations(range(5)))
def test_neither_scale_nor_order_matters(seed: int, scale: float, order: list[int]) -> None:
    table = losses(seed, 40)
    plain = confidence_set(table, draws=100)
    moved = confidence_set(table[:, order] * scale + 7.0, draws=100)
    np.testing.assert_allclose(moved.p, plain.p[order], atol=1e-12)


def test_one_model_twice() -> None:
    table = losses(0)
    both = confidence_set(np.column_stack([table[:, 0], table[:, 0], table[:, 4]]), draws=500)
    assert both.p[0] == pytest.approx(1.0)
    assert both.p[1] == pytest.approx(1.0)
    assert both.p[2] < 0.01
    assert confidence_set(table[:, :1]).p.tolist() == [1.0]


def test_blocks_have_their_mean_length() -> None:
    places = stationary(200, 8.0, 500, 0)
    assert places.min() >= 0
    assert places.max() < 200
    breaks = (np.diff(places, axis=1) % 200 != 1).mean()
    assert breaks == pytest.approx(1 / 8 * (1 - 1 / 200), abs=0.005)


def test_what_cannot_be_tested_is_told() -> None:
    with pytest.raises(NotEnoughData, match="over 5 outcomes"):
        confidence_set(np.zeros((5, 2)))
    with pytest.raises(BadInput, match="finite"):
        confidence_set(np.full((20, 2), np.nan))
    with pytest.raises(BadInput, match=r"not \(20,\)"):
        confidence_set(np.zeros(20))
    with pytest.raises(BadInput, match="blocks of at least one"):
        confidence_set(np.zeros((20, 2)), block=0.5)


def normal(n: int, sd: float = 1.0) -> Floats:
    return np.tile(sd * ndtri(LEVELS), (n, 1))


def test_pit_and_cells_of_a_known_distribution() -> None:
    at = np.array([*ndtri(LEVELS), -9.0, 9.0])
    np.testing.assert_allclose(pit(normal(len(at)), at), [*LEVELS, 0.0125, 0.9875])
    assert cells(normal(len(at)), at).tolist() == [2, 1, 1, 1, 1, 1, 1, 1]
    assert CELLS.sum() == pytest.approx(1.0)
    assert pit(np.zeros((1, len(LEVELS))), np.zeros(1)).tolist() == [0.5]


def test_coverage_is_tested_against_its_promise() -> None:
    """z by hand: 60 of 100 in a band of 80 %: (0.6 - 0.8) / sqrt(0.8 * 0.2 / 100) = -5; with 78: -0.5."""
    for inside, z in ((60, -5.0), (78, -0.5), (80, 0.0)):
        outcome = np.where(np.arange(100) < inside, 0.0, 9.0)
        found = coverage_test(normal(100), outcome, 80)
        assert found.statistic == pytest.approx(z)
    runs = np.where(
        np.arange(100) // 5 % 5 < 3, 0.0, 9.0
    )  # misses come in runs of ten: less evidence than their number
    assert abs(coverage_test(normal(100), runs, 80, steps=3).statistic) < 5.0
    with pytest.raises(NotEnoughData):
        coverage_test(normal(7), np.zeros(7), 80)
    with pytest.raises(BadInput, match="at least one period"):
        coverage_test(normal(9), np.zeros(9), 80, steps=0)


@given(st.integers(0, 1000))
def test_a_calibrated_model_is_seldom_accused(seed: int) -> None:
    outcome = np.random.default_rng(seed).normal(size=400)
    assert coverage_test(normal(400), outcome, 80).p > 1e-5
    assert abs(float(pit(normal(400), outcome).mean()) - 0.5) < 0.08
