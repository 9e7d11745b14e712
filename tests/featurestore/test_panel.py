"""Panels: true ragged edges, nothing from the future, and a cube that equals the two functions to the bit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.calendar import Freq, Period, end_of
from engine.errors import BadInput, NotEnoughData, Unknown
from engine.panel import Panel
from featurestore.memory import MemoryStore
from featurestore.panel import Cube, build_panel, own_values, pseudo_panel
from featurestore.sources import Load, nyfed
from featurestore.store import Store

A, B = (end_of(d) for d in nyfed.VINTAGES)
JAN = Period.parse("2019-01").ordinal
LOADS = tuple(nyfed.loads())
IDS = [s.id for s in LOADS[0].series]


def filled(loads: Sequence[Load]) -> MemoryStore:
    store = MemoryStore()
    for x in loads:
        store.append(x.release, x.values, x.series)
    return store


@pytest.fixture(scope="module")
def new_york() -> MemoryStore:
    return filled(LOADS)


def same(a: Panel, b: Panel) -> bool:
    return (
        (a.asof, a.series, a.timing, a.digest()) == (b.asof, b.series, b.timing, b.digest())
        and a.frame.equals(b.frame)
        and a.known.equals(b.known)
    )


@pytest.mark.parametrize("vintage", [A, B])
def test_usual_delays_reproduce_the_true_ragged_edge(new_york: MemoryStore, vintage: datetime) -> None:
    """Of all 29 series, without exception, the delays of the catalogue leave exactly the cells of the real vintage."""
    real, pseudo = build_panel(new_york, IDS, vintage), pseudo_panel(new_york, IDS, vintage, vintage)
    assert real.timing == "real"
    assert pseudo.timing == "pseudo"
    wrong = [i for i in IDS if not real.frame[i].equals(pseudo.frame[i])]
    assert wrong == []
    assert (real.first, real.last) == (pseudo.first, pseudo.last)
    assert real.newest == vintage
    assert pseudo.newest is not None
    assert pseudo.newest <= vintage


def test_the_cells_of_the_two_vintages(new_york: MemoryStore) -> None:
    """Hand-worked from the files: GDP 2016Q1 and Q2, payrolls, and the survey as it is."""
    old, new = build_panel(new_york, IDS, A), build_panel(new_york, IDS, B)

    def cell(panel: Panel, series_id: str, period: str) -> float:
        return float(panel.matrix([series_id])[panel.row(Period.parse(period)), 0])

    assert cell(old, "gdpc1@US", "2016-Q1") == 100 * ((16514.6 / 16470.6) ** 4 - 1)
    assert cell(new, "gdpc1@US", "2016-Q2") == 100 * ((16575.1 / 16525.0) ** 4 - 1)
    assert cell(new, "payems@US", "2016-06") == 144175.0 - 143888.0
    assert cell(new, "gacdfsa066msfrbphi@US", "2016-07") == -2.9
    assert cell(new, "houst@US", "2016-06") == 100 * (1189.0 / 1135.0 - 1)
    assert (str(old.last), str(new.last)) == ("2016-06", "2016-07")
    assert np.isnan(old.matrix(["gdpc1@US"])[old.row(Period.parse("2016-Q1")) - 1, 0])


def test_known_of_a_cell_is_that_of_the_newest_value_behind_it(make: Any, say: Any) -> None:
    x, q = make("x", step="chg"), make("q", freq="Q", step="lin")
    q1 = Period.parse("2019-Q1").ordinal
    store = filled([say(1, x, {JAN: 1.0, JAN + 1: 2.0, JAN + 2: 4.0}), say(3, x, {JAN + 1: 2.5}), say(4, q, {q1: 7.0})])
    panel = build_panel(store, ["x@US", "q@US"], datetime(2020, 1, 5, tzinfo=UTC))
    assert panel.frame["month"].to_list() == [JAN + 1, JAN + 2]
    assert panel.frame["x@US"].to_list() == [1.5, 1.5]
    assert panel.frame["q@US"].to_list() == [None, 7.0]
    assert [k.day for k in panel.known["x@US"]] == [3, 3]
    early = build_panel(store, ["x@US"], datetime(2020, 1, 2, tzinfo=UTC))
    assert (early.frame["x@US"].to_list(), [k.day for k in early.known["x@US"]]) == ([1.0, 2.0], [1, 1])


def test_gaps_are_no_bases(make: Any, say: Any) -> None:
    """A change needs the period before it: the gap stays, and so does the month after it."""
    store = filled([say(1, make("x", step="pch"), {JAN: 100.0, JAN + 1: 110.0, JAN + 3: 120.0, JAN + 4: 60.0})])
    panel = build_panel(store, ["x@US"], datetime(2020, 1, 5, tzinfo=UTC))
    assert panel.frame["x@US"].round(9).to_list() == [10.0, None, None, -50.0]


def test_a_pseudo_panel_knows_each_value_after_its_delay(make: Any, say: Any) -> None:
    x, survey = make("x", step="lin", delay_days=10), make("s", step="lin", delay_days=-11)
    store = filled([say(1, x, {JAN: 1.0, JAN + 1: 2.0}), say(1, survey, {JAN: 3.0, JAN + 1: 4.0})])
    vintage = datetime(2020, 1, 1, tzinfo=UTC)
    ids = ["x@US", "s@US"]

    def cells(day: date) -> list[list[float | None]]:
        frame = pseudo_panel(store, ids, end_of(day), vintage).frame
        return [frame[i].to_list() for i in ids]

    assert cells(date(2019, 2, 9)) == [[None], [3.0]]
    assert cells(date(2019, 2, 10)) == [[1.0], [3.0]]
    assert cells(date(2019, 2, 16)) == [[1.0], [3.0]]
    assert cells(date(2019, 2, 17)) == [[1.0, None], [3.0, 4.0]]
    known = pseudo_panel(store, ids, end_of(date(2019, 2, 17)), vintage).known
    assert known["x@US"][0] == end_of(date(2019, 2, 10))
    assert known["s@US"][1] == end_of(date(2019, 2, 17))


def test_a_value_of_a_year_stands_in_its_december(make: Any, say: Any) -> None:
    a, x = make("a", freq="A", step="pch", delay_days=60), make("x", step="lin")
    store = filled([say(1, a, {2017: 4.0, 2018: 5.0}), say(2, a, {2018: 6.0}), say(2, x, {JAN: 1.0})])
    panel = build_panel(store, ["a@US", "x@US"], datetime(2020, 1, 5, tzinfo=UTC))
    assert (str(panel.first), str(panel.last)) == ("2018-12", "2019-01")
    assert panel.frame["a@US"].to_list() == [50.0, None]
    assert [k and k.day for k in panel.known["a@US"]] == [2, None]
    assert same(panel, Cube(store, ["a@US", "x@US"]).panel(datetime(2020, 1, 5, tzinfo=UTC)))
    vintage = datetime(2020, 1, 5, tzinfo=UTC)
    assert pseudo_panel(store, ["a@US"], end_of(date(2019, 3, 1)), vintage).frame["a@US"].to_list() == [50.0]
    with pytest.raises(NotEnoughData):
        pseudo_panel(store, ["a@US"], end_of(date(2019, 2, 28)), vintage)


def test_errors(new_york: MemoryStore, make: Any, say: Any) -> None:
    with pytest.raises(Unknown, match="no@US"):
        build_panel(new_york, ["gdpc1@US", "no@US"], B)
    with pytest.raises(NotEnoughData, match="as of 2016-06-28"):
        build_panel(new_york, ["gdpc1@US"], A - timedelta(days=1))
    with pytest.raises(BadInput, match="once"):
        build_panel(new_york, ["gdpc1@US", "gdpc1@US"], B)
    weekly = filled([say(9, make("w", freq="W"), {Period.of(date(2019, 1, 1), Freq.W).ordinal: 1.0})])
    with pytest.raises(BadInput, match="not w@US"):
        build_panel(weekly, ["w@US"], B)


def test_own_values(new_york: MemoryStore) -> None:
    series, frame = own_values(new_york, "gdpc1@US", A)
    assert series.freq is Freq.Q
    assert frame.columns == ["period", "value", "analysed", "known_at"]
    assert frame["analysed"][0] is None
    assert frame["analysed"][-1] == 100 * ((16514.6 / 16470.6) ** 4 - 1)
    assert own_values(new_york, "gdpc1@US", A - timedelta(days=1))[1].height == 0


DAYS = st.dates(date(1986, 1, 1), date(2016, 9, 1))


@given(st.lists(st.sampled_from(IDS), min_size=1, max_size=29, unique=True), DAYS, st.sampled_from([A, B]))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_cube_equals_the_functions(new_york: MemoryStore, ids: list[str], day: date, vintage: datetime) -> None:
    cube, origin = Cube(new_york, ids), end_of(day)
    try:
        expected = pseudo_panel(new_york, ids, origin, vintage)
    except NotEnoughData:
        with pytest.raises(NotEnoughData):
            cube.pseudo(origin, vintage)
    else:
        assert same(cube.pseudo(origin, vintage), expected)
        assert expected.newest is not None
        assert expected.newest <= origin
    for asof in (A, B):
        assert same(cube.panel(asof), build_panel(new_york, ids, asof))


def test_every_store_gives_one_panel(new_york: MemoryStore, server: Any) -> None:
    store: Store = server.empty()
    for x in LOADS:
        store.append(x.release, x.values, x.series)
    assert same(build_panel(store, IDS, A), build_panel(new_york, IDS, A))
    assert same(Cube(store, IDS).panel(B), build_panel(new_york, IDS, B))
    assert same(Cube(store, IDS).pseudo(A, B), pseudo_panel(new_york, IDS, A, B))


@st.composite
def futures(draw: st.DrawFn) -> pl.DataFrame:
    """The second vintage as it might have been: values altered at random, some taken back, some periods not there."""
    rows = LOADS[1].values
    seed = draw(st.integers(0, 2**32 - 1))
    share = draw(st.sampled_from([0.01, 0.3, 1.0]))
    rng = np.random.default_rng(seed)
    hit = rng.random(rows.height) < share
    back = hit & (rng.random(rows.height) < 0.2)
    value = np.where(hit, rng.normal(size=rows.height) * 1e6, rows["value"].to_numpy())
    altered = rows.with_columns(
        value=pl.when(pl.Series(back)).then(None).otherwise(pl.Series(value)),
        status=pl.when(pl.Series(back)).then(pl.lit("M")).otherwise(pl.col("status")),
    )
    return altered.filter(pl.Series(rng.random(rows.height) > 0.05))


@given(futures())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_future_does_not_move_a_bit_of_the_past(new_york: MemoryStore, future: pl.DataFrame) -> None:
    """What became known after the as-of date is altered at random, and the panel as of that date stays what it was."""
    other = filled([LOADS[0], Load(LOADS[1].release, future, LOADS[1].series)])
    cube = Cube(other, IDS)
    just_before = B - timedelta(microseconds=1)
    for asof in (A, just_before):
        expected = build_panel(new_york, IDS, asof)
        assert same(build_panel(other, IDS, asof), expected)
        assert same(cube.panel(asof), expected)
        origin = min(asof, end_of(date(2012, 5, 6)))
        assert same(cube.pseudo(origin, asof), pseudo_panel(new_york, IDS, origin, asof))
    assert build_panel(other, IDS, B).digest() != build_panel(new_york, IDS, B).digest()  # the alteration is real
