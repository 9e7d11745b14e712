"""The composite warning index: published arithmetic, the lattice of CEMAC, and what must hold whatever the data."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
import warned
from hypothesis import given, settings
from hypothesis import strategies as st
from warned import ITEMS, cycle, panel

from engine.calendar import Period
from engine.errors import BadInput, NotEnoughData, Unknown
from engine.figures import Origin
from engine.lights import Light, Mark
from modelzoo import zoo
from modelzoo.warning import rules, scoring
from modelzoo.warning.lights import CompositeLights
from modelzoo.warning.rules import Cuts, Item, ThresholdSet

MODEL = CompositeLights("warning@X", ITEMS)
CHANCE = settings(max_examples=25, deadline=None)


def test_taiwan_37_is_yellow_red() -> None:
    """February 2025 as published (card 2.9): 1, 5, 5, 3, 5, 5, 5, 5, 3 make 37; and the two totals of survey_published.csv."""
    items = np.array([[1, 5, 5, 3, 5, 5, 5, 5, 3]])
    index = scoring.index(items, np.ones(9, np.int64), 1.0)
    assert index[0] == pytest.approx(100 * 37 / 27)
    assert scoring.hold(index, np.array(scoring.TAIWAN), 0.0)[0][0] == Light.YELLOW
    totals = np.array([16, 17, 20, 22, 23, 31, 32, 37, 38, 39]) * 100 / 27
    assert scoring.hold(totals, np.array(scoring.TAIWAN), 0.0)[1].tolist() == [1, 2, 2, 2, 3, 3, 4, 4, 5, 5]


@pytest.mark.skipif(not (warned.GOLDEN / "survey_published.csv").exists(), reason="needs ../shared/golden")
def test_published_totals_of_taiwan() -> None:
    name = {"red": Light.RED, "yellow_blue": Light.LIGHT_BLUE}
    with (warned.GOLDEN / "survey_published.csv").open() as file:
        rows = [r for r in csv.DictReader(file) if r["case"].startswith("TW_signal")]
    assert len(rows) == 2
    for row in rows:
        index = np.array([float(row["inputs"].split("=")[1]) * 100 / 27])
        assert scoring.hold(index, np.array(scoring.TAIWAN), 0.0)[0][0] == name[row["published"]]


def test_cemac_lattice() -> None:
    """All eleven published values are points of our index with weights that sum to 50; April 2008 is 110.7, and green."""
    items = rules.load("zhejiang")[0]
    weights = np.array([i.weight for i in items])
    assert weights.sum() == 50
    assert len(items) == 10
    lattice = {round(100 * n / 150, 1) for n in range(50, 251)}
    assert {88.0, 90.7, 84.0, 86.0, 89.3, 96.7, 100.7, 103.3, 106.7, 110.7, 113.3} <= lattice
    hot = {"retail_yoy", "fiscal_general_rev_yoy_ytd", "cpi_yoy"}
    score = np.array([[4 if i.id in hot else 3 for i in items]])
    index = scoring.index(score, weights, 1.0)
    assert round(float(index[0]), 1) == 110.7
    assert scoring.hold(np.array([113.3, 110.7]), np.array(scoring.CEMAC), 1.0)[0].tolist() == [3, 3]
    assert scoring.hold(np.array([350 / 3, 100 * 175 / 150]), np.array(scoring.CEMAC), 0.0)[1].tolist() == [4, 4]


def test_all_green_is_100_and_the_ends_are_a_third_and_five_thirds() -> None:
    weights = MODEL.weights
    for s, value in ((3, 100.0), (1, 100 / 3), (5, 500 / 3)):
        assert scoring.index(np.full((1, 10), s), weights, 1.0)[0] == pytest.approx(value)


def test_thresholds_occupy_as_declared() -> None:
    """10, 20, 40, 20, 10 per cent of the window; an item with two sides 40 per cent within, symmetrically."""
    x = np.random.default_rng(0).gamma(2.0, size=(240, 10))
    fitted = CompositeLights("warning@X", (Item("i0", 1), Item("i1", 1, side="both"), Item("i2", 1, side="low"))).fit(
        panel(x, "2000-01", asof=date(2020, 6, 30))
    )
    told = fitted.lights(panel(x, "2000-01"))
    count = [np.bincount(told.scores[:, k], minlength=6)[1:].tolist() for k in range(3)]
    assert count[0] == [24, 48, 96, 48, 24]
    assert count[2] == [24, 48, 96, 48, 24]
    assert count[1][2] == 96
    assert count[1][0] + count[1][4] == 48
    low, high = fitted.cuts[1, :2], fitted.cuts[1, 2:]
    assert low + high[::-1] == pytest.approx(2 * np.median(x[:, 1]))
    assert told.scores[x[:, 2].argmax(), 2] == Light.BLUE


def test_sides_come_from_the_catalogue() -> None:
    said = {"i1": {"direction": "counter", "polarity": "-"}, "i2": {"direction": "pro", "polarity": "neutral"}}
    x = cycle()
    model = CompositeLights("warning@X", tuple(Item(i, 1) for i in ("i0", "i1", "i2")), learning="quantiles")
    fitted = model.fit(panel(x, said=said))
    assert fitted.sides.tolist() == [1, -1, 1]
    centre = fitted.cuts.sum(1) / 4
    assert centre[2] == pytest.approx(np.median(x[:108, 2]))  # the window ends with December 2018


def test_mean_and_deviations() -> None:
    x = cycle()
    fitted = CompositeLights("warning@X", ITEMS, learning="deviations", since="2012-01").fit(panel(x))
    y = x[24:108]
    expected = y.mean(0)[:, None] + np.array([-1.5, -0.5, 0.5, 1.5]) * y.std(0, ddof=1)[:, None]
    assert np.allclose(fitted.cuts, expected, rtol=1e-12)


@CHANCE
@given(st.integers(0, 10**6), st.integers(0, 9), st.sampled_from([1e-3, 1e3, 7.0]))
def test_units_do_not_matter(seed: int, k: int, unit: float) -> None:
    x = cycle(seed=seed)
    y = x.copy()
    y[:, k] *= unit
    a, b = (MODEL.fit(panel(v)).lights(panel(v)) for v in (x, y))
    assert np.array_equal(a.index, b.index)
    assert np.array_equal(a.light, b.light)
    assert np.array_equal(a.scores, b.scores)


@CHANCE
@given(st.integers(0, 10**6), st.integers(0, 119), st.integers(0, 9), st.floats(0, 100))
def test_more_of_a_pro_cyclical_item_is_never_colder(seed: int, t: int, k: int, more: float) -> None:
    """Index and light of every month, with thresholds that stand."""
    x = cycle(seed=seed)
    fitted = MODEL.fit(panel(x))
    y = x.copy()
    y[t, k] += more
    a, b = fitted.lights(panel(x)), fitted.lights(panel(y))
    assert (b.index >= a.index).all()
    assert (b.light >= a.light).all()


@CHANCE
@given(st.lists(st.floats(34, 166), min_size=2, max_size=30), st.integers(0, 29), st.floats(0, 60), st.floats(0, 12))
def test_a_held_light_is_monotone_and_moves_at_latest_in_the_second_month(
    path: list[float], at: int, more: float, delta: float
) -> None:
    x = np.array(path)
    bands = np.array(scoring.CEMAC)
    light, raw = scoring.hold(x, bands, delta)
    y = x.copy()
    y[at % len(x)] += more
    assert (scoring.hold(y, bands, delta)[0] >= light).all()
    same = np.flatnonzero(raw[1:] == raw[:-1]) + 1
    assert (light[same] == raw[same]).all()
    if delta == 0:
        assert (light == raw).all()


def test_a_light_waits_for_a_clear_or_a_second_crossing() -> None:
    bands = np.array(scoring.CEMAC)
    for path, lights in (
        ((100, 117, 100), (3, 3, 3)),  # a hair above 116.67 for one month
        ((100, 117, 117.1), (3, 3, 4)),  # for two
        ((100, 120), (3, 4)),  # by more than delta
        ((100, 138), (3, 5)),  # far into red
        ((100, 137), (3, 4)),  # a hair into red is yellow at first
    ):
        assert scoring.hold(np.array(path, float), bands, 1.0)[0].tolist() == list(lights), path


def test_a_missing_item_is_carried_once_then_weighted_out_and_marked() -> None:
    x = cycle()
    x[-3:, 4] = np.nan
    p = panel(x)
    fitted = MODEL.fit(p)
    told = fitted.lights(p, [p.last + -3, p.last + -2, p.last + -1, p.last])
    assert told.marks[:, 4].tolist() == [Mark.KNOWN, Mark.CARRIED, Mark.MISSING, Mark.MISSING]
    assert (np.delete(told.marks, 4, 1) == Mark.KNOWN).all()
    assert told.scores[1, 4] == told.scores[0, 4]
    assert told.values[1, 4] == x[-4, 4]
    assert told.scores[2, 4] == 0
    others = np.delete(told.scores[2], 4) @ np.delete(MODEL.weights, 4)
    assert told.index[2] == pytest.approx(100 * others / (3 * (50 - MODEL.weights[4])))
    assert np.allclose(told.parts.sum(1), told.index)
    assert told.to_frame().filter(item="i4@X")["mark"].to_list() == ["", "carried"] + ["missing, re-weighted"] * 2


def test_january_as_declared() -> None:
    """A pair of January and February: February's figure, January carries December's, or takes it once it is known."""
    x = cycle()
    x[np.arange(120) % 12 == 0, 0] = np.nan
    p = panel(x)
    for rule, mark, source in (("february", Mark.CARRIED, -1), ("both", Mark.PAIRED, 1)):
        model = CompositeLights("warning@X", ITEMS, january=rule)  # type: ignore[arg-type]
        told = model.fit(p).lights(p, [Period.parse("2019-01")])
        assert told.marks[0, 0] == mark
        assert told.values[0, 0] == x[108 + source, 0]
    before = warned.until(p, Period.parse("2019-01"))
    told = CompositeLights("warning@X", ITEMS, january="both").fit(p).lights(before, [Period.parse("2019-01")])
    assert told.marks[0, 0] == Mark.CARRIED


def test_an_estimated_figure_is_marked() -> None:
    p = panel(cycle())
    flags = p.flags.copy()
    flags[-1, 3] = Origin.IMPUTED
    told = MODEL.fit(p).lights(replace(p, flags=flags), [p.last])
    assert told.marks[0].tolist() == [0, 0, 0, Mark.IMPUTED, 0, 0, 0, 0, 0, 0]
    assert told.index == MODEL.fit(p).lights(p, [p.last]).index


def test_a_quarterly_item_counts_for_its_three_months() -> None:
    x = cycle()
    x[np.arange(120) % 3 != 2, 1] = np.nan
    p = warned.until(panel(x, quarterly=["i1"]), Period.parse("2019-08"))
    fitted = CompositeLights("warning@X", ITEMS).fit(p)
    months = [Period.parse(m) for m in ("2019-04", "2019-05", "2019-06", "2019-07", "2019-08")]
    told = fitted.lights(p, months)
    assert told.marks[:, 1].tolist() == [0, 0, 0, 1, 1]
    assert (told.values[:, 1] == x[113, 1]).all()
    with pytest.raises(NotEnoughData, match="0% of the weight is known for 2019-09"):
        fitted.lights(p, [Period.parse("2019-09")])  # all could be carried, but nothing is known of it


def test_growth_is_computed_from_a_level() -> None:
    x = np.exp(cycle(seed=3) / 100)
    model = CompositeLights("warning@X", (Item("i0", 1, form="growth"),))
    told = model.fit(panel(x)).lights(panel(x), [Period.parse("2019-05")])
    assert told.values[0, 0] == pytest.approx(100 * (x[112, 0] / x[100, 0] - 1))


def test_sets_come_into_force_and_are_named() -> None:
    """An office's own thresholds, from a plan target with its widths, yearly at most."""
    x = cycle()
    sets = (
        ThresholdSet("2017", "2017-01", "plan target 6.5", (Cuts("i0", (3.0, 5.5, 7.5, 10.0)),)),
        ThresholdSet(
            "2019", "2019-01", "plan target 6", (Cuts("i0", (2.0, 5.0, 7.0, 10.0)), Cuts("i1", (-1, 0, 1, 2)))
        ),
    )
    model = CompositeLights("warning@X", ITEMS, sets)
    fitted = model.fit(panel(x))
    told = fitted.lights(panel(x), [Period.parse(m) for m in ("2016-12", "2017-01", "2018-12", "2019-01")])
    assert told.versions[1:] == ("2017", "2017", "2019")
    assert told.cuts[1:, 0].tolist() == [[3.0, 5.5, 7.5, 10.0]] * 2 + [[2.0, 5.0, 7.0, 10.0]]
    assert told.cuts[3, 1].tolist() == [-1, 0, 1, 2]
    assert (told.cuts[2, 1] == fitted.cuts[1]).all()
    soon = ThresholdSet("soon", "2019-06", "impatience", sets[0].cuts)
    with pytest.raises(BadInput, match="at most once a year"):
        CompositeLights("warning@X", ITEMS, (*sets, soon))
    with pytest.raises(BadInput, match="no such item: nope"):
        CompositeLights("warning@X", ITEMS, (ThresholdSet("a", "2019-01", "b", (Cuts("nope", (0, 1, 2, 3)),)),))
    with pytest.raises(BadInput, match="reason"):
        ThresholdSet("a", "2019-01", " ", sets[0].cuts)


def test_thresholds_move_once_a_year() -> None:
    """As of April to March the window ends with the same December."""
    p = panel(cycle(months=132))
    found: dict[str, list[bytes]] = {}
    for k in range(24):
        month = Period.parse("2018-06") + k
        fitted = MODEL.fit(warned.until(p, month))
        found.setdefault(str(fitted.last), []).append(fitted.cuts.tobytes())
    assert set(found) == {"2017-12", "2018-12", "2019-12"}
    assert all(len(set(bits)) == 1 for bits in found.values())
    assert len(found["2018-12"]) == 12


@CHANCE
@given(st.integers(0, 10**6), st.integers(60, 118))
def test_nothing_after_the_day_moves_anything(seed: int, t: int) -> None:
    x = cycle(seed=seed)
    y = x.copy()
    y[t + 1 :] = np.random.default_rng(seed).normal(size=y[t + 1 :].shape) * 100
    month = panel(x).first + t
    told = []
    for v in (x, y):
        p = warned.until(panel(v), month)
        fitted = MODEL.fit(p)
        told.append(fitted.lights(p))
    assert told[0].index.tobytes() == told[1].index.tobytes()
    assert told[0].light.tolist() == told[1].light.tolist()
    assert told[0].periods[-1] == month


def test_the_bands_are_how_far_carrying_was_off() -> None:
    x = cycle()
    x[-1, :4] = np.nan
    p = panel(x)
    fitted = MODEL.fit(p)
    sure, unsure = fitted.estimate(p, [p.last + -1]), fitted.estimate(p, [p.last])
    assert np.ptp(sure.quantiles) == 0
    assert np.ptp(unsure.quantiles) > 0
    assert unsure.parts is not None
    assert unsure.parts.sum() == pytest.approx(unsure.mean[0])
    assert unsure.quantiles.min() >= 100 / 3


def test_what_cannot_be_said_is_refused_by_name() -> None:
    p = panel(cycle())
    with pytest.raises(NotEnoughData, match=r"i0@X: 12 values in the window"):
        MODEL.fit(panel(cycle(24), asof=date(2011, 12, 31)))
    with pytest.raises(NotEnoughData, match=r"warning@X: 0% of the weight is known for 2020-03"):
        MODEL.fit(p).lights(p, [Period.parse("2020-03")])
    with pytest.raises(BadInput, match="2019-Q1 is not a month"):
        MODEL.fit(p).lights(p, [Period.parse("2019-Q1")])
    with pytest.raises(Unknown, match="other@X"):
        CompositeLights("warning@X", (Item("other", 1),)).fit(p)
    flat = cycle()
    flat[:, 3] = 2.0
    with pytest.raises(NotEnoughData, match=r"i3@X: nearly all values"):
        MODEL.fit(panel(flat))
    with pytest.raises(Unknown, match="no items 'nowhere'"):
        rules.load("nowhere")


def test_a_spec_may_name_the_data_file() -> None:
    model = zoo.make("warning.lights", {"target": "warning@SYN-3301", "items": "zhejiang_city"})
    assert model.inputs[0] == "ind_va_yoy_ytd@SYN-3301"
    assert zoo.make("warning.lights", zoo.given_options(model)) == model
    assert len(zoo.make("warning.lights", {"target": "warning@SYN-33"}).inputs) == 10


def test_lights_are_told_apart_without_colour() -> None:
    assert len({x.symbol for x in Light}) == len({x.colour for x in Light}) == len({x.zh for x in Light}) == 5
    assert Light(5).zh == "红灯"
    assert Light(1).zh == "蓝灯"


def test_a_plan_target_with_its_widths_in_a_file() -> None:
    text = """
    [[items]]
    id = "i0"
    weight = 3
    [[sets]]
    version = "plan 2019"
    valid_from = "2019-01"
    reason = "growth of 6 is planned"
    [[sets.cuts]]
    item = "i0"
    centre = 6.0
    inner = 1.0
    outer = 2.5
    """
    items, sets = rules.parse(text, "mine.toml")
    assert items == (Item("i0", 3),)
    assert sets[0].cuts == (Cuts("i0", (3.5, 5.0, 7.0, 8.5)),)
    told = (
        CompositeLights("warning@X", items, sets).fit(panel(cycle())).lights(panel(cycle()), [Period.parse("2019-03")])
    )
    assert told.versions == ("plan 2019",)
    for wrong, said in (
        (text.replace("weight = 3", "weight = 2.5"), r"mine\.toml, column 0\.weight: .*integer"),
        (text.replace("inner = 1.0", ""), r"mine\.toml: 'inner' is missing"),
        (text.replace("outer = 2.5", "outer = 0.5"), r"four finite thresholds that ascend"),
        (text + "[other]", r"mine\.toml: has other"),
        ("nothing", r"mine\.toml"),
    ):
        with pytest.raises(BadInput, match=said):
            rules.parse(wrong, "mine.toml")
