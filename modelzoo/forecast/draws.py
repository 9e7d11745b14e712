"""Estimates from draws of the whole path: figures that are sums of slots keep what their months have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from engine.align import published
from engine.calendar import Period
from engine.estimate import LEVELS, Estimate
from engine.panel import Panel
from engine.typing import Floats
from modelzoo.forecast.history import History

SEED = 20_240_101
"""Of every simulation: the same panel gives the same numbers."""


def estimate(panel: Panel, h: History, periods: Sequence[Period], simulate: Callable[[int], Floats]) -> Estimate:
    """simulate: a number of slots ahead to draws ``(S, H)`` in the units of the panel; drawn slot by slot, so that more slots
    leave the first ones as they are. Values published are given as they are, those in a filled gap without bands."""
    mean = published(panel, h.name, periods)
    quantiles = np.repeat(mean[:, None], len(LEVELS), axis=1)
    unknown = np.flatnonzero(np.isnan(mean))
    if len(unknown):
        known, weights = h.weights([periods[j] for j in unknown.tolist()])
        figures = np.broadcast_to(known, (1, len(known)))
        if weights.any():
            figures = known + simulate(weights.shape[1]) @ weights.T
        mean[unknown] = figures.mean(axis=0)
        quantiles[unknown] = np.quantile(figures, LEVELS, axis=0).T
    return Estimate(h.name, panel.asof, tuple(periods), mean, np.maximum.accumulate(quantiles, axis=1))
