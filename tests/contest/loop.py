"""A model of another library through the origins of a contest: learned at the first origin of each year, asked at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import polars as pl

from engine.calendar import end_of
from engine.model import Model
from engine.panel import Panel
from experiments.replay import RECORDS, Horizons


def replayed(
    label: str, model: Model, panel: Callable[[date], Panel], days: Sequence[date], horizons: tuple[int, ...]
) -> pl.DataFrame:
    """RECORDS rows, without the digests of states that peers do not give. panel: what was known at the end of a day."""
    frames = []
    year, fitted, learned = 0, None, end_of(days[0])
    for day in days:
        known = panel(day).select(model.inputs)
        if fitted is None or day.year != year:
            year, fitted, learned = day.year, model.fit(known), known.asof
        assert known.newest is not None
        assert learned <= known.asof
        said = Horizons(horizons).ask(model.targets[0], fitted, known)
        stamps = {
            "model": label, "origin": known.asof, "timing": known.timing, "fitted_asof": learned, "fit": "",
            "panel": known.digest(), "newest": known.newest,
        }  # fmt: skip
        marked = said.with_columns(*(pl.lit(v, dtype=RECORDS[c]).alias(c) for c, v in stamps.items()))
        frames.append(marked.select(RECORDS.names()))
    return pl.concat(frames)
