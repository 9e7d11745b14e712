"""What every prosperity index must keep. One test runs all models under ``prosperity`` against all checks.

A check takes a model, a panel and a later panel of the same series; it raises AssertionError with what it saw.

An index is learned anew at every fit, and a fit changes nothing that was said before: what was said as of a day is
``fit(panel of that day).estimate(panel of that day)``. What a *new month* changes in the months before it, with the parameters
held: nothing for composites and diffusion indices, but for months in which a component had been carried or was missing and is
known now; the months of a two-sided filter (``Cli``, ``Factor``) move, the less the older they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np

from engine import reading
from engine.calendar import Period
from engine.errors import NotEnoughData
from engine.estimate import Estimate
from engine.model import Fitted, Model, State
from engine.panel import Panel
from engine.reading import Tells
from engine.typing import Floats
from modelzoo.prosperity.history import History
from modelzoo.prosperity.measure import CARRIED, KNOWN, LEVEL, MISSING, RATE, STEP, measure_of


@runtime_checkable
class Indexed(Fitted, Tells, Protocol):
    """A fitted index: besides what all fitted models do, its whole history."""

    def history(self, panel: Panel) -> History: ...
    def newest(self, panel: Panel) -> Period: ...


Check = Callable[[Model, Panel, Panel], None]

TWO_SIDED = ("Cli", "Factor")


def _fit(model: Model, panel: Panel) -> Indexed:
    fitted = model.fit(panel)
    assert isinstance(fitted, Indexed), f"{type(fitted).__name__} has no history"
    return fitted


def _all(fitted: Indexed, panel: Panel) -> Estimate:
    h = fitted.history(panel)
    return fitted.estimate(panel, [h.first + k for k in range(len(h.parts))])


def _same(a: Estimate, b: Estimate, what: str) -> None:
    assert a.periods == b.periods, f"{what}: {a.periods[0]} … {a.periods[-1]} became {b.periods[0]} … {b.periods[-1]}"
    assert a.mean.tobytes() == b.mean.tobytes(), f"{what}: an index moved by {np.abs(a.mean - b.mean).max():.3g}"
    assert a.quantiles.tobytes() == b.quantiles.tobytes(), f"{what}: quantiles moved"


def _near(a: Floats, b: Floats, what: str, tolerance: float = 1e-7) -> None:
    assert a.shape == b.shape, f"{what}: {len(a)} months became {len(b)}"
    off = np.abs(a - b).max()
    assert off <= tolerance * np.abs(a).max(), f"{what}: the index moved by {off:.3g}"


def fitting_is_repeatable_and_changes_nothing(model: Model, panel: Panel, later: Panel) -> None:
    """Two fits on one panel agree to the last bit; model and panel are as before."""
    digest, before = panel.digest(), repr(model)
    _same(_all(_fit(model, panel), panel), _all(_fit(model, panel), panel), "a second fit")
    assert panel.digest() == digest, "fit changed the panel"
    assert repr(model) == before, "fit changed the model"


def estimating_is_pure(model: Model, panel: Panel, later: Panel) -> None:
    """An estimate on another panel in between leaves no trace."""
    fitted = _fit(model, panel)
    first = _all(fitted, panel)
    _all(fitted, later)
    _same(first, _all(fitted, panel), "an estimate after another")


def state_comes_back_to_the_last_bit(model: Model, panel: Panel, later: Panel) -> None:
    """restore(state) gives the same answers; the state holds arrays of numbers only."""
    fitted = _fit(model, panel)
    state: State = {name: value.copy() for name, value in fitted.state().items()}
    assert all(v.dtype in (np.float64, np.int64) for v in state.values()), "a state holds float64 and int64 arrays only"
    restored = model.restore(state)
    assert isinstance(restored, Indexed)
    _same(_all(fitted, later), _all(restored, later), "a restored model")
    again = restored.state()
    assert {k: v.tobytes() for k, v in state.items()} == {k: v.tobytes() for k, v in again.items()}, "a state changed"


def labels_are_right(model: Model, panel: Panel, later: Panel) -> None:
    """Target, date and periods are those asked for, in their order; readings are well formed; the index is not an input."""
    fitted = _fit(model, panel)
    last = fitted.newest(panel)
    asked = (last, last + -3)
    estimate = fitted.estimate(later, asked)
    assert (estimate.target, estimate.asof, estimate.periods) == (model.targets[0], later.asof, asked)
    assert model.targets[0] not in model.inputs, "an index is not a stored series"
    reading.check(fitted.tell(panel, asked), model.targets[0])


def other_columns_do_not_matter(model: Model, panel: Panel, later: Panel) -> None:
    """Neither the order of columns, nor a series that is not among the inputs, nor empty months at the end move an index."""
    base = _all(_fit(model, panel), panel)
    for what, other in (
        ("columns turned round", panel.select(panel.ids[::-1])),
        ("other series left out", panel.select(model.inputs)),
        ("empty months at the end", panel.over(panel.first, panel.last + 5)),
        ("another date", replace(panel, asof=later.asof)),
    ):
        moved = _all(_fit(model, other), other)
        assert moved.periods == base.periods, f"{what}: other months"
        _same(replace(base, asof=moved.asof), moved, what)


def units_do_not_matter(model: Model, panel: Panel, later: Panel) -> None:
    """A quantity in a unit a thousand times smaller, a rate or share counted from another zero: the same index.

    Growth rates have no unit, rates and balances one by definition. The reference is left alone: a restored trend is in its
    unit.
    """
    base = _fit(model, panel).history(panel).values
    for name in model.inputs:
        if name == getattr(model, "reference", ""):
            continue
        values = panel.matrix([name])
        kind = measure_of(panel.meaning(name), values[:, 0])
        changed = [values * 1000.0] if kind in (LEVEL, STEP) else []
        changed += [values + 50.0] if kind == RATE and (values[~np.isnan(values)] > 0).all() else []
        for other in (panel.with_values([name], v) for v in changed):
            _near(base, _fit(model, other).history(other).values, f"{name} in another unit", 1e-5)


def contributions_add_up(model: Model, panel: Panel, later: Panel) -> None:
    """Parts sum to the index and contributions to its change, every month, to what floating numbers allow."""
    fitted = _fit(model, panel)
    h, estimate = fitted.history(panel), _all(fitted, panel)
    assert estimate.parts is not None
    scale = np.abs(estimate.parts).max()
    assert np.abs(estimate.parts.sum(1) - estimate.mean).max() <= 1e-12 * scale, "parts do not sum to the index"
    gap = np.abs(h.contributions.sum(1) - np.diff(estimate.mean)).max()
    assert gap <= 1e-12 * scale, f"contributions miss the change by {gap:.3g}"
    told = h.contribution(h.last)
    assert abs(sum(told.values()) - (estimate.mean[-1] - estimate.mean[-2])) <= 1e-12 * scale
    assert tuple(told) == estimate.part_names


def uncertainty_is_told(model: Model, panel: Panel, later: Panel) -> None:
    """Every month has a band of some width, about its value."""
    estimate = _all(_fit(model, panel), panel)
    low, high = estimate.band(95).T
    assert (high > low).all(), f"{(high <= low).sum()} months without a band"
    assert ((low <= estimate.mean + 1e-9) & (estimate.mean <= high + 1e-9)).all(), "a value outside of its band"


def a_missing_month_is_carried_once_then_reweighted_and_marked(model: Model, panel: Panel, later: Panel) -> None:
    """The last month of a component is not there: it is carried (or estimated) and marked; the month after it is re-weighted."""
    fitted = _fit(model, panel)
    whole = fitted.history(panel)
    names = [n for n in whole.names if n in model.inputs]
    for name in names if len(names) > 2 else ():
        row = panel.row(whole.last)
        values = panel.matrix([name])
        once, twice, stood = values.copy(), values.copy(), values.copy()
        once[row:], twice[row - 1 :] = np.nan, np.nan
        stood[row:], stood[row] = np.nan, values[row - 1]
        h = fitted.history(panel.with_values([name], once))
        at = names.index(name)
        assert h.last == whole.last, f"without {name} the index ends in {h.last}"
        assert h.mark(h.last).get(name) in (CARRIED, MISSING), f"{name} is missing and not marked"
        if h.marks[-1, at] == CARRIED:
            _near(h.values, fitted.history(panel.with_values([name], stood)).values, f"{name} carried", 1e-12)
        h = fitted.history(panel.with_values([name], twice))
        if h.last != whole.last:  # without it less than 0.6 of the weights are there
            assert h.last == whole.last + -1, f"without two months of {name} the index ends in {h.last}"
            continue
        assert h.mark(h.last)[name] == MISSING, f"{name} is missing for two months and marked {h.mark(h.last)[name]}"
        assert np.isfinite(h.values).all(), "a value that is not a number"
        others = [k for k in range(h.marks.shape[1]) if k != at]
        assert (h.marks[-1, others] == whole.marks[-1, others]).all(), "the marks of others moved"
        if type(model).__name__ not in TWO_SIDED and getattr(model, "smooth", 1) == 1:
            share = h.parts[-1, at] - (h.parts[-2, at] if getattr(model, "form", "") != "index" else 0.0)
            assert share == 0.0, f"{name} is missing and adds {share}"


def a_new_month_moves_nothing_before_it(model: Model, panel: Panel, later: Panel) -> None:
    """With the parameters held: see the top of the file. ``later`` is taken as ``panel`` with its new months."""
    fitted = _fit(model, panel)
    rows = np.arange(later.months)[:, None] + (later.first - panel.first)
    old = panel.over(min(panel.first, later.first), max(panel.last, later.last))
    values, new = old.matrix(old.ids), later.over(old.first, old.last).matrix(old.ids)
    newer = panel.over(old.first, old.last).with_values(
        old.ids, np.where(np.isnan(values) & (np.arange(len(values)) > panel.row(panel.last))[:, None], new, values),
        later.asof,
    )  # fmt: skip
    assert newer.digest() != old.digest(), f"the later panel has no new month ({rows.shape})"
    before, after = fitted.history(panel), fitted.history(newer)
    assert after.last > before.last, "the new months are not in the index"
    n = len(before.parts)
    assert after.first == before.first
    moved = np.abs(after.values[:n] - before.values)
    if type(model).__name__ not in TWO_SIDED:
        whole = (before.marks == KNOWN).all(1) | (before.marks == after.marks[:n]).all(1)
        assert moved[whole].max() <= 1e-9 * np.abs(before.values).max(), (
            f"months before moved by {moved[whole].max():.3g}"
        )
        return
    width = np.ptp(before.quantiles, axis=1)
    assert (moved[: max(n - 60, 1)] <= 0.1 * width[: max(n - 60, 1)]).all(), (
        "months five years back moved by a tenth of their band"
    )


def months_outside_are_refused(model: Model, panel: Panel, later: Panel) -> None:
    """A month before the index begins is NotEnoughData."""
    fitted = _fit(model, panel)
    try:
        fitted.estimate(panel, [fitted.history(panel).first + -1])
    except NotEnoughData:
        return
    raise AssertionError("estimated before the first month of the index")


def too_little_is_refused(model: Model, panel: Panel, later: Panel) -> None:
    """Half a year of data, or none of any component, is NotEnoughData: not a guess, not a NaN, not another error."""
    values = panel.matrix(panel.ids)
    values[:-6] = np.nan
    for poor in (panel.with_values(panel.ids, values), panel.with_values(panel.ids, values * np.nan)):
        try:
            fitted = model.fit(poor)
        except NotEnoughData:
            continue
        raise AssertionError(f"fitted on too little: {fitted}")


CHECKS: tuple[Check, ...] = (
    fitting_is_repeatable_and_changes_nothing,
    estimating_is_pure,
    state_comes_back_to_the_last_bit,
    labels_are_right,
    other_columns_do_not_matter,
    units_do_not_matter,
    contributions_add_up,
    uncertainty_is_told,
    a_missing_month_is_carried_once_then_reweighted_and_marked,
    a_new_month_moves_nothing_before_it,
    months_outside_are_refused,
    too_little_is_refused,
)
