"""Correlation structure: against numpy, closed forms, and copies that must be seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import BadInput, NotEnoughData
from engine.typing import Floats, Ints
from modelzoo.scorecard.redundancy import coherence, correlation, redundancy

NAMES = ("a1", "a2", "a3", "b1", "b2")
GROUPS: dict[str, Ints] = {"a": np.arange(3), "b": np.arange(3, 5)}


def sample(seed: int, units: int = 30) -> Floats:
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(units, 2))
    return factors[:, [0, 0, 0, 1, 1]] + rng.normal(size=(units, 5))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 4))
def test_a_copy_of_any_indicator_is_seen(seed: int, j: int) -> None:
    values = sample(seed)
    with_copy = np.column_stack([values, 3.0 * values[:, j] + 7.0])
    found = redundancy(with_copy, (*NAMES, "copy"), {**GROUPS, "c": np.array([5])})
    assert (NAMES[j], "copy") in {(p.a, p.b) for p in found.twins}
    assert found.twins[0].r == pytest.approx(1.0)
    assert found.twins[0].within == ""  # they stand in different groups


def test_correlations_are_numpys_and_over_what_both_have() -> None:
    values = sample(1)
    r, n = correlation(values, NAMES)
    np.testing.assert_allclose(r, np.corrcoef(values, rowvar=False), atol=1e-12)
    assert (n == 30).all()
    values[:5, 0] = np.nan
    values[3:9, 4] = np.nan
    r, n = correlation(values, NAMES)
    assert r[0, 4] == pytest.approx(np.corrcoef(values[9:, 0], values[9:, 4])[0, 1])
    assert r[0, 1] == pytest.approx(np.corrcoef(values[5:, 0], values[5:, 1])[0, 1])
    assert (n[0, 4], n[0, 1]) == (21, 25)


def test_what_goes_against_its_group_and_what_stands_in_the_wrong_one() -> None:
    values = sample(2, 400)
    values[:, 1] *= -1.0
    values[:, 2] = values[:, 3] + np.random.default_rng(3).normal(size=400)
    found = redundancy(values, NAMES, GROUPS)
    assert {(p.a, p.b, p.within) for p in found.against} == {("a1", "a2", "a")}
    assert ("a3", "a", "b") in found.astray
    assert found.own[3] == pytest.approx(found.correlation[3, 4])
    assert not found.twins


def test_alpha_by_hand_and_its_closed_form() -> None:
    # (1,2,3), (2,2,3), (3,4,3), (4,4,3.5) ... variances of columns over the variance of the sums
    x = np.array([[1.0, 2, 3], [2, 1, 4], [3, 4, 3], [4, 5, 6], [5, 3, 5]])
    expected = 3 / 2 * (1 - x.var(0, ddof=1).sum() / x.sum(1).var(ddof=1))
    found = coherence(x, ("p", "q", "r"), "g")
    assert found.alpha == pytest.approx(expected)
    assert found.alpha_without[2] == pytest.approx(
        2 * (1 - x[:, :2].var(0, ddof=1).sum() / x[:, :2].sum(1).var(ddof=1))
    )
    z = (x - x.mean(0)) / x.std(0, ddof=1)  # of standardised columns: k r / (1 + (k - 1) r)
    r = np.corrcoef(x, rowvar=False)[np.triu_indices(3, 1)].mean()
    assert coherence(z, ("p", "q", "r"), "g").alpha == pytest.approx(3 * r / (1 + 2 * r))


def test_components_of_one_factor_and_of_none() -> None:
    rng = np.random.default_rng(5)
    factor = rng.normal(size=(500, 1))
    one = coherence(factor + 0.3 * rng.normal(size=(500, 4)), tuple("pqrs"), "g")
    assert one.explained.sum() == pytest.approx(1.0)
    assert one.explained[0] > 0.9
    assert one.dimensions == 1
    assert one.alpha > 0.95
    none = coherence(rng.normal(size=(500, 4)), tuple("pqrs"), "g")
    assert none.explained[0] < 0.32
    assert abs(none.alpha) < 0.25
    alone = coherence(rng.normal(size=(500, 1)), ("p",), "g")
    assert np.isnan(alone.alpha)
    assert alone.explained.tolist() == [1.0]


def test_order_and_scale_do_not_matter() -> None:
    values = sample(6)
    a = redundancy(values, NAMES, GROUPS)
    b = redundancy(values[::-1] * np.array([1.0, 10, 5, 2, 3]) + 4.0, NAMES, GROUPS)
    np.testing.assert_allclose(a.correlation, b.correlation, atol=1e-12)
    assert a.astray == b.astray


def test_errors_name_the_indicator() -> None:
    values = sample(7)
    flat = values.copy()
    flat[:, 1] = 3.0
    with pytest.raises(BadInput, match="a2 is the same for all units"):
        redundancy(flat, NAMES, GROUPS)
    thin = values.copy()
    thin[3:, 0] = np.nan
    with pytest.raises(NotEnoughData, match="a1 and a1 are known together for 3 units"):
        redundancy(thin, NAMES, GROUPS)
