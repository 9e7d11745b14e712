"""Pools in a replay: at each origin they learn from what their members had said and what had come out by then.

Members are replayed once, with proofs of their own; a pool combines their records. What it learned from is held too: every case
that the ledger dates later is altered, and no bit of weights or widths may move. The dates of the ledger are those of the truth.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from engine.calendar import Period, end_of
from engine.errors import LookAhead
from engine.indicator import Series
from engine.ledger import Ledger
from engine.model import State
from engine.panel import EPOCH
from engine.pooling import Weights
from experiments.proof import Proof
from experiments.replay import QUANTILES, RECORDS, Learned, Replayed, Task
from modelzoo import bundle
from modelzoo.nowcast.pool import Pool

_CASE = ("origin", "period")


def ledger(records: pl.DataFrame, truth: pl.DataFrame, members: Sequence[str], target: Series, timing: str) -> Ledger:
    """What the members said at origins of one timing about periods not yet published, where the outcome is known and all spoke.

    Of pseudo origins an outcome counts as known by the usual delay of the target, as its values do in the panels.
    """
    mine = records.filter(pl.col("timing") == timing, pl.col("model").is_in(members), ~pl.col("published"))
    cases = mine.join(truth, on="period").sort(*_CASE)
    whole = cases.filter(pl.len().over(_CASE) == len(members))
    if whole.is_empty():
        return Ledger.empty(members)
    by_member = [whole.filter(pl.col("model") == m) for m in members]
    first = by_member[0]
    periods = [Period.parse(p) for p in first["period"]]
    known = first["known_at"].dt.epoch("us").to_numpy()
    if timing == "pseudo":
        delay = timedelta(days=target.indicator.delay_days)
        known = np.array([(end_of(p.end + delay) - EPOCH) // timedelta(microseconds=1) for p in periods])
    return Ledger(
        tuple(members),
        first["horizon"].cast(pl.Int64).to_numpy(),
        np.array([p.ordinal for p in periods]),
        np.column_stack([m["mean"].to_numpy() for m in by_member]),
        np.stack([m.select(QUANTILES).to_numpy() for m in by_member], axis=1),
        first["outcome"].to_numpy(),
        known,
    )


def replayed(
    pool: Pool, task: Task, members: Mapping[str, Replayed], whole: Ledger
) -> tuple[Replayed, tuple[Proof, ...]]:
    """The records of a pool over the origins of ``task``, which all its members were asked at too, and a proof of every fit that
    something came out after.

    members: the replays of the same origins, by label. whole: the ledger of the timing, later cases included: each fit learns from
    those that were known when its members' were learned.
    """
    frames: list[pl.DataFrame] = []
    fits: list[Learned] = []
    proofs: list[Proof] = []
    learned: Weights | None = None
    said = pl.concat([m.records for m in members.values()])
    for origin in task.origins:
        theirs = {label: m.at(origin) for label, m in members.items()}
        asof = max(f.asof for f in theirs.values())
        if learned is None or not fits or fits[-1].asof != asof:
            learned = pool.learn(whole.before(asof))
            proofs += _proved(pool, task, asof, whole, learned)
            fits.append(_fit(pool, task, theirs, learned, asof))
        panel = task.panel(origin)
        here = said.filter(pl.col("origin") == origin)
        rows = [_row(pool, learned, part) for _, part in here.group_by("period", maintain_order=True)]
        stamps = {
            "model": task.label,
            "fitted_asof": asof,
            "fit": fits[-1].digest,
            "panel": panel.digest(),
            "newest": panel.newest,
        }
        frames.append(
            pl.DataFrame(rows, schema=RECORDS).with_columns(
                *(pl.lit(v, dtype=RECORDS[c]).alias(c) for c, v in stamps.items())
            )
        )
        if panel.newest is None or panel.newest > origin or asof > origin:
            raise LookAhead(f"{task.label}: a datum of {panel.newest} or a fit of {asof} at the origin {origin}")
    return Replayed(task, pl.concat(frames), tuple(fits)), tuple(proofs)


def _row(pool: Pool, learned: Weights, said: pl.DataFrame) -> dict[str, object]:
    """One record from those of the members about one period."""
    ordered = pl.DataFrame({"model": list(pool.members)}).join(said, on="model", how="left", maintain_order="left")
    row = said.row(0, named=True)
    if not row["published"]:
        mean = ordered["mean"].fill_null(np.nan).to_numpy()
        quantiles = ordered.select(pl.col(QUANTILES).fill_null(np.nan)).to_numpy()
        level, spread = learned.combine(mean, quantiles, row["horizon"])
        row |= {"mean": level, **dict(zip(QUANTILES, spread.tolist(), strict=True))}
    return row


def _fit(pool: Pool, task: Task, members: Mapping[str, Learned], learned: Weights, asof: datetime) -> Learned:
    own: State = {"horizons": learned.horizons, "shares": learned.shares, "widths": learned.widths}
    digest = hashlib.sha256(" ".join([bundle.digest(own), *(m.digest for m in members.values())]).encode()).hexdigest()
    states = {label: m.state for label, m in members.items()}
    state = None
    if all(s is not None for s in states.values()):
        fitted = {label: pool.models[label].restore(s) for label, s in states.items() if s is not None}
        state = pool.join(fitted, learned).state()
    return Learned(asof, state, digest, task.panel(asof).digest())


def _proved(pool: Pool, task: Task, asof: datetime, whole: Ledger, learned: Weights) -> list[Proof]:
    """Alter all cases whose outcome was known after ``asof``, learn again, compare every bit. Raises LookAhead."""
    late = whole.known > (asof - EPOCH) // timedelta(microseconds=1)
    if not late.any():
        return []
    rng = np.random.default_rng(0)
    other = replace(
        whole,
        mean=np.where(late[:, None], whole.mean * rng.uniform(0.5, 2.0, whole.mean.shape) + 1.0, whole.mean),
        outcome=np.where(late, whole.outcome * rng.uniform(0.5, 2.0, whole.outcome.shape) - 1.0, whole.outcome),
    )
    again = pool.learn(other.before(asof))
    if any(a.tobytes() != b.tobytes() for a, b in ((again.shares, learned.shares), (again.widths, learned.widths))):
        raise LookAhead(
            f"{task.label}: weights at {asof:%Y-%m-%d} changed when outcomes that became known later were altered"
        )
    return [Proof(task.label, asof, task.timing, int(late.sum()))]
