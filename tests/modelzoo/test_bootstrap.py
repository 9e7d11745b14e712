"""Draws of the factor model: bands that cover what they should where samples are short, and numbers that come back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import nyfed
import provincial
import pytest
import synthetic_panel
from scipy.signal import lfilter

from engine import uncertainty
from engine.calendar import Freq, Period, end_of
from engine.errors import BadInput, NotConverged
from engine.panel import Panel
from engine.typing import Floats
from featurestore.panel import build_panel
from modelzoo.nowcast import bootstrap, dfm
from modelzoo.nowcast.dfm import Dfm
from modelzoo.nowcast.pool import Member, Pool

FIVE = ("gdpc1@US", "indpro@US", "payems@US", "rsafs@US", "houst@US")
MODEL = Dfm("gdpc1@US", {"global": FIVE}, since="2000-01", loadings="components", tolerance=1e-3, draws=4)
ASKED = [Period.parse("2016-Q2"), Period.parse("2016-Q3")]


def truth(months: int, series: int, seed: int) -> tuple[Panel, float]:
    """A panel from the model itself, and the quarter that it does not know."""
    g = np.random.default_rng(seed)

    def ar(rho: float, sd: float) -> Floats:
        return np.asarray(lfilter([1.0], [1.0, -rho], g.normal(size=months + 60) * sd)[60 - 4 :], float)

    f = ar(0.7, np.sqrt(0.51))
    z, y = 0.5 * f + ar(0.2, 0.5), np.full(months, np.nan)
    for t in range(2, months, 3):
        y[t] = np.array([1, 2, 3, 2, 1]) / 3 @ z[t : t + 5]
    columns = {"y": (Freq.Q, np.where(np.arange(months) < months - 1, y, np.nan))}
    for i in range(series):
        x = (g.uniform(0.3, 1.0) * f + ar(g.uniform(-0.2, 0.6), 0.8))[4:].copy()
        x[months - 1 - i % 2 :] = np.nan
        columns[f"x{i}"] = (Freq.M, x)
    return synthetic_panel.panel_of(columns), float(y[-1])


def test_bands_with_parameters_cover_better_in_short_samples() -> None:
    """Sixty panels of four years: without parameters the 80 % band holds some two thirds."""
    months, series = 48, 4
    model = Dfm(
        "y@ZZ", {"g": ("y@ZZ", *(f"x{i}@ZZ" for i in range(series)))}, loadings="components", tolerance=1e-3, draws=10
    )
    rows = []
    for seed in range(60):
        panel, outcome = truth(months, series, seed)
        fitted, asked = model.fit(panel), [panel.last.to(Freq.Q)]
        mean, said = fitted.estimate(panel, asked).mean[0], fitted.sources(panel, asked)
        rows.append(((mean - outcome) ** 2, said.states[0], said.total[0]))
    error, states, total = np.array(rows).T
    held = [float(np.mean(error <= uncertainty.Z80**2 * v)) for v in (states, total)]
    assert abs(held[1] - 0.8) < abs(held[0] - 0.8) - 0.03, held
    assert held[1] == pytest.approx(0.8, abs=0.13), held  # of sixty panels: two and a half standard errors
    assert abs(np.log(np.mean(error / total))) < abs(np.log(np.mean(error / states))) - 0.1


def test_parameters_matter_less_in_long_samples() -> None:
    model = Dfm("y@ZZ", {"g": ("y@ZZ", "x0@ZZ", "x1@ZZ", "x2@ZZ")}, loadings="components", tolerance=1e-3, draws=6)

    def share(months: int) -> float:
        panel, _ = truth(months, 3, 1)
        said = model.fit(panel).sources(panel, [panel.last.to(Freq.Q)])
        return float(said.parameters[0] / said.total[0])

    short, long = share(60), share(960)
    assert long < 0.05 < short


def test_draws_move_the_band_and_nothing_else() -> None:
    old, new = (p.select(FIVE) for p in nyfed.panels())
    fitted, plain = MODEL.fit(old), replace(MODEL, draws=0).fit(old)
    with_, without = (f.estimate(new, ASKED) for f in (fitted, plain))
    assert with_.mean.tobytes() == without.mean.tobytes()
    said = fitted.sources(new, ASKED)
    np.testing.assert_array_equal(said.states, plain.sources(new, ASKED).total)
    assert said.parameters[1] > 0
    assert with_.quantiles[1, -1] > without.quantiles[1, -1]
    assert len(fitted.drawn) == 4
    one = fitted.explain((new,), ASKED[1])[0]
    assert one.mean == pytest.approx(with_.mean[1], abs=1e-9)


def test_the_draws_travel_with_the_state_and_follow_their_seeds() -> None:
    old, new = (p.select(FIVE) for p in nyfed.panels())
    fitted = MODEL.fit(old)
    back = MODEL.restore({k: v.copy() for k, v in fitted.state().items()})
    again = MODEL.fit(old.over(old.first + -6, old.last + 6))  # empty months draw nothing
    expected = fitted.sources(new, ASKED)
    for other in (back, MODEL.fit(old)):
        assert other.sources(new, ASKED).total.tobytes() == expected.total.tobytes()
    np.testing.assert_allclose(again.sources(new, ASKED).total, expected.total, rtol=1e-6)
    chain = MODEL.refit(new, fitted)
    assert len(chain.drawn) == 4
    assert chain.sources(new, ASKED).total.tobytes() == MODEL.refit(new, back).sources(new, ASKED).total.tobytes()


def test_the_spread_is_that_of_the_draws() -> None:
    old, new = (p.select(FIVE) for p in nyfed.panels())
    fitted = MODEL.fit(old)
    mean, states = fitted.moments(new, ASKED[1:])
    means, variances = zip(*(d.moments(new, ASKED[1:]) for d in fitted.drawn), strict=True)
    expected = np.mean((np.ravel(means) - mean) ** 2) + max(0.0, states[0] - np.mean(variances))
    assert fitted.sources(new, ASKED[1:]).parameters[0] == pytest.approx(expected, rel=1e-12)
    assert bootstrap.added((), new, ASKED, mean, states).tolist() == [0.0, 0.0]


def test_what_cannot_be_drawn_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="a variance needs two"):
        replace(MODEL, draws=1)
    learn, calls = Dfm.learn, []

    def failing(self: Dfm, panel: Panel, before: dfm.FittedDfm | None) -> dfm.FittedDfm:
        calls.append(before)
        if before is not None and len(calls) % 2:
            raise NotConverged("EM")
        return learn(self, panel, before)

    old = nyfed.panels()[0].select(FIVE)
    monkeypatch.setattr(Dfm, "learn", failing)
    assert len(MODEL.fit(old).drawn) == 4  # every second one fails
    monkeypatch.setattr(
        Dfm, "learn", lambda self, panel, before: learn(self, panel, None) if before is None else failing_all()
    )
    with pytest.raises(NotConverged, match="of 8 panels drawn from the model only 0 could be fitted"):
        MODEL.fit(old)


def failing_all() -> dfm.FittedDfm:
    raise NotConverged("EM")


def test_draws_travel_inside_of_a_pool() -> None:
    old, new = (p.select(FIVE) for p in nyfed.panels())
    options = {"blocks": {"global": FIVE}, "since": "2000-01", "loadings": "components", "tolerance": 1e-3, "draws": 2}
    pool = Pool("gdpc1@US", {"dfm": Member("nowcast.dfm", options), "ar": Member("nowcast.ar")})
    fitted = pool.fit(old)
    back = pool.restore(fitted.state())
    assert back.estimate(new, ASKED).quantiles.tobytes() == fitted.estimate(new, ASKED).quantiles.tobytes()
    assert fitted.sources(new, ASKED).parameters[1] > 0


def test_a_drawn_panel_has_the_gaps_and_the_pairs_of_the_real_one() -> None:
    """January and February told as one stay so, in the units of the series."""
    ids = ("gdp_yoy_ytd@SYN-33", "ind_va_yoy@SYN-33", "retail_total.yoy@SYN-33", "export_value.yoy@SYN-33")
    panel = build_panel(provincial.store(), ids, end_of(date(2023, 10, 31)))
    model = Dfm(ids[0], {"global": ids}, tolerance=1e-3, draws=2)
    fitted = model.fit(panel)
    sample = model.sample(panel)
    standard = fitted._standard(sample)
    assert sample.pairs.any()
    many = [bootstrap._panel(fitted, panel, standard, sample, seed) for seed in range(200)]
    known = ~np.isnan(sample.values)  # all that the panel knows, but for a pair whose January lies before it
    assert (known == (~np.isnan(panel.values) & ~(sample.pairs & (np.arange(panel.months) == 0)[:, None]))).all()
    assert all((np.isnan(p.values) == ~known).all() for p in many)
    assert (many[0].flags == np.where(known, panel.flags, 0)).all()
    drawn = np.stack([p.values for p in many])
    for j in range(len(ids)):  # their middle is the sample's, within six standard errors of what moves together
        rows = known[:, j]
        assert abs(drawn[:, rows, j].mean() - fitted.mean[j]) < 6 * drawn[:, rows, j].mean(1).std() / np.sqrt(200)
    assert fitted.sources(panel, [Period.parse("2023-Q4")]).parameters[0] > 0
