"""Months left out of learning: no model learns a bit from them, and every model still reads them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import provincial
import pytest
import statsmodels.api as sm
from synthetic_panel import simulate

from engine.align import own
from engine.calendar import Period, end_of
from engine.errors import BadInput, NotEnoughData
from engine.model import Explains, Fitted, Model, Pooled, Refits
from engine.news import news
from engine.panel import Panel
from featurestore.panel import build_panel
from modelzoo import bundle, zoo
from modelzoo.nowcast.ar import FittedAr
from modelzoo.nowcast.bridge import FittedBridge
from modelzoo.nowcast.bvar import FittedBvar
from modelzoo.nowcast.dfm import Dfm, FittedDfm
from modelzoo.nowcast.pool import Member
from modelzoo.nowcast.without import Without

IDS = ("x0@ZZ", "x1@ZZ", "x2@ZZ")
STRETCH = ("1995-02", "1995-12")
NOW = Period.parse("1999-Q4")
MANY: dict[str, Any] = {"indicators": IDS}
GIVEN: dict[str, dict[str, Any]] = {
    **{f"nowcast.{name}": {} for name in ("naive", "walk", "ar")},
    **{f"nowcast.{name}": MANY for name in ("bridge", "bridges", "umidas", "midas", "elastic", "bvar")},
    "nowcast.boosting": MANY | {"rounds": 24},
    "nowcast.dfm": {"blocks": {"g": ("y@ZZ", *IDS)}, "tolerance": 1e-3},
    "nowcast.pool": {"members": {"ar": {"model": "nowcast.ar"}, "b": {"model": "nowcast.bridges", "options": MANY}}},
}
NAMES = sorted(GIVEN)


def of(name: str, *stretches: tuple[str, str]) -> Without:
    return Without("y@ZZ", Member(name, GIVEN[name]), stretches or (STRETCH,))


def test_every_nowcast_is_here() -> None:
    """Growth since January wraps one of these itself: tests/modelzoo/test_ytd.py."""
    assert {*NAMES, "nowcast.ytd", "nowcast.without"} == {n for n in zoo.names() if n.startswith("nowcast.")}


def stormy(panel: Panel, first: str = "1995-02", last: str = "1995-12") -> Panel:
    """The same panel, in which all values of some months are thirty times as large and turned round."""
    values = panel.matrix(panel.ids).copy()
    rows = slice(panel.row(Period.parse(first)), panel.row(Period.parse(last)) + 1)
    values[rows] *= -30.0
    return panel.with_values(panel.ids, values)


def learned(fitted: Fitted) -> str:
    return bundle.digest(fitted.state())


@pytest.mark.parametrize("name", NAMES)
def test_what_happened_in_them_teaches_nothing(name: str) -> None:
    calm = simulate(240, 3)
    wild = stormy(calm)
    assert learned(of(name).fit(calm)) == learned(of(name).fit(wild))
    assert learned(of(name).inner.fit(calm)) != learned(of(name).inner.fit(wild)), "the test would not see it"


@pytest.mark.parametrize("name", NAMES)
def test_on_an_earlier_day_nothing_changes(name: str) -> None:
    panel = simulate(240, 3)
    later = of(name, ("2000-01", "2000-12"))
    assert learned(later.fit(panel)) == learned(later.inner.fit(panel))


@pytest.mark.parametrize("name", [n for n in NAMES if n != "nowcast.walk"])
def test_they_are_read(name: str) -> None:
    """The newest quarter lies in the stretch: an estimate follows it, with what was learned before it."""
    panel = simulate(240, 3)
    model = of(name, ("1999-02", "1999-12"))
    fitted = model.fit(panel)
    after = fitted.estimate(stormy(panel, "1999-02", "1999-12"), [NOW]).mean
    assert after != fitted.estimate(panel, [NOW]).mean


def test_the_ragged_edge_is_learned_though_its_months_are_not() -> None:
    """On a day within the stretch the delays are those of the panel, not those of what is left of it."""
    panel = simulate(240, 3)
    member = Member("nowcast.bridges", {"indicators": IDS})
    within: Any = Without("y@ZZ", member, (("1999-03", "1999-12"),)).fit(panel)
    plainly: Any = Without("y@ZZ", member, (STRETCH,)).fit(panel)
    np.testing.assert_array_equal(within.stack.delays, plainly.stack.delays)
    assert within.stack.delays[1:].tolist() == [0, 1, 2]


def test_an_autoregression_is_least_squares_on_the_other_quarters() -> None:
    """A row counts if neither its quarter nor one of its lags is left out."""
    panel = simulate(300, 1)
    fitted = Without("y@ZZ", Member("nowcast.ar", {"lags": 1}), (STRETCH,)).fit(panel)
    assert isinstance(fitted, FittedAr)
    first, y = own(panel, "y@ZZ")
    out = [Period.parse(f"1995-Q{q}") - first for q in (1, 2, 3, 4)]
    kept = y.copy()
    kept[out] = np.nan
    now, before = kept[1:], kept[:-1]
    whole = ~np.isnan(now) & ~np.isnan(before)
    ols = sm.OLS(now[whole], sm.add_constant(before[whole])).fit()
    np.testing.assert_allclose(np.r_[fitted.equation.constant, fitted.equation.coefficients], ols.params, atol=1e-10)
    assert fitted.equation.sigma == pytest.approx(np.sqrt(ols.scale))


def test_a_bridge_is_least_squares_on_the_other_quarters() -> None:
    """The first quarter after the stretch sums two of its months (Mariano-Murasawa), and is left out too."""
    panel = simulate(300, 2, late=False)
    fitted = Without("y@ZZ", Member("nowcast.bridge", {"indicators": IDS[:2]}), (STRETCH,)).fit(panel)
    assert isinstance(fitted, FittedBridge)
    x, y = panel.matrix(IDS[:2]), panel.matrix(["y@ZZ"])[:, 0]
    w = np.array([1, 2, 3, 2, 1]) / 3
    out = {panel.row(Period.parse(q)) for q in ("1995-Q1", "1995-Q2", "1995-Q3", "1995-Q4", "1996-Q1")}
    rows = [t for t in range(5, 300, 3) if not np.isnan(y[t]) and t not in out]
    D = sm.add_constant(np.array([w @ x[t - 4 : t + 1] for t in rows]))
    np.testing.assert_allclose(fitted.beta, sm.OLS(y[rows], D).fit().params, atol=1e-9)


def test_a_vector_autoregression_drops_the_quarters_and_their_lags() -> None:
    """The same coefficients from the two parts of the sample as from one in which the rows between are made up."""
    panel = simulate(300, 2, late=False)
    model = Without("y@ZZ", Member("nowcast.bvar", {"indicators": IDS[:2], "lags": 1, "tightness": 50.0}), (STRETCH,))
    fitted = model.fit(panel)
    assert isinstance(fitted, FittedBvar)
    s = fitted.stack
    z = (panel.without(model.months).matrix(s.ids) - s.mean) / s.sd
    Y = np.column_stack([z[2::3, 0], *(z[k::3, i] for i in (1, 2) for k in (0, 1, 2))])
    whole = ~np.isnan(Y[1:]).any(1) & ~np.isnan(Y[:-1]).any(1)
    assert 5 <= (~whole).sum() <= 8  # 1995 and the quarter after it; the first quarters, and the ragged end
    D = sm.add_constant(Y[:-1][whole])
    beta = np.linalg.lstsq(D, Y[1:][whole], rcond=None)[0]
    np.testing.assert_allclose(fitted.B, beta, atol=2e-2)  # the prior is as good as flat


def test_the_factor_model_finds_the_truth_again() -> None:
    """Parameters from a sample whose storm is left out lie near those of the calm one, and far from those with the storm."""
    calm = simulate(240, 6)
    given = {"blocks": {"g": ("y@ZZ", *(f"x{i}@ZZ" for i in range(6)))}, "tolerance": 1e-7}
    model = Without("y@ZZ", Member("nowcast.dfm", given), (STRETCH,))
    fits = [model.inner.fit(calm), model.fit(stormy(calm)), model.inner.fit(stormy(calm))]
    assert all(isinstance(f, FittedDfm) for f in fits)
    ratio = [f.parameters.sigma2[1:] * f.sd[1:] ** 2 for f in fits if isinstance(f, FittedDfm)]
    assert np.abs(ratio[1] / ratio[0] - 1).max() < 0.1
    assert np.abs(ratio[2] / ratio[0] - 1).max() > 0.5


def test_no_series_is_carried_because_of_the_stretch() -> None:
    """A gap that all series share makes the state of the fit longer, and puts none of them into it."""
    panel = simulate(240, 12)
    block = ("y@ZZ", *(f"x{i}@ZZ" for i in range(12)))
    model = Without("y@ZZ", Member("nowcast.dfm", {"blocks": {"g": block}}), (STRETCH,))
    inner = model.inner
    assert isinstance(inner, Dfm)
    sample = inner.sample(panel.without(model.months))
    layout = inner.layout(panel, sample.values, sample.pairs, np.ones(13, bool), 1)
    assert layout.explicit.tolist() == [0]


def test_news_of_what_was_fitted_is_exact_and_linear() -> None:
    """The fit is one of the member: its weights are reached, alone and in a pool."""
    new = simulate(240, 3)
    values = new.matrix(new.ids).copy()
    values[-2:] = np.nan
    old = new.with_values(new.ids, values)
    given = {"blocks": {"g": ("y@ZZ", *IDS)}}
    alone = Without("y@ZZ", Member("nowcast.dfm", given), (STRETCH,))
    again = {
        "model": "nowcast.without",
        "options": {"member": {"model": "nowcast.dfm", "options": given}, "stretches": [STRETCH]},
    }
    pool: Model = zoo.make(
        "nowcast.pool", {"target": "y@ZZ", "members": {"ar": {"model": "nowcast.ar"}, "calm": again}}
    )
    for model in (alone, pool):
        a, b = model.fit(old), model.fit(new)
        told = news(a, b, old, new, NOW)
        moved = b.estimate(new, [NOW]).mean[0] - a.estimate(old, [NOW]).mean[0]
        assert told.table["impact"].sum() == pytest.approx(moved, abs=1e-8)
        fitted = a.members["calm"] if isinstance(a, Pooled) else a
        assert isinstance(fitted, Explains)
        assert told.table.filter(kind="release")["weight"].is_not_null().all()


def test_a_fit_begins_where_the_last_one_ended() -> None:
    panel = simulate(240, 3)
    member = Member("nowcast.dfm", {"blocks": {"g": ("y@ZZ", *IDS)}, "tolerance": 1e-9, "iterations": 5000})
    model = Without("y@ZZ", member, (STRETCH,))
    assert isinstance(model, Refits)
    first = model.fit(panel.without([(Period.parse("1999-01"), Period.parse("1999-12"))]))
    cold, warm = model.fit(panel), model.refit(panel, first)
    np.testing.assert_allclose(warm.estimate(panel, [NOW]).mean, cold.estimate(panel, [NOW]).mean, atol=1e-2)
    ar = Without("y@ZZ", Member("nowcast.ar"), (STRETCH,))  # one that cannot begin anywhere begins anew
    assert learned(ar.refit(panel, ar.fit(panel))) == learned(ar.fit(panel))


def test_a_bundle_of_it_comes_back(tmp_path: Path) -> None:
    panel = simulate(240, 3)
    model = of("nowcast.dfm")
    seen = panel.select(model.inputs)
    kept = bundle.Bundle("nowcast.without", model, (bundle.fit(model, panel),), seen.series)
    bundle.save(tmp_path / "b", kept)
    back = bundle.load(tmp_path / "b")
    assert isinstance(back.model, Without)
    assert (back.model.inner, back.model.months) == (model.inner, model.months)
    a, b = (k.fits[0].fitted.estimate(seen, [NOW]) for k in (kept, back))
    assert a.mean.tobytes() == b.mean.tobytes()
    assert kept.fits[0].panel_digest == seen.digest()  # what was known that day, the months left out among it


def test_growth_since_january_leaves_its_quarters_out() -> None:
    """Around the model of the single quarter or inside of it: what the months of 2020 were teaches nothing, nor do their levels."""
    inner = {"levels": "gdp_ytd@SYN-33", "model": "nowcast.ar"}
    around = Without("gdp_yoy_ytd@SYN-33", Member("nowcast.ytd", inner), (("2020-01", "2020-12"),))
    calm = build_panel(provincial.store(), around.inputs, end_of(date(2023, 10, 31)))
    wild = stormy(calm, "2020-01", "2020-12")
    assert learned(around.fit(calm)) == learned(around.fit(wild))
    assert learned(around.inner.fit(calm)) != learned(around.inner.fit(wild))
    within = {"member": {"model": "nowcast.ar"}, "stretches": [["2020-01", "2020-12"]]}
    ytd = zoo.make("nowcast.ytd", {"target": around.target, **inner, "model": "nowcast.without", "options": within})
    quarter = [Period.parse("2023-Q4")]
    a, b = (m.fit(calm).estimate(calm, quarter) for m in (around, ytd))
    assert a.mean[0] == pytest.approx(
        b.mean[0], abs=0.01
    )  # shares of 2021 rest on levels of 2020, which the one carries on


def test_too_much_left_out_is_refused() -> None:
    with pytest.raises(NotEnoughData):
        of("nowcast.bvar", ("1981-01", "1997-12")).fit(simulate(240, 3))


@pytest.mark.parametrize(
    ("member", "stretches", "problem"),
    [
        ("nowcast.ar", [], "at least one"),
        ("nowcast.ar", [("2020-12", "2020-02")], "2020-12 to 2020-02 is no stretch"),
        ("nowcast.ar", [("2020-Q1", "2020-Q2")], "no stretch of months"),
        ("forecast.theta", [("2020-02", "2020-12")], "left out of a nowcast"),
    ],
)
def test_what_makes_no_sense_is_refused(member: str, stretches: list[tuple[str, str]], problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        Without("y@ZZ", Member(member), tuple(stretches))
