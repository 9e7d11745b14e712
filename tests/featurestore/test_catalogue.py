"""The catalogue that we ship is sound, and a mistake in one is named with its row."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import featurestore.catalogue as package
from engine.calendar import Freq
from engine.errors import BadInput, Unknown
from engine.indicator import Indicator, Region, Series
from featurestore.catalogue import load, tables

SHARED = Path(__file__).parents[2].parent / "shared"
SPEC = SHARED / "data/frbny_nowcast_vintages/spec.csv"
PLAN = SHARED / "catalogue/catalogue.csv"
FOLDER = Path(package.__file__).parent
HEADER = "id,name_en,name_zh,regions,freq,unit,unit_analysed,step,aggregation,delay_days,agency,module\n"
GOOD = "x,X,国内生产总值,US,Q,index,%,pch,growth,28,Census Bureau,labour\n"
PLAN_HEADER = HEADER.rstrip() + ",submodule,kind,jan_feb,direction,role,polarity,assumed\n"
PLAN_GOOD = (
    "y,Y,出口总额,CN-33 CN-33/*,M,100 million yuan,100 million yuan,lin,sum,15,Hangzhou Customs,three demands,"
    'imports and exports,level_month,"separate to 2019, combined since 2020",pro,coincident,+,delay_days unit\n'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The tables that we ship, and no indicator."""
    for name in tables.NAMES:
        shutil.copy(FOLDER / name, tmp_path)
    return tmp_path


def complaint(folder: Path) -> str:
    with pytest.raises(BadInput) as caught:
        load(folder)
    return str(caught.value)


def test_the_new_york_series() -> None:
    catalogue = load()
    gdp = catalogue.series("gdpc1@US")
    assert (gdp.freq, gdp.indicator.step, gdp.indicator.aggregation) == (Freq.Q, "pca", "growth")
    assert (gdp.region.name_zh, gdp.indicator.unit_analysed_zh) == ("美国", "%，折年率")
    real_time = {s.id for s in catalogue.all() if s.indicator.id.startswith("fm_")} | {"gdp_rt@US"}
    assert len([s for s in catalogue.all() if s.region.code == "US" and s.id not in real_time]) == 29
    assert len(real_time) == 141


@pytest.mark.skipif(not SPEC.exists(), reason="the specification of the New York Fed is not on this machine")
def test_steps_and_frequencies_are_those_of_the_new_york_fed() -> None:
    with SPEC.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 29
    for row in rows:
        indicator = load().series(f"{row['SeriesID'].lower()}@US").indicator
        assert (indicator.step, indicator.freq.value.lower()) == (row["Transformation"], row["Frequency"])


def test_the_plan_is_there_whole() -> None:
    catalogue = load()
    plan = [m for m in catalogue.modules.values() if m.number is not None]
    assert [m.number for m in plan] == list(range(1, 16))
    assert sum(len(m.submodules) for m in plan) == 60
    inside = [i for i in catalogue.indicators.values() if catalogue.modules[i.module].number]
    assert (len(inside), len(catalogue.indicators)) == (135, 135 + 29 + 141)
    used = {(i.module, i.submodule) for i in inside}
    assert used == {(m.name_en, s) for m in plan for s in m.submodules}
    assert all(i.kind and i.polarity and i.unit_zh and i.agency_zh for i in inside)
    assert all(bool(i.jan_feb) is (i.freq is Freq.M) for i in inside)


@pytest.mark.skipif(not PLAN.exists(), reason="the plan's own list of indicators is not on this machine")
def test_every_fact_of_the_plan_is_kept() -> None:
    """Where the plan's list is silent, and only there, a field counts as assumed (or comes from the named institution)."""
    catalogue = load()
    with PLAN.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {r["id"] for r in rows} == {i.id for i in catalogue.indicators.values() if i.kind}
    places = Counter[str]()
    for row in rows:
        i = catalogue.indicators[row["id"]]
        module = catalogue.modules[i.module]
        assert (module.number, module.name_zh) == (int(row["module_no"]), row["module_zh"])
        assert module.submodules[i.submodule] == row["submodule_zh"]
        assert (i.name_zh, i.kind) == (row["name_zh"], row["published_type"])
        assert (i.direction, i.role, i.polarity) == (row["direction"], row["role"], row["eval_polarity"] or "neutral")
        for field, ours, theirs in (
            ("freq", i.freq.value, row["frequency"]),
            ("unit", i.unit_zh, row["unit"]),
            ("delay_days", str(i.delay_days), row["typical_lag_days"]),
            ("agency", i.agency_zh, row["source_dept"]),
        ):
            assert (ours == theirs) if theirs else field in i.assumed.split() or field == "agency", (i.id, field)
        if row["jan_feb"] and i.freq is Freq.M:
            assert i.jan_feb == row["jan_feb"]
        elif i.freq is Freq.M:
            assert "jan_feb" in i.assumed.split()
        levels = Counter(catalogue.regions[r].level for r in catalogue.measured[i.id])
        sizes = {"P,C": (1, 11), "P": (1, 0), "C": (0, 11), "C4": (0, 4), "R": (5, 0)}
        assert (levels["province"], levels["city"]) == sizes.get(row["geo_level"], (0, 0))
        places[row["geo_level"]] += 1
    assert places == {"P,C": 104, "P": 19, "C": 4, "N": 4, "C4": 2, "R": 1, "W": 1}


def test_regions() -> None:
    catalogue = load()
    cities = [r for r in catalogue.regions.values() if r.within == "CN-33"]
    assert [c.gb for c in cities] == [f"33{n:02}00" for n in range(1, 12)]
    assert {c.level for c in cities} == {"city"}
    assert all(r.code == "CN-" + r.gb.removesuffix("00").removesuffix("00") for r in catalogue.regions.values() if r.gb)
    assert catalogue.regions["CN-33"] == Region("CN-33", "Zhejiang", "浙江省", "province", "330000", "CN")
    assert (catalogue.series("gdp_national_yoy_ytd@CN").region.level, catalogue.regions["CN"].level) == ("nation",) * 2
    peers = catalogue.measured["gdp_peer_yoy_ytd"]
    assert "CN-33" not in peers
    assert {catalogue.regions[p].level for p in peers} == {"province"}


def test_modules_by_any_name() -> None:
    catalogue = load()
    assert {catalogue.module(n).number for n in ("4", "three incomes", "Three Incomes", "三大收入")} == {4}
    assert catalogue.module("surveys").number is None
    for name in ("", "0", "16", "None", "x"):
        with pytest.raises(Unknown, match="no module"):
            catalogue.module(name)


def test_round_trip() -> None:
    """Every meaning comes back from plain fields, and from those that were stored before there were more."""
    for series in load().all():
        fields: dict[str, Any] = asdict(series)
        said = fields["indicator"]
        again = Series(Indicator(**said | {"freq": Freq(str(said["freq"]))}), Region(**fields["region"]))
        assert again == series == load().series(series.id)
        old = {k: v for k, v in said.items() if k in HEADER.rstrip().split(",")}
        assert Indicator(**old).name_zh == series.indicator.name_zh


def test_quick() -> None:
    """Under 0.1 s, best of five (9 ms on an idle machine), and without the libraries that take longer to load."""
    code = (
        "import sys, time; from featurestore.catalogue import load; t = time.perf_counter(); load();"
        "print(time.perf_counter() - t, *{'numpy', 'polars'} & sys.modules.keys())"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout for _ in range(5)]
    assert min(map(float, runs)) < 0.1


def test_unknown() -> None:
    with pytest.raises(Unknown, match="no@US"):
        load().series("no@US")
    with pytest.raises(Unknown):
        load().series("gdpc1@CN")
    with pytest.raises(BadInput, match="indicator@region"):
        load().series("gdpc1")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("x,", "X 1,", "row 2, column id: 'X 1'"),
        (",Q,", ",X,", "row 2, column freq: 'X'"),
        ("pch", "log", "row 2, column step: 'log'"),
        ("growth", "mean", "row 2, column aggregation: 'mean'"),
        ("28", "soon", "row 2, column delay_days: not a whole number: 'soon'"),
        ("28", "9999", "row 2, column delay_days: 9999"),
        ("US", "US XX", "row 2, column regions: not in regions.csv: XX"),
        ("US", "US US", "row 2, column regions: names a region twice"),
        ("国内生产总值", "", "row 2, column name_zh: is empty"),
        (",labour", "", "row 2: 11 cells under 12 columns"),
        (",labour", ",work", "row 2, column module: 'work' is not in modules.csv"),
        ("Census", "Senses", "row 2, column agency: 'Senses Bureau' is not in departments.csv"),
        (",index", ",inches", "row 2, column unit: 'inches' is not in units.csv"),
        ("%", "per mille", "row 2, column unit_analysed: 'per mille' is not in units.csv"),
        ("pch", "lin", "row 2, column unit_analysed: differs"),
        ("Q,index,%,pch", "D,index,%,pca", "row 2, column step: an annual rate"),
        ("\n", "\n" + GOOD, "row 3, column id: x stands twice"),
        (HEADER[:3], "ix,", "row 1: the columns must be id"),
        (HEADER[:3], "id,id,", "row 1: the columns must be id"),
    ],
)
def test_a_mistake_is_named_with_its_row(folder: Path, old: str, new: str, place: str) -> None:
    text = HEADER.replace(old, new, 1) + GOOD if old == HEADER[:3] else HEADER + GOOD.replace(old, new, 1)
    (folder / "test.csv").write_text(text, encoding="utf-8")
    assert f"test.csv, {place}" in complaint(folder)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("imports and exports", "imports", "column submodule: 'imports' is no submodule of three demands"),
        ("imports and exports", "", "column submodule: '' is no submodule of three demands"),
        ("level_month", "level_day", "column kind: 'level_day' is none of"),
        ("level_month", "", "column kind: is empty, though three demands is a module of the plan"),
        ("sum", "last", "column aggregation: 'last' does not fit the kind level_month: sum or average"),
        ("level_month", "level_ytd", "column aggregation: 'sum' does not fit the kind level_ytd: last"),
        ("sum,15", "sum,15.5", "column delay_days: not a whole number"),
        ("level_month", "yoy_month", "column aggregation: 'sum' does not fit the kind yoy_month: average"),
        ("lin,sum", "pch,last", "column aggregation: 'last' does not fit"),
        ("M,100", "Q,100", "column freq: level_month is not published with frequency Q"),
        ("level_month", "share_annual", "column freq: share_annual is not published with frequency M"),
        ('"separate to 2019, combined since 2020"', "", "column jan_feb: is empty, though the figure is monthly"),
        ("M,100", "A,100", "column jan_feb: only a monthly figure has a rule"),
        (
            "combined since",
            "together since",
            "column jan_feb: 'separate to 2019, together since 2020' is not of the form",
        ),
        ("to 2019", "to 2018", "column jan_feb: 'separate to 2018, combined since 2020': one rule ends"),
        ("combined since", "separate since", "column jan_feb: 'separate to 2019, separate since 2020': one rule ends"),
        ("pro,", "up,", "column direction: 'up' is none of pro, counter"),
        ("coincident", "early", "column role: 'early' is none of leading, coincident, lagging"),
        (",+,", ",0,", "column polarity: '0' is none of +, -, neutral"),
        ("delay_days unit", "delay", "column assumed: delay: no field of an indicator"),
        ("CN-33/*", "CN-99/*", "column regions: not in regions.csv: CN-99/*"),
        ("CN-33/*", "CN-3301/*", "column regions: not in regions.csv: CN-3301/*"),
        ("CN-33/*", "CN-33/* CN-3302", "column regions: names a region twice"),
    ],
)
def test_a_mistake_in_the_plan_is_named_with_its_row(folder: Path, old: str, new: str, place: str) -> None:
    assert PLAN_GOOD.count(old) >= 1
    (folder / "test.csv").write_text(PLAN_HEADER + PLAN_GOOD, encoding="utf-8")
    assert len(load(folder).all()) == 12
    load.cache_clear()
    (folder / "test.csv").write_text(PLAN_HEADER + PLAN_GOOD.replace(old, new, 1), encoding="utf-8")
    assert f"test.csv, row 2, {place}" in complaint(folder)


def test_the_change_of_a_year_to_date_figure_is_refused(folder: Path) -> None:
    row = PLAN_GOOD.replace("lin,sum", "pch,last").replace("level_month", "level_ytd")
    (folder / "test.csv").write_text(PLAN_HEADER + row, encoding="utf-8")
    assert "column step: pch of level_ytd is the change of no period" in complaint(folder)


@pytest.mark.parametrize(
    ("file", "line", "place"),
    [
        ("regions.csv", "cn,Y,某,nation,,", "column code: 'cn' does not match"),
        ("regions.csv", "CN,Y,某,nation,,", "column code: CN stands twice"),
        ("regions.csv", "YY,Y,某,land,,", "column level: 'land' is none of world, nation, province, city"),
        ("regions.csv", "YY,Y,某,,,", "column level: is empty"),
        ("regions.csv", "YY,Y,某,city,3301,", "column gb: '3301' is not six digits"),
        ("regions.csv", "YY,Y,某,city,330100,", "column gb: 330100 stands twice"),
        ("regions.csv", "YY,Y,某,city,,ZZ", "column within: 'ZZ' is no other region"),
        ("regions.csv", "YY,Y,某,city,,YY", "column within: 'YY' is no other region"),
        ("modules.csv", "16,gdp,某", "column name_en: gdp stands twice"),
        ("modules.csv", "1,y,某", "column number: 1 stands twice"),
        ("modules.csv", "one,y,某", "column number: 'one' is no number"),
        ("modules.csv", "16,y,", "column name_zh: is empty"),
        ("submodules.csv", "y,z,某", "column module: 'y' is not in modules.csv"),
        ("submodules.csv", "gdp,growth,某", "column name_en: growth stands twice in gdp"),
        ("departments.csv", "Hangzhou Customs,某", "column name_en: Hangzhou Customs stands twice"),
        ("units.csv", "%,某", "column name_en: % stands twice"),
        ("units.csv", "%", ": 1 cells under 2 columns"),
    ],
)
def test_a_mistake_in_a_table_is_named_with_its_row(folder: Path, file: str, line: str, place: str) -> None:
    with (folder / file).open("a", encoding="utf-8") as table:
        table.write(line + "\n")
    last = len((folder / file).read_text(encoding="utf-8").splitlines())
    assert f"{file}, row {last}" in complaint(folder)
    assert place in complaint(folder)


def test_every_mistake_is_named(folder: Path) -> None:
    text = HEADER + GOOD.replace("28", "x") + GOOD.replace("x,X", "ip,X").replace("pch", "y")
    (folder / "test.csv").write_text(text, encoding="utf-8")
    (folder / "more.csv").write_text(HEADER + GOOD.replace("labour", "work"), encoding="utf-8")
    with (folder / "units.csv").open("a", encoding="utf-8") as table:
        table.write("%,某\n")
    said = complaint(folder).split("; ")
    assert [s.partition(":")[0] for s in said] == [
        "units.csv, row 44, column name_en",
        "more.csv, row 2, column module",
        "test.csv, row 2, column delay_days",
        "test.csv, row 3, column step",
    ]
