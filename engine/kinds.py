"""What the catalogue calls a published figure, in the terms of the reporting algebra."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.calendar import Freq
from engine.errors import Refused
from engine.indicator import Indicator

if TYPE_CHECKING:  # the catalogue reads KINDS without numpy
    from engine.figures import Kind, PairRule

KINDS: Mapping[str, Kind] = {
    "level_month": "level_month",
    "level_ytd": "level_ytd",
    "level_eop": "level_eop",
    "count_ytd": "level_ytd",
    "count_eop": "level_eop",
    "yoy_month": "yoy_month",
    "yoy_quarter": "yoy_quarter",
    "yoy_ytd": "yoy_ytd",
    "yoy_eop": "yoy_month",  # growth of a stock: one month (quarter) against the same one, and never a pair
    "index_yoy": "index_yoy",
    "index_yoy_ytd": "index_yoy_ytd",
    "index_mom": "index_mom",
    **dict.fromkeys(("level", "share", "share_ytd", "share_eop", "ratio", "ratio_ytd", "ratio_eop"), "share"),
    **dict.fromkeys(("index", "index_di", "index_balance"), "share"),  # neither summed nor chained
}
"""By published kind. A ``level`` of no stated stretch may be a mean, and is not summed either. What stands for a whole year
(``level_annual``, ``share_annual``, ``ratio_annual``) has none: figures are monthly or quarterly."""

_IN_PAIRS = ("level_month", "level_ytd", "count_ytd", "yoy_month", "yoy_ytd", "index_yoy", "index_yoy_ytd")


def figure_kind(indicator: Indicator) -> Kind:
    """The kind of the algebra that a published indicator has. Raises Refused, with the reason, if it has none."""
    name = indicator.id
    if not indicator.kind:
        raise Refused(f"{name}: the catalogue does not say what kind of figure it is, so nothing follows from it")
    if indicator.freq not in (Freq.M, Freq.Q) or indicator.kind not in KINDS:
        raise Refused(
            f"{name} ({indicator.kind}, {indicator.freq.value}): only monthly and quarterly figures are comparable"
        )
    kind = KINDS[indicator.kind]
    return "yoy_quarter" if kind == "yoy_month" and indicator.freq is Freq.Q else kind


def pair_rule(indicator: Indicator) -> PairRule:
    """The January-February rule of an indicator: that of its row, and none for what has no pair: stocks, shares, quarters."""
    from engine.figures import SEPARATE, PairRule

    if indicator.freq is not Freq.M or indicator.kind not in _IN_PAIRS or not indicator.jan_feb:
        return SEPARATE
    return PairRule.parse(indicator.jan_feb)
