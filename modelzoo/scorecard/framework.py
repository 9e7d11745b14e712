"""A scorecard as data: a tree of any depth whose leaves are indicators, and the choices made on the way to a score.

A framework is a TOML file: the choices at the top, then the tree as ``[tree]``, ``[[tree.children]]``, and so on down. Errors
name the node. :attr:`Framework.layout` is the same tree as arrays, for the steps that score many variants at once.
"""

from __future__ import annotations

import math
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.errors import BadInput, Unknown
from modelzoo.scorecard.choices import (
    FLAT,
    STRICT,
    TARGETED,
    Aggregation,
    Missing,
    Normalisation,
    Screening,
    Treatment,
    Weighting,
)
from modelzoo.scorecard.layout import Layout
from modelzoo.scorecard.node import Node


@dataclass(frozen=True)
class Framework:
    """A scorecard as data: the tree and the choices.

    aggregation: how a node's children become its score; one for all levels, or one a level from the top down; copeland,
    topsis and vikor stand alone. power: of the generalised mean. weighting: where the weights of indicators within their
    group come from (expert: the tree's); those of groups are the tree's. known: the least share of children known for a
    node to be scored. missing: how gaps are filled; leave: the node is the mean of what is known. treatment, screening:
    none if not given. outcome: where targets are goals of a year, the model of the zoo that nowcasts what the year will come to
    (:mod:`modelzoo.scorecard.outcomes`). sources: where the framework comes from.

    Raises BadInput naming the node.
    """

    id: str
    name_en: str
    name_zh: str
    tree: Node
    normalisation: Normalisation = field(default_factory=Normalisation)
    aggregation: tuple[Aggregation, ...] = ("arithmetic",)
    power: float = 0.5
    weighting: Weighting = "expert"
    missing: Missing = "leave"
    known: float = 0.0
    treatment: Treatment | None = None
    screening: Screening = field(default_factory=Screening)
    outcome: str | None = None
    sources: tuple[str, ...] = ()
    __pydantic_config__ = STRICT

    def __post_init__(self) -> None:
        if not self.tree.children:
            raise BadInput(f"node {self.tree.name}: the top of a framework has children")
        twice = [name for name, n in Counter(node.name for node in self.tree.walk()).items() if n > 1]
        if twice:
            raise BadInput(f"node {twice[0]}: the name stands more than once in the framework {self.id}")
        if not 0 <= self.known <= 1:
            raise BadInput(f"framework {self.id}: known is a share from 0 to 1, not {self.known}")
        if not math.isfinite(self.power) or self.power == 0:
            raise BadInput(f"framework {self.id}: power is a finite number other than 0 (which is the geometric mean)")
        inner = len(self.layout.levels) - 1
        if len(self.aggregation) not in (1, inner):
            raise BadInput(
                f"framework {self.id}: {inner} levels of groups take one aggregation or {inner}, not {len(self.aggregation)}"
            )
        if len(self.aggregation) > 1 and (flat := [a for a in self.aggregation if a in FLAT]):
            raise BadInput(f"framework {self.id}: {flat[0]} compares units over all indicators at once; give it alone")
        if self.normalisation.method in TARGETED:
            for leaf in self.leaves:
                if leaf.target is None:
                    raise BadInput(f"node {leaf.name}: normalisation {self.normalisation.method} needs its target")
        if self.outcome is not None:
            for leaf in self.leaves:
                if leaf.target is None or leaf.direction == 0 or leaf.denominator is not None:
                    raise BadInput(
                        f"node {leaf.name}: a goal of the year needs a target, a direction of 1 or -1 and no denominator"
                    )
        if self.normalisation.method == "efficacy":
            for leaf in self.leaves:
                if leaf.goalposts is None or leaf.direction == 0:
                    raise BadInput(
                        f"node {leaf.name}: 功效系数 needs goalposts (not allowed, satisfied) and a direction of 1 or -1"
                    )

    @staticmethod
    def read(source: str | Path) -> Framework:
        """A framework from a TOML file (a path) or from its text (a string of several lines).

        Raises Unknown if there is no such file; BadInput naming file, node and key.
        """
        text, file = (source, None) if isinstance(source, str) and "\n" in source else _text(Path(source))
        try:
            return _validated(tomllib.loads(text))
        except tomllib.TOMLDecodeError as wrong:
            raise BadInput(f"not TOML: {wrong}", file=file) from None
        except BadInput as wrong:
            raise BadInput(wrong.problem, file=file) from None

    @cached_property
    def leaves(self) -> tuple[Node, ...]:
        """The indicators from left to right: the columns of all data."""
        return tuple(n for n in self.tree.walk() if not n.children)

    @cached_property
    def indicators(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(n.name for n in self.leaves)

    @cached_property
    def layout(self) -> Layout:
        """The tree as arrays."""
        return Layout.of(self.tree)

    def node(self, name: str) -> Node:
        """A node by its name. Raises Unknown."""
        for node in self.tree.walk():
            if node.name == name:
                return node
        raise Unknown(f"framework {self.id} has no node {name}")

    def weighted(self, weights: Mapping[str, float]) -> Framework:
        """The same framework with other weights for the named nodes. Raises Unknown for a name, BadInput for a weight."""
        for name in weights:
            self.node(name)

        def changed(node: Node) -> Node:
            weight = float(weights.get(node.name, node.weight))
            return replace(node, weight=weight, children=tuple(map(changed, node.children)))

        return replace(self, tree=changed(self.tree))

    def without(self, name: str) -> Framework:
        """The same framework without one node and all below it; a group left empty goes too. Raises Unknown, BadInput."""
        self.node(name)

        def kept(node: Node) -> Node | None:
            if node.name == name:
                return None
            children = tuple(c for c in map(kept, node.children) if c is not None)
            return None if node.children and not children else replace(node, children=children)

        tree = kept(self.tree)
        if tree is None:
            raise BadInput(f"node {name}: nothing would be left of the framework {self.id}")
        return replace(self, tree=tree)


def _text(path: Path) -> tuple[str, str]:
    if not path.is_file():
        raise Unknown(f"no framework file {path}")
    return path.read_text(encoding="utf-8"), str(path)


def _validated(data: dict[str, Any]) -> Framework:
    from pydantic import TypeAdapter, ValidationError

    if isinstance(data.get("aggregation"), str):
        data["aggregation"] = [data["aggregation"]]
    try:
        return TypeAdapter(Framework).validate_python(data)
    except ValidationError as wrong:
        raise BadInput("; ".join(f"{_place(data, e['loc'])}: {e['msg']}" for e in wrong.errors())) from None


def _place(data: Any, loc: tuple[int | str, ...]) -> str:
    """``node Physical, key weight`` from ``tree, children, 0, weight``."""
    node, keys = "", list(loc)
    for depth, key in enumerate(loc):
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(data, dict) and (key == "tree" or (loc[0] == "tree" and isinstance(key, int))):
            node, keys = str(data.get("name", "(without a name)")), list(loc[depth + 1 :])
    key = "key " + ".".join(map(str, keys))
    return f"node {node}, {key}" if node else key
