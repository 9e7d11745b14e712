"""A change of rank, split: by hand, beside boards of panels put together by hand, exact whatever changed, blind to the future."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import cities
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.calendar import Period, end_of
from engine.errors import BadInput, NotEnoughData
from engine.panel import Panel
from modelzoo.scorecard.alternatives import Alternatives
from modelzoo.scorecard.change import CAUSES, Change, End, change
from modelzoo.scorecard.choices import Normalisation
from modelzoo.scorecard.composite import Composite, FittedComposite
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.node import Node
from tests.modelzoo.scorecard.test_composite import MODEL, RULE, UNITS, as_of, made, panel, series

OWN, OTHERS, REVISION, METHOD = range(4)
PLAIN = replace(MODEL, alternatives=Alternatives())
Y2018, Y2019 = Period.parse("2018"), Period.parse("2019")


def revised(whole: Panel, rng: np.random.Generator, last: int, size: float = 0.2) -> Panel:
    """The same panel with other values of its first months, as a later vintage has them."""
    values = whole.values.copy()
    values[:last] *= rng.lognormal(0.0, size, values[:last].shape)
    return replace(whole, values=values)


def adds_up(found: Change) -> None:
    assert np.array_equal(found.places.sum(1), found.rank_before - found.rank_after), "halves add up to the last bit"
    np.testing.assert_allclose(found.score.sum(1), found.score_after - found.score_before, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.parts.sum(2), found.score, rtol=0, atol=1e-9)


def test_three_cities_by_hand() -> None:
    """One indicator from 0 to 100: A 50 → 70, B 60 → 65, C 40 (revised to 62) → 64."""
    tree = Node("top", children=(Node("tax", direction=1, goalposts=(0, 100)),))
    units = UNITS[:3]
    model = Composite("one@SYN-33", units, Framework("one", "One", "一", tree))
    about = [series("tax", u) for u in units]
    before, after = np.full((12, 3), np.nan), np.full((24, 3), np.nan)
    before[11], after[11], after[23] = (50, 60, 40), (50, 60, 62), (70, 65, 64)
    old, new = panel(before, about), panel(after, about)
    fitted = model.fit(old)
    found = change(End(fitted, old, Period.parse("2015")), End(fitted, new, Period.parse("2016")))
    assert found.rank_before.tolist() == [2, 1, 3]
    assert found.rank_after.tolist() == [1, 2, 3]
    # A falls to 3rd by C's revision. Its own way to 70 gains 2 places whatever the others do; theirs cost it none.
    # B falls to 2nd by it. Its own 65 regains 1 while others stand (C at 62) and 1 once they moved (A 70, C 64 beside 60);
    # others cost it 1 beside its 60 and 1 beside its 65. C gains 2; alone nothing more; others cost it 2 beside 62, 2 beside 64.
    assert found.places.tolist() == [[2, 0, -1, 0], [1, -1, -1, 0], [0, -2, 2, 0]]
    assert found.score.tolist() == pytest.approx(np.array([[20, 0, 0, 0], [5, 0, 0, 0], [2, 0, 22, 0]]))
    assert found.method == ()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["goalposts", "minmax", "percentile"]), st.booleans())
def test_parts_add_up_whatever_changed(seed: int, method: str, later: bool) -> None:
    rng = np.random.default_rng(seed)
    rule = replace(RULE, normalisation=Normalisation(method, low=1.0), missing="time" if seed % 2 else "leave")  # type: ignore[arg-type]
    model = replace(PLAIN, framework=rule)
    new = made(seed)
    old = as_of(revised(new, rng, 48), "2019-01")
    before, after = model.fit(old), model.fit(new)
    found = change(End(before, old, Y2018), End(after, new, Y2019 if later else Y2018))
    adds_up(found)
    assert found.units == UNITS
    held = change(End(before, old, Y2018), End(before, new, Y2019))
    adds_up(held)
    assert not held.score[:, METHOD].any()
    assert not held.places[:, METHOD].any()
    assert held.method == ()
    if method == "goalposts":
        assert not held.score[:, OTHERS].any(), "under fixed goalposts others move a place, never a score"
        assert "goalposts" in found.method


def test_each_part_is_the_step_between_boards_of_panels_put_together_by_hand() -> None:
    rng = np.random.default_rng(7)
    new = made(7)
    old = as_of(revised(new, rng, 48), "2019-01")
    fitted, other = PLAIN.fit(old), replace(PLAIN, framework=RULE.weighted({"money": 5.0})).fit(new)
    found = change(End(fitted, old, Y2018), End(other, new, Y2019))
    then = replace(old, values=new.values[: len(old.values)])  # what was known, as it is known now

    def board(now: Panel, unit: str, moved: bool) -> tuple[float, int]:
        """2018, but the unit (or all but it) with its figures of 2019."""
        take = [(s.region.code == unit) == moved for s in now.series]
        values = now.values.copy()
        values[36:48, take] = new.values[48:60, take]
        said = fitted.board(replace(now, values=values, stamps=now.stamps), Y2018)
        return float(said.score[said.of(unit)]), int(said.rank[said.of(unit)])

    start, base = fitted.board(old, Y2018), fitted.board(then, Y2018)
    end, last = fitted.board(new, Y2019), other.board(new, Y2019)
    for u, unit in enumerate(UNITS):
        alone, rest = board(then, unit, True), board(then, unit, False)
        for k, (table, sign) in enumerate(((found.score, 1.0), (found.places, -1.0))):
            a, b, c, d = ((x.score, x.rank)[k][u] for x in (start, base, end, last))
            by_hand = [(alone[k] - b + c - rest[k]) / 2, (rest[k] - b + c - alone[k]) / 2, b - a, d - c]
            np.testing.assert_allclose(table[u], sign * np.array(by_hand), atol=1e-9)
    assert found.method == ("tree", "goalposts", "weights", "outliers")
    assert found.score[:, METHOD].any()
    assert found.places[:, REVISION].any()


def test_what_only_became_known_is_performance_and_not_revision() -> None:
    whole = made(3)
    name = f"water@{UNITS[0]}"
    values = whole.matrix([name])
    held_back = values.copy()
    held_back[-1] = np.nan
    early = whole.with_values([name], held_back)
    late = replace(whole.with_values([name], values), asof=end_of(date(2021, 6, 30)))
    model = replace(PLAIN, framework=replace(RULE, missing="time", treatment=None))
    fitted, year = model.fit(early), Period.parse("2020")
    found = change(End(fitted, early, year), End(fitted, late, year))
    assert found.score[0, OWN] != 0
    assert not found.score[1:].any()
    assert not found.score[:, REVISION].any()
    assert np.flatnonzero(found.parts[0, OWN]).tolist() == [3]
    nothing = change(End(fitted, late, year), End(fitted, late, year))
    assert not nothing.score.any()
    assert not nothing.places.any()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_what_became_known_later_moves_nothing(seed: int) -> None:
    whole, rng = made(), np.random.default_rng(seed)
    late = whole.known_at(whole.ids) > int(end_of(date(2020, 1, 31)).timestamp() * 1e6)
    other = replace(whole, values=np.where(late, whole.values * rng.lognormal(size=whole.values.shape), whole.values))
    told = []
    for known in (whole, other):
        old, new = as_of(known, "2019-01"), as_of(known, "2020-01")
        told.append(change(End(PLAIN.fit(old), old, Y2018), End(PLAIN.fit(new), new, Y2019)))
    for name in ("score", "places", "parts"):
        assert getattr(told[0], name).tobytes() == getattr(told[1], name).tobytes()


def test_units_and_indicators_that_come_and_go() -> None:
    whole = made(5)
    old = as_of(whole, "2019-01")
    fewer = replace(PLAIN, units=UNITS[1:], framework=RULE.without("dust"))
    found = change(End(PLAIN.fit(old), old, Y2018), End(fewer.fit(whole), whole, Y2019))
    adds_up(found)
    assert found.units == UNITS[1:]
    assert found.left_out == ((UNITS[0], "only one of the two boards has it"),)
    assert found.indicators == ("gdp", "tax", "dust", "water")
    assert found.method[0] == "tree"
    assert "units" in found.method
    assert np.abs(found.parts[:, METHOD, 2]).min() > 0
    ids = [i for i in whole.ids if i.endswith(UNITS[4])]
    values = whole.matrix(ids)
    values[-24:] = np.nan
    gone = whole.with_values(ids, values)
    fitted = PLAIN.fit(gone)
    short = change(End(fitted, gone, Y2018), End(fitted, gone, Y2019))
    assert short.left_out == ((UNITS[4], "nothing is known of it"),)
    adds_up(short)


def test_the_cities_of_the_synthetic_province() -> None:
    model = cities.scorecard("quality")
    early, late = (cities.panel(model.inputs, day) for day in (date(2024, 9, 30), date(2025, 9, 30)))
    then, now = model.fit(early), model.fit(late)
    assert isinstance(then, FittedComposite)
    found = change(End(then, early, Period.parse("2023")), End(now, late, Period.parse("2024")))
    adds_up(found)
    assert len(found.units) == 11
    assert "goalposts" in found.method
    assert np.abs(found.score[:, OWN]).min() > 0
    assert not found.score[:, OTHERS].any()
    assert np.abs(found.score[:, REVISION]).max() > 0, "the offices revise what they said of the year before"
    gained = found.places.sum(0)
    assert gained.sum() == found.rank_before.sum() - found.rank_after.sum()
    assert CAUSES[REVISION] == "revision"
    # two days of the same year: research of the year is known in August
    july = cities.panel(model.inputs, date(2025, 7, 31))
    fitted = model.fit(july)
    same = change(End(fitted, july, Period.parse("2024")), End(fitted, late, Period.parse("2024")))
    adds_up(same)
    column = same.indicators.index("rd_intensity")
    assert np.abs(same.parts[:, OWN, column]).max() > 0
    carried = [model.sheet(p, Period.parse("2023")).values[:, column] for p in (july, late)]
    rose = np.sign(carried[1] - carried[0])  # last year's, which stood for it, was revised on the same day
    part = same.parts[:, REVISION, column]
    assert (part != 0).sum() >= 5
    assert np.array_equal(np.sign(part)[part != 0], rose[part != 0]), "an outlier that is held does not move"


def test_errors_are_clear() -> None:
    whole = made()
    old = as_of(whole, "2019-01")
    fitted = PLAIN.fit(old)
    with pytest.raises(BadInput, match="from an earlier day to a later one"):
        change(End(fitted, whole, Y2018), End(fitted, old, Y2018))
    with pytest.raises(BadInput, match="from an earlier period to a later one, not from 2019 to 2018"):
        change(End(fitted, whole, Y2019), End(fitted, whole, Y2018))
    with pytest.raises(BadInput, match="not of one frequency"):
        change(End(fitted, old, Y2018), End(fitted, whole, Period.parse("2019-Q1")))
    with pytest.raises(NotEnoughData, match="nothing is known of 2031"):
        change(End(fitted, old, Y2018), End(fitted, whole, Period.parse("2031")))
    lone = replace(PLAIN, units=UNITS[:2])
    apart = replace(PLAIN, units=UNITS[4:])
    with pytest.raises(NotEnoughData, match="no unit is scored both for 2018 and for 2019"):
        change(End(lone.fit(old), old, Y2018), End(apart.fit(whole), whole, Y2019))
