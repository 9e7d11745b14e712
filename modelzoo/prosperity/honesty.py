"""The record of an index: how it was read month by month, by the same model, against what it became.

On every day of the record the model saw what was known then, was learned anew once a year, and read its whole history. Where the
index stood in its cycle then is held against where it stands now, by age of the month (engine.revisions); the turning points
said then against those dated now (engine.track). The newest reading is the one that is judged: its own months are young.

Source: Orphanides & van Norden (2002, Review of Economics and Statistics 84).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np
import polars as pl

from engine.calendar import Period
from engine.errors import NotConverged, NotEnoughData
from engine.estimate import BANDS
from engine.model import Fitted, Model
from engine.panel import Panel
from engine.reading import READINGS
from engine.record import MONTHS
from engine.revisions import as_known, honesty, revisions
from engine.track import Track, track
from engine.turning import Bbq, date, replay
from engine.typing import Floats
from modelzoo import telling
from modelzoo.prosperity.history import Historied

REFIT = 12
"""Days, one a month, that share what was learned at the first of them."""

FIRST = 60
"""Months of an index from which its cycle is read."""


class Reading(NamedTuple):
    """An index as read on one day: its first month and ``(T,)`` values."""

    first: Period
    values: Floats

    @property
    def last(self) -> Period:
        """Its newest month."""
        return self.first + (len(self.values) - 1)


def readings(model: Model, panels: Iterable[Panel], now: tuple[Fitted, Panel]) -> dict[str, list[Reading]]:
    """By unit, the index as read from each panel, from old to new; last as ``now`` reads it.

    Of a day on which too little was known there is none. A unit without an index now has none at all.
    """
    found: dict[str, list[Reading]] = {}
    fitted, age = None, 0
    for panel in panels:
        if fitted is None or age >= REFIT:
            with suppress(NotEnoughData, NotConverged):  # what was learned before goes on, and the next day is tried
                fitted, age = model.fit(panel), 0
        age += 1
        if fitted is not None:
            for unit, one in _read(fitted, panel):
                found.setdefault(unit, []).append(one)
    last = dict(_read(*now))
    return {unit: [*found.get(unit, []), one] for unit, one in last.items()}


def _read(fitted: Fitted, panel: Panel) -> Iterator[tuple[str, Reading]]:
    for unit, one, own in telling.each(fitted, panel):
        if isinstance(one, Historied):
            try:
                yield unit, Reading(*one.level(own))
            except NotEnoughData:
                continue


def judged(fitted: Historied, read: Sequence[Reading]) -> pl.DataFrame:
    """The record as rows (period, level, value); levels of ``engine.reading.HONESTY`` but for the count of vintages.

    Raises NotEnoughData where the readings are too few, or not old enough, to say anything.
    """
    table, first = _table(read)
    known = as_known(table, fitted.cycle, FIRST)
    past = revisions(known, MONTHS - 1)
    told = honesty(known[:, -1], past, MONTHS)
    low, high = BANDS[80]
    columns = {
        "cycle": told.values, "cycle_low": told.quantiles[:, low], "cycle_high": told.quantiles[:, high],
        "noise": told.noise, "sign": told.sign, "direction": told.direction,
    }  # fmt: skip
    rows = [
        (str(first + int(row)), level, float(value))
        for level, values in columns.items()
        for row, value in zip(told.rows, values, strict=True)
    ]
    newest = str(first + int(told.rows[-1]))
    rows += [(newest, level, value) for level, value in _turns(table).items()]
    return pl.DataFrame(rows, schema={c: READINGS[c] for c in ("period", "level", "value")}, orient="row")


def _table(read: Sequence[Reading]) -> tuple[Floats, Period]:
    """``(T, V)`` a column for each reading, and the month of the first row.

    Left out: a reading that ends before an earlier one, or after the last, as where a component that ended it was dropped.
    """
    kept: list[Reading] = []
    for one in read:
        if one.last <= read[-1].last and (not kept or one.last >= kept[-1].last):
            kept.append(one)
    first = min(r.first for r in kept)
    out = np.full((read[-1].last - first + 1, len(kept)), np.nan)
    for v, one in enumerate(kept):
        at = one.first - first
        out[at : at + len(one.values), v] = one.values
    return out, first


def _turns(table: Floats) -> Mapping[str, float]:
    """What became of the turning points of the index itself, as a chart shows them; nothing where none is old enough."""
    try:
        told: Track = track(replay(table, Bbq(), FIRST), date(table[:, -1], Bbq()))
    except NotEnoughData:
        return {}
    found = {"turns": float(len(told.followed)), "turns_found": told.found, "turns_false": told.false_rate}
    months = told.months_to_confirmation
    return found if months is None else found | {"turns_months": months}
