"""Benefit of the doubt beside lpSolve's answers, and what happens to few units without limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.errors import BadInput, Refused
from engine.typing import Floats
from modelzoo.scorecard.doubt import benefit_of_doubt, frontier

GOLDEN = Path(__file__).parents[3].parent / "shared" / "golden"
needs_compind = pytest.mark.skipif(
    not (GOLDEN / "compind").is_dir(), reason="needs ../shared/golden/compind (data of a GPL package, not copied)"
)
PILLARS = ("Physical", "ConEcFin", "Political", "Instit", "P2P", "Environ", "Social", "SusEcFin")


def pillars() -> tuple[tuple[str, ...], Floats]:
    table = pl.read_csv(Path(__file__).parents[2] / "golden" / "coinr" / "results_full.csv").sort("uCode")
    return tuple(table["uCode"]), table.select(PILLARS).to_numpy()


def test_one_unit_by_hand() -> None:
    # On (2, 1) and (1, 2) with shares from 0.25: the first takes w = (3/8, 1/4) by its lower limit and leads: 1.
    # (1, 1) is held by both: w = (1/3, 1/3), score 2/3, whatever its shares may be.
    values = np.array([[2.0, 1.0], [1.0, 2.0], [1.0, 1.0]])
    found = benefit_of_doubt(values, np.full(2, 0.25), np.full(2, 0.75), units=("a", "b", "c"), names=("x", "y"))
    np.testing.assert_allclose(found.score, [1.0, 1.0, 2 / 3], atol=1e-12)
    np.testing.assert_allclose(found.weights[2], [1 / 3, 1 / 3], atol=1e-9)
    assert found.peer[0] == 0
    assert found.peer[2] in (0, 1)


@needs_compind
def test_equals_lpsolve_on_the_pillars_of_asem() -> None:
    units, values = pillars()
    golden = pl.read_csv(GOLDEN / "compind" / "bod_ASEM_pillars.csv").sort("uCode")
    assert tuple(golden["uCode"]) == units
    np.testing.assert_allclose(frontier(values, np.zeros(8), np.ones(8)).score, golden["bod"].to_numpy(), atol=1e-9)


@needs_compind
def test_equals_lpsolve_on_regions() -> None:
    golden = pl.read_csv(GOLDEN / "compind" / "bod_EU_NUTS1.csv")
    found = frontier(golden.select("roads", "trains").to_numpy(), np.zeros(2), np.ones(2))
    np.testing.assert_allclose(found.score, golden["bod"].to_numpy(), atol=1e-9)


def test_limits_tell_few_units_apart() -> None:
    # Card 2.14: 40 random draws of 11 units on 8 pillars, how many score 1
    _, values = pillars()
    rng = np.random.default_rng(0)
    draws = [rng.choice(51, 11, replace=False) for _ in range(12)]
    top = {
        limits: np.mean(
            [(frontier(values[d], np.full(8, limits[0]), np.full(8, limits[1])).score > 1 - 1e-9).sum() for d in draws]
        )
        for limits in ((0.0, 1.0), (0.05, 0.3), (0.08, 0.2))
    }
    assert 6.5 < top[0.0, 1.0] < 8.5
    assert 2.0 < top[0.05, 0.3] < 3.6
    assert 1.0 <= top[0.08, 0.2] < 2.3


def test_limits_hold_and_units_of_measure_do_not_matter() -> None:
    units, values = pillars()
    names, low, high = PILLARS, np.full(8, 0.05), np.full(8, 0.3)
    found = benefit_of_doubt(values, low, high, units=units, names=names)
    np.testing.assert_allclose(found.shares.sum(1), 1.0, atol=1e-9)
    assert (found.shares > 0.05 - 1e-7).all()
    assert (found.shares < 0.3 + 1e-7).all()
    assert (values @ found.weights.T).max() < 1 + 1e-9
    other = benefit_of_doubt(values[::-1] * np.arange(1, 9), low, high, units=units[::-1], names=names)
    np.testing.assert_allclose(other.score[::-1], found.score, atol=1e-8)


def test_refuses_what_cannot_be_used() -> None:
    values, two = np.array([[1.0, 2.0], [2.0, 1.0]]), ("x", "y")
    with pytest.raises(Refused, match="without share limits"):
        benefit_of_doubt(values, np.zeros(2), np.ones(2), units=("a", "b"), names=two)
    with pytest.raises(BadInput, match="leave no room"):
        benefit_of_doubt(values, np.full(2, 0.6), np.ones(2), units=("a", "b"), names=two)
    with pytest.raises(BadInput, match="b: y is 0"):
        benefit_of_doubt(np.array([[1.0, 2], [1, 0]]), np.full(2, 0.2), np.ones(2), units=("a", "b"), names=two)
    with pytest.raises(BadInput, match="x: the share limits"):
        benefit_of_doubt(values, np.array([0.5, 0.1]), np.array([0.4, 0.9]), units=("a", "b"), names=two)
