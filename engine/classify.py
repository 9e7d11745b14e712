"""How well a warning told the months before an event from the others: area under the curve, errors, lead, thresholds.

``y`` is 1 in a month before an event, 0 in a calm one, NaN where that is not known or does not count. With A good signals,
B false ones, C missed months, D good silence: type I error C / (A + C), type II B / (B + D), noise to signal their ratio
[B / (B + D)] / [A / (A + C)] (Kaminsky, Lizondo & Reinhart 1998, IMF Staff Papers 45); usefulness min(θ, 1 - θ) - θ type I -
(1 - θ) type II (Alessi & Detken 2011, EJPE 27).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import rankdata

from engine.errors import BadInput, NotEnoughData
from engine.typing import Bools, Floats

Criterion = Literal["youden", "usefulness", "nsr"]


@dataclass(frozen=True, slots=True)
class Table:
    """Months by signal and what came: hits A, false alarms B, missed C, quiet D."""

    hits: int
    false: int
    missed: int
    quiet: int

    @property
    def recall(self) -> float:
        """A / (A + C). NaN without a month before an event."""
        return _over(self.hits, self.hits + self.missed)

    @property
    def type_1(self) -> float:
        """Share of months before an event without a signal."""
        return 1.0 - self.recall

    @property
    def type_2(self) -> float:
        """Share of calm months with a signal."""
        return _over(self.false, self.false + self.quiet)

    @property
    def precision(self) -> float:
        """A / (A + B)."""
        return _over(self.hits, self.hits + self.false)

    @property
    def nsr(self) -> float:
        """Noise to signal; infinite without a hit."""
        return self.type_2 / self.recall if self.recall > 0 else np.inf

    @property
    def youden(self) -> float:
        """1 - type I - type II."""
        return self.recall - self.type_2

    @property
    def gain(self) -> float:
        """How much likelier an event is after a signal than at any time."""
        return self.precision - _over(self.hits + self.missed, self.hits + self.missed + self.false + self.quiet)

    def usefulness(self, theta: float = 0.5) -> float:
        """Gain over ignoring the signal; theta: how much a missed month costs against a false alarm, in (0, 1)."""
        return min(theta, 1.0 - theta) - theta * self.type_1 - (1.0 - theta) * self.type_2


def tabulate(signal: Bools, y: Floats) -> Table:
    """The table over the months in which y is known. Raises BadInput if shapes differ."""
    if signal.shape != y.shape:
        raise BadInput(f"signals {signal.shape} and outcomes {y.shape} differ in shape")
    hot, calm = y == 1, y == 0
    counts = ((signal & hot), (signal & calm), (~signal & hot), (~signal & calm))
    return Table(*(int(c.sum()) for c in counts))


def auroc(score: Floats, y: Floats) -> float:
    """The chance that a month before an event scores higher than a calm one, ties half (Mann & Whitney).

    score, y: ``(n,)``; months in which either is NaN do not count. Raises NotEnoughData if one kind of month is absent.
    """
    x, z = _both(score, y)
    return _area(x, z)


@dataclass(frozen=True, slots=True)
class Area:
    """AUROC with the ends of its central interval; draws in which one kind of month was absent are left out."""

    value: float
    low: float
    high: float
    draws: int


def auroc_interval(
    score: Floats, y: Floats, block: int = 24, draws: int = 999, percent: float = 90.0, seed: int = 0
) -> Area:
    """AUROC and its interval by the circular block bootstrap: months come in spells, so blocks of them are drawn.

    block: months a block. Raises NotEnoughData as :func:`auroc`, or if nearly all draws lack one kind of month.
    """
    x, z = _both(score, y)
    n = len(x)
    if not 1 <= block < n:
        raise BadInput(f"blocks of {block} months cannot be drawn from {n}")
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, n, (draws, -(-n // block)))
    at = ((starts[:, :, None] + np.arange(block)) % n).reshape(draws, -1)[:, :n]
    drawn = [_area(x[i], z[i]) for i in at if 0 < z[i].sum() < n]
    if len(drawn) < draws / 2:
        raise NotEnoughData(f"{draws - len(drawn)} of {draws} draws held one kind of month only: too few events")
    tail = (100.0 - percent) / 2
    low, high = np.percentile(drawn, [tail, 100.0 - tail])
    return Area(_area(x, z), float(low), float(high), len(drawn))


@dataclass(frozen=True, slots=True)
class Threshold:
    """A signal is given where the score is at least ``at``."""

    at: float
    table: Table


def best_threshold(
    score: Floats, y: Floats, criterion: Criterion = "youden", recall: float = 2 / 3, theta: float = 0.5
) -> Threshold:
    """The threshold among the scores seen that is best by the criterion and calls at least ``recall`` of the months.

    Without that floor (recall 0) least noise to signal is degenerate: it takes the few surest months and calls no others.
    Of equals the one that calls more months. Raises NotEnoughData as :func:`auroc`.
    """
    x, z = _both(score, y)
    order = np.argsort(-x, kind="stable")
    x, z = x[order], z[order]
    last = np.r_[np.flatnonzero(np.diff(x)), len(x) - 1]  # of each group of equal scores
    hits, n, events = np.cumsum(z)[last].astype(int), last + 1, int(z.sum())
    tables = [
        Table(int(a), int(m - a), events - int(a), len(x) - events - int(m - a)) for a, m in zip(hits, n, strict=True)
    ]
    worth = np.array(
        [_worth(t, criterion, theta) if t.hits and t.recall >= recall - 1e-12 else -np.inf for t in tables]
    )
    best = len(worth) - 1 - int(np.argmax(worth[::-1]))
    return Threshold(float(x[last[best]]), tables[best])


@dataclass(frozen=True, slots=True)
class Leads:
    """events: spells that began within the sample. called: those with a signal in the months before. lead: ``(called,)``

    months from the first such signal to the beginning.
    """

    events: int
    called: int
    lead: Floats


def leads(signal: Bools, event: Floats, ahead: int) -> Leads:
    """Months by which the first signal within ``ahead`` months came before each event.

    signal, event: ``(T,)`` in months without gaps; event is 1 while it lasts, NaN where not known.
    """
    on = event == 1
    begins = np.flatnonzero(on & np.r_[False, event[:-1] == 0])
    found = []
    for t in begins.tolist():
        before = np.flatnonzero(signal[max(t - ahead, 0) : t])
        if len(before):
            found.append(t - max(t - ahead, 0) - int(before[0]))
    return Leads(len(begins), len(found), np.array(found, float))


def brier(probability: Floats, y: Floats) -> float:
    """Mean squared distance of the probability from what came, 0 … 1. Raises NotEnoughData without a known month."""
    kept = ~(np.isnan(probability) | np.isnan(y))
    if not kept.any():
        raise NotEnoughData("no month has both a probability and an outcome")
    return float(np.mean((probability[kept] - y[kept]) ** 2))


def _worth(t: Table, criterion: Criterion, theta: float) -> float:
    if criterion == "youden":
        return t.youden
    return -t.nsr if criterion == "nsr" else t.usefulness(theta)


def _area(x: Floats, z: Floats) -> float:
    ranks = rankdata(x)
    m = float(z.sum())
    return float((ranks[z == 1].sum() - m * (m + 1) / 2) / (m * (len(z) - m)))


def _both(score: Floats, y: Floats) -> tuple[Floats, Floats]:
    if score.shape != y.shape or score.ndim != 1:
        raise BadInput(f"a score and an outcome for each month: {score.shape} and {y.shape} differ")
    kept = ~(np.isnan(score) | np.isnan(y))
    x, z = score[kept], y[kept]
    if not np.isin(z, (0.0, 1.0)).all():
        raise BadInput("outcomes are 0, 1 or NaN")
    if z.sum() in (0, len(z)):
        raise NotEnoughData(
            f"{len(z)} months with a score, {int(z.sum())} of them before an event: both kinds are needed"
        )
    return x, z


def _over(a: int, b: int) -> float:
    return a / b if b else np.nan
