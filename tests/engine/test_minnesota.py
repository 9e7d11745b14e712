"""The Bayesian VAR against its closed forms: dummy observations, the multivariate t, and a Kalman filter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_t

from engine import minnesota
from engine.errors import BadInput
from engine.minnesota import Prior
from engine.typing import Floats


def drawn(T: int, n: int, K: int, seed: int) -> tuple[Floats, Floats, Prior]:
    g = np.random.default_rng(seed)
    X = np.column_stack([np.ones(T), g.normal(size=(T, K - 1))])
    prior = Prior(g.normal(size=(K, n)), g.uniform(0.01, 2.0, K), g.uniform(0.5, 2.0, n), n + 2.0)
    return X @ g.normal(size=(K, n)) + g.normal(size=(T, n)), X, prior


@given(st.integers(1, 4), st.integers(2, 8), st.integers(5, 40), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_the_posterior_is_least_squares_with_dummy_observations(n: int, K: int, T: int, seed: int) -> None:
    """Bańbura, Giannone & Reichlin (2010), equations 5 and 6: rows added to the data say what the prior says."""
    Y, X, prior = drawn(T, n, K, seed)
    root = 1 / np.sqrt(prior.spread)
    Xd = np.vstack([np.diag(root), np.zeros((n, K))])
    Yd = np.vstack([root[:, None] * prior.mean, np.diag(np.sqrt(prior.scale))])
    beta, *_ = np.linalg.lstsq(np.vstack([X, Xd]), np.vstack([Y, Yd]), rcond=None)
    left = np.vstack([Y, Yd]) - np.vstack([X, Xd]) @ beta
    post = minnesota.posterior(Y, X, prior)
    np.testing.assert_allclose(post.mean, beta, rtol=0, atol=1e-9)
    np.testing.assert_allclose(post.scale, left.T @ left, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(post.omega, np.linalg.inv(X.T @ X + np.diag(root**2)), rtol=1e-8, atol=1e-10)
    assert post.freedom == prior.freedom + T


def test_the_marginal_likelihood_of_one_variable_is_a_multivariate_t() -> None:
    Y, X, prior = drawn(12, 1, 4, 3)
    shape = prior.scale[0] / prior.freedom * (np.eye(12) + X @ np.diag(prior.spread) @ X.T)
    expected = multivariate_t.logpdf(Y[:, 0], (X @ prior.mean)[:, 0], shape, df=prior.freedom)
    assert minnesota.posterior(Y, X, prior).evidence == pytest.approx(expected, abs=1e-9)


def test_the_marginal_likelihood_of_many_adds_up_over_time() -> None:
    """p(Y) = p(first half) p(second half | first half), where the posterior of the first is the prior of the second."""
    T, n, K = 20, 3, 4
    Y, X, prior = drawn(T, n, K, 5)
    first = minnesota.posterior(Y[:1], X[:1], prior)
    total = first.evidence
    for t in range(1, T):
        before = minnesota.posterior(Y[:t], X[:t], prior)
        # one row given the past: a multivariate t with nu - n + 1 degrees of freedom
        df = before.freedom - n + 1
        shape = before.scale * (1 + X[t] @ before.omega @ X[t]) / df
        total += float(multivariate_t.logpdf(Y[t], X[t] @ before.mean, shape, df=df))
    assert minnesota.posterior(Y, X, prior).evidence == pytest.approx(total, abs=1e-8)


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_a_ragged_edge_given_at_once_is_what_a_kalman_filter_gives(seed: int) -> None:
    g = np.random.default_rng(seed)
    n, p, H = 3, 2, 4
    B = np.vstack([g.normal(size=(1, n)), g.normal(size=(n * p, n)) * 0.3])
    C: Floats = np.linalg.cholesky(np.asarray(np.cov(g.normal(size=(n, 20))), np.float64))
    past = g.normal(size=(p, n))
    values = np.where(g.uniform(size=(H, n)) < 0.4, g.normal(size=(H, n)), np.nan)
    values[-1] = np.nan
    mean, G = minnesota.ahead(B, C, past, H)
    told, variance = minnesota.given(mean, G, values.ravel())
    # companion form; the whole path is carried in the state, so that the filter's last state is the smoothed path
    state, cov = np.r_[past[::-1].ravel(), np.zeros(n * H)], np.zeros((n * (p + H), n * (p + H)))
    A = np.vstack([B[1 + n * i : 1 + n * (i + 1)] for i in range(p)]).T
    for t in range(H):
        move = np.eye(len(state))
        move[: n * p] = 0.0
        move[:n, : n * p] = A
        move[n : n * p, : n * (p - 1)] = np.eye(n * (p - 1))
        place = slice(n * (p + t), n * (p + t + 1))
        move[place], move[place, : n * p] = 0.0, A
        shock = np.zeros((len(state), n))
        shock[:n], shock[place] = C, C
        state = move @ state
        state[:n] += B[0]
        state[place] += B[0]
        cov = move @ cov @ move.T + shock @ shock.T
        for i in np.flatnonzero(~np.isnan(values[t])):
            gain = cov[:, i] / cov[i, i]
            state, cov = state + gain * (values[t, i] - state[i]), cov - np.outer(gain, cov[i])
    np.testing.assert_allclose(told, state[n * p :], atol=1e-8)
    np.testing.assert_allclose(variance, np.diag(cov)[n * p :], atol=1e-8)
    known = ~np.isnan(values.ravel())
    np.testing.assert_allclose(told[known], values.ravel()[known], atol=1e-9)


def test_what_does_not_fit_is_refused() -> None:
    Y, X, prior = drawn(10, 2, 3, 0)
    with pytest.raises(BadInput, match="must be complete and fit"):
        minnesota.posterior(Y * np.nan, X, prior)
    with pytest.raises(BadInput, match="more than 1 degrees of freedom"):
        Prior(prior.mean, prior.spread, prior.scale, 1.0)
    with pytest.raises(BadInput, match="positive"):
        Prior(prior.mean, prior.spread * 0, prior.scale, 4.0)
