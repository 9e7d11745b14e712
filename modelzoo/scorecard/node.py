"""A node of a framework's tree: a group of others, or an indicator and what is said of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from engine.errors import BadInput
from modelzoo.scorecard.choices import STRICT, Missing, Small


@dataclass(frozen=True)
class Node:
    """One node: a group with ``children``, or an indicator with a ``direction``.

    name: unique in the tree; an indicator's is the column of the data. weight: against its siblings, on any scale.
    direction: 1 more is better, -1 less is better, 0 nearer to ``target`` is better. denominator: the name of what the
    indicator is divided by. target: the value aimed at. goalposts: the raw values (low, high) between which the score
    runs, low < high whatever the direction. cap: the most that the normalised score may be. missing: how its gaps are
    filled, where it differs from the framework's rule. small: what is done where it rests on few. unit: of the indicator as
    delivered.
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
    small: Small | None = None
    unit: str = ""
    __pydantic_config__ = STRICT

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
            for field in ("direction", "denominator", "target", "goalposts", "cap", "missing", "small")
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
        if self.small is not None and (problem := self.small.problem(self.name, self.denominator)):
            raise BadInput(f"node {self.name}: small {problem}")
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
