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


def test_a_wrong_value_makes_no_explosive_expectation() -> None:
    """A calm series without Januaries, of which one December is wrong by a factor, as where the sum of a year was restated and its
    months were not: it is explained by two values and never explains one, which takes an explosive root. For filling the root
    is drawn back, and the expectation stays among what was seen."""
    g = np.random.default_rng(3)
    y = 10 + np.cumsum(0.3 * g.normal(size=120))
    y[0::12] = np.nan  # no Januaries
    y[94], y[95] = y[93] + 2.0, 80.0
    wild = autoregression.fit(y, 6, "y")
    path = wild.fill(np.r_[y, np.full(12, np.nan)])[-12:]
    assert np.abs(path).max() > 1000
    calm = autoregression.fit(y, 6, "y", stationary=True)
    assert np.abs(np.roots(np.r_[1.0, -calm.coefficients])).max() <= 0.999 + 1e-9
    path = calm.fill(np.r_[y, np.full(12, np.nan)])[-12:]
    assert np.nanmin(y) - 1 < path.min()
    assert path.max() < np.nanmax(y)


def test_a_stationary_equation_stays_as_it_was() -> None:
    g = np.random.default_rng(1)
    y = np.zeros(300)
    for t in range(2, 300):
        y[t] = 0.5 + 1.2 * y[t - 1] - 0.3 * y[t - 2] + g.normal()
    free, held = (autoregression.fit(y, 6, "y", stationary=s) for s in (False, True))
    assert free.coefficients.tobytes() == held.coefficients.tobytes()
    assert (free.constant, free.sigma) == (held.constant, held.sigma)
