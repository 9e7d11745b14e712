"""Recipes on the synthetic province, where the truth behind each published figure is known, and on figures one can do by hand."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import monthly
import numpy as np
import polars as pl
import provincial
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import align, regarima
from engine.calendar import Freq, Period, end_of, known_day
from engine.errors import BadInput, NotConverged, NotEnoughData
from engine.figures import Origin
from engine.indicator import Region, Series
from engine.kinds import pair_rule
from engine.panel import EPOCH, Panel
from engine.typing import Floats
from featurestore import catalogue
from featurestore.catalogue import features
from featurestore.compute import compute, last_review
from featurestore.features import resolve
from featurestore.memory import MemoryStore
from featurestore.panel import Cube, build_panel, cells_of, feature_values, plan_of, pseudo_panel
from featurestore.trace import trace
from modelzoo.nowcast.bridge import Bridge
from modelzoo.nowcast.dfm import Dfm

END = end_of(date(2026, 2, 20))
PAIR, IMPUTED, NOMINAL = int(Origin.PAIR), int(Origin.IMPUTED), int(Origin.NOMINAL_SCOPE)
QUICK = (
    "retail_total_ytd.month", "retail_total_ytd.yoy", "retail_total.yoy", "retail_yoy.real", "retail_yoy.two_year",
    "export_value.yoy", "trade_total_ytd.month", "svc_revenue_yoy_ytd.month", "income_all_yoy_ytd.quarter",
    "income_all_yoy_ytd.real", "gdp_ytd.quarter", "gdp_ytd.yoy", "gdp_ytd.monthly", "cpi_mom.level", "cpi_mom.mom",
    "cpi_yoy.yoy", "cpi_yoy_ytd.yoy", "loans_balance.yoy", "loans_yoy.two_year", "zj_mfg_pmi.year_change",
    "enterprise_boom.year_change", "gdp_yoy_ytd.two_year",
)  # fmt: skip
SLOW = ("elec_total.mom", "gdp_ytd.qoq")
MAY = date(2014, 5, 25)  # of all panels with adjusted columns, so that their models are searched for once


def ids(names: Sequence[str]) -> list[str]:
    return [f"{name}@SYN-33" for name in names]


def column(panel: Panel, name: str) -> tuple[Floats, np.ndarray]:
    return panel.matrix([f"{name}@SYN-33"])[:, 0], panel.flags_of([f"{name}@SYN-33"])[:, 0]


def true(panel: Panel, name: str, of: str = "level") -> Floats:
    """The true level on the axis of the panel."""
    frame = provincial.truth(name)
    at = frame["period"].to_numpy() - panel.first.ordinal
    out = np.full(panel.months, np.nan)
    inside = (at >= 0) & (at < panel.months)
    out[at[inside]] = frame[of].to_numpy()[inside]
    return out


@pytest.fixture(scope="module")
def cube() -> Cube:
    return Cube(provincial.store(), [*ids(QUICK), "retail_yoy@SYN-33", "gdp_yoy_ytd@SYN-33"])


@pytest.fixture(scope="module")
def today(cube: Cube) -> Panel:
    return cube.panel(END)


# --- against the truth


@pytest.mark.parametrize(
    ("feature", "name", "rounding"),
    [
        ("fiscal_general_rev_ytd.month", "fiscal", 0.01),  # January to December, sums to two decimals
        ("elec_total_ytd.month", "power", 0.01),
        ("re_sales_area_ytd.month", "re_sales", 0.01),  # January with February in every year
    ],
)
def test_months_are_the_true_months_within_rounding(feature: str, name: str, rounding: float) -> None:
    panel = build_panel(provincial.store(), ids([feature]), END)
    values, flags = column(panel, feature)
    level = true(panel, name)
    pair = (flags & PAIR) != 0
    level = np.where(pair, level + np.r_[np.nan, level[:-1]], level)
    if name == "re_sales":
        assert str(panel.first) == "2008-02"
        level[0] = (
            provincial.truth(name)
            .filter(pl.col("period").is_in([panel.first.ordinal - 1, panel.first.ordinal]))["level"]
            .sum()
        )
    known = ~np.isnan(values)
    assert known.sum() == (216 if name != "re_sales" else 216 - 18)
    assert np.abs(values - level)[known].max() <= rounding + 1e-9


def test_january_and_february_are_one_observation(today: Panel) -> None:
    months = np.arange(today.first.ordinal, today.first.ordinal + today.months)
    values, flags = column(today, "retail_total_ytd.month")
    january, february = months % 12 == 0, months % 12 == 1
    assert np.isnan(values[january]).all()
    assert set(flags[february & ~np.isnan(values)]) == {PAIR}
    assert not flags[~february].any()
    values, flags = column(today, "trade_total_ytd.month")  # apart to 2019, together since 2020
    assert list(np.unique(months[np.isnan(values) & (months < Period.parse("2026-01").ordinal)] // 12)) == list(
        range(2020, 2026)
    )
    assert set(months[flags == PAIR] // 12) == set(range(2020, 2026))
    values, flags = column(today, "export_value.yoy")  # the first pair stands on last year's January and February
    store = provincial.store()
    known = dict(store.known(["export_value@SYN-33"], END).select("period", "value").iter_rows())
    at = Period.parse("2020-02").ordinal
    expected = 100 * (known[at] / (known[at - 12] + known[at - 13]) - 1)
    assert values[at - today.first.ordinal] == pytest.approx(expected, rel=1e-12)
    assert flags[at - today.first.ordinal] == PAIR | NOMINAL


def test_growth_from_levels_is_flagged_and_is_not_the_official_one(today: Panel) -> None:
    computed, flags = column(today, "retail_total_ytd.yoy")
    known = ~np.isnan(computed)
    assert ((flags[known] & NOMINAL) != 0).all()
    official, plain = column(today, "retail_yoy")
    assert not (plain & ~np.uint8(PAIR)).any()
    gap = np.abs(computed - official)[known & ~np.isnan(official)]
    assert gap.max() > 1.0  # the scope moves each January
    two, flags = column(today, "retail_yoy.two_year")
    assert not (flags & NOMINAL).any()
    at = Period.parse("2021-06") - today.first
    assert two[at] == pytest.approx(
        100 * (np.sqrt((1 + official[at] / 100) * (1 + official[at - 12] / 100)) - 1), rel=1e-12
    )


def test_growth_of_the_month_from_growth_since_january_is_the_true_one(today: Panel) -> None:
    """Within what rounding of growth to 0.05 may cost, ε (C_m + C_(m-1)) / x_m; the scope is this year's in both and falls out."""
    values, flags = column(today, "svc_revenue_yoy_ytd.month")
    level = true(today, "services", "basis")
    pair = (flags & PAIR) != 0
    sums = np.array([level[max(0, t - (today.first.ordinal + t) % 12) : t + 1].sum() for t in range(len(level))])
    two = np.where(pair, level + np.r_[np.nan, level[:-1]], level)
    was = np.where(
        pair,
        np.r_[np.full(12, np.nan), level[:-12]] + np.r_[np.full(13, np.nan), level[:-13]],
        np.r_[np.full(12, np.nan), level[:-12]],
    )
    truth = 100 * (two / was - 1)
    bound = 0.06 * (sums + np.r_[0.0, sums[:-1]]) / two * 1.3 + 0.2
    known = ~np.isnan(values) & ~np.isnan(truth)
    assert known.sum() > 180
    assert (np.abs(values - truth)[known] <= bound[known]).all()


def test_prices(today: Panel) -> None:
    rate, _ = column(today, "cpi_mom.mom")
    level, flags = column(today, "cpi_mom.level")
    cpi = true(today, "cpi")
    known = ~np.isnan(level)
    assert not flags.any()
    np.testing.assert_allclose(level[known], 100 * np.cumprod(1 + rate[known] / 100), rtol=1e-12)
    drift = np.log(level[known] / cpi[known])
    assert np.ptp(drift) < 0.0005 * np.sqrt(216) * 2  # each step is rounded to 0.1
    year, _ = column(today, "cpi_yoy.yoy")
    truth = 100 * (cpi / np.r_[np.full(12, np.nan), cpi[:-12]] - 1)
    both = ~np.isnan(year) & ~np.isnan(truth)
    assert np.abs(year - truth)[both].max() <= 0.05 + 1e-9
    real, flags = column(today, "retail_yoy.real")
    nominal, _ = column(today, "retail_yoy")
    at = Period.parse("2015-02") - today.first
    assert flags[at] == PAIR
    mean = (year[at] + year[at - 1]) / 2
    assert real[at] == pytest.approx(100 * ((1 + nominal[at] / 100) / (1 + mean / 100) - 1), rel=1e-12)
    at = Period.parse("2015-09") - today.first
    assert real[at] == pytest.approx(100 * ((1 + nominal[at] / 100) / (1 + year[at] / 100) - 1), rel=1e-12)
    income, _ = column(today, "income_all_yoy_ytd.real")
    prices, _ = column(today, "cpi_yoy_ytd.yoy")
    store = provincial.store()
    said = dict(store.known(["income_all_yoy_ytd@SYN-33"], END).select("period", "value").iter_rows())
    quarter = Period.parse("2015-Q3")
    row = today.row(quarter)
    assert income[row] == pytest.approx(
        100 * ((1 + said[quarter.ordinal] / 100) / (1 + prices[row] / 100) - 1), rel=1e-12
    )


def test_months_of_gross_product_add_up_and_are_imputed(today: Panel) -> None:
    months, flags = column(today, "gdp_ytd.monthly")
    quarters, _ = column(today, "gdp_ytd.quarter")
    known = np.flatnonzero(~np.isnan(months))
    assert set(flags[known]) == {IMPUTED}
    whole = [t for t in known if not np.isnan(quarters[t])]
    assert len(whole) == 72
    for t in whole:
        assert months[t - 2 : t + 1].sum() == pytest.approx(quarters[t], rel=1e-9)
    level = true(today, "gdp")
    quarter = {t - i: level[t - 2 : t + 1].sum() / quarters[t] for t in whole for i in range(3)}
    error = np.array([abs(months[t] * quarter[t] / level[t] - 1) for t in known])
    even = np.array([abs(quarters[t] / 3 * quarter[t] / level[t - i] - 1) for t in whole for i in range(3)])
    assert np.mean(error) < 0.5 * np.mean(even)  # better than a third of the quarter each


def test_growth_of_the_quarter_since_january(today: Panel) -> None:
    values, flags = column(today, "income_all_yoy_ytd.quarter")
    assert today.meaning("income_all_yoy_ytd.quarter@SYN-33").freq is Freq.Q
    level = true(today, "income")
    known = [t for t in np.flatnonzero(~np.isnan(values)) if t >= 14]
    truth = np.array([100 * (level[t - 2 : t + 1].sum() / level[t - 14 : t - 11].sum() - 1) for t in known])
    assert len(known) == 68
    assert np.abs(values[known] - truth).max() < 0.5
    assert not flags.any()


def test_every_feature_of_the_plan_is_made(say: Any) -> None:
    """Whatever the catalogue promises can be computed from figures that keep their rules, and each has values."""
    known, rng, store, promised = catalogue.load(), np.random.default_rng(7), MemoryStore(), []
    for i in (i for i in known.indicators.values() if i.kind and i.freq in (Freq.M, Freq.Q)):
        series = Series(i, Region("CN-33", "Zhejiang", "浙江省"))
        n, first = i.freq.per_year, 2014 * i.freq.per_year
        values = 100 + np.abs(rng.normal(size=5 * n)) * (5 if i.kind.startswith(("level", "count")) else 0.5)
        if i.kind.endswith("ytd") and i.kind.startswith(("level", "count")):
            values = values.reshape(-1, n).cumsum(axis=1).ravel()
        joined = [
            bool(pair_rule(i).combined(np.array([t // 12]))[0]) and t % 12 == 0 for t in range(first, first + 5 * n)
        ]
        said = {first + t: float(v) for t, v in enumerate(values) if not (i.freq is Freq.M and joined[t])}
        load = say(1, series, said, i.id)
        store.append(load.release, load.values, load.series)
        promised += [f"{i.id}.{e.suffix}@CN-33" for e in features.of(known.features, i) if e.recipe]
    assert len(promised) == 273
    stored = store.series()
    adjusting = [f for f in promised if any(o.name == "sa" for o in resolve(f, stored).recipe)]
    quick = [f for f in promised if f not in set(adjusting)]
    panel = build_panel(store, quick, datetime(2020, 1, 5, tzinfo=UTC))
    assert [i for i in panel.ids if panel.frame[i].null_count() == panel.months] == []
    for f in adjusting:  # up to the adjustment, which is the same for all
        feature = resolve(f, stored)
        steps = [o.name for o in feature.recipe]
        made = replace(feature, recipe=feature.recipe[: steps.index("sa")])
        (found,) = compute(
            [made], cells_of(store, [s.id for s in made.sources], datetime(2020, 1, 5, tzinfo=UTC)), _never
        )
        assert found is not None
        assert (~np.isnan(found.values)).sum() >= 19, f


def _never() -> Any:
    raise AssertionError("only an adjustment asks for the last review")


# --- seasonal adjustment


def test_the_model_is_held_from_review_to_review(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("JINGQI_HOME", str(tmp_path))
    seen: list[str] = []
    search = regarima.identify

    def counted(first: Period, values: Floats, *rest: Any) -> Any:
        seen.append(str(first + (len(values) - 1)))
        return search(first, values, *rest)

    monkeypatch.setattr("engine.seasonal.identify", counted)
    cube = Cube(provincial.store(), ids(["fiscal_general_rev_ytd.mom"]))
    panels = [cube.panel(end_of(date(2014, m, 20))) for m in (2, 4, 5, 9)] + [cube.panel(end_of(date(2015, 2, 20)))]
    assert seen == ["2013-02", "2014-02"]  # once for the review of March 2013, once for that of March 2014
    notes = [p.series[0].made.note for p in panels]  # type: ignore[union-attr]
    assert [n[-7:] for n in notes] == ["2013-02", *["2014-02"] * 4]
    assert all(n.startswith("X-13ARIMA-SEATS, X-11, model chosen on data to") for n in notes)
    assert len({p.series[0].made.hash for p in panels}) == 1  # type: ignore[union-attr]
    again = cube.panel(end_of(date(2015, 2, 20)))
    assert len(seen) == 2
    assert again.digest() == panels[-1].digest()
    assert last_review(end_of(date(2014, 3, 30))) == end_of(date(2013, 3, 31))
    assert last_review(end_of(date(2014, 3, 31))) == end_of(date(2014, 3, 31))


def test_what_x13_cannot_take_is_adjusted_by_stl_or_not_at_all_and_says_so() -> None:
    store, names = provincial.store(), ids(["retail_total_ytd.mom", "retail_total_ytd.month"])
    panel = build_panel(store, names, end_of(date(2010, 6, 25)))
    note = panel.series[0].made.note  # type: ignore[union-attr]
    assert note.startswith("STL (29 months, X-13 needs 36")
    assert note.endswith("trading days and Spring Festival not removed")
    early = build_panel(store, names, end_of(date(2009, 6, 25)))
    assert np.isnan(early.values[:, 0]).all()
    assert early.series[0].made.note.startswith("not adjusted: a seasonal pattern needs each season twice")  # type: ignore[union-attr]
    found = trace(store, names[0], Period.parse("2009-04"), end_of(date(2009, 6, 25)))
    assert found.reason == early.series[0].made.note  # type: ignore[union-attr]


@pytest.fixture
def passengers(make: Any, say: Any) -> MemoryStore:
    """The airline passengers of Box and Jenkins, all known from 2 January 2020 on."""
    series = make("air", step="lin", kind="level_month", jan_feb="separate", aggregation="sum")
    load = say(1, series, {monthly.SINCE.ordinal + i: float(x) for i, x in enumerate(monthly.PASSENGERS)})
    store = MemoryStore()
    store.append(load.release, load.values, load.series)
    return store


def note(store: MemoryStore, asof: datetime) -> str:
    made = build_panel(store, ["air.mom@US"], asof).series[0].made
    assert made is not None
    return made.note


def test_a_history_that_came_in_one_load_is_reviewed_on_what_is_known_now(passengers: MemoryStore) -> None:
    """Nothing of it was known at the last review, yet X-13 takes it."""
    asof = datetime(2020, 1, 5, tzinfo=UTC)
    assert note(passengers, asof) == "X-13ARIMA-SEATS, X-11, model chosen on data to 1960-12"
    panel = build_panel(passengers, ["air.mom@US", "air@US"], asof)
    raw = np.diff(np.log(panel.matrix(["air@US"])[:, 0]))
    assert np.nanstd(panel.matrix(["air.mom@US"])) < 25 * np.std(raw)  # in per cent: a quarter of it
    assert not (panel.flags & (PAIR | IMPUTED)).any()


def test_a_model_that_has_seen_what_was_taken_back_since_is_not_held(passengers: MemoryStore, say: Any) -> None:
    april = datetime(2020, 4, 10, tzinfo=UTC)
    assert note(passengers, april).endswith("1960-12")  # of the review at the end of March
    last = monthly.SINCE.ordinal + len(monthly.PASSENGERS) - 1
    load = say(datetime(2020, 4, 5, tzinfo=UTC), passengers.series()["air@US"], {last: None}, "back")
    passengers.append(load.release, load.values, load.series)
    assert note(passengers, april).endswith("1960-11")


def test_where_x13_fails_or_nothing_can_be_kept_there_is_an_answer_all_the_same(
    passengers: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asof = datetime(2020, 1, 5, tzinfo=UTC)
    kept = build_panel(passengers, ["air.mom@US"], asof)
    (tmp_path / "file").touch()
    monkeypatch.setenv("JINGQI_HOME", str(tmp_path / "file" / "home"))  # where no folder can be
    assert same(build_panel(passengers, ["air.mom@US"], asof), kept)

    def fails(*_: Any) -> Any:
        raise NotConverged("X-13: ERROR: Estimation failed to converge")

    monkeypatch.setattr("engine.x13.run", fails)
    said = note(passengers, asof)
    assert said.startswith("STL (none of the models log, level could be estimated)")
    early = note(passengers, datetime(2021, 1, 5, tzinfo=UTC))  # with a review before, which has failed
    assert early == said


def test_an_adjusted_rate_flags_what_a_split_has_touched() -> None:
    panel = build_panel(
        provincial.store(), ids(["re_sales_area_ytd.mom", "re_sales_area_ytd.sa"]), end_of(date(2018, 5, 25))
    )
    months = np.arange(panel.first.ordinal, panel.first.ordinal + panel.months) % 12
    for name, touched in (("re_sales_area_ytd.sa", (0, 1)), ("re_sales_area_ytd.mom", (0, 1, 2))):
        values, flags = column(panel, name)
        known = ~np.isnan(values)
        np.testing.assert_array_equal((flags[known] & IMPUTED) != 0, np.isin(months[known], touched))
        assert not (flags & PAIR).any()
        assert bool((flags[known] & NOMINAL).all()) is (name == "re_sales_area_ytd.mom")
    values, _ = column(panel, "re_sales_area_ytd.mom")
    raw, _ = column(build_panel(provincial.store(), ids(["re_sales_area_ytd.month"]), END), "re_sales_area_ytd.month")
    assert np.nanstd(values) < 0.3 * np.nanstd(100 * np.diff(np.log(raw)))


# --- panels


def same(a: Panel, b: Panel) -> bool:
    return (
        (a.asof, a.series, a.timing, a.digest()) == (b.asof, b.series, b.timing, b.digest())
        and a.values.tobytes() == b.values.tobytes()
        and a.stamps.tobytes() == b.stamps.tobytes()
        and a.flags.tobytes() == b.flags.tobytes()
    )


@pytest.mark.parametrize("day", [date(2008, 3, 1), MAY, date(2020, 3, 31), date(2025, 12, 31)])
def test_a_cube_equals_the_functions_to_the_bit(day: date) -> None:
    store, wanted = provincial.store(), [*ids(QUICK), *ids(SLOW if day == MAY else ()), "retail_yoy@SYN-33"]
    cube, asof = pickle.loads(pickle.dumps(Cube(store, wanted))), end_of(day)  # as it travels to a worker
    assert same(cube.panel(asof), build_panel(store, wanted, asof))
    assert same(cube.pseudo(asof, END), pseudo_panel(store, wanted, asof, END))
    panel = cube.panel(asof)
    assert panel.newest is not None
    assert panel.newest <= asof
    assert [s.made is None for s in cube.series] == [*[False] * (len(wanted) - 1), True]
    if day.year == 2008:
        return
    plain = build_panel(store, ["retail_yoy@SYN-33"], asof)
    flagged = np.flatnonzero(plain.flags[:, 0])  # the office publishes growth of January and February as one
    assert {(plain.first + int(t)).ordinal % 12 for t in flagged} == {1}
    assert (plain.flags[flagged, 0] == PAIR).all()
    assert np.isnan(plain.values[flagged[flagged > 0] - 1, 0]).all()
    np.testing.assert_array_equal(
        plain.frame["retail_yoy@SYN-33"].drop_nulls(), panel.frame["retail_yoy@SYN-33"].drop_nulls()
    )


@given(st.dates(date(2009, 1, 1), date(2025, 12, 1)), st.integers(0, 2**32 - 1))
@settings(max_examples=4, deadline=None)
def test_the_future_moves_no_bit(day: date, seed: int) -> None:
    """All that became known after the day is altered, and the panel of the day is what it was."""
    asof, rng = end_of(day), np.random.default_rng(seed)
    late = pl.col("known_at") > asof
    whole = provincial.shelf().all
    factor = pl.Series(rng.uniform(0.5, 2.0, whole.height))
    other = provincial.shelf().altered(
        whole.with_columns(value=pl.when(late).then(pl.col("value") * factor).otherwise("value"))
    )
    wanted = ids(QUICK)
    expected = build_panel(provincial.store(), wanted, asof)
    assert same(build_panel(other, wanted, asof), expected)
    assert same(Cube(other, wanted).panel(asof), expected)
    if day.year < 2025:
        assert build_panel(other, wanted, END).digest() != build_panel(provincial.store(), wanted, END).digest()


def test_the_future_moves_no_bit_of_an_adjusted_rate_nor_of_its_model() -> None:
    asof = end_of(MAY)
    whole = provincial.shelf().all
    other = provincial.shelf().altered(
        whole.with_columns(value=pl.when(pl.col("known_at") > asof).then(pl.col("value") * 1.5).otherwise("value"))
    )
    wanted = ids(["elec_total.mom"])
    assert same(build_panel(other, wanted, asof), build_panel(provincial.store(), wanted, asof))
    later = end_of(date(2014, 6, 25))
    assert build_panel(other, wanted, later).digest() != build_panel(provincial.store(), wanted, later).digest()


def test_a_feature_reads_of_the_store_what_it_is_made_of() -> None:
    plan = plan_of(provincial.store(), ids(["gdp_ytd.monthly", "retail_total_ytd.month", "retail_total_ytd"]))
    assert plan.ids == ids(["gdp_ytd", "ind_va_ytd", "retail_total_ytd", "svc_revenue_ytd"])
    assert [s.id for s in plan.series] == ids(["gdp_ytd.monthly", "retail_total_ytd.month", "retail_total_ytd"])


def test_a_pair_of_sales_is_a_sum_and_one_of_growth_a_mean(today: Panel) -> None:
    found, times = align.pairs(today, ids(["retail_total_ytd.month", "retail_total_ytd.yoy"]))
    at = Period.parse("2015-02") - today.first
    assert found[at - 1 : at + 2].tolist() == [[False, False], [True, True], [False, False]]
    assert times.tolist() == [2.0, 1.0]


# --- traces


@pytest.mark.parametrize("name", QUICK)
def test_a_traced_cell_is_the_panels_and_its_newest_release_the_stamp(name: str, cube: Cube) -> None:
    asof = end_of(date(2020, 5, 25))
    panel, series_id = cube.panel(asof), f"{name}@SYN-33"
    freq = panel.meaning(series_id).freq
    for text in ("2008-01", "2009-02", "2019-12", "2020-01", "2020-02", "2020-03", "2020-06"):
        period = Period.parse(text).to(freq)
        row = panel.row(period)
        inside = 0 <= row < panel.months
        value = panel.matrix([series_id])[row, 0] if inside else np.nan
        found = trace(provincial.store(), series_id, period, asof)
        if np.isnan(value):
            assert found.value is None
            assert found.reason, (name, text)
            continue
        assert found.value == value
        assert found.flags == panel.flags_of([series_id])[row, 0]
        newest = found.sources["known_at"].max()
        assert isinstance(newest, datetime)
        assert int((newest - EPOCH).total_seconds() * 1e6) == panel.known_at([series_id])[row, 0]


def test_a_trace_sums_up_to_its_value() -> None:
    asof = end_of(date(2018, 5, 25))
    found = trace(provincial.store(), "retail_total_ytd.month@SYN-33", Period.parse("2018-04"), asof)
    assert found.sources["period"].to_list() == ["2018-04", "2018-03"]
    assert found.value == found.sources["value"][0] - found.sources["value"][1]
    assert found.step == "retail_total_ytd | month"
    assert found.sources["source"].to_list() == ["synthetic-province"] * 2
    found = trace(provincial.store(), "svc_revenue_yoy_ytd.month@SYN-33", Period.parse("2018-03"), asof)
    assert found.sources.select("series", "period").rows() == [
        ("svc_revenue_yoy_ytd@SYN-33", "2018-03"), ("svc_revenue_yoy_ytd@SYN-33", "2018-02"),
        ("svc_revenue_ytd@SYN-33", "2018-03"), ("svc_revenue_ytd@SYN-33", "2018-02"),
    ]  # fmt: skip
    (g3, g2), (c3, c2) = (found.sources["value"][i : i + 2] for i in (0, 2))
    b3, b2 = c3 / (1 + g3 / 100), c2 / (1 + g2 / 100)
    assert found.value == pytest.approx(100 * ((c3 - c2) / (b3 - b2) - 1), rel=1e-12)
    adjusted = trace(provincial.store(), "elec_total.mom@SYN-33", Period.parse("2012-03"), end_of(MAY))
    assert adjusted.sources.height == 76  # filters have seen every month
    assert adjusted.note.startswith("X-13")


@pytest.mark.parametrize(
    ("feature", "period", "reason"),
    [
        ("retail_total_ytd.month", "2018-01", "retail_total_ytd@SYN-33: 2018-01 is published together with February"),
        ("retail_yoy.real", "2018-05", "retail_yoy@SYN-33: 2018-05 was first released on 2018-06-16, after 2018-05-25"),
        ("retail_total_ytd.yoy", "2008-03", "retail_total_ytd@SYN-33: 2007-03 was never released"),
        ("gdp_ytd.monthly", "2018-05", "gdp_ytd@SYN-33: 2018-Q2 was first released on 2018-07-16, after 2018-05-25"),
        ("cpi_mom.level", "2007-12", "cpi_mom@SYN-33: 2007-12 was never released"),
    ],
)  # fmt: skip
def test_an_empty_cell_says_why(feature: str, period: str, reason: str) -> None:
    found = trace(provincial.store(), f"{feature}@SYN-33", Period.parse(period), end_of(date(2018, 5, 25)))
    assert found.value is None
    assert found.reason.removesuffix(", as one observation") == reason


def test_a_base_that_was_taken_back_is_the_reason(make: Any, say: Any) -> None:
    ytd = make("x", step="lin", kind="level_ytd", jan_feb="separate", aggregation="last")
    jan = Period.parse("2019-01").ordinal
    store = MemoryStore()
    for load in (say(1, ytd, {jan: 10.0, jan + 1: 30.0}), say(3, ytd, {jan: None})):
        store.append(load.release, load.values, load.series)
    asof = datetime(2020, 1, 5, tzinfo=UTC)
    found = trace(store, "x.month@US", Period.parse("2019-02"), asof)
    assert (found.value, found.reason) == (None, "x@US: 2019-01 was taken back on 2020-01-02")
    assert trace(store, "x.month@US", Period.parse("2019-02"), datetime(2020, 1, 2, tzinfo=UTC)).value == 20.0
    with pytest.raises(BadInput, match=r"x\.month@US has frequency M, and 2019-Q1 is of frequency Q"):
        trace(store, "x.month@US", Period.parse("2019-Q1"), asof)


def test_a_january_against_the_rule_is_named(make: Any, say: Any) -> None:
    ytd = make("x", step="lin", kind="level_ytd", jan_feb="combined", aggregation="last")
    load = say(1, ytd, {Period.parse("2019-01").ordinal: 10.0})
    store = MemoryStore()
    store.append(load.release, load.values, load.series)
    with pytest.raises(
        BadInput, match=r"x\.month@US: x@US: level_ytd: 2019-01 has a value, but the rule is 'combined'"
    ):
        build_panel(store, ["x.month@US"], datetime(2020, 1, 5, tzinfo=UTC))
    with pytest.raises(NotEnoughData):
        build_panel(store, ["x.month@US"], datetime(2019, 1, 5, tzinfo=UTC))


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), st.integers(0, 11), st.booleans(), st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_months_by_hand(
    make: Any, say: Any, months: list[float], start: int, paired: bool, data: st.DataObject
) -> None:
    """Sums since January of any months give these back, wherever a January or a gap lies; each is as new as its newest sum."""
    first = 24000 + start
    sums: dict[int, float] = {}
    for t, x in enumerate(months, first):
        sums[t] = x + (sums[t - 1] if t % 12 and t - 1 in sums else 0.0)
    said = {t: v for t, v in sums.items() if not (paired and t % 12 == 0)}
    gap = data.draw(st.sampled_from(sorted(said)))
    if len(said) > 2:
        del said[gap]
    if not said:
        return
    rule = "combined" if paired else "separate"
    series = make("x", step="lin", kind="level_ytd", jan_feb=rule, aggregation="last")
    store = MemoryStore()
    days = {t: data.draw(st.integers(1, 20)) for t in said}
    for day in sorted(set(days.values())):
        load = say(day, series, {t: said[t] for t in said if days[t] == day}, f"r{day}")
        store.append(load.release, load.values, load.series)
    expected: dict[int, tuple[float, int]] = {}
    for t, value in said.items():
        if t % 12 == 0 or (paired and t % 12 == 1):
            expected[t] = value, days[t]
        elif t - 1 in said:
            expected[t] = value - said[t - 1], max(days[t], days[t - 1])
    asof = datetime(2020, 2, 1, tzinfo=UTC)
    if not expected:
        with pytest.raises(NotEnoughData):
            build_panel(store, ["x.month@US"], asof)
        return
    _, frame = feature_values(store, "x.month@US", asof)
    assert frame["period"].to_list() == sorted(expected)
    assert [(v, k.day) for v, k in frame.select("value", "known_at").iter_rows()] == [
        expected[t] for t in sorted(expected)
    ]
    assert frame["flags"].to_list() == [PAIR if paired and t % 12 == 1 else 0 for t in sorted(expected)]


# --- models


def test_models_of_gross_product_read_features() -> None:
    """A bridge and a factor model on comparable monthly columns, by the same panel as any other series."""
    target = "gdp_yoy_ytd@SYN-33"
    monthly = ids(["ind_va_yoy", "retail_yoy", "export_value.yoy", "svc_revenue_yoy_ytd.month", "zj_mfg_pmi"])
    cube = Cube(provincial.store(), [target, *monthly])
    panel = cube.panel(end_of(date(2019, 12, 20)))
    quarter = Period.parse("2019-Q4")
    bridge = Bridge(target, tuple(monthly[:3])).fit(panel)
    truth = cube.panel(END).frame[target][cube.panel(END).row(quarter)]
    assert bridge.estimate(panel, [quarter]).at(quarter) == pytest.approx(truth, abs=1.5)
    model = Dfm(target, {"global": (target, *monthly)}, since="2010-01", tolerance=1e-4)
    assert model.fit(panel).estimate(panel, [quarter]).at(quarter) == pytest.approx(truth, abs=1.5)


def test_the_day_of_a_feature_is_that_of_its_slowest_source() -> None:
    feature = resolve("gdp_ytd.monthly@SYN-33", provincial.store().series())
    assert feature.series.indicator.delay_days == 49
    assert feature.series.is_synthetic
    assert known_day(END) == date(2026, 2, 20)
