"""What a fitted model of any kind says, as readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import polars as pl

from engine.calendar import Period
from engine.indicator import Series, split_id
from engine.model import Fitted, Model
from engine.panel import Panel
from engine.reading import Tells, of_estimate


@runtime_checkable
class Paced(Protocol):
    """A fitted model whose newest period is not simply the last month in which anything is known."""

    def newest(self, panel: Panel) -> Period:
        """The newest period for which it has something to say. Raises NotEnoughData."""
        ...


def reads_answers(model: Model) -> bool:
    """Whether it reads what firms answered, where others read a panel of series."""
    return getattr(model, "reads", "panel") == "answers"


def tell(fitted: Fitted, panel: Panel, periods: Sequence[Period]) -> pl.DataFrame:
    """READINGS for these periods: the model's own where it tells more than an estimate, else the estimate's."""
    if isinstance(fitted, Tells):
        return fitted.tell(panel, periods)
    estimate = fitted.estimate(panel, periods)
    return of_estimate(estimate, split_id(estimate.target)[1])


def names(model: Model, series: Sequence[Series]) -> dict[str, tuple[str, str]]:
    """English and Chinese name of whatever a reading may be called: regions, series, and what the model itself names."""
    found: dict[str, tuple[str, str]] = {}
    for s in series:
        found[s.region.code] = (s.region.name_en, s.region.name_zh)
        found[s.id] = found[s.indicator.id] = (s.indicator.name_en, s.indicator.name_zh)
    own: Mapping[str, tuple[str, str]] = getattr(model, "names", {})
    return found | dict(own)


def newest(fitted: Fitted, panel: Panel, count: int) -> tuple[Period, ...]:
    """The newest ``count`` periods that there is something to say about, oldest first."""
    last = fitted.newest(panel) if isinstance(fitted, Paced) else panel.last
    return tuple(last + -k for k in range(count - 1, -1, -1))
