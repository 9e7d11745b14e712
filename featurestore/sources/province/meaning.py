"""What the synthetic offices publish: the indicators of the catalogue, in regions that pass for no real ones.

Ids, kinds, units and the January-February rule are those of the real province; the region is another (``SYN-33``), and
its name, the names of its cities and those of all agencies say that they are synthetic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from engine.indicator import Indicator, Region, Series
from featurestore import catalogue
from featurestore.sources.province.cities import SIZES

SOURCE = "synthetic-province"

PROVINCE = Region("SYN-33", "Synthetic Zhejiang (example province)", "合成浙江（示例省）", "province")
CITIES = tuple(
    Region(f"SYN-33{i:02d}", f"Synthetic {english} (example city)", f"合成{chinese}（示例市）", "city", within="SYN-33")
    for i, (chinese, (english, _)) in enumerate(SIZES.items(), 1)
)

Family = Literal["accounts", "retail", "trade", ""]
_WHOLE = ("gdp", "ind_va", "services", "retail", "trade", "income")


@dataclass(frozen=True, slots=True)
class Line:
    """One indicator as it is published.

    truth: the name of its true level; group: in whose releases it appears; family: whose revisions it shares.
    """

    indicator: Indicator
    truth: str
    group: str
    in_cities: bool
    family: Family

    @property
    def is_level(self) -> bool:
        """Whether it is an amount, which a change of scope moves, and not growth or an index."""
        return self.indicator.kind.startswith("level")

    @property
    def decimals(self) -> int:
        """Growth and indices carry one decimal, amounts two, and large sums since January none."""
        return 1 if not self.is_level else 0 if self.truth in _WHOLE and self.indicator.kind == "level_ytd" else 2

    def series(self, region: Region) -> Series:
        """The indicator in a synthetic region, from a synthetic agency."""
        of = self.indicator
        return Series(replace(of, agency=f"Synthetic {of.agency}", agency_zh=f"合成{of.agency_zh}"), region)


def lines() -> Iterator[Line]:
    """The indicators of the province; those ``in_cities`` are published for the eleven cities too."""
    indicators = catalogue.load().indicators
    for group, of in _GROUPS.items():
        for name, truth in of.items():
            level = indicators[name].kind.startswith("level")
            family = _FAMILIES.get(truth, "") if level or group == "accounts" else ""
            yield Line(indicators[name], truth, group, name in IN_CITIES, family)


_GROUPS = {
    "accounts": {
        "gdp_ytd": "gdp", "gdp_yoy_ytd": "gdp", "va_primary_yoy_ytd": "primary", "va_tertiary_yoy_ytd": "tertiary",
        "income_all_ytd": "income", "income_all_yoy_ytd": "income",
    },
    "activity": {
        "ind_va_ytd": "ind_va", "ind_va_yoy": "ind_va", "ind_va_yoy_ytd": "ind_va", "fai_yoy_ytd": "fai",
        "re_investment_ytd": "re_investment", "re_sales_area_ytd": "re_sales", "retail_total": "retail",
        "retail_total_ytd": "retail", "retail_yoy": "retail", "retail_yoy_ytd": "retail",
    },
    "services": {"svc_revenue_ytd": "services", "svc_revenue_yoy_ytd": "services"},
    "profits": {"ind_profit_ytd": "profit", "ind_profit_yoy_ytd": "profit"},
    "customs": {
        "export_value": "exports", "import_value": "imports", "trade_total_ytd": "trade", "export_yoy_ytd": "exports"
    },
    "fiscal": {"fiscal_general_rev_ytd": "fiscal", "fiscal_general_rev_yoy_ytd": "fiscal"},
    "finance": {
        "loans_balance": "loans", "loans_yoy": "loans", "deposits_balance": "deposits", "deposits_yoy": "deposits"
    },
    "prices": {"cpi_yoy": "cpi", "cpi_mom": "cpi", "cpi_yoy_ytd": "cpi", "ppi_yoy": "ppi"},
    "power": {"elec_total": "power", "elec_total_ytd": "power", "elec_total_yoy": "power"},
    "pmi": {"zj_mfg_pmi": "pmi"},
    "boom": {"enterprise_boom": "boom"},
}  # fmt: skip
"""Indicators by the group in whose releases they appear, each with the name of its true level."""

IN_CITIES = ("gdp_ytd", "gdp_yoy_ytd", "ind_va_yoy_ytd", "fai_yoy_ytd", "retail_total_ytd", "retail_yoy_ytd",
             "fiscal_general_rev_ytd", "elec_total_ytd")  # fmt: skip

_FAMILIES: dict[str, Family] = {
    "gdp": "accounts", "primary": "accounts", "tertiary": "accounts", "retail": "retail", "exports": "trade",
    "imports": "trade", "trade": "trade",
}  # fmt: skip
