"""Draws of the states: they meet the data, and their moments are the smoother's; so are those of draws from the model itself."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import peers
import pytest

from engine import factor, factor_draw


@pytest.mark.parametrize(("R", "order", "gaps", "pairs"), [(1, 1, 0.0, False), (2, 2, 0.2, False), (1, 2, 0.1, True)])
def test_moments_are_those_of_the_smoother(R: int, order: int, gaps: float, pairs: bool) -> None:
    p, d = (peers.paired if pairs else peers.draw)(5, 30, 4, R, order, gaps)
    p = replace(p, noise=np.array([0.0, 0.3]))
    s = factor.smooth(p, d)
    n = 1500
    paths = np.stack(list(islice(factor_draw.draws(p, s, 1), n)))
    V = s.V[s.at]
    sd = np.sqrt(np.maximum(np.diagonal(V, axis1=1, axis2=2), 0.0))
    assert (np.abs(paths.mean(0) - s.x) <= 5.0 * sd / np.sqrt(n) + 1e-7).all()
    apart = paths - s.x
    for t in (0, 7, 15, 29):
        cov = apart[:, t].T @ apart[:, t] / n
        scale = np.sqrt(
            np.outer(sd[t] ** 2, sd[t] ** 2) + V[t] ** 2
        )  # of the error of a sampled covariance, times sqrt n
        assert (np.abs(cov - V[t]) <= 6.0 * scale / np.sqrt(n) + 1e-7).all(), t


def test_every_draw_meets_what_is_known_exactly() -> None:
    p, d = peers.draw(6, 30, 3, 2, 1, 0.1)
    p = replace(p, noise=np.zeros(2))
    s = factor.smooth(p, d)
    for path in islice(factor_draw.draws(p, s, 2), 3):
        said = path @ factor.rows(p, d.weights).T
        np.testing.assert_allclose(said[~np.isnan(d.X)], d.X[~np.isnan(d.X)], atol=1e-7)
        later = path[1:, width(p) : 2 * width(p)]
        np.testing.assert_allclose(later, path[:-1, : width(p)], atol=1e-7)  # one path, lag by lag


def width(p: factor.Parameters) -> int:
    return len(p.Q) + len(p.x_rho)


def test_the_same_seed_gives_the_same_draws() -> None:
    p, d = peers.draw(7, 24, 3, 1, 1, 0.0)
    s = factor.smooth(p, d)
    a, b = (np.stack(list(islice(factor_draw.draws(p, s, 3), 2))) for _ in range(2))
    assert np.array_equal(a, b)
    assert np.abs(a[0] - a[1]).max() > 0.01
