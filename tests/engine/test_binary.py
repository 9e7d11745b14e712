"""Probit and logit against statsmodels, a numerical optimum of the penalised likelihood, and a case solved by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import log_expit, log_ndtr, ndtr

from engine.binary import Binary, fit
from engine.errors import BadInput, NotConverged, NotEnoughData
from engine.typing import Floats


def sample(seed: int, n: int = 200, N: int = 2) -> tuple[Floats, Floats]:
    g = np.random.default_rng(seed)
    x = g.normal(size=(n, N)) * g.uniform(0.1, 50, N) + g.uniform(-9, 9, N)
    z = (x - x.mean(0)) / x.std(0)
    return x, (g.normal(size=n) < z @ g.normal(size=N) * 0.7 - 0.5).astype(float)


@pytest.mark.parametrize("link", ["probit", "logit"])
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_statsmodels_says_the_same(link: str, seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from statsmodels.discrete.discrete_model import Logit, Probit
    x, y = sample(seed)
    ours = fit(x, y, link)  # type: ignore[arg-type]
    peer = (Probit if link == "probit" else Logit)(y, np.column_stack([np.ones(len(x)), x])).fit(
        disp=0, method="newton", tol=1e-12, maxiter=100
    )
    assert ours.coefficients == pytest.approx(peer.params, rel=1e-6, abs=1e-8)
    assert ours.llf == pytest.approx(peer.llf, rel=1e-9)
    assert ours.pseudo_r2 == pytest.approx(peer.prsquared, rel=1e-8, abs=1e-8)  # 1 less a ratio near 1
    index, _ = ours.index(x)
    assert ours.probability(index) == pytest.approx(peer.predict(), rel=1e-6, abs=1e-9)
    if link == "logit":  # the expected information is the observed one
        assert np.sqrt(np.diag(ours.cov)) == pytest.approx(peer.bse, rel=1e-5)


@pytest.mark.parametrize("link", ["probit", "logit"])
@pytest.mark.parametrize("penalty", ["l2", "firth"])
def test_the_penalised_optimum(link: str, penalty: str) -> None:
    x, y = sample(3, n=60)
    X = np.column_stack([np.ones(60), (x - x.mean(0)) / x.std(0)])

    def loss(b: Floats) -> float:
        eta = X @ b
        log_p = log_ndtr if link == "probit" else log_expit
        out = np.where(y == 1, log_p(eta), log_p(-eta)).sum()
        if penalty == "l2":
            return float(-(out - 0.5 * 2.0 * (b[1:] ** 2).sum()))
        if link == "logit":
            p = np.exp(log_expit(eta))
            w = p * (1 - p)
        else:
            w = np.exp(-(eta**2)) / (2 * np.pi) / (ndtr(eta) * ndtr(-eta))
        return float(-(out + 0.5 * np.linalg.slogdet((X * w[:, None]).T @ X)[1]))

    peer = minimize(loss, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 5000}).x
    ours = fit(x, y, link, penalty, 2.0)  # type: ignore[arg-type]
    assert ours.coefficients[1:] * x.std(0) == pytest.approx(peer[1:], abs=1e-5)


def test_firth_on_separated_groups_by_hand() -> None:
    """One predictor with two values: log odds of each group with half a case added to both sides."""
    x = np.r_[np.zeros(20), np.ones(10)][:, None]
    y = np.r_[np.zeros(20), np.ones(10)]
    with pytest.raises(NotConverged, match="use the penalty l2 or firth"):
        fit(x, y, "logit")
    with pytest.raises(NotConverged, match="use the penalty l2 or firth"):
        fit(x, y, "probit")
    b = fit(x, y, "logit", "firth").coefficients
    assert b[0] == pytest.approx(np.log(0.5 / 20.5), abs=1e-6)
    assert b.sum() == pytest.approx(np.log(10.5 / 0.5), abs=1e-6)
    assert np.isfinite(fit(x, y, "probit", "firth").coefficients).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), unit=st.sampled_from([1e-4, 1e4]), penalty=st.sampled_from(["none", "l2", "firth"]))
def test_units_do_not_matter(seed: int, unit: float, penalty: str) -> None:
    x, y = sample(seed, n=90)
    a, b = fit(x, y, "probit", penalty), fit(x * unit + 3.0, y, "probit", penalty)  # type: ignore[arg-type]
    assert a.probability(a.index(x)[0]) == pytest.approx(b.probability(b.index(x * unit + 3.0)[0]), abs=1e-7)


def test_events_per_variable_and_refusals() -> None:
    x, y = sample(5)
    assert fit(x, y).events_per_variable == min(y.sum(), 200 - y.sum()) / 2
    assert isinstance(fit(x, y), Binary)
    few = np.zeros(200)
    few[:4] = 1
    with pytest.raises(NotEnoughData, match="4 of 200 months with the event"):
        fit(x, few)
    flat = x.copy()
    flat[:, 1] = 2.5
    with pytest.raises(NotEnoughData, match="predictor 2 does not vary"):
        fit(flat, y)
    with pytest.raises(BadInput, match="outcomes"):
        fit(x, y * 2)
