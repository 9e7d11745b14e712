"""The synthetic province as a store that is only asked, and champions of its lights and its index."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import cast

import polars as pl
import provincial
from provincial import Shelf

from engine.calendar import end_of
from engine.model import Model
from featurestore.panel import build_panel
from featurestore.store import PUBLISHED, RELEASES, Store
from modelzoo import bundle, zoo
from modelzoo.bundle import Bundle
from serving.champions import Champion

LIGHTS, INDEX, REGION = "warning@SYN-33", "coincident@SYN-33", "SYN-33"
COMPONENTS = ("ind_va_yoy@SYN-33", "retail_yoy@SYN-33", "elec_total_yoy@SYN-33", "fai_yoy_ytd@SYN-33")


class Desk(Shelf):  # type: ignore[misc]
    """What the service reads of a store; published: rows that it says were published."""

    published: pl.DataFrame = pl.DataFrame(schema=PUBLISHED)

    def releases(self) -> pl.DataFrame:
        return pl.DataFrame(schema=RELEASES)

    def readings(self, target: str, asof: datetime | None = None) -> pl.DataFrame:
        return self.published.filter(
            pl.col("target") == target, pl.lit(asof is None) | pl.col("asof").eq_missing(pl.lit(asof))
        )


def of(history: pl.DataFrame) -> Store:
    """The desk with another history."""
    shelf = provincial.shelf()
    return cast(Store, Desk(shelf.series(), history, shelf.releases()))


@cache
def store() -> Store:
    return of(provincial.shelf().all)


def altered(after: datetime, ids: Sequence[str]) -> Store:
    """The same desk with every value of these series that became known later made another."""
    history = provincial.shelf().all
    late = (pl.col("known_at") > after) & pl.col("series").is_in(list(ids))
    return of(history.with_columns(value=pl.when(late).then(pl.col("value") * -3.0 + 7.0).otherwise(pl.col("value"))))


def day(year: int, month: int, number: int) -> datetime:
    return end_of(date(year, month, number))


def champion(kind: str, model: Model, name: str, *days: datetime, version: str = "1") -> Champion:
    """Learned on each of the days from what was known then."""
    panels = [build_panel(store(), model.inputs, d) for d in days]
    kept = Bundle(name, model, tuple(bundle.fit(model, p) for p in panels), panels[0].series)
    registered = bundle.registry_name(kind, model.targets[0])
    return Champion(registered, version, "77aa", kept, "Title", "标题")


@cache
def lights(version: str = "1", **options: object) -> Champion:
    model = zoo.about("warning.lights", LIGHTS, dict(options))
    return champion("warning", model, "warning.lights", day(2023, 12, 31), day(2024, 12, 31), version=version)


@cache
def index(name: str = "prosperity.conference", version: str = "1") -> Champion:
    model = zoo.about(name, INDEX, {"components": COMPONENTS})
    return champion("index", model, name, day(2024, 6, 30), version=version)


def published(champion: Champion, asof: datetime) -> pl.DataFrame:
    """One row that says that this version published for that day."""
    facts = {
        "run_id": champion.run_id, "target": champion.target, "model": champion.bundle.name, "version": champion.version,
        "asof": asof, "fitted_asof": asof, "timing": "real", "panel": "", "published_at": datetime(2026, 1, 1, tzinfo=UTC),
        "unit": REGION, "period": "2024-01", "level": "index", "name": "", "value": 100.0,
    }  # fmt: skip
    return pl.DataFrame([facts], schema=PUBLISHED)
