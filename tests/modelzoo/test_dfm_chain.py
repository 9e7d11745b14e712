"""Fits along a chain of vintages, begun where the last one ended; and what an outlier does."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import nyfed
import pytest

from engine.calendar import Period
from engine.errors import BadInput
from engine.model import NotLinear, Refits
from engine.news import news
from engine.panel import Panel
from engine.typing import Floats
from modelzoo.nowcast.ar import Ar
from modelzoo.nowcast.dfm import Dfm, FittedDfm

GDP, OUTPUT = "gdpc1@US", "indpro@US"
FIVE = (GDP, OUTPUT, "payems@US", "rsafs@US", "houst@US")
MODEL = Dfm(GDP, {"g": FIVE}, since="1992-01", tolerance=1e-8, iterations=5000)
PERIODS = [Period.parse("2016-Q2"), Period.parse("2016-Q3")]


def vintages() -> tuple[Panel, Panel]:
    """An earlier panel, two years shorter, and the newer one, whose inputs were revised."""
    old, new = (p.select(FIVE) for p in nyfed.panels())
    values = old.matrix(FIVE)
    values[-24:] = np.nan
    return old.with_values(FIVE, values), new


@cache
def chain() -> tuple[FittedDfm, FittedDfm, FittedDfm]:
    """A fit on the earlier panel; on the newer one from the start; and from the earlier one on."""
    old, new = vintages()
    before = MODEL.fit(old)
    return before, MODEL.fit(new), MODEL.refit(new, before)


def test_both_roads_lead_to_one_place() -> None:
    assert isinstance(MODEL, Refits)
    before, cold, warm = chain()
    _, new = vintages()
    assert abs(cold.path[-1] - warm.path[-1]) < 5e-3
    np.testing.assert_allclose(warm.estimate(new, PERIODS).mean, cold.estimate(new, PERIODS).mean, atol=1e-2)
    assert np.abs(before.estimate(new, PERIODS).mean - cold.estimate(new, PERIODS).mean).max() > 1e-2, (
        "nothing to learn"
    )
    for name in ("rho", "sigma2"):  # the scale of a factor, and so of its loadings, is arbitrary
        np.testing.assert_allclose(getattr(warm.parameters, name), getattr(cold.parameters, name), atol=1e-2)
    assert warm.path[0] > cold.path[0] + 50.0, "it did not begin near the end"


def test_the_same_road_twice_is_the_same_to_the_last_bit() -> None:
    before, _, warm = chain()
    again = MODEL.refit(vintages()[1], before)
    assert all(np.array_equal(v, again.state()[k]) for k, v in warm.state().items())
    restored = MODEL.refit(vintages()[1], MODEL.restore(before.state()))
    assert all(np.array_equal(v, restored.state()[k]) for k, v in warm.state().items())


@pytest.mark.parametrize("unit", [1000.0, 1e-6])
def test_what_was_learned_is_brought_to_a_new_scale(unit: float) -> None:
    """A panel in other units, as after a new base year: the fit begins where it ended, and has nothing to do."""
    old, _ = vintages()
    before = chain()[0]
    scaled = old.with_values([OUTPUT], old.matrix([OUTPUT]) * unit + 5.0)
    again = MODEL.refit(scaled, before)
    assert len(again.path) <= 7, "it did not begin at the end"
    np.testing.assert_allclose(again.estimate(scaled, PERIODS).mean, before.estimate(old, PERIODS).mean, atol=1e-4)


def test_series_come_and_go() -> None:
    _, new = vintages()
    less = new.with_values(["houst@US"], np.full((new.months, 1), np.nan))
    without, whole = MODEL.fit(less), chain()[1]
    back, away = MODEL.refit(new, without), MODEL.refit(less, whole)
    assert back.used.all()
    assert not away.used[FIVE.index("houst@US")]
    np.testing.assert_allclose(back.estimate(new, PERIODS).mean, whole.estimate(new, PERIODS).mean, atol=1e-2)
    np.testing.assert_allclose(away.estimate(less, PERIODS).mean, without.estimate(less, PERIODS).mean, atol=1e-2)
    assert (away.parameters.loadings[FIVE.index("houst@US")] == 0.0).all()


def test_a_factor_that_has_lost_all_its_series_is_learned_afresh() -> None:
    _, new = vintages()
    model = replace(MODEL, blocks={"g": FIVE, "two": ("houst@US", "rsafs@US")}, tolerance=1e-6)
    empty = np.full((new.months, 1), np.nan)
    first = model.fit(new.with_values(["houst@US"], empty))
    other = new.with_values(["rsafs@US"], empty)
    assert np.array_equal(model.refit(other, first).path, model.fit(other).path)


def test_two_steps_take_their_components_from_the_new_panel() -> None:
    old, new = vintages()
    model = replace(MODEL, loadings="components")
    cold, warm = model.fit(new), model.refit(new, model.fit(old))
    np.testing.assert_allclose(warm.parameters.loadings, cold.parameters.loadings, atol=1e-12)
    np.testing.assert_allclose(warm.estimate(new, PERIODS).mean, cold.estimate(new, PERIODS).mean, atol=1e-2)


def test_only_a_fit_of_the_same_model_can_be_taken_up() -> None:
    _, new = vintages()
    for other in (Ar(GDP).fit(new), replace(MODEL, order=2, tolerance=1e-6).fit(new)):
        with pytest.raises(BadInput, match="must be a fit of the same model"):
            MODEL.refit(new, other)


ROBUST = replace(MODEL, outliers=6.0, tolerance=1e-6)


def spoilt(panel: Panel, value: float = 60.0, row: int = -30) -> Panel:
    values: Floats = panel.matrix([OUTPUT])
    values[row] = value
    return panel.with_values([OUTPUT], values)


def test_an_outlier_is_as_if_it_were_missing() -> None:
    """In the fit, in the estimate and in a restored model; without the option it does harm."""
    _, new = vintages()
    bad, gone = spoilt(new), spoilt(new, np.nan)
    expected = replace(ROBUST).fit(gone).estimate(gone, PERIODS)
    fitted = ROBUST.fit(bad)
    np.testing.assert_allclose(fitted.estimate(bad, PERIODS).mean, expected.mean, atol=1e-3)
    restored = ROBUST.restore(fitted.state())
    assert np.array_equal(restored.estimate(bad, PERIODS).mean, fitted.estimate(bad, PERIODS).mean)
    plain = replace(ROBUST, outliers=0.0)
    harm = np.abs(plain.fit(bad).estimate(bad, PERIODS).mean - plain.fit(gone).estimate(gone, PERIODS).mean).max()
    assert harm > 0.02, harm


def test_a_wild_new_value_moves_nothing() -> None:
    """Bounds are those of the fit: a release beyond them is not read, however far it lies."""
    old, new = vintages()
    fitted = ROBUST.fit(old)
    a, b = spoilt(new, 60.0, -2), spoilt(new, -9e9, -2)
    assert np.array_equal(fitted.estimate(a, PERIODS).mean, fitted.estimate(b, PERIODS).mean)


def test_a_revision_that_crosses_the_bounds_is_not_linear_and_news_still_adds_up() -> None:
    _, new = vintages()
    fitted = ROBUST.fit(new)
    fitted.explain((new, spoilt(new, 0.3), new), PERIODS[1])
    with pytest.raises(NotLinear, match="a revision crosses the bounds"):
        fitted.explain((new, spoilt(new), new), PERIODS[1])
    told = news(fitted, fitted, new, spoilt(new), PERIODS[1])
    moved = fitted.estimate(spoilt(new), PERIODS).mean[1] - fitted.estimate(new, PERIODS).mean[1]
    assert abs(moved) > 1e-6
    assert told.table["impact"].sum() == pytest.approx(moved, abs=1e-10)


def test_bad_options() -> None:
    with pytest.raises(BadInput, match="at least 0"):
        replace(MODEL, outliers=-1.0)
