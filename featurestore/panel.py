"""From the store to a Panel: published figures, as known on a day, analysed by the steps of the catalogue.

A value is analysed at the frequency of its own series, from values known on that same day; a quarterly value stands in
the last month of its quarter. The axis runs from the first to the last month in which a cell is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import polars as pl

from engine.calendar import Freq, Period, known_day
from engine.errors import BadInput, NotEnoughData
from engine.indicator import Series
from engine.panel import NEVER, Panel, Timing
from engine.steps import analyse, reach
from engine.typing import Bools, Floats, Ints
from featurestore import rows
from featurestore.store import Store

_DAY = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Cells(NamedTuple):
    """Published values as arrays ``(n,)``, sorted by series, period and version; times are microseconds from 1970.

    usual: the end of the day that lies ``delay_days`` after the period, when a first release usually is known.
    """

    series: Ints
    period: Ints
    value: Floats
    known: Ints
    usual: Ints

    def where(self, kept: Bools) -> _Cells:
        return _Cells(self.series[kept], self.period[kept], self.value[kept], self.known[kept], self.usual[kept])


def build_panel(store: Store, ids: Sequence[str], asof: datetime) -> Panel:
    """What was known of these series at ``asof``.

    Raises Unknown for a series that was never stored, NotEnoughData if nothing was known, BadInput for weeks or days.
    """
    series = _meanings(store, ids)
    return _assemble(series, _cells(store.known(ids, asof), series), asof, "real")


def pseudo_panel(store: Store, ids: Sequence[str], origin: datetime, vintage: datetime) -> Panel:
    """What would have been known at ``origin`` by the usual publication delays, with values as of ``vintage``.

    A value counts as known at the end of the day that lies ``delay_days`` after its period. Raises as build_panel.
    """
    series = _meanings(store, ids)
    return _assemble(series, _delayed(_cells(store.known(ids, vintage), series), origin), origin, "pseudo")


def own_values(store: Store, series_id: str, asof: datetime) -> tuple[Series, pl.DataFrame]:
    """A series by itself, at its own frequency: what it means, and a row for each period known at ``asof``.

    Columns: period (ordinal), value as published, analysed (null where a change has no base), known_at. Raises Unknown.
    """
    known = store.known([series_id], asof).sort("period")
    series = store.series()[series_id]
    if not known.height:
        return series, known.select("period", "value", pl.col("value").alias("analysed"), "known_at")
    at = known["period"].to_numpy() - known["period"][0]
    levels = np.full(at[-1] + 1, np.nan)
    levels[at] = known["value"].to_numpy()
    analysed = pl.Series(analyse(levels, series.indicator.step, series.freq)[at]).fill_nan(None)
    return series, known.select("period", "value", analysed.alias("analysed"), "known_at")


class Cube:
    """The whole history of some series, read once; panels of any day are then cut in memory.

    Equal to the last bit to :func:`build_panel` and :func:`pseudo_panel` on the same store. Raises Unknown.
    """

    def __init__(self, store: Store, ids: Sequence[str]) -> None:
        self.series = _meanings(store, ids)
        self._cells = _cells(store.history(ids), self.series)

    def panel(self, asof: datetime) -> Panel:
        """As :func:`build_panel`."""
        return _assemble(self.series, self._at(asof), asof, "real")

    def pseudo(self, origin: datetime, vintage: datetime) -> Panel:
        """As :func:`pseudo_panel`."""
        return _assemble(self.series, _delayed(self._at(vintage), origin), origin, "pseudo")

    def _at(self, asof: datetime) -> _Cells:
        """The last version of each value at ``asof``, without values that were taken back."""
        known = self._cells.where(self._cells.known <= _microseconds(asof))
        last = np.ones(len(known.series), bool)
        last[:-1] = (np.diff(known.series) != 0) | (np.diff(known.period) != 0)
        return known.where(last & ~np.isnan(known.value))


def _meanings(store: Store, ids: Sequence[str]) -> tuple[Series, ...]:
    if not ids or len(set(ids)) != len(ids):
        raise BadInput("a panel needs at least one series, and each of them once")
    stored = store.series()
    if missing := [i for i in ids if i not in stored]:
        raise rows.not_stored(missing)
    series = tuple(stored[i] for i in ids)
    if odd := [s.id for s in series if s.freq not in (Freq.M, Freq.Q)]:
        raise BadInput(f"a panel holds monthly and quarterly series, not {', '.join(odd)}")
    return series


def _cells(frame: pl.DataFrame, series: tuple[Series, ...]) -> _Cells:
    """KNOWN or HISTORY rows as arrays; a value taken back is NaN."""
    number = pl.col("series").replace_strict({s.id: n for n, s in enumerate(series)}, return_dtype=pl.Int64)
    frame = frame.with_columns(number.alias("series")).sort("series", "period", "known_at", "release")
    of, period = frame["series"].to_numpy(), frame["period"].cast(pl.Int64).to_numpy()
    usual = np.empty_like(period)
    for n, s in enumerate(series):
        mine = slice(*np.searchsorted(of, (n, n + 1)))
        # A period ends at the midnight with which the next one starts.
        usual[mine] = (rows.starts(period[mine] + 1, s.freq) + s.indicator.delay_days) * _DAY
    value = frame["value"].fill_null(np.nan).to_numpy()
    return _Cells(of, period, value, frame["known_at"].dt.epoch("us").to_numpy(), usual)


def _delayed(cells: _Cells, origin: datetime) -> _Cells:
    """The cells whose usual release is not after ``origin``, as known from then."""
    return cells._replace(known=cells.usual).where(cells.usual <= _microseconds(origin))


def _assemble(series: tuple[Series, ...], cells: _Cells, asof: datetime, timing: Timing) -> Panel:
    columns: list[tuple[Ints, Floats, Ints]] = []
    for n, s in enumerate(series):
        lo, hi = np.searchsorted(cells.series, (n, n + 1))
        columns.append(_column(s, cells.period[lo:hi], cells.value[lo:hi], cells.known[lo:hi]))
    ends = [m[[0, -1]] for m, _, _ in columns if len(m)]
    if not ends:
        names = ", ".join(s.id for s in series[:5]) + (" …" if len(series) > 5 else "")
        raise NotEnoughData(f"nothing is known of {names} as of {known_day(asof)}")
    first, last = min(e[0] for e in ends), max(e[1] for e in ends)
    shape = (last - first + 1, len(series))
    values, known = np.full(shape, np.nan), np.full(shape, NEVER)
    for n, (month, value, when) in enumerate(columns):
        values[month - first, n], known[month - first, n] = value, when
    return Panel(asof, series, Period(Freq.M, int(first)), values, known, timing)


def _column(s: Series, period: Ints, value: Floats, known: Ints) -> tuple[Ints, Floats, Ints]:
    """Months, analysed values and known times ``(m,)`` of the cells that one series fills."""
    if not len(period):
        return period, value, known
    at = period - period[0]
    levels, when = np.full(at[-1] + 1, np.nan), np.full(at[-1] + 1, NEVER)
    levels[at], when[at] = value, known
    analysed = analyse(levels, s.indicator.step, s.freq)
    newest = when.copy()
    for back in range(1, reach(s.indicator.step) + 1):
        newest[back:] = np.maximum(newest[back:], when[:-back])
    filled = np.flatnonzero(~np.isnan(analysed))
    ordinal = filled + period[0]
    return (ordinal if s.freq is Freq.M else ordinal * 3 + 2), analysed[filled], newest[filled]


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)
