"""What a series means. An indicator is measured in a region; together they are a series, ``indicator@region``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.calendar import Freq
from engine.errors import BadInput

Step = Literal["lin", "chg", "pch", "pca"]
"""From published to analysed value: as it is; change; percent change; percent change at an annual rate. See engine.steps."""

Aggregation = Literal["growth", "last", "average", "sum", "year"]
"""How a lower-frequency value sums up its months: growth of a flow (Mariano-Murasawa), the last month, their mean, their sum."""


PublishedKind = Literal[
    "level", "level_month", "level_annual", "level_ytd", "level_eop", "count_ytd", "count_eop",
    "yoy_month", "yoy_quarter", "yoy_ytd", "yoy_eop",
    "share", "share_annual", "share_ytd", "share_eop", "ratio", "ratio_annual", "ratio_ytd", "ratio_eop",
    "index", "index_yoy", "index_yoy_ytd", "index_mom", "index_di", "index_balance",
]  # fmt: skip
"""What a published figure is: what is measured, and over which stretch of time.

Measured: a level in money or a physical unit, a count, growth on the same period of last year in per cent (yoy), a share of a
whole, a ratio, an index; index_yoy and index_mom have the same month of last year or the month before as 100, index_di is a
diffusion index around 50 and index_balance one around 100. Stretch: the month, quarter or year; from January to the month (ytd);
the end of the period (eop); without an ending, the period itself.
"""

SYNTHETIC = "SYN-"
"""How the codes of places begin that are made up; all that is said about them is marked wherever it is shown."""

Level = Literal["world", "nation", "province", "city"]


@dataclass(frozen=True, slots=True)
class Region:
    """A place. ``code`` is what stands behind the @: ``US``, ``CN-33``.

    ``gb``: its six digits in GB/T 2260, ``330000``, where it has them; ``within``: the code of the region it is part of.
    """

    code: str
    name_en: str
    name_zh: str
    level: Level | Literal[""] = ""
    gb: str = ""
    within: str = ""

    @property
    def is_synthetic(self) -> bool:
        """Whether the place is made up: every code of such a place begins with ``SYN-``, and no real one does."""
        return self.code.startswith(SYNTHETIC)


@dataclass(frozen=True, slots=True)
class Indicator:
    """One row of the catalogue.

    ``unit`` is that of the published value, ``unit_analysed`` that after ``step``; ``delay_days`` is the usual number of days
    from the end of a period to its first release (negative where a survey appears within its own month); ``agency`` is the
    source department. What is empty is not said. ``direction``, ``role``: how it moves against the cycle; ``polarity``: whether
    more is better (``+``) or worse (``-``). ``assumed`` names the fields that we set without a source, separated by blanks.
    ``jan_feb`` says of a monthly figure whether January and February are published as one, and since which year:
    ``separate``, ``combined``, ``separate to 2019, combined since 2020``.
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
    submodule: str = ""
    kind: PublishedKind | Literal[""] = ""
    jan_feb: str = ""
    direction: Literal["pro", "counter", ""] = ""
    role: Literal["leading", "coincident", "lagging", ""] = ""
    polarity: Literal["+", "-", "neutral", ""] = ""
    unit_zh: str = ""
    unit_analysed_zh: str = ""
    agency_zh: str = ""
    assumed: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """How a column was computed from published series.

    recipe: the sources and the operations one after another, ``retail_total_ytd | month | split(days) | sa | pch``. hash: of the
    recipe, its version and what each source means, so that a change of any is another hash. note: what the data of one panel made
    of it, such as the method of seasonal adjustment; no part of the hash.
    """

    recipe: str
    version: int
    hash: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """An indicator in a region. ``made``: how it was computed; None for what is published and read by its step alone."""

    indicator: Indicator
    region: Region
    made: Made | None = None

    @property
    def id(self) -> str:
        return f"{self.indicator.id}@{self.region.code}"

    @property
    def freq(self) -> Freq:
        return self.indicator.freq

    @property
    def is_synthetic(self) -> bool:
        return self.region.is_synthetic


def split_id(series_id: str) -> tuple[str, str]:
    """``gdpc1@US`` to ``("gdpc1", "US")``; raises BadInput if it is not of that form."""
    indicator, at, region = series_id.partition("@")
    if not (indicator and at and region) or "@" in region:
        raise BadInput(f"not a series id: {series_id!r} (indicator@region, as in gdpc1@US)")
    return indicator, region


def is_synthetic(series_id: str) -> bool:
    """Whether what an id names is about a place that is made up."""
    return series_id.partition("@")[2].startswith(SYNTHETIC)
