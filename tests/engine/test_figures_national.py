"""The algebra on China's national figures, read from ``../shared`` and never copied into the project."""

from __future__ import annotations

import csv
from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from engine.algebra import derive, nominal_growth
from engine.calendar import Freq, Period
from engine.errors import Refused
from engine.figures import SEPARATE, Figures, Kind, Origin, PairRule, published

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "china_national_monthly"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="needs ../shared/data/china_national_monthly (internal data)"
)

# What the dictionary's value_kind does not say: stocks, and indices and rates that are neither summed nor chained.
STOCKS = ("官方储备资产", "债券托管量", "余额", "总市值", "总资产", "施工面积")
RATES = ("失业率", "指数", "利率", "产销率", "PMI")
GROSS = ("FAI", "IEE", "IEO", "IET", "NSI", "NSP", "PRC", "OPG", "RED", "TRS", "PUR", "TAR", "PFE", "GFR", "GFE", "NJU")


def kind_of(name: str, value_kind: str) -> Kind:
    if value_kind == "yoy_pct" or name.endswith("同比"):
        return "yoy_month"
    if value_kind == "diffusion_index" or any(word in name for word in RATES):
        return "share"
    if any(word in name for word in STOCKS) or name == "M2":
        return "level_eop"
    return "level_ytd" if name.endswith("累计值") else "level_month"


@cache
def load() -> dict[str, Figures]:
    with (FOLDER / "dictionary.csv").open(encoding="utf-8") as lines:
        meaning = {row["Code"]: (row["Factor_CN"], row["value_kind"]) for row in csv.DictReader(lines)}
    known: dict[str, dict[int, float]] = defaultdict(dict)
    for file in ("monthly_long.csv", "monthly_extra_long.csv"):
        with (FOLDER / file).open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                known[row["code"]][Period.parse(row["period"]).ordinal] = float(row["value"])
    figures = {}
    for code, cells in known.items():
        kind = kind_of(*meaning.get(code, (code, "")))
        first = Period(Freq.M, min(cells))
        values = np.array([cells.get(first.ordinal + i, np.nan) for i in range(max(cells) - min(cells) + 1)])
        rule = PairRule.seen_in(first, values) if kind == "level_ytd" else SEPARATE
        figures[code] = published(kind, first, values, pairs=rule)
    return figures


def declared(value_kind: str) -> list[str]:
    with (FOLDER / "dictionary.csv").open(encoding="utf-8") as lines:
        return [row["Code"] for row in csv.DictReader(lines) if row["value_kind"] == value_kind]


def test_all_hundred_series_load_with_their_kinds() -> None:
    figures = load()
    assert len(figures) == 100
    assert {figures[code].kind for code in declared("yoy_pct")} == {"yoy_month"}
    assert {figures[code].kind for code in declared("diffusion_index")} == {"share"}
    assert {figures[code].kind for code in declared("current_value")} == {"level_month", "level_eop", "share"}
    assert sorted(code for code in declared("ytd_cumulative_value") if figures[code].kind == "level_ytd") == sorted(
        GROSS
    )
    values = sum(int(f.has(Origin.PUBLISHED).sum()) for f in figures.values())
    assert values == 17_899 + 5_868  # every row of both files


@pytest.mark.parametrize("code", GROSS)
def test_a_year_to_date_series_turns_into_months(code: str) -> None:
    ytd = load()[code]
    month = derive(ytd, "level_month")
    # The twin: one value after the other, as one would with pencil and paper.
    known = {int(t): float(v) for t, v in zip(ytd.ordinals, ytd.values, strict=True) if not np.isnan(v)}
    expected: dict[int, tuple[float, bool]] = {}
    for t, value in known.items():
        if t % 12 == 0:
            expected[t] = value, False
        elif t % 12 == 1 and t - 1 not in known:
            expected[t] = value, True
        elif t - 1 in known:
            expected[t] = value - known[t - 1], False
    found = np.flatnonzero(~np.isnan(month.values))
    assert {int(month.ordinals[i]) for i in found} == set(expected)
    for i in found:
        value, pair = expected[int(month.ordinals[i])]
        assert month.values[i] == pytest.approx(value, abs=1e-6)
        assert bool(month.has(Origin.PAIR)[i]) is pair
    assert month.has(Origin.PAIR).any()
    # Back again wherever no month is lost to a gap earlier in its year.
    back = derive(month, "level_ytd")
    there = ~np.isnan(back.values)
    np.testing.assert_allclose(back.values[there], ytd.values[there], rtol=1e-12)
    assert there.sum() > 0.6 * len(known)


def test_the_rate_among_the_year_to_date_series_is_not_differenced() -> None:
    rate = load()["IEP"]  # production and sales rate since January, in percent: a ratio of sums, not a sum
    assert declared("ytd_cumulative_value").count("IEP") == 1
    assert np.nanmin(rate.values) > 90
    assert np.nanmax(rate.values) < 101
    with pytest.raises(Refused, match="neither a sum nor a growth"):
        derive(rate, "level_month")


def test_fixed_asset_investment() -> None:
    fai = load()["FAI"]
    month = derive(fai, "level_month").over(Period.parse("2008-01"), Period.parse("2008-03"))
    np.testing.assert_allclose(month.values, [np.nan, 8121.29, 10195.65], rtol=1e-12)
    for to in ("yoy_ytd", "index_yoy_ytd"):
        with pytest.raises(
            Refused, match="official growth is never computed from published levels: their scope and base"
        ):
            derive(fai, to)
    computed = nominal_growth(fai, "yoy_ytd")
    december = [computed.values[Period.parse(f"{year}-12") - fai.first] for year in (2018, 2019, 2020, 2021)]
    np.testing.assert_allclose(december, [0.6, -13.2, -5.9, 4.9], atol=0.05)  # official: 5.9, 5.4, 2.9, 4.9
    assert np.all(computed.has(Origin.NOMINAL_SCOPE) == ~np.isnan(computed.values))


def test_the_purchasing_managers_index_is_its_five_parts() -> None:
    total, orders, output, staff, delivery, stock = (load()[c] for c in ("PMI", "PMO", "PMP", "PMY", "PMS", "PMV"))
    first, last = total.first, total.first + (len(total) - 1)
    o, p, e, d, s = (f.over(first, last).values for f in (orders, output, staff, delivery, stock))
    error = 0.30 * o + 0.25 * p + 0.20 * e + 0.15 * (100 - d) + 0.10 * s - total.values
    assert len(error) == 218 == np.isfinite(error).sum()
    assert np.abs(error).max() <= 0.07 + 1e-9  # 2012-11 is 0.07 exactly: each part is rounded to 0.1
