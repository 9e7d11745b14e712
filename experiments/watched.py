"""How steady and how true were readings? What was read first, on the day, against what is read of the same period last.

Nothing is ever published that an index or a board could be held against: so they are held against themselves, later, and
against a declared chronology of turning points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl
from scipy.stats import kendalltau

from engine.errors import NotEnoughData
from experiments.spec import Watch

SCORED = pl.Schema({"model": pl.String(), "score": pl.String(), "n": pl.Int32(), "value": pl.Float64()})
"""One row a model and score; n: on how many values, turns or lights it rests."""

SCORES = {
    "loss": "by which models are ranked, less is better: 1 - tau, 1 - auroc, or nsr",
    "nsr": "noise to signal: spread of last less first readings, to the spread of the last",
    "mar": "mean absolute revision from first to last reading",
    "direction": "share of changes first read with the sign that they kept",
    "lights": "share of overall lights that stayed as first shown",
    "tau": "Kendall's rank correlation of first and last scores of the units, mean over periods",
}
"""What each score says."""

_CELL = ("unit", "period", "name")
Score = tuple[str, int, float]


def scored(spec: Watch, records: pl.DataFrame) -> pl.DataFrame:
    """SCORED rows, models with the least loss first. records: ``replay.READ``. Raises NotEnoughData."""
    found = []
    for (model,), mine in records.group_by("model", maintain_order=True):
        scores = {name: (n, value) for name, n, value in _scores(spec, mine)}
        if "mar" not in scores:
            raise NotEnoughData(f"{model}: no period was read at two origins, so that nothing can be held against it")
        found += [(model, "loss", *_loss(scores)), *((model, name, *said) for name, said in scores.items())]
    table = pl.DataFrame(found, schema=SCORED, orient="row")
    loss = pl.col("value").filter(pl.col("score") == "loss").first().over("model")
    return table.sort(loss, maintain_order=True)


def by_score(table: pl.DataFrame, model: str) -> dict[str, float]:
    """``score -> value`` of one model."""
    return dict(table.filter(pl.col("model") == model).select("score", "value").iter_rows())


def ranking(table: pl.DataFrame) -> list[str]:
    """Models, the least loss first."""
    return table.filter(pl.col("score") == "loss").sort("value")["model"].to_list()


def _loss(scores: Mapping[str, tuple[int, float]]) -> tuple[int, float]:
    for name in ("tau", "auroc"):
        if name in scores:
            n, value = scores[name]
            return n, 1.0 - value
    return scores.get("nsr", scores["mar"])


def _scores(spec: Watch, mine: pl.DataFrame) -> Iterator[Score]:
    level = "score" if spec.kind == "scorecard" else "index"
    if spec.kind == "scorecard":
        yield from _ranks(mine)
    yield from _revisions(mine.filter(pl.col("level") == level, pl.col("name") == ""))
    lights = _ends(mine.filter(pl.col("level") == "light", pl.col("name") == ""))
    if lights.height:
        yield "lights", lights.height, float((lights["first"] == lights["last"]).mean())  # type: ignore[arg-type]


def _ends(readings: pl.DataFrame) -> pl.DataFrame:
    """``unit period name first last``: the first and the last reading of each period that was read at two origins."""
    ordered = readings.sort("origin")
    ends = ordered.group_by(_CELL, maintain_order=True).agg(
        pl.col("value").first().alias("first"), pl.col("value").last().alias("last"), pl.len().alias("times")
    )
    return ends.filter(pl.col("times") > 1).sort(_CELL)


def _revisions(readings: pl.DataFrame) -> Iterator[Score]:
    ends = _ends(readings)
    if ends.height < 2:
        return
    first, last = ends["first"].to_numpy(), ends["last"].to_numpy()
    centred = ends.select(pl.col("last") - pl.col("last").mean().over("unit"))["last"].to_numpy()
    signal = float(np.sqrt(np.mean(centred**2)))
    if signal > 0:
        yield "nsr", ends.height, float(np.std(last - first)) / signal
    yield "mar", ends.height, float(np.mean(np.abs(last - first)))
    change = pl.col("value") - pl.col("value").shift(1).over("origin", "unit")
    moved = _ends(readings.sort("origin", "unit", "period").with_columns(value=change).drop_nulls("value"))
    moved = moved.filter((pl.col("first") != 0) & (pl.col("last") != 0))
    if moved.height:
        same = np.sign(moved["first"].to_numpy()) == np.sign(moved["last"].to_numpy())
        yield "direction", moved.height, float(same.mean())


def _ranks(mine: pl.DataFrame) -> Iterator[Score]:
    ends = _ends(mine.filter(pl.col("level") == "score", pl.col("name") == ""))
    taus = [
        float(kendalltau(part["first"].to_numpy(), part["last"].to_numpy()).statistic)
        for _, part in ends.group_by("period", maintain_order=True)
        if part.height > 2
    ]
    taus = [t for t in taus if np.isfinite(t)]
    if taus:
        yield "tau", len(taus), float(np.mean(taus))
