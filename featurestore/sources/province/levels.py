"""True monthly levels: trend x seasonal share x Spring Festival x loadings on the hidden state.

Seasonal shares and the effect of the festival are those measured on Chinese figures (shares of the year, mean of 2012
to 2019, January and February as one; festival: log exports 2003 to 2019). The sizes of 2013 are of the order of those
of the real province; nothing else is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.festival import regressor
from engine.typing import Floats
from featurestore.sources.province.latent import FIRST, MONTHS, YEARS, Latent, ar2

SHARES = {
    "retail": (16.0, 7.6, 7.5, 8.0, 8.1, 8.0, 8.2, 8.6, 9.3, 9.2, 9.6),
    "fai": (6.5, 8.2, 8.1, 9.6, 12.3, 9.2, 9.2, 10.5, 9.6, 8.5, 8.4),
    "re_investment": (8.6, 8.2, 7.4, 8.9, 11.8, 8.6, 9.0, 10.2, 8.9, 9.4, 8.9),
    "fiscal": (18.2, 7.4, 9.4, 9.6, 9.7, 9.3, 6.3, 7.1, 9.2, 6.7, 6.9),
    "profit": (12.1, 8.4, 7.6, 8.1, 9.1, 7.5, 7.8, 8.6, 8.6, 10.3, 11.9),
    "power": (14.9, 8.2, 7.7, 8.0, 8.3, 9.3, 9.4, 8.2, 8.1, 8.4, 9.5),
    "gdp": (14.6, 8.3, 8.1, 8.2, 8.5, 8.0, 8.0, 8.2, 9.0, 9.1, 10.0),  # quarters near 23, 25, 24, 28 %
    "trade": (15.0, 7.6, 8.3, 8.6, 8.7, 8.9, 8.8, 8.9, 8.0, 8.6, 8.6),
}
"""% of the year: January with February, then March to December."""

BEFORE_DAYS, FROM_DAYS = (-14, -1), (0, 19)
BEFORE, AFTER = 0.124, -0.274
"""Log effect on exports of the 14 days before the Spring Festival, and of the 20 days from it, if all fell in a month."""


@dataclass(frozen=True, slots=True)
class Flow:
    """How a monthly flow moves. size: the year 2013; growth: yearly trend, in logs, in 2008 and in 2025; price: power
    of the deflator; activity, credit: logs a unit of the state; festival, event: times the effect on exports and times
    the declared shock; noise: standard deviation of the AR(2) around it all."""

    size: float
    growth: tuple[float, float]
    shares: str
    price: float
    activity: float
    credit: float
    festival: float
    event: float
    noise: float


FLOWS = {
    "primary": Flow(1785, (0.025, 0.030), "gdp", 0.6, 0.002, 0.0, 0.1, 0.1, 0.004),
    "secondary": Flow(17900, (0.095, 0.050), "gdp", 0.9, 0.019, 0.0, 0.5, 0.95, 0.004),
    "tertiary": Flow(17790, (0.100, 0.054), "gdp", 0.8, 0.010, 0.004, 0.3, 0.65, 0.003),
    "ind_va": Flow(11700, (0.105, 0.060), "power", 0.7, 0.027, 0.0, 0.6, 1.00, 0.007),
    "services": Flow(8000, (0.130, 0.075), "gdp", 0.7, 0.018, 0.004, 0.3, 0.80, 0.010),
    "retail": Flow(15200, (0.120, 0.045), "retail", 0.7, 0.014, 0.004, 0.2, 0.75, 0.008),
    "fai": Flow(20200, (0.160, 0.030), "fai", 0.3, 0.020, 0.020, 0.6, 0.70, 0.012),
    "re_investment": Flow(6200, (0.170, 0.010), "re_investment", 0.3, 0.015, 0.045, 0.6, 0.60, 0.015),
    "re_sales": Flow(4900, (0.060, -0.010), "re_investment", 0.0, 0.010, 0.090, 0.6, 1.00, 0.030),
    "exports": Flow(15400, (0.080, 0.055), "trade", 0.4, 0.035, 0.0, 1.0, 0.80, 0.020),
    "imports": Flow(5400, (0.090, 0.050), "trade", 0.6, 0.040, 0.0, 0.8, 0.60, 0.025),
    "fiscal": Flow(3800, (0.110, 0.035), "fiscal", 0.8, 0.022, 0.006, 0.2, 0.55, 0.012),
    "profit": Flow(3560, (0.120, 0.030), "profit", 1.0, 0.080, 0.0, 0.6, 1.60, 0.025),
    "power": Flow(3450, (0.085, 0.060), "power", 0.0, 0.022, 0.0, 0.7, 0.50, 0.010),
    "income": Flow(29800, (0.090, 0.050), "gdp", 0.8, 0.008, 0.0, 0.1, 0.30, 0.003),
}

STOCKS = {"loans": (65000.0, (0.14, 0.10), 0.035), "deposits": (73700.0, (0.13, 0.09), 0.025)}
"""Outstanding at the end of 2013, yearly trend in 2008 and in 2025, and what credit adds to a year's growth."""

CONSTANT = ("gdp", "primary", "secondary", "tertiary", "ind_va")
"""Growth of these is at constant prices; of all others it is nominal."""


@dataclass(frozen=True, slots=True)
class Level:
    """``level``: what is sold or produced at the prices of the month; ``basis``: what growth is counted on. (MONTHS,)"""

    level: Floats
    basis: Floats


def levels(state: Latent, rng: np.random.Generator) -> dict[str, Level]:
    """Truth by name: the flows, gdp as the sum of its sectors, loans and deposits, and price indices cpi and ppi."""
    pre, post = regressor(FIRST, MONTHS, BEFORE_DAYS), regressor(FIRST, MONTHS, FROM_DAYS)
    cpi, ppi = _prices(state, pre + post, rng)
    deflator = 0.6 * cpi + 0.3 * ppi
    found: dict[str, Level] = {}
    for name, flow in FLOWS.items():
        log = _trend(flow.growth)
        log += np.log(_seasonal(flow.shares, float(np.mean(flow.growth))))
        log += flow.festival * (BEFORE * pre + AFTER * post)
        log += flow.activity * state.activity + flow.credit * state.credit + flow.event * state.event
        log += ar2(rng, MONTHS, (0.5, 0.1), flow.noise)
        real, at_prices = np.exp(log), np.exp(log + flow.price * deflator)
        level = flow.size * at_prices / at_prices.reshape(YEARS, 12)[6].sum()  # 2013, the seventh year
        real = flow.size * real / real.reshape(YEARS, 12)[6].sum()
        found[name] = Level(level, real if name in CONSTANT else level)
    sectors = [found[s] for s in ("primary", "secondary", "tertiary")]
    found["gdp"] = Level(np.sum([s.level for s in sectors], axis=0), np.sum([s.basis for s in sectors], axis=0))
    both = found["exports"].level + found["imports"].level
    found["trade"] = Level(both, both)
    for name, (size, growth, load) in STOCKS.items():
        log = _trend(growth) + np.cumsum(load / 12 * state.credit + 0.0015 * rng.standard_normal(MONTHS))
        found[name] = Level(*[size * np.exp(log - log[83])] * 2)  # the end of 2013
    found["cpi"], found["ppi"] = (Level(*[np.exp(p)] * 2) for p in (cpi, ppi))
    return found


def _prices(state: Latent, festive: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Logs of the consumer and the producer price index. Food is dear before and during the festival."""
    month = np.arange(MONTHS) % 12
    season = np.array([6, 5, -5, -2, -2, -2, 1, 3, 2, -1, -3, -2]) / 1000
    cpi = 0.020 / 12 + 0.0009 * state.price + season[month] + 0.006 * festive + 0.0034 * rng.standard_normal(MONTHS)
    ppi = 0.005 / 12 + 0.0045 * state.price + 0.15 * np.diff(state.event, prepend=0.0)
    ppi += 0.0035 * rng.standard_normal(MONTHS)
    return np.cumsum(cpi), np.cumsum(ppi)


def _trend(growth: tuple[float, float]) -> Floats:
    """Log trend whose yearly slope goes in a straight line from that of 2008 to that of 2025."""
    return np.cumsum(np.interp(np.arange(MONTHS), (12, MONTHS - 1), growth) / 12)


def _seasonal(name: str, growth: float) -> Floats:
    """Seasonal factors: the shares without the part that the trend has in them, January and February by their days."""
    pair, *rest = SHARES[name]
    shares = np.array([pair * 31 / 59.25, pair * 28.25 / 59.25, *rest])
    factors = shares / np.exp(growth * (np.arange(12) - 5.5) / 12)
    return np.tile(factors / factors.mean(), YEARS)
