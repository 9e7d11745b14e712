"""Out of sample by expanding window: at each origin a model knows only its panel, is fitted now and then, and says one period."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from engine.calendar import Period
from engine.errors import BadInput, NotConverged, NotEnoughData
from engine.model import Fitted, Model
from engine.panel import Panel
from engine.typing import Floats


@dataclass(frozen=True, slots=True)
class Said:
    """periods: estimated, one an origin. mean: ``(n,)``, NaN where the model refused. refused: why, by origin's day."""

    periods: tuple[Period, ...]
    mean: Floats
    refused: tuple[tuple[str, str], ...]


def expanding(model: Model, panels: Iterable[Panel], period: Callable[[Panel], Period], every: int = 12) -> Said:
    """What the model said at each origin.

    panels: as known at the origins, oldest first. period: which period is asked of a panel. every: origins between fits; in
    between the last fit is used with newer data. A fit that fails is tried again at the next origin. Raises BadInput if the
    origins do not run forward.
    """
    fitted: Fitted | None = None
    age, asked, means, refused, before = 0, [], [], [], None
    for panel in panels:
        if before is not None and panel.asof <= before:
            raise BadInput(f"origins run forward: {panel.day} is not after {before}")
        before, value = panel.asof, np.nan
        asked.append(period(panel))
        try:
            if fitted is None or age >= every:
                fitted, age = model.fit(panel), 0
            value = fitted.estimate(panel, [asked[-1]]).at(asked[-1])
        except (NotEnoughData, NotConverged) as why:
            refused.append((panel.day, str(why)))
        age += 1
        means.append(value)
    return Said(tuple(asked), np.array(means, float), tuple(refused))
