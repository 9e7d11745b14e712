"""An index through time with what moved it: parts that add up to the level, and so to every monthly change."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from scipy.special import ndtri

from engine.calendar import Period
from engine.cycle import growth_cycle
from engine.errors import NotEnoughData
from engine.estimate import LEVELS, Estimate
from engine.indicator import split_id
from engine.panel import Panel
from engine.reading import READINGS, of_estimate
from engine.typing import Floats, Ints
from modelzoo.prosperity.measure import KNOWN

LEAST = 0.6
"""An index begins and ends with a month in which components of more than this share of the weights are there (OECD)."""

Z = ndtri(np.array(LEVELS))


@dataclass(frozen=True)
class History:
    """Every month of an index.

    names ``(K,)``: components first, then what is no component (trend, base). parts ``(T, K)``: what each adds to the index;
    they sum to it. marks ``(T, N)``: of the components, 0 known, 1 carried from the month before, 2 missing.
    quantiles ``(T, len(LEVELS))``.
    """

    target: str
    first: Period
    names: tuple[str, ...]
    parts: Floats
    marks: Ints
    quantiles: Floats

    @property
    def values(self) -> Floats:
        """``(T,)`` the index."""
        return np.asarray(self.parts.sum(1), np.float64)

    @property
    def last(self) -> Period:
        return self.first + (len(self.parts) - 1)

    @property
    def contributions(self) -> Floats:
        """``(T - 1, K)`` what each name adds to the change from one month to the next; a row sums to the change."""
        return np.diff(self.parts, axis=0)

    def contribution(self, period: Period) -> dict[str, float]:
        """What each name adds to the change of the index in that month. Raises NotEnoughData for its first."""
        (row,) = self._rows([period])
        if row == 0:
            raise NotEnoughData(f"{self.target} begins in {self.first}: that month has no change")
        return dict(zip(self.names, map(float, self.parts[row] - self.parts[row - 1]), strict=True))

    def mark(self, period: Period) -> dict[str, int]:
        """The components that month lacks: 1 carried, 2 missing and the others re-weighted. Raises NotEnoughData."""
        (row,) = self._rows([period])
        return {name: int(m) for name, m in zip(self.names, self.marks[row], strict=False) if m != KNOWN}

    def estimate(self, asof: datetime, periods: Sequence[Period]) -> Estimate:
        """These months. Raises NotEnoughData for a month outside of the index."""
        at = self._rows(periods)
        return Estimate(
            self.target, asof, tuple(periods), self.values[at], self.quantiles[at], self.names, self.parts[at]
        )

    def tell(self, asof: datetime, periods: Sequence[Period]) -> pl.DataFrame:
        """READINGS: the index, its quantiles and parts, and the marks of components that are not known."""
        _, unit = split_id(self.target)
        rows = [
            (unit, str(p), "mark", name, float(mark)) for p in periods for name, mark in self.mark(p).items()
        ]  # fmt: skip
        marks = pl.DataFrame(rows, schema=READINGS, orient="row")
        return pl.concat([of_estimate(self.estimate(asof, periods), unit), marks])

    def _rows(self, periods: Sequence[Period]) -> list[int]:
        at = [p.last_month - self.first for p in periods]
        if outside := [str(p) for p, row in zip(periods, at, strict=True) if not 0 <= row < len(self.parts)]:
            raise NotEnoughData(
                f"{self.target}: {', '.join(outside)} is outside of the months for which enough components are known, "
                f"{self.first} … {self.last}"
            )
        return at


class Historied(ABC):
    """A fitted index: what it says of a few months is cut from its history."""

    @abstractmethod
    def history(self, panel: Panel) -> History:
        """Every month of the index, given everything in the panel. Raises NotEnoughData, Unknown."""

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        """Raises NotEnoughData for a month in which components of no more than 0.6 of the weights are known."""
        return self.history(panel).estimate(panel.asof, periods)

    def tell(self, panel: Panel, periods: Sequence[Period]) -> pl.DataFrame:
        """READINGS with parts and with the marks of components that are not known. Raises as ``estimate``."""
        return self.history(panel).tell(panel.asof, periods)

    def newest(self, panel: Panel) -> Period:
        """The newest month of the index. Raises NotEnoughData."""
        return self.history(panel).last

    def level(self, panel: Panel) -> tuple[Period, Floats]:
        """The first month of the index and its values ``(T,)``, without bands. Raises NotEnoughData."""
        whole = self.history(panel)
        return whole.first, whole.values

    def oldest(self, panel: Panel) -> Period:
        """The first month of the index. Raises NotEnoughData."""
        return self.level(panel)[0]

    def cycle(self, values: Floats) -> Floats:
        """``(T,)`` where the index ``(T,)`` stands in its cycle, 0 the neutral level: here per cent of its trend.

        The waves of 12 … 120 months (engine.cycle). An index with a neutral level of its own is held against that.
        """
        return np.asarray(100.0 * growth_cycle(np.log(values)).cycle, np.float64)


def stretch(share: Floats, target: str) -> slice:
    """The rows of an index, from the share of the weights that is there ``(T,)``: its first and last have more than LEAST.

    Between them a month with less goes on with what there is, and is marked; after a month with nothing the index begins
    anew. Raises NotEnoughData if no month has more than LEAST.
    """
    enough = np.flatnonzero(share > LEAST)
    if not len(enough):
        raise NotEnoughData(f"{target}: in no month are components of more than {LEAST:.0%} of the weights known")
    hi = int(enough[-1]) + 1
    nothing = np.flatnonzero(share[:hi] <= 0)
    lo = enough[enough > nothing[-1]][0] if len(nothing) else enough[0]
    return slice(int(lo), hi)


def chained(moves: Floats) -> Floats:
    """Parts ``(T, K + 1)``, base 100 the last, of an index that moves by the symmetric percentage changes ``(T, K)``.

    I_t = I_t-1 (200 + i) / (200 - i) with i the sum over the names, so that I_t - I_t-1 = I_t-1 · 2 i / (200 - i): what each
    name adds to a change is its share of i. Raises NotEnoughData for a change of 200 % or more.
    """
    total = moves.sum(1)
    if (np.abs(total) >= 200.0).any():
        raise NotEnoughData(f"an index cannot move by {np.abs(total).max():.0f} % in a month: look at its components")
    level = 100.0 * np.cumprod((200.0 + total) / (200.0 - total))
    before = np.concatenate([[100.0], level[:-1]])
    parts = np.cumsum(moves * (2.0 * before / (200.0 - total))[:, None], axis=0)
    return np.column_stack([parts, level - parts.sum(1)])  # 100 but for rounding


def rebased(parts: Floats, first: Period, base: str, target: str) -> Floats:
    """The parts with the mean of the base year, or of the first twelve months, at 100. Raises NotEnoughData."""
    values = parts.sum(1)
    if not base:
        return np.asarray(parts * (100.0 / values[:12].mean()), np.float64)
    start = Period.parse(f"{base}-01") - first
    if start < 0 or start + 12 > len(values):
        raise NotEnoughData(f"{target}: its base year {base} is not within {first} … {first + (len(values) - 1)}")
    return np.asarray(parts * (100.0 / values[start : start + 12].mean()), np.float64)


def reweighted(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Each component's share in the weighted mean of those that are there, times its value: ``(T, N)``, 0 where missing.

    Also ``(T,)`` the share of the weights that is there.
    """
    whole = float(weights.sum())
    there = ~np.isnan(values)
    if there.all() and whole > 0:
        return values * (weights / whole), np.ones(len(values))
    share = there @ weights
    moves = np.where(there, values, 0.0) * weights
    moves /= np.where(share > 0, share, 1.0)[:, None]
    return moves, share / (whole if whole > 0 else 1.0)
