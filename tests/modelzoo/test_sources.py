"""Where the bands of the models come from: parts add up to the band, and are what least squares says where that is the method."""

from __future__ import annotations

import numpy as np
import nyfed
import pytest
import statsmodels.api as sm

from engine import uncertainty
from engine.align import own
from engine.calendar import Period
from engine.model import Model
from engine.panel import Panel
from engine.typing import Floats
from modelzoo.nowcast.ar import Ar
from modelzoo.nowcast.bridge import Bridge
from modelzoo.nowcast.bvar import Bvar
from modelzoo.nowcast.dfm import Dfm
from modelzoo.nowcast.pool import Member, Pool
from modelzoo.nowcast.without import Without
from modelzoo.nowcast.ytd import Ytd
from tests.modelzoo.test_checks import CASES, case

GDP, FEW = "gdpc1@US", ("indpro@US", "payems@US")
MODELS = [m for models in CASES.values() for m in models]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: repr(m)[:28])
def test_the_parts_add_up_to_the_band(model: Model) -> None:
    panel, later, period = case(model)
    fitted = model.fit(panel)
    asked = [period, period + 1]
    q = fitted.estimate(later, asked).quantiles
    sd = (q[:, 5] - q[:, 1]) / (2 * uncertainty.Z80)
    for one in (fitted, model.restore(fitted.state())):
        said = uncertainty.sources(one, later, asked)
        np.testing.assert_allclose(said.total, sd**2, rtol=1e-9)
        held = np.nan_to_num(said.states) + np.nan_to_num(said.parameters)
        apart = ~np.isnan(said.states)
        np.testing.assert_allclose(held[apart], said.total[apart], rtol=1e-12)
        assert (held >= 0).all()
    inner = model.inner if isinstance(model, Without) else model
    assert apart.all() == isinstance(inner, Ar | Bridge | Bvar | Dfm | Ytd)  # the others take bands from past errors


def test_which_bands_hold_the_parameters() -> None:
    panel, _ = nyfed.panels()
    asked = [Period.parse("2016-Q3")]

    def parameters(model: Model) -> float:
        return float(uncertainty.sources(model.fit(panel), panel, asked).parameters[0])

    for model in (Ar(GDP), Bridge(GDP, FEW), Bvar(GDP, FEW)):
        assert parameters(model) > 0
    assert np.isnan(parameters(Dfm(GDP, {"global": (GDP, *FEW)}, tolerance=1e-4)))


def whole_quarters() -> Panel:
    """The panel up to a quarter of which all months are known, but not the target."""
    panel: Panel = nyfed.panels()[0]
    cut = panel.row(Period.parse("2015-Q4"))
    values = panel.values.copy()
    values[cut + 1 :] = np.nan
    values[cut, panel.ids.index(GDP)] = np.nan
    return panel.with_values(panel.ids, values)


def summed(panel: Panel, name: str, count: int) -> Floats:
    x, out = panel.matrix([name])[:, 0], np.full(count, np.nan)
    for q in range(1, count):
        t = 3 * q + 2
        out[q] = (x[t] + 2 * x[t - 1] + 3 * x[t - 2] + 2 * x[t - 3] + x[t - 4]) / 3
    return out


def test_a_bridge_with_nothing_to_fill_is_least_squares() -> None:
    panel = whole_quarters()
    fitted = Bridge(GDP, FEW).fit(panel)
    first, y = own(panel, GDP)
    assert panel.row(first) == 2
    X = sm.add_constant(np.column_stack([summed(panel, name, len(y)) for name in FEW]))
    whole = ~np.isnan(y) & ~np.isnan(X).any(1)
    at = Period.parse("2015-Q4") - first
    peer = sm.OLS(y[whole], X[whole]).fit().get_prediction(X[[at]])
    said = fitted.sources(panel, [Period.parse("2015-Q4")])
    assert said.parameters[0] == pytest.approx(peer.se_mean[0] ** 2, rel=1e-8)
    assert said.total[0] == pytest.approx(peer.se_obs[0] ** 2, rel=1e-8)


def test_a_champion_of_before_they_were_kept_says_what_it_said() -> None:
    panel, _ = nyfed.panels()
    asked = [Period.parse("2016-Q3"), Period.parse("2016-Q4")]
    for model in (Ar(GDP), Bridge(GDP, FEW)):
        fitted = model.fit(panel)
        old = model.restore({k: v for k, v in fitted.state().items() if "inverse" not in k})
        said, now = uncertainty.sources(old, panel, asked), uncertainty.sources(fitted, panel, asked)
        np.testing.assert_array_equal(said.total, now.states)
        assert np.isnan(said.parameters).all()


def test_a_pool_is_of_its_members_until_it_is_recalibrated() -> None:
    panel, _ = nyfed.panels()
    asked = [Period.parse("2016-Q3")]
    pool = Pool(GDP, {"ar": Member("nowcast.ar"), "bridge": Member("nowcast.bridge", {"indicators": list(FEW)})})
    fitted = pool.fit(panel)
    said = fitted.sources(panel, asked)
    each = [uncertainty.sources(m, panel, asked) for m in fitted.members.values()]
    sd = [float(np.sqrt(e.total[0])) for e in each]
    assert said.total[0] == pytest.approx(np.mean(sd) ** 2)
    expected = np.mean(sd) * sum(0.5 * e.parameters[0] / s for e, s in zip(each, sd, strict=True))
    assert said.parameters[0] == pytest.approx(expected)
    assert not said.live
    fitted.learned.widths[:] = 1.2
    wider = fitted.sources(panel, asked)
    assert wider.live
    assert np.isnan([wider.states[0], wider.parameters[0]]).all()
    assert wider.total[0] == pytest.approx(1.2**2 * said.total[0])
