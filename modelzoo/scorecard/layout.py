"""A framework's tree as arrays: nodes by depth, children beside each other, so that a level is one ``np.add.reduceat``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import BadInput, Unknown
from engine.typing import Floats, Ints

if TYPE_CHECKING:
    from modelzoo.scorecard.node import Node


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """N nodes in the order of their depth, left to right, the top first; M indicators from left to right of the tree.

    Children of one node are contiguous, and so are all nodes of one depth; parents of a depth stand in the same order as
    their blocks of children.

    names: (N,). parent: ``(N,)`` row of the parent, -1 for the top. first, count: ``(N,)`` the block of children, count 0
    for an indicator. levels: for each depth the slice of its nodes. leaf: ``(M,)`` the row of each indicator. weight:
    ``(N,)`` as given, any scale. direction: ``(M,)`` 1, -1 or 0. target, low, high, cap: ``(M,)``, NaN where not given.
    """

    names: tuple[str, ...]
    parent: Ints
    first: Ints
    count: Ints
    levels: tuple[slice, ...]
    leaf: Ints
    weight: Floats
    direction: Floats
    target: Floats
    low: Floats
    high: Floats
    cap: Floats

    @staticmethod
    def of(top: Node) -> Layout:
        nodes, parent, levels = [top], [-1], [slice(0, 1)]
        first, count = [0], [0]
        while levels[-1].start < levels[-1].stop:
            for row in range(levels[-1].start, levels[-1].stop):
                first[row], count[row] = len(nodes), len(nodes[row].children)
                nodes += nodes[row].children
                parent += [row] * count[row]
                first += [0] * count[row]
                count += [0] * count[row]
            levels.append(slice(levels[-1].stop, len(nodes)))
        rows = {node.name: row for row, node in enumerate(nodes)}
        leaves = [node for node in top.walk() if not node.children]
        posts = [node.goalposts or (None, None) for node in leaves]
        return Layout(
            names=tuple(node.name for node in nodes),
            parent=np.array(parent, np.int64),
            first=np.array(first, np.int64),
            count=np.array(count, np.int64),
            levels=tuple(levels[:-1]),
            leaf=np.array([rows[node.name] for node in leaves], np.int64),
            weight=np.array([node.weight for node in nodes]),
            direction=np.array([node.direction for node in leaves], float),
            target=np.array([node.target for node in leaves], float),
            low=np.array([low for low, _ in posts], float),
            high=np.array([high for _, high in posts], float),
            cap=np.array([node.cap for node in leaves], float),
        )

    @property
    def indicators(self) -> tuple[str, ...]:
        """The names of the indicators, (M,)."""
        return tuple(self.names[row] for row in self.leaf)

    @property
    def groups(self) -> Ints:
        """The rows of all nodes with children, the top first."""
        return np.flatnonzero(self.count)

    def row(self, name: str) -> int:
        """The row of a node. Raises Unknown."""
        try:
            return self.names.index(name)
        except ValueError:
            raise Unknown(f"the framework has no node {name}") from None

    def children(self, row: int) -> slice:
        """The rows of a node's children."""
        return slice(int(self.first[row]), int(self.first[row] + self.count[row]))

    def shares(self, weight: Floats | None = None) -> Floats:
        """Weights that sum to 1 among siblings: ``(..., N)`` from ``(..., N)``, by default the tree's own.

        Raises BadInput, naming the node, where siblings sum to nothing.
        """
        weight = self.weight if weight is None else weight
        if weight.shape[-1] != len(self.names):
            raise BadInput(f"a framework of {len(self.names)} nodes takes as many weights, not {weight.shape[-1]}")
        parents = self.groups
        total = np.add.reduceat(weight[..., 1:], self.first[parents] - 1, axis=-1)  # blocks of children tile rows 1 …
        if not (total > 0).all():
            worst = int(parents[np.argwhere(~(total > 0))[0][-1]])
            raise BadInput(f"node {self.names[worst]}: the weights of its children sum to nothing")
        out = np.ones(weight.shape)
        out[..., 1:] = weight[..., 1:] / np.repeat(total, self.count[parents], axis=-1)
        return out

    def effective(self, weight: Floats | None = None, top: int = 0) -> Floats:
        """What each node weighs at the top, ``(..., N)``: its share times those of all above. Those of the indicators sum to 1.

        top: the row of the node that counts as the top; what is not below it weighs 0.
        """
        shares = self.shares(weight)
        out = np.zeros(shares.shape)
        out[..., top] = 1.0
        for level in self.levels[1:]:
            out[..., level] += shares[..., level] * out[..., self.parent[level]]
        return out

    def below(self, row: int) -> Ints:
        """The columns (0 … M-1) of the indicators below a node."""
        top = self.leaf.copy()
        while (up := (top != row) & (top > 0)).any():
            top[up] = self.parent[top[up]]
        return np.flatnonzero(top == row)
