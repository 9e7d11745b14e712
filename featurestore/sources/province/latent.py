"""The hidden state of the synthetic province, month by month: activity, prices and credit, with declared turning points.

``activity`` is a reference cycle that swings between the declared turning points, plus a small stationary AR(2). The
turning points are therefore known by construction: they are those of the cycle. ``credit`` leads the cycle by six
months and ``price`` follows activity by six. ``event`` adds the declared shocks, in logs of the level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.calendar import Period
from engine.typing import Floats

FIRST = Period.parse("2007-01")
"""First month of the true economy; what is published begins a year later, when growth has a base."""

YEARS = 19
MONTHS = 12 * YEARS
LEAD = 6
"""Months by which credit leads the cycle, and by which prices follow it."""

TURNS = (
    ("trough", "2006-04"), ("peak", "2007-10"), ("trough", "2009-03"), ("peak", "2011-02"), ("trough", "2012-09"),
    ("peak", "2013-12"), ("trough", "2015-12"), ("peak", "2018-02"), ("trough", "2020-02"), ("peak", "2021-07"),
    ("trough", "2022-12"), ("peak", "2024-04"), ("trough", "2025-07"), ("peak", "2027-02"),
)  # fmt: skip
"""Of the reference cycle. The first and the last lie outside the months that are made."""

SHOCKS = (("2008-11", -0.06, 0.88), ("2020-02", -0.30, 0.35), ("2022-04", -0.06, 0.50))
"""Month, size in logs, and what is left of it after each month. Growth of 2021-02 is high by the base of 2020."""


@dataclass(frozen=True, slots=True)
class Latent:
    """All ``(MONTHS,)``, from FIRST. ``cycle`` lies between -1 and 1; ``price`` and ``credit`` have about unit scale."""

    cycle: Floats
    activity: Floats
    price: Floats
    credit: Floats
    event: Floats


def latent(rng: np.random.Generator) -> Latent:
    """The hidden state that a seed gives."""
    swing = _swing(MONTHS + 2 * LEAD)  # from LEAD months before FIRST to LEAD months after the last
    wobble = ar2(rng, MONTHS + LEAD, (1.3, -0.4), 0.12)
    activity = swing[: MONTHS + LEAD] + wobble
    price = 0.6 * activity[:MONTHS] + ar2(rng, MONTHS, (1.82, -0.86), 0.7)
    credit = 0.8 * swing[2 * LEAD :] + ar2(rng, MONTHS, (1.5, -0.56), 0.35)
    event = np.zeros(MONTHS)
    for month, size, left in SHOCKS:
        since = np.arange(MONTHS) - (Period.parse(month) - FIRST)
        event += np.where(since >= 0, size * left ** np.maximum(since, 0), 0.0)
    return Latent(swing[LEAD : MONTHS + LEAD], activity[LEAD:], price, credit, event)


def turning_points() -> tuple[tuple[str, Period], ...]:
    """Peaks and troughs of the cycle within the months that are made."""
    found = ((kind, Period.parse(month)) for kind, month in TURNS)
    return tuple((kind, month) for kind, month in found if 0 <= month - FIRST < MONTHS)


def ar2(rng: np.random.Generator, n: int, phi: tuple[float, float], sd: float) -> Floats:
    """``(n,)`` of a stationary AR(2) with that standard deviation; a start of 200 months is thrown away."""
    a, b = phi
    shocks = rng.standard_normal(n + 200)
    x = np.zeros(n + 200)
    for t in range(2, n + 200):
        x[t] = a * x[t - 1] + b * x[t - 2] + shocks[t]
    variance = (1 - b) / ((1 + b) * ((1 - b) ** 2 - a**2))  # of an AR(2) with unit shocks (Hamilton 1994, 3.4.30)
    scaled: Floats = x[200:] * (sd / variance**0.5)
    return scaled


def _swing(n: int) -> Floats:
    """Half cosines from turn to turn, from LEAD months before FIRST."""
    at = np.arange(n) - LEAD
    turns = np.array([Period.parse(month) - FIRST for _, month in TURNS])
    sign = np.array([1.0 if kind == "peak" else -1.0 for kind, _ in TURNS])
    i = np.clip(np.searchsorted(turns, at, side="right") - 1, 0, len(turns) - 2)
    part = (at - turns[i]) / (turns[i + 1] - turns[i])
    swing: Floats = sign[i] * np.cos(np.pi * part)
    return swing
