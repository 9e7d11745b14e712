"""``jingqi experiment promote``: the gate holds a challenger against the champion; the alias moves only when it passes."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from engine.errors import Unknown
from experiments import tracking
from experiments.evaluate import overall, scored
from experiments.gate import EVIDENCE, Verdict, judge
from experiments.tracking import Run, Version


@dataclass(frozen=True, slots=True)
class Promoted:
    """verdict: None where this very model is champion already. version: the champion's, None where the gate stayed closed."""

    run: Run
    label: str
    verdict: Verdict | None
    version: Version | None


def promote(named: str, label: str | None = None) -> Promoted:
    """Judge a model of a run, by default the one with the least RMSE, and make it champion if the gate opens.

    Raises Unknown for a run or a label.
    """
    run = tracking.find(named)
    kept = tracking.load(run)
    label = label or next(iter(overall(kept.skill, EVIDENCE)))
    if label not in kept.spec.models:
        raise Unknown(f"run {run.id[:8]} has no model {label!r}; it has {', '.join(kept.spec.models)}")
    held = tracking.champion(run.target)
    if held and held.digest == tracking.digest(run, label):
        return Promoted(run, label, None, held)  # nothing in it differs by one bit
    champion = None
    if held:
        theirs = tracking.load(tracking.find(held.parent)).records.filter(pl.col("model") == held.label)
        champion = scored(theirs, kept.truth)  # one truth for both
    counted = scored(kept.records, kept.truth)
    verdict = judge(kept.spec.gate, label, kept.spec.benchmark, counted, kept.proofs, champion)
    return Promoted(run, label, verdict, tracking.register(run, label) if verdict.open else None)
