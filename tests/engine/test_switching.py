"""Hamilton's model against the golden file, the kernel against sums over all paths of regimes, and honest failure."""

from __future__ import annotations

import ast
import itertools
import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine import switching
from engine.errors import BadInput, NotConverged, NotEnoughData
from engine.kernels import switching as kernel
from engine.typing import Floats

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/ms/hamilton89.json").read_text(encoding="utf-8"))


def output_growth() -> Floats:
    """The series that statsmodels' own tests use, read from their text (importing them asks pytest for their marks)."""
    spec = find_spec("statsmodels.tsa.regime_switching")
    assert spec is not None
    assert spec.submodule_search_locations
    file = Path(spec.submodule_search_locations[0]) / "tests/test_markov_autoregression.py"
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "rgnp":
            return np.asarray(ast.literal_eval(node.value), float)
    raise AssertionError("no rgnp")


def paths(y: Floats, mu: Floats, phi: Floats, sigma2: float, P: Floats) -> tuple[float, Floats, Floats]:
    """Plain Python: log-likelihood, filtered and smoothed chance of regime 0, by adding up every path of regimes."""
    order = len(phi)
    L = max(order, 1)
    n = len(y) - order
    cold = (1 - P[1, 1]) / (2 - P[0, 0] - P[1, 1])
    joint, filtered = {}, np.zeros((n, 2))
    for s in itertools.product((0, 1), repeat=n + L):
        p = cold if s[0] == 0 else 1 - cold
        for a, b in itertools.pairwise(s[: L + 1]):
            p *= P[a, b]
        for r in range(n):
            now = s[: L + r + 1]
            if r:
                p *= P[now[-2], now[-1]]
            if not np.isnan(y[r + order]):
                e = y[r + order] - mu[now[-1]]
                e -= sum(phi[lag] * (y[r + order - lag - 1] - mu[now[-2 - lag]]) for lag in range(order))
                p *= np.exp(-0.5 * e * e / sigma2) / np.sqrt(2 * np.pi * sigma2)
            filtered[r, now[-1]] += p * 0.5 ** (n - r - 1)  # every later path repeats it
        joint[s] = p
    total = sum(joint.values())
    smoothed = np.array([sum(p for s, p in joint.items() if s[L + r] == 0) / total for r in range(n)])
    return float(np.log(total)), filtered[:, 0] / filtered.sum(1), smoothed


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 2), st.booleans())
def test_the_kernel_adds_up_all_paths(seed: int, order: int, gap: bool) -> None:
    g = np.random.default_rng(seed)
    y, mu, phi = g.normal(size=7) * 2, g.normal(size=2), g.uniform(-0.5, 0.5, order)
    if gap and not order:
        y[3] = np.nan
    stay, sigma2 = g.uniform(0.3, 0.95, 2), float(g.uniform(0.3, 2))
    P = np.array([[stay[0], 1 - stay[0]], [1 - stay[1], stay[1]]])
    level, filtered, smoothed = paths(y, mu, phi, sigma2, P)
    assert kernel.filter_(y, mu, phi, sigma2, P)[0] == pytest.approx(level, abs=1e-10)
    ours = switching.chance(y, mu, phi, sigma2, stay)
    assert ours[0] == pytest.approx(filtered, abs=1e-10)
    assert ours[1] == pytest.approx(smoothed, abs=1e-10)


def first(P: Floats, order: int) -> Floats:
    """Log-chances of all the paths of the regimes before the first value, which the M-step of P leaves out."""
    low = (1 - P[1, 1]) / (2 - P[0, 0] - P[1, 1])
    paths = itertools.product((0, 1), repeat=max(order, 1))
    return np.log([np.r_[low, 1 - low][p[0]] * np.prod([P[a, b] for a, b in itertools.pairwise(p)]) for p in paths])


@settings(max_examples=25, deadline=None)
@example(seed=34962, order=2)
@given(st.integers(0, 10**6), st.integers(0, 3))
def test_em_does_not_lower_the_likelihood(seed: int, order: int) -> None:
    """But for what the regimes before the first value become less likely by: the least likely path of them bounds it."""
    g = np.random.default_rng(seed)
    y = g.normal(size=150) + np.repeat(g.normal(size=15) * 2, 10)
    mu, phi, s, P = np.array([-1.0, 1.0]), np.zeros(order), 1.0, np.array([[0.8, 0.2], [0.2, 0.8]])
    levels, left_out = [], []
    for _ in range(15):
        levels.append(kernel.filter_(y, mu, phi, s, P)[0])
        left_out.append(first(P, order))
        mu, phi, s, P, _ = kernel.em(y, mu, phi, s, P.copy(), 1, 0.0)
    assert (np.diff(levels) >= np.diff(left_out, axis=0).min(1) - 1e-9).all()
    assert levels[-1] > levels[0]


def test_hamilton_1989() -> None:
    """Card 2.12: parameters, likelihood -181.2634, durations 4.08 and 10.43, smoothed chances, all to 1e-3."""
    y = output_growth()
    r = switching.fit(y, order=4)
    said = GOLDEN["params"]
    assert r.llf == pytest.approx(-181.2634, abs=1e-3)
    assert r.mean == pytest.approx([said["const[0]"], said["const[1]"]], abs=1e-3)
    assert r.stay == pytest.approx([said["p[0->0]"], 1 - said["p[1->0]"]], abs=1e-3)
    assert r.sigma2 == pytest.approx(said["sigma2"], abs=1e-3)
    assert r.ar == pytest.approx([said[f"ar.L{lag}"] for lag in (1, 2, 3, 4)], abs=1e-3)
    assert r.durations == pytest.approx([4.08, 10.43], abs=0.005)
    assert r.low(y)[1] == pytest.approx(GOLDEN["smoothed0"], abs=1e-3)
    assert r.agreed >= 2
    assert r.bic > r.bic_one  # two regimes do not pay for their parameters here, and that is said
    peer = pytest.importorskip("statsmodels.tsa.ar_model").AutoReg(y, 4).fit()
    assert r.llf_one == pytest.approx(peer.llf, abs=1e-6)
    assert 0.05 < r.draws[:, 1].std() < 0.15


def chain(seed: int, n: int, stay: tuple[float, float], gap: float) -> tuple[Floats, Floats]:
    g = np.random.default_rng(seed)
    s = np.zeros(n, int)
    for t in range(1, n):
        s[t] = s[t - 1] if g.random() < stay[s[t - 1]] else 1 - s[t - 1]
    return g.normal(size=n) + gap * s, (s == 0).astype(float)


def test_known_regimes_are_found_with_gaps_and_in_any_unit() -> None:
    y, low = chain(3, 300, (0.9, 0.95), 3.0)
    y[50:53] = np.nan
    r = switching.fit(y)
    assert np.mean((r.low(y)[1] > 0.5) == low) > 0.95
    spells = np.flatnonzero(np.diff(low)).size / 2 + 0.5
    assert r.durations == pytest.approx([low.sum() / spells, (1 - low).sum() / spells], rel=0.25)
    assert r.bic < r.bic_one
    other = switching.fit(-40 * y + 7)
    assert 1 - other.low(-40 * y + 7)[1] == pytest.approx(r.low(y)[1], abs=1e-3)
    assert r.ahead(1.0, 1) == pytest.approx(r.stay[0])
    assert r.ahead(1.0, 500) == pytest.approx(r.durations[0] / r.durations.sum())


def test_honest_failure() -> None:
    y, _ = chain(1, 200, (0.1, 0.9), 6.0)  # a low that never lasts
    with pytest.raises(NotConverged, match="made of outliers, not a phase"):
        switching.fit(y, name="y@X")
    with pytest.raises((NotConverged, NotEnoughData)):
        switching.fit(np.random.default_rng(2).normal(size=60))
    with pytest.raises(NotEnoughData, match="30 values; two regimes need 40"):
        switching.fit(y[:30])
    with pytest.raises(NotEnoughData, match="lags need all"):
        switching.fit(np.r_[y, np.nan, y], order=1)
    with pytest.raises(NotEnoughData, match="does not vary"):
        switching.fit(np.ones(100))
    with pytest.raises(BadInput, match="order is 0"):
        switching.fit(y, order=5)
