"""The factor model against statsmodels, against a plain twin, and against what EM and linearity promise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import peers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from statsmodels.tsa.api import DynamicFactorMQ

from engine import factor, factor_em, factor_fit
from engine.errors import NotConverged
from engine.kernels import collapse
from engine.typing import Floats


def plain(p: factor.Parameters, d: factor.Data) -> tuple[float, Floats, Floats]:
    """The twin: every idiosyncratic in the state, and states given data by the formula for a joint normal distribution.

    A textbook smoother would not do: its covariances are singular here, and it loses digits with their inverses. Returns the
    log-likelihood, smoothed factors with their lags ``(T, L R)`` and the covariance of f_t ``(T, R, R)``.
    """
    R, N, E, L = p.A.shape[0], len(p.rho), len(p.x_rho), d.lags
    k = R + N + E
    m = k * L
    T = np.zeros((m, m))
    for lag in range(p.lags):
        T[:R, lag * k : lag * k + R] = p.A[:, lag * R : (lag + 1) * R]
    T[range(R, k), range(R, k)] = np.r_[p.rho, p.x_rho]
    T[k:, :-k] = np.eye(m - k)
    Q = np.zeros((m, m))
    Q[:R, :R] = p.Q
    Q[range(R, k), range(R, k)] = np.r_[p.sigma2, p.x_sigma2]
    P = np.linalg.solve(np.eye(m * m) - np.kron(T, T), Q.reshape(-1)).reshape(m, m)
    months = len(d.Y)
    weights = np.zeros((months, N + E, L))  # how each cell shows the months of its series
    weights[:, :N, 0], weights[:, N:] = 1.0, d.weights
    weights[np.hstack([d.pairs, d.x_pairs]), :2] = 0.5
    weights[np.hstack([d.pairs, d.x_pairs]), 2:] = 0.0
    W = np.zeros((months, N + E, m))
    for lag in range(L):
        W[:, :, lag * k : lag * k + R] = weights[:, :, lag, None] * np.vstack([p.loadings, p.x_loadings])
        W[:, range(N + E), [lag * k + R + i for i in range(N + E)]] = weights[:, :, lag]
    H = np.diag(np.r_[np.zeros(N), p.noise])
    y = np.hstack([d.Y, d.X])
    gamma = [P]  # E x_t x_t-h'
    for _ in range(months - 1):
        gamma.append(T @ gamma[-1])
    places = [lag * k + j for lag in range(L) for j in range(R)]
    both = [[gamma[t - u] if t >= u else gamma[u - t].T for u in range(months)] for t in range(months)]  # E x_t x_u'
    seen = ~np.isnan(y).reshape(-1)
    cov = np.block([[W[t] @ both[t][u] @ W[u].T for u in range(months)] for t in range(months)])
    cov = (cov + np.kron(np.eye(months), H))[np.ix_(seen, seen)]
    cross = np.block([[(both[t][u] @ W[u].T)[places] for u in range(months)] for t in range(months)])[:, seen]
    values, weight = y.reshape(-1)[seen], np.linalg.solve(cov, cross.T).T
    loglik = -0.5 * (
        len(values) * np.log(2 * np.pi) + np.linalg.slogdet(cov)[1] + values @ np.linalg.solve(cov, values)
    )
    n = len(places)
    now = np.stack([P[:R, :R] - weight[t * n : t * n + R] @ cross[t * n : t * n + R].T for t in range(months)])
    return float(loglik), (weight @ values).reshape(months, n), now


def equals_the_twin(p: factor.Parameters, d: factor.Data) -> None:
    R = len(p.Q)
    loglik, factors, cov = plain(p, d)
    s = factor.smooth(p, d)
    k = R + 2
    ours = np.hstack([s.x[:, lag * k : lag * k + R] for lag in range(d.lags)])
    assert s.loglik == pytest.approx(loglik, rel=1e-9)
    np.testing.assert_allclose(ours, factors, rtol=0, atol=1e-8)
    np.testing.assert_allclose(s.cov((slice(0, R), slice(0, R))), cov, rtol=0, atol=1e-8)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.sampled_from([0.0, 0.15, 0.5])
)
def test_equals_the_plain_twin(seed: int, N: int, R: int, order: int, gaps: float) -> None:
    p, d = peers.draw(seed, 24, N, R, order, gaps)
    equals_the_twin(p, d)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 2), st.integers(1, 2), st.sampled_from([0.0, 0.15, 0.4])
)
def test_pairs_and_growth_on_the_year_equal_the_plain_twin(seed: int, N: int, R: int, order: int, gaps: float) -> None:
    p, d = peers.paired(seed, 40, N, R, order, gaps)
    equals_the_twin(p, d)


def test_a_long_state_keeps_its_digits_through_a_century_of_exact_sums() -> None:
    """With all months of several quarters in the state its covariances are singular; regressions must not feed on rounding."""
    p, d = peers.draw(1, 1200, 3, 2, 1, 0.0)
    p = replace(p, noise=np.zeros(2))
    X = d.X.copy()
    X[:, 1] = np.where(np.arange(1200) % 3 == 2, 0.5, np.nan)
    short = factor.prepare(d.Y, X, np.array([[1.0, 2, 3, 2, 1], [1, 1, 1, 0, 0]]), 1)
    long = factor.prepare(d.Y, X, np.hstack([short.weights, np.zeros((2, 11))]), 1)
    a, b = factor.smooth(p, short), factor.smooth(p, long)
    assert b.loglik == pytest.approx(a.loglik, rel=1e-12)
    np.testing.assert_allclose(b.x[:, : 4 * 5], a.x, rtol=0, atol=1e-10)
    np.testing.assert_allclose(b.cov((slice(0, 4), slice(0, 4))), a.cov((slice(0, 4), slice(0, 4))), rtol=0, atol=1e-10)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1), st.integers(1, 4), st.integers(2, 9), st.floats(-0.95, 0.95))
def test_what_is_new_in_a_cell_is_its_regression_on_what_was_known(pair: int, b: int, more: int, rho: float) -> None:
    """Coefficients and variance of every sort of cell against the normal equations of the AR(1)'s autocovariances."""
    months = np.arange(40)
    gamma = rho ** abs(months[:, None] - months) / (1 - rho**2)

    def reads(t: int, double: int) -> Floats:
        return np.where((months == t) | ((months == t - 1) & bool(double)), 0.5 if double else 1.0, 0.0)

    for before in (0, b) if not pair else (0,):
        for a in (0, before + 1 + more):
            past = [(1, reads(39 - before, 1))] * (before > 0) + [(2, reads(39 - a, 0))] * (a > 0)
            X, own = np.array([v for _, v in past]).reshape(-1, 40), reads(39, pair)
            on = np.linalg.solve(X @ gamma @ X.T, X @ gamma @ own) if len(past) else np.zeros(0)
            coef, inverse = collapse.spread(np.array([rho]), np.array([1.0]), np.array([[pair, before, a]]))
            expected = np.zeros(3)
            expected[0], expected[[j for j, _ in past]] = 1.0, -on
            np.testing.assert_allclose(coef[0, 0] * [1, before > 0, a > 0], expected, atol=1e-9)
            assert 1 / inverse[0, 0] == pytest.approx(own @ gamma @ own - on @ X @ gamma @ own, rel=1e-8)


def test_pairs_that_cannot_be_collapsed_are_named() -> None:
    Y = np.ones((30, 4))
    pairs = np.zeros(Y.shape, bool)
    pairs[13] = True
    Y[12, [0, 2]] = np.nan  # the second knows January by itself
    Y[14:25, 2], pairs[25, 2], Y[24, 2] = np.nan, True, np.nan  # a pair after a pair
    pairs[:, 3] = False
    assert factor.long_gaps(Y, pairs, 24).tolist() == [False, True, True, False]
    with pytest.raises(ValueError, match="make it explicit"):
        factor.prepare(Y, np.empty((30, 0)), np.empty((0, 1)), 1, pairs)
    first = np.zeros((30, 1), bool)
    first[0] = True
    with pytest.raises(ValueError, match="before the panel"):
        factor.prepare(Y[:, 3:], np.ones((30, 1)), np.ones((1, 1)), 1, None, first)


@pytest.mark.parametrize(("gaps", "explicit"), [(0.0, ["gdp"]), (0.1, ["gdp"]), (0.1, ["gdp", "x3", "x7"])])
def test_equals_statsmodels_at_equal_parameters(gaps: float, explicit: list[str]) -> None:
    """Also where a monthly series is carried explicitly: collapsed or not, the model is the same."""
    monthly, quarterly = peers.simulate(240, 24, 2, gaps=gaps)
    if "x3" in explicit:
        monthly.iloc[60:90, 3] = np.nan  # 30 months: only an explicit series can bear that
    model = DynamicFactorMQ(
        monthly, endog_quarterly=quarterly, factors=1, factor_multiplicities=2, factor_orders=2, idiosyncratic_ar1=True
    )
    model.update(model.start_params)
    p, d, places = peers.translate(model, explicit)
    theirs = model.ssm.smooth()
    s = factor.smooth(p, d)
    assert s.loglik == pytest.approx(theirs.llf, rel=1e-10)
    np.testing.assert_allclose(peers.factor_lags(s, p), theirs.smoothed_state.T[:, places], rtol=0, atol=1e-9)


def test_a_long_balanced_panel_settles_and_stays_exact() -> None:
    """Three covariances in turn stand for hundreds of months, and the answer is still the twin's."""
    p, d = peers.draw(3, 150, 3, 1, 1, 0.0)
    Y = np.where(np.isnan(d.Y), 0.0, d.Y)
    X = d.X.copy()
    X[:, 1] = np.nan
    d = factor.prepare(Y, X, d.weights, 1)
    s = factor.smooth(p, d)
    loglik, factors, _ = plain(p, d)
    assert s.slot.max() < 75
    assert s.loglik == pytest.approx(loglik, rel=1e-10)
    k = 3
    np.testing.assert_allclose(
        np.hstack([s.x[:, i * k : i * k + 1] for i in range(d.lags)]), factors, rtol=0, atol=1e-9
    )


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 5), st.integers(1, 2), st.sampled_from([0.0, 0.2]), st.booleans())
@example(seed=132451, N=3, R=1, gaps=0.0, pairs=True)
def test_em_never_falls_and_moves_the_loadings(seed: int, N: int, R: int, gaps: float, pairs: bool) -> None:
    p, d = (peers.paired if pairs else peers.draw)(seed, 90, N, R, 1, gaps)
    p = replace(p, noise=np.zeros(2))
    free, x_free = np.ones((N, R), bool), np.ones((2, R), bool)
    free[0, R - 1] = R == 1
    p = replace(p, loadings=np.where(free, p.loadings, 0.0))
    path, first = [], p
    for _ in range(12):
        p, loglik = factor_em.em_step(p, d, free, x_free, np.zeros(R, int))
        path.append(loglik)
    # the VAR leaves the stationary first state out of its step, as is usual, and so the months before the panel, of which growth
    # on the year tells a dozen: a fall of that size is allowed for, as where the likelihood is maximised
    allowed = factor_fit.FALL * max(100.0, abs(path[-1])) if pairs else 0.05
    assert np.diff(path).min() > -allowed, path
    assert path[-1] > path[0]
    assert np.abs(p.loadings - first.loadings).max() > 1e-2
    assert (p.loadings[~free] == 0).all()


def test_em_refuses_to_stop_early() -> None:
    p, d = peers.draw(1, 60, 3, 1, 1, 0.0)
    with pytest.raises(NotConverged, match="in the last of 3 steps"):
        factor_fit.maximise(p, d, np.ones((3, 1), bool), np.ones((2, 1), bool), np.zeros(1, int), 1e-12, 3)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3), st.sampled_from([0.0, 0.3]), st.booleans(), st.data())
def test_weights_are_the_derivatives(seed: int, R: int, gaps: float, pairs: bool, data: st.DataObject) -> None:
    """Adding 1 to a cell moves the estimate by the cell's weight: the estimate is linear."""
    p, d = (peers.paired if pairs else peers.draw)(seed, 30, 4, R, 1, gaps)

    def ready(Y: Floats, X: Floats) -> factor.Data:
        return factor.prepare(Y, X, d.weights, 1, d.pairs, d.x_pairs, 12)

    row = data.draw(st.integers(4, 29))
    z = factor.rows(p, d.weights)[0]
    s = factor.smooth(p, d)
    on, explicit = factor.weigh(p, s, z, row)
    cells = [(0, *c) for c in np.argwhere(~np.isnan(d.Y))] + [(1, *c) for c in np.argwhere(~np.isnan(d.X))]
    for which, t, i in data.draw(st.lists(st.sampled_from(cells), min_size=4, max_size=4)):
        Y, X = d.Y.copy(), d.X.copy()
        (Y, X)[which][t, i] += 1.0
        moved = factor.smooth(p, ready(Y, X))
        assert z @ (moved.x[row] - s.x[row]) == pytest.approx((on, explicit)[which][t, i], abs=1e-9)
        alone = factor.smooth(p, ready(Y, X), means_only=True)
        np.testing.assert_allclose(alone.x, moved.x, rtol=0, atol=1e-9)
        again = factor.smooth(p, ready(Y, X), like=s)
        np.testing.assert_allclose(again.x, moved.x, rtol=0, atol=1e-9)
        Y[row:], X[row + 1 :] = np.nan, np.nan
        less = ready(Y, X)
        fresh, resumed = factor.smooth(p, less), factor.smooth(p, less, like=s)
        assert resumed.loglik == pytest.approx(fresh.loglik, abs=1e-9)
        np.testing.assert_allclose(resumed.x, fresh.x, rtol=0, atol=1e-9)


def test_expectations_are_the_values_where_known_and_bridges_between() -> None:
    p, d = peers.draw(8, 40, 3, 1, 1, 0.3)
    p = replace(p, noise=np.zeros(2))
    s = factor.smooth(p, d)
    on, explicit = factor.expected(p, s)
    np.testing.assert_allclose(on[~np.isnan(d.Y)], d.Y[~np.isnan(d.Y)], atol=1e-12)
    np.testing.assert_allclose(explicit[~np.isnan(d.X)], d.X[~np.isnan(d.X)], atol=1e-9)
    # the same series carried explicitly has its expectation in the state: the bridge must agree with it
    moved = replace(
        p, loadings=p.loadings[1:], rho=p.rho[1:], sigma2=p.sigma2[1:], x_loadings=np.vstack([p.x_loadings, p.loadings[:1]]),
        x_rho=np.r_[p.x_rho, p.rho[0]], x_sigma2=np.r_[p.x_sigma2, p.sigma2[0]], noise=np.zeros(3),
    )  # fmt: skip
    weights = np.vstack([d.weights, np.eye(1, d.lags)])
    other = factor.prepare(d.Y[:, 1:], np.column_stack([d.X, d.Y[:, 0]]), weights, 1)
    np.testing.assert_allclose(factor.expected(moved, factor.smooth(moved, other))[1][:, 2], on[:, 0], atol=1e-9)


@pytest.mark.parametrize("hold", [False, True])
def test_squared_em_reaches_what_em_reaches_in_fewer_steps(hold: bool) -> None:
    monthly, quarterly = peers.simulate(180, 10, 2, gaps=0.05)
    model = DynamicFactorMQ(
        monthly, endog_quarterly=quarterly, factors=1, factor_multiplicities=2, idiosyncratic_ar1=True
    )
    model.update(model.start_params)
    p, d, _ = peers.translate(model, ["gdp"])
    free, x_free, blocks = np.ones((10, 2), bool), np.ones((1, 2), bool), np.zeros(2, int)
    free[0, 1] = False
    p = replace(p, loadings=np.where(free, p.loadings, 0.0))
    best, path = factor_fit.maximise(p, d, free, x_free, blocks, 1e-7, 500, hold=hold)
    assert path[-1] == pytest.approx(factor.smooth(best, d).loglik, abs=1e-9)
    assert np.diff(path).min() > -0.05
    assert (best.loadings[~free] == 0).all()
    assert np.array_equal(best.loadings, p.loadings) == hold
    plain = []
    for _ in range(2 * len(path)):
        p, loglik = factor_em.em_step(p, d, free, x_free, blocks, hold=hold)
        plain.append(loglik)
    assert path[-1] > plain[-1] - 0.01, "twice as many plain steps came higher"
    assert path[-1] < plain[-1] + 5.0, "and they are on the way to the same place"
