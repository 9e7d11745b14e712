"""What every warning model must keep. One test runs all models under ``warning`` against all checks.

A check takes a model, a panel, a later panel of the same series, and a month that the model can tell from both; it raises
AssertionError with what it saw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from engine import reading
from engine.calendar import Period
from engine.errors import NotEnoughData
from engine.model import Model
from engine.panel import Panel
from modelzoo import telling, zoo
from modelzoo.checks import estimating_is_pure, fitting_is_repeatable_and_changes_nothing, same

Check = Callable[[Model, Panel, Panel, Period], None]

HOTTEST = 500 / 3
"""The index of lights with every item red."""


def state_comes_back_to_the_last_bit(model: Model, panel: Panel, later: Panel, period: Period) -> None:
    """restore(state) gives the same answers; the state holds arrays of numbers only; options survive JSON."""
    fitted = model.fit(panel)
    state = {name: value.copy() for name, value in fitted.state().items()}
    assert all(v.dtype in (np.float64, np.int64) for v in state.values()), "a state holds float64 and int64 arrays only"
    name = next(n for n in zoo.names() if n == type(model).__module__.removeprefix("modelzoo."))
    again = zoo.make(name, zoo.given_options(model))
    same(fitted.estimate(later, [period]), again.restore(state).estimate(later, [period]), "a restored model")


def labels_and_bounds_are_right(model: Model, panel: Panel, later: Panel, period: Period) -> None:
    """Target, date and periods as asked, in any order; a chance lies in 0 … 1, an index of lights in 33.3 … 166.7."""
    fitted = model.fit(panel)
    estimate = fitted.estimate(later, [period, period + -1])
    assert estimate.target == model.targets[0]
    assert estimate.asof == later.asof
    assert estimate.periods == (period, period + -1)
    turned = fitted.estimate(later, [period + -1, period])
    assert np.allclose(estimate.mean, turned.mean[::-1], rtol=0, atol=1e-12), "the order of periods matters"
    most = HOTTEST if estimate.target.startswith("warning@") else 1.0
    for values in (estimate.mean, estimate.quantiles):
        assert values.min() >= 0.0, f"{values.min()} is below 0"
        assert values.max() <= most + 1e-9, f"{values.max()} is above {most}"


def other_columns_do_not_matter(model: Model, panel: Panel, later: Panel, period: Period) -> None:
    """Neither the order of columns, nor a series that is not among the inputs, nor empty months at the end move an estimate."""
    base = model.fit(panel).estimate(panel, [period])
    turned = panel.select(panel.ids[::-1])
    same(base, model.fit(turned).estimate(turned, [period]), "columns turned round")
    own = panel.select(model.inputs)
    same(base, model.fit(own).estimate(own, [period]), "other series left out")
    longer = panel.over(panel.first, panel.last + 5)
    other = model.fit(longer).estimate(longer, [period])
    assert np.allclose(base.mean, other.mean, rtol=0, atol=1e-8), f"five empty months moved {base.mean} to {other.mean}"


def units_do_not_matter(model: Model, panel: Panel, later: Panel, period: Period) -> None:
    """An input measured in a unit a thousand times smaller changes nothing; a flag is in no unit."""
    base = model.fit(panel).estimate(panel, [period])
    for name in model.inputs:
        x = panel.matrix([name])
        if not np.isin(x[~np.isnan(x)], (0.0, 1.0)).all():
            large = panel.with_values([name], x * 1000.0)
            other = model.fit(large).estimate(large, [period])
            assert np.allclose(base.quantiles, other.quantiles, rtol=1e-4, atol=1e-4), (
                f"{name}: {base.mean}, {other.mean}"
            )


def too_little_is_refused(model: Model, panel: Panel, later: Panel, period: Period) -> None:
    """Half a year of data, or none, is NotEnoughData: not a guess, not a NaN, not another error."""
    values = panel.matrix(panel.ids)
    values[:-6] = np.nan
    for poor in (panel.with_values(panel.ids, values), panel.with_values(panel.ids, np.full(values.shape, np.nan))):
        try:
            fitted = model.fit(poor)
        except NotEnoughData:
            continue
        raise AssertionError(f"fitted on too little: {fitted}")


def the_newest_month_is_told_and_no_later_one(model: Model, panel: Panel, later: Panel, period: Period) -> None:
    """``newest`` can be estimated; a year after it there is nothing to say, but for a chain that is forecast."""
    fitted = model.fit(panel)
    newest = telling.newest(fitted, panel, 1)[0]
    fitted.estimate(panel, [newest])
    try:
        fitted.estimate(panel, [newest + 12])
    except NotEnoughData as refused:
        why = str(refused)
    else:
        why = "forecast" if hasattr(fitted, "regimes") else ""
    assert why, "a month of which nothing is known was told"
    assert why == "forecast" or str(newest + 12) in why or panel.day in why, f"the refusal names no month: {why}"


def readings_are_in_the_shared_form(model: Model, panel: Panel, later: Panel, period: Period) -> None:
    """What the model tells can be stored, and its index is the estimate's mean."""
    fitted = model.fit(panel)
    rows = reading.check(telling.tell(fitted, panel, [period]), model.targets[0])
    index = rows.filter(level="index")["value"].to_list()
    assert index == fitted.estimate(panel, [period]).mean.tolist()


def what_is_not_known_is_not_used(model: Model, panel: Panel, later: Panel, period: Period) -> None:
    """A panel of the same values some days later gives the same numbers: nothing is read but the panel."""
    base = model.fit(panel)
    dated = replace(panel, asof=later.asof)
    same(base.estimate(panel, [period]), base.estimate(dated, [period]), "another date")


CHECKS: tuple[Check, ...] = (
    fitting_is_repeatable_and_changes_nothing,
    estimating_is_pure,
    state_comes_back_to_the_last_bit,
    labels_and_bounds_are_right,
    other_columns_do_not_matter,
    units_do_not_matter,
    too_little_is_refused,
    the_newest_month_is_told_and_no_later_one,
    readings_are_in_the_shared_form,
    what_is_not_known_is_not_used,
)
