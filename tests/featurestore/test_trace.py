"""Every cell tells its releases, or why it is empty; and the traced value is the panel's, to the bit."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from engine.calendar import Period, end_of
from engine.errors import BadInput, Unknown
from featurestore.memory import MemoryStore
from featurestore.panel import build_panel
from featurestore.sources.nyfed import loads
from featurestore.store import VALUES, Release
from featurestore.trace import SOURCES, trace

OLD, NEW = end_of(date(2016, 6, 29)), end_of(date(2016, 7, 29))


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    made = MemoryStore()
    for load in loads():
        made.append(load.release, load.values, load.series)
    return made


def test_a_growth_rate_has_two_sources_each_with_its_release(store: MemoryStore) -> None:
    """2016-Q2 growth of 1.2 per cent: the first release of Q2 and the revised Q1, both of 29 July."""
    found = trace(store, "gdpc1@US", Period.parse("2016-Q2"), NEW)
    assert found.value == pytest.approx(1.218234, abs=1e-6)
    assert found.sources.columns == list(SOURCES)
    assert found.sources["period"].to_list() == ["2016-Q2", "2016-Q1"]
    assert found.sources["value"].to_list() == [16575.1, 16525.0]
    assert found.sources["nth"].to_list() == [1, 2]
    assert found.sources["code"].to_list() == ["staff-nowcast"] * 2
    assert found.reason == ""


def test_traces_are_the_panel(store: MemoryStore) -> None:
    ids = ["gdpc1@US", "payems@US", "gacdisa066msfrbny@US", "rsafs@US"]
    for asof in (OLD, NEW):
        panel = build_panel(store, ids, asof)
        for i in ids:
            freq = panel.meaning(i).freq
            for ordinal in range(Period.parse("2015-06").ordinal, panel.last.ordinal + 1):
                month = Period(panel.first.freq, ordinal)
                period = month.to(freq)
                if period.last_month == month:
                    assert trace(store, i, period, asof).value == panel.frame[i][panel.row(period)]


@pytest.mark.parametrize(
    ("series", "period", "asof", "reason"),
    [
        ("gdpc1@US", "2016-Q2", OLD, "was first released on 2016-07-29, after 2016-06-29"),
        ("gdpc1@US", "2016-Q3", NEW, "was never released"),
        ("payems@US", "1985-01", NEW, "its base 1984-12 was never released"),
    ],
)
def test_an_empty_cell_says_why(store: MemoryStore, series: str, period: str, asof: object, reason: str) -> None:
    found = trace(store, series, Period.parse(period), asof)  # type: ignore[arg-type]
    assert found.value is None
    assert found.reason == reason


def test_a_value_taken_back_is_the_reason(store: MemoryStore) -> None:
    made = MemoryStore()
    for load in loads():
        made.append(load.release, load.values, load.series)
    series = [s for s in made.series().values() if s.id == "indpro@US"]
    gone = pl.DataFrame([("indpro@US", Period.parse("2016-05").ordinal, None, "M")], schema=VALUES, orient="row")
    made.append(Release("test", "withdrawal", end_of(date(2016, 8, 1)), "day", b"1"), gone, series)
    after = end_of(date(2016, 8, 2))
    assert trace(made, "indpro@US", Period.parse("2016-05"), after).reason == "was taken back on 2016-08-01"
    assert (
        trace(made, "indpro@US", Period.parse("2016-06"), after).reason
        == "its base 2016-05 was taken back on 2016-08-01"
    )


def test_what_cannot_be_traced(store: MemoryStore) -> None:
    with pytest.raises(BadInput, match="gdpc1@US has frequency Q, and 2016-06 is of frequency M"):
        trace(store, "gdpc1@US", Period.parse("2016-06"), NEW)
    with pytest.raises(Unknown, match="not in the store"):
        trace(store, "gold@US", Period.parse("2016-06"), NEW)
