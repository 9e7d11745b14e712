"""How far ahead, and how surely: known leads are covered, unrelated series are not told from chance."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from engine import ahead as module
from engine.ahead import ahead
from engine.comovement import cross_correlation
from engine.errors import BadInput, NotEnoughData
from engine.typing import Floats


def wave(n: int, seed: int, rho: float = 0.93) -> Floats:
    """An autoregression of order one: a cycle without a period."""
    e = np.random.default_rng(seed).normal(size=n)
    out = np.zeros(n)
    for t in range(1, n):
        out[t] = rho * out[t - 1] + e[t]
    return out


def test_the_example() -> None:
    assert doctest.testmod(module).failed == 0
    assert doctest.testmod(module).attempted == 3


@pytest.mark.parametrize("lead", [-4, 0, 6])
def test_a_known_lead_lies_in_its_interval(lead: int) -> None:
    """Nine in ten times or more, where the noise is half of the signal."""
    held = []
    for seed in range(20):
        x = wave(260, seed)
        y = np.roll(x, lead)[20:240] + 1.2 * np.random.default_rng(100 + seed).normal(size=220)
        found = ahead(y, x[20:240], draws=199, seed=seed)
        held.append(found.low <= lead <= found.high)
    assert np.mean(held) >= 0.9


def test_a_series_without_relation_has_a_wide_interval() -> None:
    widths = [np.subtract(*ahead(wave(220, s), wave(220, 50 + s), draws=199)[3:1:-1]) for s in range(8)]
    assert np.median(widths) >= 10


def test_it_is_the_lead_of_the_cross_correlation_and_the_same_when_turned_over_or_scaled() -> None:
    x = wave(220, 3)
    y = np.roll(x, 5) + 0.3 * np.random.default_rng(0).normal(size=220)
    found = ahead(y, x, draws=99)
    profile = cross_correlation(y, x)
    assert (found.lead, found.correlation) == (profile.lead, profile.value)
    over = ahead(y, 7.0 - 2.5 * x, draws=99)
    assert over.lead == found.lead
    assert over.correlation == pytest.approx(-found.correlation)
    assert (over.low, over.high, over.share) == (found.low, found.high, found.share)


def test_gaps_are_left_out_and_what_does_not_fit_is_refused() -> None:
    x = wave(220, 4)
    y = np.roll(x, 3)
    y[50] = x[90] = np.nan
    assert ahead(y, x, draws=49).lead == 3
    with pytest.raises(BadInput, match="blocks of 150"):
        ahead(y, x, block=150)
    with pytest.raises(NotEnoughData):
        ahead(y[:40], x[:40])
