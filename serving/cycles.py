"""Where an index stands in its cycle: turning points, and the place of each month on the cycle clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

import numpy as np
import polars as pl
from pydantic import Field

from engine import reading_views as views
from engine.errors import BadInput
from engine.interactive_charts import PHASES
from engine.reading import READINGS
from engine.typing import Floats
from featurestore.store import Store
from serving.champions import Champions
from serving.readings import readings
from serving.schemas import AsOf, MadeUp, PeriodText, Reading, Readings

TurnText = Literal["peak", "trough"]
MONTHS = 120
"""How many of the newest months are looked at."""

PhaseText = Literal["expansion", "downturn", "contraction", "recovery"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleRow:
    """One month of an index."""

    unit: Annotated[str, Field(description="Region.", examples=["US"])]
    unit_en: str
    unit_zh: str
    period: PeriodText
    index: Annotated[float, Field(examples=[101.3])]
    turn: Annotated[
        TurnText | None, Field(description="Whether the month is a turning point (Harding and Pagan's BBQ).")
    ]
    confirmed: Annotated[
        bool | None, Field(description="Of a turning point: dated and far enough back; false: a candidate.")
    ]
    level: Annotated[
        float | None, Field(description="Off a straight line, in standard deviations; null below two years.")
    ]
    change: Annotated[
        float | None, Field(description="Over six months, in standard deviations from its mean; null in the first six.")
    ]
    phase: Annotated[PhaseText | None, Field(description="Quadrant of the cycle clock: change, then level.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycles:
    """The months of an index as known at ``asof``; all that is said rests on these months alone."""

    target: Annotated[str, Field(examples=["coincident@US"])]
    title_en: str
    title_zh: str
    asof: AsOf
    version: Annotated[str, Field(description="Version in the registry.", examples=["1"])]
    run_id: Annotated[str, Field(description="MLflow run that made the model.", examples=["5f0c6e3b0d1e4c0f9a51"])]
    is_synthetic: MadeUp
    cycle: tuple[CycleRow, ...]


def cycles(store: Store, champions: Champions, asked: str, asof: datetime, region: str | None = None) -> Cycles:
    """Turning points and clock of the newest MONTHS of an index. Raises what ``readings`` raises."""
    said = readings(store, champions, "index", asked, asof, region, MONTHS)
    return Cycles(
        target=said.target, title_en=said.title_en, title_zh=said.title_zh, asof=said.asof, version=said.version,
        run_id=said.run_id, is_synthetic=said.is_synthetic, cycle=tuple(_rows(said)),
    )  # fmt: skip


def _rows(said: Readings) -> Iterator[CycleRow]:
    whole = [r for r in said.readings if not r.name and (r.level == "index" or r.level[0] == "q")]
    units: dict[str, list[Reading]] = {}
    for row in whole:
        units.setdefault(row.unit, []).append(row)
    for unit, own in sorted(units.items()):
        table = pl.DataFrame([[getattr(r, c) for c in READINGS.names()] for r in own], schema=READINGS, orient="row")
        course = views.courses(table)[0]
        turns = {t.row: t for t in course.turns.all}
        change, level = _clock(course)
        for k, period in enumerate(course.periods):
            u, v = (None if x != x else x for x in (float(change[k]), float(level[k])))  # NaN where there is none
            turn = turns.get(k)
            phase = None if u is None or v is None else PHASES[u >= 0, v >= 0][0]
            yield CycleRow(
                unit=unit, unit_en=own[0].unit_en, unit_zh=own[0].unit_zh, period=period, index=float(course.index[k]),
                turn=None if turn is None else turn.kind.value, confirmed=None if turn is None else turn.confirmed,
                level=v, change=u, phase=phase,  # type: ignore[arg-type]
            )  # fmt: skip


def _clock(course: views.Course) -> tuple[Floats, Floats]:
    """``(H,)`` change and level; NaN below two years, where there is no clock."""
    try:
        return views.cycle(course)
    except BadInput:
        none = np.full(len(course.periods), np.nan)
        return none, none
