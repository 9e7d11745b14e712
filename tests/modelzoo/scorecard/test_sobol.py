"""Sobol indices beside functions whose indices are known."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import BadInput, NotEnoughData
from modelzoo.scorecard.sobol import design, indices


def test_ishigami() -> None:
    # sin x1 + 7 sin² x2 + 0.1 x3⁴ sin x1 on (-π, π)³ (Ishigami & Homma 1990): closed forms
    x = (2 * design(20_000, 3, 1) - 1) * np.pi
    y = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    found = indices(y, ("a", "b", "c"))
    assert found.variance == pytest.approx(13.8446, rel=0.02)
    np.testing.assert_allclose(found.first, [0.3139, 0.4424, 0.0], atol=0.02)
    np.testing.assert_allclose(found.total, [0.5576, 0.4424, 0.2437], atol=0.02)
    for low, value, high in (
        (found.first_low, found.first, found.first_high),
        (found.total_low, found.total, found.total_high),
    ):
        assert (low <= value).all()
        assert (value <= high).all()


def test_without_interaction_first_and_total_agree_and_sum_to_one() -> None:
    found = indices(design(20_000, 3, 2) @ np.array([1.0, 2.0, 3.0]), ("a", "b", "c"))
    np.testing.assert_allclose(found.total, np.array([1, 4, 9]) / 14, atol=0.01)
    assert found.first.sum() == pytest.approx(1.0, abs=0.03)
    assert found.total.sum() == pytest.approx(1.0, abs=0.02)


def test_the_uncentred_estimator_is_that_of_coinr() -> None:
    x = design(4000, 2, 3)
    y = x[:, 0] + x[:, 0] * x[:, 1] - 0.75  # mean 0 in expectation: centring then changes next to nothing
    a, b, ab = y[:4000], y[4000:8000], y[8000:].reshape(2, -1)
    found = indices(y, ("a", "b"))
    variance = np.var(y[:8000], ddof=1)
    assert found.variance == pytest.approx(variance)
    np.testing.assert_allclose(found.first, (b * (ab - a)).mean(1) / variance, atol=0.01)
    np.testing.assert_allclose(found.total, ((a - ab) ** 2).sum(1) / (2 * 4000 * variance), rtol=1e-9)


def test_an_idle_input_has_none() -> None:
    found = indices(design(500, 2, 4)[:, 0], ("a", "idle"))
    assert found.first[1] == 0.0
    assert found.total[1] == 0.0
    assert found.total[0] == pytest.approx(1.0, abs=0.1)


def test_reproducible_by_seed() -> None:
    x = design(100, 2, 5)
    assert np.array_equal(x, design(100, 2, 5))
    assert not np.array_equal(x, design(100, 2, 6))
    y = x.sum(1)
    assert np.array_equal(indices(y, ("a", "b"), seed=1).first_low, indices(y, ("a", "b"), seed=1).first_low)


def test_errors_say_what_to_do() -> None:
    with pytest.raises(NotEnoughData, match="no variance"):
        indices(np.ones(40), ("a", "b"))
    with pytest.raises(BadInput, match="not a finite number"):
        indices(np.append(np.arange(39.0), np.nan), ("a", "b"))
    with pytest.raises(BadInput, match="outcomes of a design"):
        indices(np.arange(41.0), ("a", "b"))
    with pytest.raises(BadInput, match="two inputs"):
        design(10, 1, 0)
