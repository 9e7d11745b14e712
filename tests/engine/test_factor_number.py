"""The number of factors on panels whose number is known."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import BadInput, NotEnoughData
from engine.factor_number import factor_number
from engine.typing import Floats


def panel(T: int, N: int, r: int, seed: int, noise: float = 1.0, gaps: float = 0.0) -> Floats:
    g = np.random.default_rng(seed)
    X: Floats = g.normal(size=(T, r)) @ g.normal(size=(r, N)) + noise * np.sqrt(r) * g.normal(size=(T, N))
    X[g.uniform(size=X.shape) < gaps] = np.nan
    return X


@pytest.mark.parametrize("r", [1, 3, 5])
@pytest.mark.parametrize("gaps", [0.0, 0.05])
def test_the_truth_is_found(r: int, gaps: float) -> None:
    """As in the simulations of both papers at T = 200, N = 100, half of the variance common: all rules agree on the truth."""
    for seed in range(2 if gaps else 5):
        told = factor_number(panel(200, 100, r, seed, gaps=gaps), 8)
        assert (*told.ic[:2], told.eigenvalue_ratio, told.growth_ratio) == (r, r, r, r)


def test_noise_has_no_factor_by_the_criteria() -> None:
    told = factor_number(np.random.default_rng(0).normal(size=(200, 100)), 8)
    assert told.ic[:2].tolist() == [0, 0]


def test_the_formulas_by_hand() -> None:
    """Written out from the papers on the eigenvalues of the covariance of a small panel."""
    X = panel(40, 12, 2, 4)
    Z = (X - X.mean(0)) / X.std(0)
    mu = np.sort(np.linalg.eigvalsh(Z @ Z.T / (40 * 12)))[::-1]
    told = factor_number(X, 4)
    for k in range(5):
        v = mu[k:].sum()
        g = (52 / 480 * np.log(480 / 52), 52 / 480 * np.log(12), np.log(12) / 12)
        np.testing.assert_allclose(told.criteria[:, k], np.log(v) + k * np.array(g), atol=1e-12)
    np.testing.assert_allclose(told.ratios[0], mu[:4] / mu[1:5], rtol=1e-10)
    growth = [np.log(mu[k - 1 :].sum() / mu[k:].sum()) / np.log(mu[k:].sum() / mu[k + 1 :].sum()) for k in range(1, 5)]
    np.testing.assert_allclose(told.ratios[1], growth, rtol=1e-9)
    np.testing.assert_allclose(told.shares, mu[:4] / mu.sum(), rtol=1e-10)


def test_units_and_useless_columns_do_not_matter() -> None:
    X = panel(120, 40, 2, 1)
    odd = np.column_stack([X * np.geomspace(1e-9, 1e9, 40), np.full(120, 3.0), np.full(120, np.nan)])
    np.testing.assert_allclose(factor_number(odd).criteria, factor_number(X).criteria, atol=1e-9)


def test_what_cannot_be_told_says_why() -> None:
    X = panel(50, 20, 1, 0)
    with pytest.raises(NotEnoughData, match="need 13 months and series"):
        factor_number(X[:, :5])
    with pytest.raises(NotEnoughData, match="copies"):
        factor_number(np.tile(X[:, :1], (1, 20)), 5)
    with pytest.raises(BadInput):
        factor_number(X, 0)
