"""Idiosyncratics that begin anew after months left out: the factor model of two series where there was one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import peers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import factor, factor_em
from engine.typing import Floats
from tests.engine.test_factor import plain

FROM, TO = 8, 15  # months left out


def left_out(seed: int, N: int, R: int, order: int) -> tuple[factor.Parameters, Floats, factor.Data]:
    p, d = peers.draw(seed, 24, N, R, order, 0.1)
    Y = d.Y.copy()
    Y[FROM:TO] = np.nan
    return p, Y, d


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 4), st.integers(1, 2), st.integers(1, 2))
def test_equals_two_series_by_the_plain_twin(seed: int, N: int, R: int, order: int) -> None:
    """The one ends where the months are left out, the other begins after them, and their parameters are the same."""
    p, Y, d = left_out(seed, N, R, order)
    before, after = Y.copy(), Y.copy()
    before[TO:], after[:TO] = np.nan, np.nan
    one = factor.prepare(Y, d.X, d.weights, order, afresh=[TO])
    two = factor.prepare(np.hstack([before, after]), d.X, d.weights, order)
    twice = replace(p, loadings=np.vstack([p.loadings] * 2), rho=np.tile(p.rho, 2), sigma2=np.tile(p.sigma2, 2))
    loglik, factors, _ = plain(twice, two)
    s = factor.smooth(p, one)
    k = R + 2
    assert s.loglik == pytest.approx(loglik, rel=1e-9)
    np.testing.assert_allclose(s.x[:, :R], factors[:, :R], rtol=0, atol=1e-8)
    assert s.x.shape[1] == k * one.lags


def test_a_long_gap_is_none_where_series_begin_afresh() -> None:
    _, Y, d = left_out(0, 4, 1, 1)
    assert factor.long_gaps(Y)[1:].all()  # the first series begins later
    assert not factor.long_gaps(Y, afresh=[TO]).any()
    with pytest.raises(ValueError, match="make it explicit"):
        factor.prepare(Y, d.X, d.weights, 1)


def test_the_likelihood_still_rises() -> None:
    """EM counts several first values of a series, and never goes down."""
    monthly, _ = peers.simulate(240, 8, 1, gaps=0.05)
    Y = monthly.to_numpy().copy()
    Y[100:111] = np.nan
    d = factor.prepare((Y - np.nanmean(Y, 0)) / np.nanstd(Y, 0), np.zeros((240, 0)), np.zeros((0, 1)), 1, afresh=[111])
    p = factor.Parameters(
        np.array([[0.5]]), np.eye(1), np.full((8, 1), 0.5), np.zeros(8), np.ones(8), np.zeros((0, 1)), np.zeros(0), np.zeros(0),
        np.zeros(0),
    )  # fmt: skip
    free, path = np.ones((8, 1), bool), []
    for _ in range(30):
        p, loglik = factor_em.em_step(p, d, free, np.zeros((0, 1), bool), np.zeros(1, np.int64))
        path.append(loglik)
    assert (np.diff(path) > -1e-9 * abs(path[-1])).all()
    assert path[-1] > path[0] + 10
