"""The turns of the OECD's published leading indicators (to 2020-12), dated by the OECD's own procedure; read from ``../shared``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl
import pytest

from engine.calendar import Period
from engine.matching import match
from engine.turning import Bbq, BryBoschan, Kind, Oecd, Turn, Turns, date, said
from engine.typing import Floats

FILE = Path(__file__).parents[2].parent / "shared" / "data" / "oecd_cli" / "oecd_cli_bci_cci_1960_2020.csv.gz"
pytestmark = pytest.mark.skipif(
    not FILE.is_file(), reason="needs ../shared/data/oecd_cli (data of the OECD, not copied)"
)


@cache
def published() -> dict[str, tuple[Period, Floats]]:
    """First month and values of the amplitude-adjusted leading indicator of each country or group."""
    frame = pl.read_csv(FILE).filter(pl.col("Indicator") == "LOLITOAA").sort("countryCode", "date")
    return {
        str(code): (Period.parse(part["date"][0][:7]), part["Value"].to_numpy())
        for (code,), part in frame.group_by("countryCode", maintain_order=True)
    }


def months(code: str, kind: Kind, since: str, to: str = "2020-12") -> list[str]:
    first, y = published()[code]
    found = [str(first + t.row) for t in date(y, Oecd()).all if t.kind is kind]
    return [m for m in found if since <= m <= to]


def test_united_states() -> None:
    assert months("USA", Kind.PEAK, "1966") == [
        "1966-02", "1968-12", "1972-12", "1978-07", "1983-12", "1987-07", "1994-05", "1997-10", "1999-12", "2007-06",
        "2014-08", "2018-04",
    ]  # fmt: skip
    assert months("USA", Kind.TROUGH, "1966") == [
        "1967-02", "1970-06", "1975-01", "1982-05", "1986-10", "1990-12", "1995-11", "1998-09", "2003-02", "2009-03",
        "2016-03", "2020-04",
    ]  # fmt: skip


def test_oecd_and_china() -> None:
    assert months("OECD", Kind.PEAK, "2004") == ["2004-05", "2007-06", "2011-02", "2014-04", "2017-12"]
    assert months("OECD", Kind.TROUGH, "2003") == ["2003-03", "2005-05", "2009-02", "2012-09", "2016-04", "2020-04"]
    assert months("CHN", Kind.PEAK, "2007") == ["2007-06", "2009-12", "2013-09", "2017-06"]
    assert months("CHN", Kind.TROUGH, "2007") == ["2008-12", "2012-01", "2016-01", "2020-02"]


def test_two_troughs_that_the_world_shares() -> None:
    """Greece, whose indicator falls on past 2009, and Colombia apart, everyone turns up once in the year after Lehman."""
    codes = [c for c, (first, y) in published().items() if str(first) < "2005" and str(first + len(y)) > "2020-12"]
    crisis = {c: months(c, Kind.TROUGH, "2008-07", "2009-12") for c in codes}
    covid = {c: months(c, Kind.TROUGH, "2019-09", "2020-12") for c in codes}
    assert len(codes) == 47
    assert [c for c in codes if len(crisis[c]) != 1] == ["GRC"]
    assert sum(crisis[c] in (["2009-02"], ["2009-03"]) for c in codes) == 30
    assert all(len(covid[c]) == 1 for c in codes)
    assert sum(covid[c] in (["2020-04"], ["2020-05"]) for c in codes) == 44


@pytest.mark.parametrize("code", ["USA", "OECD", "CHN", "DEU", "JPN"])
def test_the_three_procedures_agree_on_the_great_turns(code: str) -> None:
    """BBQ and Bry-Boschan, made for shorter phases, find more turns; those of the OECD's procedure are among theirs."""
    y = published()[code][1]
    great = {(t.row, t.kind) for t in date(y, Oecd()).all}
    for dating in (Bbq(), BryBoschan()):
        found = {(t.row, t.kind) for t in date(y, dating).all}
        assert great <= found


def test_the_indicator_leads_the_recessions_of_the_nber() -> None:
    file = Path(__file__).parents[1] / "golden" / "us" / "nber_recession_monthly.csv"
    frame = pl.read_csv(file).filter(pl.col("month").is_between(pl.lit("1960-01"), pl.lit("2020-12")))
    flag = frame["nber"].to_numpy()
    rows = [t for t in range(len(flag) - 1) if flag[t] != flag[t + 1]]
    nber = Turns(tuple(Turn(t, Kind.PEAK if flag[t + 1] else Kind.TROUGH) for t in rows), 0, len(flag) - 1)
    m = match(nber, date(published()["USA"][1], Oecd()))
    leads = {str(Period.parse("1960-01") + p.reference): p.lead for p in m.pairs}
    assert leads["2007-12"] == 6
    assert leads["2009-06"] == 3
    assert leads["2020-04"] == 0
    assert (len(m.pairs), m.median) == (13, 6.0)
    assert min(p.lead for p in m.pairs) == 0


def test_what_could_be_said_of_the_trough_of_2020() -> None:
    """On this vintage: a candidate three months after the trough, confirmed five after; before, nothing."""
    first, y = published()["USA"]
    trough = Period.parse("2020-04") - first
    told = {n: said(y[: trough + 1 + n], Oecd()).all[-1] for n in (2, 3, 4, 5, 8)}
    assert told[2].row < trough
    assert told[3] == told[4] == Turn(trough, Kind.TROUGH, False)
    assert told[5] == told[8] == Turn(trough, Kind.TROUGH, True)
