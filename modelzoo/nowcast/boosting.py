"""Gradient-boosted trees on the lag stack, by LightGBM: one booster for all horizons, which are a feature of it.

Squared error, small trees, no leaf of few rows: some two hundred quarters carry no more. The booster is repeatable (one thread,
fixed seeds) and travels in the state as the bytes of its text. Source: Ke et al. (2017, NeurIPS 30); trees for macroeconomic
series: Medeiros et al. (2021, J. Bus. Econ. Stat. 39). A tree never leaves the range of what it has seen: it cannot say that a
recession is deeper than any before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from engine.align import published
from engine.calendar import Period
from engine.errors import BadInput, NotEnoughData
from engine.estimate import Estimate
from engine.model import State
from engine.panel import Panel
from engine.typing import Floats
from modelzoo.nowcast import ordered
from modelzoo.nowcast.stack import HORIZONS, Form, Stack, check, learn, restored

STEPS = 8  # numbers of rounds that are tried, evenly up to the most


@dataclass(frozen=True)
class Boosting:
    """The target by boosted trees on the lag stack of many indicators.

    target: series id, quarterly or monthly.
    indicators: series ids, at least one; those that begin late, end early or do not vary are left out.
    lags: how many values of each indicator.
    form: sums, of the target's period and those before, as expected; or months, the newest known.
    rounds: the most trees; how many serve is chosen by errors in the order of time.
    rate: how much of each tree is taken.
    leaves: of a tree.
    since: the first month of the sample, as 1985-01; empty for all that is known.
    """

    target: str
    indicators: tuple[str, ...]
    lags: int = 1
    form: Form = "sums"
    rounds: int = 120
    rate: float = 0.05
    leaves: int = 6
    since: str = ""

    def __post_init__(self) -> None:
        check(self.target, self.indicators, self.lags)
        if not (self.rounds >= STEPS and 0 < self.rate <= 1 and 2 <= self.leaves <= 64):
            raise BadInput(f"rounds must be at least {STEPS}, rate lie in 0 … 1, leaves in 2 … 64")

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.target, *self.indicators)

    def fit(self, panel: Panel) -> FittedBoosting:
        """Cells before an indicator began are missing to the trees. Raises NotEnoughData below 20 complete periods."""
        stack = learn(panel, self.target, self.indicators, self.lags, self.form, self.since)
        _, target = stack.rows(panel)
        history = stack.history(panel)
        per_horizon = [history(h) for h in HORIZONS]
        whole = ~np.isnan(target) & ~np.isnan([own for own, _ in per_horizon]).any(0)
        X = np.stack(
            [features(stack, own[whole], F[whole], h) for h, (own, F) in zip(HORIZONS, per_horizon, strict=True)]
        )
        y, n, H = target[whole], int(whole.sum()), len(HORIZONS)
        errors = []
        for a, b in ordered.folds(n, self.target):
            text = self._train(X[:, :a].reshape(H * a, -1), np.tile(y[:a], H))
            said = _staged(text, X[:, a:b].reshape(H * (b - a), -1), self._stages()).reshape(STEPS, H, b - a)
            errors.append(y[a:b] - said)
        best, _ = ordered.chosen([e.reshape(STEPS, -1) for e in errors])
        sigma = np.array([ordered.chosen([e[:, h] for e in errors])[1] for h in range(H)])
        text = self._train(X.reshape(H * n, -1), np.tile(y, H), self._stages()[best])
        return FittedBoosting(self, stack, text, ordered.widening(sigma))

    def _stages(self) -> list[int]:
        return [self.rounds * (i + 1) // STEPS for i in range(STEPS)]

    def _train(self, X: Floats, y: Floats, rounds: int = 0) -> str:
        """The booster as text, which holds every number to its last bit."""
        import lightgbm  # slow to import

        options = {
            "objective": "regression", "learning_rate": self.rate, "num_leaves": self.leaves, "verbosity": -1, "seed": 0,
            "num_threads": 1, "deterministic": True, "force_row_wise": True, "max_bin": 31, "feature_fraction": 0.5,
            "bagging_fraction": 0.7, "bagging_freq": 1, "lambda_l2": 1.0, "feature_pre_filter": False,
            "min_data_in_leaf": min(8 * len(HORIZONS), max(1, len(y) // 8)),
        }  # fmt: skip
        data = lightgbm.Dataset(
            X, np.round(y, 7), params={"verbosity": -1}
        )  # no tie is broken by rounding of the scale
        text: str = lightgbm.train(options, data, rounds or self.rounds).model_to_string()
        return text

    def restore(self, state: State) -> FittedBoosting:
        stack = restored(self.target, self.indicators, self.lags, self.form, self.since, state)
        text = np.asarray(state["booster"]).astype(np.uint8).tobytes().decode()
        return FittedBoosting(self, stack, text, np.asarray(state["sigma"], float))


def features(stack: Stack, own: Floats, X: Floats, h: int) -> Floats:
    """``(n, 2 + M × lags)`` the horizon, the own expectation and the indicators that are used; rounded, as the target is."""
    kept = X[:, stack.used[1:]].reshape(len(X), -1)
    return np.round(np.column_stack([np.full(len(own), float(h)), own, kept]), 9)


@lru_cache(maxsize=16)
def _booster(text: str) -> Any:
    import lightgbm

    return lightgbm.Booster(model_str=text)


def _staged(text: str, X: Floats, stages: list[int]) -> Floats:
    """``(len(stages), n)`` predictions after so many rounds."""
    return np.array([_booster(text).predict(X, num_iteration=k, num_threads=1) for k in stages])


@dataclass(frozen=True)
class FittedBoosting:
    """booster: its text. sigma ``(H + 1,)``, of the standardised target."""

    model: Boosting
    stack: Stack
    booster: str
    sigma: Floats

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """Bands from errors in the order of time, by horizon. Raises NotEnoughData."""
        target, stack = self.model.target, self.stack
        mean, sd = published(panel, target, periods), np.zeros(len(periods))
        for j, period in enumerate(periods):
            if np.isnan(mean[j]):
                index, own, X = stack.now(panel, period)
                if np.isnan(own[0]):
                    raise NotEnoughData(
                        f"{target}: too few values in a row are known as of {panel.day} to reach {period}"
                    )
                row = features(stack, own, X, HORIZONS[min(index, len(HORIZONS) - 1)])
                mean[j] = stack.mean[0] + stack.sd[0] * float(_booster(self.booster).predict(row, num_threads=1)[0])
                sd[j] = stack.sd[0] * self.sigma[index]
        return Estimate.normal(target, panel.asof, periods, mean, sd)

    def state(self) -> State:
        text = np.frombuffer(self.booster.encode(), np.uint8).astype(np.int64)
        return {**self.stack.state(), "booster": text, "sigma": self.sigma}


MODEL = Boosting
