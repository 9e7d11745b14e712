"""Origins that share a fit, or each learn anew, replayed: each estimate with the day of its newest datum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import numpy as np
import polars as pl

from engine.calendar import Freq, Period, known_day
from engine.errors import LookAhead, NotConverged
from engine.estimate import LEVELS, quantile_name
from engine.model import Fitted, Model, State
from engine.panel import Panel, Timing
from engine.reading import READINGS
from featurestore.panel import Cube
from featurestore.surveys import Waves
from modelzoo import bundle, telling
from modelzoo.bundle import Fit

QUANTILES = tuple(quantile_name(level) for level in LEVELS)

_INSTANT = pl.Datetime("us", "UTC")

RECORDS = pl.Schema(
    {
        "model": pl.String(),
        "origin": _INSTANT,
        "timing": pl.String(),
        "target": pl.String(),
        "period": pl.String(),
        "horizon": pl.Int32(),
        "phase": pl.String(),
        "published": pl.Boolean(),
        "mean": pl.Float64(),
        **dict.fromkeys(QUANTILES, pl.Float64()),
        "fitted_asof": _INSTANT,
        "fit": pl.String(),
        "panel": pl.String(),
        "newest": _INSTANT,
    }
)
"""One row a model, origin and target period. published: the target's value was known at the origin, so that there was
nothing to estimate. fit, panel: digests of parameters and of data; newest: when the newest datum became known."""


READ = pl.Schema(
    {"model": pl.String(), "origin": _INSTANT, "timing": pl.String(), "target": pl.String()}
    | dict(READINGS)
    | {"fitted_asof": _INSTANT, "fit": pl.String(), "panel": pl.String(), "newest": _INSTANT}
)
"""One row a model, origin and reading: what was read on that day. fit, panel, newest: as in RECORDS."""


@dataclass(frozen=True, slots=True)
class Horizons:
    """Ask for the target periods whose end lies so many months before the origin's month. Gives RECORDS."""

    months: tuple[int, ...]

    @property
    def schema(self) -> pl.Schema:
        return RECORDS

    def ask(self, target: str, fitted: Fitted, panel: Panel) -> pl.DataFrame:
        asked = dict(_asked(panel.asof, panel.meaning(target).freq, self.months))
        return fitted.estimate(panel, list(asked)).to_frame().with_columns(
            pl.Series("horizon", list(asked.values()), dtype=pl.Int32),
            pl.Series("published", [_is_known(panel, target, p) for p in asked], dtype=pl.Boolean),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Newest:
    """Read the newest so many periods. Gives READ."""

    periods: int

    @property
    def schema(self) -> pl.Schema:
        return READ

    def ask(self, target: str, fitted: Fitted, panel: Panel) -> pl.DataFrame:
        return telling.tell(fitted, panel, telling.newest(fitted, panel, self.periods)).with_columns(
            target=pl.lit(target)
        )


@dataclass(frozen=True, slots=True)
class Task:
    """A model and some origins, earliest first. Travels to another process whole.

    vintage: whose values a pseudo panel cuts. asks: what is asked at each origin. anew: learn at every origin, else at the first
    alone. warm: a fit begins where the one before it ended, if the model can (``engine.model.Refits``); one that does not
    converge leaves that one in force. keep: states are kept of fits at this instant and later; None: of all.
    """

    label: str
    model: Model
    cube: Cube | Waves
    timing: Timing
    vintage: datetime
    origins: tuple[datetime, ...]
    asks: Horizons | Newest
    anew: bool = False
    warm: bool = False
    keep: datetime | None = None

    def panel(self, origin: datetime) -> Panel:
        """What was known at the origin, really or by the usual delays; of a model that reads Answers, these."""
        known = self.cube.panel(origin) if self.timing == "real" else self.cube.pseudo(origin, self.vintage)
        return cast(Panel, known)  # a model gets what it reads, and only it looks inside


@dataclass(frozen=True, slots=True)
class Learned:
    """A fit by its digests: of its state, and of the panel it was learned from at ``asof``. state: None where it was not kept."""

    asof: datetime
    state: State | None
    digest: str
    panel: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """``records`` follows the schema of what was asked; ``fits`` are those that answered, oldest first."""

    task: Task
    records: pl.DataFrame
    fits: tuple[Learned, ...]

    def at(self, origin: datetime) -> Learned:
        """The fit that answered at an origin."""
        return next(f for f in reversed(self.fits) if f.asof <= origin)


def replay(task: Task) -> Replayed:
    """Fit at the first origin or at each, ask at all. Raises LookAhead if a panel or a fit is newer than an origin."""
    frames: list[pl.DataFrame] = []
    fits: list[Learned] = []
    held: Fit | None = None
    for origin in task.origins:
        panel = task.panel(origin)
        newest = panel.newest
        if held is None or task.anew:
            fresh = _fit(task, panel, held)
            if fresh is not held:
                held = fresh
                state = held.fitted.state()
                kept = state if task.keep is None or origin >= task.keep else None
                fits.append(Learned(held.asof, kept, bundle.digest(state), held.panel_digest))
        if panel.asof != origin or newest is None or newest > origin or held.asof > origin:
            raise LookAhead(f"{task.label}: a datum of {newest} or a fit of {held.asof} at the origin {origin}")
        stamps = {
            "model": task.label, "origin": origin, "timing": task.timing, "fitted_asof": held.asof, "fit": fits[-1].digest,
            "panel": panel.digest(), "newest": newest,
        }  # fmt: skip
        said = task.asks.ask(task.model.targets[0], held.fitted, panel)
        marked = said.with_columns(*(pl.lit(v, dtype=RECORDS[c]).alias(c) for c, v in stamps.items()))
        frames.append(marked.select(task.asks.schema.names()))
    return Replayed(task, pl.concat(frames), tuple(fits))


def _fit(task: Task, panel: Panel, held: Fit | None) -> Fit:
    if not (task.warm and held):
        return bundle.fit(task.model, panel)
    try:
        return bundle.fit(task.model, panel, held)
    except NotConverged:
        return held


def _asked(origin: datetime, freq: Freq, horizons: Sequence[int]) -> Iterator[tuple[Period, int]]:
    """The target periods whose end lies one of ``horizons`` months before the origin's month, earliest first."""
    month = Period.of(known_day(origin), Freq.M)
    for horizon in sorted(horizons, reverse=True):
        end = month + -horizon
        period = end.to(freq)
        if period.last_month == end:
            yield period, horizon


def _is_known(panel: Panel, series_id: str, period: Period) -> bool:
    row = panel.row(period)
    return 0 <= row < panel.months and not np.isnan(panel.matrix([series_id])[row, 0])
