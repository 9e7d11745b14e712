from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.algebra import derive, nominal_growth, split_pair
from engine.calendar import Freq, Period
from engine.errors import BadInput, Refused
from engine.figures import COMBINED, SEPARATE, Figures, Kind, Origin, PairRule, published
from engine.typing import Floats

NAN = np.nan
JAN = Period.parse("2018-01")
PUBLISHED, DERIVED = int(Origin.PUBLISHED), int(Origin.DERIVED)
PAIR, IMPUTED, NOMINAL = int(Origin.PAIR), int(Origin.IMPUTED), int(Origin.NOMINAL_SCOPE)
MIXED = PairRule.parse("separate to 2018, combined since 2019")
timeless = settings(deadline=None)  # a loaded machine is no fault of the algebra
RULES = st.sampled_from([SEPARATE, COMBINED, MIXED])


def paired(kind: Kind, values: Floats, rule: PairRule, basis: str = "") -> Figures:
    """Published figures with the Januaries of combined years taken out."""
    years, months = np.divmod(JAN.ordinal + np.arange(len(values)), 12)
    return published(kind, JAN, np.where((months == 0) & rule.combined(years), NAN, values), pairs=rule, basis=basis)


def vectors(low: float, high: float, size: int = 36) -> st.SearchStrategy[Floats]:
    return st.lists(st.floats(low, high), min_size=size, max_size=size).map(np.array)


def same_sources(a: Figures, b: Figures) -> None:
    np.testing.assert_array_equal(np.isnan(a.values), np.isnan(b.values))
    np.testing.assert_array_equal(a.has(Origin.PAIR), b.has(Origin.PAIR))


# Numbers worked out by hand


def test_fixed_asset_investment_of_2008() -> None:
    ytd = published("level_ytd", Period.parse("2008-01"), np.array([NAN, 8121.29, 18316.94]), pairs=COMBINED)
    month = derive(ytd, "level_month")
    np.testing.assert_allclose(month.values, [NAN, 8121.29, 10195.65], rtol=1e-12)
    assert month.origin.tolist() == [0, DERIVED | PAIR, DERIVED]
    assert month.path == ("level_ytd", "level_month")
    alone = derive(published("level_ytd", ytd.first, ytd.values), "level_month")
    np.testing.assert_allclose(alone.values, [NAN, NAN, 10195.65], rtol=1e-12)  # separate, January simply not known


def test_industry_in_january_and_february_is_one_growth() -> None:
    ytd = published("yoy_ytd", Period.parse("2023-02"), np.array([2.4, 3.0]), pairs=COMBINED, basis="own")
    level = published("level_ytd", Period.parse("2023-02"), np.array([102.4, 154.5]), pairs=COMBINED, basis="own")
    month = derive(ytd, "yoy_month", base=level)
    # last year's sums in this year's scope: 102.4/1.024 = 100, 154.5/1.03 = 150; March 52.1/50
    np.testing.assert_allclose(month.values, [2.4, 4.2], rtol=1e-12)
    assert month.has(Origin.PAIR).tolist() == [True, False]


def test_two_year_average_of_a_base_effect() -> None:
    g = published("yoy_ytd", Period.parse("2020-Q1"), np.array([-6.8, -1.6, 0.7, 2.3, 18.3]))
    two = derive(g, "two_year_average")
    np.testing.assert_allclose(two.values[4], 100 * (np.sqrt(0.932 * 1.183) - 1), rtol=1e-12)
    assert round(float(two.values[4]), 1) == 5.0  # the bureau, April 2021: first quarter, two-year average 5.0
    assert np.isnan(two.values[:4]).all()


def test_levels_from_growth_on_a_base_year() -> None:
    base = published("level_quarter", Period.parse("2020-Q1"), np.array([100.0, 110.0, 120.0, 130.0]))
    growth = published("yoy_quarter", Period.parse("2021-Q1"), np.array([10.0, 5.0, NAN, 1.0, 10.0]), basis="constant")
    level = derive(growth, "level_quarter", base=base)
    assert str(level.first) == "2020-Q1"
    assert level.basis == "constant"
    np.testing.assert_allclose(level.values, [100, 110, 120, 130, 110, 115.5, NAN, 131.3, 121.0], rtol=1e-12)
    assert level.origin.tolist() == [PUBLISHED] * 4 + [DERIVED, DERIVED, 0, DERIVED, DERIVED]
    with pytest.raises(Refused, match="base knows 3 periods in 1 years"):
        derive(growth, "level_quarter", base=base.over(base.first, base.first + 2))
    with pytest.raises(Refused, match="base knows 8 periods in 3 years"):
        derive(growth, "level_quarter", base=level)


def test_month_on_month_chains_from_the_newest_level() -> None:
    mom = published("index_mom", JAN, np.array([100.0, 101.0, 98.0]), pairs=COMBINED)
    level = derive(mom, "level_month", base=published("level_month", JAN, np.array([50.0])))
    np.testing.assert_allclose(level.values, [50.0, 50.5, 49.49], rtol=1e-12)
    assert level.path == ("index_mom", "mom", "level_month")
    assert level.origin.tolist() == [PUBLISHED, DERIVED, DERIVED]


def test_a_pair_is_set_against_last_years_january_plus_february() -> None:
    levels = paired("level_month", np.concatenate([np.full(12, 10.0), np.array([0.0, 22.0, 11.0] + [10.0] * 9)]), MIXED)
    growth = nominal_growth(levels, "yoy_month")
    np.testing.assert_allclose(growth.values[12:15], [NAN, 10.0, 10.0], rtol=1e-12)
    assert growth.origin[13] == DERIVED | PAIR | NOMINAL
    back = nominal_growth(paired("level_month", levels.values, PairRule(((2018, True), (2019, False)))), "yoy_month")
    assert np.isnan(back.values[12:14]).all()  # a February is never set against a pair
    assert np.isnan(nominal_growth(levels, "mom").values[[12, 13, 14]]).all()


def test_a_split_is_flagged_wherever_it_goes() -> None:
    levels = paired(
        "level_month", np.concatenate([[30.0, 70.0], np.full(10, 50.0), [0.0, 118.0], np.full(10, 50.0)]), MIXED
    )
    assert split_pair(levels, "half").values[12:14].tolist() == [59.0, 59.0]
    np.testing.assert_allclose(split_pair(levels, "days").values[12:14], [62.0, 56.0], rtol=1e-12)
    other = published("level_month", JAN + 12, np.array([1.0, 3.0]))
    split = split_pair(levels, other)
    assert split.values[12:14].tolist() == [29.5, 88.5]
    assert split.origin[12:15].tolist() == [DERIVED | IMPUTED, DERIVED | IMPUTED, PUBLISHED]
    assert split.path[-1] == "split by the ratio of other figures"
    assert split_pair(levels, levels).origin[13] == PUBLISHED | PAIR  # what does not know the ratio leaves the pair
    growth = derive(nominal_growth(split, "yoy_month"), "index_yoy")
    assert growth.origin[12] == DERIVED | IMPUTED | NOMINAL
    assert derive(split, "level_ytd").has(Origin.IMPUTED).tolist() == [False] * 12 + [True] * 12
    with pytest.raises(Refused, match="only a flow of the month"):
        split_pair(growth, "half")


def test_a_stock_has_its_january_whatever_the_flows_do() -> None:
    stock = published("level_eop", JAN, np.array([*np.full(12, 100.0), 110.0, 120.0]), pairs=COMBINED)
    growth = nominal_growth(stock, "yoy_month")
    np.testing.assert_allclose(growth.values[12:], [10.0, 20.0], rtol=1e-12)
    assert not growth.has(Origin.PAIR).any()
    told = published("yoy_month", JAN + 12, np.array([NAN, 20.0]), pairs=COMBINED)
    level = derive(told, "level_eop", base=stock.year(2018))
    np.testing.assert_allclose(level.values[12:], [NAN, 120.0], rtol=1e-12)  # not 240


def test_what_covers_other_months_or_has_no_base_is_not_known() -> None:
    mixed = published("yoy_month", JAN, np.array([5.0] * 12 + [NAN] + [5.0] * 11), pairs=MIXED)
    two = derive(mixed, "two_year_average")
    assert np.flatnonzero(~np.isnan(two.values)).tolist() == list(
        range(14, 24)
    )  # a pair is not averaged with a February
    growth = published("yoy_month", JAN, np.array([NAN, 5.0, 5.0]), pairs=COMBINED, basis="b")
    flows = published("level_month", JAN, np.array([NAN, 21.0, 10.5]), pairs=COMBINED, basis="b")
    np.testing.assert_allclose(derive(growth, "yoy_ytd", base=flows).values, [NAN, 5.0, 5.0], rtol=1e-12)
    assert np.isnan(
        derive(growth, "yoy_ytd", base=split_pair(flows, "half")).values
    ).all()  # growth of a pair, half a level
    losses = published("level_quarter", Period.parse("2018-Q1"), np.array([-5.0, 0.0, 5.0, 5.0, 5.0, 5.0, -5.0, 5.0]))
    np.testing.assert_allclose(nominal_growth(losses, "yoy_quarter").values[4:], [NAN, NAN, -200.0, 0.0])


# Refusals


def test_what_must_not_be_derived_is_refused_with_the_reason() -> None:
    v = np.full(24, 5.0)
    ytd, month, stock = (published(k, JAN, v) for k in ("level_ytd", "level_month", "level_eop"))
    yoy, yoy_ytd, mom = (published(k, JAN, v) for k in ("yoy_month", "yoy_ytd", "mom"))
    asked: list[tuple[Figures, Kind]] = [
        (ytd, "yoy_ytd"),
        (ytd, "index_yoy_ytd"),
        (month, "yoy_month"),
        (month, "mom"),
        (stock, "index_yoy"),
    ]
    for source, to in asked:
        with pytest.raises(Refused, match="official growth is never computed from published levels"):
            derive(source, to)
    with pytest.raises(Refused, match="constant prices"):
        derive(yoy_ytd, "yoy_month")
    with pytest.raises(Refused, match="basis 'not stated' and levels on 'not stated'"):
        derive(yoy_ytd, "yoy_month", base=ytd)
    constant = published("yoy_ytd", JAN, v, basis="constant prices")
    with pytest.raises(Refused, match="'constant prices' and levels on 'current prices'"):
        derive(constant, "yoy_month", base=published("level_ytd", JAN, v, basis="current prices"))
    with pytest.raises(Refused, match="one whole base year"):
        derive(yoy, "level_month")
    with pytest.raises(Refused, match=r"one whole base year.*got level_eop"):
        derive(yoy, "level_month", base=stock)
    with pytest.raises(Refused, match="24 periods in 2 years"):
        derive(yoy, "level_month", base=month)
    with pytest.raises(Refused, match="a stock and a flow"):
        derive(stock, "level_month")
    with pytest.raises(Refused, match="do not multiply up"):
        derive(mom, "yoy_month")
    with pytest.raises(Refused, match="neither a sum nor a growth"):
        derive(published("share", JAN, v), "level_month")
    with pytest.raises(Refused, match="needs no base"):
        derive(ytd, "level_month", base=month)
    with pytest.raises(Refused, match="no such growth"):
        nominal_growth(ytd, "yoy_month")


def derived_or_none(source: Figures, to: Kind) -> Figures | None:
    try:
        return derive(source, to)
    except (Refused, BadInput):
        return None


def test_every_pair_of_kinds_is_derived_or_refused() -> None:
    for freq in (Freq.M, Freq.Q):
        first = Period(freq, 2018 * freq.per_year)
        for kind in get_args(Kind):
            try:
                source = published(kind, first, np.full(2 * freq.per_year, 101.0))
            except BadInput:
                assert kind in ("level_quarter", "yoy_quarter") if freq is Freq.M else kind.endswith(("month", "mom"))
                continue
            for to in get_args(Kind):
                if (made := derived_or_none(source, to)) is not None:
                    assert made.kind == to
                    assert made.path[0] == kind


def test_figures_that_contradict_their_rule_are_named() -> None:
    with pytest.raises(BadInput, match="2018-01 has a value, but the rule is 'combined'"):
        published("yoy_month", JAN, np.array([1.0, 2.0]), pairs=COMBINED)
    with pytest.raises(BadInput, match="2018-02 is infinite"):
        published("mom", JAN, np.array([1.0, np.inf]))
    with pytest.raises(BadInput, match="2018-02 must carry the flag PAIR"):
        Figures("level_month", JAN, np.array([NAN, 2.0]), np.array([0, 1], dtype=np.uint8), COMBINED)
    with pytest.raises(BadInput, match="2018-02 carries the flag PAIR"):
        Figures("level_month", JAN, np.array([NAN, 2.0]), np.array([0, 5], dtype=np.uint8))
    with pytest.raises(BadInput, match="without an origin"):
        Figures("share", JAN, np.array([NAN, 2.0]), np.array([1, 1], dtype=np.uint8))
    with pytest.raises(BadInput, match="frequency Q"):
        published("level_month", Period.parse("2018-Q1"), np.array([1.0]))


# Properties


@timeless
@given(vectors(-1e4, 1e6), RULES, st.integers(0, 35))
def test_months_and_sums_there_and_back(values: Floats, rule: PairRule, gap: int) -> None:
    months = paired("level_month", values, rule)
    back = derive(derive(months, "level_ytd"), "level_month")
    np.testing.assert_allclose(back.values, months.values, atol=1e-7)
    same_sources(months, back)
    sums = paired("level_ytd", np.where(np.arange(36) == gap, NAN, values), rule)
    lost = np.isnan(derive(sums, "level_month").values) & ~np.isnan(sums.values)
    assert set(np.flatnonzero(lost)) <= {gap + 1}  # a gap costs the next month and nothing else


@timeless
@given(vectors(-30, 60), vectors(1, 1e5), RULES)
def test_growth_of_the_month_and_since_january_there_and_back(rates: Floats, flows: Floats, rule: PairRule) -> None:
    growth = paired("yoy_month", rates, rule, "same")
    months = paired("level_month", flows, rule, "same")
    since = derive(growth, "yoy_ytd", base=months)
    back = derive(since, "yoy_month", base=derive(months, "level_ytd"))
    same_sources(growth, back)
    m = derive(months, "level_ytd").values / months.values  # how much rounding costs a single month
    np.testing.assert_allclose(back.values, growth.values, atol=1e-9 * max(1.0, np.nanmax(m)))


@timeless
@given(vectors(-30, 60, 24), vectors(1, 1e5, 12), st.sampled_from([SEPARATE, COMBINED]))
def test_levels_from_growth_grow_as_told(rates: Floats, flows: Floats, rule: PairRule) -> None:
    base = paired("level_month", flows, rule)
    growth = paired("yoy_month", np.concatenate([np.zeros(12), rates]), rule)
    growth = growth.over(JAN + 12, JAN + 35)
    levels = derive(growth, "level_month", base=base)
    back = nominal_growth(levels, "yoy_month").over(growth.first, JAN + 35)
    np.testing.assert_allclose(back.values, growth.values, atol=1e-9)
    same_sources(growth, back)


@timeless
@given(vectors(-60, 200), st.sampled_from(["yoy_month", "yoy_ytd", "mom"]))
def test_a_growth_and_its_index_there_and_back(rates: Floats, kind: Kind) -> None:
    index: dict[str, Kind] = {"yoy_month": "index_yoy", "yoy_ytd": "index_yoy_ytd", "mom": "index_mom"}
    source = published(kind, JAN, rates)
    there = derive(source, index[kind])
    np.testing.assert_array_equal(there.values, 100 + rates)
    np.testing.assert_allclose(derive(there, kind).values, rates, atol=1e-12)


@timeless
@given(vectors(1, 1e6), st.floats(1e-3, 1e4), RULES)
def test_units_scale_levels_and_leave_growth(values: Floats, factor: float, rule: PairRule) -> None:
    for kind, to in (("level_ytd", "level_month"), ("level_month", "level_ytd")):
        one, many = paired(kind, values, rule), paired(kind, values * factor, rule)  # type: ignore[arg-type]
        made, scaled = derive(one, to), derive(many, to)  # type: ignore[arg-type]
        np.testing.assert_allclose(scaled.values, made.values * factor, atol=1e-9 * factor * 1e6)
        np.testing.assert_array_equal(scaled.origin, made.origin)
    one, many = paired("level_month", values, rule), paired("level_month", values * factor, rule)
    np.testing.assert_allclose(
        nominal_growth(many, "yoy_month").values, nominal_growth(one, "yoy_month").values, rtol=1e-9, atol=1e-9
    )


@timeless
@given(vectors(1, 1e6), RULES, st.sampled_from(["half", "days"]))
def test_a_split_adds_up_and_nothing_is_lost(values: Floats, rule: PairRule, by: str) -> None:
    months = paired("level_month", values, rule)
    split = split_pair(months, by)  # type: ignore[arg-type]
    pair = np.flatnonzero(months.has(Origin.PAIR))
    np.testing.assert_array_equal(np.flatnonzero(split.has(Origin.IMPUTED)), np.sort([*(pair - 1), *pair]))
    np.testing.assert_allclose(split.values[pair] + split.values[pair - 1], months.values[pair], rtol=1e-12)
    sums = derive(split, "level_ytd")
    known = ~np.isnan(derive(months, "level_ytd").values)
    np.testing.assert_allclose(sums.values[known], derive(months, "level_ytd").values[known], rtol=1e-12)
    again = derive(sums, "level_month")
    assert not np.any(split.has(Origin.IMPUTED) & ~again.has(Origin.IMPUTED))
    np.testing.assert_allclose(again.values, split.values, atol=1e-6)
