"""Bridges, U-MIDAS and MIDAS against equations solved by hand; targeted predictors against statsmodels and a known truth."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize
from synthetic_panel import panel_of, simulate

from engine.align import WEIGHTS
from engine.calendar import Freq, Period
from engine.errors import BadInput, NotConverged, NotEnoughData
from engine.panel import Panel
from engine.typing import Floats
from modelzoo.nowcast import lag_curves, ordered, targeted
from modelzoo.nowcast.bridge import Bridge
from modelzoo.nowcast.bridges import Bridges
from modelzoo.nowcast.equations import Weights
from modelzoo.nowcast.midas import Midas
from modelzoo.nowcast.moments import least_squares
from modelzoo.nowcast.stack import HORIZONS
from modelzoo.nowcast.umidas import Umidas

IDS = ("x0@ZZ", "x1@ZZ", "x2@ZZ")
NOW = Period.parse("2004-Q4")


def by_hand(model: Bridges | Umidas, panel: Panel) -> float:
    """The nowcast of NOW from statsmodels' OLS on the stack's rows, one equation an indicator, weights from the fit."""
    fitted = model.fit(panel)
    s, (_, y) = fitted.stack, fitted.stack.rows(panel)
    index, own, X = s.now(panel, NOW)
    history_own, history = s.history(panel)(HORIZONS[index])
    told = []
    for i in range(X.shape[1]):
        D = np.column_stack([np.ones(len(y)), history_own, history[:, i]])
        whole = ~np.isnan(np.column_stack([D, y])).any(1)
        beta = sm.OLS(y[whole], D[whole]).fit().params
        np.testing.assert_allclose(fitted.equations.coefficients[index, i], beta, atol=1e-9)
        told.append(beta @ np.r_[1.0, own, X[0, i]])
    return float(s.mean[0] + s.sd[0] * (fitted.equations.weight[index] @ np.array(told)))


@pytest.mark.parametrize("model", [Bridges("y@ZZ", IDS, lags=2), Umidas("y@ZZ", IDS, lags=5, weights="bic")])
def test_every_equation_is_least_squares(model: Bridges | Umidas) -> None:
    panel = simulate(300, 3)
    assert model.fit(panel).estimate(panel, [NOW]).mean[0] == pytest.approx(by_hand(model, panel), abs=1e-8)


def test_a_bridge_is_least_squares_on_the_sums_of_the_quarter() -> None:
    """Known to the quarter's end, nothing is filled: the coefficients and the nowcast are statsmodels' on the sums."""
    panel = simulate(300, 2, late=False)
    fitted = Bridge("y@ZZ", IDS[:2]).fit(panel)
    x, y = panel.matrix(IDS[:2]), panel.matrix(["y@ZZ"])[2::3, 0]
    w = np.array(WEIGHTS["growth"])
    sums = np.full((100, 2), np.nan)
    for q in range(1, 100):
        sums[q] = w @ x[3 * q - 2 : 3 * q + 3][::-1]
    D = sm.add_constant(sums, has_constant="add")
    whole = ~np.isnan(np.column_stack([D, y])).any(1)
    expected = sm.OLS(y[whole], D[whole]).fit()
    np.testing.assert_allclose(fitted.beta, expected.params, atol=1e-9)
    assert fitted.sigma == pytest.approx(np.sqrt(expected.scale), abs=1e-9)
    assert fitted.estimate(panel, [NOW]).mean[0] == pytest.approx(expected.params @ D[-1], abs=1e-8)


def test_errors_are_spread_by_age_and_chosen_without_hindsight() -> None:
    old = np.zeros(81)
    old[40] = 1.0  # forty periods ago: half of the weight of one of today
    new = np.zeros(81)
    new[80] = 1.0
    assert ordered.spread(old) ** 2 / ordered.spread(new) ** 2 == pytest.approx(0.5)
    assert ordered.spread(np.full(30, -2.0)) == pytest.approx(2.0)
    folds = [np.array([[1.0], [3.0]]), np.array([[5.0], [0.0]]), np.array([[7.0], [0.0]])]
    best, spread = ordered.chosen(folds)
    assert best == 1  # over all folds
    assert spread == pytest.approx(
        ordered.spread(np.array([5.0, 0.0]))
    )  # the second fold still trusted the first candidate
    assert ordered.folds(50, "y")[0] == (20, 26)
    assert ordered.folds(50, "y")[-1][1] == 50
    with pytest.raises(NotEnoughData, match="y: errors in the order of time need 20"):
        ordered.folds(19, "y")


def test_a_joint_equation_is_one_regression_on_all() -> None:
    panel = simulate(300, 3)
    fitted = Umidas("y@ZZ", IDS, lags=2, joint=True).fit(panel)
    _, y = fitted.stack.rows(panel)
    own, X = fitted.stack.history(panel)(1)
    D = np.column_stack([np.ones(len(y)), own, X.reshape(len(y), -1)])
    whole = ~np.isnan(np.column_stack([D, y])).any(1)
    at = list(HORIZONS).index(1)
    expected = sm.OLS(y[whole], D[whole]).fit().params
    np.testing.assert_allclose(fitted.equations.coefficients[at, 0], expected, atol=1e-9)
    assert fitted.equations.weight[at].tolist() == [1.0]


def test_weights_are_what_they_are_called() -> None:
    panel = simulate(300, 3)
    equal = Bridges("y@ZZ", IDS, weights="equal").fit(panel).equations.weight
    np.testing.assert_allclose(equal, 1 / 3)
    learned: tuple[Weights, ...] = ("mse", "bic")
    for how in learned:
        weight = Bridges("y@ZZ", (*IDS, "q@ZZ"), weights=how).fit(panel).equations.weight
        np.testing.assert_allclose(weight.sum(1), 1.0)
        known = list(HORIZONS).index(0)
        assert weight[known, 3] < weight[known, :3].min()  # q says less of the quarter than the months do


def curve_panel(theta: tuple[float, float], curve: str, noise: float, J: int = 9) -> tuple[Panel, Floats]:
    """y is a curve over the newest nine months of x, plus noise."""
    g = np.random.default_rng(7)
    x = g.normal(size=600)
    w = lag_curves.weights(np.array(theta), curve, J)
    y = np.full(600, np.nan)
    for t in range(11, 600, 3):
        y[t] = 2.0 * w @ x[t - J + 1 : t + 1][::-1] + noise * g.normal()
    return panel_of({"y": (Freq.Q, y), "x": (Freq.M, x)}, "1960-01"), w


@pytest.mark.parametrize(("curve", "theta"), [("almon", (-4.0, -2.0)), ("almon", (6.0, -12.0)), ("beta", (1.0, 4.0))])
def test_the_curve_that_made_the_data_is_found(curve: Literal["almon", "beta"], theta: tuple[float, float]) -> None:
    panel, w = curve_panel(theta, curve, noise=1e-4)
    fitted = Midas("y@ZZ", ("x@ZZ",), curve).fit(panel)
    months = fitted.equations.coefficients[list(HORIZONS).index(0), 0, 2:]
    np.testing.assert_allclose(months / months.sum(), w, atol=2e-3)


@pytest.mark.parametrize("curve", ["almon", "beta"])
def test_variable_projection_is_the_least_sum_of_squares(curve: str) -> None:
    """Against scipy's minimiser over all five parameters at once, from many starts."""
    g = np.random.default_rng(3)
    n, J = 120, 9
    L = g.normal(size=(n, J)).cumsum(1)
    D = np.column_stack([np.ones(n), g.normal(size=n), L])
    y = D @ np.r_[0.3, 0.5, np.linspace(0.4, 0, J)] + g.normal(size=n)
    beta = lag_curves.solve((D.T @ D)[None], (D.T @ y)[None], np.array([y @ y]), curve)[0]
    ours = float(np.sum((y - D @ beta) ** 2))
    (a, b), (c, d) = lag_curves.BOUNDS[curve]

    def ssr(p: Floats) -> float:
        w = lag_curves.weights(p[3:], curve, J)
        return float(np.sum((y - p[0] - p[1] * D[:, 1] - p[2] * (L @ w)) ** 2))

    theirs = min(
        minimize(ssr, [0, 0, 1, s, t], bounds=[(None, None)] * 3 + [(a, b), (c, d)], method="L-BFGS-B").fun
        for s in np.linspace(a, b, 4)
        for t in np.linspace(c, d, 4)
    )
    assert ours <= theirs * (1 + 1e-7)


def test_a_curve_that_does_not_settle_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    panel, _ = curve_panel((6.0, -12.0), "almon", 1.0)
    monkeypatch.setattr(lag_curves, "ITERATIONS", 1)
    with pytest.raises(NotConverged, match="none of 1 equations"):
        Midas("y@ZZ", ("x@ZZ",)).fit(panel)


def test_copies_of_a_column_share_its_coefficient() -> None:
    g = np.random.default_rng(0)
    x, y = g.normal(size=50), g.normal(size=50)
    D = np.column_stack([np.ones(50), x, x])
    beta = least_squares((D.T @ D)[None], (D.T @ y)[None], np.array([y @ y]))[0]
    single = np.polyfit(x, y, 1)
    np.testing.assert_allclose(beta, [single[1], single[0] / 2, single[0] / 2], atol=1e-10)


def test_t_statistics_are_those_of_the_regression() -> None:
    g = np.random.default_rng(5)
    y, X = g.normal(size=90), g.normal(size=(90, 4))
    y[1:] += 0.5 * X[1:, 0]
    X[:10, 2] = np.nan
    t = targeted.hard(y, X, 2)
    Z = targeted.own_lags(y, 2)
    for i in range(4):
        D = np.column_stack([Z, X[:, i]])
        whole = ~np.isnan(D).any(1)
        assert t[i] == pytest.approx(sm.OLS(y[whole], D[whole]).fit().tvalues[-1], abs=1e-8)


def test_targeting_keeps_what_the_target_is_made_of() -> None:
    """Of 60 series two make the target, a third nearly copies the first: hard keeps all three, soft first one of the pair."""
    g = np.random.default_rng(1)
    n = 240
    X = g.normal(size=(n, 60))
    X[:, 2] = X[:, 0] + 0.05 * g.normal(size=n)
    y = X[:, 0] + X[:, 1] + g.normal(size=n)
    assert set(np.flatnonzero(np.abs(targeted.hard(y, X)) > 5)) == {0, 1, 2}
    order = targeted.soft(y, X, 10)
    assert set(order[:2]) in ({0, 1}, {1, 2})
    assert len(order) == 10
    kept = targeted.keep(y, X, "hard", 50.0)
    assert kept.sum() == 1  # a threshold that none reaches keeps the best


def test_selection_as_a_function_for_any_model() -> None:
    panel = simulate(240, 4)
    noise = panel.with_values(["x3@ZZ"], np.random.default_rng(2).normal(size=(240, 1)))
    indicators = ("x0@ZZ", "x1@ZZ", "x2@ZZ", "x3@ZZ", "q@ZZ")
    kept = targeted.targeted(noise, "y@ZZ", indicators, "hard", t_value=2.58)
    assert {"x0@ZZ", "x1@ZZ", "x2@ZZ"} <= set(kept)
    assert "x3@ZZ" not in kept
    assert len(targeted.targeted(noise, "y@ZZ", indicators, "soft", most=2)) == 2
    assert targeted.targeted(noise, "y@ZZ", indicators, "all") == indicators
    with pytest.raises(BadInput):
        targeted.targeted(noise, "y@ZZ", indicators, "soft", most=0)
