"""Parity with the New York Fed's MATLAB program, by the result files that the statsmodels wheel carries.

The files hold double precision; what is asserted is what two orders of summation leave of it.
"""

from __future__ import annotations

import numpy as np
import nyfed
import pytest

from engine import factor, factor_em

RUNS = ("111", "112", "11F", "221", "222", "22F", "blocks_111", "blocks_112", "blocks_221", "blocks_222")


@pytest.mark.parametrize("run", RUNS)
def test_likelihood_states_and_forecasts(run: str) -> None:
    case = nyfed.case(f"test_dfm_{run}")
    data = case.data(nyfed.vintage("2016-06-29", case.steps))
    s = factor.smooth(case.p, data, case.start)
    constant = -0.5 * np.log(2 * np.pi) * np.sum(~np.isnan(data.X))  # MATLAB leaves it out
    assert s.loglik - constant == pytest.approx(float(case.matlab["loglik"][0, 0]), rel=1e-12)
    fitted = s.x[1:] @ factor.rows(case.p, data.weights).T  # (198, N): the last month is a forecast
    np.testing.assert_allclose(fitted, case.matlab["x_sm"], rtol=0, atol=1e-11)


@pytest.mark.parametrize("run", ["11", "22", "blocks_11", "blocks_22"])
def test_an_em_step_goes_where_theirs_goes(run: str) -> None:
    first, second = nyfed.case(f"test_dfm_{run}1"), nyfed.case(f"test_dfm_{run}2")
    values = nyfed.vintage("2016-06-29", first.steps)
    known = values[: np.flatnonzero(~np.isnan(values).all(1))[-1] + 1]  # they drop empty months at the end before EM
    data = first.data(known)
    s = factor.smooth(first.p, data, first.start)
    none = np.empty((0, first.p.A.shape[0]), bool)
    new = factor_em.m_step(s, first.p, data, none, first.free, first.blocks)
    for name in ("A", "Q", "x_loadings", "x_rho", "x_sigma2"):
        np.testing.assert_allclose(getattr(new, name), getattr(second.p, name), rtol=0, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("run", ["112", "222", "blocks_112", "blocks_222"])
def test_news(run: str) -> None:
    case = nyfed.case(f"test_news_{run}")
    old, new = (nyfed.vintage(day, case.steps) for day in ("2016-06-29", "2016-07-29"))
    T = 201  # 2000-01 … 2016-09, the quarter's last month
    old, new = (np.vstack([v, np.full((T - len(v), v.shape[1]), np.nan)]) for v in (old, new))
    revised = np.where(np.isnan(old), np.nan, new)
    gdp = list(case.steps).index("GDPC1")

    def run_on(values: np.ndarray) -> tuple[factor.Data, factor.Smoothed, np.ndarray]:
        data = case.data(values)
        s = factor.smooth(case.p, data, case.start)
        return data, s, case.mean + case.sd * (s.x[1:] @ factor.rows(case.p, data.weights).T)

    _, _, before = run_on(old)
    _, _, between = run_on(revised)
    data, s, after = run_on(new)
    assert between[-1, gdp] - before[-1, gdp] == pytest.approx(float(case.matlab["impact_revisions"][0, 0]), abs=1e-10)

    _, weights = factor.weigh(case.p, s, factor.rows(case.p, data.weights)[gdp], T)
    weights = weights[1:] * case.sd[gdp] / case.sd
    table = case.matlab["news_table"]  # forecast, actual, weight, impact of each series
    released, total = np.isnan(old) & ~np.isnan(new), 0.0
    for j, (forecast, actual, weight, impact) in enumerate(table):
        rows = np.flatnonzero(released[:, j])
        if not len(rows):
            assert np.isnan(forecast)
            continue
        (t,) = rows
        ours = (between[t, j], new[t, j], weights[t, j], weights[t, j] * (new[t, j] - between[t, j]))
        np.testing.assert_allclose(ours, (forecast, actual, weight, impact), rtol=1e-9, atol=1e-11)
        total += ours[3]
    assert total == pytest.approx(after[-1, gdp] - between[-1, gdp], abs=1e-10)
