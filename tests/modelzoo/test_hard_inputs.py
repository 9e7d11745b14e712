"""Hard inputs to every nowcast: an answer with finite numbers, or a clear error; never a silent NaN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from synthetic_panel import panel_of, simulate

from engine.calendar import Freq, Period
from engine.errors import NotConverged, NotEnoughData
from engine.model import Model
from engine.panel import Panel
from engine.typing import Floats
from modelzoo.nowcast.bvar import MOST
from modelzoo.zoo import make, names, options

OPTIONS: dict[str, dict[str, Any]] = {"nowcast.boosting": {"rounds": 24}, "nowcast.dfm": {"tolerance": 1e-3}}
# nowcast.ytd reads growth since January and levels, and hands the indicators to one of these (tests/modelzoo/test_ytd.py)
MODELS = tuple(n for n in names() if n.startswith("nowcast.") and n != "nowcast.ytd")


def model(name: str, indicators: tuple[str, ...]) -> Model:
    """A nowcast of y@ZZ on these indicators, in the options that each model has for them."""
    has = {option.name for option in options(name)}
    monthly = tuple(i for i in indicators if i.startswith("x"))
    given: dict[str, Any] = {"target": "y@ZZ", **OPTIONS.get(name, {})}
    if "indicators" in has:
        given["indicators"] = (monthly or indicators) if name == "nowcast.bridge" else indicators
    if "members" in has:
        given["members"] = {
            "ar": {"model": "nowcast.ar"},
            "b": {"model": "nowcast.bridges", "options": {"indicators": indicators}},
        }
    if "member" in has:
        given["member"] = {"model": "nowcast.bridges", "options": {"indicators": indicators}}
        given["stretches"] = [["1995-02", "1995-12"]]
    if "blocks" in has:
        given["blocks"] = {"global": ("y@ZZ", *indicators)}
    return make(name, given)


def with_first(change: Callable[[Floats], Floats]) -> Panel:
    panel: Panel = simulate(240, 6)
    return panel.with_values(["x0@ZZ"], change(panel.matrix(["x0@ZZ"])))


def gap(values: Floats) -> Floats:
    values = values.copy()
    values[150:186] = np.nan
    return values


def since_last_year(values: Floats) -> Floats:
    values = values.copy()
    values[:-12] = np.nan
    return values


def quarterly_only() -> Panel:
    panel: Panel = simulate(240, 1)
    return panel.select(("y@ZZ", "q@ZZ"))


def wide_and_short() -> Panel:
    panel: Panel = simulate(60, 300)
    return panel


def stale() -> Panel:
    """An indicator that ended three years ago."""
    return with_first(lambda v: np.where(np.arange(len(v))[:, None] < len(v) - 36, v, np.nan))


CASES: dict[str, Callable[[], Panel]] = {
    "one series": lambda: simulate(240, 1).select(("y@ZZ", "x0@ZZ")),
    "quarterly only": quarterly_only,
    "an empty column": lambda: with_first(lambda v: v * np.nan),
    "starts last year": lambda: with_first(since_last_year),
    "a constant": lambda: with_first(lambda v: v * 0 + 3.0),
    "a gap of three years": lambda: with_first(gap),
    "300 series of 60 months": wide_and_short,
    "duplicated columns": lambda: with_first(lambda v: simulate(240, 6).matrix(["x1@ZZ"])),
    "1e9": lambda: with_first(lambda v: v * 1e9),
    "1e-9": lambda: with_first(lambda v: v * 1e-9),
    "ended three years ago": stale,
}
REFUSED = {  # by every model that reads the indicators; whoever refuses anything else fails
    "300 series of 60 months",
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("case", CASES)
def test_an_answer_or_a_clear_error(name: str, case: str) -> None:
    panel = CASES[case]()
    indicators = tuple(i for i in panel.ids if i != "y@ZZ")
    if name == "nowcast.bridge" and case == "quarterly only":
        pytest.skip("a bridge takes monthly indicators, and says so")
    if name == "nowcast.bvar":
        indicators = indicators[:MOST]  # a handful; more is BadInput
    built = model(name, indicators)
    now = Period.parse("1980-01") + (panel.months - 1)
    periods = [now.to(Freq.Q), now.to(Freq.Q) + 4]
    may_refuse = case in REFUSED or name in ("nowcast.dfm", "nowcast.bridge")  # these two refuse more
    refusal: NotEnoughData | NotConverged | None = None
    try:
        estimate = built.fit(panel).estimate(panel, periods)
    except (NotEnoughData, NotConverged) as error:
        refusal = error
    if refusal is not None:
        assert may_refuse, f"{name} refuses {case}: {refusal}"
        assert "nan" not in str(refusal).lower()
        return
    assert np.isfinite(estimate.mean).all()
    assert np.isfinite(estimate.quantiles).all()
    assert np.ptp(estimate.quantiles, axis=1).min() > 0


@pytest.mark.parametrize("name", [n for n in MODELS if n not in ("nowcast.dfm", "nowcast.bridge", "nowcast.bvar")])
def test_a_series_that_is_later_than_when_it_was_learned_is_filled(name: str) -> None:
    """The fit knew x0 to the edge; the panel of the estimate lacks its last half year, or all of it."""
    panel = simulate(240, 6)
    fitted = model(name, tuple(i for i in panel.ids if i != "y@ZZ")).fit(panel)
    period = [Period.parse("1999-Q4")]
    base = fitted.estimate(panel, period).mean[0]
    for lost in (6, 240):
        x = panel.matrix(["x0@ZZ"]).copy()
        x[-lost:] = np.nan
        poorer = fitted.estimate(panel.with_values(["x0@ZZ"], x), period)
        assert np.isfinite(poorer.quantiles).all()
        assert abs(poorer.mean[0] - base) < 4.0


def test_the_panel_of_the_tests_is_what_it_says() -> None:
    panel = panel_of({"y": (Freq.Q, np.full(24, np.nan)), "x": (Freq.M, np.arange(24.0))})
    assert panel.ids == ("y@ZZ", "x@ZZ")
    assert np.isnan(simulate(60, 3).matrix(["x2@ZZ"])[-2:]).all()
