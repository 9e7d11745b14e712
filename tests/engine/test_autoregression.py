from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine import autoregression
from engine.autoregression import Autoregression
from engine.errors import NotEnoughData
from engine.typing import Floats


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


def growing(n: int, seed: int) -> Floats:
    g = np.random.default_rng(seed)
    y = np.zeros(n)
    for t in range(2, n):
        y[t] = 0.5 + 0.4 * y[t - 1] + 0.2 * y[t - 2] + g.normal()
    return y


def test_one_step_ahead_the_coefficients_add_what_least_squares_says() -> None:
    y = growing(60, 1)
    found = autoregression.fit(y, 3, "y")
    p = len(found.coefficients)
    X = np.column_stack([np.ones(57), *(y[3 - j : len(y) - j] for j in range(1, p + 1))])
    x = np.r_[1.0, y[::-1][:p]]
    peer = sm.OLS(y[3:], X).fit().get_prediction(x[None])
    assert found.doubt(y, np.array([1.0])) == pytest.approx(peer.se_mean[0] ** 2, rel=1e-9)
    assert found.variance(np.array([1.0])) + found.doubt(y, np.array([1.0])) == pytest.approx(peer.se_obs[0] ** 2)


@given(seed=st.integers(0, 100), weights=arrays(float, st.integers(1, 6), elements=st.floats(-2, 2)))
def test_farther_ahead_by_the_slope_of_the_forecast(seed: int, weights: Floats) -> None:
    y = growing(50, seed)
    found = autoregression.fit(y, 2, "y")
    p, slope = len(found.coefficients), []
    for j in range(p + 1):
        said = []
        for step in (1e-5, -1e-5):
            b = np.r_[found.constant, found.coefficients]
            b[j] += step
            moved = Autoregression(b[0], b[1:], found.sigma)
            said.append(weights @ moved.fill(np.r_[y, np.full(len(weights), np.nan)])[len(y) :])
        slope.append((said[0] - said[1]) / 2e-5)
    expected = found.sigma**2 * np.array(slope) @ found.inverse @ np.array(slope)
    assert found.doubt(y, weights) == pytest.approx(expected, rel=1e-5, abs=1e-9)


def test_without_the_inverse_nothing_is_said() -> None:
    assert np.isnan(Autoregression(1.0, np.array([0.5]), 2.0).doubt(np.ones(5), np.ones(1)))


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
