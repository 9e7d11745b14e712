"""The eleven made-up cities, read-only and quick: all that was released of them, and panels as of a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import cast

import polars as pl
import provincial

from engine.calendar import end_of
from engine.indicator import Series
from engine.panel import Panel
from featurestore import rows
from featurestore.panel import Cube
from featurestore.store import HISTORY, RELEASES, Store
from modelzoo.scorecard.composite import Composite

CITIES = tuple(f"SYN-33{n:02d}" for n in range(1, 12))


@cache
def store() -> Store:
    """All that the offices have released of the cities."""
    said = []
    series: dict[str, Series] = {}
    stamp = pl.lit(datetime(2026, 6, 1, tzinfo=UTC)).dt.cast_time_unit("us")
    for number, load in enumerate(provincial.province().releases(), 1):
        if mine := {s.id: s for s in load.series if s.region.level == "city"}:
            series |= mine
            known = pl.lit(load.release.known_at).dt.cast_time_unit("us")
            facts = {"precision": pl.lit(load.release.precision), "release": pl.lit(number, pl.Int32)}
            said.append(load.values.with_columns(known_at=known, recorded_at=stamp, **facts))
    frame = pl.concat(said).filter(pl.col("series").is_in(list(series)))
    history = rows.versions(frame.select([c for c in HISTORY.names() if c != "nth"]))
    return cast(Store, provincial.Shelf(series, history, pl.DataFrame(schema=RELEASES)))


@cache
def _cube(ids: tuple[str, ...]) -> Cube:
    return Cube(store(), ids)


@cache
def panel(model_inputs: tuple[str, ...], day: date) -> Panel:
    """What was known at the end of a day."""
    return _cube(model_inputs).panel(end_of(day))


def scorecard(template: str, **options: object) -> Composite:
    """A template over the eleven cities."""
    from modelzoo import zoo

    given: Mapping[str, object] = {"target": f"{template}@SYN-33", "units": CITIES, "framework": template, **options}
    return cast(Composite, zoo.make("scorecard.composite", given))
