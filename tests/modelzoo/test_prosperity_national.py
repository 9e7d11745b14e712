"""Coincident and leading indices on China's national months: 2008, 2015 and 2020 with what had been published by each day.

One vintage, cut by the publication calendar: pseudo real time, without revisions. What is asserted here is told in
docs/prosperity.md, the disappointing part too.
"""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np
import pytest

from engine.ahead import Ahead, ahead
from engine.calendar import Period, end_of
from engine.turning import Bbq, Kind, said
from engine.typing import Floats
from modelzoo.prosperity.composite import Composite
from modelzoo.prosperity.conference import Conference
from modelzoo.prosperity.history import Historied, History
from tests import national

pytestmark = pytest.mark.skipif(bool(national.ABSENT), reason=national.ABSENT)

METHODS = {"conference": Conference, "composite": Composite}
END = date(2023, 3, 31)


@cache
def history(role: str, method: str, day: date) -> History:
    """The index fitted and read with what had been published by that day."""
    coincident = national.ids(national.COINCIDENT) if national.FOLDER.is_dir() else ()
    own = coincident if role == "coincident" else national.ids(national.LEADING)
    panel = national.then(day)
    fitted = METHODS[method](f"{role}@CN", own, coincident=coincident).fit(panel)
    assert isinstance(fitted, Historied)
    return fitted.history(panel)


def turns(role: str, method: str, day: date) -> dict[str, tuple[Kind, bool]]:
    """``month -> kind, confirmed`` of what was said that day."""
    found = history(role, method, day)
    return {str(found.first + t.row): (t.kind, t.confirmed) for t in said(found.values, Bbq()).all}


def between(role: str, method: str, day: date, kind: Kind, first: str, last: str) -> list[str]:
    return [m for m, (k, _) in turns(role, method, day).items() if k is kind and first <= m <= last]


def test_a_day_sees_what_was_out_by_then() -> None:
    """Industry of February 2020 came in the middle of March, its new orders with the month's last day."""
    industry, orders = national.ids(["IVA", "PMO"])
    for day, known in ((date(2020, 3, 16), False), (date(2020, 3, 17), True)):
        panel = national.then(day)
        row = panel.row(Period.parse("2020-02"))
        assert bool(np.isfinite(panel.matrix([industry])[row, 0])) is known
        assert np.isfinite(panel.matrix([orders])[row, 0])
        assert panel.asof == end_of(day)
        assert panel.newest is not None
        assert panel.newest <= panel.asof


def test_what_comes_later_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    day = date(2008, 8, 31)
    before = history("coincident", "conference", day).values
    altered = {
        c: np.where(np.arange(len(x)) >= Period.parse("2008-09") - national.FIRST, 1.3 * x, x)
        for c, x in national.published().items()
    }
    monkeypatch.setattr(national, "published", lambda: altered)
    national.whole.cache_clear()
    history.cache_clear()
    try:
        assert np.array_equal(history("coincident", "conference", day).values, before)
        later = history("coincident", "conference", date(2009, 8, 31)).values
        assert not np.allclose(later[: len(before)][-6:], before[-6:])
    finally:
        monkeypatch.undo()
        national.whole.cache_clear()
        history.cache_clear()


@pytest.mark.parametrize("method", METHODS)
def test_2008(method: str) -> None:
    """The leading index said its peak in January 2008, the coincident one in August, before the crisis broke in September."""
    assert not between("leading", method, date(2007, 9, 30), Kind.PEAK, "2007-06", "2008-12")
    assert between("leading", method, date(2008, 1, 31), Kind.PEAK, "2007-08", "2007-11")
    assert not between("coincident", method, date(2008, 6, 30), Kind.PEAK, "2007-08", "2008-12")
    assert between("coincident", method, date(2008, 8, 31), Kind.PEAK, "2007-12", "2008-03")
    assert between("leading", method, date(2009, 2, 28), Kind.TROUGH, "2008-10", "2008-12")
    assert between("coincident", method, date(2009, 8, 31), Kind.TROUGH, "2009-01", "2009-04")


@pytest.mark.parametrize("method", METHODS)
def test_2015(method: str) -> None:
    """A slide without a recovery in it: that it went down was plain, where it ended was said too early and taken back."""
    found = history("coincident", method, date(2015, 9, 30))
    at = found.last - Period.parse("2013-01")
    assert found.values[-1] < found.values[-1 - at]
    assert between("coincident", method, date(2015, 7, 31), Kind.TROUGH, "2015-01", "2015-06")  # too early
    final = turns("coincident", method, END)
    assert not [m for m in final if "2015-01" <= m <= "2015-06"]
    assert final["2016-02"] == (Kind.TROUGH, True)
    assert "2016-02" in turns("coincident", method, date(2016, 9, 30))


@pytest.mark.parametrize("method", METHODS)
def test_2020(method: str) -> None:
    """At the end of March the fall stood out of all that was known; that February was the trough was said in June."""
    found = history("coincident", method, date(2020, 3, 31))
    values = found.values
    fall = values[12:] / values[:-12] - 1
    assert fall[-1] == fall[-60:].min()
    trough = turns("coincident", method, date(2020, 6, 30))
    assert trough["2020-02"][0] is Kind.TROUGH
    assert not between("leading", method, date(2020, 1, 31), Kind.PEAK, "2019-06", "2020-01")  # nobody led it


def lead(method: str, last: str) -> Ahead:
    """Of the leading index, with the whole history in sight, over growth of industry from 2006 on; each off its own line."""
    found = history("leading", method, END)
    industry = national.whole().matrix(national.ids(["IVA"]))[:, 0]
    rows = np.arange(Period.parse("2006-01") - national.FIRST, Period.parse(last) - national.FIRST + 1)
    known = np.flatnonzero(np.isfinite(industry))
    growth = np.interp(rows, known, industry[known])
    return ahead(_off(growth), _off(found.values[rows - (found.first - national.FIRST)]), draws=499)


def _off(values: Floats) -> Floats:
    t = np.arange(len(values))
    line = np.polynomial.Polynomial.fit(t, values, 1)(t)
    return np.asarray(values - line, np.float64)


@pytest.mark.parametrize("method", METHODS)
def test_the_lead_over_industry_and_how_sure_it_is(method: str) -> None:
    """Six months to 2019, 90 % of 2 to 13; with the pandemic in the sample nothing that is told from none."""
    calm, whole = lead(method, "2019-12"), lead(method, "2022-12")
    print(f"\n{method}: to 2019 {calm}\n{' ' * len(method)}  to 2022 {whole}")
    assert 4 <= calm.lead <= 8
    assert calm.low > 0
    assert calm.high - calm.low >= 6
    assert calm.correlation < 0.6
    assert whole.low <= 0
    assert abs(whole.correlation) < abs(calm.correlation)


def test_a_third_or_more_of_what_was_called_confirmed_was_taken_back() -> None:
    """Asked every quarter from 2006 to 2022: of the turns of the coincident index that were called confirmed, how many the whole
    history does not know within two months. January and February, published as one, make many of them."""
    called: set[tuple[str, Kind]] = set()
    for k in range(68):
        day = (Period.parse("2006-03") + 3 * k).end
        called |= {
            (m, kind) for m, (kind, sure) in turns("coincident", "conference", day).items() if sure and m >= "2006"
        }
    final = turns("coincident", "conference", END)

    def kept(month: str, kind: Kind) -> bool:
        return any(k is kind and abs(Period.parse(m) - Period.parse(month)) <= 2 for m, (k, _) in final.items())

    gone = sorted(m for m, kind in called if not kept(m, kind))
    print(f"\n{len(gone)} of {len(called)} taken back: {', '.join(gone)}")
    assert 15 <= len(called) <= 30
    assert 0.25 <= len(gone) / len(called) <= 0.55
