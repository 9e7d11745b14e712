"""Any panel with ends and holes as they come: finite, adding up, blind to units, and never ahead of its time."""

from __future__ import annotations

import indices
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import NotEnoughData
from engine.indicator import PublishedKind, Step
from engine.model import Model
from engine.panel import Panel
from engine.typing import Floats
from modelzoo.prosperity.cli import Cli
from modelzoo.prosperity.composite import Composite
from modelzoo.prosperity.conference import Conference
from modelzoo.prosperity.diffusion import Diffusion
from modelzoo.prosperity.history import Historied

ABOUT: tuple[tuple[str, Step, PublishedKind], ...] = (
    ("a", "lin", "level"), ("b", "pch", "level"), ("c", "chg", "level"), ("d", "lin", "share"), ("e", "lin", "level")
)  # fmt: skip
IDS = tuple(f"{name}@US" for name, _, _ in ABOUT)
MODELS: tuple[Model, ...] = (
    Conference("leading@US", IDS[1:], IDS[:3], ("d@US",)),
    Composite("lagging@US", IDS, IDS[:2]),
    Diffusion("coincident@US", IDS, ("c@US",), span=3),
    Diffusion("coincident@US", IDS, form="cumulative", weights=(1, 2, 3, 4, 5)),
    Cli("leading@US", IDS[1:], "a@US", ("e@US",), select=False),
)
panels = st.builds(
    lambda seed, months, holes, late: made(seed, months, holes, late),
    st.integers(0, 10**6), st.integers(110, 160), st.integers(0, 12), st.integers(0, 3),
)  # fmt: skip
quick = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def made(seed: int, months: int, holes: int, late: int) -> Panel:
    """Random walks with a common cycle; some months unknown, the ends ragged."""
    g = np.random.default_rng(seed)
    common = np.sin(2 * np.pi * np.arange(months) / 48.0)[:, None]
    steps = 0.4 * np.diff(common, axis=0, prepend=0.0) * 8 + g.normal(size=(months, 5))
    values = steps.copy()
    values[:, [0, 4]] = 100.0 * np.exp(0.01 * np.cumsum(steps[:, [0, 4]], axis=0))
    values[:, 3] = 20.0 + 0.1 * np.cumsum(steps[:, 3])
    for _ in range(holes):
        values[g.integers(30, months - 6), g.integers(0, 5)] = np.nan
    if late:
        values[-late:, g.integers(0, 5)] = np.nan
    panel: Panel = indices.panel("2005-01", values, [indices.series(*about) for about in ABOUT])
    return panel


def index(model: Model, panel: Panel) -> tuple[Historied, Floats]:
    fitted = model.fit(panel)
    assert isinstance(fitted, Historied)
    return fitted, fitted.history(panel).values


@quick
@given(panel=panels)
def test_it_adds_up_and_is_finite(panel: Panel) -> None:
    for model in MODELS:
        fitted, values = index(model, panel)
        h = fitted.history(panel)
        assert np.isfinite(h.parts).all()
        assert np.isfinite(h.quantiles).all()
        assert (np.diff(h.quantiles, axis=1) >= 0).all()
        assert np.ptp(h.quantiles, axis=1).min() > 0
        np.testing.assert_allclose(h.contributions.sum(1), np.diff(values), atol=1e-12 * np.abs(h.parts).max())
        fitted.tell(panel, [h.first, h.last])


@quick
@given(panel=panels, unit=st.sampled_from([1e-6, 0.3, 1e4]), zero=st.sampled_from([0.0, 7.0]))
def test_units_move_nothing(panel: Panel, unit: float, zero: float) -> None:
    values = panel.matrix(IDS) * np.array([unit, 1.0, unit, 1.0, unit]) + np.array([0.0, 0.0, 0.0, zero, 0.0])
    other = panel.with_values(IDS, values)
    for model in MODELS:
        a, b = index(model, panel)[1], index(model, other)[1]
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-7 * np.abs(a).max())


@quick
@given(panel=panels, cut=st.integers(1, 24))
def test_what_comes_later_moves_nothing(panel: Panel, cut: int) -> None:
    """Months that are not known yet are as if they were not there."""
    known = panel.values.copy()
    known[-cut:] = np.nan
    told = indices.panel("2005-01", panel.values[:-cut], panel.series)
    for model in MODELS:
        try:
            expected = index(model, told)[1]
        except NotEnoughData:
            continue
        assert index(model, panel.with_values(panel.ids, known))[1].tobytes() == expected.tobytes()
