"""Readings of a champion: an index, lights, a board or a monitor as of any day, published or asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
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
from modelzoo.prosperity.history import Historied
from serving.answer import asof_text, timing_of
from serving.champions import Champion, Champions
from serving.schemas import Reading, Readings

SHOWN = {"index": 120, "warning": 24, "scorecard": 1, "monitor": 12}
"""By kind, how many of the newest periods are read at most."""


@dataclass(frozen=True, slots=True)
class Said:
    """Where readings come from, and their rows."""

    run: ScoreRun
    rows: pl.DataFrame


def readings(
    store: Store, champions: Champions, kind: str, asked: str, asof: datetime, region: str | None = None
) -> Readings:
    """What the champion of a kind reads with all that was known at ``asof``; of one unit only with ``region``.

    asked: ``lights@SYN-33``, or ``lights`` where one champion is meant. Raises Unknown for a unit that is not read,
    NotReady without a champion, NotEnoughData where too little is known, BadInput if several champions could be meant.
    """
    champion = meant(champions, kind, asked, region)
    said = published(store, champion, asof) or ask(store, champion, asof)
    rows = said.rows
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


def ask(store: Store, champion: Champion, asof: datetime) -> Said:
    """Ask the champion for its newest periods."""
    panel = panel_of(store, champion, asof)
    fit = champion.fit_for(panel)
    periods = telling.newest(fit.fitted, panel, SHOWN[champion.kind])
    if isinstance(fit.fitted, Historied):  # an index may be younger than that
        first = fit.fitted.history(panel).first
        periods = tuple(p for p in periods if p >= first) or periods
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
    return Said(run, telling.tell(fit.fitted, panel, periods))


def write_page(said: Readings, file: Path) -> None:
    """The readings as one page that needs nothing else. Raises BadInput for a file that is not called .html."""
    from engine import interactive

    if file.suffix != ".html":
        raise BadInput(f"--chart writes a page: name a file that ends in .html, not {file.name}")
    rows = [[getattr(r, c) for c in READINGS.names()] for r in said.readings]
    names = {r.unit: (r.unit_en, r.unit_zh) for r in said.readings if r.unit_en}
    names |= {r.name: (r.name_en, r.name_zh) for r in said.readings if r.name_en}
    table = pl.DataFrame(rows, schema=READINGS, orient="row")
    titles = (said.title_en or said.target, said.title_zh or said.target)
    file.write_bytes(interactive.page(table, *titles, names, said.kind, synthetic=said.is_synthetic))


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
