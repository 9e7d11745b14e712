"""What a series means. An indicator is measured in a region; together they are a series, ``indicator@region``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.calendar import Freq
from engine.errors import BadInput

Step = Literal["lin", "chg", "pch", "pca"]
"""From published to analysed value: as it is; change; percent change; percent change at an annual rate. See engine.steps."""

Aggregation = Literal["growth", "last", "average", "sum"]
"""How a lower-frequency value sums up its months: growth of a flow (Mariano-Murasawa), the last month, their mean, their sum."""


@dataclass(frozen=True, slots=True)
class Region:
    """A place. ``code`` is what stands behind the @: ``US``, ``CN-33``."""

    code: str
    name_en: str
    name_zh: str


@dataclass(frozen=True, slots=True)
class Indicator:
    """One row of the catalogue.

    ``unit`` is that of the published value, ``unit_analysed`` that after ``step``; ``delay_days`` is the usual number of days
    from the end of a period to its first release (negative where a survey appears within its own month).
    """

    id: str
    name_en: str
    name_zh: str
    freq: Freq
    unit: str
    unit_analysed: str
    step: Step
    aggregation: Aggregation
    delay_days: int
    agency: str
    module: str


@dataclass(frozen=True, slots=True)
class Series:
    """An indicator in a region."""

    indicator: Indicator
    region: Region

    @property
    def id(self) -> str:
        return f"{self.indicator.id}@{self.region.code}"

    @property
    def freq(self) -> Freq:
        return self.indicator.freq


def split_id(series_id: str) -> tuple[str, str]:
    """``gdpc1@US`` to ``("gdpc1", "US")``; raises BadInput if it is not of that form."""
    indicator, at, region = series_id.partition("@")
    if not (indicator and at and region) or "@" in region:
        raise BadInput(f"not a series id: {series_id!r} (indicator@region, as in gdpc1@US)")
    return indicator, region
