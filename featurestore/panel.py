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
from engine.figures import Flags, Origin
from engine.indicator import Indicator, Series
from engine.kinds import pair_rule
from engine.panel import NEVER, Panel, Timing
from engine.steps import analyse
from engine.typing import Floats, Ints
from featurestore import rows
from featurestore.compute import Cells, Read, compute, last_review, months
from featurestore.features import Feature, is_feature, resolve
from featurestore.grid import Grid
from featurestore.store import Store

_DAY = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BY_MONTH = ("level_month", "yoy_month", "index_yoy")  # where a pair stands on February alone


class _Table(NamedTuple):
    """Published values as arrays ``(n,)``, sorted by series, period and version; times are microseconds from 1970.

    usual: the end of the day that lies ``delay_days`` after the period, when a first release usually is known. at: the place of
    the cell in the grid of the panel's columns.
    """

    series: Ints
    period: Ints
    value: Floats
    known: Ints
    usual: Ints
    at: Ints


class _Cells(NamedTuple):
    """Some rows of a table, by their places: of a column only what is asked for is fetched."""

    table: _Table
    places: Ints

    @property
    def series(self) -> Ints:
        return self.table.series.take(self.places)

    @property
    def period(self) -> Ints:
        return self.table.period.take(self.places)

    @property
    def value(self) -> Floats:
        return self.table.value.take(self.places)

    @property
    def known(self) -> Ints:
        return self.table.known.take(self.places)

    @property
    def at(self) -> Ints:
        return self.table.at.take(self.places)

    def delayed(self, origin: datetime) -> _Cells:
        """The cells whose usual release is not after ``origin``, as known from then."""
        usual = self.table.usual.take(self.places) <= _microseconds(origin)
        return _Cells(self.table._replace(known=self.table.usual), self.places[usual])


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

    @property
    def features(self) -> dict[int, Feature]:
        """By the number of their column."""
        return {n: c for n, c in enumerate(self.columns) if isinstance(c, Feature)}


def build_panel(store: Store, ids: Sequence[str], asof: datetime) -> Panel:
    """What was known of these published series and features at ``asof``.

    Raises Unknown for a series that was never stored, Refused for a feature that must not be made, NotEnoughData if nothing was
    known, BadInput for weeks or days, and where published values contradict their January-February rule.
    """
    plan = plan_of(store, ids)
    grid, cells = _cells(store.known(plan.ids, asof), plan)
    return _assemble(plan, grid, cells, lambda t: _cells(store.known(plan.ids, t), plan)[1], asof, "real")


def pseudo_panel(store: Store, ids: Sequence[str], origin: datetime, vintage: datetime) -> Panel:
    """What would have been known at ``origin`` by the usual publication delays, with values as of ``vintage``.

    A value counts as known at the end of the day that lies ``delay_days`` after its period. Raises as build_panel.
    """
    plan = plan_of(store, ids)
    grid, cells = _cells(store.known(plan.ids, vintage), plan)
    return _assemble(plan, grid, cells.delayed(origin), cells.delayed, origin, "pseudo")


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
        self._grid, cells = _cells(store.history(self._plan.ids), self._plan)
        self._table = cells.table
        of, period, value, known = self._table[:4]
        # Each version is the word from its own day to that of the next one; days as numbers of all days, which take less room.
        days, born = np.unique(known, return_inverse=True)
        gone = np.full(len(of), len(days))
        same = np.flatnonzero((np.diff(of) == 0) & (np.diff(period) == 0))
        gone[same] = born[same + 1]
        gone[np.isnan(value)] = -1  # taken back: never seen
        small = np.int16 if len(days) < np.iinfo(np.int16).max else np.int32
        self._days, self._born, self._gone = days, born.astype(small), gone.astype(small)

    def panel(self, asof: datetime) -> Panel:
        """As :func:`build_panel`."""
        return _assemble(self._plan, self._grid, self._at(asof), self._at, asof, "real")

    def pseudo(self, origin: datetime, vintage: datetime) -> Panel:
        """As :func:`pseudo_panel`."""
        cells = self._at(vintage)
        return _assemble(self._plan, self._grid, cells.delayed(origin), cells.delayed, origin, "pseudo")

    def _at(self, asof: datetime) -> _Cells:
        """The last version of each value at ``asof``, without values that were taken back."""
        day = np.searchsorted(self._days, _microseconds(asof), side="right").astype(self._born.dtype)
        return _Cells(self._table, np.flatnonzero((self._born < day) & (self._gone >= day)))


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


def _cells(frame: pl.DataFrame, plan: Plan) -> tuple[Grid, _Cells]:
    """KNOWN or HISTORY rows as arrays, and the grid of the panel's columns; a value taken back is NaN."""
    series = plan.sources
    number = pl.col("series").replace_strict({s.id: n for n, s in enumerate(series)}, return_dtype=pl.Int64)
    frame = frame.with_columns(number.alias("series")).sort("series", "period", "known_at", "release")
    of, period = frame["series"].to_numpy(), frame["period"].cast(pl.Int64).to_numpy()
    usual = np.empty_like(period)
    for n, s in enumerate(series):
        mine = slice(*np.searchsorted(of, (n, n + 1)))
        # A period ends at the midnight with which the next one starts.
        usual[mine] = (rows.starts(period[mine] + 1, s.freq) + s.indicator.delay_days) * _DAY
    value = frame["value"].fill_null(np.nan).to_numpy()
    place = {s.id: n for n, s in enumerate(series)}
    grid = Grid(series, {place[c.id]: n for n, c in enumerate(plan.columns) if isinstance(c, Series)}, of, period)
    table = _Table(of, period, value, frame["known_at"].dt.epoch("us").to_numpy(), usual, grid.at)
    return grid, _Cells(table, np.arange(len(of)))


def _assemble(
    plan: Plan, grid: Grid, cells: _Cells, at: Callable[[datetime], _Cells], asof: datetime, timing: Timing
) -> Panel:
    """at: the cells of an earlier day, for what was decided then."""
    series = list(plan.series)
    blocks = grid.fill(cells.at, cells.value, cells.known)
    made: dict[int, _Filled] = {}
    if features := plan.features:
        for n, (column, note) in zip(features, _features(plan, list(features.values()), cells, at, asof), strict=True):
            if len(column[0]):
                made[n] = column
            if note and (how := series[n].made):
                series[n] = replace(series[n], made=replace(how, note=note))
    ends = [(b.first, b.last) for b in blocks] + [(int(m[0]), int(m[-1])) for m, *_ in made.values()]
    if not ends:
        names = ", ".join(s.id for s in series[:5]) + (" …" if len(series) > 5 else "")
        raise NotEnoughData(f"nothing is known of {names} as of {known_day(asof)}")
    first, last = min(e[0] for e in ends), max(e[1] for e in ends)
    shape = (last - first + 1, len(series))
    values, known, flags = np.full(shape, np.nan), np.full(shape, NEVER), np.zeros(shape, np.uint8)
    for b in blocks:
        rows_of = slice(b.first - first, b.last - first + 1, b.months)
        values[rows_of, b.columns], known[rows_of, b.columns] = b.values, b.stamps
    for n, meaning in enumerate(series):
        about = meaning.indicator
        if meaning.made is None and about.step == "lin" and about.kind in _BY_MONTH and about.jan_feb:
            flags[:, n] = _pairs(about, values[:, n], first)
    for n, (month, value, when, flag) in made.items():
        values[month - first, n], known[month - first, n], flags[month - first, n] = value, when, flag
    return Panel(asof, tuple(series), Period(Freq.M, first), values, known, timing, flags)


def _pairs(about: Indicator, values: Floats, first: int) -> Flags:
    """``(T,)`` the flag PAIR on each February that a published series gives for January too, by the rule of its row."""
    ordinals = first + np.arange(len(values))
    pair = (ordinals % 12 == 1) & ~np.isnan(values) & np.isnan(np.r_[np.nan, values[:-1]])
    return np.where(pair & pair_rule(about).combined(ordinals // 12), np.uint8(Origin.PAIR), np.uint8(0))


_Filled: TypeAlias = tuple[Ints, Floats, Ints, Flags]
_EMPTY: _Filled = (np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.uint8))


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
    return _reader(plan, _cells(store.known(ids, asof), plan)[1])


def _reader(plan: Plan, cells: _Cells) -> Read:
    place = {s.id: n for n, s in enumerate(plan.sources)}

    series, period, value, known = cells.series, cells.period, cells.value, cells.known

    def read(series_id: str) -> Cells:
        lo, hi = np.searchsorted(series, (place[series_id], place[series_id] + 1))
        return Cells(period[lo:hi], value[lo:hi], known[lo:hi])

    return read


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)
