"""Revisions of a cycle in real time: the card's table on US industrial production, solved cases, and what always holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.calendar import Period
from engine.cycle import growth_cycle
from engine.errors import BadInput, NotEnoughData
from engine.estimate import LEVELS
from engine.filters import hamilton
from engine.revisions import as_known, honesty, revisions
from engine.track import track
from engine.turning import Kind, Oecd, Said, Turn, Turns, date, replay
from engine.typing import Floats

US = Path(__file__).parents[1] / "golden" / "us" / "us_monthly.csv"


def cycle(ahead: int) -> Callable[[Floats], Floats]:
    return lambda y: growth_cycle(y, ahead=ahead, order=12).cycle


@pytest.mark.parametrize(
    ("estimate", "correlation", "noise", "sign", "tolerance"),
    [
        (cycle(0), 0.51, 1.08, 0.61, 0.005),
        (cycle(6), 0.57, 0.84, 0.64, 0.015),
        (cycle(12), 0.64, 0.77, 0.71, 0.04),
        (lambda y: hamilton(y).cycle, 0.91, 0.43, 0.86, 0.05),
    ],
    ids=["no extension", "6 months", "12 months", "Hamilton"],
)
def test_real_time_of_industrial_production(
    estimate: Callable[[Floats], Floats], correlation: float, noise: float, sign: float, tolerance: float
) -> None:
    """Card 2.16: months of 1985–2017 as said at once, against now. Not said there: first month (1959), form of the AR."""
    us = pl.read_csv(US).filter(pl.col("month") >= "1959-01")
    first = us["month"].to_list().index("1985-01") + 1
    r = revisions(as_known(np.log(us["indpro"].to_numpy()), estimate, first), ages=1, mature=57)
    assert r.count[0] == 396
    found = [r.correlation[0], r.noise[0], r.sign[0]]
    np.testing.assert_allclose(found, [correlation, noise, sign], rtol=0, atol=tolerance)


def triangle(final: Floats, error: Floats) -> Floats:
    """``(T, T)`` vintages: the final value plus an error that depends on the age alone."""
    T = len(final)
    out = np.full((T, T), np.nan)
    for v in range(T):
        ages = v - np.arange(v + 1)
        out[: v + 1, v] = final[: v + 1] + error[np.minimum(ages, len(error) - 1)]
    return out


def test_a_solved_case() -> None:
    final = np.sin(np.arange(120) / 6.0)
    r = revisions(triangle(final, np.array([0.5, -0.25, 0.0])), ages=2, mature=20)
    np.testing.assert_allclose(r.mean, [-0.5, 0.25, 0.0], atol=1e-12)
    np.testing.assert_allclose(r.absolute, [0.5, 0.25, 0.0], atol=1e-12)
    np.testing.assert_allclose(r.root, [0.5, 0.25, 0.0], atol=1e-12)
    np.testing.assert_allclose(r.noise, 0.0, atol=1e-12)  # a constant error is no noise
    np.testing.assert_allclose(r.correlation, 1.0, atol=1e-12)
    np.testing.assert_array_equal(r.count, [120 - 21, 120 - 21, 120 - 21])
    known = final[1:100]
    assert r.sign[0] == pytest.approx(np.mean(np.sign(known + 0.5) == np.sign(known)))
    assert r.sign[2] == 1.0
    steps = np.diff(final)[:99]  # said: this month at age 0, the last at age 1
    assert r.direction[0] == pytest.approx(np.mean(np.sign(steps + 0.75) == np.sign(steps)))
    np.testing.assert_allclose(r.quantiles[1], 0.25, atol=1e-12)


@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
@settings(max_examples=20, deadline=None)
def test_measures_against_their_formulas(seed: int, scale: float, shift: float) -> None:
    g = np.random.default_rng(seed)
    final = np.cumsum(g.normal(size=90))
    y = triangle(final, np.zeros(1)) + np.where(np.arange(90)[:, None] + 4 > np.arange(90), g.normal(size=(90, 90)), 0)
    y[:, -1] = final
    r = revisions(y, ages=5, mature=30)
    for age in (0, 3, 5):
        rows = np.arange(1, 60)
        rows = rows[rows + age < 90]
        said = np.array([y[t, t + age] for t in rows])
        gap = final[rows] - said
        assert r.root[age] == pytest.approx(np.sqrt(np.mean(gap**2)))
        assert r.noise[age] == pytest.approx(gap.std(ddof=1) / final[rows].std(ddof=1))
        assert r.root[age] ** 2 == pytest.approx(r.mean[age] ** 2 + gap.var())
    other = revisions(scale * y + shift, ages=5, mature=30, neutral=shift)
    np.testing.assert_allclose(other.noise, r.noise, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(other.root, scale * r.root, rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(other.direction, r.direction)


def test_what_comes_later_changes_nothing_that_was_said() -> None:
    y = np.cumsum(np.random.default_rng(3).normal(size=160))
    other = y.copy()
    other[120:] += 50.0
    one, two = (as_known(v, lambda z: growth_cycle(z, order=3).cycle, 80) for v in (y, other))
    np.testing.assert_array_equal(one[:, : 120 - 79], two[:, : 120 - 79])
    assert not np.array_equal(one[:, -1], two[:, -1])
    whole = np.where(np.arange(160)[:, None] <= np.arange(79, 160), y[:, None], np.nan)
    np.testing.assert_array_equal(as_known(whole, lambda z: growth_cycle(z, order=3).cycle, 80), one)


def test_honesty_of_the_last_months() -> None:
    final = np.sin(np.arange(150) / 6.0)
    past = revisions(triangle(final, np.array([0.5, -0.25, 0.0])), ages=24)
    now = np.append(final, [np.nan, np.nan])
    h = honesty(now, past, second=-now)
    np.testing.assert_array_equal(h.rows, np.arange(138, 150))
    np.testing.assert_array_equal(h.ages, np.arange(11, -1, -1))
    np.testing.assert_array_equal(h.values, final[138:])
    assert h.quantiles.shape == (12, len(LEVELS))
    np.testing.assert_allclose(h.quantiles[-1], final[-1] - 0.5, atol=1e-12)
    assert (np.diff(h.quantiles, axis=1) >= 0).all()
    assert h.agrees is not None
    assert not h.agrees.any()
    frame = h.to_frame(Period.parse("2000-01"))
    assert frame["period"].to_list()[::11] == ["2011-07", "2012-06"]
    assert frame["age"].to_list() == list(range(11, -1, -1))
    assert (frame["lower"] <= frame["upper"]).all()
    assert frame["agrees"].to_list() == [False] * 12
    assert honesty(now, past).agrees is None
    assert honesty(now, past).to_frame(Period.parse("2000-01"))["agrees"].null_count() == 12
    with pytest.raises(BadInput, match="months 1 … 25"):
        honesty(now, past, months=26)
    with pytest.raises(NotEnoughData, match="3 months of the cycle are known"):
        honesty(now[:3], past)
    with pytest.raises(BadInput, match="second opinion"):
        honesty(now, past, second=now[:-1])
    now[140] = np.nan
    with pytest.raises(BadInput, match="a cycle with gaps"):
        honesty(now, revisions(triangle(final, np.zeros(1)), ages=11), months=12)


def test_what_is_refused() -> None:
    y = triangle(np.sin(np.arange(100.0)), np.zeros(1))
    with pytest.raises(NotEnoughData, match="24 are needed"):
        revisions(y, mature=90)
    with pytest.raises(BadInput, match="column 2: vintages go from old to new"):
        revisions(y[:, ::-1])
    with pytest.raises(BadInput, match="column 1: a vintage knows no month"):
        revisions(np.full((10, 3), np.nan))
    with pytest.raises(BadInput, match="not negative"):
        revisions(y[0])
    with pytest.raises(NotEnoughData, match="no vintage has 200 months"):
        as_known(y[:, -1], lambda z: z, 200)


PEAK, TROUGH = Kind.PEAK, Kind.TROUGH


def told(asof: int, *turns: Turn) -> Said:
    return Said(asof, Turns(turns, 0, asof))


def test_a_track_solved_by_hand() -> None:
    final = Turns((Turn(20, TROUGH), Turn(50, PEAK), Turn(80, TROUGH), Turn(140, PEAK)), 0, 150)
    replayed = [
        told(40, Turn(20, TROUGH)),
        told(46, Turn(43, PEAK, False)),  # goes with none within 6 months
        told(47, Turn(42, PEAK, False)),  # the same again
        told(54, Turn(51, PEAK, False)),
        told(57, Turn(52, PEAK)),
        told(60, Turn(50, PEAK)),
        told(72, Turn(50, PEAK), Turn(66, TROUGH)),
        told(90, Turn(50, PEAK), Turn(80, TROUGH, False)),
        told(150, *final.all),
    ]
    k = track(replayed, final)
    assert [f.turn.row for f in k.followed] == [50, 80]  # 20 lies before the replay, 140 is too fresh
    assert (k.followed[0].said, k.followed[0].confirmed, k.followed[0].shift) == (4, 7, 2)
    assert (k.followed[1].said, k.followed[1].confirmed, k.followed[1].shift) == (10, 70, 0)
    assert [t.row for t in k.false_candidates] == [43]
    assert [t.row for t in k.false_turns] == [66]
    assert (k.found, k.shift) == (1.0, 1.0)
    assert k.false_rate == pytest.approx(1 / 3)
    assert (k.months_to_candidate, k.months_to_confirmation) == (7.0, 38.5)
    never = track(replayed[:3], final)
    assert (never.found, never.false_rate, never.months_to_candidate, never.shift) == (0.0, 0.0, None, None)
    with pytest.raises(NotEnoughData, match="no turn lies after row 40"):
        track(replayed, final, mature=200)
    with pytest.raises(BadInput, match="oldest as-of month to its newest"):
        track(replayed[::-1], final)


def test_a_cycle_without_revisions_keeps_its_dates() -> None:
    wave = np.sin(2 * np.pi * np.arange(400) / 48)
    k = track(replay(wave, Oecd(), 100), date(wave, Oecd()))
    assert len(k.followed) >= 9
    assert (k.found, k.false_rate, k.shift, len(k.false_candidates)) == (1.0, 0.0, 0.0, 0)
    assert (k.months_to_candidate, k.months_to_confirmation) == (3.0, 5.0)
