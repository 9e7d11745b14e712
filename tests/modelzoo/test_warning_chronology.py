"""A declared chronology: what was said of it by a day, and no more."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
import warned

from engine.calendar import Period
from engine.errors import BadInput
from engine.typing import Floats
from modelzoo import zoo
from modelzoo.warning.event import Event
from modelzoo.warning.probit import Probit

EVENT = Event(rule="declared", ahead=2, peaks=("2010-03", "2011-06"), troughs=("2010-08",), delay=4)


def known(asof: date, months: int) -> Floats:
    return EVENT.on(warned.panel({"x": np.zeros(months)}, "2010-01", asof=asof))


def test_a_downturn_runs_from_the_month_after_its_peak_to_its_trough() -> None:
    """January to March before the first turn: nobody said. The newest state known is that of four months before the day."""
    on = known(date(2011, 12, 31), 24)
    assert np.isnan(on[:3]).all()
    assert on[3:8].tolist() == [1.0] * 5
    assert on[8:18].tolist() == [0.0] * 10
    assert on[18:20].tolist() == [1.0, 1.0]
    assert np.isnan(on[20:]).all()


@pytest.mark.parametrize(
    ("day", "state"), [(date(2011, 9, 29), 0.0), (date(2011, 10, 31), 0.0), (date(2011, 11, 1), 1.0)]
)
def test_a_turn_is_known_when_its_delay_is_over_and_never_before(day: date, state: float) -> None:
    """The peak is June, July the first month of the downturn: said four months later, in November."""
    on = known(day, 11 + day.month)  # no row of a month that has not ended
    last = Period.parse("2010-01") + int(np.flatnonzero(~np.isnan(on))[-1])
    assert last == Period.parse(f"2011-{day.month - 4:02d}")
    later = known(date(2011, 12, 31), 24)[: len(on)]
    assert np.array_equal(on, np.where(np.isnan(on), np.nan, later), equal_nan=True)
    assert on[last - Period.parse("2010-01")] == state


def test_a_turn_declared_for_later_moves_nothing_before_it_is_said() -> None:
    more = Event(rule="declared", ahead=2, peaks=EVENT.peaks, troughs=("2010-08", "2011-11"), delay=4)
    panel = warned.panel({"x": np.zeros(24)}, "2010-01", asof=date(2011, 12, 31))
    assert np.array_equal(EVENT.on(panel), more.on(panel), equal_nan=True)


def test_a_probit_of_a_declared_event_needs_its_predictors_alone() -> None:
    g = np.random.default_rng(0)
    peaks, troughs = ("2011-01", "2013-01", "2015-01", "2017-01"), ("2012-01", "2014-01", "2016-01", "2018-01")
    event = Event(rule="declared", ahead=0, peaks=peaks, troughs=troughs, delay=6)
    model = Probit("downturn@X", event, ("x@X",))
    assert model.inputs == ("x@X",)
    x = np.where(np.arange(108) // 12 % 2 == 1, -1.0, 1.0) + g.normal(size=108)
    panel = warned.panel({"x": x}, "2010-02")
    fitted = model.fit(panel)
    assert fitted.equation.coefficients[1] < 0
    assert zoo.make("warning.probit", zoo.given_options(model)) == model


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"peaks": ("2010-03",)}, "needs peaks, troughs"),
        ({"peaks": ("2010-03", "2010-05"), "troughs": ("2011-01",)}, "2010-05 is a second peak"),
        ({"peaks": ("2010-Q1",), "troughs": ("2011-01",)}, "months, not 2010-Q1"),
        ({"peaks": ("2010-03",), "troughs": ("2011-01",), "delay": -1}, "delay of 0 or more"),
        ({"peaks": ("2010-03",), "troughs": ("2011-01",), "series": "x@X"}, "read in a series, or declared"),
    ],
)
def test_a_chronology_that_cannot_be_is_refused(said: dict[str, object], why: str) -> None:
    with pytest.raises(BadInput, match=why):
        Event(rule="declared", **said)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="read in a series, or declared"):
        Event()
