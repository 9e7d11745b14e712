"""From raw values to a Board: means beside a plain recursion, exact contributions, invariances, and what is said when it fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.calendar import Period
from engine.errors import BadInput, NotEnoughData, Refused
from engine.typing import Floats
from modelzoo.scorecard.aggregate import aggregate
from modelzoo.scorecard.choices import Aggregation, Normalisation, Screening, Treatment
from modelzoo.scorecard.contributions import contributions
from modelzoo.scorecard.evaluate import evaluate
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.node import Node
from modelzoo.scorecard.weights import critic, entropy

NAN = float("nan")
MPI = Path(__file__).parents[3].parent / "shared" / "golden" / "compind" / "mpi_EU_NUTS1.csv"
MEANS: tuple[Aggregation, ...] = ("arithmetic", "geometric", "harmonic", "power")
PENALISED: tuple[Aggregation, ...] = ("mazziotta_pareto", "mazziotta_pareto_up")
FLAT: tuple[Aggregation, ...] = ("copeland", "topsis", "vikor")
TREE = Node(
    "top",
    children=(
        Node("left", weight=2, children=(Node("a", direction=1), Node("b", direction=-1, weight=3))),
        Node("c", direction=1, weight=0.5),
        Node("right", children=(Node("d", direction=1), Node("e", direction=-1), Node("f", direction=1, weight=2))),
    ),
)
UNITS = tuple("杭宁温嘉湖绍金")


def framework(*aggregation: Aggregation, low: float = 1.0) -> Framework:
    return Framework("f", "f", "f", TREE, Normalisation("minmax", low, 100), aggregation or ("arithmetic",))


def plain(node: Node, values: dict[str, float], method: Aggregation, power: float) -> float:
    """The score of one unit by plain recursion: gaps left out, weights of the rest scaled up."""
    if not node.children:
        return values[node.name]
    found = [(c.weight, plain(c, values, method, power)) for c in node.children]
    found = [(w, v) for w, v in found if not np.isnan(v)]
    if not found:
        return NAN
    total = sum(w for w, _ in found)
    mean = sum(w * v for w, v in found) / total
    if method == "arithmetic":
        return mean
    if method == "geometric":
        return float(np.prod([v ** (w / total) for w, v in found]))
    if method == "harmonic":
        return total / sum(w / v for w, v in found)
    if method == "power":
        return float((sum(w * v**power for w, v in found) / total) ** (1 / power))
    spread = sum(w * (v - mean) ** 2 for w, v in found) / total * len(found) / max(len(found) - 1, 1)
    return mean + (1 if method == "mazziotta_pareto_up" else -1) * spread / mean


SCORES = arrays(np.float64, (5, 6), elements=st.one_of(st.integers(60, 140).map(float), st.just(NAN)))


@settings(deadline=None, max_examples=60)
@given(SCORES, st.sampled_from([*MEANS, *PENALISED]), st.sampled_from([-2.0, 0.5, 3.0]))
def test_means_level_by_level_are_those_of_a_plain_recursion(x: Floats, method: Aggregation, power: float) -> None:
    layout = framework().layout
    found = aggregate(layout, x, (method,), power=power)
    expected = [plain(TREE, dict(zip(layout.indicators, row, strict=True)), method, power) for row in x]
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-10)
    parts = contributions(layout, found, (method,), power=power, foot=60.0)
    np.testing.assert_allclose(parts.sum(1), found[:, 0], rtol=1e-9)


@settings(deadline=None, max_examples=40)
@given(
    arrays(np.float64, (6, 6), elements=st.integers(1, 99).map(float)),
    st.one_of(
        st.sampled_from(FLAT).map(lambda m: (m,)),
        st.tuples(st.sampled_from(MEANS), st.sampled_from(MEANS)),
        st.tuples(st.sampled_from(MEANS[:1]), st.sampled_from(PENALISED)),
    ),
)
def test_parts_sum_to_the_score_whatever_the_method(x: Floats, methods: Sequence[Aggregation]) -> None:
    layout = framework().layout
    weight = np.array([1.0, 3, 1, 2, 1, 4, 1, 2, 2])
    scores = aggregate(layout, x, methods, weight)
    parts = contributions(layout, scores, methods, weight, foot=1.0)
    np.testing.assert_allclose(parts.sum(1), scores[:, 0], rtol=1e-9, atol=1e-9)


def test_many_variants_at_once_are_one_at_a_time() -> None:
    rng = np.random.default_rng(5)
    layout = framework().layout
    values, weights = rng.uniform(1, 100, (4, 7, 6)), rng.random((4, 9))
    mixed: list[tuple[Aggregation, ...]] = [("harmonic", "geometric"), ("topsis",), ("copeland",), ("vikor",)]
    for methods in mixed:
        each = [aggregate(layout, v, methods, w) for v, w in zip(values, weights, strict=True)]
        np.testing.assert_allclose(aggregate(layout, values, methods, weights), each, rtol=1e-12)
    one = [aggregate(layout, values[0], weight=w) for w in weights]
    np.testing.assert_allclose(aggregate(layout, values[0], weight=weights), one, rtol=1e-12)


@pytest.mark.skipif(not MPI.is_file(), reason="needs ../shared/golden/compind (data of a GPL package, not copied)")
def test_mazziotta_pareto_is_that_of_compind() -> None:
    # prepared: z with mean 100, sd 10 (n - 1), both indicators as they are; penalty "NEG", which adds
    golden = pl.read_csv(MPI)
    tree = Node("top", children=(Node("roads", direction=1), Node("trains", direction=1)))
    chosen = Framework("mpi", "mpi", "mpi", tree, Normalisation("z", mean=100, sd=10), ("mazziotta_pareto_up",))
    found = evaluate(chosen, golden.select("roads", "trains").to_numpy(), golden["NUTS_CODE"].to_list())
    np.testing.assert_allclose(found.score, golden["mpi_neg"].to_numpy(), rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.parts.sum(1), found.score, rtol=1e-12)


def test_mazziotta_pareto_can_punish_a_lonely_peak() -> None:
    tree = Node("top", children=tuple(Node(name, direction=1) for name in "abcd"))
    even = aggregate(
        Framework("f", "f", "f", tree).layout, np.array([[100.0] * 4, [300.0, 100, 100, 100]]), ("mazziotta_pareto",)
    )
    np.testing.assert_allclose(even[:, 0], [100, 150 - 10_000 / 150])  # more of one thing, and less in all


def test_contributions_by_hand() -> None:
    tree = Node("top", children=(Node("a", direction=1), Node("b", direction=1, weight=3)))
    layout = Framework("f", "f", "f", tree).layout
    x = np.array([[16.0, 1.0], [1.0, 16.0], [1.0, 1.0]])
    scores = aggregate(layout, x, ("geometric",))
    np.testing.assert_allclose(scores[:, 0], [2, 8, 1])
    # from the foot 1: b at the foot adds 3/4 and no more; what lies above the foot is a's
    np.testing.assert_allclose(
        contributions(layout, scores, ("geometric",), foot=1.0), [[1.25, 0.75], [0.25, 7.75], [0.25, 0.75]], rtol=1e-9
    )
    scores = aggregate(layout, x, ("arithmetic",))
    np.testing.assert_allclose(contributions(layout, scores), [[4, 0.75], [0.25, 12], [0.25, 0.75]])
    scores = aggregate(layout, x[:2], ("mazziotta_pareto",))
    mean, away = 19 / 4, (1 / 4) * (45 / 4) ** 2 * 2 / (19 / 4)
    assert contributions(layout, scores, ("mazziotta_pareto",))[0, 0] == pytest.approx(4 - away)
    assert scores[0, 0] == pytest.approx(mean - (1 / 4 * (45 / 4) ** 2 + 3 / 4 * (15 / 4) ** 2) * 2 / mean)
    # Copeland, weights 1/4 and 3/4: the second beats the first on b, the first beats the second on a alone
    scores = aggregate(layout, x, ("copeland",))
    assert scores[:, 0].tolist() == [0, 2, -2]
    duels = np.array([[1 / 2 + 1, -3 / 2], [-1 / 2, 3 / 2 + 1], [-1, -1]])
    np.testing.assert_allclose(contributions(layout, scores, ("copeland",)), duels)


RAW = arrays(np.float64, (7, 6), elements=st.integers(1, 60).map(float)).filter(lambda x: (np.ptp(x, axis=0) > 0).all())
ANY = st.sampled_from([*MEANS, *FLAT])


@settings(deadline=None, max_examples=40)
@given(RAW, ANY, st.permutations(range(7)), st.permutations(range(3)), st.floats(0.01, 100), st.floats(-50, 50))
def test_order_of_units_and_indicators_and_units_of_measure_mean_nothing(
    x: Floats, method: Aggregation, order: list[int], groups: list[int], scale: float, shift: float
) -> None:
    chosen = framework(method)
    before = evaluate(chosen, x, UNITS)
    shuffled = evaluate(chosen, x[order], [UNITS[u] for u in order])
    np.testing.assert_allclose(shuffled.score, before.score[order], rtol=1e-9, atol=1e-9)
    other = replace(chosen, tree=replace(TREE, children=tuple(TREE.children[g] for g in groups)))
    columns = [chosen.indicators.index(name) for name in other.indicators]
    np.testing.assert_allclose(evaluate(other, x[:, columns], UNITS).score, before.score, rtol=1e-9, atol=1e-9)
    measured = x.copy()
    measured[:, 1] = scale * x[:, 1] + shift
    if method != "copeland":  # whose duels turn on ties, which rounding of the shift may break
        np.testing.assert_allclose(evaluate(chosen, measured, UNITS).score, before.score, rtol=1e-6, atol=1e-6)


@settings(deadline=None, max_examples=60)
@given(RAW, ANY, st.integers(0, 6))
def test_best_everywhere_is_first_under_every_method(x: Floats, method: Aggregation, u: int) -> None:
    toward = framework().layout.direction
    x[u] = np.where(toward > 0, x.max(0) + 1, x.min(0) - 1)
    found = evaluate(framework(method), x, UNITS)
    assert found.rank[u] == 1
    assert (np.delete(found.rank, u) > 1).all()


@settings(deadline=None, max_examples=60)
@given(RAW, ANY, st.integers(0, 6), st.integers(0, 5), st.floats(0.5, 30))
def test_a_better_value_never_lowers_the_score(x: Floats, method: Aggregation, u: int, j: int, more: float) -> None:
    chosen = framework(method)
    better = x.copy()
    better[u, j] += more * chosen.layout.direction[j]
    if np.ptp(better[:, j]) == 0:
        return
    assert evaluate(chosen, better, UNITS).score[u] >= evaluate(chosen, x, UNITS).score[u] - 1e-9


def raw() -> Floats:
    return np.random.default_rng(8).uniform(1, 9, (7, 6)).round(2)


def test_the_board() -> None:
    found = evaluate(framework(), raw(), UNITS)
    day, year = datetime(2024, 3, 1, tzinfo=UTC), Period.parse("2023")
    board = found.board("score.f", day, year)
    assert board.units == UNITS
    assert board.node_names == ("left", "c", "right", "a", "b", "d", "e", "f")
    assert board.part_names == ("a", "b", "c", "d", "e", "f")
    np.testing.assert_array_equal(board.rank_low, found.rank)
    np.testing.assert_allclose(board.node_scores[:, 1], found.normalised[:, 2])
    wide = found.board("score.f", day, year, found.rank.astype(float) - 1, found.rank.astype(float) + 1)
    assert wide.rank_high[0] == found.rank[0] + 1
    frame = board.to_frame().filter(pl.col("unit") == "杭", pl.col("level") == "part")
    assert frame["value"].sum() == pytest.approx(board.score[0])


def test_units_without_enough_data_are_left_out_and_said() -> None:
    x = raw()
    x[2, :4] = NAN
    x[5] = NAN
    found = evaluate(replace(framework(), screening=Screening(0.5)), x, UNITS)
    assert found.units == tuple("杭宁嘉湖金")
    assert found.left_out[0] == ("温", "33% of the indicators are known, 50% are needed")
    assert [unit for unit, _ in found.left_out] == ["温", "绍"]
    x = raw()
    x[2, [0, 1, 2]] = NAN
    strict = evaluate(replace(framework(), known=0.5), x, UNITS)
    assert strict.left_out == (("温", "too few of its groups could be scored"),)
    lenient = evaluate(framework(), x, UNITS)
    u = lenient.units.index("温")
    assert lenient.score[u] == pytest.approx(lenient.scores[u, lenient.framework.layout.row("right")])
    assert lenient.parts[u, :3].tolist() == [0, 0, 0]
    with pytest.raises(NotEnoughData, match="two units or more, 1 can be scored; 宁"):
        evaluate(framework(), np.where(np.arange(7)[:, None] == 0, raw(), NAN), UNITS)


def test_weights_from_data_stay_within_their_group() -> None:
    x = raw()
    for name, method in (("entropy", entropy), ("critic", critic)):
        found = evaluate(replace(framework(), weighting=name), x, UNITS)  # type: ignore[arg-type]
        right = method(x[:, 3:], np.array([1.0, -1, 1]))
        np.testing.assert_allclose(found.nominal[3:] / found.nominal[3:].sum(), right.values, rtol=1e-9)
        assert found.nominal[3:].sum() == pytest.approx(1 / 3.5)  # the group weighs what the tree says
        assert found.nominal[2] == pytest.approx(0.5 / 3.5)
        assert set(found.weighing) == {"left", "right"}
        assert found.weighing["right"].prepared.normalisation.startswith("min-max")
    equal = evaluate(replace(framework(), weighting="equal"), x, UNITS)
    np.testing.assert_allclose(equal.nominal[:2], [1 / 3.5] * 2)
    given_weights = evaluate(framework(), x, UNITS, weight=np.array([1.0, 1, 0, 0, 1, 0, 1, 1, 1]))
    np.testing.assert_allclose(given_weights.score, given_weights.normalised[:, 0])


def test_negative_component_weights_are_refused() -> None:
    t = np.arange(7.0)
    x = np.c_[t, -t, t % 3, t, t, t + t % 2]  # e counts the less the better, yet grows with d and f
    with pytest.raises(Refused, match=r"node right: .*e has a negative weight"):
        evaluate(replace(framework(), weighting="pca"), x, UNITS)


def test_outliers_are_pulled_in_and_flagged_or_treated_as_another_year_was() -> None:
    x = np.random.default_rng(8).uniform(1, 9, (12, 6)).round(2)
    x[3, 3] = 500.0
    units = tuple("abcdefghijkl")
    chosen = replace(framework(), treatment=Treatment())
    found = evaluate(chosen, x, units)
    assert np.argwhere(found.held).tolist() == [[3, 3]]
    assert found.treated[3, 3] == np.sort(x[:, 3])[-2]
    calm = x.copy()
    calm[3, 3] = 8.9
    again = evaluate(chosen, calm, units, treatment=found.treatment)
    np.testing.assert_array_equal(again.treated[:3], found.treated[:3])
    assert again.treated[3, 3] == min(8.9, found.treated[3, 3])


def test_fixed_values_keep_indicators_off_the_log_scale() -> None:
    x = np.exp(np.linspace(0, 12, 25))[:, None] * np.ones(6)
    x[:, 1:] = np.random.default_rng(1).uniform(1, 9, (25, 5))
    units = [f"u{n}" for n in range(25)]
    rule = Treatment(points=1)
    logged = evaluate(replace(framework(), treatment=rule), x, units)
    assert logged.treatment is not None
    assert logged.treatment.logged[0]
    posts = np.array([[0.0] * 6, [2e5, 10, 10, 10, 10, 10]])
    kept = evaluate(replace(framework(), treatment=rule, normalisation=Normalisation()), x, units, goalposts=posts)
    assert kept.treatment is not None
    assert not kept.treatment.logged.any()


def test_influence_is_the_share_of_variance() -> None:
    found = evaluate(framework(), raw(), UNITS)
    cov = np.cov(np.c_[found.parts, found.score].T)[:-1, -1]
    np.testing.assert_allclose(found.influence, cov / np.var(found.score, ddof=1))
    assert found.influence.sum() == pytest.approx(1)
    assert found.nominal.sum() == pytest.approx(1)


def test_bad_input_is_named() -> None:
    x = raw()
    with pytest.raises(BadInput, match=r"7 units and 6 indicators need \(7, 6\)"):
        evaluate(framework(), x[:, :5], UNITS)
    with pytest.raises(BadInput, match="the unit 杭 stands more than once"):
        evaluate(framework(), x, ("杭", *UNITS[:-1]))
    x[4, 3] = np.inf
    with pytest.raises(BadInput, match="node d: the value of 湖 is infinite"):
        evaluate(framework(), x, UNITS)
    with pytest.raises(BadInput, match="the geometric mean needs scores above 0; normalise to a scale such as 1"):
        evaluate(framework("geometric", low=0.0), raw(), UNITS)
    gap = raw()
    gap[0, 4] = NAN
    with pytest.raises(BadInput, match="node e: topsis needs every value"):
        evaluate(framework("topsis"), gap, UNITS)
