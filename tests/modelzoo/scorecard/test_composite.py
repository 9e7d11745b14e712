"""The scorecard as a model of the zoo: what is learned at a fit is held, the rest is the day's; nothing looks ahead."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import reading
from engine.calendar import Freq, Period, end_of
from engine.errors import BadInput, NotEnoughData, Refused, Unknown
from engine.indicator import Aggregation, Indicator, Region, Series
from engine.panel import NEVER, Panel
from engine.typing import Floats
from modelzoo import bundle, telling, zoo
from modelzoo.scorecard.alternatives import Alternatives
from modelzoo.scorecard.choices import Normalisation, Treatment
from modelzoo.scorecard.columns import over_time
from modelzoo.scorecard.composite import Composite, FittedComposite
from modelzoo.scorecard.evaluate import evaluate
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.node import Node
from modelzoo.scorecard.outliers import treat

UNITS = tuple(f"SYN-33{n:02d}" for n in range(1, 9))
FIRST = Period.parse("2015-01")
YEARS = 6
TREE = Node(
    "all",
    children=(
        Node("money", "Money", "财力", 2.0, (Node("gdp", direction=1, denominator="people"), Node("tax", direction=1))),
        Node("nature", children=(Node("dust", direction=-1), Node("water", direction=0, target=60.0))),
    ),
)
RULE = Framework("test", "Test", "试验", TREE, treatment=Treatment())
CHOICES = Alternatives(
    normalisation=(Normalisation(low=1.0), Normalisation("z", mean=100.0, sd=10.0)), noise=(0.25,), without=("dust",)
)
MODEL = Composite("test@SYN-33", UNITS, RULE, CHOICES, draws=300)
ABOUT: dict[str, tuple[Freq, Aggregation]] = {
    "gdp": (Freq.Q, "sum"), "tax": (Freq.M, "last"), "dust": (Freq.M, "average"), "water": (Freq.A, "average"),
    "people": (Freq.A, "last"),
}  # fmt: skip


def series(name: str, unit: str) -> Series:
    freq, aggregation = ABOUT[name]
    of = Indicator(name, name, name, freq, "u", "u", "lin", aggregation, 20, "", "", jan_feb="separate")
    return Series(of, Region(unit, unit, unit, "city"))


def made(seed: int = 0, years: int = YEARS, units: tuple[str, ...] = UNITS) -> Panel:
    """All columns of all units for whole years; quarterly and annual values where they belong."""
    rng = np.random.default_rng(seed)
    about = [series(n, u) for n in ABOUT for u in units]
    values = rng.lognormal(3.0, 0.4, (12 * years, len(about)))
    for j, s in enumerate(about):
        step = 12 // s.freq.per_year
        values[np.arange(12 * years) % step != step - 1, j] = np.nan
    return panel(values, about)


def panel(values: Floats, about: list[Series]) -> Panel:
    """Each month known on the tenth of the next one."""
    day = [int((end_of((FIRST + k).end) + timedelta(days=10)).timestamp() * 1e6) for k in range(len(values))]
    stamps = np.where(np.isnan(values), NEVER, np.array(day)[:, None])
    return Panel(end_of((FIRST + len(values)).end), tuple(about), FIRST, values, stamps)


def as_of(whole: Panel, month: str) -> Panel:
    """What was known at the end of a month."""
    asof = end_of(Period.parse(month).end)
    seen = whole.known_at(whole.ids) <= int(asof.timestamp() * 1e6)
    cut = np.where(seen, whole.values, np.nan)
    rows = np.flatnonzero(seen.any(1) & ~np.isnan(cut).all(1))[-1] + 1
    return Panel(asof, whole.series, whole.first, cut[:rows], np.where(seen, whole.stamps, NEVER)[:rows])


def same(a: FittedComposite, b: FittedComposite, at: Panel) -> bool:
    periods = a.model.periods(at)
    return periods == b.model.periods(at) and a.tell(at, periods).equals(b.tell(at, periods))


def test_values_are_summed_up_by_what_they_are() -> None:
    whole = made()
    first, cube = over_time(whole, ["gdp", "tax", "dust", "water"], UNITS[:2], Freq.A)
    assert (str(first), cube.shape) == ("2015", (YEARS, 2, 4))
    one = whole.matrix([f"{n}@{UNITS[1]}" for n in ("gdp", "tax", "dust", "water")])[12:24]
    assert cube[1, 1] == pytest.approx([one[[2, 5, 8, 11], 0].sum(), one[11, 1], one[:, 2].mean(), one[11, 3]])
    first, quarters = over_time(whole, ["gdp", "dust", "water"], UNITS[:2], Freq.Q)
    assert (str(first), quarters.shape) == ("2015-Q1", (4 * YEARS, 2, 3))
    assert quarters[4, 1, :2] == pytest.approx([one[2, 0], one[:3, 2].mean()])
    assert np.isnan(quarters[4:7, 1, 2]).all(), "a value of the year stands in its last quarter"
    assert quarters[7, 1, 2] == one[11, 3]


def test_a_year_with_a_gap_is_not_summed_but_january_of_a_pair_is_no_gap() -> None:
    whole = made()
    name = f"dust@{UNITS[0]}"
    values = whole.matrix([name])
    values[12] = np.nan  # 2016-01
    holed = whole.with_values([name], values)
    assert np.isnan(over_time(holed, ["dust"], UNITS, Freq.A)[1][1, 0, 0])
    kinds: tuple[tuple[Aggregation, Floats], ...] = (
        ("average", values[13:24].sum() + values[13]), ("sum", values[13:24].sum()),
    )  # fmt: skip
    for aggregation, expected in kinds:
        about = [
            replace(s, indicator=replace(s.indicator, jan_feb="combined", aggregation=aggregation))
            if s.id == name
            else s
            for s in whole.series
        ]
        found = over_time(replace(holed, series=tuple(about)), ["dust"], UNITS, Freq.A)[1][1, 0, 0]
        assert found == pytest.approx(float(expected.item()) / (12 if aggregation == "average" else 1))


def test_a_board_is_the_framework_on_the_values_with_what_was_learned() -> None:
    whole = made()
    fitted, year = MODEL.fit(whole), Period.parse("2018")
    raw = MODEL.sheet(whole, year).values
    flat = MODEL.cube(whole)[1].reshape(-1, 5)
    flat = np.column_stack([flat[:, 0] / flat[:, 4], flat[:, 1:4]])
    treated, held = treat(flat, Treatment(), np.zeros(4, bool))
    assert fitted.treatment is not None
    assert np.array_equal(fitted.treatment.high, held.high)
    assert fitted.goalposts is not None
    assert fitted.goalposts[:, :3] == pytest.approx(np.stack([treated[:, :3].min(0), treated[:, :3].max(0)]))
    by_hand = evaluate(
        RULE, raw[:, :4], UNITS, denominators={"people": raw[:, 4]}, goalposts=fitted.goalposts, treatment=held
    )
    board = fitted.board(whole, year)
    assert board.score.tobytes() == by_hand.score.tobytes()
    assert board.parts == pytest.approx(by_hand.parts)
    assert ((board.rank_low <= board.rank) & (board.rank <= board.rank_high)).all()
    assert (board.rank_high - board.rank_low).max() > 0, "the alternatives move somebody"
    assert board.node_names[:2] == ("money", "nature")


def test_scores_of_a_year_do_not_move_when_another_year_comes() -> None:
    """Goalposts, treatment and weights are held; fitted again, they may move, and that is a re-estimation."""
    whole = made()
    early = as_of(whole, "2019-01")
    for rule in (RULE, replace(RULE, weighting="entropy"), replace(RULE, weighting="equal")):
        model = replace(MODEL, framework=rule)
        fitted = model.fit(early)
        for year in ("2016", "2018"):
            then, now = fitted.board(early, Period.parse(year)), fitted.board(whole, Period.parse(year))
            assert then.score.tobytes() == now.score.tobytes()
            assert np.array_equal(then.rank_low, now.rank_low)
        assert fitted.state()["goalposts"].tobytes() != model.fit(whole).state()["goalposts"].tobytes()


def test_weights_from_the_data_are_those_of_all_unit_years() -> None:
    whole = made()
    fitted = replace(MODEL, framework=replace(RULE, weighting="deviation", treatment=None)).fit(whole)
    flat = MODEL.cube(whole)[1].reshape(-1, 5)
    tax, gdp = flat[:, 1].std(), (flat[:, 0] / flat[:, 4]).std()
    layout = RULE.layout
    w = {n: fitted.weight[layout.row(n)] for n in ("gdp", "tax")}
    span = np.ptp(flat[:, 1]), np.ptp(flat[:, 0] / flat[:, 4])
    assert w["tax"] / w["gdp"] == pytest.approx((tax / span[0]) / (gdp / span[1]), rel=1e-9)


@given(st.integers(0, 10**6), st.sampled_from(["2017-03", "2018-01", "2019-06"]))
@settings(max_examples=10, deadline=None)
def test_what_became_known_later_moves_nothing(seed: int, month: str) -> None:
    whole = made()
    rng = np.random.default_rng(seed)
    late = whole.known_at(whole.ids) > int(end_of(Period.parse(month).end).timestamp() * 1e6)
    other = replace(whole, values=np.where(late, whole.values * rng.lognormal(size=whole.values.shape), whole.values))
    a, b = as_of(whole, month), as_of(other, month)
    one, two = MODEL.fit(a), MODEL.fit(b)
    assert {k: v.tobytes() for k, v in one.state().items()} == {k: v.tobytes() for k, v in two.state().items()}
    assert same(one, two, a)
    assert one.tell(a, MODEL.periods(a)).equals(two.tell(b, MODEL.periods(b)))


def test_neither_the_order_of_units_nor_other_columns_matter() -> None:
    whole = made()
    turned = replace(MODEL, units=UNITS[::-1])
    year = Period.parse("2017")
    a, b = MODEL.fit(whole).board(whole, year), turned.fit(whole).board(whole.select(whole.ids[::-1]), year)
    assert a.units == b.units[::-1]
    assert a.score.tobytes() == b.score[::-1].tobytes()
    assert np.array_equal(a.rank, b.rank[::-1])
    assert np.array_equal(a.rank_low, b.rank_low[::-1])
    other = MODEL.fit(whole.over(FIRST + -14, whole.last + 20))
    assert other.board(whole, year).score.tobytes() == a.score.tobytes()


def test_a_state_and_a_bundle_come_back_to_the_last_bit(tmp_path: Path) -> None:
    whole = made()
    for rule in (RULE, replace(RULE, treatment=None, weighting="critic", normalisation=Normalisation("percentile"))):
        model = replace(MODEL, framework=rule, alternatives=replace(CHOICES, normalisation=()))
        fit = bundle.fit(model, whole)
        fitted = fit.fitted
        assert isinstance(fitted, FittedComposite)
        assert same(fitted, model.restore(fitted.state()), whole)
        folder = tmp_path / rule.weighting
        about = tuple(whole.meaning(i) for i in model.inputs)
        bundle.save(folder, bundle.Bundle("scorecard.composite", model, (fit,), about))
        loaded = bundle.load(folder)
        assert loaded.model == model
        back = loaded.fits[0].fitted
        assert isinstance(back, FittedComposite)
        assert same(fitted, back, whole)


def test_readings_are_well_formed_and_named() -> None:
    whole = made()
    fitted = MODEL.fit(whole)
    periods = telling.newest(fitted, whole, 3)
    assert [str(p) for p in periods] == ["2018", "2019", "2020"]
    told = reading.check(telling.tell(fitted, whole, periods), MODEL.target)
    assert set(told["level"]) == {"score", "rank", "rank_low", "rank_high", "node", "part"}
    assert set(told["unit"]) == set(UNITS)
    assert set(told["period"]) == {"2018", "2019", "2020"}
    names = telling.names(MODEL, whole.series)
    assert names["money"] == ("Money", "财力")
    assert names[UNITS[0]] == (UNITS[0], UNITS[0])


def test_gaps_are_filled_from_the_past_where_the_framework_says_so() -> None:
    rule = replace(RULE, missing="time", treatment=None)
    model = replace(MODEL, framework=rule, alternatives=Alternatives())
    whole = made()
    name = f"water@{UNITS[2]}"
    values = whole.matrix([name])
    values[-1] = np.nan
    holed = whole.with_values([name], values)
    scored = model.fit(holed).scored(holed, Period.parse("2020"))
    assert scored.filled[2].tolist() == [False, False, False, True]
    assert scored.imputed[2, 3] == whole.matrix([name])[-13]
    values[11] = np.nan
    nothing_before = whole.with_values([name], values)
    with pytest.raises(NotEnoughData, match=f"water.*{UNITS[2]}"):
        model.fit(nothing_before).scored(nothing_before, Period.parse("2015"))


def test_the_page_of_a_unit_says_what_would_gain_a_place() -> None:
    whole = made()
    model = replace(MODEL, alternatives=Alternatives())
    fitted, year = model.fit(whole), Period.parse("2020")
    board = fitted.board(whole, year)
    unit = board.units[int(np.argmax(board.rank))]
    page = fitted.page(whole, year, unit)
    assert (page.rank, page.score) == (board.rank.max(), board.score.min())
    lift = page.lifts[0]
    name = {"gdp": "gdp"}.get(lift.indicator, lift.indicator)
    values = whole.matrix([f"{name}@{unit}"])
    factor = lift.needed / lift.value
    values[-12:] *= factor * (1 + 1e-9 if factor > 1 else 1 - 1e-9)
    better = fitted.board(whole.with_values([f"{name}@{unit}"], values), year)
    assert better.rank[better.of(unit)] < page.rank


def test_errors_are_clear() -> None:
    whole = made()
    fitted = MODEL.fit(whole)
    with pytest.raises(Refused, match="ask for the board"):
        fitted.estimate(whole, [Period.parse("2018")])
    with pytest.raises(NotEnoughData, match="nothing is known of 2031"):
        fitted.board(whole, Period.parse("2031"))
    with pytest.raises(BadInput, match="not 2018-Q1"):
        fitted.board(whole, Period.parse("2018-Q1"))
    with pytest.raises(Unknown, match="does not score SYN-3399"):
        fitted.page(whole, Period.parse("2018"), "SYN-3399")
    with pytest.raises(BadInput, match="two units or more"):
        Composite("test@SYN-33", UNITS[:1], RULE)
    with pytest.raises(Unknown, match="gdp@SYN-3301"):
        MODEL.fit(whole.select([i for i in whole.ids if i != "gdp@SYN-3301"]))
    ids = [f"dust@{u}" for u in UNITS]
    with pytest.raises(NotEnoughData, match="nothing is known of dust"):
        MODEL.fit(whole.with_values(ids, np.full((12 * YEARS, len(ids)), np.nan)))
    ids = list(whole.ids)
    with pytest.raises(NotEnoughData, match="no period"):
        MODEL.fit(whole.with_values(ids[8:], np.full((12 * YEARS, len(ids) - 8), np.nan)))
    with pytest.raises(BadInput, match="no template 'nothing'; there are"):
        zoo.make("scorecard.composite", {"target": "x@SYN-33", "units": UNITS, "framework": "nothing"})
