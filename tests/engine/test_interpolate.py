"""Straight lines and last values: by hand, by numpy's interp, and what is not defined."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calendar import Period
from engine.errors import BadInput
from engine.interpolate import last_value, linear

Q1, JANUARY = Period.parse("2020-Q1"), Period.parse("2020-01")


def test_an_average_stands_in_the_middle_of_its_quarter() -> None:
    found = linear(Q1, np.array([3.0, 6.0, 0.0]), JANUARY, 9)
    np.testing.assert_allclose(found.values, [np.nan, 3, 4, 5, 6, 4, 2, 0, np.nan])
    assert found.flags == ("undefined", *["imputed"] * 7, "undefined")
    halves = linear(Q1, np.array([3.0, 6.0, 0.0]), JANUARY, 9, "sum")
    np.testing.assert_allclose(halves.values, found.values / 3)


def test_a_stock_stands_where_it_was_measured() -> None:
    found = linear(Q1, np.array([3.0, 6.0, np.nan, 6.0]), JANUARY + -1, 14, "last")
    np.testing.assert_allclose(found.values[:7], [np.nan, np.nan, np.nan, 3, 4, 5, 6])
    assert np.isnan(found.values[7:12]).all()  # beside a gap there is no line
    assert found.values[12] == 6.0
    assert [i for i, f in enumerate(found.flags) if f == "exact"] == [3, 6, 12]
    np.testing.assert_allclose(linear(Q1, np.array([3.0, 6.0]), JANUARY, 4, "first").values, [3, 4, 5, 6])


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12), st.sampled_from(["average", "first", "last"]))
def test_as_numpy_interp(values: list[float], kind: str) -> None:
    n = 12 * len(values)
    anchor = {"average": 5.5, "first": 0.0, "last": 11.0}[kind]
    plain = np.interp(np.arange(n), np.arange(len(values)) * 12 + anchor, values, left=np.nan, right=np.nan)
    found = linear(Period.parse("2020"), np.array(values), JANUARY, n, kind)  # type: ignore[arg-type]
    np.testing.assert_allclose(found.values, plain, rtol=1e-9, atol=1e-6)


def test_the_last_value_never_looks_ahead() -> None:
    found = last_value(Q1, np.array([3.0, np.nan, 5.0]), JANUARY, 13)
    np.testing.assert_allclose(found.values, [np.nan] * 2 + [3.0] * 6 + [5.0] * 5)
    assert found.flags == ("undefined",) * 2 + ("imputed",) * 9 + ("extrapolated",) * 2
    nothing = last_value(Q1, np.array([np.nan]), JANUARY, 3)
    assert nothing.flags == ("undefined",) * 3


def test_what_is_refused() -> None:
    with pytest.raises(BadInput, match="does not divide"):
        linear(JANUARY, np.array([1.0]), Q1, 3)
    with pytest.raises(BadInput, match="not a conversion: 'mean'"):
        linear(Q1, np.array([1.0]), JANUARY, 3, "mean")  # type: ignore[arg-type]
