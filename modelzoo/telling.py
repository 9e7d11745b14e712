"""What a fitted model of any kind says, as readings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

import polars as pl

from engine.calendar import Period
from engine.errors import NotEnoughData
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


@runtime_checkable
class Begun(Protocol):
    """A fitted model that knows where its history begins."""

    def oldest(self, panel: Panel) -> Period:
        """The first period for which it has something to say. Raises NotEnoughData."""
        ...


@runtime_checkable
class Regional(Protocol):
    """A fitted model that holds one of each of several regions."""

    @property
    def fitted(self) -> Mapping[str, Fitted]:
        """By code of the region."""
        ...

    def each(self, panel: Panel) -> Iterator[tuple[str, Fitted, Panel]]:
        """Region by region: its code, its model, and what that one reads of the panel."""
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


def known(fitted: Fitted, panel: Panel, count: int | None) -> tuple[Period, ...]:
    """As :func:`newest`, but fewer where history is shorter; None: the whole history.

    Raises NotEnoughData where the whole is asked of a model that does not know where its history begins.
    """
    if not isinstance(fitted, Begun):
        if count is None:
            raise NotEnoughData("this model cannot say where its history begins: ask for a number of months")
        return newest(fitted, panel, count)
    (last,) = newest(fitted, panel, 1)
    whole = last - fitted.oldest(panel) + 1
    return newest(fitted, panel, whole if count is None else min(count, whole))


def oldest(fitted: Fitted, panel: Panel) -> Period:
    """The first period that there is something to say about; of a model that does not know, the first month of the panel."""
    return fitted.oldest(panel) if isinstance(fitted, Begun) else panel.first


def of(fitted: Fitted, unit: str) -> Fitted | None:
    """What a fitted model holds of one unit."""
    if isinstance(fitted, Regional):
        return fitted.fitted.get(unit)
    return fitted if split_id(fitted.model.targets[0])[1] == unit else None  # type: ignore[attr-defined]


def each(fitted: Fitted, panel: Panel) -> Iterator[tuple[str, Fitted, Panel]]:
    """Unit by unit what a fitted model is made of: of one region itself, of several the model of each with what it reads."""
    if isinstance(fitted, Regional):
        yield from fitted.each(panel)
    else:
        yield split_id(fitted.model.targets[0])[1], fitted, panel  # type: ignore[attr-defined]
