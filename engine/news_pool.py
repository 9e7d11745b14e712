"""News of a pool: what each member makes of the changes, by its weight, and what the change of the weights adds.

With w the weights, m the members' estimates, 0 the old day and 1 the new one,

    Σ w1 m1 - Σ w0 m0 = Σ w0 (m1 - m0) + Σ (w1 - w0) (m1 - c),    c = Σ w0 m1.

The first sum is the members' own news and re-estimation at the old weights. The second is a row of kind "weights" for each
member: as both sets of weights add up to 1, any c gives the same sum, and with the pool's own new estimate at the old weights a
member that gains weight adds what it says beyond the pool. A member that can no longer speak enters with what it said last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.calendar import Period
from engine.errors import NotEnoughData
from engine.model import Fitted, Pooled
from engine.news_steps import Changes, Told, take
from engine.panel import Panel
from engine.typing import Floats


@dataclass(frozen=True, slots=True)
class Shift:
    """What the change of one member's weight adds: ``weight`` is the change, times what the member says beyond the pool."""

    member: str
    pool: float
    says: float
    weight: float
    impact: float


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """From the old model on the old panel to the new one on the new: cells, then weights, then new parameters."""

    told: Told
    after: float
    shifts: tuple[Shift, ...] = ()
    parameters: float = 0.0

    @property
    def before(self) -> float:
        return self.told.before


def move(first: Fitted, second: Fitted, old: Panel, new: Panel, found: Changes, period: Period) -> Move:
    """Raises ArithmeticError if a pool's mean is not the weighted sum of its members', and as ``news_steps.take``."""
    if isinstance(first, Pooled) and isinstance(second, Pooled):
        return _pool(first, second, old, new, found, period)
    told = take(first, old, new, found, period)
    after = told.same if second is first else second.estimate(new, [period]).at(period)
    return Move(told, after, (), after - told.same)


def _pool(first: Pooled, second: Pooled, old: Panel, new: Panel, found: Changes, period: Period) -> Move:
    w0, w1 = _weights(first, old, period), _weights(second, new, period)
    moves: dict[str, Move] = {}
    said, says = {}, {}
    for label in w0:
        mine = first.members[label]
        try:
            moves[label] = m = move(mine, second.members.get(label, mine), old, new, found, period)
        except NotEnoughData:
            if label in w1:
                raise
            said[label] = says[label] = mine.estimate(old, [period]).at(period)
        else:
            said[label], says[label] = m.before, m.after
    for label in w1:
        if label not in w0:
            says[label] = second.members[label].estimate(new, [period]).at(period)
    before = _mean(first, old, period, sum(w * said[k] for k, w in w0.items()))
    after = _mean(second, new, period, sum(w * says[k] for k, w in w1.items()))
    centre = sum(w * says[k] for k, w in w0.items())
    change = {k: w1.get(k, 0.0) - w0.get(k, 0.0) for k in says}
    shifts = [Shift(k, centre, says[k], d, d * (says[k] - centre)) for k, d in change.items() if any(change.values())]
    for k, m in moves.items():  # of a pool in a pool
        shifts += [
            replace(s, member=f"{k} / {s.member}", weight=w0[k] * s.weight, impact=w0[k] * s.impact) for s in m.shifts
        ]
    parameters = sum(w0[k] * m.parameters for k, m in moves.items())
    told = _together([m.told for m in moves.values()], np.array([w0[k] for k in moves]), found)
    same = after - parameters - sum(s.impact for s in shifts)
    return Move(replace(told, before=before, same=same), after, tuple(shifts), parameters)


def _weights(pool: Pooled, panel: Panel, period: Period) -> dict[str, float]:
    """Those that are not 0."""
    return {label: w for label, w in pool.weights(panel, period).items() if w != 0.0}


def _mean(pool: Pooled, panel: Panel, period: Period, members: float) -> float:
    mean = pool.estimate(panel, [period]).at(period)
    if abs(mean - members) > 1e-9 * max(1.0, abs(mean)):
        raise ArithmeticError(f"the pool says {mean:.6g} of {period}, and its members by their weights {members:.6g}")
    return mean


def _together(all_: Sequence[Told], share: Floats, found: Changes) -> Told:
    """One row a cell. expected: by the members that can say what they expected of it, in proportion to their weights. weight: where
    these agree, and no other member moved; so impact = weight × news wherever a weight is given. ``before`` and ``same`` stay 0.
    """
    n = len(found)
    if not all_:
        return Told(0.0, 0.0, np.full(n, np.nan), np.full(n, np.nan), np.zeros(n))
    expected, weight, impact = (np.array([getattr(t, c) for t in all_]) for c in ("expected", "weight", "impact"))
    closed = np.isnan(weight)
    can = ~np.isnan(expected) & ~(closed & (impact == 0.0))
    part = np.where(can, share[:, None], 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (part * np.where(can, expected, 0.0)).sum(0) / part.sum(0)
    apart = (can & (np.abs(expected - mean) > 1e-12 * np.maximum(1.0, np.abs(mean)))).any(0)
    moved = (closed & (impact != 0.0)).any(0)
    said = np.where(apart | moved | closed.all(0), np.nan, share @ np.where(closed, 0.0, weight))
    expected = np.where(found.release, mean, found.before)  # of a revision the earlier value, whoever reads it
    return Told(0.0, 0.0, expected, said, share @ impact)
