"""Which model is chosen, against the AICc of R's seasonal and against simulations whose truth is known; and that it holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from monthly import ABSENT, PASSENGERS, SINCE, Y1995, festive, read

from engine import x13
from engine.calendar import Period
from engine.errors import BadInput, NotConverged, NotEnoughData
from engine.festival import SETS
from engine.regarima import Specification, TradingDays, aicc, blocks, held, identify, unfit

golden = pytest.mark.skipif(bool(ABSENT), reason=ABSENT)


@golden
@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("china_exp.csv", {"none": 2164.6, "week": 2162.3, "after": 2140.6, "short": 2139.6, "long": 2135.4}),
        ("china_imp.csv", {"none": 2226.6, "week": 2141.5, "around": 2191.2, "long": 2141.4}),
    ],
)
def test_windows_of_chinese_trade(name: str, theirs: dict[str, float]) -> None:
    """Airline model from 1995 on, as R's seasonal estimates it: method card 2.1."""
    first, values = read(name)
    values = values[Y1995 - first :, 0]
    plain = Specification(Y1995.freq, True, trading_days="td1coef")
    ours = {w: aicc(Y1995, values, replace(plain, windows=SETS[w])) for w in theirs}
    assert ours == pytest.approx(theirs, abs=0.051)
    chosen = identify(Y1995, values)
    assert chosen.windows == SETS["long"]
    assert chosen.log
    assert chosen.trading_days == "td1coef"
    assert "LS2008.Nov" in chosen.outliers
    assert chosen.identified == Period.parse("2013-12")
    compared = dict(chosen.compared)
    assert {w: compared[f"windows {w}"] for w in theirs} == pytest.approx(ours)


def test_the_effect_is_found() -> None:
    """With a week that costs 20 % the declared sets that hold the week win, and the coefficient comes out within 3 errors."""
    values = festive(240, -0.2, 1)
    chosen = identify(Y1995, values)
    assert (0, 6) in chosen.windows
    week = replace(Specification(Y1995.freq, True), windows=SETS["week"])
    text = x13.write(Y1995, values, {**blocks(week, Y1995, 240), "estimate": {"save": ["est"]}})
    found = x13.run(text, ["est"]).regression["festival1"]
    assert abs(found.value + 0.2) < 3 * found.error < 0.05


def test_where_no_one_keeps_the_festival() -> None:
    chosen = identify(SINCE, PASSENGERS, {"none": ()})
    assert chosen.windows == ()
    assert not [name for name, _ in chosen.compared if name.startswith("windows")]
    assert (chosen.log, chosen.arima) == (True, "(0 1 1)(0 1 1)")


def test_quarters() -> None:
    quarters = PASSENGERS.reshape(-1, 3).sum(axis=1)
    chosen = identify(Period.parse("1949-Q1"), quarters)
    assert chosen.windows == ()
    assert chosen.log


@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("days", ["none", "td1coef", "td"])
def test_held_is_the_same(days: TradingDays, log: bool, constant: bool) -> None:
    """A model held at what it was estimated at gives the same figures, in whatever order its outliers stand."""
    values = festive(150, -0.1, 2)
    values[[40, 90]] = np.nan
    first = Specification(
        Y1995.freq, log, "(1 1 1)(0 1 1)", days, SETS["short"], ("LS2001.Nov", "AO2003.Jan"), constant
    )

    def run(s: Specification) -> x13.Output:
        more: x13.Blocks = {**blocks(s, Y1995, 150), "estimate": {"save": ["est"]}, "x11": {"save": ["d11"]}}
        return x13.run(x13.write(Y1995, values, more), ["d11", "est"])

    free = run(first)
    fixed = held(first, free)
    assert len(fixed.regression) == 5 + constant + {"none": 0, "td1coef": 1, "td": 6}[days] + (
        days != "none" and not log
    )
    for order in (fixed.outliers, fixed.outliers[::-1]):
        again = run(replace(fixed, outliers=order))
        np.testing.assert_allclose(again.tables["d11"], free.tables["d11"], rtol=1e-8)
        assert all(np.isnan(c.error) for name, c in again.regression.items() if not name.startswith("MV"))


def test_outliers_outside_the_series_are_left_out() -> None:
    s = Specification(
        SINCE.freq, True, outliers=("LS1949.Jan", "AO1955.Mar"), regression=(("AO1955.Mar", 0.1), ("LS1949.Jan", 0.2))
    )
    assert blocks(s, SINCE, 144)["regression"]["variables"] == ["AO1955.Mar"]
    assert blocks(s, SINCE, 144)["regression"]["b"] == ["0.1f"]
    assert "regression" not in blocks(s, SINCE, 60)
    with pytest.raises(BadInput, match=r"XX1955\.Mar"):
        blocks(replace(s, outliers=("XX1955.Mar",)), SINCE, 144)
    with pytest.raises(BadInput, match="no period"):
        blocks(replace(s, outliers=("AO1955.13",)), SINCE, 144)
    with pytest.raises(BadInput, match=r"no coefficient for AO1956\.Mar"):
        blocks(replace(s, outliers=("AO1956.Mar",)), SINCE, 144)
    with pytest.raises(BadInput, match="frequency M"):
        blocks(s, Period.parse("1949-Q1"), 40)


def test_what_x13_is_not_given() -> None:
    n = len(PASSENGERS)
    gaps, januaries = PASSENGERS.copy(), PASSENGERS.copy()
    gaps[5:25] = np.nan
    januaries[12::12] = np.nan
    assert unfit(SINCE, PASSENGERS, log=True) == ""
    assert unfit(SINCE, PASSENGERS[:35]) == "35 months, X-13 needs 36"
    assert unfit(SINCE, gaps) == "14% of the months are missing, X-13 is given up to 10%"
    assert unfit(SINCE, januaries) == "month 1 is known in 1 years, X-13 needs 3"
    assert unfit(SINCE, np.ones(n)) == "the series does not vary"
    assert unfit(SINCE, np.tile(PASSENGERS, 6)) == "864 months, X-13 takes at most 780"
    assert "takes logarithms and 1949-11 is not positive" in unfit(SINCE, PASSENGERS - 112, log=True)
    with pytest.raises(NotEnoughData, match="35 months"):
        identify(SINCE, PASSENGERS[:35])


def test_no_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x13, "SECONDS", 1e-6)
    with pytest.raises(NotConverged, match="none of the models log, level"):
        identify(SINCE, PASSENGERS)
