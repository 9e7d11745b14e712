"""Scores and tests against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from engine import metrics, skill
from engine.errors import BadInput, NotEnoughData
from engine.estimate import LEVELS

MEAN, OUTCOME = np.array([1.0, -2.0, 3.0, 0.5]), np.array([2.0, 2.0, 1.0, 0.5])  # errors -1, -4, 2, 0


def test_by_hand() -> None:
    assert metrics.rmse(MEAN, OUTCOME) == math.sqrt(21 / 4)
    assert metrics.mae(MEAN, OUTCOME) == 7 / 4
    assert metrics.bias(MEAN, OUTCOME) == -3 / 4
    assert metrics.sign(MEAN, OUTCOME) == 3 / 4


def test_crps_of_a_point_is_its_absolute_error() -> None:
    assert np.allclose(metrics.crps(np.repeat(MEAN[:, None], 7, 1), OUTCOME), [1, 4, 2, 0], atol=1e-14)


def test_crps_of_one_grid_by_hand() -> None:
    # q = -3 … 3, y = 0.5. Below y: q = -3 -2 -1 0 at levels .025 .1 .25 .5, pinball = level * (y - q);
    # above: q = 1 2 3 at .75 .9 .975, pinball = (1 - level) * (q - y); weights .0625 .1125 .2 .25 .2 .1125 .0625
    pinball = [0.025 * 3.5, 0.1 * 2.5, 0.25 * 1.5, 0.5 * 0.5, 0.25 * 0.5, 0.1 * 1.5, 0.025 * 2.5]
    by_hand = 2 * sum(w * p for w, p in zip([0.0625, 0.1125, 0.2, 0.25, 0.2, 0.1125, 0.0625], pinball, strict=True))
    assert metrics.crps(np.arange(-3.0, 4.0)[None], np.array([0.5]))[0] == pytest.approx(by_hand, rel=1e-14)


def test_crps_is_near_the_exact_one_of_a_normal_distribution() -> None:
    z = np.linspace(-2.5, 2.5, 41)
    exact = z * (2 * ndtr(z) - 1) + 2 * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) - 1 / math.sqrt(math.pi)
    ours = metrics.crps(np.repeat(ndtri(np.array(LEVELS))[None], 41, 0), z)
    density = np.exp(-(z**2) / 2)
    assert np.abs(ours - exact).max() < 0.06  # seven levels, the outermost at 2.5 %
    assert abs(ours @ density / (exact @ density) - 1) < 0.05


def test_coverage_counts_the_ends() -> None:
    q = np.repeat(np.arange(-3.0, 4.0)[None], 4, 0)
    y = np.array([-1.0, 1.5, 2.0, -3.1])
    assert [metrics.coverage(q, y, p) for p in (50, 80, 95)] == [0.25, 0.75, 0.75]


@pytest.mark.parametrize("wrong", [np.array([]), np.array([np.nan, 1, 1, 1]), np.ones(3), np.ones((4, 1))])
def test_holes_are_refused(wrong: np.ndarray) -> None:
    for score in (metrics.rmse, metrics.mae, metrics.bias, metrics.sign):
        with pytest.raises(BadInput):
            score(MEAN, wrong)
    with pytest.raises(BadInput):
        metrics.crps(np.zeros((4, 6)), OUTCOME)


def test_diebold_mariano_by_hand() -> None:
    d = np.array(
        [1.0, -1, 2, 0, 1, 3, -2, 4]
    )  # mean 1, deviations 0 -2 1 -1 0 2 -3 3, g0 = 28/8, g1 = (-2-1+0+0-6-9)/8
    one = skill.diebold_mariano(d, np.zeros(8))
    assert one.statistic == pytest.approx(1 / math.sqrt(3.5 / 8) * math.sqrt(7 / 8), rel=1e-14)  # = sqrt 2
    # Student's t with 7 degrees of freedom has a closed form; at t = sqrt 2, tan(a) = sqrt(2/7)
    a = math.atan(math.sqrt(2 / 7))
    inside = 2 / math.pi * (a + math.sin(a) * (math.cos(a) + 2 / 3 * math.cos(a) ** 3 + 8 / 15 * math.cos(a) ** 5))
    assert one.p == pytest.approx(1 - inside, rel=1e-12)
    # two steps: g1 = -18/8 makes the long-run variance negative, so g0 alone is used; shrink = sqrt((8+1-4+2/8)/8)
    two = skill.diebold_mariano(d, np.zeros(8), steps=2)
    assert two.statistic == pytest.approx(1 / math.sqrt(3.5 / 8) * math.sqrt(5.25 / 8), rel=1e-14)
    e = np.array(
        [3.0, 2, 2, 1, 0, 0, -1, 1]
    )  # mean 1, deviations 2 1 1 0 -1 -1 -2 0: g0 = 12/8, g1 = (2+1+0+0+1+2+0)/8
    assert skill.diebold_mariano(e, np.zeros(8), steps=2).statistic == pytest.approx(
        1 / math.sqrt((12 / 8 + 2 * 6 / 8) / 8) * math.sqrt(5.25 / 8), rel=1e-14
    )


def test_the_sign_of_the_test_and_its_edges() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.random(20), rng.random(20)
    assert skill.diebold_mariano(a, b).statistic == -skill.diebold_mariano(b, a).statistic
    assert skill.diebold_mariano(a, a) == skill.Test(0.0, 1.0, 20)
    with pytest.raises(NotEnoughData, match="same amount"):
        skill.diebold_mariano(a + 1, a)
    with pytest.raises(NotEnoughData, match="needs 8"):
        skill.diebold_mariano(a[:7], b[:7])
    with pytest.raises(BadInput):
        skill.diebold_mariano(a, b[:19])


def test_a_ratio_needs_a_benchmark() -> None:
    assert skill.ratio(1.0, 2.0) == 0.5
    with pytest.raises(BadInput):
        skill.ratio(1.0, 0.0)
