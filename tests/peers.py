"""statsmodels beside us: the same simulated data, the same parameters, one process, one BLAS thread."""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import engine  # isort: skip  # first: it holds BLAS to one thread, for both sides
import numpy as np
import pandas as pd
from statsmodels.tsa.api import DynamicFactorMQ

from engine import factor
from engine.align import own
from engine.calendar import Freq
from engine.panel import Panel
from engine.typing import Floats

warnings.filterwarnings("ignore", module="statsmodels")
assert engine


def simulate(
    months: int, series: int, factors: int, seed: int = 0, gaps: float = 0.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Monthly series with AR(1) idiosyncratics, late starters, ragged ends and a share of ``gaps``; one quarterly growth rate."""
    g = np.random.default_rng(seed)
    f = np.zeros((months, factors))
    e = np.zeros((months, series))
    rho = g.uniform(-0.3, 0.8, series)
    for t in range(1, months):
        f[t] = 0.6 * f[t - 1] + g.normal(size=factors)
        e[t] = rho * e[t - 1] + g.normal(size=series)
    y = f @ g.normal(size=(series, factors)).T + e
    y[: months // 13, : series // 6] = np.nan
    for i in range(series):
        y[months - g.integers(0, 4) :, i] = np.nan
    y[g.uniform(size=y.shape) < gaps] = np.nan
    w = np.array([1, 2, 3, 2, 1]) / 3
    q = np.array([w @ f[t - 4 : t + 1, 0] + g.normal() for t in range(5, months, 3)])
    monthly = pd.DataFrame(
        y, index=pd.period_range("1959-01", periods=months, freq="M"), columns=[f"x{i}" for i in range(series)]
    )
    return monthly, pd.DataFrame({"gdp": q}, index=pd.period_range("1959Q2", periods=len(q), freq="Q"))


def mixed(
    months: int, series: int, quarters: int, factors: int, seed: int = 0, gaps: float = 0.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """As :func:`simulate`, with many quarterly growth rates whose months have AR(1) idiosyncratics; half of them lag a quarter."""
    monthly, _ = simulate(months, series, factors, seed, gaps)
    g = np.random.default_rng(seed + 1)
    f, e = np.zeros((months, factors)), np.zeros((months, quarters))
    rho = g.uniform(-0.3, 0.8, quarters)
    for t in range(1, months):
        f[t] = 0.6 * f[t - 1] + g.normal(size=factors)
        e[t] = rho * e[t - 1] + g.normal(size=quarters)
    z = f @ g.normal(size=(quarters, factors)).T + e
    q = np.array([np.array([1, 2, 3, 2, 1]) / 3 @ z[t - 4 : t + 1] for t in range(5, months, 3)])
    q[-1, ::2] = np.nan
    index = pd.period_range("1959Q2", periods=len(q), freq="Q")
    return monthly, pd.DataFrame(q, index=index, columns=[f"q{i}" for i in range(quarters)])


def translate(model: Any, explicit: list[str]) -> tuple[factor.Parameters, factor.Data, list[int]]:
    """What a DynamicFactorMQ holds now, as ours: parameters, data, and the places of our factors' five lags in its state."""
    Z, T = model["design"], model["transition"]
    Q = model["selection"] @ model["state_cov"] @ model["selection"].T
    names, at = list(model.endog_names), {s: i for i, s in enumerate(model.state_names)}
    order = max(model.factor_orders.values()) if isinstance(model.factor_orders, dict) else int(model.factor_orders)
    lagged = [[at[f if lag == 0 else f"L{lag}.{f}"] for f in model.factor_names] for lag in range(5)]
    now, past = lagged[0], [i for lag in lagged[:order] for i in lag]
    eps = [at.get(f"eps_M.{n}", at.get(f"eps_Q.{n}", -1)) for n in names]
    x = [names.index(n) for n in explicit]
    c = [i for i in range(len(names)) if i not in x]
    rho, sigma2 = np.array([T[i, i] for i in eps]), np.array([Q[i, i] for i in eps])
    p = factor.Parameters(
        A=T[np.ix_(now, past)].copy(), Q=Q[np.ix_(now, now)].copy(),
        loadings=Z[np.ix_(c, now)].copy(), rho=rho[c], sigma2=sigma2[c],
        x_loadings=Z[np.ix_(x, now)].copy(), x_rho=rho[x], x_sigma2=sigma2[x], noise=np.zeros(len(x)),
    )  # fmt: skip
    weights = np.array([[1.0, 2, 3, 2, 1] if i >= model.k_endog_M else [1.0, 0, 0, 0, 0] for i in x])
    return p, factor.prepare(model.endog[:, c], model.endog[:, x], weights, order), [i for lag in lagged for i in lag]


def draw(seed: int, T: int, N: int, R: int, order: int, gaps: float) -> tuple[factor.Parameters, factor.Data]:
    """A random stationary model and a panel with gaps, late starts and an explicit quarterly and monthly series."""
    g = np.random.default_rng(seed)
    A = g.normal(size=(R, R * order)) * 0.25 / order
    p = factor.Parameters(
        A=A, Q=np.eye(R) + 0.2, loadings=g.normal(size=(N, R)), rho=g.uniform(-0.6, 0.9, N), sigma2=g.uniform(0.3, 2, N),
        x_loadings=g.normal(size=(2, R)), x_rho=g.uniform(-0.5, 0.8, 2), x_sigma2=g.uniform(0.3, 2, 2),
        noise=np.array([0.0, g.choice([0.0, 0.3])]),
    )  # fmt: skip
    Y, X = g.normal(size=(T, N)), g.normal(size=(T, 2))
    Y[g.uniform(size=Y.shape) < gaps] = np.nan
    Y[: T // 3, 0] = np.nan
    Y[T - 2 :, -1] = np.nan
    Y[T // 2] = np.nan  # a month without any monthly value
    X[np.arange(T) % 3 != 2, 0] = np.nan
    X[5 : T // 2, 1] = np.nan  # a gap that only an explicit series can have
    while factor.long_gaps(Y).any():
        i = int(np.flatnonzero(factor.long_gaps(Y))[0])
        Y[:, i] = np.where(np.isnan(Y[:, i]), 0.1, Y[:, i])
        Y[T // 2, i] = np.nan
    weights = np.array([[1.0, 2, 3, 2, 1], [1, 0, 0, 0, 0]])
    return p, factor.prepare(Y, X, weights, order)


YEAR = np.array([1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 1]) / 3


def paired(seed: int, months: int, N: int, R: int, order: int, gaps: float) -> tuple[factor.Parameters, factor.Data]:
    """As :func:`draw`, where January and February of some collapsed and of one explicit series are told as one in February, and
    the quarterly series is growth on the year.
    """
    p, d = draw(seed, months, N, R, order, gaps)
    g = np.random.default_rng(seed)
    february = np.arange(months) % 12 == 1
    pairs, x_pairs = np.zeros(d.Y.shape, bool), np.zeros(d.X.shape, bool)
    pairs[february] = g.uniform(size=(february.sum(), N)) < 0.7
    x_pairs[february, 1] = True
    Y, X = d.Y.copy(), d.X.copy()
    Y[np.flatnonzero(february) - 1] = np.where(pairs[february], np.nan, Y[np.flatnonzero(february) - 1])
    X[np.flatnonzero(february) - 1, 1] = np.nan
    bad = factor.long_gaps(Y, pairs, 6)
    Y[:, bad], pairs[:, bad] = d.Y[:, bad], False
    weights = np.zeros((2, len(YEAR)))
    weights[0], weights[1, 0] = YEAR, 1.0
    return p, factor.prepare(Y, X, weights, order, pairs, x_pairs, 6)


def factor_lags(s: factor.Smoothed, p: factor.Parameters) -> Floats:
    """``(T, 5 R)`` our smoothed factors, lag by lag."""
    R, k = p.A.shape[0], p.A.shape[0] + len(p.x_rho)
    return np.hstack([s.x[:, lag * k : lag * k + R] for lag in range(5)])


def race(
    ours: Callable[[], object], theirs: Callable[[], object], pairs: int, times: int = 5
) -> tuple[float, float, float]:
    """Both in turn, ``pairs`` times: median seconds of one call of ours (mean of ``times``) and of theirs, median ratio.

    Seconds of processor time, of all threads: on a shared machine those of the clock count others too."""
    ours(), theirs()  # compile, fill caches
    a, b = [], []
    for _ in range(pairs):
        start = time.process_time()
        for _ in range(times):
            ours()
        a.append((time.process_time() - start) / times)
        start = time.process_time()
        theirs()
        b.append(time.process_time() - start)
    return statistics.median(a), statistics.median(b), statistics.median(y / x for x, y in zip(a, b, strict=True))


def report(name: str, result: tuple[float, float, float], peer: str) -> None:
    """Two lines: the seconds, and ``NAME ratio=R peer=PEER``."""
    ours, theirs, times = result
    print(f"  {name}: ours {ours * 1e3:.2f} ms, {peer} {theirs * 1e3:.1f} ms")
    print(f"{name} ratio={times:.1f} peer={peer}", flush=True)


def frames(panel: Panel) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A panel as the monthly and quarterly pandas frames that statsmodels wants, trimmed to known months."""
    quarterly = [s.id for s in panel.series if s.freq is Freq.Q]
    monthly = [i for i in panel.ids if i not in quarterly]
    first = pd.Period(str(panel.first), "M")
    m = pd.DataFrame(
        panel.matrix(monthly), index=pd.period_range(first, periods=panel.months, freq="M"), columns=monthly
    )
    q = pd.DataFrame({i: own(panel, i)[1] for i in quarterly})
    q.index = pd.period_range(first.asfreq("Q"), periods=len(q), freq="Q")
    return m.loc[m.notna().any(axis=1)], q.loc[q.notna().any(axis=1)]


def nyfed_model(panel: Panel, blocks: Mapping[str, Sequence[str]]) -> tuple[Any, Floats]:
    """statsmodels' model of the same blocks on the same panel, and its own starting values."""
    monthly, quarterly = frames(panel)
    factors = {i: [b for b, members in blocks.items() if i in members] for i in (*monthly.columns, *quarterly.columns)}
    model = DynamicFactorMQ(
        monthly, endog_quarterly=quarterly, factors=factors, factor_orders=1, idiosyncratic_ar1=True
    )
    return model, model.start_params
