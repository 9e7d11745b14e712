"""Turning points against bcycle, BCDating, cif and NBER's dates, each procedure against its plain twin, and by what they keep."""

from __future__ import annotations

from dataclasses import astuple
from itertools import pairwise
from pathlib import Path

import numpy as np
import plain_turning as plain
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.turning import Bbq, BryBoschan, Dating, Kind, Oecd, Turns, date, marks
from engine.typing import Floats

GOLDEN = Path(__file__).parents[1] / "golden"
IRAN = Path(__file__).parents[2].parent / "shared" / "golden" / "bcdating" / "iran_cycle_states.csv"
ALL: list[Dating] = [BryBoschan(), Bbq(), Bbq(window=2), Bbq.quarterly(), Bbq(deep=2.0), Oecd(), Oecd(4, 5, 6, 16)]


def walks(T: int, N: int, seed: int, drift: float = 0.1) -> Floats:
    g = np.random.default_rng(seed)
    swing = np.convolve(g.normal(size=T + 24), np.ones(24), "valid")[:T, None]
    return np.cumsum(g.normal(drift, 1.0, (T, N)), axis=0) + swing


def listed(turns: Turns) -> list[tuple[int, int]]:
    return [(t.row, t.kind.sign) for t in turns.all]


def months(first: str, count: int) -> list[str]:
    year, month = int(first[:4]), int(first[5:7])
    return [f"{year + (month - 1 + i) // 12}-{(month - 1 + i) % 12 + 1:02d}" for i in range(count)]


def us(series: str) -> tuple[list[str], Floats]:
    frame = pl.read_csv(GOLDEN / "us" / "us_monthly.csv")
    return frame["month"].to_list(), frame[series].cast(pl.Float64).to_numpy()


def expected(file: str, dates: list[str]) -> list[tuple[int, int]]:
    frame = pl.read_csv(GOLDEN / file)
    return sorted((dates.index(d), 1 if kind == "P" else -1) for kind, d in frame.iter_rows())


@pytest.mark.parametrize("series", ["indpro", "payems", "w875rx1"])
def test_bry_boschan_of_bcycle(series: str) -> None:
    dates, y = us(series)
    for values in (y, np.log(y)):
        assert listed(date(values, BryBoschan())) == expected(f"bb/brybos_{series}.csv", dates)


@pytest.mark.parametrize("series", ["indpro", "payems", "w875rx1"])
def test_bbq_of_bcdating_by_month(series: str) -> None:
    dates, y = us(series)
    assert listed(date(y, Bbq(window=2))) == expected(f"bcdating/BBQ_k2_{series}_monthly.csv", dates)


def test_bbq_of_bcdating_by_quarter() -> None:
    frame = pl.read_csv(GOLDEN / "us" / "us_gdp_q.csv")
    turns = date(frame["gdpc1"].to_numpy(), Bbq.quarterly())
    assert listed(turns) == expected("bcdating/BBQ_gdpc1_quarterly.csv", frame["quarter"].to_list())


def test_2020_stands_if_deep_phases_may_be_short() -> None:
    """BCDating, without such an escape, has no recession of 2020 in employment; it fell by 14 % in two months."""
    dates, y = us("payems")
    plain_rule, deep = (date(np.log(y), Bbq(window=2, deep=d)) for d in (np.inf, 0.104))
    new = [t for t in deep.all if t not in plain_rule.all]
    assert [(dates[t.row], t.kind) for t in new] == [("2020-02", Kind.PEAK), ("2020-04", Kind.TROUGH)]


@pytest.mark.skipif(
    not IRAN.is_file(),
    reason="needs ../shared/golden/bcdating/iran_cycle_states.csv (data of a GPL package, not copied)",
)
def test_bbq_of_bcdating_leaves_the_last_pair_of_a_kind_unchecked_and_we_do_not() -> None:
    """Its loop over peaks, and over troughs, ends one early: the last two troughs are 4 quarters apart where 5 are wanted."""
    frame = pl.read_csv(IRAN)
    y, states = frame["y"].to_numpy(), frame["state"].to_numpy()
    theirs = [(t, int(states[t])) for t in range(len(y) - 1) if states[t] != states[t + 1]]
    assert plain.bbq(list(y), 2, 2, 5, 2, blind=True) == theirs
    ours = listed(date(y, Bbq.quarterly()))
    assert theirs[-3:] == [(97, -1), (99, 1), (101, -1)]
    assert ours == [*theirs[:-3], (101, -1)]


def test_the_simplified_procedure_of_cif() -> None:
    """cif marks the extremes of 4 months back and 5 ahead (``range(-5, 5)``); here that and the honest window agree."""
    y = pl.read_csv(GOLDEN / "bb" / "cif_indpro_dhp_norm.csv")["indpro"].to_numpy()
    found = pl.read_csv(GOLDEN / "bb" / "cif_indpro_dhp_tp.csv")["indpro"].to_numpy()
    for window in ((4, 5), (5, 5)):
        np.testing.assert_array_equal(marks(y[:, None], Oecd(*window, 6, 16))[:, 0], found)


def test_the_window_of_cif_lets_a_second_best_month_through() -> None:
    """A month with a higher one five before it is an extreme for cif and not for us."""
    y = np.array([0.0] * 8 + [5, 1, 1, 1, 1, 4.0] + [0.5 - 0.01 * i for i in range(12)])
    from engine.kernels import turning as kernels

    at, kind = np.empty(len(y), np.int64), np.empty(len(y), np.int64)
    n = kernels.extremes(y, 4, 5, 5, 20, at, kind)
    assert (13, 1) in list(zip(at[:n], kind[:n], strict=True))
    n = kernels.extremes(y, 5, 5, 5, 20, at, kind)
    assert (13, 1) not in list(zip(at[:n], kind[:n], strict=True))


def test_nber_dates_from_a_coincident_index() -> None:
    """Card 2.8: of 16 dates of 1960–2009 seven to the month, seven within 4 months, 1980 missed, 2002-11/2003-04 extra."""
    index = pl.read_csv(GOLDEN / "cb" / "us_cb_like.csv").filter(pl.col("month") <= "2019-12")
    nber = pl.read_csv(GOLDEN / "us" / "nber_recession_monthly.csv").filter(
        pl.col("month").is_between(pl.lit("1959-02"), pl.lit("2019-12"))
    )
    dates, inside = index["month"].to_list(), nber["nber"].to_numpy()
    # The month of a peak is the last of an expansion; the flag is 1 in the months after it, up to the trough.
    truth = [(t, 1 if inside[t + 1] else -1) for t in range(len(dates) - 1) if inside[t] != inside[t + 1]]
    found = listed(date(index["cei"].to_numpy(), Bbq(window=2)))
    off = {dates[t]: s - t for t, kind in truth for s, k in found if k == kind and abs(s - t) <= 4}
    assert len(truth) == 16
    assert {d: k for d, k in off.items() if k} == {
        "1969-12": -2, "1975-03": 1, "1981-07": 1, "1991-03": 1, "2001-03": -2, "2001-11": 1, "2009-06": 4,
    }  # fmt: skip
    assert sum(k == 0 for k in off.values()) == 7
    assert {dates[t] for t, _ in truth} - set(off) == {"1980-01", "1980-07"}
    assert [dates[t] for t, _ in found if dates[t][:4] in ("2002", "2003")] == ["2002-11", "2003-04"]
    assert len(found) == 16


@pytest.mark.parametrize("dating", ALL, ids=str)
@given(T=st.integers(40, 160), seed=st.integers(0, 10_000), levels=st.booleans())
@settings(max_examples=60, deadline=None)
def test_plain_twin(dating: Dating, T: int, seed: int, levels: bool) -> None:
    y = walks(T, 1, seed)[:, 0]
    if levels and not isinstance(dating, BryBoschan):  # whose curves tell equal values apart by rounding
        y = np.round(y / 2)
    twin = plain.PROCEDURES[type(dating).__name__](list(y), *astuple(dating))
    assert listed(date(y, dating)) == twin


@pytest.mark.parametrize(("seed", "T"), [(690, 219), (885, 106)])
def test_turns_that_pass_each_other_when_refined(seed: int, T: int) -> None:
    """On the Spencer curve of these walks a peak lands behind the trough that followed it."""
    g = np.random.default_rng(seed)
    assert int(g.integers(40, 300)) == T
    y = np.cumsum(g.normal(0.05 * g.integers(0, 3), 1, T))
    assert listed(date(y, BryBoschan())) == plain.bry_boschan(list(y), 5, 15, 6)


@pytest.mark.parametrize("dating", ALL, ids=str)
@given(T=st.integers(60, 300), seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_kinds_alternate_and_phases_and_cycles_are_long_enough(dating: Dating, T: int, seed: int) -> None:
    y = walks(T, 1, seed, 0.0)[:, 0]
    turns = date(y, dating).all
    for a, b in pairwise(turns):
        assert a.kind is not b.kind
        assert b.row - a.row >= dating.phase or abs(y[b.row] - y[a.row]) > getattr(dating, "deep", np.inf)
    for a, b in zip(turns[:-2], turns[2:], strict=True):
        assert b.row - a.row >= dating.cycle
    ends = getattr(dating, "ends", 5)
    assert all(ends <= t.row < T - ends for t in turns)


@pytest.mark.parametrize("dating", ALL, ids=str)
@given(seed=st.integers(0, 10_000), scale=st.floats(1e-3, 1e3), shift=st.floats(-100, 100))
@settings(max_examples=25, deadline=None)
def test_unit_level_and_sign(dating: Dating, seed: int, scale: float, shift: float) -> None:
    y = walks(150, 1, seed)[:, 0]
    turns = listed(date(y, dating))
    if not (isinstance(dating, Bbq) and np.isfinite(dating.deep)):
        assert listed(date(scale * y + shift, dating)) == turns
    if isinstance(dating, Oecd):
        assert [(t, -k) for t, k in listed(date(-y, dating))] == turns


@pytest.mark.parametrize("dating", ALL, ids=str)
@given(seed=st.integers(0, 10_000), period=st.integers(30, 90))
@settings(max_examples=25, deadline=None)
def test_upside_down_peaks_are_troughs(dating: Dating, seed: int, period: int) -> None:
    """Bry-Boschan and BBQ thin out peaks before troughs, so that this holds for cycles and not for every random walk."""
    t = 2 * np.pi * np.arange(240) / period
    wave = np.sin(t + seed) + 0.3 * np.sin(2.7 * t + 2 * seed)
    turns = listed(date(wave, dating))
    assert len(turns) >= 4
    assert [(t, -k) for t, k in listed(date(-wave, dating))] == turns
