"""Month and quarter: how a quarterly value sums up its months, and how to read a series at its own frequency."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.calendar import Freq, Period
from engine.errors import BadInput, NotEnoughData
from engine.figures import Origin
from engine.indicator import Aggregation, Series
from engine.panel import Panel
from engine.typing import Bools, Floats

WEIGHTS: dict[Aggregation, tuple[float, ...]] = {
    "growth": (
        1 / 3,
        2 / 3,
        1.0,
        2 / 3,
        1 / 3,
    ),  # Mariano & Murasawa (2003), for growth of a flow measured at a monthly rate × 3
    "last": (1.0,),
    "average": (1 / 3, 1 / 3, 1 / 3),
    "sum": (1.0, 1.0, 1.0),
    "year": (
        1 / 3,
        2 / 3,
        *[1.0] * 10,
        2 / 3,
        1 / 3,
    ),  # growth on the year: of each month twelve rates, averaged over three
}
"""Weights of the month in which the quarter ends and of the months before it, newest first."""

MONTHLY_YEAR = (1.0,) * 12
"""The same of a monthly growth on the year, where the months of a model grow on the month."""


def own(panel: Panel, series_id: str) -> tuple[Period, Floats]:
    """A series at its own frequency, monthly, quarterly or annual: the first period of the panel's axis, and ``(n,)`` values.

    NaN where not known. Raises BadInput for another frequency.
    """
    freq = panel.meaning(series_id).freq
    values = panel.matrix([series_id])[:, 0]
    if freq is Freq.M:
        return panel.first, values
    if freq not in (Freq.Q, Freq.A):
        raise BadInput(f"{series_id}: a monthly panel reads monthly, quarterly and annual series, not {freq}")
    first = panel.first.to(freq)
    return first, values[panel.row(first) :: 12 // freq.per_year]


def last_known(panel: Panel, series_id: str) -> tuple[Period, Floats]:
    """The values of a series up to its newest known one: the period of that one, and ``(n,)`` values ending with it.

    Raises NotEnoughData if nothing is known.
    """
    first, values = own(panel, series_id)
    seen = np.flatnonzero(~np.isnan(values))
    if not len(seen):
        raise NotEnoughData(f"{series_id}: no value is known as of {panel.day}")
    return first + int(seen[-1]), values[: seen[-1] + 1]


def published(panel: Panel, series_id: str, periods: Sequence[Period]) -> Floats:
    """``(H,)`` the values already known for these periods, NaN for the others."""
    first, values = own(panel, series_id)
    at = [p - first for p in periods]
    return np.array([values[i] if 0 <= i < len(values) else np.nan for i in at])


def months_of(meaning: Series) -> tuple[float, ...]:
    """How a value of a monthly or quarterly series sums up months, newest first. Raises BadInput for another frequency."""
    aggregation = meaning.indicator.aggregation
    if meaning.freq is Freq.Q:
        return WEIGHTS[aggregation]
    if meaning.freq is not Freq.M:
        raise BadInput(f"{meaning.id}: months add up to a quarter, not to a value of frequency {meaning.freq}")
    return MONTHLY_YEAR if aggregation == "year" else (1.0,)


def pairs(panel: Panel, ids: Sequence[str]) -> tuple[Bools, Floats]:
    """``(T, N)`` which cells stand for January and February as one; and ``(N,)`` how often the mean of the two a pair is.

    Those that the panel flags, and of a series whose newest known February is one, all Februaries after it. A pair is the sum of
    its months, twice their mean, where the months of the series add up, else their mean, which for growth holds as nearly as
    the two months are of one size.
    """
    times = [2.0 if s.freq is Freq.M and s.indicator.aggregation == "sum" else 1.0 for s in panel.meanings(ids)]
    flagged = (panel.flags_of(ids) & Origin.PAIR) != 0
    if not flagged.any():
        return flagged, np.array(times)
    known = ~np.isnan(panel.matrix(ids))
    february = np.arange(panel.first.ordinal, panel.first.ordinal + panel.months) % 12 == 1
    for j in range(len(ids)):
        seen = np.flatnonzero(known[:, j] & february)
        if len(seen) and flagged[seen[-1], j]:
            flagged[seen[-1] :, j] |= february[seen[-1] :]
    return flagged, np.array(times)


def single_months(panel: Panel, ids: Sequence[str]) -> tuple[Floats, Bools]:
    """``(T, len(ids))`` values by single months, and which of them are Januaries that are known with their February only.

    A pair of January and February (``pairs``) stands on both, each with an even share: with its own value where it is
    their mean, with half of it where it is their sum. Who asks what was known in a January must not read that January.
    Series of other frequencies are as in the panel.
    """
    paired, times = pairs(panel, ids)
    values = panel.matrix(ids) / np.where(paired, times, 1.0)
    january = np.zeros(values.shape, bool)
    january[:-1] = paired[1:] & np.isnan(values[:-1]) & ~np.isnan(values[1:])
    values[:-1][january[:-1]] = values[1:][january[:-1]]
    return values, january
