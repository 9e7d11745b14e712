"""Signal extraction: each indicator signals beyond its threshold; signals are weighted by one over noise to signal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import betaincinv

from engine.calendar import Period
from engine.classify import Criterion, Table, best_threshold
from engine.errors import BadInput, NotEnoughData
from engine.estimate import LEVELS, Estimate
from engine.model import State
from engine.panel import Panel
from engine.typing import Bools, Floats, Ints
from modelzoo.warning.event import Event

FLOOR = 0.05
"""Least noise to signal in a weight, so that one indicator without a false alarm in the sample does not speak for all."""


@dataclass(frozen=True)
class Signals:
    """Thresholds learned indicator by indicator (Kaminsky, Lizondo & Reinhart 1998), each calling a share of the months before.

    target: what the estimate is called, ``downturn@US``.
    event: what is warned of, and when it counts; "within" a window is the method's own.
    indicators: series ids, monthly.
    criterion: what a threshold makes best: "youden", "usefulness" or "nsr" (least noise to signal).
    recall: share of the months before an event that every indicator must call; without such a floor least noise to signal is
        degenerate (it calls the few surest months).
    theta: under "usefulness", how much a missed month costs against a false alarm.
    since: first month of the sample; "" is all.
    """

    target: str
    event: Event
    indicators: tuple[str, ...]
    criterion: Criterion = "nsr"
    recall: float = 2 / 3
    theta: float = 0.5
    since: str = ""

    def __post_init__(self) -> None:
        if not self.indicators or len(set(self.indicators)) != len(self.indicators):
            raise BadInput(f"{self.target}: indicators are needed, each once")
        if not (0 <= self.recall <= 1 and 0 < self.theta < 1):
            raise BadInput(
                f"{self.target}: recall is in 0 … 1 and theta within (0, 1), not {self.recall}, {self.theta}"
            )

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.indicators, *self.event.inputs)))

    def fit(self, panel: Panel) -> FittedSignals:
        """Direction and threshold of each indicator, then how often each level of the composite was followed by the event.

        Raises NotEnoughData naming the indicator.
        """
        x, y = self.event.sample(panel, self.indicators)
        if self.since:
            y[: max(Period.parse(self.since) - panel.first, 0)] = np.nan
        N = len(self.indicators)
        sides, cuts, tables = np.ones(N, np.int64), np.empty(N), np.empty((N, 4), np.int64)
        for j, name in enumerate(self.indicators):
            try:
                found = [best_threshold(s * x[:, j], y, self.criterion, self.recall, self.theta) for s in (1, -1)]
            except NotEnoughData as few:
                raise NotEnoughData(f"{self.target} as of {panel.day}, {name}: {few}") from None
            k = int(found[1].table.youden > found[0].table.youden)
            t = found[k].table
            sides[j], cuts[j], tables[j] = 1 - 2 * k, found[k].at, (t.hits, t.false, t.missed, t.quiet)
        nsr = np.array([Table(*(int(v) for v in row)).nsr for row in tables])
        fitted = FittedSignals(self, sides, cuts, tables, 1.0 / np.maximum(nsr, FLOOR), np.empty(0), np.empty((0, 2)))
        composite = fitted.composite(x)
        kept = ~(np.isnan(composite) | np.isnan(y))
        steps, counts = _pooled(composite[kept], y[kept])
        return FittedSignals(self, sides, cuts, tables, fitted.weights, steps, counts)

    def restore(self, state: State) -> FittedSignals:
        f = {name: np.asarray(state[name], float) for name in ("cuts", "weights", "steps", "counts")}
        sides, tables = np.asarray(state["sides"], np.int64), np.asarray(state["tables"], np.int64)
        return FittedSignals(self, sides, f["cuts"], tables, f["weights"], f["steps"], f["counts"])


@dataclass(frozen=True)
class FittedSignals:
    """sides: ``(N,)`` 1 signals above, -1 below. cuts: ``(N,)`` thresholds of sides × x. tables: ``(N, 4)`` A, B, C, D.

    weights: ``(N,)`` one over noise to signal. steps: ``(m,)`` levels of the composite from which a chance holds, ascending;
    counts: ``(m, 2)`` months at each, and those that were followed by the event.
    """

    model: Signals
    sides: Ints
    cuts: Floats
    tables: Ints
    weights: Floats
    steps: Floats
    counts: Floats

    def signals(self, x: Floats) -> Bools:
        """``(H, N)`` whether each indicator signals; not where it is unknown."""
        return np.asarray(self.sides * x >= self.cuts, np.bool_)

    def composite(self, x: Floats) -> Floats:
        """``(H,)`` share of the weight that signals, 0 … 1, over the indicators that are known; NaN where none is."""
        known = ~np.isnan(x)
        weight = known @ self.weights
        out = np.full(len(x), np.nan)
        np.divide(self.signals(x) @ self.weights, weight, out=out, where=weight > 0)
        return out

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """How often so much signal was followed by the event, with Jeffreys' band for a share. Raises NotEnoughData."""
        model = self.model
        composite = self.composite(model.event.predictors(panel, model.indicators, periods))
        if np.isnan(composite).any():
            p = periods[int(np.argmax(np.isnan(composite)))]
            raise NotEnoughData(f"{model.target}: no indicator is known for {p} as of {panel.day}")
        at = np.maximum(np.searchsorted(self.steps, composite + 1e-12, side="right") - 1, 0)
        n, hits = self.counts[at].T
        levels = betaincinv(hits[:, None] + 0.5, (n - hits)[:, None] + 0.5, np.array(LEVELS))
        return Estimate(
            model.target, panel.asof, tuple(periods), (hits + 0.5) / (n + 1.0), np.asarray(levels, np.float64)
        )

    def table(self) -> pl.DataFrame:
        """One row an indicator: side, threshold in its own unit, A, B, C, D, type I and II, noise to signal, gain, weight."""
        rows = []
        for j, name in enumerate(self.model.indicators):
            t = Table(*(int(v) for v in self.tables[j]))
            rows.append(
                {
                    "indicator": name, "signals": "above" if self.sides[j] > 0 else "below",
                    "threshold": float(self.sides[j] * self.cuts[j]), "hits": t.hits, "false": t.false, "missed": t.missed,
                    "quiet": t.quiet, "type_1": t.type_1, "type_2": t.type_2, "nsr": t.nsr, "gain": t.gain,
                    "usefulness": t.usefulness(self.model.theta), "weight": float(self.weights[j] / self.weights.sum()),
                }
            )  # fmt: skip
        return pl.DataFrame(rows)

    def newest(self, panel: Panel) -> Period:
        """The newest month that can be estimated. Raises NotEnoughData."""
        return self.model.event.newest(panel, self.model.indicators, 1)

    def state(self) -> State:
        names = ("sides", "cuts", "tables", "weights", "steps", "counts")
        return {name: getattr(self, name) for name in names}


def _pooled(score: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Levels of the score and months, events at each, pooled so that the share of events never falls (isotonic)."""
    pools: list[list[float]] = []
    for level in np.unique(score):
        here = y[score == level]
        pools.append([float(level), float(len(here)), float(here.sum())])
        while len(pools) > 1 and pools[-2][2] * pools[-1][1] >= pools[-1][2] * pools[-2][1]:
            _, n, hits = pools.pop()
            pools[-1][1] += n
            pools[-1][2] += hits
    found = np.array(pools)
    return found[:, 0], found[:, 1:]


MODEL = Signals
