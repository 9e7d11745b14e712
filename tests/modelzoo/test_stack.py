"""The lag stack: what it says was known, against cells read from the panel by hand; and that it never looks ahead."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_panel import panel_of, simulate

from engine import autoregression
from engine.align import WEIGHTS
from engine.calendar import Freq, Period
from engine.errors import NotEnoughData
from modelzoo.nowcast import stack
from modelzoo.nowcast.stack import HORIZONS, MOST_LAGS

FORMS: tuple[stack.Form, ...] = ("sums", "months")
IDS = ("x0@ZZ", "x1@ZZ", "x2@ZZ", "q@ZZ")


def test_months_are_the_newest_that_were_known() -> None:
    """x0, x1, x2 end 0, 1 and 2 months before the edge: at horizon h the newest known is h + d months before the period's end."""
    panel = simulate(240, 3)
    s = stack.learn(panel, "y@ZZ", IDS, 3, "months", "")
    assert s.delays[1:4].tolist() == [0, 1, 2]
    z = (panel.matrix(IDS) - s.mean[1:]) / s.sd[1:]
    rows, _ = s.rows(panel)
    for h in HORIZONS:
        _, X = s.history(panel)(h)
        for i in range(3):
            for lag in range(3):
                at = rows - h - i - lag
                ok = (at >= 0) & (at < 240)
                np.testing.assert_array_equal(X[ok, i, lag], z[at[ok], i])
                assert np.isnan(X[~ok, i, lag]).all()


def test_sums_are_what_the_indicator_expected_of_itself() -> None:
    """Each row again by ``Autoregression.fill`` on the series cut where it was known then."""
    panel = simulate(240, 3)
    s = stack.learn(panel, "y@ZZ", IDS, 2, "sums", "")
    rows, _ = s.rows(panel)
    w = np.array(WEIGHTS["growth"])
    for i, name in enumerate(IDS[:3], 1):
        z = ((panel.matrix([name]) - s.mean[i]) / s.sd[i])[:, 0]
        equation = autoregression.fit(z, MOST_LAGS, name)
        for h in (-2, 0, 3, 6):
            _, X = s.history(panel)(h)
            for j in (20, 50, 70):
                cut = z.copy()
                cut[rows[j] - h - int(s.delays[i]) + 1 :] = np.nan
                filled = equation.fill(cut)
                for lag in range(2):
                    end = rows[j] - 3 * lag
                    expected = w @ filled[end - 4 : end + 1][::-1]
                    if h + s.delays[i] > 0:
                        assert X[j, i - 1, lag] == pytest.approx(expected, abs=1e-10)
                    else:  # known to the end of the period
                        assert X[j, i - 1, lag] == pytest.approx(w @ z[end - 4 : end + 1][::-1], abs=1e-12)


def test_now_is_the_last_row_of_history() -> None:
    """The features of the running period by ``now`` are those that ``history`` will show of it at the same horizon."""
    whole = simulate(240, 3, late=False)
    values = whole.matrix(whole.ids)
    for months in (225, 226, 227):
        cut = values.copy()
        cut[months:] = np.nan
        for k, name in enumerate(whole.ids):
            if name.startswith("x"):
                cut[months - int(name[1]) :, k] = np.nan
            else:
                cut[months - 2 :, k] = np.nan  # quarterly ones two months after the end
        panel = whole.with_values(whole.ids, cut)
        for form in FORMS:
            s = stack.learn(panel, "y@ZZ", IDS, 2, form, "")
            period = Period.parse("1998-Q4")
            index, own, X = s.now(panel, period)
            assert HORIZONS[index] == panel.row(period) - (months - 1)
            rows, _ = s.rows(whole)
            mine, history = s.history(whole)(HORIZONS[index])
            j = int(np.flatnonzero(rows == panel.row(period))[0])
            np.testing.assert_allclose(X[0], history[j], atol=1e-10)
            assert own[0] == pytest.approx(mine[j], abs=1e-10)


@given(st.integers(0, 10**6), st.sampled_from(list(HORIZONS)), st.sampled_from(["sums", "months"]))
@settings(max_examples=25, deadline=None)
def test_features_know_nothing_from_after_their_edge(seed: int, h: int, form: stack.Form) -> None:
    """Everything after the edge of one past row is altered: that row's features do not move by one bit."""
    panel = simulate(180, 3, seed % 3)
    s = stack.learn(panel, "y@ZZ", IDS, 2, form, "")
    g = np.random.default_rng(seed)
    rows, _ = s.rows(panel)
    j = int(g.integers(20, len(rows) - 4))
    values = panel.matrix(panel.ids).copy()
    after = max(rows[j] - h, 0) + 1
    values[after:] = np.where(np.isnan(values[after:]), np.nan, g.normal(size=values[after:].shape))
    other = panel.with_values(panel.ids, values)
    a, b = (s.history(p)(h) for p in (panel, other))
    assert a[0][j].tobytes() == b[0][j].tobytes()
    assert a[1][j].tobytes() == b[1][j].tobytes()
    if j + 3 < len(rows) and h < 6:
        assert a[1][j + 3].tobytes() != b[1][j + 3].tobytes()  # the test would see it


def test_the_target_is_never_its_own_feature() -> None:
    """Of two series that are equal, one the target: at every horizon the own expectation differs from the value."""
    g = np.random.default_rng(0)
    y = np.full(240, np.nan)
    y[2::3] = g.normal(size=80)
    panel = panel_of({"y": (Freq.Q, y), "x": (Freq.M, g.normal(size=240))})
    s = stack.learn(panel, "y@ZZ", ("x@ZZ",), 1, "sums", "")
    _, target = s.rows(panel)
    for h in HORIZONS:
        own, _ = s.history(panel)(h)
        assert np.abs(own - target)[10:].min() > 1e-9


def test_what_is_left_out_is_recorded() -> None:
    panel = simulate(240, 6)
    x = panel.matrix(panel.ids)
    at = {name: k for k, name in enumerate(panel.ids)}
    x[:, at["x0@ZZ"]] = np.nan
    x[:-24, at["x1@ZZ"]] = np.nan  # began two years ago
    x[-40:, at["x2@ZZ"]] = np.nan  # ended three years ago
    x[:, at["x3@ZZ"]] = 7.0
    panel = panel.with_values(panel.ids, x)
    names = ("x0@ZZ", "x1@ZZ", "x2@ZZ", "x3@ZZ", "x4@ZZ", "q@ZZ")
    s = stack.learn(panel, "y@ZZ", names, 1, "sums", "")
    assert s.used.tolist() == [True, False, False, False, False, True, True]
    assert s.state()["stack_used"].tolist() == s.used.astype(int).tolist()
    with pytest.raises(NotEnoughData, match="none of 4 indicators"):
        stack.learn(panel, "y@ZZ", names[:4], 1, "sums", "")


def test_a_sample_begins_where_it_is_told() -> None:
    panel = simulate(240, 3)
    s = stack.learn(panel, "y@ZZ", IDS, 1, "sums", "1985-01")
    rows, y = s.rows(panel)
    assert rows[0] == panel.row(Period.parse("1985-Q1"))
    later = panel.matrix(["x0@ZZ"])[60:]
    assert s.mean[1] == pytest.approx(np.nanmean(later))
    assert len(rows) == len(y)
    with pytest.raises(NotEnoughData, match="begins in 2031-01"):
        stack.learn(panel, "y@ZZ", IDS, 1, "sums", "2031-01")


@pytest.mark.parametrize("form", FORMS)
def test_a_series_that_is_left_out_does_not_move_the_edge(form: stack.Form) -> None:
    """A survey that began too late to be used is out a month before all others: nothing is read of it, not even its date."""
    panel = simulate(240, 3)
    cut = panel.matrix(panel.ids).copy()
    cut[-1] = np.nan
    panel = panel.with_values(panel.ids, cut)
    g = np.random.default_rng(0)
    late = np.r_[np.full(180, np.nan), g.normal(size=60)]
    columns = {s.indicator.id: (s.freq, panel.matrix([s.id])[:, 0]) for s in panel.series}
    both = panel_of(columns | {"late": (Freq.M, late)})
    alone = stack.learn(panel, "y@ZZ", IDS, 2, form, "")
    beside = stack.learn(both, "y@ZZ", (*IDS, "late@ZZ"), 2, form, "")
    assert not beside.used[-1]
    np.testing.assert_array_equal(beside.delays[:-1], alone.delays)
    period = Period.parse("1999-Q4")
    a, b = alone.now(panel, period), beside.now(both, period)
    assert a[0] == b[0]
    np.testing.assert_array_equal(b[2][:, :-1], a[2])
    for h in HORIZONS:
        np.testing.assert_array_equal(beside.history(both)(h)[1][:, :-1], alone.history(panel)(h)[1])
