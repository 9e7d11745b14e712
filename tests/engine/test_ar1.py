"""The search for ρ against a fine grid, its derivative against differences, and a case that can be solved by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.kernels.em import LIMIT, ar1, deviance


def sums(seed: int, gaps: int) -> tuple[np.ndarray, ...]:
    """Sums over pairs of random values that are possible: |Σ e e'| ≤ sqrt(Σ e² Σ e'²)."""
    g = np.random.default_rng(seed)
    n = np.r_[1.0, g.integers(0, 40, gaps) + 1.0]
    e00, e11 = n * g.uniform(0.2, 3, gaps + 1), n * g.uniform(0.2, 3, gaps + 1)
    e01 = np.sqrt(e00 * e11) * g.uniform(-0.99, 0.99, gaps + 1)
    e01[0] = e11[0] = 0.0
    return n, e00, e01, e11


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_no_point_of_a_grid_is_better(seed: int, gaps: int) -> None:
    s = sums(seed, gaps)
    rho, sigma2 = ar1(*(v[None] for v in s))
    best = deviance(rho[0], *s)
    grid = [deviance(r, *s)[0] for r in np.linspace(-LIMIT, LIMIT, 2001)]
    if gaps == 1:  # one valley; with several gaps there may be two
        assert best[0] <= min(grid) + 1e-9
        assert abs(rho[0]) > LIMIT - 1e-3 or abs(best[1]) < 1e-6 * s[0].sum()
    near = [deviance(np.clip(rho[0] + d, -LIMIT, LIMIT), *s)[0] for d in (-1e-4, 1e-4)]
    assert best[0] <= min(near) + 1e-12
    assert sigma2[0] == best[2]


@given(st.integers(0, 10**6), st.integers(1, 4), st.floats(-0.9, 0.9))
def test_the_derivative(seed: int, gaps: int, rho: float) -> None:
    s = sums(seed, gaps)
    difference = (deviance(rho + 1e-6, *s)[0] - deviance(rho - 1e-6, *s)[0]) / 2e-6
    assert deviance(rho, *s)[1] == pytest.approx(difference, rel=1e-4, abs=1e-4)


def test_without_a_first_value_it_is_least_squares() -> None:
    n, e00, e01, e11 = (
        np.array([[0.0, 20.0]]),
        np.array([[0.0, 30.0]]),
        np.array([[0.0, 12.0]]),
        np.array([[0.0, 24.0]]),
    )
    rho, sigma2 = ar1(n, e00, e01, e11)
    assert rho[0] == pytest.approx(0.5, abs=1e-14)
    assert sigma2[0] == pytest.approx((30 - 0.5 * 12) / 20, abs=1e-14)
