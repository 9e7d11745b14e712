"""The common factor: precision matrix against Kalman's smoother and dense algebra, EM against statsmodels, its standard errors."""

from __future__ import annotations

import indices
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import toeplitz

from engine import factor
from engine.errors import NotConverged, NotEnoughData
from engine.factor_start import Whole
from engine.typing import Floats
from modelzoo.prosperity.factor import Factor
from modelzoo.prosperity.precision import posterior

golden = pytest.mark.skipif(bool(indices.ABSENT), reason=indices.ABSENT)
CO = ("payems@US", "w875rx1@US", "indpro@US")


def whole(seed: int, N: int, order: int) -> Whole:
    g = np.random.default_rng(seed)
    A = np.array([[0.5, 0.2, -0.1][:order]])
    return Whole(A, np.array([[0.7]]), g.normal(size=(N, 1)), g.uniform(-0.6, 0.8, N), g.uniform(0.2, 2.0, N))


def ragged(seed: int, T: int, N: int, hole: int) -> Floats:
    g = np.random.default_rng(seed)
    y = g.normal(size=(T, N))
    y[g.uniform(size=y.shape) < 0.1] = np.nan
    y[: T // 3, 0] = np.nan
    y[T // 2 : T // 2 + hole, -1] = np.nan
    y[-2:, 0] = np.nan
    return y


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), N=st.integers(2, 5), order=st.integers(1, 3), hole=st.integers(0, 12))
def test_precision_against_dense_algebra(seed: int, N: int, order: int, hole: int) -> None:
    """E[f | y] = C_fy C_yy⁻¹ y with the whole covariance of all cells, and what is left of C_ff."""
    w, y = whole(seed, N, order), ragged(seed, 36, N, hole)
    T = len(y)
    empty = np.empty(0)
    p = factor.Parameters(w.A, w.Q, np.empty((0, 1)), empty, empty, np.empty((0, 1)), empty, empty, empty)
    gamma = toeplitz(factor.stationary(p, T).cov[0])
    cells = np.argwhere(~np.isnan(y))
    t, n = cells.T
    lam = w.loadings[n, 0]
    own = w.sigma2[n] / (1 - w.rho[n] ** 2) * w.rho[n] ** np.abs(t[:, None] - t)
    C = lam[:, None] * lam * gamma[np.ix_(t, t)] + np.where(n[:, None] == n, own, 0.0)
    on = gamma[:, t] * lam
    found = posterior(w, y)
    solved = np.linalg.solve(C, np.column_stack([y[t, n], on.T]))
    np.testing.assert_allclose(found.mean, on @ solved[:, 0], atol=1e-9)
    np.testing.assert_allclose(found.covariance(), gamma - on @ solved[:, 1:], atol=1e-9)
    for k in range(N):  # what a component adds: the others' values at their mean
        alone = np.where(n == k, y[t, n], 0.0)
        np.testing.assert_allclose(found.parts[:, k], on @ np.linalg.solve(C, alone), atol=1e-9)


@golden
def test_estimate_is_kalmans_smoother() -> None:
    panel = indices.us("1980-01")
    fitted = Factor("coincident@US", CO).fit(panel)
    first, growth, error = fitted.growth(panel)
    assert str(first) == "1980-02"
    data = fitted.chosen.measured(fitted.chosen.columns(panel), carry=False).changes[1:, fitted.chosen.own]
    z, w = (data - fitted.mean) / fitted.sd, fitted.parameters
    none = np.empty(0)
    p = factor.Parameters(w.A, w.Q, w.loadings, w.rho, w.sigma2, np.empty((0, 1)), none, none, none)
    s = factor.smooth(p, factor.prepare(z, np.empty((len(z), 0)), np.empty((0, 1)), 2))
    scale = np.polyfit(s.x[:, 0], growth, 1)[0]
    np.testing.assert_allclose(growth - growth.mean(), scale * (s.x[:, 0] - s.x[:, 0].mean()), atol=1e-11)
    np.testing.assert_allclose(error, scale * np.sqrt(s.V[s.at][:, 0, 0]), atol=1e-11)


@golden
def test_likelihood_and_growth_are_those_of_statsmodels() -> None:
    """Given our parameters. (Its own EM, which moves loadings slowly, stops below them: -535.4 after 500 steps, ours -530.5.)"""
    import pandas as pd
    from statsmodels.tsa.statespace.dynamic_factor_mq import DynamicFactorMQ

    panel = indices.us("1985-01", "1996-12")
    fitted = Factor("coincident@US", CO).fit(panel)
    changes = fitted.chosen.measured(fitted.chosen.columns(panel), carry=False).changes[1:, fitted.chosen.own]
    w = fitted.parameters
    peer = DynamicFactorMQ(pd.DataFrame(changes), factors=1, factor_orders=2, idiosyncratic_ar1=True, standardize=True)
    found = peer.smooth(np.concatenate([w.loadings[:, 0], w.A[0], np.sqrt(w.Q[0]), w.rho, w.sigma2]))
    assert found.llf == pytest.approx(fitted.path[-1], abs=1e-8)
    theirs, ours = found.factors.smoothed.to_numpy()[:, 0], fitted.growth(panel)[1]
    np.testing.assert_allclose(np.polyval(np.polyfit(theirs, ours, 1), theirs), ours, atol=1e-9)


@golden
def test_sign_is_that_of_the_anchor() -> None:
    panel = indices.us("1985-01")
    ids = (*CO, "unrate@US")
    up = Factor("coincident@US", ids, anchor="indpro@US").fit(panel)
    down = Factor("coincident@US", ids, anchor="unrate@US").fit(panel)
    assert up.parameters.loadings[2, 0] > 0 > up.parameters.loadings[3, 0]
    np.testing.assert_allclose(up.parameters.loadings, -down.parameters.loadings, atol=1e-12)


def test_level_and_its_errors_on_a_simulated_economy() -> None:
    """The true level lies within the 80 % band in about 80 % of months of many economies, and growth is found."""
    inside, correlations = [], []
    for seed in range(12):
        g = np.random.default_rng(seed)
        T, N = 240, 4
        f, e = np.zeros(T + 50), np.zeros((T + 50, N))
        for t in range(2, T + 50):
            f[t] = 0.5 * f[t - 1] + 0.2 * f[t - 2] + g.normal()
            e[t] = 0.3 * e[t - 1] + g.normal(size=N)
        true = 0.2 * f[50:]
        values = 0.2 + true[:, None] + 0.2 * e[50:]
        panel = indices.panel("2000-01", values, [indices.series(n, "pch") for n in "abcd"])
        fitted = Factor("coincident@US", ("a@US", "b@US", "c@US", "d@US")).fit(panel)
        history = fitted.history(panel)
        moves = 0.2 + true
        level = np.cumprod((200 + moves) / (200 - moves))
        level *= 100.0 / level[:12].mean()
        # the drift is estimated from the sample mean, which is not the factor's error: take it as given
        drift = (np.log(history.values[-1]) - np.log(level[-1])) / T
        level *= np.exp(drift * np.arange(T))
        inside.append(((history.quantiles[24:, 1] < level[24:]) & (level[24:] < history.quantiles[24:, 5])).mean())
        correlations.append(np.corrcoef(fitted.growth(panel)[1], true)[0, 1])
    assert min(correlations) > 0.75
    assert 0.6 < np.mean(inside) < 0.99


@golden
def test_months_ahead_are_forecasts_with_wider_bands() -> None:
    panel = indices.us("1985-01")
    fitted = Factor("coincident@US", CO).fit(panel)
    last = fitted.newest(panel)
    estimate = fitted.estimate(panel, [last, last + 6, last + 12])
    width = np.diff(np.log(estimate.band(80)), axis=1)[:, 0]
    assert width[0] < width[1] < width[2]
    assert set(fitted.tell(panel, [last + 6]).filter(level="mark")["name"]) == set(CO)


@golden
def test_one_component_has_nothing_in_common() -> None:
    panel = indices.us("1985-01")
    still = panel.with_values(["w875rx1@US", "indpro@US"], np.ones((panel.months, 2)))
    with pytest.raises(NotEnoughData, match="needs two components and its anchor payems@US"):
        Factor("coincident@US", CO).fit(still)


@golden
def test_copies_are_refused() -> None:
    panel = indices.us("1985-01")
    copied = panel.with_values(["w875rx1@US"], panel.matrix(["payems@US"]))
    with pytest.raises(NotConverged, match="copies of each other"):
        Factor("coincident@US", CO).fit(copied)
