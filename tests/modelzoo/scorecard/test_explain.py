"""The page of a unit: held against the scorecard computed again with the value that the page asks for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import BadInput, Unknown
from modelzoo.scorecard.choices import Aggregation, Normalisation, Treatment
from modelzoo.scorecard.evaluate import evaluate
from modelzoo.scorecard.explain import page
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.node import Node

TREE = Node(
    "top",
    children=(
        Node("a", weight=2, children=(Node("a1", direction=1), Node("a2", direction=-1, weight=3))),
        Node("b", children=(Node("b1", direction=1), Node("b2", direction=0, target=0.5))),
    ),
)
UNITS = tuple("ABCDEFG")
RAW = np.random.default_rng(4).uniform(size=(7, 4))
POSTS = np.array([[0.0, 0, 0, 0], [1, 1, 1, 1]])


def framework(aggregation: Aggregation, rule: Normalisation, treatment: Treatment | None = None) -> Framework:
    return Framework("made", "Made", "虚构", TREE, normalisation=rule, aggregation=(aggregation,), treatment=treatment)


@pytest.mark.parametrize(
    ("aggregation", "rule"),
    [
        ("arithmetic", Normalisation("goalposts")),
        ("geometric", Normalisation("goalposts", 1, 100)),
        ("arithmetic", Normalisation("minmax")),
        ("mazziotta_pareto", Normalisation("z", mean=100, sd=10)),
        ("topsis", Normalisation("minmax", 0, 1)),
        ("copeland", Normalisation("rank")),
    ],
)
def test_what_the_page_asks_for_gains_a_place_and_less_does_not(aggregation: Aggregation, rule: Normalisation) -> None:
    made = framework(aggregation, rule)
    posts = POSTS if rule.method == "goalposts" else None
    scored = evaluate(made, RAW, UNITS, goalposts=posts)
    lifted = 0
    for u, unit in enumerate(UNITS):
        found = page(scored, unit, goalposts=posts)
        assert {lift.indicator for lift in found.lifts} | set(found.no_help) == (
            set(made.indicators) if found.rank > 1 else set()
        )
        for lift in found.lifts:
            j = made.indicators.index(lift.indicator)
            lifted += 1

            def rank(value: float, u: int = u, j: int = j) -> int:
                raw = RAW.copy()
                raw[u, j] = value
                return int(evaluate(made, raw, UNITS, goalposts=posts).rank[u])

            step = lift.needed - lift.value
            assert rank(lift.needed) < found.rank
            assert rank(lift.value + 0.999 * step) >= found.rank
            assert lift.effort == pytest.approx(abs(step) / np.ptp(RAW[:, j]))
            assert lift.places >= 0
            assert (step > 0) == (made.leaves[j].direction == 1) or made.leaves[j].direction == 0
    assert lifted > 5


def test_one_place_by_hand() -> None:
    # scores (x + y) / 2 on 0 … 1: A 0.8, B 0.5, C 0.3. C needs 0.4 more of either to reach B; x may rise to 1 only
    tree = Node("top", children=(Node("x", direction=1), Node("y", direction=1)))
    made = Framework("made", "Made", "虚构", tree, normalisation=Normalisation("goalposts", 0, 1))
    raw, posts = np.array([[1.0, 0.6], [0.5, 0.5], [0.5, 0.1]]), np.array([[0.0, 0], [1, 1]])
    scored = evaluate(made, raw, ("A", "B", "C"), goalposts=posts)
    found = page(scored, "C", goalposts=posts)
    assert [lift.indicator for lift in found.lifts] == ["x", "y"] or found.lifts[0].effort <= found.lifts[1].effort
    for lift in found.lifts:
        assert lift.needed - lift.value == pytest.approx(0.4, abs=1e-9)
        assert lift.gain == pytest.approx(0.5, rel=1e-6)
        assert lift.places == 1
    first = page(scored, "A", goalposts=posts)
    assert first.lifts == ()
    assert first.no_help == ()
    assert [s.indicator for s in first.strengths] == ["x", "y"]


def test_gaps_sum_to_the_distance_from_the_others_and_peers_are_nearest() -> None:
    made = framework("geometric", Normalisation("goalposts", 1, 100))
    scored = evaluate(made, RAW, UNITS, goalposts=POSTS)
    for u, unit in enumerate(UNITS):
        found = page(scored, unit, goalposts=POSTS, most=10)
        gaps = [s.gap for s in (*found.strengths, *found.weaknesses)]
        assert sum(gaps) == pytest.approx(scored.score[u] - np.delete(scored.score, u).mean())
        assert gaps[: len(found.strengths)] == sorted(gaps[: len(found.strengths)], reverse=True)
        assert all(s.gap > 0 for s in found.strengths)
        distances = [d for _, d in found.peers]
        assert distances == sorted(distances)
        assert len(found.peers) == 6
        assert unit not in dict(found.peers)
    twin = RAW.copy()
    twin[3] = twin[5]
    assert page(evaluate(made, twin, UNITS, goalposts=POSTS), "D", goalposts=POSTS).peers[0] == ("F", 0.0)


def test_peers_are_near_on_what_weighs() -> None:
    tree = Node("top", children=(Node("x", direction=1, weight=9), Node("y", direction=1)))
    made = Framework("made", "Made", "虚构", tree, normalisation=Normalisation("goalposts", 0, 1))
    raw, posts = np.array([[0.5, 0.5], [0.5, 0.9], [0.3, 0.5]]), np.array([[0.0, 0], [1, 1]])
    found = page(evaluate(made, raw, ("A", "B", "C"), goalposts=posts), "A", goalposts=posts)
    assert [unit for unit, _ in found.peers] == ["B", "C"]
    np.testing.assert_allclose([d for _, d in found.peers], [(0.1 * 0.16) ** 0.5, (0.9 * 0.04) ** 0.5])


def test_a_held_outlier_stays_held() -> None:
    raw = RAW.copy()
    raw[2, 0] = 50.0
    made = framework("arithmetic", Normalisation("goalposts"), Treatment(points=1))
    posts = np.array([[0.0, 0, 0, 0], [50, 1, 1, 1]])
    scored = evaluate(made, raw, UNITS, goalposts=posts)
    assert scored.held[2, 0]
    for lift in page(scored, UNITS[int(np.argmax(scored.rank))], goalposts=posts).lifts:
        assert np.isfinite(lift.needed)


def test_gaps_are_no_lifts_and_errors_name_the_unit() -> None:
    raw = RAW.copy()
    raw[1, 0] = np.nan
    made = framework("arithmetic", Normalisation("goalposts"))
    scored = evaluate(made, raw, UNITS, goalposts=POSTS)
    found = page(scored, "B", goalposts=POSTS)
    named = {lift.indicator for lift in found.lifts} | set(found.no_help)
    assert found.rank == 1 or named == {"a2", "b1", "b2"}
    assert "a1" not in {s.indicator for s in (*found.strengths, *found.weaknesses)}
    with pytest.raises(Unknown, match="does not score Z"):
        page(scored, "Z", goalposts=POSTS)
    with pytest.raises(BadInput, match="give those of the evaluation"):
        page(scored, "A", goalposts=POSTS * 2)
    screened = evaluate(replace(made, known=1.0), raw, UNITS, goalposts=POSTS)
    with pytest.raises(Unknown, match="does not score B: too few"):
        page(screened, "B", goalposts=POSTS)
