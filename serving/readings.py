"""Readings of a champion: an index, lights, a board or a monitor as of any day, published or asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

import polars as pl

from engine.errors import BadInput, Unknown
from engine.indicator import is_synthetic
from engine.panel import Panel
from engine.reading import READINGS
from featurestore.panel import build_panel
from featurestore.store import ScoreRun, Store
from featurestore.surveys import build_answers
from modelzoo import telling
from serving import honest
from serving.answer import asof_text, timing_of
from serving.champions import Champion, Champions
from serving.schemas import Reading, Readings

SHOWN = {"index": 36, "warning": 24, "scorecard": 1, "monitor": 12}
"""By kind, how many of the newest periods are read unasked, and published."""


@dataclass(frozen=True, slots=True)
class Said:
    """Where readings come from, and their rows."""

    run: ScoreRun
    rows: pl.DataFrame


def readings(
    store: Store,
    champions: Champions,
    kind: str,
    asked: str,
    asof: datetime,
    region: str | None = None,
    months: int | None = None,
) -> Readings:
    """What the champion of a kind reads with all that was known at ``asof``; of one unit only with ``region``.

    asked: ``lights@SYN-33``, or ``lights`` where one champion is meant. months: the newest so many periods, 0 for the whole
    history, None for SHOWN of the kind. Raises Unknown for a unit that is not read, NotReady without a champion,
    NotEnoughData where too little is known, BadInput if several champions could be meant.
    """
    champion = meant(champions, kind, asked, region)
    shown = SHOWN[kind] if months is None else months
    said = published(store, champion, asof) if 0 < shown <= SHOWN[kind] else None
    said = said or ask(store, champion, asof, shown)
    rows = said.rows.filter(pl.col("period").is_in(sorted(said.rows["period"].unique())[-shown:]))
    if region is not None:
        units = rows["unit"].unique().sort().to_list()
        if region not in units:
            raise Unknown(
                f"{champion.target} as of {asof_text(asof)} does not read {region}; it reads {', '.join(units)}"
            )
        rows = rows.filter(pl.col("unit") == region)
    return _answer(store, champion, said.run, rows)


def meant(champions: Champions, kind: str, asked: str, region: str | None) -> Champion:
    """The champion that a name means. Raises NotReady, BadInput."""
    if "@" in asked:
        return champions.champion(asked, kind)
    named = [c for c in champions.all() if c.kind == kind and c.target.partition("@")[0] == asked]
    exact = [c for c in named if c.target == f"{asked}@{region}"]
    if len(exact or named) > 1:
        raise BadInput(f"{asked} is read for several: {', '.join(c.target for c in named)}; name one of them")
    return (exact or named)[0] if named else champions.champion(f"{asked}@{region or '…'}", kind)


def published(store: Store, champion: Champion, asof: datetime) -> Said | None:
    """What this version published for that day; None if it did not, or if data of that day came in since."""
    rows = store.readings(champion.target, asof)
    if rows.is_empty():
        return None
    row = rows.row(0, named=True)
    if (row["version"], row["run_id"]) != (champion.version, champion.run_id):
        return None
    late = (pl.col("known_at") <= asof) & (pl.col("recorded_at") > row["published_at"])
    if store.releases().select(late.any()).item():
        return None
    return Said(ScoreRun(**{name: row[name] for name in ScoreRun.__dataclass_fields__}), rows.select(READINGS.names()))


def ask(store: Store, champion: Champion, asof: datetime, months: int | None = None) -> Said:
    """Ask the champion for its newest periods, SHOWN of its kind unless told how many; 0 for all. An index with its record."""
    panel = panel_of(store, champion, asof)
    fit = champion.fit_for(panel)
    periods = telling.known(fit.fitted, panel, (SHOWN[champion.kind] if months is None else months) or None)
    run = ScoreRun(
        run_id=champion.run_id,
        target=champion.target,
        model=champion.bundle.name,
        version=champion.version,
        asof=asof,
        fitted_asof=fit.asof,
        timing=timing_of(panel, fit),
        panel=panel.digest(),
    )
    told = telling.tell(fit.fitted, panel, periods)
    if champion.kind == "index":
        told = pl.concat([told, honest.rows(store, champion, panel, fit)])
    return Said(run, told)


def panel_of(store: Store, champion: Champion, asof: datetime) -> Panel:
    """What the champion reads, as known at ``asof``; of one that reads Answers, these."""
    if telling.reads_answers(champion.bundle.model):
        return cast(Panel, build_answers(store, asof))  # a model gets what it reads, and only it looks inside
    return build_panel(store, champion.bundle.model.inputs, asof)


def _answer(store: Store, champion: Champion, run: ScoreRun, rows: pl.DataFrame) -> Readings:
    regions = {s.region.code: (s.region.name_en, s.region.name_zh) for s in store.series().values()}
    names = regions | telling.names(champion.bundle.model, champion.bundle.series)
    told = tuple(
        Reading(
            **row,
            unit_en=names.get(row["unit"], ("", ""))[0],
            unit_zh=names.get(row["unit"], ("", ""))[1],
            name_en=names.get(row["name"], ("", ""))[0],
            name_zh=names.get(row["name"], ("", ""))[1],
        )
        for row in rows.select(READINGS.names()).iter_rows(named=True)
    )
    return Readings(
        target=champion.target,
        kind=champion.kind,
        title_en=champion.title_en,
        title_zh=champion.title_zh,
        asof=asof_text(run.asof),
        model=run.model,
        version=run.version,
        run_id=run.run_id,
        fitted_asof=asof_text(run.fitted_asof),
        timing="real" if run.timing == "real" else "pseudo",
        panel=run.panel,
        is_synthetic=is_synthetic(champion.target) or any(s.is_synthetic for s in champion.bundle.series),
        readings=told,
    )
