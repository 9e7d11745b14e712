"""What the store knows, answered: series, their values as of a day, and every revision of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np

from engine.calendar import Period
from engine.figures import Origin
from engine.indicator import Series
from engine.steps import analyse
from featurestore.features import is_feature
from featurestore.panel import feature_values
from featurestore.store import Store
from modelzoo.bundle import registry_name
from serving.answer import asof_text, described
from serving.champions import Champions
from serving.schemas import Indicators, Models, Revisions, SeriesInfo, SeriesValues, Value, Version


def indicators(store: Store) -> Indicators:
    """All series of the store, by id."""
    return Indicators(indicators=tuple(info(s) for _, s in sorted(store.series().items())))


def series(store: Store, series_id: str, asof: datetime) -> SeriesValues:
    """The version of each value that was public at ``asof``, as published and as analysed. Raises Unknown.

    Of a feature, its values as they were computed from what was public; its status says that it was imputed (I) or
    estimated along another scope (E), or else A.
    """
    if is_feature(series_id):
        return _feature(store, series_id, asof)
    meaning = described(store, series_id)
    known = store.known([series_id], asof).sort("period")
    ordinals = known["period"].to_numpy()
    analysed = np.empty(0)
    if len(ordinals):
        axis = np.full(int(ordinals[-1] - ordinals[0]) + 1, np.nan)
        axis[ordinals - ordinals[0]] = known["value"].to_numpy()
        analysed = analyse(axis, meaning.indicator.step, meaning.freq)[ordinals - ordinals[0]]
    values = tuple(
        Value(
            period=str(Period(meaning.freq, row["period"])),
            value=row["value"],
            analysed=None if np.isnan(after) else float(after),
            status=row["status"],
            known_at=row["known_at"],
            precision=row["precision"],
        )
        for row, after in zip(known.iter_rows(named=True), analysed, strict=True)
    )
    return SeriesValues(series=info(meaning), asof=asof_text(asof), values=values)


def _feature(store: Store, feature_id: str, asof: datetime) -> SeriesValues:
    meaning, frame = feature_values(store, feature_id, asof)
    values = tuple(
        Value(
            period=str(Period(meaning.freq, row["period"])),
            value=row["value"],
            analysed=row["value"],
            status="I" if row["flags"] & Origin.IMPUTED else "E" if row["flags"] & Origin.NOMINAL_SCOPE else "A",
            known_at=row["known_at"],
            precision="day",
        )
        for row in frame.iter_rows(named=True)
    )
    return SeriesValues(series=info(meaning), asof=asof_text(asof), values=values)


def revisions(store: Store, series_id: str) -> Revisions:
    """Every version of every value. Raises Unknown."""
    meaning = described(store, series_id)
    versions = tuple(
        Version(
            period=str(Period(meaning.freq, row["period"])),
            nth=row["nth"],
            value=row["value"],
            status=row["status"],
            known_at=row["known_at"],
            precision=row["precision"],
            recorded_at=row["recorded_at"],
        )
        for row in store.history([series_id]).sort("period", "nth").iter_rows(named=True)
    )
    return Revisions(series=info(meaning), versions=versions)


def models(store: Store, champions: Champions) -> Models:
    """The registry, each model with the series that it is about."""
    about = {registry_name("nowcast", series_id): series_id for series_id in store.series()}
    return Models(models=tuple(replace(m, target=m.target or about.get(m.name)) for m in champions.models()))


def info(meaning: Series) -> SeriesInfo:
    """A series as the service tells it."""
    what, where = meaning.indicator, meaning.region
    return SeriesInfo(
        id=meaning.id,
        name_en=what.name_en,
        name_zh=what.name_zh,
        region=where.code,
        region_en=where.name_en,
        region_zh=where.name_zh,
        freq=what.freq.value,
        unit=what.unit,
        unit_zh=what.unit_zh,
        unit_analysed=what.unit_analysed,
        unit_analysed_zh=what.unit_analysed_zh,
        step=what.step,
        recipe=f"{meaning.made.recipe} v{meaning.made.version} {meaning.made.hash}" if meaning.made else "",
        delay_days=what.delay_days,
        agency=what.agency,
        module=what.module,
        is_synthetic=meaning.is_synthetic,
    )
