"""The real-time contest on US growth: ``python tests/contest/us.py``. Writes docs/contest.md and its figures.

Replays ``contest_us`` on true vintages (the candidates of the zoo, at every month-end, refitted at each), then the factor models of
other libraries on the panel that they can bear, learned once a year; holds all against the first release and against the value one
quarter later. ``--vintages`` and ``--gdp`` name other vintages of the same form: they are brought into the store first.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import engine  # isort: skip  # first: it holds BLAS to one thread
import polars as pl
from contest import judge, page, pictures
from contest import peers_nowcast as peers
from contest.loop import replayed

from engine import charts, skill
from engine.calendar import end_of
from engine.errors import JingqiError
from engine.model import Model
from engine.settings import settings
from experiments import backtest, spec
from experiments.spec import Spec, Truth
from experiments.truth import outcomes
from featurestore.connect import connect
from featurestore.ingest import ingest, read
from featurestore.panel import Cube
from featurestore.store import Store

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared/data"
CRISIS = (2008, 2009)
CHOSEN = tuple(range(1999, 2008))
"""The years by which the candidates and the pool were chosen (tests/contest/choose.py)."""
TRUTHS: dict[Truth, str] = {"first": "the first release", "next": "the value one quarter later"}
assert engine


def main() -> None:
    ask = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    ask.add_argument("--spec", default="contest_us", help="a run of nowcasts on real vintages")
    ask.add_argument("--vintages", type=Path, default=SHARED / "fred_md_vintages", help="folder of vintages of FRED-MD")
    ask.add_argument(
        "--gdp", type=Path, default=SHARED / "gdp_vintages/us_gdp_rtdsm.csv", help="vintages of real output"
    )
    ask.add_argument("--page", type=Path, default=ROOT / "docs/contest.md")
    ask.add_argument(
        "--peers", action=argparse.BooleanOptionalAction, default=True, help="the models of other libraries"
    )
    ask.add_argument("--again", action="store_true", help="judge the records of the last run, without a new one")
    said = ask.parse_args()
    run, _ = spec.load(said.spec)
    assert isinstance(run, Spec)
    with connect() as store:
        for source, path in (("fredmd", said.vintages), ("rtdsm", said.gdp)):
            ingest(store, read(source, path))
        records, seconds = _records(run, store, said.peers, said.again)
        target = Cube(store, (run.target,))
        days = store.history([run.target])["known_at"].unique().to_list()
        truths = {which: outcomes(target, days, which) for which in TRUTHS}
    write(said.page, run, records, truths, seconds)


def _records(run: Spec, store: Store, others: bool, again: bool) -> tuple[pl.DataFrame, float]:
    """RECORDS of all, and the seconds that our own took. Kept under JINGQI_HOME."""
    folder = settings().home / "contest"
    folder.mkdir(parents=True, exist_ok=True)
    mine, took = folder / f"{run.name}.parquet", folder / f"{run.name}.seconds"
    if not (again and mine.exists()):
        start = time.perf_counter()
        backtest.run(run, store).records.filter(timing="real").write_parquet(mine)
        took.write_text(f"{time.perf_counter() - start:.0f}")
    records = [pl.read_parquet(mine)]
    if others:
        theirs = folder / f"{run.name}-peers.parquet"
        if not (again and theirs.exists()):
            cube = Cube(store, (run.target, *peers.SMALL))
            models: dict[str, Model] = {
                "statsmodels": peers.StatsmodelsDfm(run.target), "nowcastbox": peers.NowcastboxDfm(run.target),
                "dfm_small": peers.dfm_small(run.target),
            }  # fmt: skip
            asked = [replayed(n, m, lambda d: cube.panel(end_of(d)), run.real, run.horizons) for n, m in models.items()]
            pl.concat(asked).write_parquet(theirs)
        held = set(records[0]["model"].unique())
        records.append(pl.read_parquet(theirs).filter(~pl.col("model").is_in(held)))
    return pl.concat(records), float(took.read_text())


def write(to: Path, run: Spec, records: pl.DataFrame, truths: dict[Truth, pl.DataFrame], seconds: float) -> None:
    """The page and its figures. The pool that others are tested against is the spec's first, named before the contest was held:
    choosing the best of the whole contest would make its lead look surer than it is."""
    every = {which: judge.cases(records, truth) for which, truth in truths.items()}
    pools = [m for m in run.pools if m in set(records["model"].unique())]
    plain = judge.table(every["first"], run.benchmark, "")
    pool = pools[0] if pools else plain["model"][0]
    first, last = judge.years(every["first"])
    numbers = [
        f"Target {run.target}, {first} to {last}; {len(run.real)} month-ends from {run.real[0]} to {run.real[-1]}; columns: months "
        f"from the end of the quarter to the information date. Our {len(run.models)} models, each refitted at every origin, "
        f"with their proofs against look-ahead: {seconds:.0f} s on this machine. Others are tested against {pool}, which was "
        f"named beforehand. statsmodels, nowcastbox and dfm_small, one factor on {len(peers.SMALL)} series, are learned "
        "once a year."
    ]
    stretches: dict[str, tuple[int, ...]] = {
        "all quarters": (), f"without {CRISIS[0]}–{CRISIS[-1]}": CRISIS, f"from {CHOSEN[-1] + 1} on": CHOSEN,
    }  # fmt: skip
    for which, rows in every.items():
        for stretch, without in stretches.items():
            part = judge.cases(records, truths[which], without)
            if part["period"].n_unique() < skill.FEWEST or (without and len(part) == len(rows)):
                continue
            table = judge.table(part, run.benchmark, pool)
            numbers += [
                f"## Against {TRUTHS[which]}, {stretch}",
                f"{table['n'][0]} quarters. Root mean squared error:",
                page.skill(table, run.benchmark),
                "Over all horizons; coverage in per cent; p of equal squared errors (Diebold–Mariano) and of belonging to the "
                "model confidence set, each over the quarters' mean losses:",
                page.tests(table, run.benchmark, pool),
            ]
        shown = [*dict.fromkeys([pool, run.benchmark, *plain["model"][:3]])]
        numbers.append(page.coverage({m: judge.coverage(rows, m) for m in shown}))
    lines = [
        *dict.fromkeys(
            [pool, *plain["model"][:6], *(m for m in ("statsmodels", "nowcastbox") if m in set(plain["model"]))]
        )
    ]
    _draw(to, run, every["first"], plain, pool, lines)
    numbers += [
        f"## Figures\n\n![Skill by horizon]({to.stem}_skill.png)", f"![{pool} at the quarter's end]({to.stem}_fan.png)",
        f"![Coverage]({to.stem}_coverage.png)", f"![Where outcomes fell]({to.stem}_cells.png)",
    ]  # fmt: skip
    page.write(to, run.title_en, "\n\n".join(numbers))


def _draw(to: Path, run: Spec, rows: pl.DataFrame, table: pl.DataFrame, pool: str, lines: list[str]) -> None:
    for language in charts.languages():
        zh = language == "zh"
        title, unit = (run.title_zh, "%，折年率") if zh else (run.title_en, "%, annualised")
        mine = rows.filter(model=pool)
        shown = [*(m for m in lines if m != run.benchmark), run.benchmark]
        drawn = {
            "skill": pictures.skill(table, shown, run.benchmark, title, unit, language),
            "fan": pictures.fan(mine, 0, f"{pool}: {title}", unit, language),
            "coverage": pictures.covers(rows, shown[:5], title, language),
            "cells": pictures.falls(mine, f"{pool}: {title}", language),
        }
        for name, image in drawn.items():
            suffix = ".zh-CN" if zh else ""
            to.with_name(f"{to.stem}_{name}{suffix}.png").write_bytes(image)


if __name__ == "__main__":
    try:
        main()
    except JingqiError as wrong:
        raise SystemExit(str(wrong)) from None
