"""Why scores and places changed from one board to another: own performance, others' performance, revision, method.

One thing changes at a time, in a stated order, so that the parts add up exactly:

    the old board, of what was known then
      → revision      the same period by the same method, its figures as they are known now
      → performance   the new period (or what has since become known of the same one), by the same method
      → method        the same figures by the new method

Revision comes first, so that performance lies between two readings in one vintage: nobody ever knew the new figures of a city
beside figures of the year before that were not revised yet. Method comes last, as re-estimation does in :mod:`engine.news`, so
that performance is measured by one method. Within performance no order is better than another: a unit's own part is the mean of
what its figures move while all others are as they were, and while all others have moved; the others' part likewise (the
Shapley value of two players, Shapley 1953). Under fixed goalposts others move a unit's place and never its score, unless
its gaps are filled or its small samples shrunk by theirs.

A revision is another value of a figure known at both dates; a figure of the old period that only became known since is performance.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal, TypeAlias

import numpy as np

from engine.calendar import Period
from engine.errors import BadInput, NotEnoughData
from engine.panel import Panel
from engine.typing import Bools, Floats, Ints
from modelzoo.scorecard.composite import FittedComposite, Sheet
from modelzoo.scorecard.evaluate import Scored

Cause: TypeAlias = Literal["own", "others", "revision", "method"]
CAUSES: tuple[Cause, ...] = ("own", "others", "revision", "method")
NAMES: dict[Cause, tuple[str, str]] = {
    "own": ("Own performance", "自身表现"),
    "others": ("Others' performance", "其他单位表现"),
    "revision": ("Revision", "数据修订"),
    "method": ("Method", "方法调整"),
}


@dataclass(frozen=True, slots=True)
class End:
    """One of two boards: a model with what it learned, what was known, and the period."""

    fitted: FittedComposite
    panel: Panel
    period: Period


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """The change of U units between two boards, split by CAUSES.

    since, asof: what was known of the old and of the new board. score_before, score_after, rank_before, rank_after: ``(U,)``.
    score: ``(U, 4)`` in points of the score. places: ``(U, 4)`` places gained, below 0 where lost; halves come from the mean over
    two orders. parts: ``(U, 4, M)`` the score's by indicator, of both frameworks together. method: what of it differs; where that
    is empty its column is 0. left_out: units that are not scored all the way, and why.
    """

    target: str
    since: datetime
    asof: datetime
    before: Period
    after: Period
    units: tuple[str, ...]
    score_before: Floats
    score_after: Floats
    rank_before: Ints
    rank_after: Ints
    score: Floats
    places: Floats
    indicators: tuple[str, ...]
    parts: Floats
    method: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]


def change(old: End, new: End) -> Change:
    """Split the change from ``old`` to ``new``. The new panel holds the inputs of both models.

    Raises BadInput where the new end is earlier or its periods are of another frequency, NotEnoughData where one of the boards
    cannot be scored or no unit is scored all the way, Unknown for a series that a panel lacks.
    """
    _check(old, new)
    was, now = old.fitted.model, new.fitted.model
    first, cube = was.cube(old.panel)
    start, later = was.cube(new.panel)
    revised = np.where(np.isnan(cube), np.nan, _aligned(later, start, first, len(cube)))
    base = was.sheet_of(revised, first, old.period)
    if not 0 <= new.period - start < len(later):
        raise NotEnoughData(f"{was.target}: as of {new.panel.day} nothing is known of {new.period}")
    moved = was.sheet_of(later, start, new.period)

    names = tuple(dict.fromkeys([*was.framework.indicators, *now.framework.indicators]))
    common = [u for u in was.units if u in now.units]
    rows = np.array([was.units.index(u) for u in common])
    a = _State(old.fitted.scored(old.panel, old.period), names)
    b, c = (_State(old.fitted.score(sheet), names) for sheet in (base, moved))
    method = _differs(old.fitted, new.fitted)
    d = _State(new.fitted.scored(new.panel, new.period), names) if method else c

    kept, split, left = [], [], [(u, "only one of the two boards has it") for u in {*was.units, *now.units} - {*common}]
    for unit, row in zip(common, rows.tolist(), strict=True):
        mine = np.arange(len(was.units)) == row
        states = [a, b, c, d]
        if all(unit in s.row for s in states):
            states += [_State(old.fitted.score(_mixed(base, moved, m)), names) for m in (mine, ~mine)]
        if short := next((s for s in states if unit not in s.row), None):
            left.append((unit, short.why(unit)))
            continue
        va, vb, vc, vd, alone, rest = (s.of(unit) for s in states)
        own, others = 0.5 * (alone - vb + vc - rest), 0.5 * (rest - vb + vc - alone)
        kept.append(unit)
        split.append([own, others, vb - va, vd - vc])
    if not kept:
        raise NotEnoughData(
            f"{was.target}: no unit is scored both for {old.period} and for {new.period}: {left[0][0]}: {left[0][1]}"
        )
    table = np.array(split)
    ends = np.array([[s.of(u)[:2] for u in kept] for s in (a, d)])
    return Change(
        target=now.target,
        since=old.panel.asof,
        asof=new.panel.asof,
        before=old.period,
        after=new.period,
        units=tuple(kept),
        score_before=ends[0, :, 0],
        score_after=ends[1, :, 0],
        rank_before=ends[0, :, 1].astype(np.int64),
        rank_after=ends[1, :, 1].astype(np.int64),
        score=table[:, :, 0],
        places=0.0 - table[:, :, 1],
        indicators=names,
        parts=table[:, :, 2:],
        method=method,
        left_out=tuple(sorted(left)),
    )


class _State:
    """A board on the way: each unit's score, rank, and parts by indicator of both frameworks."""

    def __init__(self, scored: Scored, names: tuple[str, ...]) -> None:
        self.row = {unit: u for u, unit in enumerate(scored.units)}
        self._left = dict(scored.left_out)
        parts = np.zeros((len(scored.units), len(names)))
        parts[:, [names.index(n) for n in scored.framework.indicators]] = scored.parts
        self._values = np.column_stack([scored.score, scored.rank, parts])

    def of(self, unit: str) -> Floats:
        """``(2 + M,)``: score, rank, parts."""
        values: Floats = self._values[self.row[unit]]
        return values

    def why(self, unit: str) -> str:
        return self._left.get(unit, "it is not scored")


def _check(old: End, new: End) -> None:
    target = new.fitted.model.target
    if new.panel.asof < old.panel.asof:
        raise BadInput(
            f"{target}: a change goes from an earlier day to a later one, not from {old.panel.day} to {new.panel.day}"
        )
    if old.period.freq is not new.period.freq or old.fitted.model.freq != new.fitted.model.freq:
        raise BadInput(f"{target}: {old.period} and {new.period} are not of one frequency, or the models are not")
    if new.period < old.period:
        raise BadInput(
            f"{target}: a change goes from an earlier period to a later one, not from {old.period} to {new.period}"
        )


def _aligned(cube: Floats, start: Period, first: Period, length: int) -> Floats:
    """``length`` periods from ``first`` of a cube that begins with ``start``; NaN where it has none."""
    out = np.full((length, *cube.shape[1:]), np.nan)
    shift = first - start
    low, high = max(0, -shift), min(length, len(cube) - shift)
    if low < high:
        out[low:high] = cube[low + shift : high + shift]
    return out


def _mixed(base: Sheet, moved: Sheet, take: Bools) -> Sheet:
    """Rows of ``moved`` where ``take`` ``(U,)``, else of ``base``."""
    values = np.where(take[:, None], moved.values, base.values)
    if base.history is None or moved.history is None:
        return Sheet(values, None)
    length = max(len(base.history), len(moved.history))
    past = []
    for history in (base.history, moved.history):  # both end with the period before their own
        padding = np.full((length - len(history), *history.shape[1:]), np.nan)
        past.append(np.concatenate([padding, history]))
    return Sheet(values, np.where(take[None, :, None], past[1], past[0]))


def _differs(old: FittedComposite, new: FittedComposite) -> tuple[str, ...]:
    """What of a method two fits do not share: choices of the framework by name, the units, and what was learned."""
    was, now = old.model.framework, new.model.framework
    told = ("id", "name_en", "name_zh", "sources")
    found = [f.name for f in fields(was) if f.name not in told and getattr(was, f.name) != getattr(now, f.name)]
    if set(old.model.units) != set(new.model.units):
        found.append("units")
    learned = {
        "goalposts": ("goalposts",),
        "weights": ("weight",),
        "outliers": ("low", "high", "logged", "least", "width"),
    }
    states = old.state(), new.state()
    for said, arrays in learned.items():
        if any(not np.array_equal(states[0][n], states[1][n], equal_nan=True) for n in arrays):
            found.append(said)
    return tuple(found)
