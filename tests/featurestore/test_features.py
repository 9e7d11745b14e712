"""What is made of the indicators: every one has a feature or a reason, every mistake in the file is named, every change is seen."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

import featurestore.catalogue as package
from engine.calendar import Freq
from engine.errors import BadInput, Refused, Unknown
from engine.figures import PairRule
from engine.indicator import Indicator, PublishedKind, Region, Series, split_id
from engine.kinds import KINDS, figure_kind, pair_rule
from featurestore import recipes
from featurestore.catalogue import features, load, tables
from featurestore.features import fingerprint, is_feature, resolve
from featurestore.memory import MemoryStore
from featurestore.recipes import outcome, parse

FOLDER = Path(package.__file__).parent
PLAN = [i for i in load().indicators.values() if i.kind]
ZJ = Region("CN-33", "Zhejiang", "浙江省")
HEADER = "id,kinds,freq,sources,recipe,name_zh,name_en,unit,aggregation,direction,role,polarity,version,reason\n"
RULE = "*.month,level_ytd,M,,month,{}：当月,{} of the month,,sum,,,,1,\n"
OWN = "retail_yoy.real,,,retail_yoy cpi_yoy,deflate,实际增速,Real growth,%,average,pro,coincident,+,1,\n"


def of(name: str, **other: Any) -> Series:
    return Series(replace(load().indicators[name], **other), ZJ)


def stored(*names: str, **other: Any) -> dict[str, Series]:
    return {s.id: s for s in (of(n, **other) for n in names)}


# --- kinds


def test_every_published_kind_has_its_form() -> None:
    annual = {"level_annual", "share_annual", "ratio_annual"}
    assert set(get_args(PublishedKind)) == set(KINDS) | annual
    assert {KINDS[k] for k in ("count_ytd", "level_ytd")} == {"level_ytd"}
    assert {KINDS[k] for k in ("count_eop", "level_eop")} == {"level_eop"}
    shares = [
        k for k in KINDS if k.startswith(("ratio", "share")) or k in ("index_di", "index_balance", "index", "level")
    ]
    assert {KINDS[k] for k in shares} == {"share"}
    assert figure_kind(of("loans_yoy").indicator) == "yoy_month"
    assert figure_kind(of("loans_yoy", freq=Freq.Q, jan_feb="").indicator) == "yoy_quarter"
    for k in annual:
        with pytest.raises(Refused, match="only monthly and quarterly"):
            figure_kind(of("rd_intensity", kind=k).indicator)
    with pytest.raises(Refused, match="does not say what kind"):
        figure_kind(load().indicators["gdpc1"])


def test_every_rule_for_january_and_february_is_read() -> None:
    said = {i.jan_feb for i in PLAN if i.freq is Freq.M}
    assert said == {"separate", "combined", "separate to 2019, combined since 2020"}
    for text in said:
        assert str(PairRule.parse(text)) == text
    assert str(pair_rule(load().indicators["export_value"])) == "separate to 2019, combined since 2020"
    # the growth of a stock in February is not that of two months, though January is not published
    assert load().indicators["ind_finished_goods_yoy"].jan_feb == "combined"
    assert str(pair_rule(load().indicators["ind_finished_goods_yoy"])) == "separate"


# --- the file


def test_every_indicator_of_the_plan_has_a_feature_or_a_reason() -> None:
    catalogue = load()
    assert len(PLAN) == 135
    made, refused = 0, []
    for i in PLAN:
        entries = features.of(catalogue.features, i)
        assert entries, i.id
        made += any(e.recipe for e in entries)
        refused += [i.id for _ in entries[:1] if not any(e.recipe for e in entries)]
        for e in entries:
            assert bool(e.recipe) != bool(e.reason)
            if e.recipe:
                kinds = [KINDS[i.kind], *(KINDS[catalogue.indicators[o].kind] for o in e.others)]
                freqs = [catalogue.indicators[o].freq for o in e.others]
                assert outcome(e.recipe, kinds, i.freq, freqs)[1] in (Freq.M, Freq.Q)
    assert (made, len(refused)) == (119, 16)
    annual_or_daily = [i.id for i in PLAN if i.freq not in (Freq.M, Freq.Q)]
    assert set(refused) == {
        *annual_or_daily,
        "gdp_contrib_secondary",
        "gdp_contrib_tertiary",
        "energy_intensity_change",
    }


def test_every_sum_since_january_becomes_months_growth_and_an_adjusted_rate() -> None:
    for i in PLAN:
        if i.kind in ("level_ytd", "count_ytd"):
            there = {e.suffix for e in features.of(load().features, i)}
            assert there >= ({"month", "yoy", "sa", "mom"} if i.freq is Freq.M else {"quarter", "yoy", "sa", "qoq"})


def test_ids_fit_and_clash_with_none() -> None:
    for i in PLAN:
        assert not is_feature(f"{i.id}@CN-33")
        for e in features.of(load().features, i):
            feature_id = f"{features.row_of(e, i)['id']}@CN-33"
            assert is_feature(feature_id)
            assert split_id(feature_id) == (f"{i.id}.{e.suffix}", "CN-33")


def test_names_and_units() -> None:
    catalogue = load()
    row = {r["id"]: r for e in ("retail_total", "survey_unemployment_rate") for r in _rows(e)}
    assert row["retail_total.mom"]["name"] == "Retail sales of consumer goods, growth on the month, seasonally adjusted"
    assert row["retail_total.mom"]["名称"] == "社会消费品零售总额：季节调整后环比"
    assert row["survey_unemployment_rate.year_change"]["单位"] == "百分点"
    assert row["retail_total.sa"]["unit"] == "100 million yuan"
    for i in PLAN:
        for e in features.of(catalogue.features, i):
            assert all(e.names(i)) == bool(e.recipe)


def _rows(name: str) -> list[dict[str, str]]:
    i = load().indicators[name]
    return [features.row_of(e, i) for e in features.of(load().features, i)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (*tables.NAMES, "zhejiang.csv"):
        shutil.copy(FOLDER / name, tmp_path)
    return tmp_path


def test_without_the_file_there_is_no_feature(folder: Path) -> None:
    assert load(folder).features == ()


@pytest.mark.parametrize(
    ("row", "place"),
    [
        (RULE.replace("*.month", "month"), "column id: 'month' is not of the form"),
        (RULE.replace("level_ytd", "sum_ytd"), "column kinds: no kind of a published figure: sum_ytd"),
        (RULE.replace("level_ytd", ""), "column kinds: is empty"),
        (RULE.replace(",M,", ",X,"), "column freq: 'X'"),
        (RULE.replace("M,,", "M,retail_yoy,"), "column sources: only a row about one indicator"),
        (RULE.replace(",month,", ",months,"), "column recipe: no operation 'months': there are month, split"),
        (RULE.replace(",month,", ",month | sa,"), "column recipe: split(days) or split(half) stands before sa"),
        (
            RULE.replace(",month,", ",month | split(thirds),"),
            "column recipe: 'split(thirds)' is not split(days), split(half)",
        ),
        (RULE.replace(",month,", ",rate,"), "column recipe: rate of level_ytd: it takes index_yoy"),
        (RULE.replace("level_ytd", "yoy_ytd"), "column recipe: month of yoy_ytd: rates do not add up or subtract"),
        (RULE.replace("level_ytd", "ratio_ytd"), "column recipe: month of share: a share, rate or ratio is neither"),
        (RULE.replace("level_ytd", "level_annual"), "column recipe: nothing is made of level_annual"),
        (RULE.replace(",month,", ",,"), "column recipe: a row has either a recipe or the reason"),
        (RULE.replace("1,\n", "1,why\n"), "column recipe: a row has either a recipe or the reason"),
        (RULE.replace("1,\n", "one,\n"), "column version: 'one'"),
        (RULE.replace("sum", "mean"), "column aggregation: 'mean'"),
        (RULE.replace(",,sum", ",bushels,sum"), "column unit: 'bushels' is not in units.csv"),
        (RULE.replace("{} of the month", ""), "column name_en: a feature has a name"),
        (OWN.replace("retail_yoy.real,,", "retail_yoy.real,yoy_month,"), "column kinds: only a rule (*)"),
        (OWN.replace("retail_yoy cpi_yoy", "retail_yoy cpi"), "column sources: no indicator of the catalogue: cpi"),
        (OWN.replace("retail_yoy cpi_yoy", "cpi_yoy retail_yoy"), "column sources: begin with retail_yoy"),
        (OWN.replace("retail_yoy cpi_yoy", "retail_yoy"), "column recipe: deflate needs one further source"),
        (OWN.replace("cpi_yoy", "cpi_yoy_ytd"), "column recipe: deflate needs further sources of kind index_yoy"),
        (OWN.replace("deflate", "two_year"), "column recipe: no operation of the recipe reads the further sources"),
        (OWN.replace("retail_yoy.real", "retail_yoy.*"), "column id: * stands for all features of a source"),
        (OWN.replace("deflate", "deflate | deflate"), "column recipe: deflate stands in a recipe once"),
    ],
)
def test_a_mistake_is_named_with_its_row(folder: Path, row: str, place: str) -> None:
    (folder / "features.csv").write_text(HEADER + RULE.replace("*.month", "*.first") + row, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load(folder)
    assert f"features.csv, row 3, {place}" in str(caught.value)


def test_a_feature_stands_once_for_a_kind_and_frequency(folder: Path) -> None:
    (folder / "features.csv").write_text(
        HEADER + RULE + RULE.replace("level_ytd", "count_ytd level_ytd"), encoding="utf-8"
    )
    with pytest.raises(BadInput, match=r"row 3, column id: .*stands twice for one kind and frequency"):
        load(folder)
    (folder / "features.csv").write_text(HEADER + RULE + OWN + OWN, encoding="utf-8")
    load.cache_clear()
    with pytest.raises(BadInput, match=r"row 4, column id: retail_yoy\.real stands twice"):
        load(folder)


# --- of stored series


def test_a_rule_holds_for_any_stored_series_whose_kind_is_known() -> None:
    indicator = Indicator("fai", "Investment", "投资", Freq.M, "yuan", "yuan", "lin", "last", 15, "x", "x", kind="level_ytd",
                          jan_feb="combined")  # fmt: skip
    series = Series(indicator, Region("CN", "China", "中国"))
    found = resolve("fai.yoy@CN", {series.id: series})
    assert found.series.id == "fai.yoy@CN"
    assert found.series.made is not None
    assert found.series.made.recipe == "fai | month | nominal_yoy"
    assert (found.series.indicator.unit, found.series.indicator.unit_analysed) == ("yuan", "%")
    assert (found.series.indicator.aggregation, found.series.indicator.step) == ("average", "lin")
    assert resolve("fai.mom@CN", {series.id: series}).series.indicator.step == "pch"


@pytest.mark.parametrize(
    ("feature", "reason"),
    [
        ("fai_yoy_ytd.month", "investment is published as growth only"),
        ("gdp_yoy_ytd.quarter", "growth at constant prices needs levels at constant prices"),
        ("gdp_contrib_tertiary.year_change", "a contribution divides by the growth of the year"),
        ("rd_intensity.year_change", "annual: read it as it is published"),
        ("bdi.year_change", "daily or weekly"),
        ("retail_yoy.yoy", "it is a growth rate already"),
        ("retail_total_ytd.two_year", "official growth is never computed from published levels: their scope and base"),
        ("ind_profit_margin_ytd.month", "a share, rate or ratio is neither a sum nor a growth"),
    ],
)
def test_what_must_not_be_made_says_why(feature: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason) as caught:
        resolve(f"{feature}@CN-33", stored(feature.partition(".")[0]))
    assert str(caught.value).startswith(f"{feature}: ")


def test_what_there_is_not_is_unknown() -> None:
    with pytest.raises(Unknown, match=r"no feature retail_total\.moon; there is retail_total\.yoy, retail_total\.sa"):
        resolve("retail_total.moon@CN-33", stored("retail_total"))
    with pytest.raises(Unknown, match="not in the store: retail_total@CN-33"):
        resolve("retail_total.yoy@CN-33", {})
    with pytest.raises(Unknown, match="made of retail_yoy@CN-33, cpi_yoy@CN-33; not in the store: cpi_yoy@CN-33"):
        resolve("retail_yoy.real@CN-33", stored("retail_yoy"))


def test_the_hash_tells_every_change_of_meaning_and_no_other() -> None:
    def hashed(**other: Any) -> str:
        made = resolve("export_value.mom@CN-33", stored("export_value", **other)).series.made
        assert made is not None
        return made.hash

    same = hashed()
    assert same == hashed(name_zh="另一个", delay_days=99, agency="x", polarity="-")
    assert same == resolve("export_value.mom@SYN-33", {
        "export_value@SYN-33": Series(load().indicators["export_value"], Region("SYN-33", "X", "X"))
    }).series.made.hash  # type: ignore[union-attr]  # fmt: skip
    seen = {same, hashed(jan_feb="combined"), hashed(unit="yuan"), hashed(kind="level_month", jan_feb="separate")}
    sources = (of("export_value"),)
    text = "export_value | split(days) | sa | pch"
    assert fingerprint(text, 1, sources) == same
    seen |= {fingerprint(text, 2, sources), fingerprint(text.replace("days", "half"), 1, sources)}
    seen |= {fingerprint(text, 1, (of("export_value", kind="level_ytd"),)), fingerprint(text, 1, (of("import_value"),))}
    assert len(seen) == 8


def test_a_change_of_the_operations_is_a_change_of_every_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint("retail_yoy | two_year", 1, (of("retail_yoy"),))
    monkeypatch.setattr(recipes, "VERSION", recipes.VERSION + 1)
    assert fingerprint("retail_yoy | two_year", 1, (of("retail_yoy"),)) != before


def test_a_feature_is_not_stored(say: Any) -> None:
    load = say(1, resolve("retail_total.yoy@CN-33", stored("retail_total")).series, {24000: 1.0})
    with pytest.raises(BadInput, match=r"only what was published is stored, and retail_total\.yoy@CN-33 was computed"):
        MemoryStore().append(load.release, load.values, load.series)


def test_a_recipe_is_read_as_it_is_written() -> None:
    for entry in load().features:
        if entry.recipe:
            assert parse(" | ".join(map(str, entry.recipe))) == entry.recipe
    with pytest.raises(BadInput, match="say the scope and prices that growth and level share"):
        parse("month_yoy")
