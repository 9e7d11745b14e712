"""How far the last months of an index are revised: learned by replaying the model on its own past.

On days in the past the components are cut as they would have been known then (by today's delays), everything is learned anew,
and the index of each month is held against the index as it stands now. The error depends on the age of the month: the newest
are the least certain. Components are those chosen today, and their values those of today: what offices revise is not in it.
An index of one component, whose weight cannot change, is not revised: its bands have no width.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from engine.errors import NotEnoughData
from engine.typing import Floats, Ints
from modelzoo.prosperity.history import Z
from modelzoo.prosperity.measure import Columns

Build: TypeAlias = Callable[[Columns], tuple[int, Floats]]


class Replays(NamedTuple):
    """final, error ``(R, AGES)``: the index as it stands now and what was said then less that; column 0 is the newest month."""

    final: Floats
    error: Floats


AGES = 24
"""Months back from the newest over which the error is learned; it is held at the last beyond."""
YEARS = 10  # over which the replays are spread
REPLAYS = 8
FEWEST = 4
LEAST = 48  # months of components for a replay


def revisions(found: Columns, build: Build) -> Replays:
    """Replays at days spread over the last ten years, the newest a year ago.

    build: from components to the row in which the index begins and its values ``(n,)``; where it raises NotEnoughData the day
    is left out. Raises NotEnoughData below 4 replays.
    """
    T = len(found.values)
    low = max(LEAST, T - 12 * YEARS)
    ends = np.unique(np.linspace(low, T - 12, REPLAYS).astype(np.int64)) if low <= T - 12 else np.empty(0, np.int64)
    past = _replays(found, build, ends)
    if len(past.error) < FEWEST:
        raise NotEnoughData(
            f"the error of an index is learned from {FEWEST} replays, each of {LEAST} months or more and {AGES} of the index; "
            f"the {T} months from {found.first} on allow {len(past.error)}"
        )
    return past


def course(past: Replays) -> Floats:
    """Relative errors ``(R, AGES)`` of the course of an index over its newest months, each replay brought to the mean of now.

    The level of such an index is a convention, its base; what a reader sees in its last two years is the course.
    """
    relative = np.log1p(past.error / past.final)
    return np.asarray(relative - relative.mean(1, keepdims=True), np.float64)


def _replays(found: Columns, build: Build, ends: Ints) -> Replays:
    start, now = build(found)
    final = np.full(len(found.values), np.nan)
    final[start : start + len(now)] = now
    finals, errors = [], []
    for end in map(int, ends):
        try:
            lo, then = build(found.until(end))
        except NotEnoughData:
            continue
        hi = lo + len(then)
        held = final[max(hi - AGES, 0) : hi]
        if min(len(then), len(held)) >= AGES and not np.isnan(held).any():
            finals.append(held[::-1])
            errors.append((then[-AGES:] - held)[::-1])
    return Replays(np.array(finals), np.array(errors))


def spread(errors: Floats) -> Floats:
    """``(AGES,)`` root mean square of the errors ``(R, AGES)`` at each age."""
    return np.asarray(np.sqrt(np.mean(errors**2, axis=0)), np.float64)


def by_age(sd: Floats, T: int) -> Floats:
    """``(T,)`` the spread of each month of an index of T months; the newest is of age 0."""
    age: Ints = np.minimum(np.arange(T)[::-1], len(sd) - 1)
    return np.asarray(sd[age], np.float64)


def bands(values: Floats, sd: Floats) -> Floats:
    """``(T, len(LEVELS))`` normal quantiles about ``values`` ``(T,)``."""
    return np.asarray(values[:, None] + sd[:, None] * Z, np.float64)
