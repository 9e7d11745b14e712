"""What the contest's pool is made of, by data to 2007 alone: ``python tests/contest/choose.py``, after ``tests/contest/us.py``.

Candidates of ``contest_us`` on two stretches: real origins 2000-01 … 2007-12 against first releases, and pseudo origins 1976-01 …
1999-12, cut by the usual delays from the first vintage of all, that of January 2000. The second has three recessions, two of them
hard; the first a mild one. Samples begin with the data in the second: what begins in 1985 says nothing about 1982. Every pool of
them at equal weights is scored by the geometric mean of its two ratios to the autoregression. What became known after 2007 is not
asked for.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import engine  # isort: skip  # first: it holds BLAS to one thread
import numpy as np
import polars as pl
from contest import judge

from engine.calendar import end_of
from engine.typing import Floats
from experiments import backtest, spec
from experiments.spec import Candidate, Pseudo, Spec
from experiments.truth import outcomes
from featurestore.connect import connect
from featurestore.panel import Cube
from featurestore.store import Store

LAST = date(2007, 12, 31)
FIRST_VINTAGE = date(2000, 1, 31)
PSEUDO = Pseudo(first=date(1976, 1, 31), last=date(1999, 12, 31), vintage=FIRST_VINTAGE)
MAKES = ("elastics", "factors", "boosting", "bridge", "bridges", "umidas", "dfm")
assert engine


def main() -> None:
    ask = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    ask.add_argument("--of", nargs="+", default=MAKES, help="labels of the spec of which pools are made")
    ask.add_argument("--spec", default="contest_us")
    said = ask.parse_args()
    whole, _ = spec.load(said.spec)
    assert isinstance(whole, Spec)
    run = replace(whole, models={m: whole.models[m] for m in (whole.benchmark, *said.of)}, real=_until(whole.real))
    old = replace(
        run, real=(), pseudo=PSEUDO, refit=6, truth=FIRST_VINTAGE, models={m: _whole(c) for m, c in run.models.items()}
    )
    with connect() as store:
        wide = [_cases(old, store), _cases(run, store)]
    alone = {m: _ratios(wide, [m], run.benchmark) for m in run.models}
    pools = {
        " ".join(c): _ratios(wide, c, run.benchmark)
        for k in range(2, len(said.of) + 1)
        for c in combinations(said.of, k)
    }
    print(f"{len(pools)} pools; ratio to {run.benchmark}: both, 1976-1999, 2000-2007")
    for title, found in (("alone", alone), ("pooled", pools)):
        print(title)
        for name, (first, second) in sorted(found.items(), key=lambda item: np.prod(item[1]))[:20]:
            print(f"  {np.sqrt(first * second):.3f}  {first:.3f}  {second:.3f}  {name}")


def _until(days: tuple[date, ...]) -> tuple[date, ...]:
    return tuple(day for day in days if day <= LAST)


def _whole(candidate: Candidate) -> Candidate:
    """The same with samples that begin where the data do, those of inner members too."""

    def without(said: Any) -> Any:
        return {k: without(v) for k, v in said.items() if k != "since"} if isinstance(said, dict) else said

    return Candidate(candidate.model, without(candidate.options))


def _cases(run: Spec, store: Store) -> pl.DataFrame:
    """A row a case and a column a model: what it said; beside them horizon and outcome."""
    records = backtest.run(run, store).records
    target = Cube(store, (run.target,))
    days = [d for d in store.history([run.target])["known_at"].unique().to_list() if d <= end_of(LAST)]
    truth = outcomes(target, days, run.truth)
    rows = judge.cases(records, truth)
    wide: pl.DataFrame = rows.pivot("model", index=["origin", "period", "horizon", "outcome"], values="mean")
    return wide


def _ratios(wide: list[pl.DataFrame], of: tuple[str, ...] | list[str], benchmark: str) -> tuple[float, float]:
    """Mean RMSE over horizons of the plain mean of some models, as a share of the benchmark's, in each of the two stretches."""
    old, real = (_rmse(w, w.select(of).to_numpy().mean(1)) / _rmse(w, w[benchmark].to_numpy()) for w in wide)
    return old, real


def _rmse(wide: pl.DataFrame, said: Floats) -> float:
    squared = wide.select("horizon", loss=(pl.Series(said) - pl.col("outcome")) ** 2)
    return float(squared.group_by("horizon").agg(pl.col("loss").mean().sqrt())["loss"].mean())  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
