"""The low regime of a series as a warning: US payrolls against the NBER's months, and nothing from after the day."""

from __future__ import annotations

import numpy as np
import pytest
import warned

from engine.calendar import Period
from engine.classify import auroc
from engine.errors import BadInput, NotEnoughData
from modelzoo.warning.switching import Switching

WANTED = pytest.mark.skipif(bool(warned.ABSENT), reason=warned.ABSENT)


@WANTED
def test_payrolls_tell_the_recessions() -> None:
    whole = warned.us()
    panel = warned.until(whole, Period.parse("2019-12"))
    fitted = Switching("downturn@US", "payems@US", since="1960-01", starts=8).fit(panel)
    first, filtered, smoothed = fitted.probabilities(panel)
    came = panel.matrix(["usrec@US"])[panel.row(first) :, 0]
    assert str(first) == "1960-01"
    assert auroc(smoothed, came) > 0.9
    assert auroc(filtered, came) > 0.85
    told = fitted.estimate(panel, [Period.parse(m) for m in ("2009-01", "2015-06", "2019-12", "2020-03")])
    assert told.mean[0] > 0.9
    assert told.mean[1] < 0.1
    assert told.mean[2] == pytest.approx(filtered[-1], abs=1e-12)
    assert (told.quantiles >= 0).all()
    assert (told.quantiles <= 1).all()


def world() -> tuple[np.ndarray, np.ndarray]:
    g = np.random.default_rng(7)
    low = np.arange(240) % 60 >= 45
    return g.normal(size=240) + np.where(low, -1.5, 1.5), low.astype(float)


def test_the_high_regime_of_a_counter_cyclical_series() -> None:
    y, low = world()
    p, q = warned.panel({"y": y}), warned.panel({"y": -y})
    one = Switching("downturn@X", "y@X", starts=6).fit(p)
    two = Switching("downturn@X", "y@X", starts=6, downturn="high").fit(q)
    months = [p.first + t for t in (10, 50, 239, 245)]
    assert two.estimate(q, months).mean == pytest.approx(one.estimate(p, months).mean, abs=1e-4)
    assert one.estimate(p, months).mean[1] > 0.9
    assert auroc(one.probabilities(p)[2], low) > 0.99


def test_nothing_after_the_day_moves_anything() -> None:
    y, _ = world()
    z = y.copy()
    z[200:] = -50.0
    model, told = Switching("downturn@X", "y@X", starts=4), []
    for v in (y, z):
        p = warned.until(warned.panel({"y": v}), Period.parse("2010-01") + 199)
        told.append(model.fit(p).estimate(p, [p.last, p.last + 3]).quantiles)
    assert told[0].tobytes() == told[1].tobytes()


def test_refusals() -> None:
    y, _ = world()
    p = warned.panel({"y": y})
    fitted = Switching("downturn@X", "y@X", starts=4, since="2012-01").fit(p)
    with pytest.raises(NotEnoughData, match="begins with 2012-01, after 2011-12"):
        fitted.estimate(p, [Period.parse("2011-12")])
    with pytest.raises(BadInput, match="2015 is not a month"):
        fitted.estimate(p, [Period.parse("2015")])
    with pytest.raises(BadInput, match="a monthly series is needed"):
        Switching("downturn@X", "y@X").fit(
            warned.panel({"y": np.where(np.arange(240) % 3 == 2, y, np.nan)}, quarterly=["y"])
        )
