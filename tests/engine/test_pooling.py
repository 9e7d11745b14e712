"""Weights by hand, shares on the simplex, widths that hold what they should; and what is not known teaches nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import ndtri

from engine.errors import BadInput
from engine.estimate import BANDS, LEVELS
from engine.ledger import Ledger
from engine.pooling import BOUND, Rule, Weights, bounded, learn, widened
from engine.typing import Floats

RULES: tuple[Rule, ...] = ("equal", "inverse", "discounted", "stacking")
Z: Floats = ndtri(np.array(LEVELS))


def ledger(errors: Floats, outcome: Floats | None = None, sd: float = 1.0, horizon: int = 0) -> Ledger:
    """A case a row of ``errors`` ``(n, M)``, a quarter apart, each known a day after the one before."""
    n, m = errors.shape
    y = np.zeros(n) if outcome is None else outcome
    mean = errors + y[:, None]
    return Ledger(
        tuple(f"m{j}" for j in range(m)), np.full(n, horizon), np.arange(n), mean, mean[:, :, None] + sd * Z, y,
        np.arange(n) * 86_400_000_000,
    )  # fmt: skip


def test_nothing_known_is_equal_weights_and_unchanged_bands() -> None:
    for rule in RULES:
        w = learn(Ledger.empty(("a", "b")), rule)
        assert w.shares.tolist() == [[0.5, 0.5]]
        assert w.widths.tolist() == [[1.0, 1.0, 1.0]]


def test_inverse_weights_by_hand() -> None:
    w = learn(ledger(np.array([[1.0, 2.0], [-1.0, 2.0]])), "inverse", prior=0.0)
    assert w.shares[0] == pytest.approx([0.8, 0.2])  # mean squared errors 1 and 4
    drawn = learn(ledger(np.array([[1.0, 2.0], [-1.0, 2.0]])), "inverse", prior=2.0)
    assert drawn.shares[0] == pytest.approx([0.65, 0.35])  # halfway to equal


def test_discounted_weights_by_hand() -> None:
    w = learn(ledger(np.array([[3.0, 1.0], [1.0, 1.0]])), "discounted", discount=0.5, prior=0.0)
    assert w.shares[0] == pytest.approx([3 / 14, 11 / 14])  # (9/2 + 1) / 1.5 and 1


def test_stacking_is_the_least_squares_of_the_simplex() -> None:
    g = np.random.default_rng(1)
    errors = g.normal(size=(40, 3)) * [1.0, 1.5, 3.0] + 0.7 * g.normal(size=(40, 1))
    for prior in (0.0, 8.0):
        found = learn(ledger(errors), "stacking", prior=prior).shares[0]
        spread = float(np.mean((errors - errors.mean(1, keepdims=True)) ** 2))

        def loss(w: Floats, ridge: float = prior * spread) -> float:
            return float(np.sum((errors @ w) ** 2) + ridge * np.sum((w - 1 / 3) ** 2))

        other = minimize(
            loss,
            np.full(3, 1 / 3),
            bounds=[(0, 1)] * 3,
            constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
            tol=1e-12,
        )
        assert loss(found) <= other.fun * (1 + 1e-6)
        assert found == pytest.approx(other.x, abs=2e-3)


@given(st.integers(1, 30), st.integers(1, 5), st.sampled_from(RULES), st.integers(0, 10**6))
def test_shares_lie_on_the_simplex_and_units_do_not_matter(n: int, m: int, rule: Rule, seed: int) -> None:
    errors = np.random.default_rng(seed).normal(size=(n, m))
    a, b = learn(ledger(errors), rule), learn(ledger(1000.0 * errors, sd=1000.0), rule)
    assert (a.shares >= 0).all()
    assert a.shares.sum(1) == pytest.approx(1.0)
    assert a.shares == pytest.approx(b.shares, abs=1e-6)
    assert a.widths == pytest.approx(b.widths, rel=1e-6)


@given(st.integers(3, 30), st.integers(2, 5), st.sampled_from(RULES), st.floats(1e2, 1e6), st.integers(0, 10**6))
def test_how_far_an_error_lies_out_moves_no_weight(n: int, m: int, rule: Rule, far: float, seed: int) -> None:
    errors = np.random.default_rng(seed).normal(size=(n, m))
    at, size = n // 2, np.sqrt(np.mean(errors**2, 1))
    errors[at] *= BOUND * size.max() / size[at]
    farther = errors.copy()
    farther[at] *= far
    assert learn(ledger(farther), rule).shares == pytest.approx(learn(ledger(errors), rule).shares, abs=1e-5)


def test_one_quarter_like_that_of_2020_does_not_decide() -> None:
    g = np.random.default_rng(2)
    errors = g.normal(size=(60, 2)) * [1.0, 1.4] + 0.3 * g.normal(size=(60, 1))
    with_one = np.vstack(
        [errors, [[33.0, 22.0]]]
    )  # who is better in all other quarters is worse by eleven points in this one
    assert np.mean(with_one**2, axis=0)[0] > np.mean(with_one**2, axis=0)[1]
    for rule in RULES[1:]:
        before, after = (learn(ledger(e), rule).shares[0] for e in (errors, with_one))
        assert before[0] > 0.55
        assert before[0] > after[0] > 0.5, rule
    assert bounded(errors[:5]) == pytest.approx(errors[:5])  # nothing unusual, nothing bounded


def test_members_that_never_err_weigh_the_same() -> None:
    for rule in RULES:
        assert learn(ledger(np.zeros((5, 2))), rule).shares[0] == pytest.approx([0.5, 0.5])
    assert bounded(np.array([[0.0, 0.0]] * 3 + [[1.0, 2.0]])).tolist() == [[0.0, 0.0]] * 3 + [[1.0, 2.0]]


def test_each_horizon_learns_for_itself() -> None:
    near, far = ledger(np.array([[1.0, 9.0]] * 20)), ledger(np.array([[9.0, 1.0]] * 20), horizon=-3)
    w = learn(_joined(near, far), "inverse")
    assert w.horizons.tolist() == [-3, 0]
    assert w.shares[w.row(0)][0] > 0.6 > 0.4 > w.shares[w.row(-3)][0]
    assert w.row(-9) == w.row(-3)  # the nearest that is known


def test_widths_hold_their_share_of_outcomes() -> None:
    g = np.random.default_rng(3)
    said = ledger(np.zeros((400, 2)), outcome=2.5 * g.normal(size=400))
    said = Ledger(
        said.members, said.horizon, said.period, 0 * said.mean, np.tile(Z, (400, 2, 1)), said.outcome, said.known
    )
    w = learn(said, "equal", prior=0.0)
    assert w.widths[0] == pytest.approx([2.5, 2.5, 2.5], rel=0.15)
    _, q = w.combine(np.zeros(2), np.tile(Z, (2, 1)), 0)
    for percent, (low, high) in BANDS.items():
        held = np.mean((said.outcome >= q[low]) & (said.outcome <= q[high]))
        assert abs(held - percent / 100) < 0.01
    assert learn(said, "equal", calibrate=False).widths.tolist() == [[1.0, 1.0, 1.0]]


def test_bands_are_learned_over_all_horizons_at_once() -> None:
    g = np.random.default_rng(4)
    near, far = (
        ledger(np.zeros((30, 2)), outcome=sd * g.normal(size=30), sd=sd / 2, horizon=h)
        for sd, h in ((1.0, 0), (5.0, -3))
    )
    near, far = (Ledger(x.members, x.horizon, x.period, 0 * x.mean, x.quantiles - x.mean[:, :, None], x.outcome, x.known)
                 for x in (near, far))  # fmt: skip
    both = learn(_joined(near, far), "equal")
    assert both.widths[0].tolist() == both.widths[1].tolist()
    assert both.widths[0] == pytest.approx([2.0, 2.0, 2.0], rel=0.25)  # said half as wide as they are, five times apart
    assert learn(near, "equal", prior=1e9).widths[0] == pytest.approx([1.0, 1.0, 1.0], abs=1e-6)


@given(st.lists(st.floats(0.0, 5.0), min_size=3, max_size=3))
def test_widened_bands_never_cross(widths: list[float]) -> None:
    q = widened(np.array([-3.0, -2.0, -0.1, 0.0, 0.2, 2.0, 9.0]), np.array(widths))
    assert (np.diff(q) >= 0).all()
    assert q[3] == 0.0


def test_a_member_that_is_silent_leaves_its_share() -> None:
    w = Weights(np.zeros(1, np.int64), np.array([[0.5, 0.3, 0.2]]), np.ones((1, 3)))
    mean, quantiles = np.array([1.0, np.nan, 3.0]), np.tile(Z, (3, 1))
    quantiles[1] = np.nan
    level, q = w.combine(mean, quantiles, 0)
    assert level == pytest.approx((0.5 * 1 + 0.2 * 3) / 0.7)
    assert np.isfinite(q).all()
    alone = Weights(np.zeros(1, np.int64), np.array([[1.0, 0.0]]), np.ones((1, 3)))
    assert alone.among(0, np.array([False, True])).tolist() == [0.0, 1.0]


def test_only_what_was_known_is_before() -> None:
    whole = ledger(np.ones((10, 2)))
    day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=4)
    assert len(whole.before(day)) == 5
    assert len(whole.before(day - timedelta(microseconds=1))) == 4


def test_a_ledger_with_holes_is_refused() -> None:
    with pytest.raises(BadInput, match="finite"):
        ledger(np.array([[np.nan, 1.0]]))
    with pytest.raises(BadInput, match="does not fit"):
        Ledger(
            ("a",),
            np.zeros(2, np.int64),
            np.zeros(1, np.int64),
            np.zeros((2, 1)),
            np.zeros((2, 1, 7)),
            np.zeros(2),
            np.zeros(2, np.int64),
        )


def _joined(a: Ledger, b: Ledger) -> Ledger:
    pairs = enumerate(zip(_fields(a), _fields(b), strict=True))
    return Ledger(*(x if i == 0 else np.concatenate([x, y]) for i, (x, y) in pairs))  # type: ignore[arg-type]


def _fields(x: Ledger) -> tuple[object, ...]:
    return (x.members, x.horizon, x.period, x.mean, x.quantiles, x.outcome, x.known)
