"""The steps before scores: denominators, screening, gaps, outliers, each by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize

from engine.errors import BadInput, NotEnoughData
from engine.typing import Floats
from modelzoo.scorecard.choices import Missing, Screening, Treatment
from modelzoo.scorecard.denominate import denominate
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.impute import impute
from modelzoo.scorecard.node import Node
from modelzoo.scorecard.outliers import fails, kurtosis, skew, treat, winsorise
from modelzoo.scorecard.screen import screen

NAN = float("nan")


def flat(*leaves: Node, missing: Missing = "leave") -> Framework:
    return Framework("f", "f", "f", Node("top", children=leaves), missing=missing)


def three(missing: Missing) -> Framework:
    return flat(*(Node(name, direction=1) for name in "abc"), missing=missing)


def test_totals_become_rates() -> None:
    framework = flat(Node("gdp", direction=1, denominator="people"), Node("cars", direction=1, denominator="gdp"))
    raw = np.array([[10.0, 5.0], [20.0, NAN]])
    found = denominate(framework, raw, {"people": np.array([2.0, NAN])})
    np.testing.assert_array_equal(found, [[5.0, 0.5], [NAN, NAN]])
    history = denominate(framework, np.stack([raw, raw]), {"people": np.array([[2.0, 1], [4, 2]])})
    np.testing.assert_array_equal(history[:, :, 0], [[5, 20], [2.5, 10]])
    with pytest.raises(BadInput, match="node gdp: its denominator people is not given"):
        denominate(framework, raw, {})
    with pytest.raises(BadInput, match="node gdp: its denominator people of 杭州 is not above 0"):
        denominate(framework, raw, {"people": np.array([0.0, 1])}, ("杭州", "宁波"))
    with pytest.raises(BadInput, match="node gdp: its denominator people must be"):
        denominate(framework, raw, {"people": np.ones(3)})


def test_screening_counts_gaps_and_zeros() -> None:
    x = np.array([[1.0, 0, 3, NAN], [0, 0, 0, 1], [NAN, NAN, NAN, NAN]])
    found = screen(x, Screening(known=0.75, nonzero=0.5))
    assert found.known.tolist() == [0.75, 1, 0]
    assert found.nonzero.tolist() == [pytest.approx(2 / 3), 0.25, 0]
    assert found.kept.tolist() == [True, False, False]
    assert "25% of the known indicators are not 0, 50%" in found.reason(1, Screening(0.75, 0.5))
    assert "75% of the indicators are known, 80%" in found.reason(0, Screening(0.8))
    assert found.reason(2, Screening(0.75)) == "nothing is known of it"
    assert screen(x, Screening()).kept.tolist() == [True, True, False]  # of the last nothing is known at all


def test_gaps_from_the_past_take_the_latest_value() -> None:
    x = np.array([[NAN, 2.0, 3], [1, NAN, 3]])
    past = np.array([[[7.0, 0, 0], [0, 8.0, 0]], [[9.0, 0, 0], [0, NAN, 0]]])
    found = impute(three("time"), x, history=past)
    np.testing.assert_array_equal(found.values, [[9, 2, 3], [1, 8, 3]])
    assert found.filled.tolist() == [[True, False, False], [False, True, False]]
    assert found.rules == ("time",) * 3
    with pytest.raises(BadInput, match="node a: to fill gaps from the past, give history"):
        impute(three("time"), x)
    with pytest.raises(NotEnoughData, match="node b: the rule 'time' finds nothing to fill the gap of 宁波"):
        impute(three("time"), x, history=past[1:], units=("杭州", "宁波"))


def test_gaps_by_group_mean_and_rules_by_indicator() -> None:
    x = np.array([[1.0, NAN, NAN], [3, 2, 1], [NAN, 6, 2], [9, 8, 3]])
    framework = flat(
        Node("a", direction=1), Node("b", direction=1), Node("c", direction=1, missing="leave"), missing="group"
    )
    found = impute(framework, x, ("east", "east", "west", "west"))
    np.testing.assert_array_equal(found.values, [[1, 2, NAN], [3, 2, 1], [9, 6, 2], [9, 8, 3]])
    assert found.filled.sum() == 2
    alone = impute(framework, x)
    assert alone.values[0, 1] == pytest.approx(16 / 3)
    with pytest.raises(NotEnoughData, match="node b: the rule 'group' finds nothing to fill the gap of row 0"):
        impute(framework, x, ("north", "east", "west", "west"))


def test_gaps_by_regression_on_the_closest_reported_indicator() -> None:
    t = np.arange(7.0)
    x = np.c_[2 * t + 1, np.array([5.0, 1, 4, 2, 3, 0, 6]), t + np.array([0, 0.1, 0, -0.1, 0, 0.1, 0])]
    x[3, 0] = NAN
    by = x.copy()
    line = np.polyfit(np.delete(x[:, 2], 3), np.delete(x[:, 0], 3), 1)
    found = impute(three("regression"), by)
    assert found.values[3, 0] == pytest.approx(np.polyval(line, x[3, 2]))  # c goes with a almost exactly, b does not
    by[3, 2] = NAN  # c is not reported: then b, as far as it goes
    line = np.polyfit(np.delete(x[:, 1], 3), np.delete(x[:, 0], 3), 1)
    assert impute(three("regression"), by).values[3, 0] == pytest.approx(np.polyval(line, x[3, 1]))
    with pytest.raises(NotEnoughData, match="node a: the rule 'regression' finds nothing"):
        impute(three("regression"), by[:4])


def test_em_on_one_incomplete_indicator_is_the_regression_on_the_complete_ones() -> None:
    # where only one column has gaps, the normal likelihood has a closed answer: the least-squares line (Anderson 1957)
    rng = np.random.default_rng(3)
    x = rng.standard_normal((20, 3)) @ np.array([[1.0, 0.5, 0.8], [0, 1, 0.3], [0, 0, 0.6]])
    x[[2, 7, 11], 2] = NAN
    known = ~np.isnan(x[:, 2])
    design = np.c_[np.ones(20), x[:, :2]]
    beta = np.linalg.lstsq(design[known], x[known, 2], rcond=None)[0]
    found = impute(three("em"), x)
    np.testing.assert_allclose(found.values[~known, 2], design[~known] @ beta, atol=1e-7)
    assert found.filled.sum() == 3
    with pytest.raises(NotEnoughData, match="node c: EM on a group of 3 indicators needs 5 units"):
        impute(three("em"), x[:4])


def test_em_on_scattered_gaps_finds_the_largest_likelihood() -> None:
    # the filled values are the conditional means at the maximum of the likelihood of what is known, found here directly
    rng = np.random.default_rng(4)
    x = rng.standard_normal((30, 2)) @ np.array([[1.0, 0.7], [0.0, 0.8]]) + 5
    x[[1, 4, 9], 0] = NAN
    x[[2, 13, 20, 21], 1] = NAN
    seen = ~np.isnan(x)

    def misfit(p: Floats) -> float:
        mean, root = p[:2], np.array([[p[2], 0], [p[3], p[4]]])
        cov = root @ root.T
        total = 0.0
        for row, known in zip(x, seen, strict=True):
            part, away = cov[np.ix_(known, known)], (row - mean)[known]
            total += float(np.log(np.linalg.det(part)) + away @ np.linalg.solve(part, away))
        return total

    best = minimize(misfit, np.array([5, 5, 1, 0.5, 1.0]), method="BFGS", options={"gtol": 1e-7}).x
    cov = np.array([[best[2], 0], [best[3], best[4]]]) @ np.array([[best[2], best[3]], [0, best[4]]])
    found = impute(flat(Node("a", direction=1), Node("b", direction=1), missing="em"), x).values
    for j, k in ((0, 1), (1, 0)):
        gaps = ~seen[:, j]
        guess = best[j] + cov[j, k] / cov[k, k] * (x[gaps, k] - best[k])
        np.testing.assert_allclose(found[gaps, j], guess, atol=1e-4)


def test_the_card_s_outlier() -> None:
    x = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 30, 100])
    assert skew(x) == pytest.approx(3.063, abs=5e-4)
    assert kurtosis(x) == pytest.approx(9.741, abs=5e-4)
    found, done = treat(x[:, None], Treatment())
    assert found[-1, 0] == 30
    np.testing.assert_array_equal(found[:-1, 0], x[:-1])
    assert done.high.tolist() == [30]
    assert not done.logged.any()
    assert skew(1e-180 * x) == pytest.approx(skew(x))
    low, done = treat(-x[:, None], Treatment())  # the mirror image, from below
    np.testing.assert_array_equal(low, -found)
    assert done.low.tolist() == [-30]


def test_where_pulling_in_does_not_help_the_whole_indicator_is_logged() -> None:
    x = np.exp(np.linspace(0, 12, 25))[:, None]
    assert fails(winsorise(x[:, 0], Treatment(points=1)), Treatment())
    found, done = treat(x, Treatment(points=1))
    np.testing.assert_allclose(found, np.log(x - x.min() + 0.01 * np.ptp(x)))
    assert done.logged.all()
    assert (np.diff(found[:, 0]) > 0).all()  # the order of units is kept
    held, done = treat(x, Treatment(points=1), np.array([False]))  # held against fixed values: it stays on its scale
    assert not done.logged.any()
    assert held[-1] == x[-2]
    assert (held[:-1] == x[:-1]).all()


def test_a_treatment_is_done_again_to_another_year() -> None:
    x = np.c_[np.r_[np.arange(24.0), 200], np.exp(np.linspace(0, 12, 25))]
    found, done = treat(x, Treatment(points=1))
    assert done.logged.tolist() == [False, True]
    np.testing.assert_allclose(done.apply(x), found)
    later = done.apply(np.array([[500.0, -7.0], [NAN, 2.0]]))
    assert later[0, 0] == done.high[0] == 23
    assert later[0, 1] == pytest.approx(np.log(0.01 * np.ptp(x[:, 1])))  # below the foot of the log scale: held at it
    assert np.isnan(later[1, 0])


def test_ties_few_values_and_constants_are_left_alone() -> None:
    same = np.full((8, 1), 3.0)
    few = np.array([[1.0], [2], [1000], [NAN]])
    for x in (same, few):
        np.testing.assert_array_equal(treat(x, Treatment())[0], x)
    two = np.r_[np.zeros(30), 1.0]  # pulling in the one makes all the same, which passes
    assert winsorise(two, Treatment()).tolist() == [0.0] * 31
    with pytest.raises(BadInput, match="skewness needs 3 values that differ"):
        skew(np.array([1.0, 2]))


@settings(deadline=None)
@given(arrays(np.float64, 15, elements=st.floats(-1e3, 1e3)), st.floats(0.01, 100), st.floats(-100, 100))
def test_treatment_keeps_order_and_does_not_depend_on_units(x: Floats, scale: float, shift: float) -> None:
    x = np.round(x, 3)
    found, done = treat(x[:, None], Treatment())
    order = np.argsort(x, kind="stable")
    assert (np.diff(found[order, 0]) >= 0).all()
    other, again = treat(scale * x[:, None] + shift, Treatment())
    limit = np.ptp(x) > 0 and min(abs(abs(skew(x)) - 2), abs(kurtosis(x) - 3.5)) < 1e-6
    assume(not limit)  # there, rounding decides
    assert np.array_equal(again.logged, done.logged)
    if not done.logged[0]:
        np.testing.assert_allclose(other, scale * found + shift, rtol=1e-6, atol=1e-6 * (1 + scale))
