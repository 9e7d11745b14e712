"""``jingqi experiment run``: replay, score, draw, write down, log. The steps in their order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from engine import charts
from engine.calendar import Period, end_of
from engine.news import News, news
from engine.settings import settings
from experiments import backtest, readings_report, report, tracking
from experiments.backtest import Backtest, Watched
from experiments.evaluate import overall, skill_table
from experiments.evaluate import scored as counted_of
from experiments.spec import Spec, Watch
from experiments.tracking import Run
from experiments.watched import scored
from featurestore.panel import Cube
from featurestore.store import Store


@dataclass(frozen=True, slots=True)
class Finished:
    """A logged run, what it found, and the page about it."""

    run: Run
    found: Backtest
    table: pl.DataFrame
    page: Path


def run(spec: Spec, text: str, store: Store, workers: int | None = None) -> Finished:
    """Replay a spec and log it. ``text`` is the spec as written. Raises what backtest and tracking raise."""
    found = backtest.run(spec, store, workers)
    counted = counted_of(found.records, found.truth)
    table = skill_table(counted, spec.benchmark)
    best = next(iter(overall(table, spec.evidence)))
    moved = _news(found, best, store)
    figures = {
        f"figures/{name}-{language}.svg": drawn
        for language in charts.languages()
        for name, drawn in report.figures(found, table, counted, best, moved, language).items()
    }
    page = report.page(found, table, best, moved, figures)
    logged = tracking.log(found, table, text, {**figures, "report.html": page})
    return Finished(logged, found, table, _written(logged, page))


@dataclass(frozen=True, slots=True)
class Looked:
    """A logged run of readings. table: ``watched.SCORED``."""

    run: Run
    found: Watched
    table: pl.DataFrame
    page: Path


def look(spec: Watch, text: str, store: Store, workers: int | None = None) -> Looked:
    """Replay a spec of readings and log it. ``text`` is the spec as written. Raises what backtest and tracking raise."""
    found = backtest.watch(spec, store, workers)
    table = scored(spec, found.records)
    figures = {
        f"figures/{name}-{language}.svg": drawn
        for language in charts.languages()
        for name, drawn in readings_report.figures(found, table, language).items()
    }
    page = readings_report.page(found, table, figures)
    logged = tracking.log(found, table, text, {**figures, "report.html": page})
    return Looked(logged, found, table, _written(logged, page))


def page_of(logged: Run) -> Path:
    """Where the report of a run lies on this machine."""
    return settings().home / "reports" / f"{logged.name}-{logged.id[:8]}.html"


def _written(logged: Run, page: bytes) -> Path:
    file = page_of(logged)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(page)
    return file


def _news(found: Backtest, label: str, store: Store) -> list[News]:
    """What moved the model between the last two real origins, for periods that neither of them had published."""
    kept, real = found.bundles[label], [end_of(day) for day in found.spec.real[-2:]]
    if len(real) < 2:
        return []
    cube = Cube(store, kept.model.inputs)
    first, last = kept.fit_for(real[0]), kept.fit_for(real[-1])
    asked = found.records.filter(pl.col("model") == label, pl.col("timing") == "real", ~pl.col("published"))
    both = [set(asked.filter(pl.col("origin") == day)["period"].to_list()) for day in (real[0], real[-1])]
    return [
        news(first.fitted, last.fitted, cube.panel(real[0]), cube.panel(real[-1]), Period.parse(period))
        for period in sorted(both[0] & both[1])
    ]
