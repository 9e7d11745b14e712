"""Disaggregation: R's tempdisagg to 1e-6, the figures met exactly, plain least squares as a twin, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from engine.calendar import Period
from engine.constraints import Constraints, spread, stack, year_to_date
from engine.disaggregate import Disaggregated, chow_lin, denton, fernandez, litterman
from engine.errors import BadInput, NotEnoughData
from engine.typing import Floats

GOLDEN = Path(__file__).parents[2].parent / "shared" / "golden" / "tempdisagg"
JANUARY = Period.parse("2020-01")
METHODS: dict[str, Callable[[Constraints, Floats], Disaggregated]] = {
    "denton": lambda c, p: denton(c, p, cholette=False),
    "denton additive": lambda c, p: denton(c, p, proportional=False, cholette=False),
    "cholette": denton,
    "cholette additive": lambda c, p: denton(c, p, proportional=False),
    "cholette order 2": lambda c, p: denton(c, p, order=2),
    "chow-lin": chow_lin,
    "fernandez": fernandez,
    "litterman": litterman,
}


@pytest.fixture(scope="module")
def golden() -> tuple[pl.DataFrame, Constraints, Floats]:
    """R's results; sales of 1975 … 2010 over the quarters 1972-Q1 … 2011-Q2; exports as the indicator."""
    if not GOLDEN.is_dir():
        pytest.skip("the results of R's tempdisagg (GPL) are not beside the repository")
    results = pl.read_csv(GOLDEN / "td_results.csv", null_values="NA")
    exports = pl.read_csv(GOLDEN / "exports_q.csv")["exports_q"].to_numpy()
    sales = pl.read_csv(GOLDEN / "sales_a.csv")["sales_a"].to_numpy()
    return results, spread(Period.parse("1975"), sales, Period.parse("1972-Q1"), len(exports), "sum"), exports


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("chow.lin.maxlog", chow_lin),
        ("chow.lin.fixed", lambda c, p: chow_lin(c, p, rho=0.5)),
        ("ols", lambda c, p: chow_lin(c, p, rho=0.0)),
        ("litterman.maxlog", litterman),
        ("fernandez", fernandez),
        ("denton.cholette_h0", lambda c, p: denton(c, p, order=0)),
        ("denton.cholette_h1", denton),
        ("denton_h0", lambda c, p: denton(c, p, order=0, cholette=False)),
        ("denton_h1", lambda c, p: denton(c, p, cholette=False)),
    ],
)
def test_tempdisagg(
    golden: tuple[pl.DataFrame, Constraints, Floats],
    name: str,
    ours: Callable[[Constraints, Floats], Disaggregated],
) -> None:
    results, sales, exports = golden
    np.testing.assert_allclose(ours(sales, exports).values, results[name].to_numpy(), rtol=0, atol=1e-6)


def test_tempdisagg_coefficients(golden: tuple[pl.DataFrame, Constraints, Floats]) -> None:
    _, sales, exports = golden
    found = chow_lin(sales, exports)
    assert found.rho == 0.0
    assert found.beta is not None
    np.testing.assert_allclose(found.beta, [12.40888, 0.01339184], rtol=1e-6)


def test_tempdisagg_without_an_indicator(golden: tuple[pl.DataFrame, Constraints, Floats]) -> None:
    results, sales, _ = golden
    grid = spread(Period.parse("1975"), sales.values, Period.parse("1975-Q1"), 144, "sum")
    theirs = results["dentoncholette_noind"].drop_nulls().to_numpy()
    np.testing.assert_allclose(denton(grid).values, theirs, rtol=0, atol=1e-6)


def test_tempdisagg_at_the_rho_of_ecotrim(golden: tuple[pl.DataFrame, Constraints, Floats]) -> None:
    """The rule "least residual sum" is not ours (it tends to 1), but its result is what we make of its ρ."""
    results, sales, exports = golden

    def ssr(rho: float) -> float:
        u = _plain_gls(sales, exports, rho)[2]
        return float(u)

    rho = float(minimize_scalar(ssr, bounds=(0, 0.999), method="bounded", options={"xatol": 1e-10}).x)
    theirs = results["chow.lin.minrss.ecotrim"].to_numpy()
    np.testing.assert_allclose(chow_lin(sales, exports, rho=rho).values, theirs, rtol=0, atol=1e-6)


def _plain_gls(c: Constraints, p: Floats, rho: float) -> tuple[Floats, float, float]:
    """Chow and Lin's formula as it stands in the paper: values, log-likelihood, residual sum of squares."""
    n, m = len(p), len(c.values)
    R = np.array([[rho ** abs(i - j) for j in range(n)] for i in range(n)])
    X, C, y = np.column_stack([np.ones(n), p]), c.matrix, c.values
    Q = C @ R @ C.T
    inv = np.linalg.inv(Q)
    beta = np.linalg.solve((C @ X).T @ inv @ C @ X, (C @ X).T @ inv @ y)
    u = y - C @ X @ beta
    ssr = float(u @ inv @ u)
    V = Q / (1 - rho**2)
    loglik = -m / 2 * np.log(ssr * (1 - rho**2) / m) - 0.5 * np.linalg.slogdet(V)[1]
    return X @ beta + R @ C.T @ inv @ u, float(loglik), ssr


def _economy(seed: int, rho: float = 0.0) -> tuple[Constraints, Floats]:
    """Twelve annual averages of sixty months or less, and an indicator that moves with them."""
    g = np.random.default_rng(seed)
    p = 100.0 + np.cumsum(g.normal(size=75))
    e = np.zeros(75)
    for t in range(1, 75):
        e[t] = rho * e[t - 1] + g.normal()
    y = 3.0 + 2.0 * p + 3.0 * e
    q = y[:72].reshape(24, 3).mean(axis=1)
    return spread(Period.parse("2020-Q1"), q, JANUARY, 75, "average"), p


def test_the_likelihood_is_at_its_top() -> None:
    c, p = _economy(3, rho=0.9)
    found = chow_lin(c, p)
    assert found.rho is not None
    grid = np.linspace(0, 0.999, 2000)
    heights = [_plain_gls(c, p, r)[1] for r in grid]
    assert 0.1 < found.rho < 0.999
    assert abs(found.rho - grid[int(np.argmax(heights))]) < 1e-3
    np.testing.assert_allclose(found.values, _plain_gls(c, p, found.rho)[0], rtol=1e-9)


@pytest.mark.parametrize("proportional", [True, False])
@pytest.mark.parametrize("order", [1, 2])
def test_denton_cholette_is_the_least_squares_of_its_definition(proportional: bool, order: int) -> None:
    """Twin: the Lagrangian of min Σ(Δ^order …)² subject to C x = y, solved as one system."""
    c, p = _economy(4)
    n, m = len(p), len(c.values)
    D = np.diff(np.eye(n), order, axis=0)
    if proportional:
        D = D / p
    A = D.T @ D * p.mean() ** (2 if proportional else 0)
    system = np.block([[A, c.matrix.T], [c.matrix, np.zeros((m, m))]])
    right = np.concatenate([A @ p, c.values])
    plain = np.linalg.solve(system, right)[:n]
    ours = denton(c, p, proportional=proportional, order=1 if order == 1 else 2)
    np.testing.assert_allclose(ours.values, plain, rtol=1e-8)


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 10_000), kind=st.sampled_from(["sum", "average", "first", "last"]), gap=st.integers(0, 7))
@settings(max_examples=15, deadline=None)
def test_figures_are_met_exactly(method: str, seed: int, kind: str, gap: int) -> None:
    g = np.random.default_rng(seed)
    values, p = 500 + 30 * g.normal(size=8), 100 + np.cumsum(g.normal(size=27))
    values[gap] = np.nan
    c = spread(Period.parse("2020-Q1"), values, JANUARY, 27, kind)  # type: ignore[arg-type]
    found = METHODS[method](c, p)
    np.testing.assert_allclose(c.matrix @ found.values, c.values, rtol=1e-11)
    assert np.isfinite(found.values).all()


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 10_000), unit=st.sampled_from([1e-4, 1e-2, 1e4, 1e8]))
@settings(max_examples=10, deadline=None)
def test_the_unit_does_not_matter(method: str, seed: int, unit: float) -> None:
    """万元 or 亿元: figures and results scale together; an indicator's own unit has no effect."""
    c, p = _economy(seed)
    scaled = Constraints(c.first, c.matrix, c.values * unit, c.labels)
    before = METHODS[method](c, p).values
    both = METHODS[method](scaled, p * unit).values
    np.testing.assert_allclose(both, before * unit, rtol=1e-6)
    if "additive" not in method and method != "denton":
        np.testing.assert_allclose(METHODS[method](c, p * unit).values, before, rtol=1e-6)


@given(seed=st.integers(0, 10_000), factor=st.floats(0.01, 100.0))
@settings(max_examples=20, deadline=None)
def test_an_indicator_in_proportion_is_returned(seed: int, factor: float) -> None:
    c, p = _economy(seed)
    exact = Constraints(c.first, c.matrix, factor * (c.matrix @ p), c.labels)
    np.testing.assert_allclose(denton(exact, p).values, factor * p, rtol=1e-9)
    for regress in (chow_lin, fernandez, litterman):
        found = regress(exact, p)
        np.testing.assert_allclose(found.values, factor * p, rtol=1e-6)
        assert found.beta is not None
        np.testing.assert_allclose(found.beta[1], factor, rtol=1e-5)


def test_a_constant_indicator_says_nothing() -> None:
    c, _ = _economy(1)
    np.testing.assert_allclose(denton(c, np.full(75, 7.0)).values, denton(c).values, rtol=1e-10)
    with pytest.raises(BadInput, match="constant"):
        chow_lin(c, np.full(75, 7.0))
    even = Constraints(c.first, c.matrix, np.full(24, 5.0), c.labels)
    for found in (
        denton(even),
        fernandez(even),
        chow_lin(even, rho=0.4),
        litterman(even),
    ):
        np.testing.assert_allclose(found.values, 5.0, rtol=1e-9)


def test_a_line_stays_a_line_with_second_differences() -> None:
    line = 10.0 + 0.5 * np.arange(75)
    c = spread(Period.parse("2020-Q1"), line[:72].reshape(24, 3).sum(axis=1), JANUARY, 75, "sum")
    np.testing.assert_allclose(denton(c, order=2).values, line, rtol=1e-9)
    assert denton(c).values[74] == pytest.approx(denton(c).values[73])  # first differences hold the last value


def test_year_to_date_figures_settle_their_months() -> None:
    """No figure in January: February's holds the pair. March is the difference of two; the indicator splits the pair."""
    months = np.array([3.0, 5.0, 4.0, 6.0, 7.0, 2.0])
    published = np.cumsum(months)
    published[0] = np.nan
    c = year_to_date(JANUARY, published, JANUARY, 7)
    found = denton(c, np.array([1.0, 1.2, 1, 1, 1, 1, 1]))
    np.testing.assert_allclose(found.values[2:6], months[2:], rtol=1e-10)
    assert found.values[:2].sum() == pytest.approx(8.0)
    assert found.flags == ("imputed", "imputed", "exact", "exact", "exact", "exact", "extrapolated")


def test_year_to_date_begins_anew_each_year_and_stands_with_other_rows() -> None:
    months = np.arange(1.0, 25.0)
    published = np.concatenate([np.cumsum(months[:12]), np.cumsum(months[12:])])
    published[[0, 5, 6, 7, 12]] = np.nan  # two Januaries, and three months of a lost summer
    c = stack(
        year_to_date(JANUARY, published, JANUARY, 24),
        spread(Period.parse("2020-Q2"), np.array([15.0]), JANUARY, 24, "sum"),
    )
    found = denton(c)
    np.testing.assert_allclose(c.matrix @ found.values, c.values, rtol=1e-12)
    assert found.values[5] == pytest.approx(6.0)  # from the quarter
    assert found.values[6:9].sum() == pytest.approx(7 + 8 + 9)
    assert found.flags[5:10] == ("exact", "imputed", "imputed", "imputed", "exact")


def test_negative_values_are_never_silent() -> None:
    values = np.array([100.0, 1.0, 100.0, 1.0, 100.0])
    c = spread(Period.parse("2020-Q1"), values, JANUARY, 15, "sum")
    found = denton(c, proportional=False)
    assert found.values.min() < 0
    assert "negative: 2020-0" in found.warnings[0]
    with pytest.raises(BadInput, match=r"negative: 2020-0\d \(-"):
        found.nonnegative()
    calm = denton(spread(Period.parse("2020-Q1"), np.full(5, 9.0), JANUARY, 15, "sum"))
    assert calm.warnings == ()
    assert calm.nonnegative() is calm
    signed = denton(spread(Period.parse("2020-Q1"), values - 50, JANUARY, 15, "sum"))
    assert signed.warnings == ()  # a balance may be negative


def test_what_is_refused() -> None:
    c, p = _economy(2)
    with pytest.raises(BadInput, match=r"2020-03: indicator 1 has no value"):
        denton(c, np.where(np.arange(75) == 2, np.nan, p))
    with pytest.raises(BadInput, match=r"2020-03: .* without zeros"):
        denton(c, np.where(np.arange(75) == 2, 0.0, p))
    with pytest.raises(BadInput, match="have 74 periods, the grid has 75"):
        chow_lin(c, p[:-1])
    with pytest.raises(BadInput, match="between -1 and 1"):
        chow_lin(c, p, rho=1.0)
    with pytest.raises(BadInput, match="no level"):
        denton(c, cholette=False)
    with pytest.raises(BadInput, match="one indicator"):
        denton(c, np.column_stack([p, p]))
    with pytest.raises(NotEnoughData, match="2 figures cannot carry 2 coefficients"):
        fernandez(spread(Period.parse("2020-Q1"), np.array([1.0, 2.0]), JANUARY, 75, "sum"), p)
    with pytest.raises(BadInput, match="2020-Q1 lies outside the grid 2020-02"):
        spread(Period.parse("2020-Q1"), np.array([1.0]), JANUARY + 1, 6, "sum")
    with pytest.raises(BadInput, match="from the beginning of the year"):
        year_to_date(JANUARY + 2, np.array([1.0]), JANUARY + 1, 6)
    with pytest.raises(BadInput, match="does not divide"):
        spread(JANUARY, np.array([1.0]), Period.parse("2020-Q1"), 6, "sum")
    with pytest.raises(BadInput, match="no value is known"):
        spread(Period.parse("2020-Q1"), np.array([np.nan]), JANUARY, 6, "sum")
    with pytest.raises(BadInput, match=r"follows from the other rows"):
        stack(
            spread(Period.parse("2020"), np.array([4.0]), Period.parse("2020-Q1"), 4, "sum"),
            spread(Period.parse("2020-Q1"), np.ones(4), Period.parse("2020-Q1"), 4, "sum"),
        )
