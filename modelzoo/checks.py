"""What every model must keep. One test runs all models against all checks; a new model is checked by being there.

A check takes a model, a panel, a later panel of the same series, and a period that neither panel has published; it raises
AssertionError with what it saw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from engine.align import last_known
from engine.calendar import Period
from engine.errors import NotEnoughData
from engine.estimate import Estimate
from engine.model import Model
from engine.news import news
from engine.panel import Panel

Check = Callable[[Model, Panel, Panel, Period], None]


def same(a: Estimate, b: Estimate, what: str) -> None:
    """Raises AssertionError unless the two agree to the last bit."""
    assert a.mean.tobytes() == b.mean.tobytes(), f"{what}: mean {a.mean} became {b.mean}"
    assert a.quantiles.tobytes() == b.quantiles.tobytes(), f"{what}: quantiles moved"


def fitting_is_repeatable_and_changes_nothing(model: Model, panel: Panel, later: Panel, period: Period) -> None:
    """Two fits on one panel agree to the last bit; model and panel are as before."""
    digest, before = panel.digest(), repr(model)
    first, second = model.fit(panel), model.fit(panel)
    same(first.estimate(panel, [period]), second.estimate(panel, [period]), "a second fit")
    assert panel.digest() == digest, "fit changed the panel"
    assert repr(model) == before, "fit changed the model"


def estimating_is_pure(model: Model, panel: Panel, later: Panel, period: Period) -> None:
    """An estimate on another panel in between leaves no trace."""
    fitted = model.fit(panel)
    first = fitted.estimate(panel, [period])
    fitted.estimate(later, [period])
    same(first, fitted.estimate(panel, [period]), "an estimate after another")


def state_comes_back_to_the_last_bit(model: Model, panel: Panel, later: Panel, period: Period) -> None:
    """restore(state) gives the same answers; the state holds arrays of numbers only."""
    fitted = model.fit(panel)
    state = {name: value.copy() for name, value in fitted.state().items()}
    assert all(v.dtype in (np.float64, np.int64) for v in state.values()), "a state holds float64 and int64 arrays only"
    same(fitted.estimate(later, [period]), model.restore(state).estimate(later, [period]), "a restored model")


def what_is_published_stays(model: Model, panel: Panel, later: Panel, period: Period) -> None:
    """A known value of the target is returned as it is, with bands of no width."""
    newest, values = last_known(panel, model.targets[0])
    estimate = model.fit(panel).estimate(panel, [newest])
    assert estimate.mean[0] == values[-1], f"{newest} was published as {values[-1]}, estimated as {estimate.mean[0]}"
    assert np.ptp(estimate.quantiles[0]) == 0.0, "a published value has no bands"


def uncertainty_is_told(model: Model, panel: Panel, later: Panel, period: Period) -> None:
    """A value that is not known has bands of some width, and a farther one no narrower ones by more than a tenth."""
    estimate = model.fit(panel).estimate(panel, [period, period + 4])
    near, far = estimate.quantiles[:, -1] - estimate.quantiles[:, 0]
    assert near > 0, "no bands"
    assert far > 0.9 * near, f"bands shrink from {near:.3g} to {far:.3g} a year later"


def labels_are_right(model: Model, panel: Panel, later: Panel, period: Period) -> None:
    """The estimate names the target, the panel's date and the periods asked, in their order."""
    estimate = model.fit(panel).estimate(later, [period + 1, period])
    assert estimate.target == model.targets[0]
    assert estimate.asof == later.asof
    assert estimate.periods == (period + 1, period)
    both = model.fit(panel).estimate(later, [period, period + 1])
    assert np.allclose(estimate.mean, both.mean[::-1], rtol=0, atol=1e-12), "the order of periods matters"


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
    """Measured in a unit a thousand times smaller, the target's estimate is a thousand times larger."""
    target = model.targets[0]
    large = panel.with_values([target], panel.matrix([target]) * 1000.0)
    a, b = model.fit(panel).estimate(panel, [period]), model.fit(large).estimate(large, [period])
    assert np.allclose(a.quantiles * 1000.0, b.quantiles, rtol=1e-6, atol=1e-6), f"{a.mean} became {b.mean}"


def too_little_is_refused(model: Model, panel: Panel, later: Panel, period: Period) -> None:
    """Half a year of data, or an empty target, is NotEnoughData: not a guess, not a NaN, not another error."""
    target = model.targets[0]
    values = panel.matrix(panel.ids)
    values[:-6] = np.nan
    for poor in (
        panel.with_values(panel.ids, values),
        panel.with_values([target], np.full((panel.months, 1), np.nan)),
    ):
        try:
            fitted = model.fit(poor)
        except NotEnoughData:
            continue
        raise AssertionError(f"fitted on too little: {fitted}")


def news_adds_up(model: Model, panel: Panel, later: Panel, period: Period) -> None:
    """The table of news holds every change of an input and adds up to the change of the estimate."""
    inputs = model.inputs
    old, new = panel.select(inputs), later.select(inputs)
    first, second = model.fit(old), model.fit(new)
    told = news(first, second, old, new, period)
    before, after = first.estimate(old, [period]).at(period), second.estimate(new, [period]).at(period)
    scale = max(1.0, abs(before), abs(after))
    assert abs(told.before - before) < 1e-10 * scale, f"the news begins at {told.before}, the estimate at {before}"
    assert abs(told.after - after) < 1e-10 * scale, f"the news ends at {told.after}, the estimate at {after}"
    assert abs(float(told.table["impact"].sum()) - (after - before)) < 1e-8 * scale, "the news does not add up"
    a, b = (p.over(min(old.first, new.first), max(old.last, new.last)).matrix(inputs) for p in (old, new))
    changed = int((~((a == b) | (np.isnan(a) & np.isnan(b)))).sum())
    rows = int(told.table["kind"].is_in(["release", "revision"]).sum())
    assert rows == changed, f"{changed} cells changed, the news tells {rows}"


def what_is_not_known_is_not_used(model: Model, panel: Panel, later: Panel, period: Period) -> None:
    """A panel of the same values under a later date gives the same numbers: nothing is read but the panel."""
    base = model.fit(panel).estimate(panel, [period])
    dated = replace(panel, asof=later.asof)
    same(base, model.fit(dated).estimate(dated, [period]), "another date")


CHECKS: tuple[Check, ...] = (
    fitting_is_repeatable_and_changes_nothing,
    estimating_is_pure,
    state_comes_back_to_the_last_bit,
    what_is_published_stays,
    uncertainty_is_told,
    labels_are_right,
    other_columns_do_not_matter,
    units_do_not_matter,
    too_little_is_refused,
    news_adds_up,
    what_is_not_known_is_not_used,
)
