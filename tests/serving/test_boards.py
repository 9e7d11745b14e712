"""Why places changed, and the page of a unit: numbers by hand, one answer by route and command, two versions, words for people."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import click
import polars as pl
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from pydantic import TypeAdapter
from rich.console import Console

from engine.calendar import Period, end_of
from engine.errors import BadInput, Unknown
from engine.settings import Settings
from featurestore.memory import MemoryStore
from featurestore.panel import build_panel
from featurestore.store import VALUES, Release
from modelzoo import bundle
from modelzoo.bundle import Bundle
from modelzoo.scorecard.alternatives import Alternatives
from modelzoo.scorecard.composite import Composite, FittedComposite
from modelzoo.scorecard.framework import Framework
from modelzoo.scorecard.node import Node
from modelzoo.scorecard.outcomes import outlook_of
from serving import board_pages, board_schemas, board_tables, boards, wire
from serving.app import create_app
from serving.champions import Champion
from tests.modelzoo.scorecard.test_composite import series
from tests.serving.shop import FakeChampions, Shop

TARGET, NAME, UNITS = "duel@SYN-33", "scorecard-duel-SYN-33", ("SYN-3301", "SYN-3302", "SYN-3303")
OLD, NEW = date(2016, 2, 10), date(2017, 2, 10)
BASE = f"/v1/scorecards/{TARGET}"
TREE = Node("all", children=(Node("tax", "Tax", "税收", 1.0, direction=1, goalposts=(0, 100)),
                             Node("dust", "Dust", "粉尘", 1.0, direction=-1, goalposts=(0, 100))))  # fmt: skip


def framework(weight: float = 1.0) -> Framework:
    return Framework("duel", "Duel", "试验", TREE, missing="time").weighted({"tax": weight})


def version(store: MemoryStore, number: str, rule: Framework) -> Champion:
    model = Composite(TARGET, UNITS, rule, Alternatives(noise=(0.25,)), draws=50)
    panels = [build_panel(store, model.inputs, end_of(day)) for day in (OLD, NEW)]
    fits = tuple(bundle.fit(model, p) for p in panels)
    held = Bundle("scorecard.composite", model, fits, panels[0].series)
    return Champion(NAME, number, f"run{number}", held, "Duel of cities", "城市对决")


def stored() -> MemoryStore:
    """Tax 50, 60, 40 and dust 50 of everybody in 2015; a year later 40 was revised to 62 and 2016 brings 70, 65, 64."""
    made = MemoryStore()
    about = [series(n, u) for u in UNITS for n in ("tax", "dust")]
    said: list[tuple[date, str, dict[str, tuple[float, ...]]]] = [
        (OLD, "2015-12", {"tax": (50, 60, 40)}),
        (NEW, "2015-12", {"tax": (50, 60, 62)}),
        (NEW, "2016-12", {"tax": (70, 65, 64)}),
    ]
    for day, month, values in said:
        last = Period.parse(month)
        rows = [
            (f"{n}@{u}", last.ordinal, float(v), "A")
            for n, vs in values.items()
            for u, v in zip(UNITS, vs, strict=True)
        ]
        rows += [(f"dust@{u}", last.ordinal - k, 50.0, "A") for u in UNITS for k in range(12)]
        release = Release("test", f"{day} {month}", end_of(day), "day", repr((day, rows)).encode())
        made.append(release, pl.DataFrame(rows, schema=VALUES, orient="row"), about)
    return made


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    return stored()


@pytest.fixture(scope="module")
def champions(store: MemoryStore) -> FakeChampions:
    return FakeChampions(None, (version(store, "2", framework()),), (version(store, "1", framework(3.0)),))


@pytest.fixture(scope="module")
def client(store: MemoryStore, champions: FakeChampions) -> TestClient:
    return TestClient(
        create_app(store, champions, Settings(Path("/nowhere"), None, (), "")), raise_server_exceptions=False
    )


def asked(client: TestClient, query: str) -> board_schemas.BoardChange:
    body = client.get(f"{BASE}/changes?{query}")
    assert body.status_code == 200, body.text
    said = TypeAdapter(board_schemas.BoardChange).validate_json(body.content)
    assert wire.encode(said) == body.content
    return said


def table(said: board_schemas.BoardChange) -> dict[tuple[str, str, str], Any]:
    return {(r.unit, r.indicator, r.cause): (r.score, r.places) for r in said.rows}


def test_places_and_scores_by_hand(client: TestClient) -> None:
    said = asked(client, "from=2016-02-10&to=2017-02-10")
    assert [(u.unit, u.rank_before, u.rank_after) for u in said.units] == [
        (UNITS[0], 2, 1), (UNITS[1], 1, 2), (UNITS[2], 3, 3),
    ]  # fmt: skip
    found = table(said)
    by_hand = {"own": (2, 1, 0), "others": (0, -1, -2), "revision": (-1, -1, 2), "method": (0, 0, 0)}
    points = {"own": (10, 2.5, 1), "others": (0, 0, 0), "revision": (0, 0, 11), "method": (0, 0, 0)}
    for cause, places in by_hand.items():
        for u, unit in enumerate(UNITS):
            assert found[unit, "", cause] == (pytest.approx(points[cause][u]), places[u])
    assert (said.before.period, said.after.period) == ("2015", "2016")
    assert (said.before.asof, said.before.fitted_asof, said.after.fitted_asof) == (
        "2016-02-10", "2016-02-10", "2017-02-10",
    )  # fmt: skip
    assert (said.method, said.left_out, said.is_synthetic, said.title_zh) == ((), (), True, "城市对决")
    assert {r.cause_zh for r in said.rows} == {"自身表现", "其他单位表现", "数据修订", "方法调整"}


def test_one_unit_comes_with_its_indicators_and_two_years_of_one_day_have_no_revision(client: TestClient) -> None:
    one = table(asked(client, f"from=2016-02-10&to=2017-02-10&region={UNITS[2]}"))
    assert {u for u, _, _ in one} == {UNITS[2]}
    assert one[UNITS[2], "tax", "revision"] == (pytest.approx(11), None)
    assert one[UNITS[2], "dust", "own"] == (0, None)
    years = asked(client, "to=2017-02-10")
    assert (years.before.asof, years.before.period, years.after.period) == ("2017-02-10", "2015", "2016")
    assert not any(r.score for r in years.rows if r.cause in ("revision", "method"))
    assert {u.unit: u.rank_before for u in years.units} == dict(zip(UNITS, (3, 2, 1), strict=True))
    same = asked(client, "from=2016-02-10&to=2017-02-10&to_period=2015")
    assert not any(r.score for r in same.rows if r.cause != "revision")
    assert any(r.score for r in same.rows)


def test_another_version_is_another_method(client: TestClient) -> None:
    said = asked(client, "to=2017-02-10&from_version=1&from_period=2016")
    assert (said.before.version, said.after.version, said.method) == ("1", "2", ("tree", "weights"))
    found = table(said)
    for u, value in zip(UNITS, (70, 65, 64), strict=True):
        assert found[u, "", "method"][0] == pytest.approx((value + 50) / 2 - (3 * value + 50) / 4)
        assert not any(found[u, "", cause][0] for cause in ("own", "others", "revision"))


def test_the_page_says_what_would_gain_a_place(client: TestClient) -> None:
    body = client.get(f"{BASE}/units/{UNITS[1]}?asof=2017-02-10")
    assert body.status_code == 200, body.text
    said = TypeAdapter(board_schemas.UnitPage).validate_json(body.content)
    assert wire.encode(said) == body.content
    assert (said.rank, said.units) == (2, 3)
    assert said.score == pytest.approx(57.5)
    assert said.rank_low <= 2 <= said.rank_high
    lifts = {r.indicator: r for r in said.lifts}
    assert lifts["tax"].needed == pytest.approx(70, abs=1e-6)
    assert lifts["dust"].needed == pytest.approx(45, abs=1e-6)
    assert (lifts["tax"].places, lifts["tax"].indicator_zh) == (1, "税收")
    assert lifts["tax"].gain == pytest.approx(0.5)
    assert {p.peer: p.distance for p in said.peers} == {
        UNITS[2]: pytest.approx(0.5**0.5), UNITS[0]: pytest.approx(5 * 0.5**0.5),
    }  # fmt: skip
    assert said.marks == ()
    before = client.get(f"{BASE}/units/{UNITS[1]}?asof=2017-02-10&period=2015").json()
    assert (before["board"]["period"], before["rank"]) == ("2015", 2)


@pytest.mark.parametrize("path", ["changes?from=2016-02-10&to=2017-02-10", f"units/{UNITS[1]}?asof=2017-02-10"])
def test_three_forms_and_a_tag(client: TestClient, path: str) -> None:
    body = client.get(f"{BASE}/{path}")
    arrow = pl.read_ipc_stream(io.BytesIO(client.get(f"{BASE}/{path}", headers={"Accept": wire.ARROW}).content))
    csv = pl.read_csv(io.BytesIO(client.get(f"{BASE}/{path}", headers={"Accept": wire.CSV}).content))
    assert csv.columns == arrow.columns
    assert csv.height == arrow.height > 2
    assert set(arrow["is_synthetic"]) == {True}
    assert client.get(f"{BASE}/{path}", headers={"If-None-Match": body.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("changes?from=2017-02-10&to=2016-02-10", 422, "2017-02-10 is not before 2016-02-10"),
        ("changes?to=2017-02-10&from_period=2016&to_period=2015", 422, "from an earlier period to a later one"),
        ("changes?to=2017-02-10&region=SYN-3399", 404, "does not score SYN-3399"),
        ("changes?to=2017-02-10&from_version=9", 404, "no version 9"),
        ("changes?to=2017-02-10&since=2016", 422, "query.since"),
        ("changes?from=2015-01-01&to=2017-02-10", 422, "nothing is known"),
        ("units/SYN-3399?asof=2017-02-10", 404, "does not score SYN-3399"),
        (f"units/{UNITS[0]}?asof=2017-02-10&period=2031", 422, "nothing is known of 2031"),
    ],
)
def test_what_cannot_be_answered_says_why(client: TestClient, path: str, status: int, said: str) -> None:
    answer = client.get(f"{BASE}/{path}")
    assert (answer.status_code, said in answer.text) == (status, True), answer.text


def test_what_becomes_known_later_changes_no_answer(champions: FakeChampions, store: MemoryStore) -> None:
    which = boards.Asked(since=end_of(OLD))
    before = wire.encode(boards.changes(store, champions, TARGET, end_of(NEW), which))
    page = wire.encode(boards.unit_page(store, champions, TARGET, UNITS[0], end_of(NEW)))
    later = stored()
    rows = [
        (f"tax@{u}", Period.parse(m).ordinal, 99.0 - k, "A")
        for k, u in enumerate(UNITS)
        for m in ("2015-12", "2016-12")
    ]
    release = Release("test", "late", end_of(date(2017, 3, 1)), "day", b"late")
    later.append(release, pl.DataFrame(rows, schema=VALUES, orient="row"), [series("tax", u) for u in UNITS])
    assert wire.encode(boards.changes(later, champions, TARGET, end_of(NEW), which)) == before
    assert wire.encode(boards.unit_page(later, champions, TARGET, UNITS[0], end_of(NEW))) == page
    now = boards.changes(later, champions, TARGET, end_of(date(2017, 3, 1)), which)
    assert wire.encode(now) != before


def test_a_champion_that_ranks_nobody_says_so(shared: Shop) -> None:
    from tests.serving.shop import JULY, JUNE

    odd = FakeChampions(None, (shared.reader("scorecard", JUNE, JULY),))
    http = TestClient(
        create_app(shared.store, odd, Settings(Path("/nowhere"), None, (), "")), raise_server_exceptions=False
    )
    for path in ("changes", "units/US"):
        answer = http.get(f"/v1/scorecards/coincident@US/{path}")
        assert answer.status_code == 422, answer.text
        assert "prosperity.conference ranks no units" in answer.text


def test_the_command_prints_the_body_of_the_http_answer_or_tables(
    client: TestClient, store: MemoryStore, champions: FakeChampions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from featurestore import connect
    from serving import commands

    @contextmanager
    def held() -> Iterator[MemoryStore]:
        yield store

    monkeypatch.setattr(connect, "connect", held)
    monkeypatch.setattr(commands, "_champions", lambda: champions)

    def said(*words: str) -> str:
        return CliRunner().invoke(commands.scorecard, [TARGET, *words], catch_exceptions=False).output

    since = ("--asof", "2017-02-10", "--since", "2016-02-10")
    page = ("--asof", "2017-02-10", "--region", UNITS[1], "--page")
    assert said(*since, "--json").encode() == client.get(f"{BASE}/changes?from=2016-02-10&to=2017-02-10").content
    assert said(*page, "--json").encode() == client.get(f"{BASE}/units/{UNITS[1]}?asof=2017-02-10").content
    text = said(*since, "--region", UNITS[2])
    for word in (
        "城市对决",
        "own 自身表现",
        "revision 数据修订",
        "+11.00",
        "-2.0",
        "税收",
        "nothing changed",
        "SYNTHETIC",
    ):
        assert word in text
    text = said("--asof", "2017-02-10", "--since-version", "1", "--since-period", "2016")
    assert "tree, weights" in text
    text = said(*page)
    for word in ("place 位次 2 of 3", "what would gain a place 提升位次", "peers 相近单位", "税收", "45.00"):
        assert word in text
    for words in (since, (*since, "--region", UNITS[0]), page):
        file = tmp_path / "page.html"
        said(*words, "--chart", str(file))
        html = file.read_text(encoding="utf-8")
        assert "税收" in html or words is since
        assert "合成数据" in html
        assert "http://" not in html.replace("http://www.w3.org/2000/svg", "")
    with pytest.raises(BadInput, match=r"\.html"):
        said(*page, "--chart", "x.pdf")
    with pytest.raises(Unknown):
        said("--asof", "2017-02-10", "--region", "SYN-3399", "--page")
    wrong = (("--page",), ("--period", "2015"), (*page, "--since", "2016-02-10"))
    assert all("--page" in said(*w) or "--period" in said(*w) for w in wrong)
    assert isinstance(commands.scorecard, click.Command)


def test_a_carried_value_is_marked_where_it_is_read(store: MemoryStore, champions: FakeChampions) -> None:
    (held,) = champions.others
    model = held.bundle.model
    assert isinstance(model, Composite)
    early = build_panel(store, model.inputs, end_of(NEW))
    name = f"dust@{UNITS[1]}"
    values = early.matrix([name])
    values[-1] = float("nan")
    fitted = held.bundle.fits[1].fitted
    assert isinstance(fitted, FittedComposite)
    told = fitted.tell(early.with_values([name], values), [Period.parse("2016")])
    (mark,) = told.filter(level="mark").rows()
    assert mark == (UNITS[1], "2016", "mark", "dust", 1.0)


def test_goals_of_the_year_stand_on_the_page_with_their_probabilities(tmp_path: Path) -> None:
    import cities

    model, day = cities.scorecard("annual_targets"), date(2024, 9, 30)
    panel = cities.panel(model.inputs, day)
    held = Bundle("scorecard.composite", model, (bundle.fit(model, panel),), panel.series)
    champion = Champion("scorecard-annual_targets-SYN-33", "1", "run1", held, "Goals", "年度目标")
    said = boards.unit_page(cities.store(), FakeChampions(None, (champion,)), "annual_targets", "SYN-3301", end_of(day))
    assert said.goals is not None
    assert (said.goals.year, len(said.goals.goals), said.board.period) == ("2024", 6, "2023")
    found = outlook_of(model, panel, "SYN-3301")
    assert [g.probability for g in said.goals.goals] == [o.probability for o in found.outlooks]
    assert (said.goals.all_met, said.goals.expected) == (found.all, found.expected)
    assert wire.frame(said).filter(section="goals").height == 6
    out = Console(file=io.StringIO(), width=150)
    board_tables.show(out, said)
    text = out.file.getvalue()  # type: ignore[attr-defined]
    assert "goals of 2024 年度目标" in text
    assert "all met 全部达标" in text
    board_pages.write(said, tmp_path / "goals.html")
    assert "2024年度目标" in (tmp_path / "goals.html").read_text(encoding="utf-8")
