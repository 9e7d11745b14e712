"""Goals of the year: probabilities from quantiles, alone and together."""

from __future__ import annotations

from datetime import UTC, datetime
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calendar import Period
from engine.errors import BadInput, Unknown
from engine.estimate import LEVELS, Estimate
from modelzoo.scorecard.composite import TEMPLATES
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.targets import Goal, goals, outlook, probability_below, together

ASOF, YEAR = datetime(2024, 9, 1, tzinfo=UTC), Period.parse("2024")


def said(name: str, mean: float, sd: float) -> Estimate:
    return Estimate.normal(f"{name}@SYN-33", ASOF, [YEAR + -1, YEAR], np.array([0.0, mean]), np.array([1.0, sd]))


@given(st.floats(-50, 50), st.floats(0.1, 20), st.floats(-4, 4))
def test_a_normal_estimate_gives_the_normal_probability(mean: float, sd: float, z: float) -> None:
    found = outlook(Goal("gdp", mean + z * sd), said("gdp", mean, sd), YEAR)
    assert found.probability == pytest.approx(1 - NormalDist().cdf(z), abs=1e-9)
    assert found.margin == pytest.approx(-z * sd, abs=1e-9)
    turned = outlook(Goal("gdp", mean + z * sd, -1), said("gdp", mean, sd), YEAR)
    assert turned.probability == pytest.approx(1 - found.probability)
    assert turned.margin == pytest.approx(-found.margin)


def test_quantiles_are_met_exactly_also_skewed_or_with_a_step() -> None:
    skewed = np.exp(np.array([NormalDist().inv_cdf(p) for p in LEVELS]))
    for level, value in zip(LEVELS, skewed, strict=True):
        assert probability_below(skewed, value) == pytest.approx(level)
    step = np.array([1.0, 2, 3, 3, 3, 4, 5])
    assert probability_below(step, 3.0) == pytest.approx(0.5)
    assert probability_below(step, 2.0) == pytest.approx(0.1)
    assert [probability_below(np.full(7, 2.0), x) for x in (1.9, 2.0, 2.1)] == [0, 1, 1]


def test_a_goal_that_is_just_reached_is_met_from_both_sides() -> None:
    for direction in (1, -1):
        for value, met in ((4.9, direction == -1), (5.0, True), (5.1, direction == 1)):
            assert outlook(Goal("gdp", 5.0, direction), said("gdp", value, 0.0), YEAR).probability == float(met)


def test_all_together_by_hand() -> None:
    asked = (Goal("a", 5.0, weight=2), Goal("b", 5.0, -1), Goal("c", 0.0))
    estimates = {"a": said("a", 5.0, 1.0), "b": said("b", 5.0, 2.0), "c": said("c", 9.0, 1.0)}
    apart = together(asked, estimates, YEAR)
    assert apart.all == pytest.approx(0.25, abs=1e-9)
    assert [apart.low, apart.high] == pytest.approx([0.0, 0.5], abs=1e-9)
    assert apart.expected == pytest.approx((2 * 0.5 + 0.5 + 1) / 4)
    # two medians: 1/4 + asin(ρ) / 2π, the sign turned where one goal is "at most" (Sheppard 1899)
    for rho in (0.6, -0.6):
        R = np.eye(3)
        R[0, 1] = R[1, 0] = rho
        assert together(asked, estimates, YEAR, R).all == pytest.approx(0.25 + np.arcsin(-rho) / (2 * np.pi), abs=1e-4)
    same = np.array([[1, 1], [1, 1]])
    assert together([asked[0], Goal("a2", 6.0)], estimates | {"a2": said("a2", 5, 1)}, YEAR, same).all == pytest.approx(
        1 - NormalDist().cdf(1), abs=1e-4
    )


def test_the_goals_of_the_template_and_what_is_refused() -> None:
    found = goals(Framework.read(TEMPLATES / "annual_targets.toml"))
    assert (found[0].name, found[0].value, found[0].direction) == ("gdp_yoy_ytd", 5.5, 1)
    assert [g.weight for g in found] == pytest.approx([2 / 7] + [1 / 7] * 5)
    assert found[-1].direction == -1
    estimates = {g.name: said(g.name, g.value, 1.0) for g in found}
    assert together(found, estimates, YEAR).all == pytest.approx(0.5**6)
    with pytest.raises(Unknown, match="gdp_yoy_ytd"):
        together(found, {k: v for k, v in estimates.items() if k != "gdp_yoy_ytd"}, YEAR)
    with pytest.raises(Unknown, match="nothing of 2025"):
        together(found, estimates, YEAR + 1)
    with pytest.raises(BadInput, match="node rd_intensity"):
        goals(Framework.read(TEMPLATES / "quality.toml").without("efficiency"))
    R = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]])
    with pytest.raises(BadInput, match="negative eigenvalue"):
        together(found[:3], estimates, YEAR, R)
    with pytest.raises(BadInput, match="or more"):
        together((), estimates, YEAR)
