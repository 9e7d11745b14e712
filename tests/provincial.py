"""The synthetic province, read-only and quick: its releases as one history, for tests that ask and never write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import cast

import polars as pl

from engine.indicator import Series
from featurestore import rows
from featurestore.sources.province import Economy, economy
from featurestore.store import HISTORY, RELEASES, Store

REGION = "SYN-33"


class Shelf:
    """What a panel, a cube and a trace read of a store."""

    def __init__(self, series: Mapping[str, Series], history: pl.DataFrame, releases: pl.DataFrame) -> None:
        self._series, self.all, self._releases = series, history, releases

    def series(self) -> Mapping[str, Series]:
        return self._series

    def history(self, ids: Sequence[str]) -> pl.DataFrame:
        return self.all.filter(pl.col("series").is_in(list(ids)))

    def known(self, ids: Sequence[str], asof: datetime, recorded: datetime | None = None) -> pl.DataFrame:
        return rows.at(self.history(ids), asof)

    def releases(self) -> pl.DataFrame:
        return self._releases

    def altered(self, history: pl.DataFrame) -> Store:
        """The same store with another history."""
        return cast(Store, Shelf(self._series, history, self._releases))


@cache
def province() -> Economy:
    """The economy of the usual seed."""
    return economy()


@cache
def shelf() -> Shelf:
    """All that the offices of the province have released of the province itself."""
    said, events = [], []
    series: dict[str, Series] = {}
    stamp = pl.lit(datetime(2026, 6, 1, tzinfo=UTC)).dt.cast_time_unit("us")
    for number, load in enumerate(province().releases(), 1):
        mine = [s for s in load.series if s.region.code == REGION]
        if not mine:
            continue
        series |= {s.id: s for s in mine}
        known = pl.lit(load.release.known_at).dt.cast_time_unit("us")
        facts = {"precision": pl.lit(load.release.precision), "release": pl.lit(number, pl.Int32)}
        said.append(load.values.with_columns(known_at=known, recorded_at=stamp, **facts))
        events.append((number, load.release.source, load.release.code, load.release.uri))
    frame = pl.concat(said).filter(pl.col("series").str.ends_with(f"@{REGION}"))
    names = pl.Schema({c: RELEASES[c] for c in ("release", "source", "code", "uri")})
    history = rows.versions(frame.select([c for c in HISTORY.names() if c != "nth"]))
    return Shelf(series, history, pl.DataFrame(events, schema=names, orient="row"))


def store() -> Store:
    """The shelf as a store."""
    return cast(Store, shelf())


def truth(name: str) -> pl.DataFrame:
    """period, level, basis of a true monthly level of the province."""
    return province().truth.levels.filter(pl.col("name") == name, pl.col("region") == REGION)
