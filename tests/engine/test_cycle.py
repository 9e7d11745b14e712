"""The growth cycle against cif's components, the filters, a plain autoregression, and by what it keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cycle import extend, growth_cycle, normalise
from engine.errors import BadInput, NotEnoughData
from engine.filters import band, hodrick_prescott
from engine.turning import Oecd, date
from engine.typing import Floats

GOLDEN = Path(__file__).parents[1] / "golden"


def walks(T: int, N: int, seed: int = 0) -> Floats:
    return np.cumsum(np.random.default_rng(seed).normal(0.2, 1.0, size=(T, N)), axis=0)


def plain_extension(y: Floats, ahead: int, p: int) -> Floats:
    z = list(np.diff(y))
    X = np.array([[1.0, *(z[t - j] for j in range(1, p + 1))] for t in range(p, len(z))])
    beta = np.linalg.lstsq(X, np.array(z[p:]), rcond=None)[0]
    out = list(y)
    for _ in range(ahead):
        z.append(float(beta[0] + sum(beta[j] * z[-j] for j in range(1, p + 1))))
        out.append(out[-1] + z[-1])
    return np.array(out)


def plain_order(y: Floats, most: int) -> int:
    z, scores = np.diff(y), []
    for p in range(most + 1):
        X = np.column_stack([np.ones(len(z) - most), *(z[most - j : len(z) - j] for j in range(1, p + 1))])
        now = z[most:]
        ssr = np.sum((now - X @ np.linalg.lstsq(X, now, rcond=None)[0]) ** 2)
        k, n = p + 2, len(now)  # with constant and variance
        scores.append(n * np.log(ssr / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1))
    return int(np.argmin(scores))


def test_the_components_of_cif() -> None:
    """Its λ are rounded to two digits, which moves an index of 100 by 1e-4 at most; with them we are at 1e-9 of the index."""
    us = pl.read_csv(GOLDEN / "us" / "us_monthly.csv").filter(
        pl.col("month").is_between(pl.lit("1960-01"), pl.lit("2019-12"))
    )
    golden = pl.concat(
        [pl.read_csv(GOLDEN / "cif" / f"{n}_norm.csv").drop("month") for n in ("reference", "components")],
        how="horizontal",
    )
    for name in golden.columns:
        expected = golden[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        y = us[name.removesuffix("_INV")].cast(pl.Float64).fill_null(np.nan).to_numpy()
        y = -y if name.endswith("_INV") else np.log(y)
        known = np.isfinite(expected)
        y[~known] = np.nan
        theirs = hodrick_prescott(hodrick_prescott(y, 133107.94).cycle, 13.93).trend
        np.testing.assert_allclose(normalise(theirs)[known], expected[known], rtol=1e-9)
        np.testing.assert_allclose(normalise(growth_cycle(y, ahead=0).cycle)[known], expected[known], atol=1e-3)


@given(seed=st.integers(0, 1000), T=st.integers(60, 120), ahead=st.integers(1, 30), p=st.integers(0, 12))
@settings(max_examples=25, deadline=None)
def test_extension_twin(seed: int, T: int, ahead: int, p: int) -> None:
    y = walks(T, 2, seed)
    for i in range(2):
        np.testing.assert_allclose(extend(y, ahead, p)[:, i], plain_extension(y[:, i], ahead, p), atol=1e-8)
        best = plain_order(y[:, i], 12)
        # The chosen order is estimated on the common sample, which drops the first 12 changes.
        common = plain_extension(y[12 - best :, i], ahead, best)
        np.testing.assert_allclose(extend(y, ahead)[:, i][-ahead:], common[-ahead:], atol=1e-7)


def test_without_extension_it_is_the_band() -> None:
    y = walks(300, 3)
    found = growth_cycle(y, ahead=0)
    np.testing.assert_allclose(found.cycle, band(y).cycle, rtol=0, atol=1e-13)
    np.testing.assert_allclose(found.trend + found.cycle + found.rest, y, atol=1e-12)


def test_each_series_begins_and_ends_when_it_likes_and_only_its_known_months_count() -> None:
    y = walks(200, 4, 3)
    y[:30, 1], y[190:, 1], y[195:, 2], y[:, 3] = np.nan, np.nan, np.nan, np.nan
    found = growth_cycle(y)
    for i, run in enumerate((slice(0, 200), slice(30, 190), slice(0, 195))):
        for part, alone in zip(found, growth_cycle(y[run, i]), strict=True):
            np.testing.assert_allclose(part[run, i], alone, atol=1e-8)
            assert np.isnan(np.delete(part[:, i], np.arange(200)[run])).all()
    assert np.isnan(found.cycle[:, 3]).all()
    assert growth_cycle(y[:, 0]).cycle.shape == (200,)


@given(seed=st.integers(0, 1000), scale=st.floats(1e-2, 1e2), shift=st.floats(-50, 50))
@settings(max_examples=15, deadline=None)
def test_unit_and_level_do_not_matter(seed: int, scale: float, shift: float) -> None:
    y = walks(150, 2, seed)
    one, other = growth_cycle(y, order=6), growth_cycle(scale * y + shift, order=6)
    np.testing.assert_allclose(other.cycle, scale * one.cycle, atol=1e-7 * (scale * np.abs(y).max() + abs(shift) + 1))
    np.testing.assert_allclose(normalise(other.cycle), normalise(one.cycle), atol=1e-4)


def test_a_line_has_no_cycle_and_goes_on() -> None:
    y = 3.0 + 0.5 * np.arange(100.0)
    found = growth_cycle(np.column_stack([y, np.full(100, 7.0), walks(100, 1)[:, 0]]))
    assert not found.cycle[:, :2].any()
    assert found.cycle[:, 2].std() > 0.1
    assert date(found.cycle[:, 0], Oecd()).all == ()
    with pytest.raises(BadInput, match="column 2: a series that never moves"):
        normalise(found.cycle[:, [2, 1]])
    np.testing.assert_allclose(extend(y, 5), 3.0 + 0.5 * np.arange(105.0), atol=1e-9)


def test_what_is_refused() -> None:
    y = walks(100, 2)
    with pytest.raises(NotEnoughData, match="series 1 has 30 values; an autoregression of 12 lags needs 36"):
        growth_cycle(y[:30])
    with pytest.raises(BadInput, match="not negative"):
        extend(y, -1)
    with pytest.raises(BadInput, match="2 < low < high"):
        growth_cycle(y, 120, 12)
    with pytest.raises(BadInput, match="never moves"):
        normalise(np.ones(5))
    with pytest.raises(NotEnoughData, match="never known"):
        normalise(np.full(5, np.nan))
    with pytest.raises(BadInput, match="of shape"):
        extend(np.zeros((2, 2, 2)), 1)
    y[50, 1] = np.nan
    with pytest.raises(BadInput, match="row 51, column 2: an autoregression takes no gaps"):
        growth_cycle(y)
