"""Delta-coded vintages: the state of any day is that of the table, whatever is taken back, renamed or unknown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.calendar import Freq, Period, end_of
from engine.errors import BadInput
from featurestore import catalogue, ingest
from featurestore.memory import MemoryStore
from featurestore.panel import Cube, build_panel
from featurestore.sources import fredmd, rtdsm

SHARED = Path(__file__).parents[3] / "shared/data"
FRED, RTDSM = SHARED / "fred_md_vintages", SHARED / "gdp_vintages/us_gdp_rtdsm.csv"
needs_shared = pytest.mark.skipif(
    not FRED.exists() or not RTDSM.exists(), reason="the vintages are not on this machine"
)
FEW = ("PPIFGS", "WPSFD49207", "CUSR0000SAD", "CONSPI", "PCEPI", "NONBORRES", "HOUST", "UNRATE")


def table(rows: Sequence[tuple[str, str, str, float | None]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=["series", "period", "vintage", "value"], orient="row")
    return frame.with_columns(pl.col("period", "vintage").str.to_date(), pl.col("value").cast(pl.Float64))


def folder(tmp_path: Path, rows: Sequence[tuple[str, str, str, float | None]]) -> Path:
    table(rows).write_parquet(tmp_path / fredmd.FILE)
    return tmp_path


ROWS: list[tuple[str, str, str, float | None]] = [
    ("INDPRO", "2015-12-01", "2016-01-01", 104.0),
    ("INDPRO", "2016-01-01", "2016-02-01", 105.0),
    ("INDPRO", "2015-12-01", "2016-03-01", None),
    ("PPIFGS", "2015-12-01", "2016-01-01", 190.0),
    ("PPIFGS", "2015-12-01", "2016-03-01", None),
    ("WPSFD49207", "2015-12-01", "2016-03-01", 191.0),
    ("WPSFD49207", "2016-01-01", "2016-03-01", 192.0),
]


def known(store: MemoryStore, series: str, day: date) -> dict[str, float]:
    return {str(Period(Freq.M, p)): v for p, v in store.known([series], end_of(day)).select("period", "value").rows()}


def test_a_vintage_is_known_at_the_end_of_its_month_and_takes_back_what_it_says(tmp_path: Path) -> None:
    store = MemoryStore()
    found = ingest.read("fredmd", folder(tmp_path, ROWS))
    assert [load.release.known_at for load in found] == [
        end_of(d) for d in (date(2016, 1, 31), date(2016, 2, 29), date(2016, 3, 31))
    ]
    ingest.ingest(store, found)
    industry, prices = "fm_indpro@US", "fm_ppifgs@US"
    assert known(store, industry, date(2016, 2, 28)) == {"2015-12": 104.0}
    assert known(store, industry, date(2016, 2, 29)) == {"2015-12": 104.0, "2016-01": 105.0}
    assert known(store, industry, date(2016, 3, 31)) == {"2016-01": 105.0}
    assert known(store, prices, date(2016, 3, 30)) == {"2015-12": 190.0}
    assert known(store, prices, date(2016, 3, 31)) == {"2015-12": 191.0, "2016-01": 192.0}
    assert all(receipt.repeated for _, receipt in ingest.ingest(store, found))


def test_later_vintages_go_on_where_the_first_ended(tmp_path: Path) -> None:
    store = MemoryStore()
    ingest.ingest(store, ingest.read("fredmd", folder(tmp_path, ROWS)))
    more = [*ROWS, ("INDPRO", "2016-02-01", "2016-04-01", 106.0)]
    got = [r for _, r in ingest.ingest(store, ingest.read("fredmd", folder(tmp_path, more)))]
    assert [(r.new, r.revised) for r in got] == [(0, 0), (0, 0), (0, 0), (1, 0)]


def test_what_the_catalogue_does_not_know_is_left_out_with_a_warning(tmp_path: Path) -> None:
    path = folder(tmp_path, [*ROWS, ("NEWCOLUMNx", "2015-12-01", "2016-03-01", 1.0)])
    with pytest.warns(UserWarning, match=r"not in the catalogue: NEWCOLUMNx$"):
        found = ingest.read("fredmd", path)
    assert (
        sum(load.values.height for load in found) == len(ROWS) - 1
    )  # the old name's end and the new one's start are one


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            ("WPSFD49207", "2015-12-01", "2016-02-01", 1.0),
            "begins in the vintage 2016-02-01, but PPIFGS, the same series",
        ),
        (("INDPRO", "2016-01-01", "2016-02-01", 1.0), "INDPRO 2016-01-01 stands twice in the vintage 2016-02-01"),
        ((None, "2016-01-01", "2016-02-01", 1.0), "row 8, column series: is empty"),
        (("INDPRO", "2016-05-01", "2016-03-01", 1.0), "a period that had not begun"),
        (("INDPRO", "2016-02-01", "2016-03-01", float("inf")), "not a finite number"),
    ],
)
def test_mistakes_are_told_and_nothing_is_stored(tmp_path: Path, row: tuple[str, str, str, float], told: str) -> None:
    store = MemoryStore()
    with pytest.raises(BadInput, match=told):
        ingest.ingest(store, ingest.read("fredmd", folder(tmp_path, [*ROWS, row])))
    assert not store.series()


def test_paths_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="needs a path and no mapping"):
        ingest.read("fredmd")
    with pytest.raises(BadInput, match="cannot be read"):
        ingest.read("fredmd", tmp_path)
    (tmp_path / fredmd.FILE).write_bytes(b"no parquet")
    with pytest.raises(BadInput, match="no vintages of FRED-MD"):
        ingest.read("fredmd", tmp_path)
    (tmp_path / "gdp.csv").write_text("area,period,value\nUS,2016-01-01,1\n")
    with pytest.raises(BadInput, match="no table of vintages"):
        ingest.read("rtdsm", tmp_path / "gdp.csv")


@needs_shared
def test_steps_follow_the_transformation_codes() -> None:
    codes = pl.read_csv(FRED / "tcodes.csv")
    assert codes.height == 141
    for name, code in codes.select("series", "tcode").rows():
        assert catalogue.load().series(fredmd.series_id(name)).indicator.step == fredmd.STEPS[code], name


@needs_shared
def test_the_state_of_a_day_is_that_of_the_table(tmp_path: Path) -> None:
    rows = pl.read_parquet(FRED / fredmd.FILE).filter(pl.col("series").is_in(FEW), pl.col("period") >= date(2010, 1, 1))
    rows.write_parquet(tmp_path / fredmd.FILE)
    store = MemoryStore()
    ingest.ingest(store, ingest.read("fredmd", tmp_path))
    ids = sorted({fredmd.series_id(n) for n in FEW})
    cube = Cube(store, ids)
    for month in ("2010-06-01", "2015-01-01", "2016-02-01", "2016-03-01", "2018-12-01"):
        vintage = date.fromisoformat(month)
        state = rows.filter(pl.col("vintage") <= vintage).sort("vintage").group_by("series", "period").last()
        state = state.drop_nulls("value").with_columns(pl.col("series").map_elements(fredmd.series_id, pl.String))
        asof = end_of(Period.of(vintage, Freq.M).end)
        found = store.known(ids, asof).select(
            "series", pl.col("period").map_elements(lambda p: Period(Freq.M, p).start, pl.Date), "value"
        )
        assert found.sort("series", "period").equals(state.select(found.columns).sort("series", "period"))
        panel = cube.panel(asof)
        houses = state.filter(series="fm_houst@US").sort("period")["value"].to_numpy()
        column = panel.matrix(["fm_houst@US"])[:, 0]
        np.testing.assert_array_equal(column[~np.isnan(column)], houses)


@pytest.fixture(scope="module")
def output() -> MemoryStore:
    store = MemoryStore()
    ingest.ingest(store, ingest.read("rtdsm", RTDSM))
    return store


@needs_shared
@pytest.mark.parametrize(
    ("quarter", "advance"),
    [("2008-Q4", -3.8), ("2009-Q1", -6.1), ("2009-Q2", -1.0), ("2011-Q1", 1.8), ("2014-Q1", 0.1), ("2014-Q2", 4.0)],
)
def test_first_releases_are_the_advance_estimates_of_the_bureau(
    output: MemoryStore, quarter: str, advance: float
) -> None:
    """As the Bureau of Economic Analysis announced them, in its news releases; growth within one vintage, whatever its base."""
    middle = Period.parse(quarter).last_month + 2

    def panel_on(day: int) -> float:
        known: datetime = end_of(middle.start.replace(day=day))
        panel = build_panel(output, [rtdsm.TARGET], known)
        row = panel.row(Period.parse(quarter))
        return float(panel.values[row, 0]) if row < panel.months else np.nan

    assert np.isnan(panel_on(14))
    assert panel_on(15) == pytest.approx(advance, abs=0.06)
