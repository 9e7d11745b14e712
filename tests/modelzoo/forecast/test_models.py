"""Forecasts held against the libraries behind them, closed forms, and what bands must do."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
import seasonal

from engine.calendar import Freq, Period
from engine.kernels.trend import trend_filter
from engine.panel import Panel
from engine.typing import Floats
from modelzoo.forecast.boosting import Boosting, run, trees
from modelzoo.forecast.bvar import Bvar, posterior_of
from modelzoo.forecast.ces import Ces
from modelzoo.forecast.ets import Ets
from modelzoo.forecast.pool import Pool
from modelzoo.forecast.seasonal_naive import SeasonalNaive
from modelzoo.forecast.theta import Theta
from modelzoo.forecast.trend import Trend

LEVEL, RATE = "level@SYN-33", "rate@SYN-33"
AHEAD = [Period.parse("2020-10") + k for k in range(18)]


def panel() -> Panel:
    old: Panel = seasonal.panels()[0]
    return old


def values() -> Floats:
    x = panel().matrix([LEVEL])[:, 0]
    return x[~np.isnan(x)]


def test_paths_are_those_of_statsforecast() -> None:
    from statsforecast.models import AutoCES, DynamicOptimizedTheta

    scale = np.abs(values()).mean()  # on values of another size the optimiser of Theta ends in another local optimum
    for model, peer in ((Ces(LEVEL), AutoCES(12)), (Theta(LEVEL), DynamicOptimizedTheta(12))):
        ours = model.fit(panel()).estimate(panel(), AHEAD).mean
        np.testing.assert_allclose(ours, peer.forecast(values() / scale, 18)["mean"] * scale, rtol=1e-5)


def test_bands_of_exponential_smoothing_are_the_closed_form() -> None:
    """ETS(A,N,N): the variance h ahead is s² (1 + (h - 1) α²); Hyndman et al. (2008), table 6.1."""
    fitted = Ets(RATE, "ANN").fit(panel())
    estimate = fitted.estimate(panel(), AHEAD)
    width = np.ptp(estimate.band(95), axis=1)
    alpha = float(fitted.parameters["numbers"][0])
    np.testing.assert_allclose(width / width[0], np.sqrt(1 + np.arange(18) * alpha**2), rtol=1e-6)
    assert width[0] == pytest.approx(2 * 1.959964 * fitted.sigma * fitted.scale, rel=1e-6)


def test_a_pool_is_the_mean_of_its_members() -> None:
    parts = [m.fit(panel()).estimate(panel(), AHEAD) for m in (Ces(LEVEL), Theta(LEVEL))]
    pool = Pool(LEVEL).fit(panel()).estimate(panel(), AHEAD)
    np.testing.assert_allclose(pool.quantiles, (parts[0].quantiles + parts[1].quantiles) / 2, rtol=1e-14)


def test_the_bands_of_the_seasonal_naive_forecast_widen_by_the_year() -> None:
    width = np.ptp(SeasonalNaive(RATE).fit(panel()).estimate(panel(), AHEAD).band(80), axis=1)
    assert width[11] == pytest.approx(width[0])
    assert width[12] == pytest.approx(width[0] * np.sqrt(2))


def test_the_trend_filter_is_its_plain_twin_and_a_regression() -> None:
    y = np.cumsum(np.random.default_rng(1).normal(size=40)) + 0.3 * np.arange(40)
    y[7] = np.nan
    start = np.zeros(3), np.diag([1e4, 0.1, 1e2])
    compiled, plain = ([x.copy() for x in start] for _ in range(2))
    said = trend_filter(y, 0.8, 0.5, 1.0, 0.05, *compiled)
    twin = trend_filter.py_func(y, 0.8, 0.5, 1.0, 0.05, *plain)  # type: ignore[no-untyped-call]
    np.testing.assert_allclose(
        [*said, *compiled[0], *compiled[1].ravel()], [*twin, *plain[0], *plain[1].ravel()], rtol=1e-10
    )
    # all at once: y is normal with the covariance that the state space implies
    T = np.array([[1, 1, 1], [0, 0.8, 0], [0, 0, 1.0]])
    Q, P, states = np.diag([1.0, 0.05, 0]), [start[1]], [np.eye(3)]
    for _ in range(40):
        P.append(T @ P[-1] @ T.T + Q)
    V = np.array([[(np.linalg.matrix_power(T, abs(i - j)) @ P[min(i, j)])[0, 0] for j in range(40)] for i in range(40)])
    seen = ~np.isnan(y)
    V = V[np.ix_(seen, seen)] + 0.5 * np.eye(39)
    assert states
    assert said[0] == pytest.approx(y[seen] @ np.linalg.solve(V, y[seen]), rel=1e-7)
    assert said[1] == pytest.approx(np.linalg.slogdet(V)[1], rel=1e-7)


def test_the_trend_reaches_ten_years_with_bands_that_widen_and_hold() -> None:
    years = [Period.parse("2021-12") + 12 * k for k in range(10)]
    estimate = Trend(LEVEL).fit(panel()).estimate(panel(), years)
    spread = np.log(estimate.band(80)[:, 1] / estimate.band(80)[:, 0])
    assert (np.diff(spread) > 0).all()
    assert spread[-1] > 2 * spread[0]
    growth = np.diff(np.log(estimate.quantiles[:, 3]))
    assert growth == pytest.approx(np.full(9, 0.06), abs=0.03)


def test_bands_of_the_trend_hold_what_comes() -> None:
    """80 % bands five years ahead over 40 made-up series that follow the model: 50 to 98 % of outcomes, as 40 draws allow."""
    held = []
    one = seasonal.series("x", Freq.A, kind="level_annual")
    for seed in range(40):
        x = seasonal.growing(35, 1, 100 + seed)
        p = seasonal.panel({one: x[:30]}, date(2020, 1, 1), Period.parse("1985-01"))
        low, high = Trend("x@SYN-33", paths=400).fit(p).estimate(p, [Period.parse("2019")]).band(80)[0]
        held.append(low <= x[34] <= high)
    assert 0.5 < np.mean(held) < 0.98


def test_the_posterior_of_the_bvar_is_the_conjugate_closed_form() -> None:
    rng = np.random.default_rng(3)
    Y = np.cumsum(rng.normal(size=(60, 2)), axis=0) + 10
    mean, root, _, _ = posterior_of(Y, 2, 1e3, np.ones(2, bool))  # a prior that says next to nothing: least squares
    X = np.column_stack([Y[1:-1], Y[:-2], np.ones(58)])
    ols = np.linalg.lstsq(X, Y[2:], rcond=None)[0]
    np.testing.assert_allclose(mean[:4], ols[:4], atol=2e-3)
    np.testing.assert_allclose(root @ root.T, np.linalg.inv(X.T @ X), rtol=0.05, atol=1e-3)
    tight, *_ = posterior_of(Y, 2, 1e-2, np.ones(2, bool))  # and one that says all: random walks
    np.testing.assert_allclose(tight[:4], np.vstack([np.eye(2), np.zeros((2, 2))]), atol=0.02)


def test_the_fan_of_the_bvar_widens_and_hears_what_the_other_series_says_first() -> None:
    p = panel()
    far = [Period.parse("2020-12") + 12 * k for k in range(10)]
    model = Bvar(LEVEL, ("other@SYN-33",), paths=200)
    estimate = model.fit(p).estimate(p, far)
    assert (np.diff(np.ptp(np.log(estimate.band(80)), axis=1)) > 0).all()
    both = p.matrix([LEVEL, "other@SYN-33"])
    early = both.copy()
    early[-1, 0] = np.nan  # the target's newest month is not known yet, the other's is
    told = p.with_values([LEVEL, "other@SYN-33"], early)
    said = model.fit(told).estimate(told, [Period.parse("2020-09")])
    assert said.band(95)[0, 0] < both[-1, 0] < said.band(95)[0, 1]


def test_trees_as_arrays_say_what_lightgbm_says() -> None:
    import lightgbm

    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    y = X[:, 0] + np.sin(X[:, 1]) + 0.1 * rng.normal(size=400)
    booster = lightgbm.train({"verbose": -1, "num_threads": 1}, lightgbm.Dataset(X, y), 20)
    np.testing.assert_allclose(run(trees(booster), X), booster.predict(X), rtol=1e-10, atol=1e-12)
    fitted = Boosting(LEVEL, ("other@SYN-33",), rounds=20).fit(panel())
    assert fitted.estimate(panel(), AHEAD[:1]).mean[0] == pytest.approx(values()[-12], rel=0.2)
