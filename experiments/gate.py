"""The gate: does a challenger earn the champion's place? The rules are data, in the spec; each is answered in words."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

import polars as pl

from engine.errors import BadInput, GateClosed
from engine.panel import Timing
from experiments.evaluate import overall, skill_table
from experiments.proof import Proof
from experiments.spec import Rules, Watch
from experiments.watched import by_score, scored


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule and how it was met."""

    rule: str
    found: str
    met: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """All rules, met or not."""

    model: str
    findings: tuple[Finding, ...]

    @property
    def open(self) -> bool:
        return all(f.met for f in self.findings)

    def require(self) -> None:
        """Raises GateClosed, naming the rules that were not met."""
        if not self.open:
            failed = "; ".join(f"{f.rule}: {f.found}" for f in self.findings if not f.met)
            raise GateClosed(f"{self.model} does not become champion. {failed}")


def judge(
    rules: Rules,
    model: str,
    benchmark: str,
    counted: pl.DataFrame,
    proofs: Sequence[Proof],
    champion: pl.DataFrame | None = None,
    evidence: Timing = "pseudo",
) -> Verdict:
    """Hold a challenger against the benchmark of its run and, where there is one, the champion.

    counted: ``evaluate.scored`` records of the run. champion: those of the champion's run, under the champion's
    label. evidence: timing of the origins that count. A first champion must still beat the benchmark, or be it.
    """
    judged = counted.filter(pl.col("timing") == evidence)
    mine = judged.filter(pl.col("model") == model)
    scores = overall(skill_table(judged, benchmark), evidence)[model]
    findings = [
        Finding(f"at least {rules.fewest} outcomes", f"{scores['n']}", scores["n"] >= rules.fewest),
        *_proved(mine, model, proofs, (evidence,)),
    ]
    if model != benchmark:
        for name, most in (("rmse", rules.rmse), ("crps", rules.crps)):
            ratio = scores[f"{name}_ratio"]
            findings.append(Finding(f"{name.upper()} at most {most:g} of {benchmark}'s", f"{ratio:.3f}", ratio <= most))
    for percent, (low, high) in sorted(rules.coverage.items()):
        share = scores[f"cover{percent}"]
        findings.append(
            Finding(f"{percent} % band holds {low:.0%} to {high:.0%} of outcomes", f"{share:.0%}", low <= share <= high)
        )
    if champion is not None:
        findings += _against(rules, mine, champion.filter(pl.col("timing") == evidence), evidence)
    return Verdict(model, tuple(findings))


def judge_readings(
    spec: Watch, model: str, records: pl.DataFrame, proofs: Sequence[Proof], champion: pl.DataFrame | None = None
) -> Verdict:
    """Hold a challenger's readings against the rules of its spec and, where there is one, the champion's.

    records: ``replay.READ`` of the run. champion: those of the champion. Its loss over the origins that both have must
    not be below the challenger's. Raises BadInput for a rule about a score that the run does not have.
    """
    mine = records.filter(pl.col("model") == model)
    scores = by_score(scored(spec, mine), model)
    timings = {p.timing for p in proofs if p.model == model}
    findings = _proved(mine, model, proofs, timings)
    for score, (least, most) in spec.gate.items():
        if score not in scores:
            raise BadInput(f"gate.{score}: the run has no such score; it has {', '.join(scores)}")
        rule = f"{score} from {least:g} to {most:g}"
        findings.append(Finding(rule, f"{scores[score]:.3f}", least <= scores[score] <= most))
    if champion is not None:
        keys = ("timing", "origin")
        ours, theirs = mine.join(champion, on=keys, how="semi"), champion.join(mine, on=keys, how="semi")
        if ours.is_empty():
            return Verdict(model, (*findings, Finding("shares origins with the champion", "none", False)))
        a = by_score(scored(spec, ours), model)["loss"]
        b = by_score(scored(spec, theirs), str(theirs["model"][0]))["loss"]
        findings.append(Finding("loss at most the champion's, over shared origins", f"{a:.3f} to {b:.3f}", a <= b))
    return Verdict(model, tuple(findings))


def _proved(mine: pl.DataFrame, model: str, proofs: Sequence[Proof], timings: Container[str]) -> list[Finding]:
    late = mine.filter((pl.col("newest") > pl.col("origin")) | (pl.col("fitted_asof") > pl.col("origin"))).height
    named = mine.filter(pl.col("panel").str.len_chars() == 64, pl.col("fit").str.len_chars() == 64).height
    altered = sum(p.altered for p in proofs if p.model == model and p.timing in timings)
    return [
        Finding(
            "nothing newer than its origin, every panel and fit by digest",
            f"{late} newer, {mine.height - named} without digest",
            late == 0 and named == mine.height,
        ),
        Finding("altering later values moves no bit", f"{altered} values altered", altered > 0),
    ]


def _against(rules: Rules, mine: pl.DataFrame, champion: pl.DataFrame, evidence: Timing) -> list[Finding]:
    both = ["origin", "period"]
    ours = mine.join(champion, on=both, how="semi").with_columns(model=pl.lit("challenger"))
    theirs = champion.join(mine, on=both, how="semi").with_columns(model=pl.lit("champion"))
    if ours.is_empty():
        return [Finding("shares origins with the champion", "none", False)]
    scores = overall(skill_table(pl.concat([ours, theirs]), "champion"), evidence)["challenger"]
    return [
        Finding(
            f"{name.upper()} at most {rules.champion:g} of the champion's, over {ours.height} shared outcomes",
            f"{scores[f'{name}_ratio']:.3f}",
            scores[f"{name}_ratio"] <= rules.champion,
        )
        for name in ("rmse", "crps")
    ]
