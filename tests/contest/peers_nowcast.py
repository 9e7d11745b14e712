"""Two factor models of other libraries as candidates of the contest, on a panel that they can bear, beside ours on the same one.

statsmodels' DynamicFactorMQ and nowcastbox's MixedFreqDFM: one block, AR(1) idiosyncratics, each at its own defaults for EM. Both give
the *smoothed* estimate given everything in the panel; ``predict`` of statsmodels would leave out the quarter's last month. A fit
takes a minute, so that it is kept on disk under JINGQI_HOME by the digest of its panel. No candidates of the zoo: their
parameters do not travel as arrays, and ``state`` says so.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from engine.align import published
from engine.calendar import Freq, Period
from engine.errors import NotEnoughData
from engine.estimate import Estimate
from engine.model import State
from engine.panel import Panel
from engine.settings import settings
from engine.typing import Floats
from modelzoo.nowcast.dfm import Dfm

SMALL = tuple(
    f"fm_{name}@US"
    for name in (
        "payems", "unrate", "ce16ov", "awhman", "claimsx",  # labour
        "indpro", "ipcongd", "cumfns", "amdmnox", "businvx", "isratiox",  # production and stocks
        "dpcera3m086sbea", "retailx", "cmrmtsplx", "w875rx1",  # spending and income
        "houst", "permit",  # housing
        "cpiaucsl", "ppifgs", "oilpricex",  # prices
        "t10yffm", "fedfunds", "busloans", "m2real",  # money and markets
    )
)  # fmt: skip
"""What the New York Fed's nowcast reads, as far as FRED-MD has it without the surveys, and four of money and markets."""

FEWEST = 24
"""Known values below which a series is left out of a fit, as by our own model."""


@dataclass(frozen=True)
class StatsmodelsDfm:
    """factors: of the one block; order: of their VAR; since: first month of the sample."""

    target: str
    indicators: tuple[str, ...] = SMALL
    factors: int = 1
    order: int = 1
    since: str = "1985-01"

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.target, *self.indicators)

    def fit(self, panel: Panel) -> FittedStatsmodels:
        """Raises NotEnoughData where the target is hardly known."""
        panel, used = _sample(self, panel)
        cache = _cache(self, panel, "statsmodels").with_suffix(".npy")
        model = _mq(panel, self.factors, self.order)
        if cache.exists():
            parameters = np.load(cache)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                parameters = np.asarray(model.fit(disp=False).params)
            np.save(cache, parameters)
        scale = np.array([model._endog_mean.to_numpy(), model._endog_std.to_numpy()])
        return FittedStatsmodels(self, used, parameters, scale)

    def restore(self, state: State) -> FittedStatsmodels:
        raise NotImplementedError("a peer of the contest is not stored as a bundle")


@dataclass(frozen=True)
class FittedStatsmodels:
    """parameters: as statsmodels orders them; scale: mean and standard deviation of each series in the sample of the fit."""

    model: StatsmodelsDfm
    used: tuple[str, ...]
    parameters: Floats
    scale: Floats

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        target = self.model.target
        panel = _since(self.model.since, panel.select(self.used))
        panel = panel.over(panel.first, max(q.last_month for q in periods))
        monthly, quarterly = _frames(panel)
        mean, std = (pd.Series(s, index=[*monthly.columns, *quarterly.columns]) for s in self.scale)
        model = _mq(panel, self.model.factors, self.model.order, (mean, std))
        model.update(self.parameters)
        smoothed = model.ssm.smooth()
        z = model["design"][list(model.endog_names).index(target)]
        signal = z @ smoothed.smoothed_state
        variance = np.einsum("i,ijt,j->t", z, smoothed.smoothed_state_cov, z)
        rows = [panel.row(q) - panel.row(Period.parse(str(monthly.index[0]))) for q in periods]
        known = published(panel, target, periods)
        m = np.where(np.isnan(known), mean[target] + std[target] * signal[rows], known)
        sd = np.where(np.isnan(known), std[target] * np.sqrt(np.maximum(variance[rows], 0.0)), 0.0)
        return Estimate.normal(target, panel.asof, periods, m, sd)

    def state(self) -> State:
        raise NotImplementedError("a peer of the contest is not stored as a bundle")


def _mq(panel: Panel, factors: int, order: int, standardize: Any = True) -> Any:
    """statsmodels' model of a panel. standardize: True, or means and standard deviations by series."""
    from statsmodels.tsa.api import DynamicFactorMQ

    monthly, quarterly = _frames(panel)
    return DynamicFactorMQ(
        monthly, endog_quarterly=quarterly, factors=1, factor_multiplicities=factors, factor_orders=order,
        idiosyncratic_ar1=True, standardize=standardize,
    )  # fmt: skip


def _frames(panel: Panel) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Monthly and quarterly frames, their last rows empty where nothing is known yet."""
    quarterly = [s.id for s in panel.series if s.freq is Freq.Q]
    monthly = [i for i in panel.ids if i not in quarterly]
    axis = pd.period_range(str(panel.first), periods=panel.months, freq="M")
    m = pd.DataFrame(panel.matrix(monthly), index=axis, columns=monthly)
    ends = axis.month % 3 == 0
    q = pd.DataFrame(panel.matrix(quarterly)[ends], index=axis[ends].asfreq("Q"), columns=quarterly)
    return m, q


@dataclass(frozen=True)
class NowcastboxDfm:
    """As StatsmodelsDfm."""

    target: str
    indicators: tuple[str, ...] = SMALL
    factors: int = 1
    order: int = 1
    since: str = "1985-01"

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.target, *self.indicators)

    def fit(self, panel: Panel) -> FittedNowcastbox:
        """Raises NotEnoughData where the target is hardly known."""
        from nowcastbox import MixedFreqDFM, MixedFreqDFMResults

        panel, used = _sample(self, panel)
        cache = _cache(self, panel, "nowcastbox").with_suffix(".zip")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if cache.exists():
                results = MixedFreqDFMResults.load(cache)
            else:
                model = MixedFreqDFM(n_factors=self.factors, factor_lags=self.order, idiosyncratic="ar1")
                results = model.fit(_frame(panel), target=self.target, frequency={self.target: "Q"})
                results.save(cache)
        return FittedNowcastbox(self, used, results)

    def restore(self, state: State) -> FittedNowcastbox:
        raise NotImplementedError("a peer of the contest is not stored as a bundle")


@dataclass(frozen=True)
class FittedNowcastbox:
    model: NowcastboxDfm
    used: tuple[str, ...]
    results: Any

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        from nowcastbox import MixedFrequencyData

        target, fit = self.model.target, self.results
        panel = _since(self.model.since, panel.select(self.used))
        panel = panel.over(panel.first, max(q.last_month for q in periods))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = MixedFrequencyData(_frame(panel), frequencies={target: "Q"})
            grid, _ = fit.observations(data)
            smoothed = fit.smooth(data)
        space, layout, _ = fit.state_space_model(len(grid))
        z = space.Z[..., list(layout.series).index(target), :].reshape(-1, space.Z.shape[-1])[-1]
        at = {str(month): i for i, month in enumerate(grid)}
        rows = [at[str(q.last_month)] for q in periods]
        cov = np.asarray(smoothed.smoothed_state_cov)[rows]
        s = fit.standardization
        centre, scale = float(s.mean[target]), float(s.std[target])
        known = published(panel, target, periods)
        said = np.array([centre + scale * float(z @ smoothed.smoothed_state[r]) for r in rows])
        sd = scale * np.sqrt(np.maximum(np.einsum("i,tij,j->t", z, cov, z), 0.0))
        m = np.where(np.isnan(known), said, known)
        return Estimate.normal(target, panel.asof, periods, m, np.where(np.isnan(known), sd, 0.0))

    def state(self) -> State:
        raise NotImplementedError("a peer of the contest is not stored as a bundle")


def dfm_small(target: str, factors: int = 1, order: int = 1, since: str = "1985-01") -> Dfm:
    """Our own factor model on the same series, factors and sample."""
    return Dfm(target, {"all": (target, *SMALL)}, factors, order, since)


def _frame(panel: Panel) -> pd.DataFrame:
    return pd.DataFrame(
        panel.values, index=pd.period_range(str(panel.first), periods=panel.months, freq="M"), columns=list(panel.ids)
    )


def _since(since: str, panel: Panel) -> Panel:
    """The months of the sample; it begins with a quarter, so that quarterly frames do too."""
    skip = max(0, Period.parse(since).ordinal - panel.first.ordinal)
    return replace(
        panel,
        first=panel.first + skip,
        values=panel.values[skip:],
        stamps=panel.stamps[skip:],
        flags=panel.flags[skip:],
    )


def _sample(model: StatsmodelsDfm | NowcastboxDfm, panel: Panel) -> tuple[Panel, tuple[str, ...]]:
    """The sample of a fit, without series that are hardly known, and what is left."""
    panel = _since(model.since, panel.select(model.inputs))
    count = (~np.isnan(panel.values)).sum(0)
    used = tuple(i for i, n in zip(panel.ids, count, strict=True) if n >= FEWEST)
    if model.target not in used:
        raise NotEnoughData(f"{model.target}: {FEWEST} values are needed as of {panel.day}")
    return panel.select(used), used


def _cache(model: StatsmodelsDfm | NowcastboxDfm, panel: Panel, library: str) -> Path:
    """Where a fit is kept: by library and version, hyper-parameters and the digest of its panel."""
    said = f"{library} {version(library)} {model} {panel.digest()}"
    folder = settings().home / "contest-fits"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{library}-{panel.day}-{hashlib.sha256(said.encode()).hexdigest()[:16]}"
