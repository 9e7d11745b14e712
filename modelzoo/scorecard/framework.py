"""A scorecard as data: a tree of any depth whose leaves are indicators, and the choices made on the way to a score.

A framework is a TOML file: the choices at the top, then the tree as ``[tree]``, ``[[tree.children]]``, and so on down. Errors
name the node. :attr:`Framework.layout` is the same tree as arrays, for the steps that score many variants at once.
"""

from __future__ import annotations

import math
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

from engine.errors import BadInput, Unknown
from modelzoo.scorecard.layout import Layout

Missing: TypeAlias = Literal["leave", "time", "group", "regression", "em"]
Aggregation: TypeAlias = Literal[
    "arithmetic",
    "geometric",
    "harmonic",
    "power",
    "mazziotta_pareto",
    "mazziotta_pareto_up",
    "copeland",
    "topsis",
    "vikor",
]
Weighting: TypeAlias = Literal["expert", "equal", "entropy", "critic", "deviation", "pca"]
Method: TypeAlias = Literal[
    "goalposts",
    "minmax",
    "z",
    "rank",
    "borda",
    "percentile",
    "to_maximum",
    "to_reference",
    "to_target",
    "fraction",
    "ratio",
    "efficacy",
]
FLAT: tuple[Aggregation, ...] = (
    "copeland",
    "topsis",
    "vikor",
)  # compare units over all indicators below a node at once
POSITIVE: tuple[Aggregation, ...] = ("geometric", "harmonic", "power", "mazziotta_pareto", "mazziotta_pareto_up")
_TARGETED: tuple[Method, ...] = ("to_target", "ratio")
_STRICT = {"extra": "forbid", "strict": False}


@dataclass(frozen=True)
class Node:
    """One node: a group with ``children``, or an indicator with a ``direction``.

    name: unique in the tree; an indicator's is the column of the data. weight: against its siblings, on any scale.
    direction: 1 more is better, -1 less is better, 0 nearer to ``target`` is better. denominator: the name of what the
    indicator is divided by. target: the value aimed at. goalposts: the raw values (low, high) between which the score
    runs, low < high whatever the direction. cap: the most that the normalised score may be. missing: how its gaps are
    filled, where it differs from the framework's rule. unit: of the indicator as delivered.
    """

    name: str
    name_en: str = ""
    name_zh: str = ""
    weight: float = 1.0
    children: tuple[Node, ...] = ()
    direction: Literal[1, -1, 0] | None = None
    denominator: str | None = None
    target: float | None = None
    goalposts: tuple[float, float] | None = None
    cap: float | None = None
    missing: Missing | None = None
    unit: str = ""
    __pydantic_config__ = _STRICT

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise BadInput("a node of the framework has no name")
        if not (math.isfinite(self.weight) and self.weight >= 0):
            raise BadInput(f"node {self.name}: a weight is a number not below 0, not {self.weight}")
        if self.children:
            self._check_group()
        else:
            self._check_indicator()

    def _check_group(self) -> None:
        given = [
            field
            for field in ("direction", "denominator", "target", "goalposts", "cap", "missing")
            if getattr(self, field) is not None
        ]
        if given:
            raise BadInput(f"node {self.name}: a group with children takes no {', '.join(given)}; indicators do")
        if not any(c.weight > 0 for c in self.children):
            raise BadInput(f"node {self.name}: none of its children has a weight above 0")

    def _check_indicator(self) -> None:
        if self.direction is None:
            raise BadInput(f"node {self.name}: an indicator needs direction = 1, -1 or 0; a group needs children")
        if self.direction == 0 and self.target is None:
            raise BadInput(f"node {self.name}: direction 0 means nearer to the target is better; give target")
        if any(v is not None and not math.isfinite(v) for v in (self.target, self.cap)):
            raise BadInput(f"node {self.name}: target and cap are finite numbers")
        if self.goalposts is not None:
            low, high = self.goalposts
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise BadInput(f"node {self.name}: goalposts are (low, high) with low < high, not ({low}, {high})")
            if self.direction == 0 and not (self.target is not None and low < self.target < high):
                raise BadInput(
                    f"node {self.name}: the target {self.target} must lie between its goalposts {low}, {high}"
                )

    def walk(self) -> Iterator[Node]:
        """This node and all below it, each before its children, left to right."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Normalisation:
    """How indicators come to one scale. method: see :mod:`modelzoo.scorecard.normalise`. low, high: the ends of the scale.

    mean, sd: of ``z``. reference: for ``to_reference``, the unit that the others are held against.
    """

    method: Method = "goalposts"
    low: float = 0.0
    high: float = 100.0
    mean: float = 0.0
    sd: float = 1.0
    reference: str | None = None
    __pydantic_config__ = _STRICT

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise BadInput(f"the scale runs from low to a higher high, not from {self.low} to {self.high}")
        if not (math.isfinite(self.mean) and math.isfinite(self.sd) and self.sd > 0):
            raise BadInput(f"z takes a finite mean and an sd above 0, not {self.mean} and {self.sd}")
        if (self.method == "to_reference") != (self.reference is not None):
            raise BadInput(
                "normalisation to_reference needs the name of a unit as reference; no other method takes one"
            )


@dataclass(frozen=True)
class Treatment:
    """Which indicators have outliers, and how far values are pulled in. See :mod:`modelzoo.scorecard.outliers`."""

    points: int = 5
    skew: float = 2.0
    kurtosis: float = 3.5
    __pydantic_config__ = _STRICT

    def __post_init__(self) -> None:
        if self.points < 0 or not self.skew > 0 or not math.isfinite(self.kurtosis):
            raise BadInput("a treatment takes points from 0, a skew above 0 and a finite kurtosis")


@dataclass(frozen=True)
class Screening:
    """Which units have enough data: the least share of indicators known, and of known ones that are not zero."""

    known: float = 0.0
    nonzero: float = 0.0
    __pydantic_config__ = _STRICT

    def __post_init__(self) -> None:
        if not (0 <= self.known <= 1 and 0 <= self.nonzero <= 1):
            raise BadInput("screening takes shares from 0 to 1")


@dataclass(frozen=True)
class Framework:
    """A scorecard as data: the tree and the choices.

    aggregation: how a node's children become its score; one for all levels, or one a level from the top down; copeland,
    topsis and vikor stand alone. power: of the generalised mean. weighting: where the weights of indicators within their
    group come from (expert: the tree's); those of groups are the tree's. known: the least share of children known for a
    node to be scored. missing: how gaps are filled; leave: the node is the mean of what is known. treatment, screening:
    none if not given. sources: where the framework comes from.

    Raises BadInput naming the node.
    """

    id: str
    name_en: str
    name_zh: str
    tree: Node
    normalisation: Normalisation = Normalisation()
    aggregation: tuple[Aggregation, ...] = ("arithmetic",)
    power: float = 0.5
    weighting: Weighting = "expert"
    missing: Missing = "leave"
    known: float = 0.0
    treatment: Treatment | None = None
    screening: Screening = Screening()
    sources: tuple[str, ...] = ()
    __pydantic_config__ = _STRICT

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
        if self.normalisation.method in _TARGETED:
            for leaf in self.leaves:
                if leaf.target is None:
                    raise BadInput(f"node {leaf.name}: normalisation {self.normalisation.method} needs its target")
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
        if isinstance(data, dict) and loc[0] == "tree":
            node, keys = str(data.get("name", "(without a name)")), list(loc[depth + 1 :])
    key = "key " + ".".join(map(str, keys))
    return f"node {node}, {key}" if node else key
