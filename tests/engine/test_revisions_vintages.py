"""The growth cycle of US industrial production as its readers saw it: 233 monthly vintages, 1999-08 to 2018-12."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.calendar import Freq, Period
from engine.cycle import growth_cycle
from engine.filters import hamilton
from engine.revisions import Revisions, as_known, honesty, revisions
from engine.track import Track, track
from engine.turning import Kind, Oecd, date, replay
from engine.typing import Floats

FILE = Path(__file__).parents[2].parent / "shared" / "data" / "fred_md_vintages" / "fred_md_vintages.parquet"
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="needs ../shared/data/fred_md_vintages (not copied)")
FIRST = Period.parse("1959-01")


@cache
def vintages() -> Floats:
    """``(T, V)`` logarithms: the file holds what changed in each vintage."""
    changes = pl.read_parquet(FILE).filter(pl.col("series") == "INDPRO").sort("vintage")
    known = np.full(Period.of(changes["period"].max(), Freq.M) - FIRST + 1, np.nan)  # type: ignore[arg-type]
    columns = []
    for _, part in changes.group_by("vintage", maintain_order=True):
        rows = [Period.of(p, Freq.M) - FIRST for p in part["period"]]
        known[rows] = part["value"].cast(pl.Float64).fill_null(np.nan)
        columns.append(np.log(known))
    return np.column_stack(columns)


@cache
def record(ahead: int) -> tuple[Revisions, Track]:
    seen = as_known(vintages(), lambda y: growth_cycle(y, ahead=ahead).cycle, 120)
    return revisions(seen), track(replay(seen, Oecd(), 120), date(seen[:, -1], Oecd()))


def test_what_the_forecast_steadies() -> None:
    """Last point of the cycle against the cycle three years later or more; 197 months."""
    without, r = record(0)[0], record(12)[0]
    assert vintages().shape[1] == 233
    assert r.count[0] == 197
    found = [(round(float(x.noise[0]), 2), round(float(x.correlation[0]), 2)) for x in (without, r)]
    assert found == [(0.97, 0.58), (0.71, 0.74)]
    assert (r.noise[:13] < without.noise[:13]).all()
    assert (r.sign[[0, 6, 12]] > without.sign[[0, 6, 12]]).all()
    assert (np.diff(r.noise[::6]) < 0).all()  # older months are safer


def test_revised_data_matter_most_to_the_one_sided_filter() -> None:
    """Hamilton's cycle is revised less than the two-sided one; a third of that is not seen if one pretends that data are final."""
    y = vintages()
    pretended = np.where(np.isfinite(y), y[:, [-1]], np.nan)
    real, ideal = (revisions(as_known(v, lambda z: hamilton(z).cycle, 120), ages=0) for v in (y, pretended))
    assert real.noise[0] == pytest.approx(0.29, abs=0.01)
    assert ideal.noise[0] == pytest.approx(0.11, abs=0.01)
    assert real.noise[0] < record(12)[0].noise[0]


def test_turns_in_real_time() -> None:
    """All five turns were said within four months and confirmed within six; but every second one confirmed was none later."""
    _, k = record(12)
    followed = {str(FIRST + f.turn.row): (f.turn.kind, f.said, f.confirmed, f.shift) for f in k.followed}
    assert followed == {
        "2000-05": (Kind.PEAK, 4, 6, 1),
        "2001-12": (Kind.TROUGH, 3, 5, 0),
        "2007-12": (Kind.PEAK, 4, 4, -3),
        "2009-06": (Kind.TROUGH, 2, 4, -1),
        "2014-10": (Kind.PEAK, 0, 5, 0),
    }
    assert (k.found, k.false_rate, k.months_to_confirmation) == (1.0, 0.5, 5.0)
    assert {str(FIRST + t.row)[:4] for t in k.false_turns} == {"2003", "2005", "2006", "2012", "2013"}


def test_what_is_printed_beside_the_last_year() -> None:
    past, k = record(12)
    now, second = growth_cycle(vintages()[:, -1]).cycle, hamilton(vintages()[:, -1]).cycle
    h = honesty(now, past, second=second, turns=k)
    frame = h.to_frame(FIRST)
    assert frame["period"].to_list()[::11] == ["2017-12", "2018-11"]
    width = (frame["upper"] - frame["lower"]).to_numpy()
    assert width[-1] > 1.5 * width[0]
    assert frame["noise"][-1] == pytest.approx(0.71, abs=0.01)
    assert h.turns is k
