"""Hard inputs to the factor model: an answer or a clear error, never a silent one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import nyfed
import pytest

from engine.calendar import Period
from engine.errors import NotConverged, NotEnoughData
from engine.panel import Panel
from engine.typing import Floats
from modelzoo.nowcast.dfm import Dfm

FIVE = {"global": ("gdpc1@US", "indpro@US", "payems@US", "rsafs@US", "houst@US")}
PERIODS = [Period.parse("2016-Q2"), Period.parse("2016-Q3")]


def with_output(change: Callable[[Floats], Floats]) -> Panel:
    old: Panel = nyfed.panels()[0]
    return old.with_values(["indpro@US"], change(old.matrix(["indpro@US"])))


def estimate(panel: Panel) -> Floats:
    return Dfm("gdpc1@US", FIVE).fit(panel).estimate(panel, PERIODS).mean


def test_copies_are_refused_and_not_fitted_to_nonsense() -> None:
    """With two equal series the likelihood has no bound; EM must say so, not stop where it has collapsed."""
    old, _ = nyfed.panels()
    with pytest.raises(NotConverged, match="copies of each other"):
        estimate(with_output(lambda _: old.matrix(["payems@US"])))


@pytest.mark.parametrize("useless", [np.nan, 3.0])
def test_an_empty_or_constant_series_is_as_if_it_were_not_there(useless: float) -> None:
    old, _ = nyfed.panels()
    without = {"global": tuple(i for i in FIVE["global"] if i != "indpro@US")}
    expected = Dfm("gdpc1@US", without).fit(old).estimate(old, PERIODS).mean
    np.testing.assert_allclose(estimate(with_output(lambda v: v * 0 + useless)), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("unit", [1e9, 1e-9])
def test_units_of_an_input_do_not_matter(unit: float) -> None:
    np.testing.assert_allclose(estimate(with_output(lambda v: v * unit)), estimate(with_output(lambda v: v)), atol=1e-6)


def test_a_gap_of_three_years_is_carried() -> None:
    def gap(v: Floats) -> Floats:
        v = v.copy()
        v[200:236] = np.nan
        return v

    assert np.abs(estimate(with_output(gap)) - estimate(with_output(lambda v: v))).max() < 0.5


def test_what_cannot_be_fitted_says_why() -> None:
    old, _ = nyfed.panels()
    with pytest.raises(NotEnoughData, match="block global: 1 factors need as many monthly series, 0 are usable"):
        Dfm("gdpc1@US", {"global": ("gdpc1@US",)}).fit(old)
    with pytest.raises(NotEnoughData, match="9 values are known as of 2016-06-29, a factor model needs 12"):
        Dfm("gdpc1@US", FIVE, since="2014-01").fit(old)


def test_a_state_of_before_there_were_bounds_still_speaks() -> None:
    panel, _ = nyfed.panels()
    model = Dfm("indpro@US", {"global": ("indpro@US", "payems@US", "houst@US")}, tolerance=1e-3)
    fitted = model.fit(panel.select(model.inputs))
    old = {name: value for name, value in fitted.state().items() if name != "within"}
    period = [Period.parse("2016-08")]
    seen = panel.select(model.inputs)
    assert model.restore(old).estimate(seen, period).mean[0] == fitted.estimate(seen, period).mean[0]
