"""Filters against R's mFilter, cif and statsmodels, each against a plain twin, and by what they must keep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.filters.api import bkfilter, cffilter, hpfilter

from engine.errors import BadInput, NotEnoughData
from engine.filters import Split, band, baxter_king, christiano_fitzgerald, hamilton, hodrick_prescott, smoothing
from engine.typing import Floats

GOLDEN = Path(__file__).parents[1] / "golden" / "filters"
ALL: dict[str, Callable[[Floats], Split]] = {
    "hp": lambda y: hodrick_prescott(y, 1600.0),
    "band": band,
    "bk": lambda y: baxter_king(y, 6, 32, 12),
    "cf": lambda y: christiano_fitzgerald(y, 6, 32),
    "cf without drift": lambda y: christiano_fitzgerald(y, 6, 32, drift=False),
    "cf of noise": lambda y: christiano_fitzgerald(y, 6, 32, root=False),
    "cf of noise without drift": lambda y: christiano_fitzgerald(y, 6, 32, drift=False, root=False),
    "hamilton": lambda y: hamilton(y, 8, 4),
}


def walks(T: int, N: int, seed: int = 0) -> Floats:
    return np.cumsum(np.random.default_rng(seed).normal(size=(T, N)), axis=0)


def plain_hp(y: Floats, lam: float) -> Floats:
    K = np.diff(np.eye(len(y)), 2, axis=0)
    return np.asarray(np.linalg.solve(np.eye(len(y)) + lam * K.T @ K, y), np.float64)


def ideal(j: int, low: float, high: float) -> float:
    a, b = 2 * np.pi / high, 2 * np.pi / low
    return float((b - a) / np.pi if j == 0 else (np.sin(b * j) - np.sin(a * j)) / (np.pi * j))


def plain_bk(y: Floats, low: float, high: float, K: int) -> Floats:
    w = np.array([ideal(abs(j), low, high) for j in range(-K, K + 1)])
    w = w - w.mean()
    return np.array([w @ y[t - K : t + K + 1] if K <= t < len(y) - K else np.nan for t in range(len(y))])


def plain_cf(y: Floats, low: float, high: float, drift: bool, root: bool) -> Floats:
    """Christiano and Fitzgerald (2003), one period after the other; equations (1.2) and (1.3) for the random walk."""
    T, t = len(y), np.arange(len(y))
    if root and drift:
        y = y - t * (y[-1] - y[0]) / (T - 1)
    if not root:
        y = y - np.asarray(np.polyval(np.polyfit(t, y, int(drift)), t), np.float64)
    out = np.empty(T)
    for i in range(T):
        if not root:
            out[i] = sum(ideal(abs(i - j), low, high) * y[j] for j in range(T))
            continue
        w = np.array([ideal(abs(i - j), low, high) for j in range(T)])
        if i < T - 1:
            w[-1] = -0.5 * w[i] - w[i + 1 : -1].sum()
        if i > 0:
            w[0] = -0.5 * w[i] - w[1:i].sum()
        if i in (0, T - 1):
            w[i] *= 0.5
        out[i] = w @ y
    return out


def plain_hamilton(y: Floats, h: int, p: int) -> Floats:
    rows = range(h + p - 1, len(y))
    X = np.array([[1.0, *(y[t - h - j] for j in range(p))] for t in rows])
    now = y[h + p - 1 :]
    error = now - X @ np.linalg.lstsq(X, now)[0]
    return np.concatenate([np.full(h + p - 1, np.nan), error])


def test_mfilter() -> None:
    golden = pl.read_csv(GOLDEN / "mFilter_loggdp.csv", null_values="NA")
    y = np.log(sm.datasets.macrodata.load_pandas().data["realgdp"].to_numpy())
    hp, bk = hodrick_prescott(y, 1600.0), baxter_king(y, 6, 32, 12)
    np.testing.assert_allclose(hp.trend, golden["hp_trend"].to_numpy(), rtol=0, atol=1e-11)
    np.testing.assert_allclose(hp.cycle, golden["hp_cycle"].to_numpy(), rtol=0, atol=1e-11)
    np.testing.assert_allclose(bk.cycle, golden["bk"].to_numpy(), rtol=0, atol=1e-13)
    np.testing.assert_allclose(christiano_fitzgerald(y, 6, 32).cycle, golden["cf"].to_numpy(), rtol=0, atol=1e-13)


def test_the_cycle_of_cif() -> None:
    """OECD's two filters. cif rounds λ to two digits, which moves its index of 100 by 5e-5; with its λ we are at 1e-8."""
    golden = pl.read_csv(GOLDEN / "cif_indpro.csv")
    y = np.log(golden["indpro"].to_numpy())

    def normalised(x: Floats) -> Floats:
        x = x - x.mean()
        return np.asarray(x / np.abs(x).mean() + 100.0, np.float64)

    rounded = hodrick_prescott(hodrick_prescott(y, 133107.94).cycle, 13.93).trend
    np.testing.assert_allclose(normalised(rounded), golden["normalised"].to_numpy(), rtol=0, atol=1e-8)
    np.testing.assert_allclose(normalised(band(y).cycle), golden["normalised"].to_numpy(), rtol=0, atol=1e-4)


@pytest.mark.parametrize("lam", [0.0, 6.25, 1600.0, 129_600.0])
def test_statsmodels_hp(lam: float) -> None:
    y = walks(240, 5)
    ours = hodrick_prescott(y, lam)
    for i in range(5):
        cycle, trend = hpfilter(y[:, i], lam)
        np.testing.assert_allclose(ours.trend[:, i], trend, rtol=0, atol=1e-8)
        np.testing.assert_allclose(ours.cycle[:, i], cycle, rtol=0, atol=1e-8)


@pytest.mark.parametrize("drift", [True, False])
def test_statsmodels_cf_and_bk(drift: bool) -> None:
    y = walks(150, 4)
    theirs = cffilter(y, 18, 96, drift)[0]
    np.testing.assert_allclose(christiano_fitzgerald(y, 18, 96, drift=drift).cycle, theirs, rtol=0, atol=1e-11)
    np.testing.assert_allclose(baxter_king(y, 18, 96, 36).cycle[36:-36], bkfilter(y, 18, 96, 36), rtol=0, atol=1e-11)


@given(T=st.integers(1, 60), N=st.integers(1, 3), lam=st.floats(0.0, 1e6), seed=st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_hp_twin(T: int, N: int, lam: float, seed: int) -> None:
    y = walks(T, N, seed)
    np.testing.assert_allclose(hodrick_prescott(y, lam).trend, plain_hp(y, lam), rtol=0, atol=1e-7)


def test_hp_twin_over_more_series_than_one_block() -> None:
    y = walks(50, 300)
    np.testing.assert_allclose(hodrick_prescott(y, 14400.0).trend, plain_hp(y, 14400.0), rtol=0, atol=1e-9)


@given(
    T=st.integers(27, 60),
    low=st.floats(2.5, 8),
    width=st.floats(1, 60),
    seed=st.integers(0, 1000),
    reach=st.integers(1, 12),
)
@settings(max_examples=25, deadline=None)
def test_bk_and_cf_twins(T: int, low: float, width: float, seed: int, reach: int) -> None:
    y = walks(T, 2, seed)
    high = low + width
    np.testing.assert_allclose(
        baxter_king(y, low, high, reach).cycle[:, 1], plain_bk(y[:, 1], low, high, reach), atol=1e-10
    )
    for drift in (True, False):
        for root in (True, False):
            ours = christiano_fitzgerald(y, low, high, drift=drift, root=root).cycle[:, 1]
            np.testing.assert_allclose(ours, plain_cf(y[:, 1], low, high, drift, root), atol=1e-9)


@given(T=st.integers(40, 80), h=st.integers(1, 10), p=st.integers(1, 6), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_hamilton_twin(T: int, h: int, p: int, seed: int) -> None:
    y = walks(T, 2, seed)
    np.testing.assert_allclose(hamilton(y, h, p).cycle[:, 1], plain_hamilton(y[:, 1], h, p), atol=1e-9)


@pytest.mark.parametrize("name", ALL)
@given(seed=st.integers(0, 1000), scale=st.floats(1e-3, 1e3), shift=st.floats(-100, 100))
@settings(max_examples=10, deadline=None)
def test_parts_sum_up_and_level_and_unit_do_not_matter(name: str, seed: int, scale: float, shift: float) -> None:
    y = walks(90, 3, seed)
    one, other = ALL[name](y), ALL[name](scale * y + shift)
    defined = ~np.isnan(one.cycle)
    np.testing.assert_allclose((one.trend + one.cycle)[defined], y[defined], rtol=0, atol=1e-12)
    size = scale * np.abs(y).max() + abs(shift)
    np.testing.assert_allclose(other.cycle, scale * one.cycle, rtol=0, atol=1e-8 * size)
    assert (np.isnan(one.trend) == ~defined).all()


@pytest.mark.parametrize(
    "name", [n for n in ALL if n not in ("cf without drift", "cf of noise without drift", "hamilton")]
)
def test_a_line_has_no_cycle(name: str) -> None:
    cycle = ALL[name](5.0 + 0.3 * np.arange(120.0)).cycle
    np.testing.assert_allclose(cycle[~np.isnan(cycle)], 0.0, atol=1e-8)


@pytest.mark.parametrize("name", ALL)
def test_series_begin_and_end_when_they_like(name: str) -> None:
    y = walks(120, 4)
    y[:15, 1], y[110:, 1], y[110:, 2], y[:, 3] = np.nan, np.nan, np.nan, np.nan
    found = ALL[name](y)
    for i, run in enumerate((slice(0, 120), slice(15, 110), slice(0, 110))):
        np.testing.assert_allclose(found.cycle[run, i], ALL[name](y[run, i]).cycle, rtol=0, atol=1e-10)
        outside = np.delete(found.cycle[:, i], np.arange(120)[run])
        assert np.isnan(outside).all()
    assert np.isnan(found.cycle[:, 3]).all()
    assert found.trend.shape == y.shape
    assert ALL[name](y[:, 0]).cycle.shape == (120,)


def test_the_band_lets_a_wave_of_36_months_pass_and_halves_those_at_its_ends() -> None:
    """The gains that the OECD chose λ for."""
    t = np.arange(2400.0)
    for period, gain in ((36, 0.98), (12, 0.5), (120, 0.5), (4, 0.01), (1200, 0.0)):
        wave = np.sin(2 * np.pi * t / period)
        found = band(wave).cycle[600:1800]
        assert found.std() / wave[600:1800].std() == pytest.approx(gain, abs=0.02)
    assert smoothing(120) == pytest.approx(133107.94, abs=0.01)
    assert smoothing(6) == pytest.approx(1.0)
    assert smoothing(96) == pytest.approx(54535.0, abs=0.05)


def test_what_is_refused() -> None:
    y = walks(60, 2)
    y[30, 1] = np.nan
    with pytest.raises(BadInput, match=r"row 31, column 2: a filter takes no gaps"):
        hodrick_prescott(y, 1600.0)
    with pytest.raises(BadInput, match="λ is not negative"):
        hodrick_prescott(y[:, 0], -1.0)
    with pytest.raises(BadInput, match="2 < low < high"):
        christiano_fitzgerald(y[:, 0], 32, 6)
    with pytest.raises(BadInput, match="more than 2 periods"):
        smoothing(2.0)
    with pytest.raises(NotEnoughData, match="series 1 has 20 values; this filter needs 25"):
        baxter_king(y[:20, 0], 6, 32, 12)
    with pytest.raises(NotEnoughData, match="this filter needs 49"):
        hamilton(y[:40, 0])
    with pytest.raises(BadInput, match="1 or more"):
        hamilton(y[:, 0], 0, 4)
    with pytest.raises(BadInput, match="reaches 1 period"):
        baxter_king(y[:, 0], 6, 32, 0)
    with pytest.raises(BadInput, match="of shape"):
        band(np.zeros((3, 3, 3)))
