"""What the synthetic offices publish: regions, indicators and the way each is published. Nothing passes for real.

Ids, kinds and units are those of the catalogue of the real province; the region is another one (``SYN-33``), its name
says that it is synthetic, and so does the agency.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.calendar import Freq
from engine.indicator import Aggregation, Indicator, Region, Series
from featurestore.sources.province.cities import SIZES

SOURCE = "synthetic-province"

PROVINCE = Region("SYN-33", "Synthetic Zhejiang (example province)", "合成浙江（示例省）")
CITIES = tuple(
    Region(f"SYN-33{i:02d}", f"Synthetic {english} (example city)", f"合成{chinese}（示例市）")
    for i, (chinese, (english, _)) in enumerate(SIZES.items(), 1)
)

Kind = Literal[
    "level_ytd", "level_month", "level_eop", "yoy_ytd", "yoy_month", "yoy_eop", "index_yoy", "index_mom",
    "index_yoy_ytd", "index_di", "index_balance",
]  # fmt: skip
Pairs = Literal["combined", "separate", "since 2020"]
Group = Literal[
    "activity", "accounts", "services", "profits", "prices", "customs", "finance", "fiscal", "power", "pmi", "boom"
]

_SUMS: dict[str, Aggregation] = {"level_month": "sum", "yoy_month": "average"}
_STATS, _SURVEY = "Bureau of Statistics", "Survey Office"
_UNITS = {
    "index_yoy": "same month of last year = 100", "index_mom": "last month = 100",
    "index_yoy_ytd": "same period of last year = 100", "index_balance": "points, 0 to 200",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One indicator as it is published. truth: the name of its true level; family: whose revisions it shares."""

    id: str
    kind: Kind
    truth: str
    group: Group
    freq: Freq
    pairs: Pairs
    name_zh: str
    name_en: str
    module: str
    agency: str
    delay_days: int
    unit: str
    in_cities: bool
    family: Literal["accounts", "retail", "trade", ""]

    @property
    def decimals(self) -> int:
        """Growth and indices carry one decimal, levels of the province none where they are large."""
        if not self.kind.startswith("level"):
            return 1
        return 0 if self.truth in ("gdp", "ind_va", "services", "retail", "exports", "trade", "income") else 2

    def series(self, region: Region) -> Series:
        """The indicator in a synthetic region."""
        average = "average" if self.kind.startswith("index") and self.kind != "index_yoy_ytd" else "last"
        how: Aggregation = _SUMS.get(self.kind, average)  # type: ignore[arg-type]
        agency = f"Synthetic {self.agency}"
        meaning = (self.id, self.name_en, self.name_zh, self.freq, self.unit, self.unit, "lin", how)
        return Series(Indicator(*meaning, self.delay_days, agency, self.module), region)  # type: ignore[arg-type]


def is_synthetic(series: Series) -> bool:
    """Whether a series is of the synthetic province or of one of its cities."""
    return series.region.code == PROVINCE.code or series.region in CITIES


def _line(
    name: str,
    kind: Kind,
    truth: str,
    group: Group,
    zh: str,
    en: str,
    module: str,
    delay: int,
    *,
    agency: str = _STATS,
    pairs: Pairs = "combined",
    unit: str = "100 million yuan",
    cities: bool = False,
    family: Literal["accounts", "retail", "trade", ""] = "",
) -> Line:
    freq = Freq.Q if group in ("accounts", "boom") else Freq.M
    unit = unit if kind.startswith("level") else _UNITS.get(kind, "%")
    return Line(name, kind, truth, group, freq, pairs, zh, en, module, agency, delay, unit, cities, family)


_DEMAND, _INDUSTRY, _INCOME = "three demands", "three industries", "three incomes"
_KWH, _CHECK, _PRICE, _HOPE = "100 million kWh", "cross-checks", "price level", "expectations"
_BANK, _TREASURY, _GRID, _CUSTOMS = (
    "People's Bank of China",
    "Department of Finance",
    "Electric Power Company",
    "Customs",
)

LINES = (
    _line("gdp_ytd", "level_ytd", "gdp", "accounts", "地区生产总值(累计)", "Gross regional product, year to date",
          "gdp", 20, cities=True, family="accounts"),
    _line("gdp_yoy_ytd", "yoy_ytd", "gdp", "accounts", "地区生产总值累计同比增速",
          "Growth of gross regional product, year to date, constant prices", "gdp", 20, cities=True, family="accounts"),
    _line("va_primary_yoy_ytd", "yoy_ytd", "primary", "accounts", "第一产业增加值累计同比增速",
          "Growth of primary value added, year to date", _INDUSTRY, 20, family="accounts"),
    _line("va_tertiary_yoy_ytd", "yoy_ytd", "tertiary", "accounts", "第三产业增加值累计同比增速",
          "Growth of tertiary value added, year to date", _INDUSTRY, 20, family="accounts"),
    _line("income_all_ytd", "level_ytd", "income", "accounts", "全体居民人均可支配收入(累计)",
          "Disposable income per resident, year to date", _INCOME, 18, agency=_SURVEY, unit="yuan"),
    _line("income_all_yoy_ytd", "yoy_ytd", "income", "accounts", "全体居民人均可支配收入累计同比(名义)",
          "Growth of disposable income per resident, year to date, nominal", _INCOME, 18, agency=_SURVEY),
    _line("ind_va_ytd", "level_ytd", "ind_va", "activity", "规模以上工业增加值(累计)",
          "Industrial value added, firms above size, year to date", _INDUSTRY, 18),
    _line("ind_va_yoy", "yoy_month", "ind_va", "activity", "规模以上工业增加值当月同比",
          "Growth of industrial value added in the month, firms above size", _INDUSTRY, 18),
    _line("ind_va_yoy_ytd", "yoy_ytd", "ind_va", "activity", "规模以上工业增加值累计同比",
          "Growth of industrial value added, firms above size, year to date", _INDUSTRY, 18, cities=True),
    _line("svc_revenue_ytd", "level_ytd", "services", "services", "规上服务业营业收入(累计)",
          "Revenue of services above size, year to date", _INDUSTRY, 49),
    _line("svc_revenue_yoy_ytd", "yoy_ytd", "services", "services", "规上服务业营业收入累计同比",
          "Growth of revenue of services above size, year to date", _INDUSTRY, 49),
    _line("fai_yoy_ytd", "yoy_ytd", "fai", "activity", "固定资产投资(不含农户)累计同比",
          "Growth of fixed asset investment, year to date", _DEMAND, 18, cities=True),
    _line("re_investment_ytd", "level_ytd", "re_investment", "activity", "房地产开发投资(累计)",
          "Real-estate development investment, year to date", _DEMAND, 18),
    _line("re_sales_area_ytd", "level_ytd", "re_sales", "activity", "商品房销售面积(累计)",
          "Commodity housing sold, year to date", _DEMAND, 18, unit="10,000 m²"),
    _line("retail_total", "level_month", "retail", "activity", "社会消费品零售总额(当月)",
          "Retail sales of consumer goods in the month", _DEMAND, 18, family="retail"),
    _line("retail_total_ytd", "level_ytd", "retail", "activity", "社会消费品零售总额(累计)",
          "Retail sales of consumer goods, year to date", _DEMAND, 18, cities=True, family="retail"),
    _line("retail_yoy", "yoy_month", "retail", "activity", "社会消费品零售总额当月同比",
          "Growth of retail sales in the month, nominal", _DEMAND, 18),
    _line("retail_yoy_ytd", "yoy_ytd", "retail", "activity", "社会消费品零售总额累计同比",
          "Growth of retail sales, year to date, nominal", _DEMAND, 18, cities=True),
    _line("export_value", "level_month", "exports", "customs", "出口总额(当月)", "Exports in the month",
          _DEMAND, 15, agency=_CUSTOMS, pairs="since 2020", family="trade"),
    _line("import_value", "level_month", "imports", "customs", "进口总额(当月)", "Imports in the month",
          _DEMAND, 15, agency=_CUSTOMS, pairs="since 2020", family="trade"),
    _line("trade_total_ytd", "level_ytd", "trade", "customs", "进出口总额(累计)", "Imports and exports, year to date",
          _DEMAND, 15, agency=_CUSTOMS, pairs="since 2020", family="trade"),
    _line("export_yoy_ytd", "yoy_ytd", "exports", "customs", "出口总额累计同比", "Growth of exports, year to date",
          _DEMAND, 15, agency=_CUSTOMS, pairs="since 2020"),
    _line("fiscal_general_rev_ytd", "level_ytd", "fiscal", "fiscal", "一般公共预算收入(累计)",
          "General public budget revenue, year to date", _INCOME, 12, agency=_TREASURY, pairs="separate", cities=True),
    _line("fiscal_general_rev_yoy_ytd", "yoy_ytd", "fiscal", "fiscal", "一般公共预算收入累计同比",
          "Growth of general public budget revenue, year to date", _INCOME, 12, agency=_TREASURY, pairs="separate"),
    _line("ind_profit_ytd", "level_ytd", "profit", "profits", "规上工业企业利润总额(累计)",
          "Profits of industry above size, year to date", _INCOME, 28),
    _line("ind_profit_yoy_ytd", "yoy_ytd", "profit", "profits", "规上工业企业利润总额累计同比",
          "Growth of profits of industry above size, year to date", _INCOME, 28),
    _line("loans_balance", "level_eop", "loans", "finance", "金融机构本外币各项贷款余额",
          "Loans in all currencies, end of month", "finance", 15, agency=_BANK, pairs="separate"),
    _line("loans_yoy", "yoy_eop", "loans", "finance", "本外币贷款余额同比", "Growth of loans in all currencies",
          "finance", 15, agency=_BANK, pairs="separate"),
    _line("deposits_balance", "level_eop", "deposits", "finance", "金融机构本外币各项存款余额",
          "Deposits in all currencies, end of month", "finance", 15, agency=_BANK, pairs="separate"),
    _line("deposits_yoy", "yoy_eop", "deposits", "finance", "本外币存款余额同比", "Growth of deposits in all currencies",
          "finance", 15, agency=_BANK, pairs="separate"),
    _line("cpi_yoy", "index_yoy", "cpi", "prices", "居民消费价格指数同比",
          "Consumer prices against the same month of last year", _PRICE, 10, agency=_SURVEY, pairs="separate"),
    _line("cpi_mom", "index_mom", "cpi", "prices", "居民消费价格指数环比", "Consumer prices against last month",
          _PRICE, 10, agency=_SURVEY, pairs="separate"),
    _line("cpi_yoy_ytd", "index_yoy_ytd", "cpi", "prices", "居民消费价格累计同比",
          "Consumer prices, year to date, against the same months of last year", _PRICE, 10, agency=_SURVEY,
          pairs="separate"),
    _line("ppi_yoy", "index_yoy", "ppi", "prices", "工业生产者出厂价格同比",
          "Producer prices against the same month of last year", _PRICE, 10, agency=_SURVEY, pairs="separate"),
    _line("elec_total", "level_month", "power", "power", "全社会用电量(当月)", "Electricity consumption in the month",
          _CHECK, 8, agency=_GRID, pairs="separate", unit=_KWH),
    _line("elec_total_ytd", "level_ytd", "power", "power", "全社会用电量(累计)", "Electricity consumption, year to date",
          _CHECK, 8, agency=_GRID, pairs="separate", unit=_KWH, cities=True),
    _line("elec_total_yoy", "yoy_month", "power", "power", "全社会用电量当月同比",
          "Growth of electricity consumption in the month", _CHECK, 8, agency=_GRID, pairs="separate"),
    _line("zj_mfg_pmi", "index_di", "pmi", "pmi", "浙江制造业采购经理指数", "Purchasing managers' index, manufacturing",
          _HOPE, 1, agency=_SURVEY, pairs="separate"),
    _line("enterprise_boom", "index_balance", "boom", "boom", "企业景气指数", "Business prosperity index",
          _HOPE, 15, pairs="separate"),
)  # fmt: skip
"""The indicators of the province; those with ``in_cities`` are published for the eleven cities too."""
