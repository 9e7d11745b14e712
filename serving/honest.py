"""The record beside the last months of an index, as of a day: from the vintages that the store had by then.

Real vintages are the ends of months in which something was released whose day is known. Where these are too few, the newest
vintage is cut by the usual delays (pseudo), which leaves out what offices revised: the rows say which it was, and how many.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

import polars as pl

from engine.calendar import Freq, Period, end_of, known_day
from engine.errors import NotEnoughData
from engine.panel import Panel
from engine.reading import READINGS
from engine.record import FEWEST
from featurestore.panel import Cube
from featurestore.store import Store
from modelzoo import telling
from modelzoo.bundle import Fit
from modelzoo.prosperity import honesty
from modelzoo.prosperity.history import Historied
from serving.answer import heard
from serving.champions import Champion

YEARS = 15
"""So far back reaches a record at most."""

KEPT = 32
"""Records kept, those asked for last."""

_Rows: TypeAlias = list[tuple[str, str, str, str, float]]

_kept: OrderedDict[Hashable, pl.DataFrame] = OrderedDict()
_turns: dict[str, threading.Lock] = {}
_lock = threading.Lock()


def rows(store: Store, champion: Champion, panel: Panel, fit: Fit) -> pl.DataFrame:
    """READINGS of the levels HONESTY for every unit of an index; none for what is no index.

    panel: what is known on the day that is asked for; fit: what the champion answers with. A unit of which the readings are
    too few has its ``vintages`` alone. A record is kept as long as store and champion stay as they are.
    """
    if not any(isinstance(one, Historied) for _, one, _ in telling.each(fit.fitted, panel)):
        return pl.DataFrame(schema=READINGS)
    key = (champion.name, champion.version, champion.run_id, panel.asof, panel.digest(), store.releases().height)
    # two requests for one day replay once, and other indices go on
    with _turns.setdefault(champion.name, threading.Lock()):
        with _lock:
            if key in _kept:
                _kept.move_to_end(key)
                return _kept[key]
        made = _record(store, champion, panel, fit)
        with _lock:
            _kept[key] = made
            while len(_kept) > KEPT:
                _kept.popitem(last=False)
        return made


def month_ends(asof: datetime, months: int) -> list[datetime]:
    """The ends of the last ``months`` whole months before ``asof``, oldest first."""
    running = Period.of(known_day(asof), Freq.M)
    return [day for k in range(months, 0, -1) if (day := end_of((running + -k).end)) < asof]


def real_days(store: Store, champion: Champion, asof: datetime, months: int) -> list[datetime]:
    """Those of them by which something that the champion reads was released in the month, on a day that is on record."""
    said = heard(store, champion).filter(pl.col("precision").is_in(["instant", "day"]), pl.col("known_at") <= asof)
    spoken = {Period.of(known_day(day), Freq.M) for day in said["known_at"]}
    return [day for day in month_ends(asof, months) if Period.of(known_day(day), Freq.M) in spoken]


def _record(store: Store, champion: Champion, panel: Panel, fit: Fit) -> pl.DataFrame:
    model, asof = champion.bundle.model, panel.asof
    cube = Cube(store, model.inputs)
    waiting = {unit: (one, own) for unit, one, own in telling.each(fit.fitted, panel) if isinstance(one, Historied)}
    found: _Rows = []
    real = real_days(store, champion, asof, 12 * YEARS)
    tries: tuple[tuple[str, Sequence[datetime], Callable[[datetime], Panel]], ...] = (
        ("real", real, cube.panel),
        ("pseudo", month_ends(asof, 12 * YEARS), lambda day: cube.pseudo(day, asof)),
    )
    for timing, days, cut in tries:
        enough = len(days) >= FEWEST
        read = honesty.readings(model, _panels(days, cut), (fit.fitted, panel)) if enough and waiting else {}
        for unit, (one, own) in list(waiting.items()):
            count = len(read[unit]) - 1 if unit in read else len(days)
            newest = str(one.newest(own))
            found.append((unit, newest, "vintages", timing, float(count)))
            if count < FEWEST:
                continue
            try:
                told = honesty.judged(one, read[unit])
            except NotEnoughData:
                continue
            del waiting[unit]
            found += [(unit, period, level, "", value) for period, level, value in told.iter_rows()]
    return pl.DataFrame(found, schema=READINGS, orient="row")


def _panels(days: Sequence[datetime], cut: Callable[[datetime], Panel]) -> Iterator[Panel]:
    for day in days:
        try:
            yield cut(day)
        except NotEnoughData:
            continue
