"""How good were they? A skill table by model, by horizon and over all. Real and pseudo origins are never mixed.

Only estimates of what was not yet published at the origin count, and only where the outcome is known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from engine import metrics, skill
from engine.calendar import Period
from engine.errors import BadInput, NotEnoughData
from engine.estimate import BANDS
from engine.typing import Floats
from experiments.replay import QUANTILES

_SCORES = ("rmse", "mae", "bias", "crps", "cover50", "cover80", "cover95", "sign", "rmse_ratio", "crps_ratio", "dm_p")

SKILL = pl.Schema(
    {
        "timing": pl.String(),
        "model": pl.String(),
        "horizon": pl.Int32(),
        "n": pl.Int32(),
        **dict.fromkeys(_SCORES, pl.Float64()),
    }
)
"""horizon: months from the end of the period to the origin, null over all of them. rmse_ratio, crps_ratio: to the
benchmark's. dm_p: two-sided p-value of equal squared errors with the benchmark, null for too few outcomes."""


def scored(records: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """The records that count, with their ``outcome``. Sorted by model, origin, period."""
    counted = records.filter(~pl.col("published")).join(truth.select("period", "outcome"), on="period", how="inner")
    return counted.sort("model", "origin", "period")


def skill_table(counted: pl.DataFrame, benchmark: str) -> pl.DataFrame:
    """SKILL rows from :func:`scored` ones.

    Raises BadInput if models were not scored on the same origins and periods: the comparison would not be fair.
    """
    _fair(counted)
    rows = []
    for (timing,), part in counted.group_by("timing", maintain_order=True):
        horizons: Sequence[int | None] = [None, *part["horizon"].unique().sort()]
        for horizon in horizons:
            cell = part if horizon is None else part.filter(pl.col("horizon") == horizon)
            base = cell.filter(pl.col("model") == benchmark)
            for (model,), mine in cell.group_by("model", maintain_order=True):
                rows.append({"timing": timing, "model": model, "horizon": horizon, **_scores(mine, base)})
    order = pl.DataFrame(rows, schema=SKILL)
    return order.sort(pl.col("timing"), pl.col("horizon").fill_null(-999), pl.col("rmse"), maintain_order=True)


def overall(table: pl.DataFrame, timing: str) -> dict[str, dict[str, float]]:
    """``model -> score -> value`` over all horizons, for one timing; best RMSE first."""
    rows = table.filter((pl.col("timing") == timing) & pl.col("horizon").is_null())
    return {
        r["model"]: {k: v for k, v in r.items() if k not in ("timing", "model", "horizon")} for r in rows.to_dicts()
    }


def _scores(mine: pl.DataFrame, base: pl.DataFrame) -> dict[str, float | int | None]:
    mean, outcome, quantiles = _arrays(mine)
    base_mean, base_outcome, base_quantiles = _arrays(base)
    rmse, crps = metrics.rmse(mean, outcome), float(np.mean(metrics.crps(quantiles, outcome)))
    return {
        "n": len(mean),
        "rmse": rmse,
        "mae": metrics.mae(mean, outcome),
        "bias": metrics.bias(mean, outcome),
        "crps": crps,
        **{f"cover{p}": metrics.coverage(quantiles, outcome, p) for p in sorted(BANDS)},
        "sign": metrics.sign(mean, outcome),
        "rmse_ratio": skill.ratio(rmse, metrics.rmse(base_mean, base_outcome)),
        "crps_ratio": skill.ratio(crps, float(np.mean(metrics.crps(base_quantiles, base_outcome)))),
        "dm_p": _test(mine, base),
    }


def _test(mine: pl.DataFrame, base: pl.DataFrame) -> float | None:
    """p-value over target periods: errors for one period at several horizons are one outcome, not many."""
    if mine["model"][0] == base["model"][0]:
        return None
    ours, theirs = (
        frame.with_columns(loss=(pl.col("mean") - pl.col("outcome")) ** 2).group_by("period").agg(pl.col("loss").mean())
        .sort("period")["loss"].to_numpy()
        for frame in (mine, base)
    )  # fmt: skip
    span = 12 // Period.parse(mine["period"][0]).freq.per_year
    # at three months before its end the quarter has not begun, and the one before is not published: two steps ahead
    steps = 1 + max(0, *(-h for h in mine["horizon"].to_list())) // span
    try:
        return skill.diebold_mariano(ours, theirs, steps).p
    except NotEnoughData:
        return None


def _arrays(frame: pl.DataFrame) -> tuple[Floats, Floats, Floats]:
    return frame["mean"].to_numpy(), frame["outcome"].to_numpy(), frame.select(QUANTILES).to_numpy()


def _fair(counted: pl.DataFrame) -> None:
    cases = {
        model: set(part.select("timing", "origin", "period").rows())
        for (model,), part in counted.group_by("model", maintain_order=True)
    }
    if not cases or not all(cases.values()):
        raise BadInput("nothing to score: no estimate of a period whose outcome is known")
    first, *others = cases
    for other in others:
        if odd := cases[first] ^ cases[other]:
            timing, origin, period = sorted(odd)[0]
            where = f"{period} at the {timing} origin {origin:%Y-%m-%d}"
            raise BadInput(f"{first} and {other} were not scored on the same days: only one has {where}")
