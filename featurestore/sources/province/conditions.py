"""What the eleven cities are judged by: research, incomes, air and water, trade, private firms, yields per mu.

Published for the cities alone, from 2018 on. Each indicator moves with a city's development, with the cycle and by itself; all
draws come from a stream of their own, so that the rest of the economy is what it was. A figure of a whole year is first
estimated, and said again when the next year's comes out; trade of the cities adds up to that of the province and is verified
with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from engine.calendar import Freq
from engine.indicator import Series
from engine.typing import Floats
from featurestore import catalogue
from featurestore.sources import Load
from featurestore.sources.province.cities import SIZES
from featurestore.sources.province.latent import FIRST, MONTHS, YEARS, Latent, ar2
from featurestore.sources.province.levels import SHARES, Level
from featurestore.sources.province.meaning import CITIES, Line
from featurestore.sources.province.publication import FIRST_YEAR, paired, published
from featurestore.sources.province.releases import collect
from featurestore.sources.province.vintages import Vintages

CODES = ("conditions", "conditions-yearly", "conditions-verified")
"""Of the releases: those of months and quarters, of years, and what was verified later."""

BEGIN = 2018
CITY_COUNT = len(SIZES)


@dataclass(frozen=True, slots=True)
class Condition:
    """How an indicator lies and moves. base: in 2018, in a city of middle size and development.

    spread: between cities. pull: how much of that is a city's development (-1 … 1). trend: a year. cycle: a unit of activity.
    noise: standard deviation of the AR(2) around it. log: all of these are in logs. sized: a city has its share of GDP of base.
    """

    base: float
    spread: float
    pull: float
    trend: float
    cycle: float
    noise: float
    decimals: int
    log: bool = False
    sized: bool = False


CONDITIONS = {
    # innovation
    "rd_intensity": Condition(2.5, 0.45, 0.8, 0.09, 0.0, 0.02, 2),
    "patent_invention_granted": Condition(2800, 0.35, 0.7, 0.13, 0.02, 0.05, 0, log=True, sized=True),
    # coordination
    "urbanisation_rate": Condition(68.0, 5.0, 0.7, 0.9, 0.0, 0.1, 1),
    "income_urban_ytd": Condition(4600, 0.12, 0.9, 0.075, 0.006, 0.004, 0, log=True),
    "income_rural_ytd": Condition(2270, 0.16, 0.8, 0.088, 0.004, 0.004, 0, log=True),
    # green
    "energy_intensity_change": Condition(3.6, 0.8, 0.3, -0.10, -0.3, 0.5, 1),
    "pm25_avg": Condition(33.0, 0.16, 0.1, -0.045, 0.01, 0.06, 1, log=True),
    "surface_water_good_ratio": Condition(88.0, 4.0, -0.3, 0.9, 0.0, 0.9, 1),
    # openness, with trade
    "fdi_actual_ytd": Condition(15.5, 0.4, 0.6, 0.03, 0.03, 0.06, 2, log=True, sized=True),
    # sharing
    "livelihood_spending_share": Condition(75.5, 2.0, -0.2, 0.15, -0.2, 0.5, 1),
    "reg_unemployment_rate": Condition(2.35, 0.25, -0.4, -0.03, -0.06, 0.03, 2),
    # efficiency and risk
    "labour_productivity": Condition(22.5, 0.16, 0.7, 0.065, 0.01, 0.01, 2, log=True),
    "npl_ratio": Condition(1.25, 0.3, -0.3, -0.06, -0.08, 0.04, 2),
    "mu_tax": Condition(27.0, 0.24, 0.7, 0.035, 0.02, 0.02, 2, log=True),
    "mu_va": Condition(118.0, 0.2, 0.7, 0.06, 0.02, 0.015, 2, log=True),
    "va_per_energy": Condition(2.1, 0.22, 0.4, 0.05, 0.01, 0.015, 3, log=True),
    "va_per_emission": Condition(3600, 0.3, 0.4, 0.08, 0.01, 0.03, 2, log=True),
    "rd_to_revenue": Condition(2.2, 0.3, 0.7, 0.10, 0.0, 0.02, 2),
    # private economy
    "private_ind_va_yoy_ytd": Condition(7.2, 0.9, 0.2, -0.15, 2.4, 0.6, 1),
    "private_fai_yoy_ytd": Condition(7.0, 2.0, 0.1, -0.5, 2.5, 2.0, 1),
    "private_fai_share": Condition(60.0, 4.0, -0.2, -0.6, 0.6, 0.8, 1),
    "private_export_ytd": Condition(1450, 0.45, 0.2, 0.08, 0.03, 0.02, 2, log=True, sized=True),
    "private_tax_ytd": Condition(690, 0.15, 0.3, 0.05, 0.02, 0.02, 2, log=True, sized=True),
    "new_private_firms_ytd": Condition(37500, 0.2, 0.4, 0.04, 0.03, 0.05, 0, log=True, sized=True),
}  # fmt: skip
"""Amounts are those of a month; where ``sized``, of the whole province."""

TRADE, RATIO = "trade_total_ytd", "urban_rural_income_ratio"

_SEASONS = {
    "pm25_avg": (1.50, 1.32, 1.15, 1.02, 0.92, 0.76, 0.68, 0.68, 0.76, 0.88, 1.08, 1.35),
    "patent_invention_granted": (0.9, 0.8, 1.0, 1.0, 1.0, 1.05, 1.0, 1.05, 1.0, 0.95, 1.1, 1.15),
}
_FLOWS = {
    "income_urban_ytd": "gdp", "income_rural_ytd": "gdp", "fdi_actual_ytd": "trade", "private_export_ytd": "trade",
    "private_tax_ytd": "fiscal", "new_private_firms_ytd": "retail",
}  # fmt: skip
"""Whose shares of the year a flow has."""

_ESTIMATE = 0.006
"""Relative standard deviation of the first estimate of a year."""


def conditions(state: Latent, rng: np.random.Generator) -> dict[str, Floats]:
    """By indicator, the true months ``(MONTHS, 11)``: flows a month with their season, all else as it stands in the month."""
    size = np.array([gdp for _, gdp in SIZES.values()])
    size /= size.sum()
    development = rng.standard_normal(CITY_COUNT) * 0.6 + 0.5 * np.log(size * CITY_COUNT)
    development = (development - development.mean()) / development.std()
    years = (np.arange(MONTHS) + 0.5) / 12 - (BEGIN - FIRST_YEAR + 0.5)
    found: dict[str, Floats] = {}
    for name, c in CONDITIONS.items():
        own = rng.standard_normal(CITY_COUNT)
        apart = c.spread * (c.pull * development + np.sqrt(1 - c.pull**2) * own)
        drift = 0.15 * abs(c.trend) * rng.standard_normal(CITY_COUNT)
        wobble = np.column_stack([ar2(rng, MONTHS, (0.8, 0.1), c.noise) for _ in range(CITY_COUNT)])
        x = apart + np.outer(years, c.trend + drift) + c.cycle * state.activity[:, None] + wobble
        level = c.base * np.exp(x) if c.log else c.base + x
        found[name] = level * (size if c.sized else 1.0) * _season(name)[:, None]
    for name in ("urbanisation_rate", "surface_water_good_ratio", "livelihood_spending_share", "private_fai_share"):
        found[name] = np.minimum(found[name], 100.0 - 0.02 * np.arange(CITY_COUNT))
    for name in ("reg_unemployment_rate", "npl_ratio", "rd_intensity", "rd_to_revenue"):
        found[name] = np.maximum(found[name], 0.2 * CONDITIONS[name].base)
    lean = np.log(size) + 0.35 * rng.standard_normal(CITY_COUNT) + 0.2 * development
    sway = np.column_stack([ar2(rng, MONTHS, (0.9, 0.05), 0.015) for _ in range(CITY_COUNT)])
    raw = np.exp(lean + sway)
    found[TRADE] = raw / raw.sum(axis=1, keepdims=True)  # shares of the province's
    return found


def loads(
    true: dict[str, Floats], trade: Level, vintages: Vintages, rng: np.random.Generator, seed: int, until: date
) -> list[Load]:
    """All releases up to a day, in the order in which they became known. trade: of the province."""
    rows: dict[tuple[str, str, date], list[tuple[Series, int, float]]] = {}
    ends = [(FIRST + t).end for t in range(MONTHS)]
    late = rng.integers(0, 4, MONTHS)
    begin = (BEGIN - FIRST_YEAR) * 12

    def say(code: str, day: date, series: Series, t: int, value: float, decimals: int) -> None:
        if day <= until:
            period = (FIRST + t).to(series.freq).ordinal
            rows.setdefault((code, code, day), []).append((series, period, round(value, decimals)))

    for line, unrounded, decimals in _lines(true, trade):
        error = _ESTIMATE * rng.standard_normal((YEARS, CITY_COUNT))
        of_city = [line.series(region) for region in CITIES]
        for t in range(begin, MONTHS):
            year = FIRST_YEAR + t // 12
            for c in np.flatnonzero(np.isfinite(unrounded[t])).tolist():
                value, series = float(unrounded[t, c]), of_city[c]
                if line.indicator.freq is Freq.A:
                    days = [
                        ends[s] + timedelta(days=line.indicator.delay_days + int(late[s]))
                        for s in (t, t + 12)
                        if s < MONTHS
                    ]
                    for day, wrong in zip(days, (float(error[t // 12, c]), 0.0), strict=False):
                        say("conditions-yearly", day, series, t, value * (1 + wrong), decimals)
                    continue
                day = ends[t] + timedelta(days=20 + int(late[t]))
                say("conditions", day, series, t, value * _factor(vintages, line, year, day), decimals)
                if line.family:
                    verified = date(year + 1, 6, 10)  # with the province's
                    say(
                        "conditions-verified",
                        verified,
                        series,
                        t,
                        value * _factor(vintages, line, year, verified),
                        decimals,
                    )
    return collect(rows, seed)


def _factor(vintages: Vintages, line: Line, year: int, day: date) -> float:
    return vintages.level(line, year, day) if line.family else 1.0


def _lines(true: dict[str, Floats], trade: Level) -> Iterator[tuple[Line, Floats, int]]:
    """Each indicator, what is published of it unrounded ``(MONTHS, 11)``, and its decimals."""
    there = catalogue.load().indicators
    sums: dict[str, Floats] = {}
    for name, condition in CONDITIONS.items():
        line = Line(there[name], name, CODES[0], True, "")
        sums[name] = _said(line, true[name])
        yield line, sums[name], condition.decimals
    ratio = sums["income_urban_ytd"] / sums["income_rural_ytd"]
    yield Line(there[RATIO], RATIO, CODES[0], True, ""), ratio, 3
    line = Line(there[TRADE], "trade", CODES[0], True, "trade")
    parts = (trade.level[:, None] * true[TRADE]).T
    yield line, np.column_stack([published(line, Level(p, p)) for p in parts]), 2


def _said(line: Line, months: Floats) -> Floats:
    """``(MONTHS, 11)``: sums of flows since January, means of shares and growth since January or of a year; NaN between."""
    kind = line.indicator.kind
    by_year = months.reshape(YEARS, 12, CITY_COUNT)
    if kind in ("level_ytd", "count_ytd"):
        by_year = by_year.cumsum(1)
    elif kind.endswith(("_ytd", "_annual")):
        by_year = by_year.cumsum(1) / np.arange(1, 13)[:, None]
    values = by_year.copy()
    values[paired(line), 0] = np.nan
    step = 12 // line.indicator.freq.per_year
    values[:, np.arange(12) % step != step - 1] = np.nan
    return values.reshape(MONTHS, CITY_COUNT)


def _season(name: str) -> Floats:
    """``(MONTHS,)`` around 1."""
    if name in _FLOWS:
        pair, *rest = SHARES[_FLOWS[name]]
        shares = np.array([pair / 2, pair / 2, *rest])
    else:
        shares = np.array(_SEASONS.get(name, np.ones(12)))
    return np.tile(shares / shares.mean(), YEARS)
