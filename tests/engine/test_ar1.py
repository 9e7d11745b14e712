"""The search for ρ against a fine grid, its derivative against differences, and a case that can be solved by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels.em import LIMIT, ar1, deviance, slope
from engine.typing import Floats, Ints

SORTS = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 2], [0, 0, 4], [1, 0, 2], [0, 1, 3], [0, 2, 0]])
"""First values, gaps, a pair after December, March after a pair, April after a first pair."""


def sums(seed: int, sorts: int) -> tuple[Ints, Floats, Floats]:
    """Sums of products that are possible: positive semi-definite, and 0 for terms that a sort does not have."""
    g = np.random.default_rng(seed)
    n = np.r_[1.0, g.integers(0, 40, sorts - 1) + 1.0]
    moments = np.zeros((sorts, 3, 3))
    for q in range(sorts):
        values = g.normal(size=(3, 4)) * np.array([True, SORTS[q, 1] > 0, SORTS[q, 2] > 0])[:, None]
        values[1:] += g.uniform(-1, 1) * values[0] * (values[1:] != 0)
        moments[q] = n[q] * values @ values.T / 4
    return SORTS[:sorts], n, moments


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, len(SORTS)))
def test_no_point_of_a_grid_is_better(seed: int, sorts: int) -> None:
    kinds, n, moments = sums(seed, sorts)
    rho, sigma2 = ar1(kinds, n[None], moments[None])
    best, variance = deviance(rho[0], kinds, n, moments)
    grid = [deviance(r, kinds, n, moments)[0] for r in np.linspace(-LIMIT, LIMIT, 2001)]
    if sorts == 2:  # one valley; with several sorts there may be two
        assert best <= min(grid) + 1e-9
        assert abs(rho[0]) > LIMIT - 1e-3 or abs(slope(rho[0], kinds, n, moments)) < 1e-6 * n.sum()
    near = [deviance(np.clip(rho[0] + d, -LIMIT, LIMIT), kinds, n, moments)[0] for d in (-1e-4, 1e-4)]
    assert best <= min(near) + 1e-9
    assert sigma2[0] == variance


@given(st.integers(0, 10**6), st.integers(2, len(SORTS)), st.floats(-0.9, 0.9))
def test_the_derivative(seed: int, sorts: int, rho: float) -> None:
    s = sums(seed, sorts)
    difference = (deviance(rho + 1e-6, *s)[0] - deviance(rho - 1e-6, *s)[0]) / 2e-6
    assert slope(rho, *s) == pytest.approx(difference, rel=1e-4, abs=1e-4)


def test_without_a_first_value_it_is_least_squares() -> None:
    moments = np.zeros((1, 2, 3, 3))
    moments[0, 1][np.ix_([0, 2], [0, 2])] = [[30.0, 12.0], [12.0, 24.0]]
    rho, sigma2 = ar1(SORTS[:2], np.array([[0.0, 20.0]]), moments)
    assert rho[0] == pytest.approx(0.5, abs=1e-14)
    assert sigma2[0] == pytest.approx((30 - 0.5 * 12) / 20, abs=1e-14)
