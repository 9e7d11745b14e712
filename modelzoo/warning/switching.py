"""Markov switching (Hamilton): the chance that a series is in its low regime, where two regimes are worth believing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine import switching
from engine.align import last_known
from engine.calendar import Freq, Period
from engine.errors import BadInput, NotEnoughData
from engine.estimate import LEVELS, Estimate
from engine.model import State
from engine.panel import Panel
from engine.switching import Regimes
from engine.typing import Floats


@dataclass(frozen=True)
class Switching:
    """Two means around which the series moves, and the chance of each month to lie in the one that is the downturn.

    target: what the estimate is called, ``downturn@US``.
    series: monthly series id, growth rather than level.
    order: lags of the autoregression around the means, 0 … 4; gaps are bridged with 0 only.
    downturn: which regime it is, that of the "low" or of the "high" mean (as of unemployment).
    since: first month of the sample; "" is all.
    starts: random starts; two at least must find the same maximum.
    seed: of the starts.
    """

    target: str
    series: str
    order: int = 0
    downturn: Literal["low", "high"] = "low"
    since: str = ""
    starts: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.order <= 4 or self.starts < 2:
            raise BadInput(f"{self.target}: order is 0 … 4 and starts at least 2, not {self.order} and {self.starts}")

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.series,)

    def fit(self, panel: Panel) -> FittedSwitching:
        """Raises NotEnoughData; NotConverged where starts disagree or a regime lasts less than three months on average."""
        return FittedSwitching(
            self,
            switching.fit(
                self.values(panel)[1], self.order, self.starts, self.seed, f"{self.series} as of {panel.day}"
            ),
        )

    def values(self, panel: Panel) -> tuple[Period, Floats]:
        """The first month of the sample and its values to the newest known one."""
        if panel.meaning(self.series).freq is not Freq.M:
            raise BadInput(f"{self.series}: a monthly series is needed")
        newest, values = last_known(panel, self.series)
        first = newest + (1 - len(values))
        lo = max(int(np.argmin(np.isnan(values))), Period.parse(self.since) - first if self.since else 0)
        return first + lo, np.ascontiguousarray(values[lo:])

    def restore(self, state: State) -> FittedSwitching:
        f = {name: np.asarray(state[name], float) for name in ("mean", "ar", "stay", "numbers", "draws")}
        n, agreed = (int(v) for v in state["count"])
        sigma2, llf, one = (float(v) for v in f["numbers"])
        return FittedSwitching(self, Regimes(f["mean"], f["ar"], sigma2, f["stay"], llf, one, n, agreed, f["draws"]))


@dataclass(frozen=True)
class FittedSwitching:
    """``regimes.bic`` against ``regimes.bic_one`` says whether two regimes are better than one."""

    model: Switching
    regimes: Regimes

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """Smoothed chance of months that are known, forecasts of those after; bands hold what is not known of the parameters.

        Raises NotEnoughData for a month before the sample, BadInput for another period than a month.
        """
        target, r, order = self.model.target, self.regimes, self.model.order
        if odd := [str(p) for p in periods if p.freq is not Freq.M]:
            raise BadInput(f"{target}: warnings are monthly; {', '.join(odd)} is not a month")
        first, y = self.model.values(panel)
        if len(y) <= order:
            raise NotEnoughData(f"{target}: {len(y)} values of {self.model.series} known as of {panel.day}")
        rows = [p - first - order for p in periods]
        if early := [str(p) for p, t in zip(periods, rows, strict=True) if t < 0]:
            raise NotEnoughData(f"{target}: the sample as of {panel.day} begins with {first + order}, after {early[0]}")
        mean = self._read(rows, y, r.mean, r.ar, r.sigma2, r.stay)
        drawn = np.array([self._read(rows, y, d[:2], d[2 : 2 + order], d[-3], d[-2:]) for d in r.draws])
        quantiles = np.quantile(drawn, LEVELS, axis=0).T
        return Estimate(target, panel.asof, tuple(periods), mean, np.ascontiguousarray(quantiles))

    def probabilities(self, panel: Panel) -> tuple[Period, Floats, Floats]:
        """The first month, and ``(n,)`` chances given what was known of the months so far, and given all of them."""
        first, y = self.model.values(panel)
        filtered, smoothed = self.regimes.low(y)
        if self.model.downturn == "high":
            filtered, smoothed = 1.0 - filtered, 1.0 - smoothed
        return first + self.model.order, filtered, smoothed

    def _read(self, rows: list[int], y: Floats, mean: Floats, ar: Floats, sigma2: float, stay: Floats) -> Floats:
        _, low = switching.chance(y, np.ascontiguousarray(mean), np.ascontiguousarray(ar), float(sigma2), stay)
        last = len(low) - 1
        out = np.array([low[t] if t <= last else switching.forecast(float(low[-1]), stay, t - last) for t in rows])
        return out if self.model.downturn == "low" else 1.0 - out

    def newest(self, panel: Panel) -> Period:
        """The newest month of the series. Raises NotEnoughData."""
        return last_known(panel, self.model.series)[0]

    def state(self) -> State:
        r = self.regimes
        return {
            "mean": r.mean, "ar": r.ar, "stay": r.stay, "numbers": np.array([r.sigma2, r.llf, r.llf_one]),
            "count": np.array([r.n, r.agreed], np.int64), "draws": r.draws,
        }  # fmt: skip


MODEL = Switching
