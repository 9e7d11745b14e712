"""Goals of the year on the made-up cities: nowcasts as of a day, certainty once the year is out, probabilities that come true."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import cities
import numpy as np
import pytest

from engine.calendar import Period
from engine.errors import BadInput, Unknown
from modelzoo.scorecard.composite import TEMPLATES
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.outcomes import outcomes, outlook_of
from modelzoo.scorecard.targets import Goal, outlook

MODEL = cities.scorecard("annual_targets")
CITY = cities.CITIES[0]


def test_probabilities_become_certain_as_the_year_goes_on() -> None:
    year = Period.parse("2024")
    days = (date(2024, 3, 31), date(2024, 9, 30), date(2025, 6, 30))
    found = [outlook_of(MODEL, cities.panel(MODEL.inputs, day), CITY, year) for day in days]
    names = [o.goal.name for o in found[0].outlooks]
    assert names == list(MODEL.framework.indicators)
    panel = cities.panel(MODEL.inputs, days[-1])
    for j, o in enumerate(found[-1].outlooks):
        frequency = panel.meaning(f"{names[j]}@{CITY}").freq
        value = panel.matrix([f"{names[j]}@{CITY}"])[panel.row(year.last_month.to(frequency).last_month), 0]
        assert o.mean == pytest.approx(value)
        met = value >= o.goal.value if o.goal.direction == 1 else value <= o.goal.value
        assert o.probability == float(met)
    assert found[-1].all == float(all(o.probability for o in found[-1].outlooks))
    assert 0.0 < found[1].outlooks[2].probability < 1.0
    assert all(t.low <= t.all <= t.high for t in found)


def test_the_year_that_runs_is_meant_and_nothing_is_asked_in_vain() -> None:
    panel = cities.panel(MODEL.inputs, date(2024, 9, 30))
    assert outlook_of(MODEL, panel, CITY) == outlook_of(MODEL, panel, CITY, Period.parse("2024"))
    with pytest.raises(Unknown, match="does not score SYN-3399"):
        outlook_of(MODEL, panel, "SYN-3399")
    with pytest.raises(BadInput, match="to nowcast the year, name a model"):
        outlook_of(replace(MODEL, framework=replace(MODEL.framework, outcome=None)), panel, CITY)
    text = (TEMPLATES / "annual_targets.toml").read_text(encoding="utf-8")
    with pytest.raises(BadInput, match="node gdp_yoy_ytd: a goal of the year needs a target"):
        Framework.read(text.replace('name = "gdp_yoy_ytd",', 'name = "gdp_yoy_ytd", denominator = "x",'))


def test_probabilities_come_true_as_often_as_they_say() -> None:
    """Goal: last year's outcome, as of each August. Better than a coin, and not surer than it should be."""
    said, met = [], []
    names = ("ind_va_yoy_ytd", "retail_yoy_ytd", "fai_yoy_ytd")
    last = cities.panel(MODEL.inputs, date(2025, 6, 30))
    rule = MODEL.framework
    for name in set(rule.indicators) - set(names):
        rule = rule.without(name)
    model = replace(MODEL, framework=rule)
    for year in range(2018, 2025):
        panel = cities.panel(MODEL.inputs, date(year, 8, 31))
        for city in cities.CITIES[:5]:
            estimates = outcomes(model, panel, city, Period.parse(str(year)))
            for name in names:
                then, now = (
                    last.matrix([f"{name}@{city}"])[last.row(Period.parse(f"{y}-12")), 0] for y in (year - 1, year)
                )
                said.append(outlook(Goal(name, then), estimates[name], Period.parse(str(year))).probability)
                met.append(now >= then)
    p, y = np.array(said), np.array(met, float)
    assert len(p) == 105
    assert np.mean((p - y) ** 2) < 0.2, "a coin's Brier score is .25"
    assert y[p > 0.7].mean() > 0.6 > 0.4 > y[p < 0.3].mean()
