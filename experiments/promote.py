"""``jingqi experiment promote``: the gate holds a challenger against the champion; the alias moves only when it passes."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from engine.errors import Unknown
from experiments import tracking
from experiments.evaluate import overall, scored
from experiments.gate import Verdict, judge, judge_readings
from experiments.spec import Spec, Watch
from experiments.tracking import Run, Version
from experiments.watched import ranking


@dataclass(frozen=True, slots=True)
class Promoted:
    """verdict: None where this very model is champion already. version: the champion's, None where the gate stayed closed."""

    run: Run
    label: str
    verdict: Verdict | None
    version: Version | None


def promote(named: str, label: str | None = None) -> Promoted:
    """Judge a model of a run, by default the one with the least RMSE or loss, and make it champion if the gate opens.

    Raises Unknown for a run or a label.
    """
    run = tracking.find(named)
    kept = tracking.load(run)
    ranked = overall(kept.skill, kept.spec.evidence) if isinstance(kept.spec, Spec) else ranking(kept.skill)
    label = label or next(iter(ranked))
    if label not in kept.spec.models:
        raise Unknown(f"run {run.id[:8]} has no model {label!r}; it has {', '.join(kept.spec.models)}")
    held = tracking.champion(run.target, run.kind)
    if held and held.digest == tracking.digest(run, label):
        return Promoted(run, label, None, held)  # nothing in it differs by one bit
    theirs = None
    if held:
        theirs = tracking.load(tracking.find(held.parent)).records.filter(pl.col("model") == held.label)
    if isinstance(kept.spec, Watch):
        verdict = judge_readings(kept.spec, label, kept.records, kept.proofs, theirs)
    else:
        champion = None if theirs is None else scored(theirs, kept.truth)  # one truth for both
        counted = scored(kept.records, kept.truth)
        verdict = judge(kept.spec.gate, label, kept.spec.benchmark, counted, kept.proofs, champion, kept.spec.evidence)
    return Promoted(run, label, verdict, tracking.register(run, label) if verdict.open else None)
