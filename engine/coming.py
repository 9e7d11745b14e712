"""Which coming release matters most: by how much the next value of each series would narrow the nowcast, by the calendar.

The variance of a linear Gaussian model, given its parameters, depends on which cells are known and not on what stands in them; so
each coming value is put where the model expects it, and the new band is exact: no value has to be guessed (Bańbura, Giannone,
Modugno & Reichlin 2013, Handbook of Economic Forecasting 2A, section 2.3, of the value of a release before it comes). This holds
for the factor model, bridges and autoregressions, whose variances are here those given the parameters. A model whose bands hang on
its inputs is read at the expected values. Where bands are taken from past errors by horizon, nothing but the target's own release
narrows them, and the answer is 0 by construction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from engine import autoregression
from engine.align import own
from engine.calendar import Period, known_day
from engine.errors import NotEnoughData
from engine.model import Explains, Fitted, Pooled
from engine.panel import Panel
from engine.suppose import Supposed, in_pair, suppose
from engine.uncertainty import sources

ENDED = 366
"""A series whose next value is overdue by so many days is taken to have ended."""

_LAGS = 4


@dataclass(frozen=True, slots=True)
class Release:
    """The next value of a series. day: when it is usual; overdue: that day has passed by the information date."""

    series: str
    period: Period
    day: date
    overdue: bool


@dataclass(frozen=True, slots=True)
class Awaited:
    """A coming release and what it would do, in variances of the target's estimate. expected: the value put in its place.

    alone: after this release and no other; after: when it comes in its turn, with all before it in the calendar.
    """

    release: Release
    expected: float
    alone: float
    after: float


@dataclass(frozen=True, slots=True)
class Coming:
    """variance: of the estimate for ``period`` as things stand. releases: in the order of the calendar."""

    period: Period
    variance: float
    releases: tuple[Awaited, ...]


def calendar(panel: Panel) -> tuple[Release, ...]:
    """The next release of every series of the panel, soonest first: the period after its newest value, by its usual delay.

    What is overdue comes first. A series that knows nothing, or has ended, has none; January never comes alone where it is
    published with February.
    """
    today, out = known_day(panel.asof), []
    for meaning in panel.series:
        first, values = own(panel, meaning.id)
        known = np.flatnonzero(~np.isnan(values))
        if not len(known):
            continue
        period = first + int(known[-1]) + 1
        period += 1 if in_pair(panel, meaning, period) else 0
        day = period.end + timedelta(days=meaning.indicator.delay_days)
        if (today - day).days < ENDED:
            out.append(Release(meaning.id, period, day, day <= today))
    return tuple(sorted(out, key=lambda r: (r.day, r.series)))


def coming(fitted: Fitted, panel: Panel, period: Period) -> Coming:
    """What each coming release would take from the variance of the estimate for ``period``.

    Two estimates a series. Raises NotEnoughData as the model does.
    """
    releases = calendar(panel)
    guesses = expect(fitted, panel, [(r.series, r.period) for r in releases], period)
    cells = [Supposed(r.series, r.period, guesses[r.series, r.period]) for r in releases]
    rows = []
    for n, (release, cell) in enumerate(zip(releases, cells, strict=True)):
        alone = variance(fitted, suppose(panel, [cell]), period)
        after = alone if n == 0 else variance(fitted, suppose(panel, cells[: n + 1]), period)
        rows.append(Awaited(release, cell.value, alone, after))
    return Coming(period, variance(fitted, panel, period), tuple(rows))


def variance(fitted: Fitted, panel: Panel, period: Period) -> float:
    """Of states and shocks given the parameters, where the model tells them apart: what estimating the parameters adds hangs on the
    values. Else of the 80 % band: exact for a normal distribution, and of its scale for any other."""
    band, states, _ = sources(fitted, panel, [period]).row(0)
    return band if np.isnan(states) else states


_Cells = Sequence[tuple[str, Period]]


def expect(fitted: Fitted, panel: Panel, cells: _Cells, period: Period) -> Mapping[tuple[str, Period], float]:
    """What is expected of cells that are not known: by the model where it can say, else by each series' own autoregression."""
    said = _by_model(fitted, panel, cells, period)
    return {cell: said[cell] if cell in said else _by_itself(panel, *cell) for cell in cells}


def _by_model(fitted: Fitted, panel: Panel, cells: _Cells, period: Period) -> dict[tuple[str, Period], float]:
    if isinstance(fitted, Pooled):
        total: dict[tuple[str, Period], list[tuple[float, float]]] = {}
        for label, w in fitted.weights(panel, period).items():
            if w:
                for cell, value in _by_model(fitted.members[label], panel, cells, period).items():
                    total.setdefault(cell, []).append((w, value))
        return {cell: sum(w * v for w, v in said) / sum(w for w, _ in said) for cell, said in total.items()}
    if not isinstance(fitted, Explains) or not cells:
        return {}
    wide = panel.over(panel.first, max(p.last_month for _, p in cells))
    (opened,) = fitted.explain((wide,), period)
    column = {name: j for j, name in enumerate(opened.ids)}
    found = {(s, p): float(opened.expected[wide.row(p), column[s]]) for s, p in cells if s in column}
    return {cell: value for cell, value in found.items() if np.isfinite(value)}


def _by_itself(panel: Panel, series_id: str, period: Period) -> float:
    first, values = own(panel, series_id)
    known = np.flatnonzero(~np.isnan(values))
    path = np.r_[values[: known[-1] + 1], np.full(period - (first + int(known[-1])), np.nan)]
    try:
        filled = autoregression.fit(values[: known[-1] + 1], _LAGS, series_id).fill(path)[-1]
    except NotEnoughData:
        filled = np.nan
    return float(filled if np.isfinite(filled) else values[known[-1]])
