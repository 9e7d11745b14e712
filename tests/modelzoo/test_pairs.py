"""January and February published as one: what models on months make of a value that stands for both, and when they know it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from synthetic_panel import panel_of

from engine import autoregression
from engine.calendar import Freq, Period
from engine.figures import Origin
from engine.panel import Panel
from engine.typing import Floats
from modelzoo.nowcast import stack
from modelzoo.nowcast.bridge import Bridge
from modelzoo.nowcast.bvar import Bvar
from modelzoo.nowcast.dfm import Dfm
from modelzoo.nowcast.stack import HORIZONS, MOST_LAGS

MONTHS = 300
FEBRUARY = np.arange(1, MONTHS, 12)
IDS = ("x@ZZ", "z@ZZ")


def economy(seed: int = 0) -> tuple[Floats, Floats, Floats]:
    """A target, the mean of the factor over its quarter, and two indicators month by month."""
    g = np.random.default_rng(seed)
    f = np.zeros(MONTHS)
    for t in range(1, MONTHS):
        f[t] = 0.8 * f[t - 1] + g.normal()
    y = np.full(MONTHS, np.nan)
    y[2::3] = f.reshape(-1, 3).mean(1) + 0.2 * g.normal(size=MONTHS // 3)
    return y, f + 0.3 * g.normal(size=MONTHS), f + 0.3 * g.normal(size=MONTHS)


def paired(seed: int = 0, flagged: bool = True) -> Panel:
    """The indicators in per cent, of January and February their mean, on February; monthly and quarterly levels average."""
    y, *monthly = economy(seed)
    y[-1] = np.nan
    for x in monthly:
        x[FEBRUARY] = (x[FEBRUARY - 1] + x[FEBRUARY]) / 2
        x[FEBRUARY - 1] = np.nan
    panel: Panel = panel_of({"y": (Freq.Q, y), "x": (Freq.M, monthly[0]), "z": (Freq.M, monthly[1])})
    level = [replace(s, indicator=replace(s.indicator, step="lin", aggregation="average")) for s in panel.series]
    flags = np.zeros(panel.values.shape, np.uint8)
    flags[FEBRUARY, 1:] = int(Origin.PAIR) * flagged
    return replace(panel, series=tuple(level), flags=flags)


def test_the_first_quarter_counts_the_pair_twice() -> None:
    """Known to its end: (2 × pair + March) / 3, and not what the indicator had expected of January."""
    panel = paired()
    s = stack.learn(panel, "y@ZZ", IDS, 1, "sums", "")
    rows, _ = s.rows(panel)
    _, X = s.history(panel)(0)
    x = (panel.matrix(["x@ZZ"])[:, 0] - s.mean[1]) / s.sd[1]
    march = rows[(rows % 12 == 2)]
    np.testing.assert_allclose(X[rows % 12 == 2, 0, 0], (2 * x[march - 1] + x[march]) / 3, atol=1e-12)


def test_in_january_nothing_is_known_of_february() -> None:
    """At an edge in January the quarter is what December expected, by hand; the pair is known at an edge in February."""
    panel = paired()
    s = stack.learn(panel, "y@ZZ", IDS, 1, "sums", "")
    rows, _ = s.rows(panel)
    z = ((panel.matrix(["x@ZZ"]) - s.mean[1]) / s.sd[1])[:, 0]
    equation = autoregression.fit(z, MOST_LAGS, "x", stationary=True)
    assert len(equation.coefficients) == 1
    at = np.flatnonzero(rows % 12 == 2)[5]
    march = int(rows[at])
    for h, newest in ((2, march - 3), (1, march - 1)):
        cut = z[: march + 1].copy()
        cut[newest + 1 :] = np.nan
        cut = equation.fill(cut)
        if newest == march - 1:
            cut[march - 2] = z[march - 1]
        assert s.history(panel)(h)[1][at, 0, 0] == pytest.approx(cut[march - 2 : march + 1].mean(), abs=1e-10)


@pytest.mark.parametrize("form", ["sums", "months"])
@pytest.mark.parametrize("h", [h for h in HORIZONS if h > 0])
def test_features_know_nothing_from_after_their_edge(form: stack.Form, h: int) -> None:
    """Everything after the edge of one row is altered, pairs too: no bit of its features moves, whatever month the edge is."""
    panel = paired()
    s = stack.learn(panel, "y@ZZ", IDS, 3, form, "")
    rows, _ = s.rows(panel)
    for j in range(40, 44):  # a row of each quarter of a year
        values = panel.matrix(panel.ids).copy()
        values[rows[j] - h + 1 :] *= -7.0
        other = replace(panel, values=values)
        a, b = (s.history(p)(h)[1][j] for p in (panel, other))
        assert not np.isnan(a).any()
        assert a.tobytes() == b.tobytes()


def test_a_bridge_sums_the_pair_for_both_months() -> None:
    """Coefficients of statsmodels on sums made by hand."""
    panel = paired()
    fitted = Bridge("y@ZZ", IDS).fit(panel)
    months = panel.matrix(IDS).copy()
    months[FEBRUARY - 1] = months[FEBRUARY]
    sums = months.reshape(-1, 3, 2).mean(1)
    y = panel.matrix(["y@ZZ"])[2::3, 0]
    whole = ~np.isnan(y)
    expected = sm.OLS(y[whole], sm.add_constant(sums[whole])).fit()
    np.testing.assert_allclose(fitted.beta, expected.params, atol=1e-10)
    now = fitted.estimate(panel, [Period.parse("2004-Q4")])
    assert now.mean[0] == pytest.approx(expected.params @ np.r_[1.0, sums[-1]], abs=1e-10)


def test_what_the_pair_says_of_january_helps() -> None:
    """First quarters from panels that end in March, over thirty economies: errors are smaller than without the flag."""
    period = Period.parse("2004-Q1")
    for model in (Bridge("y@ZZ", IDS), Bvar("y@ZZ", IDS, lags=1)):
        errors: dict[bool, list[float]] = {True: [], False: []}
        for seed in range(30):
            truth = economy(seed)[0][MONTHS - 10]
            for flagged, found in errors.items():
                panel = paired(seed, flagged)
                cut = panel.matrix(panel.ids).copy()
                cut[MONTHS - 10, 0] = np.nan
                cut[MONTHS - 9 :] = np.nan
                short = panel.with_values(panel.ids, cut)
                found.append(float(model.fit(short).estimate(short, [period]).mean[0]) - truth)
        with_, without = (np.sqrt(np.mean(np.square(errors[k]))) for k in (True, False))
        assert with_ < 0.95 * without, f"{type(model).__name__}: {with_:.3f} against {without:.3f}"


def test_a_target_that_comes_in_pairs_is_read_as_it_is_published() -> None:
    """Sums of both months, on February: what is standardised, explained and expected of the target is that sum."""
    panel = paired()
    series = list(panel.series)
    series[1] = replace(series[1], indicator=replace(series[1].indicator, aggregation="sum"))
    panel = replace(panel, series=tuple(series))
    s = stack.learn(panel, "x@ZZ", ("z@ZZ",), 1, "sums", "")
    _, y = s.rows(panel)
    x = panel.matrix(["x@ZZ"])[:, 0]
    assert s.mean[0] == pytest.approx(np.nanmean(x))
    np.testing.assert_allclose(y, (x - s.mean[0]) / s.sd[0])
    turned = stack.learn(panel, "z@ZZ", ("x@ZZ",), 1, "sums", "")
    halves = np.where(np.arange(MONTHS) % 12 == 1, x / 2, x)
    assert turned.mean[1] == pytest.approx(np.nanmean(halves))


def test_a_factor_model_whose_panel_begins_with_a_pair() -> None:
    """No series knows the first January by itself: the month is part of the sample all the same."""
    panel = paired()
    assert np.isnan(panel.values[0]).all()
    fitted = Dfm("y@ZZ", {"g": ("y@ZZ", *IDS)}).fit(panel)
    period = Period.parse("2004-Q4")
    assert fitted.estimate(panel, [period]).mean[0] == pytest.approx(economy()[0][-1], abs=1.0)
