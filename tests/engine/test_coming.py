"""The value of a release before it comes: against the closed form, against what a release then does, and by the calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

import numpy as np
import nyfed
import pytest

from engine.calendar import Freq, Period, end_of
from engine.charts import languages
from engine.coming import calendar, coming, expect, variance
from engine.coming_charts import Bar
from engine.coming_charts import coming as draw
from engine.errors import BadInput, Unknown
from engine.estimate import Estimate
from engine.figures import Origin
from engine.indicator import Indicator, Region, Series
from engine.model import Fitted, State
from engine.panel import Panel
from engine.suppose import Supposed, suppose
from modelzoo.nowcast.ar import Ar
from modelzoo.nowcast.bridge import Bridge
from modelzoo.nowcast.dfm import Dfm

FEW = ("gdpc1@US", "payems@US", "indpro@US", "rsafs@US")
Q3 = Period.parse("2016-Q3")


def panel() -> Panel:
    known: Panel = nyfed.panels()[1]
    return known.select(FEW)


def model() -> Dfm:
    return Dfm("gdpc1@US", {"global": FEW}, since="2000-01", loadings="components")


def test_the_calendar_is_by_usual_delays() -> None:
    found = {r.series: r for r in calendar(panel())}
    assert str(found["payems@US"].period) == "2016-07"
    assert found["payems@US"].day == date(2016, 8, 5)
    assert not found["payems@US"].overdue
    assert str(found["gdpc1@US"].period) == "2016-Q3"
    late = {r.series: r for r in calendar(replace(panel(), asof=end_of(date(2016, 8, 20))))}
    assert late["payems@US"].overdue
    assert not calendar(replace(panel(), asof=end_of(date(2018, 12, 31))))  # all of them have ended


def test_what_is_foreseen_is_what_then_happens() -> None:
    """Whatever a release says, the band of a linear model becomes the one that was foreseen: alone, and in turn."""
    p = panel()
    fitted = model().fit(p)
    seen = coming(fitted, p, Q3)
    assert seen.variance == pytest.approx(variance(fitted, p, Q3))
    rng = np.random.default_rng(3)
    cells: list[Supposed] = []
    for r in seen.releases:
        cell = Supposed(r.release.series, r.release.period, r.expected + 5 * float(rng.standard_normal()))
        cells.append(cell)
        assert variance(fitted, suppose(p, [cell]), Q3) == pytest.approx(r.alone, abs=1e-10)
        assert variance(fitted, suppose(p, cells), Q3) == pytest.approx(r.after, abs=1e-10)
        assert r.alone <= seen.variance + 1e-10
    turns = [seen.variance, *(r.after for r in seen.releases)]
    assert all(b <= a + 1e-10 for a, b in pairwise(turns))
    assert turns[-1] == 0.0  # the last is the target itself


def test_a_release_as_expected_moves_nothing() -> None:
    p = panel()
    fitted = model().fit(p)
    cells = [(r.series, r.period) for r in calendar(p) if r.series != "gdpc1@US"]
    guesses = expect(fitted, p, cells, Q3)
    after = suppose(p, [Supposed(*cell, guesses[cell]) for cell in cells])
    assert fitted.estimate(after, [Q3]).at(Q3) == pytest.approx(fitted.estimate(p, [Q3]).at(Q3), abs=1e-9)


@dataclass(frozen=True)
class Normal:
    """y and x are normal with variances 4 and 1 and covariance c: Var(y | x) = 4 - c²."""

    c: float

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        x = panel.matrix(["x@XX"])[-1, 0]
        known = not np.isnan(x)
        mean = np.array([self.c * x if known else 0.0] * len(periods))
        sd = np.sqrt(4.0 - self.c**2 * known)
        return Estimate.normal("y@XX", panel.asof, periods, mean, np.full(len(periods), sd))

    def state(self) -> State:
        return {}


@pytest.mark.parametrize("c", [0.0, 0.5, 1.9])
def test_the_closed_form(c: float) -> None:
    x = Series(Indicator("x", "x", "x", Freq.M, "%", "%", "lin", "average", 10, "", ""), Region("XX", "", ""))
    values = np.array([[0.1], [0.2], [np.nan]])
    stamps = np.where(np.isnan(values), np.iinfo(np.int64).min, 0)
    p = Panel(end_of(date(2020, 3, 1)), (x,), Period.parse("2020-01"), values, stamps)
    seen = coming(Normal(c), p, Period.parse("2020-Q1"))
    assert seen.variance == pytest.approx(4.0)
    assert seen.releases[0].alone == pytest.approx(4.0 - c**2)


def test_an_autoregression_waits_for_its_target_alone() -> None:
    p = panel()
    seen = coming(Ar("gdpc1@US").fit(p), p, Q3)
    assert {r.release.series for r in seen.releases if r.alone != seen.variance} == {"gdpc1@US"}


@dataclass(frozen=True)
class Pool:
    members: Mapping[str, Fitted]

    def weights(self, panel: Panel, period: Period) -> Mapping[str, float]:
        return {k: 1 / len(self.members) for k in self.members}

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        said = [m.estimate(panel, periods) for m in self.members.values()]
        mean, q = (np.mean([getattr(e, c) for e in said], axis=0) for c in ("mean", "quantiles"))
        return Estimate("gdpc1@US", panel.asof, tuple(periods), mean, q)

    def state(self) -> State:
        return {}


def test_a_pool_expects_what_its_members_do() -> None:
    p = panel()
    one, two = model().fit(p), Dfm("gdpc1@US", {"global": FEW[:3]}, since="2000-01", loadings="components").fit(p)
    bridge = Bridge("gdpc1@US", ("indpro@US",)).fit(p)
    cells = [("indpro@US", Period.parse("2016-07")), ("rsafs@US", Period.parse("2016-07"))]
    own = [expect(m, p, cells, Q3) for m in (one, two)]
    pooled = expect(Pool({"one": one, "two": two, "bridge": bridge}), p, cells, Q3)
    assert pooled[cells[0]] == pytest.approx((own[0][cells[0]] + own[1][cells[0]]) / 2)
    assert pooled[cells[1]] == pytest.approx(own[0][cells[1]], abs=1e-12)  # the other model of factors does not read it
    pool = Pool({"one": one, "bridge": bridge})
    assert coming(pool, p, Q3).releases[0].alone < variance(pool, p, Q3)


def test_what_cannot_be_supposed() -> None:
    p = panel()
    month = Period.parse("2016-07")
    for cell, said in (
        (Supposed("indpro@US", Period.parse("2016-06"), 1.0), "is published"),
        (Supposed("indpro@US", Q3, 1.0), "frequency"),
        (Supposed("indpro@US", month, np.nan), "cannot be supposed"),
        (Supposed("indpro@US", Period.parse("1900-01"), 1.0), "lies before"),
    ):
        with pytest.raises(BadInput, match=said):
            suppose(p, [cell])
    with pytest.raises(BadInput, match="nothing"):
        suppose(p, [])
    with pytest.raises(BadInput, match="twice"):
        suppose(p, [Supposed("indpro@US", month, 1.0)] * 2)
    with pytest.raises(Unknown):
        suppose(p, [Supposed("nope@US", month, 1.0)])


def test_january_comes_with_february() -> None:
    rule = "separate to 2019, combined since 2020"
    about = Indicator("r", "r", "r", Freq.M, "%", "%", "lin", "average", 15, "", "", jan_feb=rule)
    values = np.full((24, 1), 1.0)
    values[12] = np.nan  # January 2020
    flags = np.zeros(values.shape, np.uint8)
    flags[13] = Origin.PAIR
    stamps = np.where(np.isnan(values), np.iinfo(np.int64).min, 0)
    series = (Series(about, Region("XX", "", "")),)
    p = Panel(end_of(date(2021, 1, 20)), series, Period.parse("2019-01"), values, stamps, flags=flags)
    (nxt,) = calendar(p)
    assert (str(nxt.period), nxt.day) == ("2021-02", date(2021, 3, 15))
    with pytest.raises(BadInput, match="together with February"):
        suppose(p, [Supposed("r@XX", Period.parse("2021-01"), 1.0)])
    after = suppose(p, [Supposed("r@XX", Period.parse("2021-02"), 1.0)])
    assert after.flags[-1, 0] == Origin.PAIR


@pytest.mark.parametrize("language", languages())
def test_the_figure(language: str) -> None:
    bars = [
        Bar(f"series {i}", f"指标{i}", "2016-07", f"2016-08-{i + 1:02d}", i == 0, 0.01 * i, 0.005 * i)
        for i in range(20)
    ]
    svg = draw(bars, "title", language, most=6)  # type: ignore[arg-type]
    assert svg.startswith(b"<?xml")
    assert draw(bars, "title", language, most=6) == svg  # type: ignore[arg-type]
    assert draw(bars, "title", language, most=6, synthetic=True) != svg  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        draw([], "title")
