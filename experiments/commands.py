"""``jingqi experiment`` and ``jingqi demo``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import polars as pl

    from experiments.gate import Verdict

_JSON = click.option("--json", "as_json", is_flag=True, help="Print for machines.")
_RUN = "RUN is a run's id, the beginning of it, or 'latest'."


@click.group()
def experiment() -> None:
    """Replay history, compare, promote."""


@experiment.command()
@click.argument("spec")
@_JSON
def run(spec: str, as_json: bool) -> None:
    """Replay history as SPEC says, score it, log it. SPEC: a .toml file, or one that ships with jingqi (us_gdp)."""
    from experiments import run as steps
    from experiments.spec import Spec, load
    from featurestore.connect import connect

    read, text = load(spec)
    done: steps.Finished | steps.Looked
    with connect() as store:
        done = steps.run(read, text, store) if isinstance(read, Spec) else steps.look(read, text, store)
    if as_json:
        proofs = [
            {"model": p.model, "origin": p.origin, "timing": p.timing, "altered": p.altered} for p in done.found.proofs
        ]
        _json({"run": done.run.id, "report": done.page, "skill": done.table.to_dicts(), "proofs": proofs})
        return
    if isinstance(done, steps.Finished):
        _skill(done.table)
    else:
        _scores(done.table)
    altered = sum(p.altered for p in done.found.proofs)
    said = "estimates" if isinstance(done, steps.Finished) else "readings"
    click.echo(
        f"{done.found.records.height} {said}, none newer than its origin; {len(done.found.proofs)} origins replayed with "
        f"{altered} later values altered: not one bit moved.\nrun {done.run.id}\nreport {done.page}"
    )


@experiment.command("list")
@_JSON
def list_runs(as_json: bool) -> None:
    """All finished runs, newest first."""
    from experiments import tracking

    runs = tracking.runs()
    held = {(r.target, r.kind): tracking.champion(r.target, r.kind) for r in runs}
    rows = []
    for r in runs:
        champion = held[r.target, r.kind]
        best = min(r.scores, key=lambda label: r.scores[label], default="")
        rows.append(
            {
                "run": r.id if as_json else r.id[:8],
                "started": r.started if as_json else f"{r.started:%Y-%m-%d %H:%M}",
                "spec": r.name,
                "kind": r.kind,
                "target": r.target,
                "best": best,
                "rmse or loss": r.scores[best] if as_json and best else f"{r.scores[best]:.3f}" if best else None,
                "champion": champion.label if champion and champion.parent == r.id else None,
            }
        )
    if as_json:
        _json(rows)
    elif rows:
        _table(rows)
    else:
        click.echo("no run yet: jingqi experiment run us_gdp")


@experiment.command()
@click.argument("first")
@click.argument("second")
@_JSON
def compare(first: str, second: str, as_json: bool) -> None:
    """Two runs on the origins and periods that both estimated. FIRST and SECOND are ids, beginnings of them, or 'latest'."""
    from experiments import tracking
    from experiments.compare import both_read
    from experiments.compare import compare as side_by_side
    from experiments.evaluate import scored
    from experiments.spec import Watch

    runs = [tracking.find(named) for named in (first, second)]
    a, b = (tracking.load(r) for r in runs)
    readings = isinstance(a.spec, Watch)
    if isinstance(a.spec, Watch):
        table = both_read(a.spec, a.records, b.records)
    else:
        table = side_by_side(scored(a.records, a.truth), scored(b.records, b.truth), a.spec.benchmark)
    if as_json:
        _json({"A": runs[0].id, "B": runs[1].id, "skill": table.to_dicts()})
    else:
        click.echo(f"A {runs[0].id[:8]} {runs[0].name}\nB {runs[1].id[:8]} {runs[1].name}")
        (_scores if readings else _skill)(table)


@experiment.command(
    help=f"Hold a model of RUN against the benchmark and the champion; if it passes, it is champion. {_RUN}"
)
@click.argument("run")
@click.option("--model", "label", help="Which model of the run; without it, the one with the least RMSE.")
@_JSON
def promote(run: str, label: str | None, as_json: bool) -> None:
    from experiments.promote import promote as judge

    done = judge(run, label)
    if as_json:
        _json(
            {
                "run": done.run.id,
                "model": done.label,
                "open": done.verdict.open if done.verdict else None,
                "findings": [{"rule": f.rule, "found": f.found, "met": f.met} for f in done.verdict.findings]
                if done.verdict
                else [],
                "champion": {"name": done.version.name, "version": done.version.number} if done.version else None,
            }
        )
    elif done.verdict:
        _verdict(done.verdict)
    if done.verdict:
        done.verdict.require()
    if not as_json and done.version:
        already = "" if done.verdict else "already "
        click.echo(
            f"{done.label} of run {done.run.id[:8]} is {already}champion: {done.version.name}, version {done.version.number}"
        )


@click.command()
def demo() -> None:
    """The main job on the embedded default, command by command, then where to look."""
    from experiments.demo import demo as show

    show()


def _skill(table: pl.DataFrame) -> None:
    import polars as pl

    for timing, said in (("pseudo", "pseudo real time"), ("real", "real vintages")):
        part = table.filter(pl.col("timing") == timing, pl.col("horizon").is_null())
        if part.height:
            click.echo(f"{said}, all horizons")
            _table([{k: _cell(v) for k, v in r.items() if k not in ("timing", "horizon")} for r in part.to_dicts()])
            click.echo()


def _scores(table: pl.DataFrame) -> None:
    """SCORED rows, a line a score and a column a model."""
    from experiments.watched import SCORES

    wide = table.pivot("model", index="score", values="value")
    _table([{k: _cell(v) for k, v in r.items()} | {"meaning": SCORES[r["score"]]} for r in wide.to_dicts()])
    click.echo()


def _verdict(verdict: Verdict) -> None:
    _table(
        [
            {"gate": f"{verdict.model}: {f.rule}", "found": f.found, "met": "yes" if f.met else "NO"}
            for f in verdict.findings
        ]
    )


def _cell(value: object) -> object:
    return f"{value:.3f}" if isinstance(value, float) else value


def _table(rows: list[dict[str, Any]]) -> None:
    from featurestore.display import table

    table(rows)


def _json(said: object) -> None:
    click.echo(json.dumps(said, ensure_ascii=False, default=str))
