"""Who was better, and is it real? Tables from records and outcomes: the same cases for all models, or no comparison.

Losses of one target period at several horizons are averaged before any test: they are one outcome, not many.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from engine import calibration, metrics, skill
from engine.calendar import Period
from engine.errors import BadInput, NotEnoughData
from engine.estimate import BANDS
from engine.typing import Floats
from experiments.replay import QUANTILES

STEPS = 2
"""Errors of neighbouring quarters may be correlated: before a quarter begins, the one before it is not published either."""


def cases(records: pl.DataFrame, truth: pl.DataFrame, without: Sequence[int] = ()) -> pl.DataFrame:
    """Records that count, with their ``outcome``: not yet published at the origin, of periods outside of the years ``without``.

    Raises BadInput if a model lacks a case that another one has.
    """
    rows = records.filter(~pl.col("published")).join(truth.select("period", "outcome"), on="period")
    rows = rows.filter(~pl.col("period").str.slice(0, 4).cast(pl.Int32).is_in(list(without)))
    models = rows["model"].n_unique()
    whole = rows.with_columns(n=pl.len().over("origin", "period"))
    if (lacking := whole.filter(pl.col("n") != models)).height or not models:
        where = lacking.select("origin", "period").row(0) if lacking.height else ("any origin", "any period")
        raise BadInput(f"not every model was asked at {where[0]} for {where[1]}: the comparison would not be fair")
    return rows.sort("model", "period", "origin")


def table(rows: pl.DataFrame, benchmark: str, pool: str) -> pl.DataFrame:
    """One row a model, best first: RMSE by horizon and their mean (``rmse``), its ratio to the benchmark's, mae, crps, cover50,
    cover80, cover95 over all cases; dm_benchmark, dm_pool: p of equal squared errors; mcs_range, mcs_max: p of belonging to the
    model confidence set.
    """
    horizons = sorted(rows["horizon"].unique().to_list())
    losses = by_period(rows)
    columns = losses.columns[1:]
    matrix = losses.select(columns).to_numpy()
    sets = {name: skill.confidence_set(matrix, name, block=4).p for name in ("range", "max")}
    out = []
    for (model,), mine in rows.group_by("model", maintain_order=True):
        at = columns.index(str(model))
        errors = {h: rmse(mine.filter(pl.col("horizon") == h)) for h in horizons}
        outcome, quantiles = mine["outcome"].to_numpy(), mine.select(QUANTILES).to_numpy()
        out.append(
            {"model": model, "n": len(losses), **{f"h{h}": e for h, e in errors.items()}}
            | {"rmse": float(np.mean(list(errors.values()))), "mae": metrics.mae(mine["mean"].to_numpy(), outcome)}
            | {"crps": float(metrics.crps(quantiles, outcome).mean())}
            | {f"cover{p}": metrics.coverage(quantiles, outcome, p) for p in sorted(BANDS)}
            | {"dm_benchmark": _test(matrix, columns, at, benchmark), "dm_pool": _test(matrix, columns, at, pool)}
            | {f"mcs_{name}": float(p[at]) for name, p in sets.items()}
        )
    frame = pl.DataFrame(out, infer_schema_length=None).sort("rmse")
    base = frame.filter(model=benchmark)["rmse"].item()
    return frame.with_columns(ratio=pl.col("rmse") / base)


def rmse(rows: pl.DataFrame) -> float:
    return metrics.rmse(rows["mean"].to_numpy(), rows["outcome"].to_numpy())


def by_period(rows: pl.DataFrame, score: str = "squared") -> pl.DataFrame:
    """``period`` and a column a model: its loss in that period, the mean over horizons. score: squared, or crps."""
    if score == "crps":
        loss = pl.Series("loss", metrics.crps(rows.select(QUANTILES).to_numpy(), rows["outcome"].to_numpy()))
        rows = rows.with_columns(loss)
    else:
        rows = rows.with_columns(loss=(pl.col("mean") - pl.col("outcome")) ** 2)
    means = rows.group_by("model", "period").agg(pl.col("loss").mean())
    return means.pivot("model", index="period", values="loss", sort_columns=True).sort("period")


def _test(matrix: Floats, columns: Sequence[str], at: int, other: str) -> float | None:
    if columns[at] == other or other not in columns:
        return None
    try:
        return skill.diebold_mariano(matrix[:, at], matrix[:, columns.index(other)], STEPS).p
    except NotEnoughData:
        return None


def coverage(rows: pl.DataFrame, model: str) -> pl.DataFrame:
    """By horizon and, with horizon null, over all: n outcomes, the share in each band, and p of the test that the 80 % band keeps
    its promise; over all horizons the shares of a period are averaged, and no test is made of them."""
    mine = rows.filter(model=model)
    out = []
    for horizon in [*sorted(mine["horizon"].unique().to_list()), None]:
        part = mine if horizon is None else mine.filter(horizon=horizon)
        outcome, quantiles = part["outcome"].to_numpy(), part.select(QUANTILES).to_numpy()
        test = None if horizon is None else calibration.coverage_test(quantiles, outcome, 80, steps_of(horizon)).p
        shares = {f"cover{p}": metrics.coverage(quantiles, outcome, p) for p in sorted(BANDS)}
        out.append({"horizon": horizon, "n": part["period"].n_unique(), **shares, "p80": test})
    return pl.DataFrame(out, infer_schema_length=None)


def steps_of(horizon: int) -> int:
    """How many quarters ahead of the newest published one a nowcast reaches, so many months before the quarter's end."""
    return STEPS if horizon <= -2 else 1


def years(rows: pl.DataFrame) -> tuple[Period, Period]:
    """The first and the last target period."""
    periods = sorted(Period.parse(p) for p in rows["period"].unique())
    return periods[0], periods[-1]
