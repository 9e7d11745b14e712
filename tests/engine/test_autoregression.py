from __future__ import annotations

import numpy as np
import pytest

from engine import autoregression
from engine.autoregression import Autoregression
from engine.errors import NotEnoughData


def test_lags_and_coefficients_are_found() -> None:
    g = np.random.default_rng(0)
    y = np.zeros(3000)
    for t in range(2, len(y)):
        y[t] = 0.5 + 0.5 * y[t - 1] + 0.3 * y[t - 2] + g.normal()
    found = autoregression.fit(y[100:], 6, "y")
    assert len(found.coefficients) == 2
    np.testing.assert_allclose(found.coefficients, [0.5, 0.3], atol=0.05)
    assert found.sigma == pytest.approx(1.0, abs=0.05)


def test_least_squares_by_hand() -> None:
    """y_t = 1, 2, 4, 8 … doubles: one lag, coefficient 2, constant 0, no residual."""
    found = autoregression.fit(np.exp2(np.arange(12.0)), 1, "y")
    np.testing.assert_allclose([found.constant, found.coefficients[0]], [0.0, 2.0], atol=1e-9)


def test_filling_and_its_variance() -> None:
    ar = Autoregression(1.0, np.array([0.5]), 2.0)
    np.testing.assert_allclose(ar.fill(np.array([4.0, np.nan, np.nan, 8.0, np.nan])), [4.0, 3.0, 2.5, 8.0, 5.0])
    np.testing.assert_allclose(ar.response(3), [1.0, 0.5, 0.25])
    assert ar.variance(np.array([1.0])) == pytest.approx(4.0)
    assert ar.variance(np.array([0.0, 1.0])) == pytest.approx(4.0 * (1 + 0.25))
    assert ar.variance(np.array([1.0, 1.0])) == pytest.approx(
        4.0 * ((1 + 0.5) ** 2 + 1)
    )  # the first shock counts twice


def test_too_little_is_refused_by_name() -> None:
    with pytest.raises(
        NotEnoughData, match="gdp: an autoregression of up to 4 lags needs 14 complete rows, 6 are known"
    ):
        autoregression.fit(np.arange(10.0), 4, "gdp")
