"""The New York Fed's example in the statsmodels wheel: MATLAB results laid out as our factor model has them, and panels."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.io import loadmat

from engine import factor
from engine.calendar import Freq, end_of
from engine.panel import Panel
from engine.steps import analyse
from engine.typing import Bools, Floats, Ints
from featurestore.memory import MemoryStore
from featurestore.panel import build_panel
from featurestore.sources.nyfed import loads

SMALL = {"CPIAUCSL": "pch", "UNRATE": "chg", "PAYEMS": "chg", "GDPC1": "pca", "ULCNFB": "pca"}
LARGE = {"CPIAUCSL": "pch", "UNRATE": "chg", "PAYEMS": "chg", "RSAFS": "pch", "TTLCONS": "pch", "TCU": "chg",
         "GDPC1": "pca", "ULCNFB": "pca"}  # fmt: skip
QUARTERLY = {"GDPC1", "ULCNFB"}


def folder() -> Path:
    spec = find_spec("statsmodels")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "tsa/statespace/tests/results/frbny_nowcast"


def vintage(day: str, steps: dict[str, str]) -> Floats:
    """``(T, N)`` analysed values from 2000-01, as load_data.m makes them."""
    raw = pl.read_csv(folder() / "Nowcasting/data/US" / f"{day}.csv")
    out = []
    for name, step in steps.items():
        values = raw[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        if name in QUARTERLY:
            column = np.full(len(values), np.nan)
            quarters = values[2::3]
            column[2::3] = analyse(quarters, step, Freq.Q)  # type: ignore[arg-type]
        else:
            column = analyse(values, step, Freq.M)  # type: ignore[arg-type]
        out.append(column)
    return np.column_stack(out)[180:]


@dataclass
class Case:
    """One MATLAB result. All series are explicit with measurement variance 1e-4; row 0 is the month before the sample."""

    p: factor.Parameters
    start: factor.Start
    free: Bools
    blocks: Ints
    order: int
    mean: Floats
    sd: Floats
    matlab: Any
    steps: dict[str, str]

    def data(self, values: Floats) -> factor.Data:
        X = np.vstack([np.full(values.shape[1], np.nan), (values - self.mean) / self.sd])
        monthly = len(self.steps) - 2
        weights = np.vstack([np.tile([1.0, 0, 0, 0, 0], (monthly, 1)), np.tile([1.0, 2, 3, 2, 1], (2, 1))])
        return factor.prepare(np.empty((len(X), 0)), X, weights, self.order)


def case(name: str) -> Case:
    mat = loadmat(folder() / f"{name}.mat")
    res = {n: mat["Res"][n][0, 0] for n in mat["Res"].dtype.names}
    large = "blocks" in name
    steps = LARGE if large else SMALL
    k, order = int(mat["Spec"]["k"][0, 0][0, 0]), int(mat["Spec"]["p"][0, 0][0, 0])
    B, N = (3 if large else 1), len(steps)
    R, M = B * k, len(steps) - 2
    K = R + N
    factors = np.array([b * 5 * k + j for b in range(B) for j in range(k)])  # MATLAB: block by block, lag by lag within
    place = np.full(5 * K, -1)  # our state: lag by lag, (factors, idiosyncratics) within
    for lag in range(5):
        place[lag * K : lag * K + R] = factors + lag * k
        for q in range(2):
            place[lag * K + R + M + q] = 5 * R + M + 5 * q + lag
    place[R : R + M] = 5 * R + np.arange(M)
    has = place >= 0
    mean, cov = np.zeros(5 * K), np.zeros((5 * K, 5 * K))
    mean[has] = res["Z_0"][:, 0][place[has]]
    cov[np.ix_(has, has)] = res["V_0"][np.ix_(place[has], place[has])]
    e = np.array([5 * R + i for i in range(M)] + [5 * R + M + 5 * q for q in range(2)])
    past = np.concatenate([factors + lag * k for lag in range(order)])
    p = factor.Parameters(
        A=np.ascontiguousarray(res["A"][np.ix_(factors, past)]), Q=np.ascontiguousarray(res["Q"][np.ix_(factors, factors)]),
        loadings=np.empty((0, R)), rho=np.empty(0), sigma2=np.empty(0),
        x_loadings=np.ascontiguousarray(res["C"][:, factors]), x_rho=res["A"][e, e].copy(), x_sigma2=res["Q"][e, e].copy(),
        noise=np.diag(res["R"]).copy(),
    )  # fmt: skip
    member = mat["Spec"]["Blocks"][0, 0].astype(bool)
    return Case(
        p, factor.Start(mean, cov), np.repeat(member, k, axis=1), np.repeat(np.arange(B), k), order,
        res["Mx"][0], res["Wx"][0], res, steps,
    )  # fmt: skip


def blocks() -> dict[str, tuple[str, ...]]:
    """The four blocks of the run specification that ships with jingqi."""
    with (files("experiments") / "specs/us_gdp.toml").open("rb") as f:
        spec = tomllib.load(f)
    return {name: tuple(ids) for name, ids in spec["models"]["dfm"]["options"]["blocks"].items()}


@cache
def panels() -> tuple[Panel, Panel]:
    """The panels of all series in the blocks as of 2016-06-29 and 2016-07-29."""
    store = MemoryStore()
    for load in loads():
        store.append(load.release, load.values, load.series)
    ids = tuple(dict.fromkeys(i for members in blocks().values() for i in members))
    old, new = (build_panel(store, ids, end_of(day)) for day in (date(2016, 6, 29), date(2016, 7, 29)))
    return old, new
