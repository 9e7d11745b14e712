"""The year's outcome of each goal, nowcast as of any day from the board's own panel, and how likely the goals are to be met.

A framework whose targets are goals of a year names the model of the zoo that nowcasts their outcomes: ``outcome = "nowcast.ar"``.
A year's outcome is the value of its last month or quarter: goals are set for figures since January, or at the end of the year. Each
is nowcast for itself, with its own history alone; an outcome that is known is certain.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.calendar import Period, known_day
from engine.errors import BadInput, Unknown
from engine.estimate import Estimate
from engine.panel import Panel
from modelzoo.scorecard.composite import Composite
from modelzoo.scorecard.targets import Together, goals, together


def outlook_of(model: Composite, panel: Panel, unit: str, year: Period | None = None) -> Together:
    """The goals of one unit for a year, the one that runs at the panel's day unless said otherwise.

    Raises BadInput where the framework names no ``outcome`` model or sets no goals, Unknown for a unit, NotEnoughData where an
    indicator is known for too few periods.
    """
    if unit not in model.units:
        raise Unknown(f"{model.target} does not score {unit}")
    asked = goals(model.framework)
    year = year or Period.parse(str(known_day(panel.asof).year))
    return together(asked, outcomes(model, panel, unit, year), year)


def outcomes(model: Composite, panel: Panel, unit: str, year: Period) -> Mapping[str, Estimate]:
    """By indicator, the estimate of the year's last month or quarter. Raises as `outlook_of`."""
    from modelzoo import zoo

    if model.framework.outcome is None:
        raise BadInput(f'framework {model.framework.id}: to nowcast the year, name a model: outcome = "nowcast.ar"')
    found = {}
    for name in model.framework.indicators:
        one = zoo.make(model.framework.outcome, {"target": f"{name}@{unit}"})
        own = panel.select(one.inputs)
        last = year.last_month.to(own.meaning(f"{name}@{unit}").freq)
        found[name] = one.fit(own).estimate(own, [last])
    return found
