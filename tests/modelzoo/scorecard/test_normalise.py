"""Normalisations: by hand, 功效系数, invariances, and what is refused by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.errors import BadInput
from engine.typing import Floats
from modelzoo.scorecard.choices import Method, Normalisation
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.layout import Layout
from modelzoo.scorecard.node import Node
from modelzoo.scorecard.normalise import frozen_goalposts, normalise, places

NAN = float("nan")


def layout(*leaves: Node) -> Layout:
    return Framework("f", "f", "f", Node("top", children=leaves), Normalisation("minmax")).layout


UP, DOWN = layout(Node("a", direction=1)), layout(Node("a", direction=-1))
NEAR = layout(Node("a", direction=0, target=2.0, goalposts=(-2.0, 4.0)))
X = np.array([[1.0], [2.0], [5.0], [2.0], [NAN]])


@pytest.mark.parametrize(
    ("rule", "up", "down"),
    [
        (Normalisation("minmax", 1, 100), [1, 25.75, 100, 25.75], [100, 75.25, 1, 75.25]),
        (Normalisation("rank"), [1, 2, 4, 2], [4, 2, 1, 2]),
        (Normalisation("borda"), [0, 1, 3, 1], [3, 1, 0, 1]),
        (Normalisation("percentile", 0, 1), [0, 1 / 3, 1, 1 / 3], [1, 1 / 3, 0, 1 / 3]),
        (Normalisation("to_maximum", 0, 1), [0, 0.25, 1, 0.25], [1, 0.75, 0, 0.75]),
        (Normalisation("fraction", 0, 1), [0.2, 0.4, 1, 0.4], [1, 0.5, 0.2, 0.5]),
        (
            Normalisation("z", mean=100, sd=10),
            [100 - 15 / 3**0.5, 100 - 5 / 3**0.5, 100 + 25 / 3**0.5, 100 - 5 / 3**0.5],
            None,
        ),
    ],
)
def test_by_hand(rule: Normalisation, up: list[float], down: list[float] | None) -> None:
    # mean 2.5, squared distances 2.25 .25 6.25 .25: sd = √3
    np.testing.assert_allclose(normalise(X, UP, rule)[:, 0], [*up, NAN], rtol=1e-12)
    if down is not None:
        np.testing.assert_allclose(normalise(X, DOWN, rule)[:, 0], [*down, NAN], rtol=1e-12)


def test_against_a_target_or_a_unit() -> None:
    up, down = (layout(Node("a", direction=d, target=t)) for d, t in ((1, 3.0), (-1, 1.5)))  # type: ignore[arg-type]
    score = normalise(X, up, Normalisation("to_target", 0, 100))[:4, 0]
    np.testing.assert_allclose(score, [0, 50, 200, 50])
    np.testing.assert_allclose(
        normalise(X, down, Normalisation("to_target", 0, 1))[:4, 0], [4 / 3.5, 3 / 3.5, 0, 3 / 3.5]
    )
    capped = layout(Node("a", direction=1, target=3.0, cap=100.0))
    np.testing.assert_allclose(normalise(X, capped, Normalisation("to_target"))[:, 0], [0, 50, 100, 50, NAN])
    np.testing.assert_allclose(normalise(X, up, Normalisation("ratio"))[:4, 0], [100 / 3, 200 / 3, 500 / 3, 200 / 3])
    np.testing.assert_allclose(normalise(X, down, Normalisation("ratio"))[:4, 0], [150, 75, 30, 75])
    rule = Normalisation("to_reference", 0, 1, reference="b")
    np.testing.assert_allclose(normalise(X, UP, rule, reference=1)[:4, 0], [0, 1, 4, 1])


def test_goalposts_hold_what_lies_beyond_them() -> None:
    up = layout(Node("a", direction=1, goalposts=(1.5, 4.0)))
    down = layout(Node("a", direction=-1, goalposts=(1.5, 4.0)))
    np.testing.assert_allclose(normalise(X, up, Normalisation())[:, 0], [0, 20, 100, 20, NAN])
    np.testing.assert_allclose(normalise(X, down, Normalisation())[:, 0], [100, 80, 0, 80, NAN])


def test_nearer_to_the_target_is_better_from_both_sides() -> None:
    x = np.array([[2.0], [0.0], [3.0], [-5.0], [4.0]])
    np.testing.assert_allclose(normalise(x, NEAR, Normalisation())[:, 0], [100, 50, 50, 0, 0])
    np.testing.assert_allclose(normalise(x, NEAR, Normalisation("rank"))[:, 0], [5, 2, 4, 1, 2])  # off by 0 2 1 7 2


def test_efficacy_coefficient_by_hand() -> None:
    # 功效系数: not allowed 2 -> 60, satisfied 10 -> 100; 6 -> 80; beyond both ends it goes on
    x = np.array([[2.0], [10], [6], [0], [12]])
    good = layout(Node("a", direction=1, goalposts=(2.0, 10.0)))
    bad = layout(Node("a", direction=-1, goalposts=(2.0, 10.0)))
    np.testing.assert_allclose(normalise(x, good, Normalisation("efficacy"))[:, 0], [60, 100, 80, 50, 110])
    np.testing.assert_allclose(normalise(x, bad, Normalisation("efficacy"))[:, 0], [100, 60, 80, 110, 50])


def test_goalposts_frozen_over_a_panel() -> None:
    shape = layout(
        Node("a", direction=1), Node("b", direction=-1, goalposts=(0.0, 9.0)), Node("c", direction=0, target=5)
    )
    panel = np.array([[[1.0, 2, 4], [3, NAN, 7]], [[2, 5, 5], [8, 1, NAN]]])  # two years, two units
    posts = frozen_goalposts(panel, shape)
    np.testing.assert_array_equal(posts, [[1, 0, 3], [8, 9, 7]])  # c: as far below the target as above
    before = normalise(panel[1], shape, Normalisation(), goalposts=posts)
    moved = panel[1].copy()
    moved[0] = [100.0, 0, 6]
    after = normalise(moved, shape, Normalisation(), goalposts=posts)
    np.testing.assert_array_equal(after[1], before[1])  # the other unit's scores stay where they were
    with pytest.raises(BadInput, match="node a: normalisation needs its goalposts"):
        normalise(panel[1], shape, Normalisation())
    with pytest.raises(BadInput, match="node a: all values are the same"):
        frozen_goalposts(np.ones((3, 3)), shape)
    with pytest.raises(BadInput, match="node c: no value is known"):
        frozen_goalposts(np.where(np.arange(3) == 2, NAN, panel), shape)


@pytest.mark.parametrize("method", ["minmax", "z", "to_maximum"])
def test_what_cannot_tell_units_apart_is_named(method: Method) -> None:
    with pytest.raises(BadInput, match="node a: all known values are the same"):
        normalise(np.full((4, 1), 0.1), UP, Normalisation(method))


def test_needs_are_named() -> None:
    target = layout(Node("a", direction=1, target=0.5))
    with pytest.raises(BadInput, match="node a: its target is not better than the worst value"):
        normalise(X, target, Normalisation("to_target"))
    with pytest.raises(BadInput, match="the unit 杭州 is not among those scored"):
        normalise(X, UP, Normalisation("to_reference", reference="杭州"))
    with pytest.raises(BadInput, match="node a: the reference 杭州 is not known or is the worst"):
        normalise(X, UP, Normalisation("to_reference", reference="杭州"), reference=0)
    with pytest.raises(BadInput, match="node a: a fraction of the best needs values above 0"):
        normalise(-X, UP, Normalisation("fraction"))
    with pytest.raises(BadInput, match="node a: target / value needs values above 0"):
        normalise(X - 1, layout(Node("a", direction=-1, target=1)), Normalisation("ratio"))
    with pytest.raises(BadInput, match="1 indicators, the data 2 columns"):
        normalise(np.ones((3, 2)), UP, Normalisation("minmax"))


def test_many_variants_at_once_are_one_at_a_time() -> None:
    shape = layout(
        Node("a", direction=1, target=3.0, goalposts=(-4.0, 4.0)),
        Node("b", direction=-1, target=-3.0, goalposts=(-4.0, 4.0)),
        Node("c", direction=0, target=3.0, goalposts=(-4.0, 4.0)),
    )
    batch = np.random.default_rng(2).standard_normal((5, 7, 3)).round(1)
    batch[0, 0, 0] = NAN
    methods: tuple[Method, ...] = ("goalposts", "minmax", "z", "rank", "borda", "percentile", "to_maximum", "to_target")
    for rule in map(Normalisation, methods):
        np.testing.assert_allclose(
            normalise(batch, shape, rule), [normalise(x, shape, rule) for x in batch], rtol=1e-12
        )


@settings(deadline=None)
@given(arrays(np.float64, (8, 2), elements=st.integers(-4, 4).map(float)))
def test_places_are_counted(up: Floats) -> None:
    expected = [[1 + sum(other[j] < row[j] for other in up) for j in range(2)] for row in up]
    assert places(up).tolist() == expected


@settings(deadline=None)
@given(
    arrays(np.float64, (6, 2), elements=st.integers(-40, 40).map(float)).filter(
        lambda x: (np.ptp(x, axis=0) > 0).all()
    ),
    st.floats(0.01, 100),
    st.floats(-100, 100),
    st.sampled_from(["minmax", "z", "rank", "borda", "percentile", "to_maximum", "to_reference", "goalposts"]),
)
def test_scale_and_shift_change_nothing(x: Floats, scale: float, shift: float, method: Method) -> None:
    reference = int(x[:, 0].argmax()) if method == "to_reference" else None
    rule = Normalisation(method, reference=None if reference is None else "best")
    shape = replace(UP, names=("top", "a"))
    one = x[:, :1]
    posts = frozen_goalposts(one, shape)
    before = normalise(one, shape, rule, goalposts=posts, reference=reference)
    after = normalise(scale * one + shift, shape, rule, goalposts=scale * posts + shift, reference=reference)
    np.testing.assert_allclose(after, before, atol=1e-7)


@settings(deadline=None)
@given(
    arrays(np.float64, (6, 1), elements=st.integers(1, 40).map(float)).filter(lambda x: np.ptp(x) > 0),
    st.sampled_from([1, -1]),
    st.sampled_from(["minmax", "z", "rank", "percentile", "to_maximum", "fraction", "ratio", "goalposts", "efficacy"]),
)
def test_better_values_score_higher(x: Floats, direction: int, method: Method) -> None:
    shape = layout(Node("a", direction=direction, target=20.0, goalposts=(0.0, 50.0)))  # type: ignore[arg-type]
    score = normalise(x, shape, Normalisation(method))[:, 0]
    order = np.argsort(x[:, 0] * direction, kind="stable")
    gained, better = np.diff(score[order]), np.diff(x[order, 0] * direction)
    assert (gained[better > 0] > 0).all()
    assert (np.abs(gained[better == 0]) < 1e-9).all()
