"""Gradient-boosted trees over many series at once: what the others did after such a year, this one may do too.

One global model (Januschowski et al. 2020; Makridakis, Spiliotis & Assimakopoulos 2022 on the M5) predicts, for each of the slots
of the next two years, how far the value will lie from that of the same slot of the newest year, beside the usual size of such
changes. It reads the newest changes on the year and on the slot, the slot and how far ahead. Estimated by LightGBM; the trees are
kept as arrays and run by numpy, so that asking needs no LightGBM. Beyond two years the newest change on the year stands still.

Bands are the errors, by how far ahead, of a model that did not see the last fifth of the slots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.align import published
from engine.calendar import Period
from engine.errors import BadInput, NotEnoughData
from engine.estimate import Estimate
from engine.model import State
from engine.panel import Panel
from engine.typing import Floats, Ints
from modelzoo.forecast import history
from modelzoo.forecast.history import History
from modelzoo.forecast.single import aligned

_YEARS = 2
_TREES = ("feature", "threshold", "left", "right", "value")


@dataclass(frozen=True)
class Boosting:
    """Target and other series with as many values a year, all learned from alike.

    target: series id, monthly, quarterly or annual.
    others: ids of further series; the more, the better.
    rounds: trees, 10 … 1000.
    leaves: of a tree, 2 … 64.
    """

    target: str
    others: tuple[str, ...]
    rounds: int = 100
    leaves: int = 8

    def __post_init__(self) -> None:
        if self.target in self.others or len(set(self.others)) != len(self.others):
            raise BadInput("others: further series, each once, without the target")

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.target, *self.others)

    def fit(self, panel: Panel) -> FittedBoosting:
        """Others that are too short or have another number of values a year are left out. Raises NotEnoughData."""
        h = history.read(panel, self.target)
        several = [h, *(o for i in self.others if (o := _like(panel, i, h.slots)))]
        sizes = [_size(o) for o in several]
        reach = _YEARS * h.slots
        blocks = [
            _examples(np.round(o.values / s, 10), h.slots, o.first, reach) for o, s in zip(several, sizes, strict=True)
        ]
        X, y, origin = (np.concatenate([b[k] for b in blocks]) for k in range(3))
        if len(y) < 20 * h.slots:
            raise NotEnoughData(f"{self.target}: {len(y)} examples of all series together are too few for trees")
        cut = np.quantile(np.unique(origin), 0.8)
        ahead = X[:, -1].astype(int)
        early, late = origin + ahead <= cut, origin > cut
        spread = np.zeros(reach)
        trial = self._train(X[early], y[early])
        miss = y[late] - run(trial, X[late])
        for k in range(reach):
            mine = miss[ahead[late] == k + 1]
            spread[k] = np.sqrt((mine**2).mean()) if len(mine) else 0.0
        return FittedBoosting(self, sizes[0], h.slots, h.first, np.maximum.accumulate(spread), self._train(X, y))

    def restore(self, state: State) -> FittedBoosting:
        slots, first = state["slots"].tolist()
        return FittedBoosting(
            self, float(state["size"][0]), slots, first, np.asarray(state["spread"], float), {k: state[k] for k in _TREES}
        )  # fmt: skip

    def _train(self, X: Floats, y: Floats) -> dict[str, Any]:
        import lightgbm

        options = {
            "objective": "regression", "num_leaves": self.leaves, "learning_rate": 0.05, "min_data_in_leaf": 30, "verbose": -1,
            "num_threads": 1, "deterministic": True, "force_col_wise": True, "seed": 1,
        }  # fmt: skip
        return trees(lightgbm.train(options, lightgbm.Dataset(X, y), self.rounds))


@dataclass(frozen=True)
class FittedBoosting:
    """size: of a usual change of the target on the year. spread: ``(2 slots,)`` errors (rms) by slots ahead, beside the size.

    trees: node arrays, see :func:`trees`.
    """

    model: Boosting
    size: float
    slots: int
    first: int
    spread: Floats
    trees: dict[str, Any]

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """Raises NotEnoughData. Of sums since January the errors of the months are taken to be one and the same surprise."""
        target = self.model.target
        mean, sd = published(panel, target, periods), np.zeros(len(periods))
        unknown = np.flatnonzero(np.isnan(mean))
        if len(unknown):
            h = aligned(panel, target, self.slots, self.first, False)
            known, weights = h.weights([periods[j] for j in unknown.tolist()])
            path, spread = self._ahead(h, weights.shape[1])
            mean[unknown], sd[unknown] = known + weights @ path, weights @ spread
        return Estimate.normal(target, panel.asof, periods, mean, sd)

    def _ahead(self, h: History, ahead: int) -> tuple[Floats, Floats]:
        reach, y = _YEARS * h.slots, np.round(h.values / self.size, 10)
        steps = np.minimum(np.arange(1, ahead + 1), reach)
        change = run(self.trees, _features(y, len(y) - 1, h.slots, h.first, steps)) if ahead else np.zeros(0)
        base = np.resize(y[-h.slots :], ahead)
        beyond = np.maximum(np.arange(1, ahead + 1) / reach, 1.0)
        return (base + change) * self.size, self.spread[steps - 1] * np.sqrt(beyond) * self.size

    def state(self) -> State:
        return {
            "size": np.array([self.size]),
            "slots": np.array([self.slots, self.first], np.int64),
            "spread": self.spread,
            **self.trees,
        }


def _like(panel: Panel, series_id: str, slots: int) -> History | None:
    try:
        h = history.read(panel, series_id)
    except NotEnoughData:
        return None
    return h if h.slots == slots else None


def _size(h: History) -> float:
    change = h.values[h.slots :] - h.values[: -h.slots]
    return float(np.abs(change).mean()) or float(np.abs(h.values).mean())


def _features(y: Floats, at: int, slots: int, first: int, steps: Ints) -> Floats:
    """``(k, F)`` what is known at place ``at`` of ``y``: changes on the year and on the slot, the slot and how far ahead."""
    short = min(slots, 6)
    year = [y[at - k] - y[at - k - slots] for k in range(short)]
    slot = [y[at - k] - y[at - k - 1] for k in range(short)]
    last = [y[at - slots + 1 + (s - 1) % slots] - y[at - 2 * slots + 1 + (s - 1) % slots] for s in steps.tolist()]
    fixed = np.tile(np.r_[year, slot], (len(steps), 1))
    return np.column_stack([fixed, last, (first + at + steps) % slots, steps])


def _examples(y: Floats, slots: int, first: int, reach: int) -> tuple[Floats, Floats, Ints]:
    """Features, what came out, and the slot of the origin, for all origins of a series and all steps ahead that are known."""
    X, out, origins = [], [], []
    for at in range(2 * slots, len(y) - 1):
        steps = np.arange(1, min(reach, len(y) - 1 - at) + 1)
        X.append(_features(y, at, slots, first, steps))
        out.append(y[at + steps] - y[at - slots + 1 + (steps - 1) % slots])
        origins.append(np.full(len(steps), first + at))
    if not X:
        return np.zeros((0, 2 * min(slots, 6) + 3)), np.zeros(0), np.zeros(0, np.int64)
    return np.concatenate(X), np.concatenate(out), np.concatenate(origins)


def trees(booster: Any) -> dict[str, Any]:
    """The trees of a booster as ``(B, M)`` arrays: feature of a node (-1: a leaf), threshold, places of its children, value."""
    flat: list[list[tuple[int, float, int, int, float]]] = []
    for tree in booster.dump_model()["tree_info"]:
        nodes: list[tuple[int, float, int, int, float]] = []

        def walk(node: Any, nodes: list[tuple[int, float, int, int, float]] = nodes) -> int:
            here = len(nodes)
            nodes.append((-1, 0.0, here, here, float(node.get("leaf_value", 0.0))))
            if "split_feature" in node:
                left, right = walk(node["left_child"]), walk(node["right_child"])
                nodes[here] = (int(node["split_feature"]), float(node["threshold"]), left, right, 0.0)
            return here

        walk(tree["tree_structure"])
        flat.append(nodes)
    width = max(map(len, flat))
    padded = [[*nodes, *[(-1, 0.0, 0, 0, 0.0)] * (width - len(nodes))] for nodes in flat]
    kinds = (np.int64, np.float64, np.int64, np.int64, np.float64)
    return {k: np.array([[n[i] for n in nodes] for nodes in padded], kinds[i]) for i, k in enumerate(_TREES)}


def run(nodes: dict[str, Any], X: Floats) -> Floats:
    """``(n,)`` what the trees say of ``(n, F)`` features without NaN: as LightGBM says it, to rounding."""
    out = np.zeros(len(X))
    rows = np.arange(len(X))
    for b in range(len(nodes["feature"])):
        feature, threshold, left, right, value = (nodes[k][b] for k in _TREES)
        at = np.zeros(len(X), np.int64)
        while (inner := feature[at] >= 0).any():
            low = X[rows, np.maximum(feature[at], 0)] <= threshold[at]
            at = np.where(inner, np.where(low, left[at], right[at]), at)
        out += value[at]
    return out


MODEL = Boosting
