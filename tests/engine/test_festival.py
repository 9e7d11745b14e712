"""Spring Festival against another calendar, against R's seasonal, and what must hold for every window."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calendar import Freq, Period
from engine.errors import BadInput
from engine.festival import DATES, SETS, regressor

GOLDEN = Path(__file__).parents[2].parent / "shared" / "golden" / "x13"
golden = pytest.mark.skipif(
    not GOLDEN.is_dir(), reason="needs ../shared/golden/x13 (data of a GPL package, not copied)"
)
FIRST = Period.parse("1947-01")
MONTHS = len(DATES) * 12


def read(name: str) -> list[list[str]]:
    with (GOLDEN / name).open() as file:
        return list(csv.reader(file))[1:]


def test_dates_of_another_calendar() -> None:
    lunar = pytest.importorskip("lunarcalendar")
    theirs = [lunar.Converter.Lunar2Solar(lunar.Lunar(d.year, 1, 1)).to_date() for d in DATES]
    assert list(DATES) == theirs
    assert (DATES[0].year, DATES[-1].year) == (1947, 2050)
    assert all((1, 21) <= (d.month, d.day) <= (2, 21) for d in DATES)


@golden
def test_dates_of_r_seasonal() -> None:
    theirs = {date.fromisoformat(r[0]) for r in read("cny_dates.csv")}
    assert {d for d in DATES if d.year <= 2030} == {d for d in theirs if d.year >= 1947}


@golden
def test_genhol() -> None:
    """With their dates, which set the long-run means, the regressor is theirs."""
    rows = read("genhol_cny_0_6.csv")
    dates = [date.fromisoformat(r[0]) for r in read("cny_dates.csv")]
    theirs = np.array([float(r[1]) for r in rows])
    ours = regressor(Period.parse(rows[0][0]), len(rows), (0, 6), dates)
    np.testing.assert_allclose(ours, theirs, atol=1e-14, rtol=0)
    away = regressor(Period.parse(rows[0][0]), len(rows), (0, 6)) - theirs
    assert np.ptp(away[0::12]) < 1e-14  # our longer table moves the centre of a calendar month, and nothing else
    assert abs(away).max() < 0.01


@given(st.integers(-20, 38), st.integers(0, 58), st.integers(0, MONTHS - 1), st.integers(1, 60))
def test_shares(a: int, length: int, at: int, n: int) -> None:
    window = (a, min(a + length, 38))
    whole = regressor(FIRST, MONTHS, window).reshape(-1, 12)
    np.testing.assert_allclose(whole.mean(axis=0), 0, atol=1e-13)  # calendar months
    np.testing.assert_allclose(whole.sum(axis=1), 0, atol=1e-13)  # every year holds one whole window
    n = min(n, MONTHS - at)
    np.testing.assert_array_equal(regressor(FIRST + at, n, window), whole.ravel()[at : at + n])


@pytest.mark.parametrize("window", sorted({w for s in SETS.values() for w in s} | {(-20, 38), (-20, -20), (38, 38)}))
def test_days_counted_one_by_one(window: tuple[int, int]) -> None:
    share = np.zeros(MONTHS)
    for day in DATES:
        for k in range(window[0], window[1] + 1):
            share[Period.of(day + timedelta(days=k), Freq.M) - FIRST] += 1 / (window[1] - window[0] + 1)
    months = share.reshape(-1, 12)
    np.testing.assert_allclose(regressor(FIRST, MONTHS, window), (months - months.mean(axis=0)).ravel(), atol=1e-12)


def test_refusals() -> None:
    with pytest.raises(BadInput, match=r"\[-20, 38\]"):
        regressor(FIRST, 12, (-21, 0))
    with pytest.raises(BadInput, match="1947 to 2050"):
        regressor(Period.parse("2045-01"), 100, (0, 6))
    with pytest.raises(BadInput, match="monthly"):
        regressor(Period.parse("2020-Q1"), 4, (0, 6))
