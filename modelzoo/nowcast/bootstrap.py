"""What estimating the parameters of a factor model adds to its bands: a parametric bootstrap of the whole fit.

Panels are drawn from the fitted model, with values where the panel has them, and the same estimator learns from each all that it
learned from the real one: scales, loadings, dynamics. Asked about the *real* panel, these fits differ by what the parameters leave
open. With m and V the mean and the variance given the parameters, of the fit and (*) of B draws, the variance is

    V + [V - mean V*]+ + mean (m* - m)².

The last term is the spread of the mean about the estimate (Rodríguez & Ruiz 2012, Computational Statistics & Data Analysis 56, who
ask the real panel too). The one before it mends that fitted variances are too small, by the same shortfall from the model to its
draws (Pfeffermann & Tiller 2005, J. Time Series Analysis 26), and never narrows a band. This serves any estimator, so also loadings
held at principal components, which have no likelihood to draw from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from engine import factor_draw
from engine.calendar import Period
from engine.errors import NotConverged, NotEnoughData
from engine.model import State
from engine.panel import Panel
from engine.typing import Floats

if TYPE_CHECKING:
    from modelzoo.nowcast.dfm import FittedDfm
    from modelzoo.nowcast.factor_layout import Sample

_MARK = "|"  # between the number of a draw and the name of one of its arrays


def drawn(fitted: FittedDfm, panel: Panel, standard: Floats, sample: Sample) -> tuple[FittedDfm, ...]:
    """The fits that its model asks for, to panels drawn from it, each seeded by its number. Raises NotConverged if more than half
    fail.

    standard: ``(T, N)`` the sample of the panel as the model reads it, NaN where it reads nothing.
    """
    model = fitted.model
    found: list[FittedDfm] = []
    panel = panel.select(model.inputs)
    for seed in range(2 * model.draws):
        if len(found) == model.draws:
            break
        try:
            found.append(model.learn(_panel(fitted, panel, standard, sample, seed), fitted))
        except (NotConverged, NotEnoughData):
            continue
    if len(found) < model.draws:
        raise NotConverged(
            f"{model.target}: of {2 * model.draws} panels drawn from the model only {len(found)} could be fitted"
        )
    return tuple(found)


def _panel(fitted: FittedDfm, panel: Panel, standard: Floats, sample: Sample, seed: int) -> Panel:
    """A panel drawn from the model in the units of the real one; empty months at either end stay so, and cost no draw."""
    model, rows = fitted.model, np.flatnonzero(~np.isnan(standard).all(1))
    known = slice(int(rows[0]), int(rows[-1]) + 1)
    layout = model.layout(panel, standard[known], sample.pairs[known], fitted.used, len(fitted.parameters.Q))
    values = np.full((panel.months, len(model.inputs)), np.nan)
    into = values[model.skip(panel) :]
    p = layout.split(fitted.parameters, model.noise)
    for at, said in zip((layout.collapsed, layout.explicit), factor_draw.simulate(p, layout.data, seed), strict=True):
        into[known, at] = (fitted.mean[at] + fitted.sd[at] * said) * sample.times[known, at]
    return panel.with_values(model.inputs, values)


def added(drawn: Sequence[FittedDfm], panel: Panel, periods: Sequence[Period], mean: Floats, states: Floats) -> Floats:
    """``(H,)`` what estimating the parameters adds to the variance ``states`` of the estimate ``mean``; 0 without draws."""
    if not drawn:
        return np.zeros(len(periods))
    means, variances = (np.array(v) for v in zip(*(d.moments(panel, periods) for d in drawn), strict=True))
    out: Floats = np.maximum(states - variances.mean(0), 0.0) + np.mean((means - mean) ** 2, axis=0)
    return out


def joined(own: State, drawn: Sequence[FittedDfm]) -> State:
    """The state of a fit with those of its draws, by number."""
    return dict(own) | {f"{n}{_MARK}{k}": v for n, d in enumerate(drawn) for k, v in d.state().items()}


def parted(state: State) -> tuple[State, list[State]]:
    """Inverse of :func:`joined`."""
    of: dict[str, dict[str, Any]] = {}
    for name, value in state.items():
        number, _, own = name.rpartition(_MARK)
        of.setdefault(number, {})[own] = value
    return of.pop(""), [of[str(n)] for n in range(len(of))]
