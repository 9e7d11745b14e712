"""What counts as the outcome: the value in a named vintage, the first release, or the value when the next period comes out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from engine.align import own
from engine.calendar import end_of
from engine.errors import NotEnoughData
from engine.outcome import in_turn
from engine.panel import EPOCH, Panel
from experiments.spec import Truth
from featurestore.panel import Cube

SCHEMA = pl.Schema({"period": pl.String(), "outcome": pl.Float64(), "known_at": pl.Datetime("us", "UTC")})
"""One row a period. known_at: when the outcome became known."""


def outcomes(target: Cube, said_on: Sequence[datetime], which: Truth) -> pl.DataFrame:
    """SCHEMA rows of the one series of ``target``, in analysed units: each growth rate within one vintage.

    said_on: the instants at which something about the series became known. The earliest of them brings history whole, so that
    nobody can tell what was its first release: its periods are left out of ``first`` and ``next``. Raises NotEnoughData if nothing
    remains.
    """
    if which == "first" or which == "next":
        found = in_turn(_panels(target, sorted(set(said_on))), ahead=0 if which == "first" else 1)
        rows = [(p, value, (day - EPOCH) // timedelta(microseconds=1)) for p, value, day in found]
        said = "first release" if which == "first" else "value at the next period's first release"
    else:
        panel = target.panel(end_of(which))
        first, values = own(panel, panel.ids[0])
        known = np.array([panel.known_at(panel.ids)[panel.row(first + i), 0] for i in range(len(values))])
        rows = [(first + i, v, k) for i, (v, k) in enumerate(zip(values, known, strict=True)) if not np.isnan(v)]
        said = f"value as of {which}"
    if not rows:
        raise NotEnoughData(f"no outcome of {target.series[0].id} is known: {said}")
    columns = ([str(p) for p, _, _ in rows], [v for _, v, _ in rows], [k for _, _, k in rows])
    return pl.DataFrame(dict(zip(SCHEMA, columns, strict=True)), schema_overrides={"known_at": pl.Int64()}).select(
        "period", "outcome", pl.col("known_at").cast(SCHEMA["known_at"])
    )


def _panels(target: Cube, days: Sequence[datetime]) -> Iterator[Panel]:
    for day in days:
        try:
            yield target.panel(day)
        except NotEnoughData:
            continue
