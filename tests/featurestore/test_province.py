"""The synthetic province: what it publishes, held against its own truth and against what was measured on real figures."""

from __future__ import annotations

import hashlib
import time
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.calendar import Freq, Period, known_day
from engine.errors import BadInput
from engine.festival import regressor
from engine.indicator import is_synthetic
from engine.typing import Floats
from featurestore import catalogue
from featurestore.ingest import read
from featurestore.sources.province import Economy, economy
from featurestore.sources.province.conditions import BEGIN, CODES, CONDITIONS, RATIO, TRADE
from featurestore.sources.province.latent import FIRST, MONTHS, ar2, turning_points
from featurestore.sources.province.levels import SHARES, Level
from featurestore.sources.province.meaning import CITIES, PROVINCE, Line, lines
from featurestore.sources.province.publication import WINDOWS, published
from featurestore.sources.province.releases import VERSION
from featurestore.sources.province.survey import ENVIRONMENT
from featurestore.sources.province.vintages import CENSUSES

VERSION_1 = "db039cb6340fd8a3"
CONDITIONS_1 = "c6a36757f7d9edf7"


@pytest.fixture(scope="module")
def made() -> Economy:
    return economy()


@pytest.fixture(scope="module")
def faulty() -> Economy:
    return economy(faults=True)


@pytest.fixture(scope="module")
def said(made: Economy) -> pl.DataFrame:
    """All rows of all releases in the order in which they became known."""
    return _rows(made)


def _rows(made: Economy) -> pl.DataFrame:
    frames = (
        x.values.with_columns(pl.lit(x.release.known_at).alias("known_at"), pl.lit(x.release.code).alias("code"))
        for x in made.releases()
    )
    return pl.concat(frames)


def digest(made: Economy) -> str:
    found = hashlib.sha256()
    for load in (x for x in made.releases() if x.release.code not in CODES):  # of these: see CONDITIONS_1
        found.update(repr((load.release.code, load.release.known_at, load.values.rows())).encode())
    first_asked = made.answers.drop(ENVIRONMENT)  # asked later, by chance of its own: the others must not move
    numbers = first_asked.select("firm", "answered", pl.col(pl.Int8).fill_null(-1)).cast(pl.Int64)
    found.update(numbers.to_numpy().tobytes(order="C"))
    return found.hexdigest()[:16]


def latest(said: pl.DataFrame, series: str) -> dict[int, float]:
    return dict(said.filter(pl.col("series") == series).select("period", "value").iter_rows())


def first(said: pl.DataFrame, series: str) -> dict[int, float]:
    return dict(reversed(said.filter(pl.col("series") == series).select("period", "value").rows()))


def province(said: pl.DataFrame, name: str) -> dict[int, float]:
    return latest(said, f"{name}@{PROVINCE.code}")


def truth(made: Economy, name: str, region: str = PROVINCE.code, column: str = "level") -> Floats:
    found = made.truth.levels.filter(pl.col("name") == name, pl.col("region") == region).sort("period")
    return found[column].to_numpy()


def test_a_seed_gives_one_economy_and_quickly(made: Economy) -> None:
    start = time.process_time()
    again = economy()
    assert time.process_time() - start < 5
    assert digest(again) == digest(made) == VERSION_1, "another economy for the same seed needs another VERSION"
    assert VERSION == 1
    assert again.truth.levels.equals(made.truth.levels)
    assert digest(economy(34)) != digest(made)


def test_faults_leave_the_truth_and_the_survey_alone(made: Economy, faulty: Economy) -> None:
    assert faulty.truth.levels.equals(made.truth.levels)
    assert faulty.answers.equals(made.answers)
    assert made.key.is_empty()


def test_nothing_passes_for_real(made: Economy, faulty: Economy) -> None:
    for load in made.releases():
        assert load.release.source == "synthetic-province"
        assert load.release.uri.startswith("synthetic:")
        for series in load.series:
            assert series.is_synthetic
            assert is_synthetic(series.id)
            assert series.region.name_zh.startswith("合成")
            assert series.region.name_en.startswith("Synthetic")
            assert series.indicator.agency.startswith("Synthetic")
    assert not any(s.is_synthetic or is_synthetic(s.id) for s in catalogue.load().all())
    frames = (made.firms, made.answers, made.key, *(getattr(made.truth, f) for f in made.truth.__slots__))
    assert all(frame["is_synthetic"].all() for frame in frames)
    assert faulty.key["is_synthetic"].all()


def test_ids_kinds_and_units_are_those_of_the_catalogue(said: pl.DataFrame) -> None:
    there = catalogue.load().indicators
    by_region = [s.split("@") for s in said["series"].unique()]
    judged = {*CONDITIONS, TRADE, RATIO}
    assert {i for i, _ in by_region} == {line.indicator.id for line in lines()} | judged <= there.keys()
    assert len([i for i, r in by_region if r == PROVINCE.code]) == 39
    assert len([i for i, r in by_region if r == CITIES[10].code]) == 8 + len(judged)


def test_a_release_comes_in_the_window_of_its_group(made: Economy) -> None:
    for load in made.releases():
        day, code = known_day(load.release.known_at), load.release.code
        if code in ("pmi", "prices"):
            assert load.release.precision == "instant"
            assert (load.release.known_at.hour, load.release.known_at.minute) == (1, 30)  # half past nine in Beijing
        if code in WINDOWS:
            low, high = WINDOWS[code]
            end = (day + timedelta(days=1)).day == 1
            assert end if code == "pmi" else low <= day.day <= high or (end and day.month == 2)
        assert all(Period(s.freq, int(p)).start <= day for s in load.series
                   for p in load.values.filter(pl.col("series") == s.id)["period"])  # fmt: skip


def test_january_is_part_of_february_where_the_rule_says_so(made: Economy, said: pl.DataFrame) -> None:
    pairs = 0
    for line in lines():
        if line.indicator.freq is not Freq.M:
            continue
        months = province(said, line.indicator.id)
        for year in range(2008, 2026):
            rule = line.indicator.jan_feb
            paired = rule == "combined" or ("since 2020" in rule and year >= 2020)
            assert (year * 12 in months) != paired, (line.indicator.id, year)
            assert year * 12 + 1 in months
            pairs += paired
    assert pairs > 200
    value, exports = province(said, "export_value"), truth(made, "exports")
    t = Period.parse("2021-01") - FIRST
    assert value[2021 * 12 + 1] == pytest.approx(exports[t] + exports[t + 1], rel=1e-3)
    assert value[2019 * 12 + 1] == pytest.approx(exports[t - 23], rel=1e-3)


def test_sums_since_january_never_fall(said: pl.DataFrame) -> None:
    for line in lines():
        if line.indicator.kind == "level_ytd":
            months = sorted(province(said, line.indicator.id).items())
            n = line.indicator.freq.per_year
            assert all(b > a for (p, a), (q, b) in pairwise(months) if p // n == q // n)


def test_growth_is_the_true_one_and_not_that_of_the_published_levels(made: Economy, said: pl.DataFrame) -> None:
    for name, of in (("gdp_yoy_ytd", "gdp"), ("ind_va_yoy_ytd", "ind_va"), ("retail_yoy_ytd", "retail")):
        sums = truth(made, of, column="basis").reshape(-1, 12).sum(axis=1)
        growth = province(said, name)
        n = 4 if of == "gdp" else 12
        for year in range(2008, 2025):
            assert growth[year * n + n - 1] == pytest.approx(
                100 * (sums[year - 2007] / sums[year - 2008] - 1), abs=0.051
            )
    level, growth = province(said, "retail_total_ytd"), province(said, "retail_yoy_ytd")
    december = [12 * y + 11 for y in range(2009, 2026)]
    gap = np.array([100 * (level[m] / level[m - 12] - 1) - growth[m] for m in december])
    assert 0.5 < np.abs(gap).mean() < 4


def test_cities_add_up(made: Economy, said: pl.DataFrame) -> None:
    for name in ("gdp", "retail", "power", "fai"):
        for column in ("level", "basis"):
            whole = truth(made, name, column=column)
            np.testing.assert_allclose(sum(truth(made, name, c.code, column) for c in CITIES), whole, rtol=1e-12)
    for name in ("gdp_ytd", "retail_total_ytd", "fiscal_general_rev_ytd", "elec_total_ytd"):
        for version in (first, latest):
            whole_said = version(said, f"{name}@{PROVINCE.code}")
            parts = [version(said, f"{name}@{c.code}") for c in CITIES]
            assert all(p.keys() == whole_said.keys() for p in parts)
            gaps = [abs(sum(p[at] for p in parts) / value - 1) for at, value in whole_said.items()]
            assert 0 < max(gaps) < 0.003


def test_every_census_raises_history(said: pl.DataFrame) -> None:
    gdp = said.filter(pl.col("series") == f"gdp_ytd@{PROVINCE.code}")
    for year, day in CENSUSES.items():
        now = gdp.filter(pl.col("code") == "accounts-census", pl.col("known_at").dt.year() == day.year)
        before = dict(gdp.filter(pl.col("known_at") < now["known_at"][0]).select("period", "value").iter_rows())
        found = {p: v / before[p] - 1 for p, v in now.select("period", "value").iter_rows()}
        assert 0.009 < found[year * 4 + 3] < 0.042
        back = [found[y * 4 + 3] for y in range(max(year - 4, 2008), year + 1)]
        assert back == sorted(back)
    verified = gdp.filter(pl.col("code") == "accounts-verified")
    assert verified["known_at"].dt.month().unique().to_list() == [11]
    year_ends = verified.filter(pl.col("period") % 4 == 3)
    estimates = first(said, f"gdp_ytd@{PROVINCE.code}")
    moved = [v / estimates[p] - 1 for p, v in year_ends.select("period", "value").iter_rows()]
    assert len(moved) == 17
    assert 0.0005 < np.std(moved) < 0.025  # some first estimates lie before a census, some after


def test_seasonal_shares_are_those_measured(said: pl.DataFrame) -> None:
    names = {"retail": "retail_total_ytd", "profit": "ind_profit_ytd", "power": "elec_total_ytd",
             "fiscal": "fiscal_general_rev_ytd", "re_investment": "re_investment_ytd"}  # fmt: skip
    for key, name in names.items():
        sums = province(said, name)
        years = [
            np.diff([0.0, *(sums[12 * y + m] for m in range(1, 12))]) / sums[12 * y + 11] for y in range(2012, 2020)
        ]
        np.testing.assert_allclose(100 * np.mean(years, axis=0), SHARES[key], atol=0.4)


def test_volatility_is_near_that_measured(said: pl.DataFrame) -> None:
    def moves(name: str) -> float:
        return float(np.std(np.diff([v for _, v in sorted(province(said, name).items())])))

    assert moves("cpi_yoy") == pytest.approx(0.58, abs=0.15)  # percentage points from month to month, 2005 to 2019
    assert moves("ppi_yoy") == pytest.approx(0.97, abs=0.2)
    assert moves("zj_mfg_pmi") == pytest.approx(1.56, abs=0.5)
    assert moves("ind_va_yoy") == pytest.approx(4.0, abs=1.2)


def test_indicators_move_with_gdp(said: pl.DataFrame) -> None:
    gdp = sorted(province(said, "gdp_yoy_ytd").items())
    growth = np.array([v for _, v in gdp])
    industry, pmi = province(said, "ind_va_yoy_ytd"), province(said, "zj_mfg_pmi")
    assert np.corrcoef(growth, [industry[3 * q + 2] for q, _ in gdp])[0, 1] > 0.9
    assert np.corrcoef(growth, [np.mean([pmi[3 * q + i] for i in range(3)]) for q, _ in gdp])[0, 1] > 0.4


def test_the_festival_moves_exports_as_measured(made: Economy) -> None:
    exports = np.log(truth(made, "exports"))
    columns = [regressor(FIRST, MONTHS, window) for window in ((-14, -1), (0, 19))]
    # differences over a year take out the trend and the seasons; the years of the shock are left out
    x = np.column_stack([c[12:] - c[:-12] for c in columns])
    y = exports[12:] - exports[:-12]
    calm = np.arange(MONTHS - 12) < Period.parse("2019-01") - FIRST
    slope = np.linalg.lstsq(np.column_stack([x, np.ones(len(y))])[calm], y[calm], rcond=None)[0]
    assert slope[0] == pytest.approx(0.124, abs=0.06)
    assert slope[1] == pytest.approx(-0.274, abs=0.06)


def test_turning_points_are_those_of_the_cycle(made: Economy) -> None:
    states = made.truth.states
    cycle = states["cycle"].to_numpy()
    activity = np.convolve(states["activity"].to_numpy(), np.ones(5) / 5, mode="same")
    turns = made.truth.turning.rows()
    assert [kind for kind, *_ in turns] == ["peak", "trough"] * 6
    assert len(turns) == len(turning_points())
    for kind, period, _ in turns:
        t = period - FIRST.ordinal
        sign = 1 if kind == "peak" else -1
        assert sign * cycle[t] == pytest.approx(1)
        near = slice(max(t - 12, 0), t + 13)
        assert np.argmax(sign * cycle[near]) + near.start == t
        if 12 < t < MONTHS - 12:
            assert abs(int(np.argmax(sign * activity[near])) + near.start - t) <= 5


def test_what_cities_are_judged_by_is_the_same_for_a_seed(made: Economy, said: pl.DataFrame) -> None:
    found = hashlib.sha256()
    for load in made.releases():
        if load.release.code in CODES:
            found.update(repr((load.release.code, load.release.known_at, load.values.rows())).encode())
    assert found.hexdigest()[:16] == CONDITIONS_1
    judged = {*CONDITIONS, TRADE, RATIO}
    ids = {s for s in said["series"].unique() if s.split("@")[0] in judged and s != f"{TRADE}@{PROVINCE.code}"}
    assert ids == {f"{name}@{city.code}" for name in judged for city in CITIES}
    about = {s.id: s for load in made.releases() for s in load.series}
    for name in judged:
        mine = about[f"{name}@{CITIES[0].code}"]
        there = latest(said, mine.id)
        assert min(there) // mine.freq.per_year == BEGIN
        assert max(there) == (2024 if mine.freq is Freq.A else 2026 * mine.freq.per_year - 1)


def test_what_cities_are_judged_by_follows_from_the_truth(made: Economy, said: pl.DataFrame) -> None:
    def state(name: str, city: str) -> Floats:
        rows = made.truth.conditions.filter(pl.col("indicator") == name, pl.col("region") == city).sort("period")
        return rows["value"].to_numpy().reshape(-1, 12)

    year, city = 2021, CITIES[4].code
    y = year - FIRST.start.year
    tax = latest(said, f"private_tax_ytd@{city}")
    assert tax[12 * year + 6] == pytest.approx(state("private_tax_ytd", city)[y, :7].sum(), abs=0.006)
    assert 12 * year not in latest(said, f"private_fai_share@{city}"), "January comes with February"
    share = latest(said, f"private_fai_share@{city}")
    assert share[12 * year + 1] == pytest.approx(state("private_fai_share", city)[y, :2].mean(), abs=0.051)
    assert latest(said, f"pm25_avg@{city}")[12 * year] == pytest.approx(state("pm25_avg", city)[y, 0], abs=0.051)
    urban, rural = (state(f"income_{x}_ytd", city)[y].sum() for x in ("urban", "rural"))
    assert latest(said, f"{RATIO}@{city}")[4 * year + 3] == pytest.approx(urban / rural, abs=6e-4)
    mu = f"mu_tax@{city}"
    assert latest(said, mu)[year] == pytest.approx(state("mu_tax", city)[y].mean(), abs=0.006)
    assert latest(said, mu)[year] != first(said, mu)[year], "first an estimate"
    days = said.filter(pl.col("series") == mu, pl.col("period") == year)["known_at"].dt.date().to_list()
    assert [d.year for d in days] == [2022, 2023]
    assert date(2022, 3, 31) <= days[0] <= date(2022, 4, 5)


def test_trade_of_the_cities_adds_up_in_every_version(said: pl.DataFrame) -> None:
    for version in (first, latest):
        whole = version(said, f"{TRADE}@{PROVINCE.code}")
        parts = [version(said, f"{TRADE}@{c.code}") for c in CITIES]
        assert all(abs(sum(p[at] for p in parts) / whole[at] - 1) < 2e-3 for at in parts[0])
    assert first(said, f"{TRADE}@{CITIES[0].code}") != latest(said, f"{TRADE}@{CITIES[0].code}")


@given(st.integers(0, 10**6), st.sampled_from([line for line in lines() if line.indicator.kind == "level_ytd"]))
@settings(max_examples=30, deadline=None)
def test_months_come_back_from_what_is_published(seed: int, line: Line) -> None:
    months = np.random.default_rng(seed).uniform(1, 100, MONTHS)
    sums = published(line, Level(months, months)).reshape(-1, 12)[1:]
    assert np.isnan(published(line, Level(months, months))[:12]).all()
    whole = months.reshape(-1, 12)[1:]
    np.testing.assert_allclose(sums[:, 11], whole.sum(axis=1))
    if line.indicator.freq is Freq.Q:
        assert np.isfinite(sums).sum(axis=1).tolist() == [4] * 18
        return
    np.testing.assert_allclose(np.diff(sums[:, 1:], axis=1), whole[:, 2:])
    np.testing.assert_allclose(sums[:, 1], whole[:, :2].sum(axis=1))


def test_the_wobble_is_an_autoregression_of_that_size() -> None:
    x = ar2(np.random.default_rng(0), 200_000, (1.3, -0.4), 0.12)
    assert x.std() == pytest.approx(0.12, rel=0.03)
    one, two = (np.corrcoef(x[k:], x[:-k])[0, 1] for k in (1, 2))  # Yule-Walker
    assert one == pytest.approx(1.3 / 1.4, abs=0.01)
    assert two == pytest.approx(1.3 * one - 0.4, abs=0.01)


def test_firms_answer_as_firms_do(made: Economy) -> None:
    quarterly = made.answers.filter(pl.col("freq") == "Q")
    waves = quarterly.group_by("period").agg(pl.len(), pl.col("answered").mean()).sort("period")
    assert waves.height == 72
    assert (waves["len"] == 2000).all()
    assert waves["answered"].mean() == pytest.approx(0.85, abs=0.05)
    last, next_ = (set(quarterly.filter(pl.col("period") == p)["firm"]) for p in (2015 * 4 + 3, 2016 * 4))
    assert len(last & next_) == 1600
    assert set(made.answers["firm"]) == set(made.firms["firm"])
    asked = made.answers.filter(pl.col("freq") == "M").join(made.firms, on="firm")
    assert asked["manufacturing"].all()
    silent = made.answers.filter(~pl.col("answered"))
    assert silent.select(pl.col("new_orders", "business_now", "capacity").is_null().all()).row(0) == (True,) * 3
    straight = made.truth.straight["firm"]
    assert len(straight) / made.firms.height == pytest.approx(0.02, abs=0.005)
    theirs = made.answers.filter(pl.col("firm").is_in(straight.to_list()), pl.col("answered"))
    assert theirs.select(pl.col("new_orders", "business_now").drop_nulls().eq(0).all()).row(0) == (True, True)


def _index(answers: pl.DataFrame, question: str) -> pl.DataFrame:
    """% up and half of % the same, weighted, by wave."""
    share = ((pl.col(question) + 1) / 2 * pl.col("weight")).sum() / pl.col("weight").sum()
    return answers.filter("answered").group_by("period").agg((100 * share).alias(question)).sort("period")


def test_published_survey_indices_are_those_of_the_answers(made: Economy, said: pl.DataFrame) -> None:
    answers = made.answers.join(made.firms.select("firm", "weight"), on="firm")
    monthly, quarterly = (answers.filter(pl.col("freq") == f) for f in ("M", "Q"))
    names = ("new_orders", "production", "employment", "delivery", "stocks")
    o, p, e, d, s = (_index(monthly, q)[q].to_numpy() for q in names)
    pmi = 0.30 * o + 0.25 * p + 0.20 * e + 0.15 * (100 - d) + 0.10 * s
    published = [v for _, v in sorted(province(said, "zj_mfg_pmi").items())]
    np.testing.assert_allclose(pmi, published, atol=0.0501)
    now, later = (2 * _index(quarterly, q)[q].to_numpy() for q in ("business_now", "business_next"))
    published = [v for _, v in sorted(province(said, "enterprise_boom").items())]
    np.testing.assert_allclose(0.4 * now + 0.6 * later, published, atol=0.0501)
    whole = made.truth.survey.filter(pl.col("question") == "business_now").sort("period")["index"].to_numpy()
    assert (now / 2 - whole).mean() > 0.3  # who does badly is silent


def cells(made: Economy) -> dict[tuple[str, int, str], tuple[float, date]]:
    """Value and day of every cell, by series, period and release."""
    found = {}
    for load in made.releases():
        for series, period, value, _ in load.values.iter_rows():
            at = (series, period, f"{load.release.code}/{load.release.uri.removesuffix('/faults')}")
            found[at] = (value, known_day(load.release.known_at))
    return found


@pytest.mark.parametrize("seed", [33, 5])
def test_the_key_says_all_that_is_wrong_and_nothing_else(seed: int) -> None:
    clean, faulty = economy(seed), economy(seed, faults=True)
    right, wrong = cells(clean), cells(faulty)
    different = {at for at in right if wrong.get(at) != right[at]}
    assert wrong.keys() <= right.keys()
    key = faulty.key
    assert key["fault"].n_unique() == 7
    freq = {s.id: s.freq for load in clean.releases() for s in load.series}
    explained = set()
    for fault, series, period, release, known, value, true, _ in key.iter_rows():
        at = next(
            a for a in right if a[:2] == (series, Period.parse(period).ordinal) and a[2].startswith(release + "/")
        )
        explained.add(at)
        assert right[at][0] == true
        assert wrong.get(at) == (None if fault == "missing_city" else (value, known))
        assert Period.parse(period).freq is freq[series]
    shift = key.filter(pl.col("fault") == "level_shift").row(0, named=True)
    later = {a for a in right if a[0] == shift["series"] and a[1] > Period.parse(shift["period"]).ordinal}
    assert all(wrong[a][0] == pytest.approx(right[a][0] * 1.125, rel=1e-4) for a in later)
    assert different == explained | later
    assert {x.release.content for x in clean.releases()}.isdisjoint(
        x.release.content for x in faulty.releases() if x.release.uri.endswith("/faults")
    )


def test_the_command_knows_the_source(made: Economy) -> None:
    assert len(read("province")) == sum(1 for _ in made.releases())
    with pytest.raises(BadInput, match="no file"):
        read("province", path=Path("x.csv"))
