"""The templates that ship: each reads, names its sources and both languages, and scores the made-up cities as of a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import cities
import numpy as np
import pytest

from engine.calendar import Period
from featurestore import catalogue
from modelzoo.scorecard.composite import TEMPLATES
from modelzoo.scorecard.framework import Framework

NAMES = sorted(f.stem for f in TEMPLATES.glob("*.toml"))
DAY, YEAR = date(2025, 9, 30), Period.parse("2024")


def test_the_five_of_the_plan_are_there() -> None:
    assert NAMES == ["annual_targets", "modernisation", "mu_efficiency", "private_economy", "quality"]


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_whole(name: str) -> None:
    rule = Framework.read(TEMPLATES / f"{name}.toml")
    assert rule.id == name
    assert rule.sources
    assert any("assumed" in said for said in rule.sources), "what has no source is called assumed"
    there = catalogue.load().indicators
    for node in rule.tree.walk():
        assert node.name_en
        assert node.name_zh
    for leaf in rule.leaves:
        assert leaf.unit
        assert leaf.name in there, f"{leaf.name} is no indicator of the catalogue"
        assert leaf.denominator is None or leaf.denominator in there
        polarity = there[leaf.name].polarity
        assert {"+": 1, "-": -1}.get(polarity, leaf.direction) == leaf.direction, (
            f"{leaf.name}: the catalogue says {polarity}"
        )


@pytest.mark.parametrize("name", NAMES)
def test_a_template_scores_the_cities(name: str) -> None:
    model = cities.scorecard(name)
    panel = cities.panel(model.inputs, DAY)
    fitted = model.fit(panel)
    assert fitted.newest(panel) == YEAR
    scored = fitted.scored(panel, YEAR)
    assert len(scored.units) == 11
    assert not scored.filled.any(), "in September everything is known of the year before"
    assert len(set(scored.rank.tolist())) > 8
    board = fitted.board(panel, YEAR)
    assert board.parts.sum(1) == pytest.approx(board.score)
    page = fitted.page(panel, YEAR, board.units[int(np.argmax(board.rank))])
    assert page.lifts
    assert page.weaknesses


def test_yields_per_mu_of_cities_are_the_published_formula() -> None:
    model = cities.scorecard("mu_efficiency")
    panel = cities.panel(model.inputs, DAY)
    scored = model.fit(panel).scored(panel, YEAR)
    points, bases = (30, 20, 20, 10, 10, 10), (24.097, 136.16, 2.694, 4929.81, 18.14, 3.02)
    ids = ("mu_tax", "mu_va", "va_per_energy", "va_per_emission", "labour_productivity", "rd_to_revenue")
    for u, unit in enumerate(scored.units):
        x = panel.matrix([f"{i}@{unit}" for i in ids])[panel.row(YEAR)]
        by_hand = sum(p * min(v / b, 1.5) for p, b, v in zip(points, bases, x, strict=True))
        assert scored.score[u] == pytest.approx(by_hand)


def test_six_dimensions_weigh_the_same_and_none_is_another() -> None:
    model = cities.scorecard("quality")
    panel = cities.panel(model.inputs, DAY)
    scored = model.fit(panel).scored(panel, YEAR)
    layout = scored.framework.layout
    six = np.arange(layout.children(0).start, layout.children(0).stop)
    assert layout.shares(scored.weight)[six] == pytest.approx([1 / 6] * 6)
    r = np.corrcoef(scored.scores[:, six].T) - np.eye(6)
    assert np.abs(r).max() < 0.97


def test_research_of_last_year_stands_until_august_and_is_marked() -> None:
    model = cities.scorecard("quality")
    before, after = cities.panel(model.inputs, date(2025, 7, 31)), cities.panel(model.inputs, DAY)
    column = model.framework.indicators.index("rd_intensity")
    fitted = model.fit(before)
    early, late = fitted.scored(before, YEAR), fitted.scored(after, YEAR)
    assert early.filled[:, column].all()
    assert not late.filled.any()
    last_year = model.sheet(before, YEAR + -1).values[:, column]
    assert np.array_equal(early.imputed[:, column], last_year)
    others = [j for j in range(len(model.framework.indicators)) if j != column]
    assert np.abs(late.score - early.score).max() > 0
    assert np.allclose(early.normalised[:, others], late.normalised[:, others], atol=2.0)


def test_scores_over_years_are_on_one_scale_and_rise_with_the_trend() -> None:
    model = cities.scorecard("quality")
    panel = cities.panel(model.inputs, DAY)
    fitted = model.fit(panel)
    years = model.periods(panel)
    assert [str(y) for y in years] == [str(y) for y in range(2018, 2025)]
    mean = [fitted.scored(panel, y).score.mean() for y in years]
    assert mean[-1] > mean[0] + 10
    one = fitted.scored(panel, years[3])
    worse = replace(model, units=cities.CITIES[:6])
    assert np.allclose(replace(fitted, model=worse).scored(panel, years[3]).score, one.score[:6]), (
        "with held goalposts nobody's score depends on who else is there"
    )
