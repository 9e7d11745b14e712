"""What a fitted model of any kind says, as readings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import polars as pl

from engine.calendar import Period
from engine.indicator import split_id
from engine.model import Fitted
from engine.panel import Panel
from engine.reading import Tells, of_estimate


@runtime_checkable
class Paced(Protocol):
    """A fitted model whose newest period is not simply the last month in which anything is known."""

    def newest(self, panel: Panel) -> Period:
        """The newest period for which it has something to say. Raises NotEnoughData."""
        ...


def tell(fitted: Fitted, panel: Panel, periods: Sequence[Period]) -> pl.DataFrame:
    """READINGS for these periods: the model's own where it tells more than an estimate, else the estimate's."""
    if isinstance(fitted, Tells):
        return fitted.tell(panel, periods)
    estimate = fitted.estimate(panel, periods)
    return of_estimate(estimate, split_id(estimate.target)[1])


def newest(fitted: Fitted, panel: Panel, count: int) -> tuple[Period, ...]:
    """The newest ``count`` periods that there is something to say about, oldest first."""
    last = fitted.newest(panel) if isinstance(fitted, Paced) else panel.last
    return tuple(last + -k for k in range(count - 1, -1, -1))
