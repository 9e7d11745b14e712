"""Do bands cover better with parameters and revisions in them? ``python tests/contest/densities.py`` prints what docs/densities.md
shows.

The factor model of 24 series of ``contest_us`` (``dfm_24``), on the true month-ends of that run, learned once a year with draws:
bands of states and shocks alone, with parameters, with revisions of the data, and for a later truth with those of the target. The
same with a sample that begins in 1995, so that the first fits have five years. Nothing is learned from after an origin.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import engine  # isort: skip  # first: it holds BLAS to one thread
import numpy as np
import polars as pl
from scipy.stats import norm

from engine import uncertainty
from engine.calendar import Freq, Period, end_of, known_day
from engine.errors import NotEnoughData
from engine.outcome import in_turn
from engine.panel import Panel
from experiments import spec
from experiments.spec import Spec
from featurestore.ingest import read
from featurestore.memory import MemoryStore
from featurestore.panel import Cube
from modelzoo.nowcast.dfm import Dfm, FittedDfm
from serving.uncertainty import past, revisable

SHARED = Path(__file__).parents[3] / "shared/data"
LATER = 4
SAMPLES = ("1985-01", "1995-01")
BANDS = ("states", "+ parameters", "+ revisions", "+ target")
assert engine


def main() -> None:
    ask = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    ask.add_argument("--vintages", type=Path, default=SHARED / "fred_md_vintages")
    ask.add_argument("--gdp", type=Path, default=SHARED / "gdp_vintages/us_gdp_rtdsm.csv")
    ask.add_argument("--draws", type=int, default=20)
    said = ask.parse_args()
    run, _ = spec.load("contest_us")
    assert isinstance(run, Spec)
    store = MemoryStore()
    for source, path in (("fredmd", said.vintages), ("rtdsm", said.gdp)):
        store.append_all(read(source, path))
    start, rows = time.perf_counter(), []
    for since in SAMPLES:
        model = run.make("dfm_24")
        assert isinstance(model, Dfm)
        rows += [{"since": since} | r for r in _replayed(replace(model, since=since, draws=said.draws), run, store)]
    table = pl.DataFrame(rows)
    print(f"{time.perf_counter() - start:.0f} s, {said.draws} draws, {table['origin'].n_unique()} origins")
    for (since, truth), part in table.group_by("since", "truth", maintain_order=True):
        print(f"\nsample from {since}, truth: {truth}, {part.height} nowcasts of {part['period'].n_unique()} quarters")
        for name in BANDS[: 3 if truth == "first" else 4]:
            _judge(name, part)


def _replayed(model: Dfm, run: Spec, store: MemoryStore) -> Iterator[dict[str, object]]:
    cube, target = Cube(store, model.inputs), Cube(store, (run.target,))
    heard = store.history([run.target])["known_at"].unique().sort().to_list()
    panels = list(_panels(target, heard))
    truths = {n: {p: v for p, v, _ in in_turn(panels, ahead)} for n, ahead in (("first", 0), (f"{LATER} later", LATER))}
    fitted: FittedDfm | None = None
    year = 0
    for day in run.real:
        panel = cube.panel(end_of(day))
        if fitted is None or day.year != year:
            year, fitted = day.year, model.fit(panel)
        origin = Period.of(known_day(panel.asof), Freq.M)
        ends = [origin + -h for h in run.horizons]
        asked = [m.to(Freq.Q) for m in ends if m.ordinal % 3 == 2]
        held = fitted.sources(panel, asked)
        mean = fitted.estimate(panel, asked).mean
        plain = replace(fitted, drawn=())  # the mean needs no draws
        revised = uncertainty.revisions(plain, panel, past(cube, panel), asked, revisable(store, panel))
        try:
            moved = uncertainty.target_revisions([p for p in panels if p.asof <= panel.asof], LATER)
        except NotEnoughData:
            moved = np.full(1, np.nan)
        for j, period in enumerate(asked):
            for truth, values in truths.items():
                if held.total[j] > 0 and period in values:
                    yield {
                        "origin": day, "period": str(period), "truth": truth, "error": values[period] - mean[j],
                        "states": held.states[j], "parameters": held.parameters[j], "revisions": revised.variance[j],
                        "target": float(np.mean(moved**2)) if truth != "first" else 0.0,
                    }  # fmt: skip


def _panels(target: Cube, days: list[object]) -> Iterator[Panel]:
    for day in days:
        try:
            yield target.panel(day)  # type: ignore[arg-type]
        except NotEnoughData:
            continue


def _judge(name: str, part: pl.DataFrame) -> None:
    """Coverage, mean deviation and CRPS of a normal density (Gneiting & Raftery 2007), of the cases of which all is known."""
    part = part.filter(pl.col("revisions").is_not_nan(), pl.col("target").is_not_nan())
    held = part.select("states", "parameters", "revisions", "target").to_numpy()[:, : BANDS.index(name) + 1]
    sd, error = np.sqrt(held.sum(1)), part["error"].to_numpy()
    z = error / sd
    crps = sd * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))
    crisis = part["period"].str.slice(0, 4).is_in(["2008", "2009"]).to_numpy()
    for years, rows in (("all", ~crisis | crisis), ("without 2008-09", ~crisis)):
        cover = " ".join(f"{100 * np.mean(np.abs(z[rows]) <= norm.ppf(0.5 + p / 200)):.0f}" for p in (50, 80, 95))
        rmse = np.sqrt(np.mean(error[rows] ** 2))
        print(
            f"  {name:14} {years:16} n {rows.sum():4} cover 50/80/95 {cover}  mean sd {sd[rows].mean():.2f}  RMSE {rmse:.2f}"
            f"  CRPS {crps[rows].mean():.3f}"
        )


if __name__ == "__main__":
    main()
