"""Weights: worked by hand, and the figures of scikit-criteria and pymcdm with the preparation that makes them equal."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.errors import BadInput, Refused
from engine.typing import Floats
from modelzoo.scorecard.weights import ahp, budget, critic, deviation, entropy, pca

# scikit-criteria's simple stock selection: return on equity, market capitalisation (more is better), risk (less is better);
# golden numbers computed from it by scikit-criteria (BSD-3) and pymcdm (MIT)
STOCK = np.array([[7.0, 5, 35], [5, 4, 26], [5, 6, 28], [3, 4, 36], [1, 7, 30], [5, 8, 30]])
TOWARD = np.array([1.0, 1.0, -1.0])
NAMES = ("ROE", "CAP", "RI")
GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "mcdm" / "simple_stock.json").read_text())


def zero() -> Floats:
    """The same with one zero, on which packages part ways."""
    x = STOCK.copy()
    x[0, 2] = 0.0
    return x


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (entropy(STOCK, TOWARD, "raw"), "sk_entropy"),
        (entropy(STOCK, TOWARD, "raw"), "pymcdm_entropy_weights"),
        (critic(STOCK, TOWARD), "sk_critic"),
        (critic(STOCK, np.ones(3)), "pymcdm_critic_weights"),
        (deviation(STOCK, TOWARD, "raw"), "sk_std"),
        (deviation(STOCK, TOWARD, "raw"), "pymcdm_standard_deviation_weights"),
    ],
)
def test_packages_agree_once_the_preparation_is_said(ours: object, theirs: str) -> None:
    np.testing.assert_allclose(ours.values, GOLDEN[theirs], rtol=0, atol=1e-6)  # type: ignore[attr-defined]


def test_entropy_of_one_matrix_by_its_preparation() -> None:
    raw = entropy(zero(), np.ones(3), "raw")
    scaled = entropy(zero(), np.ones(3))
    shifted = entropy(zero(), np.ones(3), shift=1.0)
    np.testing.assert_allclose(raw.values, [0.336, 0.102, 0.561], atol=5e-4)
    np.testing.assert_allclose(scaled.values, [0.251, 0.548, 0.202], atol=6e-4)
    np.testing.assert_allclose(shifted.values, [0.282, 0.452, 0.267], atol=6e-4)
    assert len({w.prepared for w in (raw, scaled, shifted)}) == 3
    # and with the direction, which the packages leave out, the third way
    assert np.abs(entropy(zero(), TOWARD).values - scaled.values).max() > 0.1


def test_entropy_by_hand() -> None:
    # column a: shares 1/2, 1/2: e = 1, no weight; column b: shares 1/4, 3/4: all of it
    np.testing.assert_allclose(entropy(np.array([[1.0, 1], [1, 3]]), np.ones(2), "raw").values, [0, 1], atol=1e-12)
    # three units; a: shares 0, 0, 1: e = 0; b: 0, 1/2, 1/2: e = ln 2 / ln 3
    found = entropy(np.array([[0.0, 0], [0, 1], [1, 1]]), np.ones(2)).values
    rest = 1 - np.log(2) / np.log(3)
    np.testing.assert_allclose(found, [1 / (1 + rest), rest / (1 + rest)], rtol=1e-12)


def test_critic_by_hand() -> None:
    # a and b the same, c against both: conflict 2, 2, 4 on equal spread
    x = np.array([[0.0, 0, 1], [1, 1, 0], [0, 0, 1], [1, 1, 0]])
    np.testing.assert_allclose(critic(x, np.ones(3)).values, [0.25, 0.25, 0.5], rtol=1e-12)
    with pytest.raises(BadInput, match="nothing in the data"):
        critic(x, np.array([1.0, 1.0, -1.0]))  # turned round, c is a third copy: no conflict at all


def test_ahp_of_consistent_judgements_returns_the_weights_behind_them() -> None:
    w = np.array([0.5, 0.3, 0.15, 0.05])
    found = ahp(w[:, None] / w[None, :])
    np.testing.assert_allclose(found.values, w, rtol=1e-12)
    assert found.consistency == pytest.approx(0.0, abs=1e-12)


def test_ahp_by_hand() -> None:
    # for three items λ = 1 + c + 1/c with c³ = a12 a23 / a13, and the vector is that of the row-wise geometric means
    judged = np.array([[1, 1 / 3, 5], [3, 1, 7], [1 / 5, 1 / 7, 1]])
    c = (judged[0, 1] * judged[1, 2] / judged[0, 2]) ** (1 / 3)
    means = np.array([5 / 3, 21, 1 / 35]) ** (1 / 3)
    found = ahp(judged)
    np.testing.assert_allclose(found.values, means / means.sum(), rtol=1e-10)
    assert found.consistency == pytest.approx((c + 1 / c - 2) / 2 / 0.58, rel=1e-9)


def test_ahp_refuses_contradictions_and_names_the_worst() -> None:
    # a is twice b, b is twice c, yet c is said to be three times a
    with pytest.raises(Refused, match=r"consistency ratio .* at most 0.1.*against") as said:
        ahp(np.array([[1, 2, 1 / 3], [1 / 2, 1, 2], [3, 1 / 2, 1]]), ("a", "b", "c"))
    assert all(name in str(said.value) for name in ("a", "c"))
    with pytest.raises(BadInput, match=r"a against b .* reciprocal"):
        ahp(np.array([[1.0, 2], [2, 1]]), ("a", "b"))
    with pytest.raises(BadInput, match="1 … 10"):
        ahp(np.ones((11, 11)))


def test_two_judged_items_cannot_contradict() -> None:
    assert ahp(np.array([[1, 9], [1 / 9, 1]])).values == pytest.approx([0.9, 0.1])


def test_budget_gives_each_expert_the_same_say() -> None:
    np.testing.assert_allclose(budget(np.array([[50.0, 50], [10, 0]])).values, [0.75, 0.25])
    with pytest.raises(BadInput, match="expert 1"):
        budget(np.array([[1.0, 1], [0, 0]]))
    with pytest.raises(BadInput, match="node b"):
        budget(np.array([[1.0, -1]]), ("a", "b"))


def test_first_component_of_two_equal_columns_weighs_them_alike() -> None:
    x = np.arange(6.0)
    found = pca(np.c_[x, 10 * x + 1], np.ones(2))
    np.testing.assert_allclose(found.values, [0.5**0.5] * 2)
    assert "100%" in found.notes[0]
    against = pca(np.c_[x, x + np.array([0, 1, 0, 2, 0, 1]), -x], np.ones(3), NAMES)
    assert any("RI has a negative weight" in note for note in against.notes)


def test_direction_turns_the_component_round() -> None:
    x = np.arange(6.0)
    assert (pca(np.c_[x, -x], np.array([1.0, -1.0])).values > 0).all()


@pytest.mark.parametrize("method", [entropy, critic, deviation, pca])
def test_gaps_and_constants_are_refused_by_name(method: object) -> None:
    gap, flat = STOCK.copy(), STOCK.copy()
    gap[2, 1] = np.nan
    flat[:, 2] = 1.0
    for x, name in ((gap, "CAP"), (flat, "RI")):
        with pytest.raises(BadInput, match=f"node {name}"):
            method(x, TOWARD, names=NAMES)  # type: ignore[operator]


def test_raw_shares_of_negative_values_are_refused() -> None:
    with pytest.raises(BadInput, match="node ROE: entropy takes values from 0"):
        entropy(np.array([[-1.0, 1], [2, 3]]), np.ones(2), "raw", names=NAMES)


@settings(deadline=None)
@given(
    arrays(np.float64, (7, 3), elements=st.integers(0, 50).map(float)).filter(lambda x: (np.ptp(x, axis=0) > 0).all()),
    st.floats(0.1, 100),
    st.floats(-50, 50),
)
def test_weights_do_not_depend_on_units_of_measure(x: Floats, scale: float, shift: float) -> None:
    other = x.copy()
    other[:, 1] = scale * other[:, 1] + shift
    for method in (entropy, deviation, pca):
        before = method(x, TOWARD)
        after = method(other, TOWARD)
        if method is pca and abs(before.values.sum()) < 1e-6:
            continue  # the sign of the component is a matter of rounding
        overlap = abs(float(before.values @ after.values)) / float(np.sum(before.values**2))
        if method is pca and overlap < 1 - 1e-6:
            continue  # two components explain the same: either may come first
        np.testing.assert_allclose(after.values, before.values, atol=1e-6)
