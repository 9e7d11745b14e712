"""The factor model against statsmodels, against a plain twin, and against what EM and linearity promise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import peers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.api import DynamicFactorMQ

from engine import factor, factor_em, factor_fit
from engine.errors import NotConverged
from engine.typing import Floats


def plain(p: factor.Parameters, d: factor.Data) -> tuple[float, Floats, Floats]:
    """The twin: every idiosyncratic in the state, textbook filter and smoother with dense matrices.

    Returns the log-likelihood, smoothed factors with their lags ``(T, L R)`` and the covariance of f_t ``(T, R, R)``.
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
    Z = np.zeros((N + E, m))
    Z[:N, :R], Z[range(N), range(R, R + N)] = p.loadings, 1.0
    for lag in range(L):
        for i in range(E):
            Z[N + i, lag * k : lag * k + R] = d.weights[i, lag] * p.x_loadings[i]
            Z[N + i, lag * k + R + N + i] = d.weights[i, lag]
    H = np.r_[np.zeros(N), p.noise]
    y = np.hstack([d.Y, d.X])
    a, loglik, store = np.zeros(m), 0.0, []
    for t in range(len(y)):
        if t:
            a, P = T @ a, T @ P @ T.T + Q
        store.append([a, P])
        seen = ~np.isnan(y[t])
        if seen.any():
            z = Z[seen]
            F = z @ P @ z.T + np.diag(H[seen])
            v, K = y[t][seen] - z @ a, np.linalg.solve(F, z @ P).T
            loglik -= 0.5 * (len(v) * np.log(2 * np.pi) + np.linalg.slogdet(F)[1] + v @ np.linalg.solve(F, v))
            a, P = a + K @ v, P - K @ z @ P
        store[-1] += [a, P]
    x, V = store[-1][2], store[-1][3]
    xs, Vs = [x], [V]
    for t in range(len(y) - 2, -1, -1):
        J = store[t][3] @ T.T @ np.linalg.pinv(store[t + 1][1], hermitian=True)
        x, V = store[t][2] + J @ (x - store[t + 1][0]), store[t][3] + J @ (V - store[t + 1][1]) @ J.T
        xs.append(x)
        Vs.append(V)
    places = [lag * k + j for lag in range(L) for j in range(R)]
    return loglik, np.array(xs[::-1])[:, places], np.array(Vs[::-1])[:, :R, :R]


def draw(seed: int, T: int, N: int, R: int, order: int, gaps: float) -> tuple[factor.Parameters, factor.Data]:
    """A random stationary model and a panel with gaps, late starts and an explicit quarterly and monthly series."""
    g = np.random.default_rng(seed)
    A = g.normal(size=(R, R * order)) * 0.25 / order
    p = factor.Parameters(
        A=A, Q=np.eye(R) + 0.2, loadings=g.normal(size=(N, R)), rho=g.uniform(-0.6, 0.9, N), sigma2=g.uniform(0.3, 2, N),
        x_loadings=g.normal(size=(2, R)), x_rho=g.uniform(-0.5, 0.8, 2), x_sigma2=g.uniform(0.3, 2, 2),
        noise=np.array([0.0, g.choice([0.0, 0.3])]),
    )  # fmt: skip
    Y, X = g.normal(size=(T, N)), g.normal(size=(T, 2))
    Y[g.uniform(size=Y.shape) < gaps] = np.nan
    Y[: T // 3, 0] = np.nan
    Y[T - 2 :, -1] = np.nan
    Y[T // 2] = np.nan  # a month without any monthly value
    X[np.arange(T) % 3 != 2, 0] = np.nan
    X[5 : T // 2, 1] = np.nan  # a gap that only an explicit series can have
    while factor.long_gaps(Y).any():
        i = int(np.flatnonzero(factor.long_gaps(Y))[0])
        Y[:, i] = np.where(np.isnan(Y[:, i]), 0.1, Y[:, i])
        Y[T // 2, i] = np.nan
    weights = np.array([[1.0, 2, 3, 2, 1], [1, 0, 0, 0, 0]])
    return p, factor.prepare(Y, X, weights, order)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.sampled_from([0.0, 0.15, 0.5])
)
def test_equals_the_plain_twin(seed: int, N: int, R: int, order: int, gaps: float) -> None:
    p, d = draw(seed, 24, N, R, order, gaps)
    loglik, factors, cov = plain(p, d)
    s = factor.smooth(p, d)
    k = R + 2
    ours = np.hstack([s.x[:, lag * k : lag * k + R] for lag in range(d.lags)])
    assert s.loglik == pytest.approx(loglik, rel=1e-9)
    np.testing.assert_allclose(ours, factors, rtol=0, atol=1e-8)
    np.testing.assert_allclose(s.cov((slice(0, R), slice(0, R))), cov, rtol=0, atol=1e-8)


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
    p, d = draw(3, 150, 3, 1, 1, 0.0)
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
@given(st.integers(0, 10**6), st.integers(2, 5), st.integers(1, 2), st.sampled_from([0.0, 0.2]))
def test_em_never_falls_and_moves_the_loadings(seed: int, N: int, R: int, gaps: float) -> None:
    p, d = draw(seed, 90, N, R, 1, gaps)
    p = replace(p, noise=np.zeros(2))
    free, x_free = np.ones((N, R), bool), np.ones((2, R), bool)
    free[0, R - 1] = R == 1
    p = replace(p, loadings=np.where(free, p.loadings, 0.0))
    path, first = [], p
    for _ in range(12):
        p, loglik = factor_em.em_step(p, d, free, x_free, np.zeros(R, int))
        path.append(loglik)
    # the factors' VAR leaves the stationary first state out of its step, as is usual: a fall of that size is allowed for
    assert np.diff(path).min() > -0.05, path
    assert path[-1] > path[0]
    assert np.abs(p.loadings - first.loadings).max() > 1e-2
    assert (p.loadings[~free] == 0).all()


def test_em_refuses_to_stop_early() -> None:
    p, d = draw(1, 60, 3, 1, 1, 0.0)
    with pytest.raises(NotConverged, match="in the last of 3 steps"):
        factor_fit.maximise(p, d, np.ones((3, 1), bool), np.ones((2, 1), bool), np.zeros(1, int), 1e-12, 3)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 3), st.sampled_from([0.0, 0.3]), st.data())
def test_weights_are_the_derivatives(seed: int, R: int, gaps: float, data: st.DataObject) -> None:
    """Adding 1 to a cell moves the estimate by the cell's weight: the estimate is linear."""
    p, d = draw(seed, 30, 4, R, 1, gaps)
    row = data.draw(st.integers(4, 29))
    z = factor.rows(p, d.weights)[0]
    s = factor.smooth(p, d)
    on, explicit = factor.weigh(p, s, z, row)
    cells = [(0, *c) for c in np.argwhere(~np.isnan(d.Y))] + [(1, *c) for c in np.argwhere(~np.isnan(d.X))]
    for which, t, i in data.draw(st.lists(st.sampled_from(cells), min_size=4, max_size=4)):
        Y, X = d.Y.copy(), d.X.copy()
        (Y, X)[which][t, i] += 1.0
        moved = factor.smooth(p, factor.prepare(Y, X, d.weights, 1))
        assert z @ (moved.x[row] - s.x[row]) == pytest.approx((on, explicit)[which][t, i], abs=1e-9)
        again = factor.smooth(p, factor.prepare(Y, X, d.weights, 1), like=s)
        np.testing.assert_allclose(again.x, moved.x, rtol=0, atol=1e-9)
        Y[row:], X[row + 1 :] = np.nan, np.nan
        less = factor.prepare(Y, X, d.weights, 1)
        fresh, resumed = factor.smooth(p, less), factor.smooth(p, less, like=s)
        assert resumed.loglik == pytest.approx(fresh.loglik, abs=1e-9)
        np.testing.assert_allclose(resumed.x, fresh.x, rtol=0, atol=1e-9)


def test_expectations_are_the_values_where_known_and_bridges_between() -> None:
    p, d = draw(8, 40, 3, 1, 1, 0.3)
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
