"""From the store to a Panel: published figures and features, as known on a day.

A published value is analysed by the step of the catalogue, at the frequency of its own series, from values known on that same day;
a feature (``retail_total_ytd.mom@CN-33``) is made by its recipe, see :mod:`featurestore.compute`. A quarterly or annual value
stands in the last month of its period. The axis runs from the first to the last month in which a cell is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias

import numpy as np
import polars as pl

from engine.calendar import Freq, Period, known_day
from engine.errors import BadInput, NotEnoughData
from engine.figures import Flags
from engine.indicator import Series
from engine.panel import NEVER, Panel, Timing
from engine.steps import analyse, reach
from engine.typing import Bools, Floats, Ints
from featurestore import rows
from featurestore.compute import Cells, Read, compute, last_review, months
from featurestore.features import Feature, is_feature, resolve
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


class Plan(NamedTuple):
    """The columns of a panel, published series and features, and the published series that have to be read for them."""

    columns: tuple[Series | Feature, ...]
    sources: tuple[Series, ...]

    @property
    def series(self) -> tuple[Series, ...]:
        """What the columns mean."""
        return tuple(c.series if isinstance(c, Feature) else c for c in self.columns)

    @property
    def ids(self) -> list[str]:
        """Of the series to be read."""
        return [s.id for s in self.sources]


def build_panel(store: Store, ids: Sequence[str], asof: datetime) -> Panel:
    """What was known of these published series and features at ``asof``.

    Raises Unknown for a series that was never stored, Refused for a feature that must not be made, NotEnoughData if nothing was
    known, BadInput for weeks or days, and where published values contradict their January-February rule.
    """
    plan = plan_of(store, ids)

    def at(instant: datetime) -> _Cells:
        return _cells(store.known(plan.ids, instant), plan.sources)

    return _assemble(plan, at(asof), at, asof, "real")


def pseudo_panel(store: Store, ids: Sequence[str], origin: datetime, vintage: datetime) -> Panel:
    """What would have been known at ``origin`` by the usual publication delays, with values as of ``vintage``.

    A value counts as known at the end of the day that lies ``delay_days`` after its period. Raises as build_panel.
    """
    plan = plan_of(store, ids)
    cells = _cells(store.known(plan.ids, vintage), plan.sources)
    return _assemble(plan, _delayed(cells, origin), lambda instant: _delayed(cells, instant), origin, "pseudo")


def own_values(store: Store, series_id: str, asof: datetime) -> tuple[Series, pl.DataFrame]:
    """A series by itself, at its own frequency: what it means, and a row for each period known at ``asof``.

    Columns: period (ordinal), value as published, analysed (null where a change has no base), known_at. Raises Unknown.
    """
    if is_feature(series_id):
        raise BadInput(f"{series_id} is a feature: nothing of it is published; see feature_values")
    known = store.known([series_id], asof).sort("period")
    series = store.series()[series_id]
    if not known.height:
        return series, known.select("period", "value", pl.col("value").alias("analysed"), "known_at")
    at = known["period"].to_numpy() - known["period"][0]
    levels = np.full(at[-1] + 1, np.nan)
    levels[at] = known["value"].to_numpy()
    analysed = pl.Series(analyse(levels, series.indicator.step, series.freq)[at]).fill_nan(None)
    return series, known.select("period", "value", analysed.alias("analysed"), "known_at")


def feature_values(store: Store, feature_id: str, asof: datetime) -> tuple[Series, pl.DataFrame]:
    """A feature by itself, at its own frequency: what it means, and a row for each period known at ``asof``.

    Columns: period (ordinal), value, flags (bits of ``engine.figures.Origin``), known_at. Raises as build_panel.
    """
    panel = build_panel(store, [feature_id], asof)
    series = panel.series[0]
    filled = np.flatnonzero(~np.isnan(panel.values[:, 0]))
    month = filled + panel.first.ordinal
    known = panel.known[feature_id].gather(filled)
    columns = {"period": month if series.freq is Freq.M else month // 3, "value": panel.values[filled, 0]}
    return series, pl.DataFrame(columns | {"flags": panel.flags[filled, 0], "known_at": known})


class Cube:
    """The whole history of some series, and of those that features need, read once; panels of any day are then cut in memory.

    Equal to the last bit to :func:`build_panel` and :func:`pseudo_panel` on the same store. Raises Unknown.
    """

    def __init__(self, store: Store, ids: Sequence[str]) -> None:
        self._plan = plan_of(store, ids)
        self.series = self._plan.series
        self._cells = _cells(store.history(self._plan.ids), self._plan.sources)

    def panel(self, asof: datetime) -> Panel:
        """As :func:`build_panel`."""
        return _assemble(self._plan, self._at(asof), self._at, asof, "real")

    def pseudo(self, origin: datetime, vintage: datetime) -> Panel:
        """As :func:`pseudo_panel`."""
        cells = self._at(vintage)
        return _assemble(
            self._plan, _delayed(cells, origin), lambda instant: _delayed(cells, instant), origin, "pseudo"
        )

    def _at(self, asof: datetime) -> _Cells:
        """The last version of each value at ``asof``, without values that were taken back."""
        known = self._cells.where(self._cells.known <= _microseconds(asof))
        last = np.ones(len(known.series), bool)
        last[:-1] = (np.diff(known.series) != 0) | (np.diff(known.period) != 0)
        return known.where(last & ~np.isnan(known.value))


def plan_of(store: Store, ids: Sequence[str]) -> Plan:
    """The columns that these ids name. Raises as build_panel."""
    if not ids or len(set(ids)) != len(ids):
        raise BadInput("a panel needs at least one series, and each of them once")
    stored = store.series()
    if missing := [i for i in ids if i not in stored and not is_feature(i)]:
        raise rows.not_stored(missing)
    columns = tuple(stored[i] if i in stored else resolve(i, stored) for i in ids)
    if odd := [c.id for c in columns if isinstance(c, Series) and c.freq not in (Freq.M, Freq.Q, Freq.A)]:
        raise BadInput(f"a panel holds monthly, quarterly and annual series, not {', '.join(odd)}")
    read = (s for c in columns for s in (c.sources if isinstance(c, Feature) else (c,)))
    return Plan(columns, tuple({s.id: s for s in read}.values()))


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


def _assemble(plan: Plan, cells: _Cells, at: Callable[[datetime], _Cells], asof: datetime, timing: Timing) -> Panel:
    """at: the cells of an earlier day, for what was decided then."""
    place = {s.id: n for n, s in enumerate(plan.sources)}
    series = list(plan.series)
    columns: list[_Filled] = []
    for c in plan.columns:
        if isinstance(c, Series):
            lo, hi = np.searchsorted(cells.series, (place[c.id], place[c.id] + 1))
            columns.append((*_column(c, cells.period[lo:hi], cells.value[lo:hi], cells.known[lo:hi]), None))
        else:
            columns.append(_EMPTY)
    if features := {n: c for n, c in enumerate(plan.columns) if isinstance(c, Feature)}:
        for n, (filled, note) in zip(features, _features(plan, list(features.values()), cells, at, asof), strict=True):
            columns[n] = filled
            if note and (made := series[n].made):
                series[n] = replace(series[n], made=replace(made, note=note))
    ends = [c[0][[0, -1]] for c in columns if len(c[0])]
    if not ends:
        names = ", ".join(s.id for s in series[:5]) + (" …" if len(series) > 5 else "")
        raise NotEnoughData(f"nothing is known of {names} as of {known_day(asof)}")
    first, last = min(e[0] for e in ends), max(e[1] for e in ends)
    shape = (last - first + 1, len(series))
    values, known, flags = np.full(shape, np.nan), np.full(shape, NEVER), np.zeros(shape, np.uint8)
    for n, (month, value, when, flag) in enumerate(columns):
        values[month - first, n], known[month - first, n] = value, when
        if flag is not None:
            flags[month - first, n] = flag
    return Panel(asof, tuple(series), Period(Freq.M, int(first)), values, known, timing, flags)


_Filled: TypeAlias = tuple[Ints, Floats, Ints, Flags | None]
_EMPTY: _Filled = (np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64), None)


def _features(
    plan: Plan, features: Sequence[Feature], cells: _Cells, at: Callable[[datetime], _Cells], asof: datetime
) -> Iterator[tuple[_Filled, str]]:
    """Months, values, stamps and flags of the cells that each feature fills, and what is to be said of the column."""
    for made in compute(features, _reader(plan, cells), lambda: _reader(plan, at(last_review(asof)))):
        if made is None:
            yield _EMPTY, ""
            continue
        filled = np.flatnonzero(~np.isnan(made.values))
        yield (months(made)[filled], made.values[filled], made.stamps[filled], made.flags[filled]), made.note


def cells_of(store: Store, ids: Sequence[str], asof: datetime) -> Read:
    """What was known of published series on a day, for :func:`featurestore.compute.compute`."""
    stored = store.series()
    plan = Plan((), tuple(stored[i] for i in ids))
    return _reader(plan, _cells(store.known(ids, asof), plan.sources))


def _reader(plan: Plan, cells: _Cells) -> Read:
    place = {s.id: n for n, s in enumerate(plan.sources)}

    def read(series_id: str) -> Cells:
        lo, hi = np.searchsorted(cells.series, (place[series_id], place[series_id] + 1))
        return Cells(cells.period[lo:hi], cells.value[lo:hi], cells.known[lo:hi])

    return read


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
    months = 12 // s.freq.per_year
    return (filled + period[0] + 1) * months - 1, analysed[filled], newest[filled]


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)
