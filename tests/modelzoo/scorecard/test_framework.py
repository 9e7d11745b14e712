"""Frameworks as data: any depth, read from TOML, errors that name the node, the tree as arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import BadInput, Unknown
from modelzoo.scorecard.choices import Normalisation, Screening, Treatment
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.node import Node

TEXT = """
id = "city"
name_en = "City"
name_zh = "城市"
aggregation = ["arithmetic", "geometric"]

[normalisation]
method = "minmax"
low = 1
high = 100

[tree]
name = "top"
name_zh = "高质量发展"

[[tree.children]]
name = "growth"
weight = 3

[[tree.children.children]]
name = "gdp"
direction = 1
denominator = "population"

[[tree.children.children]]
name = "debt"
direction = -1
weight = 2
missing = "group"

[[tree.children]]
name = "inflation"
direction = 0
target = 2
goalposts = [-1, 6]
"""


def changed(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new, 1)


def test_a_framework_is_read_with_leaves_at_several_depths(tmp_path: Path) -> None:
    read = Framework.read(TEXT)
    assert read.indicators == ("gdp", "debt", "inflation")
    assert read.normalisation == Normalisation("minmax", 1, 100)
    assert [leaf.direction for leaf in read.leaves] == [1, -1, 0]
    assert read.node("inflation").goalposts == (-1, 6)
    file = tmp_path / "city.toml"
    file.write_text(TEXT, encoding="utf-8")
    assert Framework.read(file) == read == Framework.read(str(file))
    single = changed('aggregation = ["arithmetic", "geometric"]', 'aggregation = "harmonic"')
    assert Framework.read(single).aggregation == ("harmonic",)


def test_the_layout_by_hand() -> None:
    layout = Framework.read(TEXT).layout
    assert layout.names == ("top", "growth", "inflation", "gdp", "debt")  # by depth
    assert layout.indicators == ("gdp", "debt", "inflation")  # left to right
    assert layout.parent.tolist() == [-1, 0, 0, 1, 1]
    assert layout.leaf.tolist() == [3, 4, 2]
    assert [(s.start, s.stop) for s in layout.levels] == [(0, 1), (1, 3), (3, 5)]
    np.testing.assert_allclose(layout.shares(), [1, 3 / 4, 1 / 4, 1 / 3, 2 / 3])
    np.testing.assert_allclose(layout.effective(), [1, 3 / 4, 1 / 4, 1 / 4, 1 / 2])
    np.testing.assert_allclose(layout.effective(top=1), [0, 1, 0, 1 / 3, 2 / 3])
    assert layout.below(1).tolist() == [0, 1]
    assert layout.below(0).tolist() == [0, 1, 2]
    many = np.array([[1.0, 1, 1, 1, 1], [1, 3, 1, 1, 3]])
    np.testing.assert_allclose(layout.effective(many), [layout.effective(w) for w in many])
    with pytest.raises(BadInput, match="node growth: the weights of its children sum to nothing"):
        layout.shares(np.array([1.0, 1, 1, 0, 0]))
    with pytest.raises(Unknown, match="no node crime"):
        layout.row("crime")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("weight = 3", "weight = -3", "node growth: a weight"),
        ("weight = 3", "weight = nan", "node growth: a weight"),
        ("weight = 3", 'weight = "many"', "node growth, key weight"),
        ("weight = 3", "wieght = 3", "node growth, key wieght"),
        ("weight = 3", "weight = 3\ndirection = 1", "node growth: a group with children takes no direction"),
        ("direction = 1\n", "", "node gdp: an indicator needs direction"),
        ("direction = 1\n", "direction = 2\n", "node gdp, key direction"),
        ("target = 2\n", "", "node inflation: direction 0"),
        ("target = 2\n", "target = inf\n", "node inflation: target"),
        ("goalposts = [-1, 6]", "goalposts = [6, -1]", "node inflation: goalposts"),
        ("goalposts = [-1, 6]", "goalposts = [3, 6]", "node inflation: the target 2.0 must lie between"),
        ('name = "debt"', 'name = "gdp"', "node gdp: the name stands more than once"),
        ('name = "debt"', 'name = " "', "no name"),
        ('missing = "group"', 'missing = "guess"', "node debt, key missing"),
        ('aggregation = ["arithmetic", "geometric"]', 'aggregation = ["arithmetic"]\nknown = 2', "known is a share"),
        ('aggregation = ["arithmetic", "geometric"]', 'aggregation = ["harmonic", "harmonic", "power"]', "2 levels"),
        ('aggregation = ["arithmetic", "geometric"]', 'aggregation = ["copeland", "harmonic"]', "give it alone"),
        ('aggregation = ["arithmetic", "geometric"]', "power = 0", "power is a finite number other than 0"),
        ('method = "minmax"', 'method = "to_target"', "node gdp: normalisation to_target needs its target"),
        ('method = "minmax"', 'method = "efficacy"', "node gdp: 功效系数"),
        ('method = "minmax"', 'method = "to_reference"', "needs the name of a unit"),
        ("high = 100", "high = 1", "from low to a higher high"),
        ('id = "city"', "id = ", "not TOML"),
        ('id = "city"', "", "key id"),
    ],
)
def test_errors_name_the_node(old: str, new: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        Framework.read(changed(old, new))


def test_a_file_is_named_in_its_errors(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(changed("weight = 3", "weight = -3"), encoding="utf-8")
    with pytest.raises(BadInput, match=r"bad\.toml: node growth") as wrong:
        Framework.read(file)
    assert wrong.value.file == str(file)
    with pytest.raises(Unknown, match=r"no framework file .*none\.toml"):
        Framework.read(tmp_path / "none.toml")


def test_choices_are_checked() -> None:
    for wrong in (lambda: Treatment(points=-1), lambda: Screening(known=1.5), lambda: Normalisation("z", sd=0.0)):
        with pytest.raises(BadInput):
            wrong()
    with pytest.raises(BadInput, match="node a: the top of a framework has children"):
        Framework("f", "f", "f", Node("a", direction=1))
    with pytest.raises(BadInput, match="node a: none of its children has a weight"):
        Node("a", children=(Node("b", direction=1, weight=0),))


def test_other_weights_and_one_indicator_less() -> None:
    read = Framework.read(TEXT)
    assert read.weighted({"growth": 1}).layout.effective()[2] == pytest.approx(0.5)
    assert read.node("growth").weight == 3
    assert read.without("gdp").indicators == ("debt", "inflation")
    with pytest.raises(BadInput, match="one aggregation or 1"):
        read.without("growth")  # one level of groups is left for two aggregations
    with pytest.raises(Unknown, match="no node crime"):
        read.weighted({"crime": 1})
    with pytest.raises(BadInput, match="nothing would be left"):
        read.without("top")


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> Node:
    names = iter(range(10_000))

    def node(left: int) -> Node:
        name, weight = f"n{next(names)}", draw(st.floats(0.1, 9))
        if left == 0 or (left < depth and draw(st.booleans())):
            return Node(name, weight=weight, direction=1)
        return Node(name, weight=weight, children=tuple(node(left - 1) for _ in range(draw(st.integers(1, 3)))))

    return node(depth)


@settings(deadline=None)
@given(trees())
def test_any_tree_keeps_its_parents_and_weights(tree: Node) -> None:
    framework = Framework("any", "any", "any", tree)
    layout = framework.layout
    assert layout.indicators == framework.indicators
    for parent in tree.walk():
        row = layout.row(parent.name)
        assert [layout.names[r] for r in range(*layout.children(row).indices(999))] == [c.name for c in parent.children]
    assert layout.effective()[layout.leaf].sum() == pytest.approx(1.0)
    path = {tree.name: 1.0}
    for parent in tree.walk():
        total = sum(c.weight for c in parent.children)
        path |= {c.name: path[parent.name] * c.weight / total for c in parent.children}
    np.testing.assert_allclose(layout.effective(), [path[name] for name in layout.names], rtol=1e-12)
