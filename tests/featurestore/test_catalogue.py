"""The catalogue that we ship is sound, and a mistake in one is named with its row."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import featurestore.catalogue as package
from engine.calendar import Freq
from engine.errors import BadInput, Unknown
from featurestore.catalogue import load

SPEC = Path("/work/shared/data/frbny_nowcast_vintages/spec.csv")
GOOD = "gdp,GDP,国内生产总值,US,Q,index,%,pch,growth,28,Office,accounts\n"
HEADER = "id,name_en,name_zh,regions,freq,unit,unit_analysed,step,aggregation,delay_days,agency,module\n"


def test_the_new_york_series() -> None:
    catalogue = load()
    gdp = catalogue.series("gdpc1@US")
    assert (gdp.freq, gdp.indicator.step, gdp.indicator.aggregation) == (Freq.Q, "pca", "growth")
    assert gdp.region.name_zh == "美国"
    assert len([s for s in catalogue.all() if s.region.code == "US"]) == 29


@pytest.mark.skipif(not SPEC.exists(), reason="the specification of the New York Fed is not on this machine")
def test_steps_and_frequencies_are_those_of_the_new_york_fed() -> None:
    import csv

    with SPEC.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 29
    for row in rows:
        indicator = load().series(f"{row['SeriesID'].lower()}@US").indicator
        assert (indicator.step, indicator.freq.value.lower()) == (row["Transformation"], row["Frequency"])


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
        ("gdp,", "GDP 1,", "row 2, column id: 'GDP 1'"),
        (",Q,", ",X,", "row 2, column freq: 'X'"),
        ("pch", "log", "row 2, column step: 'log'"),
        ("growth", "mean", "row 2, column aggregation: 'mean'"),
        ("28", "soon", "row 2, column delay_days: not a whole number: 'soon'"),
        ("28", "9999", "row 2, column delay_days: 9999"),
        ("US", "US XX", "row 2, column regions: not in regions.csv: XX"),
        ("国内生产总值", "", "row 2, column name_zh: is empty"),
        (",accounts", "", "row 2: 11 cells under 12 columns"),
        ("pch", "lin", "row 2, column unit_analysed"),
        ("\n", "\n" + GOOD, "row 3, column id: gdp stands twice"),
        (HEADER[:3], "ix,", "row 1: the columns must be id"),
    ],
)
def test_a_mistake_is_named_with_its_row(tmp_path: Path, old: str, new: str, place: str) -> None:
    shutil.copy(Path(package.__file__).parent / "regions.csv", tmp_path)
    text = HEADER.replace(old, new, 1) + GOOD if old in HEADER[:3] else HEADER + GOOD.replace(old, new, 1)
    (tmp_path / "test.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load(tmp_path)
    assert f"test.csv, {place}" in str(caught.value)


def test_every_mistake_is_named(tmp_path: Path) -> None:
    shutil.copy(Path(package.__file__).parent / "regions.csv", tmp_path)
    text = HEADER + GOOD.replace("28", "x") + GOOD.replace("gdp", "ip").replace("pch", "y")
    (tmp_path / "test.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=r"row 2, column delay_days.*; test.csv, row 3, column step"):
        load(tmp_path)
