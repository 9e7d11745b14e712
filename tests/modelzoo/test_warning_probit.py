"""The yield-curve probit against its golden file, and out of sample by expanding window."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import warned

from engine.calendar import Period
from engine.classify import auroc, brier
from engine.errors import BadInput, NotEnoughData
from engine.expanding import expanding
from modelzoo.warning.event import Event
from modelzoo.warning.probit import Probit

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/ews/probit_yieldcurve.json").read_text(encoding="utf-8"))
WANTED = pytest.mark.skipif(bool(warned.ABSENT), reason=warned.ABSENT)
MODEL = Probit("downturn@US", Event("usrec@US"), ("spread@US",), penalty="none", since="1959-01")


@WANTED
@pytest.mark.parametrize("sample", sorted(GOLDEN))
def test_the_yield_curve(sample: str) -> None:
    """Card 2.11, P(R in 12 months) = Φ(a + b spread): coefficients to 1e-4, likelihood, pseudo R² and AUROC .847 and .862."""
    said = GOLDEN[sample]
    panel = warned.until(warned.us(), Period.parse(sample[8:]))
    fitted = MODEL.fit(panel)
    assert fitted.equation.coefficients == pytest.approx([said["const"], said["beta"]], abs=1e-4)
    assert fitted.equation.n == said["n"]
    assert fitted.equation.llf == pytest.approx(said["llf"], abs=1e-4)
    assert fitted.equation.pseudo_r2 == pytest.approx(said["pseudoR2"], abs=1e-6)
    months = [Period.parse("1959-01") + t for t in range(said["n"])]
    told = fitted.estimate(panel, months)
    start = panel.row(months[0])
    came = panel.matrix(["usrec@US"])[start : start + said["n"], 0]
    assert auroc(told.mean, came) == pytest.approx(said["auroc"], abs=1e-6)
    assert told.band(95)[:, 0].min() > 0
    assert told.band(95)[:, 1].max() < 1
    assert fitted.equation.events_per_variable == came.sum()


@WANTED
def test_out_of_sample() -> None:
    """Fitted each year on what was known by then, the curve still tells recessions a year ahead; better than their share."""
    whole = warned.us()
    months = [Period.parse("1975-01") + 6 * k for k in range(92)]
    said = expanding(MODEL, (warned.until(whole, m) for m in months), lambda p: p.last + 12, every=2)
    came = np.array([whole.matrix(["usrec@US"])[whole.row(p), 0] for p in said.periods])
    assert not said.refused
    assert auroc(said.mean, came) > 0.75
    assert brier(said.mean, came) < brier(np.full(92, came.mean()), came)


def wave(months: int = 240) -> tuple[np.ndarray, np.ndarray]:
    g = np.random.default_rng(4)
    x = np.sin(np.arange(months) / 8) + 0.3 * g.normal(size=months)
    return x, (np.r_[np.zeros(6), x[:-6]] + 0.3 * g.normal(size=months) < -0.5).astype(float)


def test_when_an_event_counts() -> None:
    on = np.array([0, 0, 0, 1, 1, 0, 0, 0, 0, np.nan])
    within, at = Event("e@X", when="within", ahead=2), Event("e@X", ahead=2)
    assert np.array_equal(within.label(on), [0, 1, 1, np.nan, np.nan, 0, 0, np.nan, np.nan, np.nan], equal_nan=True)
    assert np.array_equal(at.label(on), on, equal_nan=True)
    p = warned.panel({"x": np.arange(10.0), "e": on})
    x, _ = at.sample(p, ["x@X"])
    assert np.array_equal(x[:, 0], [np.nan, np.nan, *range(8)], equal_nan=True)
    holes = warned.panel({"e": np.array([np.nan, 0, np.nan, 1, np.nan, 0, np.nan])})
    assert np.array_equal(Event("e@X").on(holes), [np.nan, 0, 0, 1, 1, 0, np.nan], equal_nan=True)
    slow = Event("x@X", "slowdown", fall=2.5, span=3)
    q = warned.panel({"x": np.array([5, 5, 5, 5, 2, 3, 2, 9.0])})
    assert np.array_equal(slow.on(q), [np.nan] * 3 + [0, 1, 0, 1, 0], equal_nan=True)


def test_nothing_after_the_day_moves_anything() -> None:
    x, e = wave()
    model = Probit("downturn@X", Event("e@X", ahead=6), ("x@X",))
    y, f = x.copy(), e.copy()
    y[150:], f[150:] = 99.0, 1.0
    day = Period.parse("2010-01") + 149
    told = []
    for a, b in ((x, e), (y, f)):
        p = warned.until(warned.panel({"x": a, "e": b}), day)
        told.append(model.fit(p).estimate(p, [day + 6]))
    assert told[0].quantiles.tobytes() == told[1].quantiles.tobytes()


def test_refusals_name_the_month_and_the_series() -> None:
    x, e = wave()
    p = warned.panel({"x": x, "e": e})
    fitted = Probit("downturn@X", Event("e@X", ahead=6), ("x@X",)).fit(p)
    with pytest.raises(NotEnoughData, match=r"x@X of 2030-01 is not known as of 2029-12-31; it is needed for 2030-07"):
        fitted.estimate(p, [p.last + 7])
    with pytest.raises(BadInput, match="x@X is not a flag"):
        Probit("downturn@X", Event("x@X"), ("x@X",)).fit(p)
    with pytest.raises(NotEnoughData, match=r"downturn@X as of 2029-12-31: 0 of"):
        Probit("downturn@X", Event("e@X", ahead=6), ("x@X",)).fit(warned.panel({"x": x, "e": 0 * e}))
    with pytest.raises(BadInput, match="2020-Q1 is not a month"):
        fitted.estimate(p, [Period.parse("2020-Q1")])
