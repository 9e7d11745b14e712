"""Series of every aggregation, January and February as one, longer factor orders, several factors a block: likelihood and truth."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from engine import factor
from engine.calendar import Freq, Period
from engine.figures import Origin
from engine.indicator import Aggregation, Indicator, Region, Series
from engine.news import news
from engine.panel import NEVER, Panel
from engine.typing import Floats
from modelzoo.nowcast.dfm import Dfm, FittedDfm

SUMS: dict[Aggregation, tuple[float, ...]] = {  # written out again: the month in which a quarter ends, and those before
    "growth": (1 / 3, 2 / 3, 1.0, 2 / 3, 1 / 3), "last": (1.0,), "average": (1 / 3, 1 / 3, 1 / 3), "sum": (1.0, 1.0, 1.0),
    "year": (1 / 3, 2 / 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2 / 3, 1 / 3),
}  # fmt: skip


def drawn(
    A: Floats,
    loadings: Floats,
    rho: Floats,
    kinds: dict[int, Aggregation],
    months: int,
    seed: int,
    pairs: dict[int, Aggregation] | None = None,
) -> tuple[Panel, Floats]:
    """A panel of the model, and its factors ``(T, R)``: shocks of unit variance. kinds: the quarterly columns. pairs: the
    monthly ones that tell January and February as one, in February.

    A ``(R, R p)``, loadings ``(N, R)``, rho ``(N,)``.
    """
    pairs = pairs or {}
    g, burn = np.random.default_rng(seed), 60
    R, N = len(A), len(rho)
    f, e = np.zeros((months + burn, R)), np.zeros((months + burn, N))
    for t in range(A.shape[1] // R, months + burn):
        past = np.concatenate([f[t - lag] for lag in range(1, A.shape[1] // R + 1)])
        f[t], e[t] = A @ past + g.normal(size=R), rho * e[t - 1] + g.normal(size=N)
    values = f @ loadings.T + e
    for j, kind in kinds.items():
        values[:, j] = np.convolve(values[:, j], SUMS[kind])[: len(values)]
        values[np.arange(len(values)) % 3 != (burn + 2) % 3, j] = np.nan
    flags = np.zeros(values.shape, np.uint8)
    february = np.arange(burn + 1, len(values), 12)
    for j, kind in pairs.items():
        values[february, j] += values[february - 1, j]
        values[february, j] *= 1.0 if kind == "sum" else 0.5
        values[february - 1, j] = np.nan
        flags[february, j] = Origin.PAIR
    values, flags, place = values[burn:], flags[burn:], Region("US", "", "")
    meanings = tuple(
        Series(
            Indicator(
                f"x{j}",
                "",
                "",
                Freq.Q if j in kinds else Freq.M,
                "",
                "",
                "lin",
                (kinds | pairs).get(j, "last"),
                30,
                "",
                "",
            ),
            place,
        )
        for j in range(N)
    )
    stamps = np.where(np.isnan(values), NEVER, 0)
    return Panel(datetime(2070, 1, 1, tzinfo=UTC), meanings, Period.parse("2000-01"), values, stamps, flags=flags), f[
        burn:
    ]


def dense(fitted: FittedDfm, panel: Panel) -> float:
    """The twin: the log-density of all known cells at once, from autocovariances by a long moving average."""
    p = fitted.parameters
    R, N, T = len(p.Q), len(p.rho), panel.months
    psi = [np.eye(R)]  # f_t = Σ psi_j u_t-j
    lags = p.A.shape[1] // R
    for j in range(1, 600):
        past = np.vstack([psi[j - k] if j >= k else np.zeros((R, R)) for k in range(1, lags + 1)])
        psi.append(p.A @ past)
    gamma = [sum(a @ p.Q @ b.T for a, b in zip(psi[h:], psi, strict=False)) for h in range(T + 14)]  # Cov(f_t, f_t-h)
    month = np.arange(-13, T)
    apart = month[:, None] - month
    of_f = np.array(gamma)[abs(apart)]
    of_f = np.where((apart >= 0)[..., None, None], of_f, of_f.swapaxes(-1, -2))
    reads = np.zeros((N, T, T + 13))  # how a cell sums up months
    for j, s in enumerate(panel.series):
        for lag, w in enumerate(SUMS[s.indicator.aggregation] if s.freq is Freq.Q else (1.0,)):
            reads[j, np.arange(T), np.arange(T) + 13 - lag] = w
    pair = panel.flags == Origin.PAIR
    twice = pair & np.array([s.indicator.aggregation == "sum" for s in panel.series])
    for t, j in np.argwhere(pair):
        reads[j, t] = 0.0
        reads[j, t, [t + 12, t + 13]] = 0.5
    y = (panel.values / np.where(twice, 2.0, 1.0) - fitted.mean) / fitted.sd
    seen = ~np.isnan(y)
    cov = np.zeros((N, T, N, T))
    for i in range(N):
        for j in range(N):
            latent = np.einsum("tuab,a,b->tu", of_f, p.loadings[i], p.loadings[j])
            if i == j:
                latent = latent + p.rho[i] ** abs(apart) * p.sigma2[i] / (1 - p.rho[i] ** 2)
            cov[i, :, j] = reads[i] @ latent @ reads[j].T
    at = seen.T.reshape(-1)
    S, v = cov.reshape(N * T, N * T)[np.ix_(at, at)], y.T.reshape(-1)[at]
    return float(-0.5 * (len(v) * np.log(2 * np.pi) + np.linalg.slogdet(S)[1] + v @ np.linalg.solve(S, v)))


def likelihood(fitted: FittedDfm, panel: Panel) -> float:
    return passed(fitted, panel).loglik


def passed(fitted: FittedDfm, panel: Panel) -> factor.Smoothed:
    sample, R = fitted.model.sample(panel), len(fitted.parameters.Q)
    standard = (sample.values - fitted.mean) / fitted.sd
    layout = fitted.model.layout(panel, standard, sample.pairs, fitted.used, R)
    return factor.smooth(layout.split(fitted.parameters, 0.0), layout.data)


def smoothed(fitted: FittedDfm, panel: Panel) -> Floats:
    return passed(fitted, panel).x[:, : len(fitted.parameters.Q)]


RHO = np.array([0.6, 0.5, -0.2, 0.3, 0.0, 0.7, 0.2, -0.3, 0.4])
ONE = np.array([0.8, 1.0, 0.7, -0.9, 0.6, 1.2, 0.8, 0.5, -1.0])[:, None]


@pytest.mark.parametrize("kind", sorted(SUMS))
def test_each_aggregation_has_the_likelihood_of_its_definition(kind: Aggregation) -> None:
    panel, _ = drawn(np.array([[0.7]]), ONE[:5], RHO[:5], {0: kind, 4: kind}, 60, 1)
    fitted = Dfm("x0@US", {"all": panel.ids}, tolerance=1e-4).fit(panel)
    assert fitted.model.inputs == panel.ids
    assert likelihood(fitted, panel) == pytest.approx(dense(fitted, panel), rel=1e-9)


def test_all_aggregations_side_by_side_two_factors_two_lags() -> None:
    A = np.array([[0.5, 0.2, 0.2, 0.0], [-0.1, 0.6, 0.0, -0.3]])
    g = np.random.default_rng(4)
    kinds: dict[int, Aggregation] = {0: "growth", 5: "last", 6: "average", 7: "sum"}
    panel, _ = drawn(A, g.normal(size=(8, 2)), RHO[:8], kinds, 60, 2)
    fitted = Dfm("x0@US", {"all": panel.ids}, factors=2, order=2, tolerance=1e-3).fit(panel)
    assert likelihood(fitted, panel) == pytest.approx(dense(fitted, panel), rel=1e-9)


PAIRED: dict[int, Aggregation] = {2: "average", 3: "sum", 4: "average", 5: "sum"}


def test_january_and_february_as_one_have_the_likelihood_of_their_definition() -> None:
    panel, _ = drawn(np.array([[0.7]]), ONE[:6], RHO[:6], {0: "year"}, 72, 1, PAIRED)
    fitted = Dfm("x0@US", {"all": panel.ids}, tolerance=1e-4).fit(panel)
    assert len(passed(fitted, panel).data.Y.T) == 5  # none of them has to be carried
    assert likelihood(fitted, panel) == pytest.approx(dense(fitted, panel), rel=1e-9)
    monthly = Dfm("x3@US", {"all": panel.ids}, tolerance=1e-4).fit(panel)
    turned = panel.select(monthly.model.inputs)
    assert likelihood(monthly, panel) == pytest.approx(dense(monthly, turned), rel=1e-9)


def test_the_truth_is_found_where_half_of_the_months_of_winter_are_pairs() -> None:
    panel, factors = drawn(np.array([[0.7]]), ONE, RHO, {0: "average"}, 1200, 3, PAIRED)
    fitted = Dfm("x0@US", {"all": panel.ids}, tolerance=1e-7).fit(panel)
    p = fitted.parameters
    scale = fitted.sd * np.sqrt(p.Q[0, 0] / (1 - p.A[0, 0] ** 2))
    assert p.A[0, 0] == pytest.approx(0.7, abs=0.06)
    np.testing.assert_allclose(p.loadings[:, 0] * scale, ONE[:, 0] / np.sqrt(1 - 0.49), rtol=0, atol=0.2)
    np.testing.assert_allclose(p.rho[1:], RHO[1:], rtol=0, atol=0.1)
    np.testing.assert_allclose(p.sigma2[1:] * fitted.sd[1:] ** 2, 1.0, rtol=0, atol=0.2)
    assert np.corrcoef(smoothed(fitted, panel)[:, 0], factors[:, 0])[0, 1] > 0.9


@pytest.mark.parametrize("target", ["x3@US", "x2@US"])
def test_a_pair_to_come_is_estimated_as_a_pair_and_its_news_adds_up(target: str) -> None:
    """February of a series that adds up is about twice a month; weights times surprises, those of pairs too, are the change."""
    panel, _ = drawn(np.array([[0.7]]), ONE[:6], RHO[:6], {0: "average"}, 12 * 15 + 3, 8, PAIRED)
    level = replace(panel, values=panel.values + 50.0 * np.where(panel.flags == Origin.PAIR, [[1, 1, 1, 2, 1, 2]], 1.0))
    last = level.months - 2  # February of the last year
    assert level.flags[last, 3] == Origin.PAIR
    values = level.values.copy()
    values[last:] = np.nan
    values[last - 1, 1] = np.nan
    known = ~np.isnan(values)
    old = replace(level, values=values, stamps=np.where(known, 0, NEVER), flags=np.where(known, level.flags, 0))
    values = level.values.copy()
    values[last:, [0, int(target[1])]] = np.nan
    values[last + 1 :] = np.nan
    values[last - 9, 4] += 0.5  # a revision
    known = ~np.isnan(values)
    new = replace(level, values=values, stamps=np.where(known, 0, NEVER), flags=np.where(known, level.flags, 0))
    fitted = Dfm(target, {"all": (target, *(i for i in panel.ids if i != target))}, tolerance=1e-4).fit(old)
    february = level.first + last
    told = news(fitted, fitted, old, new, february)
    assert told.before == fitted.estimate(old, [february]).at(february)
    assert told.after == pytest.approx(told.before + float(told.table["impact"].sum()), abs=1e-9)
    assert told.table["weight"].is_not_null().all(), "by the model's own weights, not step by step"
    assert told.table.filter(pl.col("kind") == "release")["period"].n_unique() == 2
    size = 2.0 if target == "x3@US" else 1.0
    assert told.before == pytest.approx(50.0 * size, abs=8.0 * size)
    of_pairs = told.table.filter(
        pl.col("series").is_in(["x2@US", "x3@US", "x4@US", "x5@US"]), pl.col("kind") == "release"
    )
    sizes = {f"x{j}@US": 100.0 if k == "sum" else 50.0 for j, k in PAIRED.items()}
    for name, expected in of_pairs.select("series", "expected").iter_rows():
        assert expected == pytest.approx(sizes[name], abs=0.2 * sizes[name])


@pytest.mark.parametrize("kind", sorted(SUMS))
def test_the_truth_is_found_from_each_aggregation(kind: Aggregation) -> None:
    """Loadings in the units of the data, by the factor's deviation, which is not identified apart from them."""
    months = 1200
    panel, factors = drawn(np.array([[0.7]]), ONE, RHO, {0: kind, 8: kind}, months, 3)
    fitted = Dfm("x0@US", {"all": panel.ids}, tolerance=1e-7).fit(panel)
    p = fitted.parameters
    assert p.A[0, 0] == pytest.approx(0.7, abs=0.06)
    scale = fitted.sd * np.sqrt(p.Q[0, 0] / (1 - p.A[0, 0] ** 2))
    np.testing.assert_allclose(p.loadings[:, 0] * scale, ONE[:, 0] / np.sqrt(1 - 0.49), rtol=0, atol=0.2)
    np.testing.assert_allclose(p.rho[1:8], RHO[1:8], rtol=0, atol=0.1)
    np.testing.assert_allclose(p.sigma2[1:8] * fitted.sd[1:8] ** 2, 1.0, rtol=0, atol=0.2)
    assert np.corrcoef(smoothed(fitted, panel)[:, 0], factors[:, 0])[0, 1] > 0.9


@pytest.mark.parametrize("kind", sorted(SUMS))
def test_another_aggregation_fits_worse(kind: Aggregation) -> None:
    """So that the likelihood can tell them apart: weights that were mixed up would show."""
    panel, _ = drawn(np.array([[0.7]]), ONE, RHO, {0: kind, 8: kind}, 600, 5)
    found = {}
    for other in SUMS:
        kinds: dict[int, Aggregation] = {0: other, 8: other}
        relabelled = drawn(np.array([[0.7]]), ONE, RHO, kinds, 600, 5)[0].series
        told = Panel(panel.asof, relabelled, panel.first, panel.values, panel.stamps)
        found[other] = float(Dfm("x0@US", {"all": panel.ids}).fit(told).path[-1])
    # a mean and a sum are one model in other units
    best: set[Aggregation] = {"average", "sum"} if kind in ("average", "sum") else {kind}
    assert min(found[k] for k in best) > max(found[k] for k in set(SUMS) - best) + 5, found


def test_several_factors_a_block_and_two_lags_are_found() -> None:
    """Two blocks of two factors with two lags, which do not interact. A rotation of a block leaves its roots alone."""
    A = np.zeros((4, 8))
    first, second = np.array([[0.9, 0.1], [0.0, 0.3]]), np.array([[0.5, -0.4], [0.4, 0.5]])
    A[:2, :2], A[:2, 4:6] = first, np.diag([-0.2, 0.4])
    A[2:, 2:4], A[2:, 6:] = second, np.diag([0.2, 0.1])
    g = np.random.default_rng(6)
    loadings = np.zeros((25, 4))
    loadings[:13, :2], loadings[13:, 2:] = g.normal(size=(13, 2)), g.normal(size=(12, 2))
    panel, factors = drawn(A, loadings, g.uniform(-0.3, 0.6, 25), {0: "growth", 13: "average"}, 900, 7)
    blocks = {"a": panel.ids[:13], "b": panel.ids[13:]}
    fitted = Dfm("x0@US", blocks, factors=2, order=2, tolerance=1e-7).fit(panel)
    p = fitted.parameters
    apart = np.kron(np.eye(2), np.ones((2, 2))) == 0
    assert (p.Q[apart] == 0).all()
    assert (p.A[np.tile(apart, 2)] == 0).all()
    assert (p.loadings[loadings == 0] == 0).all()
    states = smoothed(fitted, panel)
    for b in (slice(0, 2), slice(2, 4)):

        def roots(A: Floats, b: slice = b) -> Floats:
            own = np.hstack([A[b, b], A[b, slice(4 + b.start, 4 + b.stop)]])
            return np.sort(np.abs(np.linalg.eigvals(factor.companion(own))))

        np.testing.assert_allclose(roots(p.A), roots(A), rtol=0, atol=0.15)
        fit = states[:, b] @ np.linalg.lstsq(states[:, b], factors[:, b], rcond=None)[0]
        assert (1 - ((factors[:, b] - fit) ** 2).sum(0) / (factors[:, b] ** 2).sum(0) > 0.85).all()
