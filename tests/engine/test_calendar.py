from __future__ import annotations

import doctest
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine.calendar
import engine.steps
from engine.calendar import Freq, Period, end_of, known_day, parse_asof
from engine.errors import BadInput

DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize("module", [engine.calendar, engine.steps])
def test_docstrings_run(module: object) -> None:
    assert doctest.testmod(module).attempted > 0  # type: ignore[arg-type]
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@given(DAYS, st.sampled_from(Freq))
def test_a_period_holds_its_days_and_reads_back(day: date, freq: Freq) -> None:
    p = Period.of(day, freq)
    assert p.start <= day <= p.end
    assert Period.parse(str(p)) == p
    assert (p + 1).start == p.end + timedelta(days=1)
    assert (p + 7) - p == 7


@given(DAYS)
def test_quarters_end_in_their_last_month(day: date) -> None:
    q = Period.of(day, Freq.Q)
    assert q.last_month.end == q.end
    assert q.last_month.to(Freq.Q) == q
    for freq in Freq:
        assert q.to(freq) == Period.of(q.end, freq)


@pytest.mark.parametrize("text", ["2016-13", "2016-Q5", "2016-W60", "16-01", "", "2016-02-30", "2016-1"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="not a period"):
        Period.parse(text)


def test_frequencies_do_not_mix() -> None:
    with pytest.raises(BadInput, match="differ in frequency"):
        Period.parse("2016-Q1") - Period.parse("2016-01")
    with pytest.raises(BadInput, match="no fixed number"):
        _ = Freq.W.per_year


@given(DAYS)
def test_known_on_a_day_is_known_as_of_that_day(day: date) -> None:
    assert known_day(end_of(day)) == day
    assert end_of(day) <= parse_asof(day.isoformat()) < end_of(day + timedelta(days=1))


def test_instants_need_a_zone() -> None:
    assert parse_asof("2016-07-29T08:30:00-04:00") == datetime(2016, 7, 29, 12, 30, tzinfo=UTC)
    with pytest.raises(BadInput, match="time zone"):
        parse_asof("2016-07-29T08:30:00")
    with pytest.raises(BadInput, match="not a day"):
        parse_asof("yesterday")
