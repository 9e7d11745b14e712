"""All warning models against all checks, on a made-up region. A model that no case names fails the test."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import warned

from engine.calendar import Period
from engine.classify import brier
from engine.errors import BadInput, NotEnoughData
from engine.model import Model
from engine.panel import Panel
from modelzoo import bundle, zoo
from modelzoo.checks_warning import CHECKS, Check
from modelzoo.warning.ensemble import Ensemble, Member
from modelzoo.warning.event import Event
from modelzoo.warning.lights import CompositeLights
from modelzoo.warning.probit import Probit
from modelzoo.warning.signals import Signals
from modelzoo.warning.switching import Switching

EVENT, SOON = Event("event@X", ahead=6), Event("event@X", when="within", ahead=6)
MEMBERS = (
    Member(
        "warning.probit", {"target": "downturn@X", "event": {"series": "event@X", "ahead": 6}, "predictors": ["lead@X"]}
    ),
    Member("warning.switching", {"target": "downturn@X", "series": "output@X", "starts": 4}),
)
CASES: dict[str, tuple[Model, ...]] = {
    "warning.lights": (
        CompositeLights("warning@X", warned.ITEMS),
        CompositeLights("warning@X", warned.ITEMS[:4], learning="deviations", january="both", delta=0.0),
    ),
    "warning.probit": (
        Probit("downturn@X", EVENT, ("lead@X",)),
        Probit("downturn@X", SOON, ("lead@X", "output@X"), link="logit", penalty="l2"),
        Probit("downturn@X", Event("wave@X", "downswing", ahead=3), ("lead@X",), penalty="firth"),
    ),
    "warning.signals": (
        Signals("downturn@X", SOON, ("lead@X", "output@X")),
        Signals("downturn@X", EVENT, ("lead@X",), criterion="youden", recall=0.5),
    ),
    "warning.switching": (Switching("downturn@X", "output@X", starts=4),),
    "warning.ensemble": (Ensemble("downturn@X", MEMBERS), Ensemble("downturn@X", MEMBERS, (2.0, 1.0))),
}


@cache
def panels() -> tuple[Panel, Panel]:
    """A region through 180 and 183 months: ten items, a leading indicator, output with two regimes, and their event."""
    T, g = 183, np.random.default_rng(11)
    low = np.arange(T) % 45 >= 33
    output = g.normal(size=T) + np.where(low, -2.0, 2.0)
    lead = np.roll(np.where(low, -1.0, 1.0), -6) + 0.8 * g.normal(size=T)
    items = dict(zip(warned.IDS, warned.cycle(T, 5).T, strict=True))
    wave = np.sin(2 * np.pi * np.arange(T) / 45) + 0.05 * g.normal(size=T)
    whole = warned.panel(items | {"lead": lead, "output": output, "event": low.astype(float), "wave": wave})
    return warned.until(whole, whole.first + 179), whole


def test_every_warning_model_has_a_case() -> None:
    assert set(CASES) == {n for n in zoo.names() if n.startswith("warning.")}


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("model", [m for models in CASES.values() for m in models], ids=lambda m: repr(m)[:40])
def test_model_keeps(model: Model, check: Check) -> None:
    old, new = panels()
    check(model, old, new, old.last)


def test_a_downswing_is_from_peak_to_trough() -> None:
    panel, _ = panels()
    on = Event("wave@X", "downswing").on(panel)
    phase = np.arange(180) % 45
    inside = ((phase > 14) & (phase < 31)).astype(float)  # peaks at 11.25, troughs at 33.75
    clear = ~np.isnan(on) & ((np.abs(phase - 11) > 3) & (np.abs(phase - 34) > 3))
    assert np.isnan(on[-6:]).all()
    assert clear.sum() > 100
    assert np.mean(on[clear] == inside[clear]) > 0.95


def test_an_ensemble_is_the_mean_and_names_who_refuses() -> None:
    panel, _ = panels()
    one, two = (zoo.make(m.model, m.options).fit(panel) for m in MEMBERS)
    months = [panel.first + t for t in range(60, 180)]
    told = Ensemble("downturn@X", MEMBERS, (2.0, 1.0)).fit(panel).estimate(panel, months)
    a, b = one.estimate(panel, months), two.estimate(panel, months)
    assert told.mean == pytest.approx((2 * a.mean + b.mean) / 3)
    assert told.part_names == ("1 warning.probit", "2 warning.switching")
    came = panel.matrix(["event@X"])[60:180, 0]
    equal = Ensemble("downturn@X", MEMBERS).fit(panel).estimate(panel, months)
    assert brier(equal.mean, came) <= 0.5 * (brier(a.mean, came) + brier(b.mean, came))  # the square is convex
    far = [panel.last + 3]  # the probit sees six months ahead; the chain is forecast
    assert Ensemble("downturn@X", MEMBERS).fit(panel).estimate(panel, far).parts is not None
    with pytest.raises(NotEnoughData, match=r"1 members speak, 2 are needed\. warning\.probit: .* it is needed for"):
        Ensemble("downturn@X", MEMBERS).fit(panel).estimate(panel, [panel.last + 9])
    alone = Ensemble("downturn@X", MEMBERS, least=1).fit(panel).estimate(panel, [panel.last + 9])
    assert alone.part_names == ("2 warning.switching",)
    with pytest.raises(BadInput, match=r"member warning\.probit estimates downturn@Y"):
        Ensemble(
            "downturn@X", (MEMBERS[1], Member("warning.probit", dict(MEMBERS[0].options) | {"target": "downturn@Y"}))
        )
    with pytest.raises(BadInput, match="one a member or none"):
        Ensemble("downturn@X", MEMBERS, (1.0,))


def test_readings_of_lights() -> None:
    _, panel = panels()
    poor = panel.matrix(["i2@X"])
    poor[-1:] = np.nan
    panel = panel.with_values(["i2@X"], poor)
    fitted = CompositeLights("warning@X", warned.ITEMS).fit(panel)
    rows = fitted.tell(panel, [panel.last])
    assert set(rows["unit"]) == {"X"}
    assert rows.filter(level="light").height == 11
    assert rows.filter(level="mark").rows() == [("X", str(panel.last), "mark", "i2@X", 1.0)]
    assert fitted.newest(panel) == panel.last
    assert Period.parse(rows["period"][0]) == panel.last


def test_every_model_survives_its_bundle(tmp_path: Path) -> None:
    """As experiments hand it to serving: a folder of JSON and arrays, read back to the last bit."""
    panel, later = panels()
    for name, models in CASES.items():
        fitted = bundle.fit(models[0], panel)
        series = tuple(panel.meaning(i) for i in models[0].inputs)
        bundle.save(tmp_path / name, bundle.Bundle(name, models[0], (fitted,), series))
        again = bundle.load(tmp_path / name).fit_for(later.asof).fitted
        a, b = (f.estimate(later, [panel.last]).quantiles for f in (fitted.fitted, again))
        assert a.tobytes() == b.tobytes(), name
