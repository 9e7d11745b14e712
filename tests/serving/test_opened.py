"""A light opens to its proof and a change to its steps: exact, as of the day, the same by command and by route."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

import featurestore.connect
from engine.calendar import Period
from engine.errors import BadInput, NotEnoughData, Unknown
from engine.settings import Settings
from featurestore.panel import build_panel
from modelzoo.warning.lights import FittedLights
from serving import changes, commands, proofs, readings, schemas_opened, wire
from serving.app import create_app
from tests.serving import desk
from tests.serving.desk import INDEX, LIGHTS, day
from tests.serving.shop import FakeChampions

JUNE, JULY = day(2024, 6, 30), day(2024, 7, 31)
ROUTES: dict[str, Any] = {
    f"/v1/warnings/{LIGHTS}/proof?asof=2024-06-30": schemas_opened.LightProof,
    f"/v1/warnings/{LIGHTS}/proof?asof=2024-06-30&region=SYN-33&period=2024-03": schemas_opened.LightProof,
    f"/v1/warnings/{LIGHTS}/changes?from=2024-06-12&to=2024-06-30": schemas_opened.Changes,
    f"/v1/indices/{INDEX}/changes?from=2024-06-30&to=2024-07-31&region=SYN-33&period=2024-04": schemas_opened.Changes,
}


@pytest.fixture(scope="module")
def champions() -> FakeChampions:
    return FakeChampions(None, (desk.lights(), desk.index()))


@pytest.fixture(scope="module")
def client(champions: FakeChampions) -> TestClient:
    app = create_app(desk.store(), champions, Settings(Path("/nowhere"), None, (), ""))
    return TestClient(app, raise_server_exceptions=False)


def fitted(asof: Any = JUNE) -> tuple[FittedLights, Any]:
    panel = readings.panel_of(desk.store(), desk.lights(), asof)
    one = desk.lights().fit_for(panel).fitted
    assert isinstance(one, FittedLights)
    return one, panel


@pytest.mark.parametrize("url", ROUTES)
def test_routes_follow_their_schemas_in_three_forms(client: TestClient, url: str) -> None:
    body = client.get(url)
    assert body.status_code == 200, body.text
    said = TypeAdapter(ROUTES[url]).validate_json(body.content)
    assert wire.encode(said) == body.content
    table = pl.read_ipc_stream(io.BytesIO(client.get(url, headers={"Accept": wire.ARROW}).content))
    assert table.height == len(said.items)
    assert table["is_synthetic"].all()
    csv = pl.read_csv(io.BytesIO(client.get(url, headers={"Accept": wire.CSV}).content))
    assert csv.columns == table.columns


def test_a_proof_is_what_the_light_was_made_of(champions: FakeChampions) -> None:
    one, panel = fitted()
    said = proofs.proof(desk.store(), champions, LIGHTS, JUNE)
    told = one.lights(panel, [Period.parse(said.period)])
    assert (said.period, said.index, said.light) == (str(one.newest(panel)), told.index[0], told.light[0])
    assert math.fsum(i.adds for i in said.items) == pytest.approx(said.index, abs=1e-9)
    assert [i.cuts for i in said.items] == [tuple(c) for c in told.cuts[0]]
    assert [i.score or 0 for i in said.items] == told.scores[0].tolist()
    assert (
        said.thresholds == "quantiles 2008-01…2022-12"
    )  # of a fit as of December 2023, when that year was not settled
    assert said.fitted_asof == "2023-12-31"
    assert all(i.name_zh and i.name_en for i in said.items)


def test_a_flip_that_is_told_flips_the_light(champions: FakeChampions) -> None:
    """In some month of two years one item alone can: its value changed by that much in the panel, the light is that one."""
    one, panel = fitted()
    found = 0
    for month in (one.newest(panel) + -k for k in range(6, 30, 4)):
        said = proofs.proof(desk.store(), champions, LIGHTS, JUNE, None, month)
        for k, item in enumerate(said.items):
            if item.change is None or item.mark_en or panel.meaning(item.item).freq.value != "M":
                continue
            if one.model.items[k].form == "growth":
                continue
            column = panel.matrix([item.item])
            column[month - panel.first, 0] = item.needed
            other = one.lights(panel.with_values([item.item], column), [month])
            assert other.light[0] == item.flips_to != said.light
            found += 1
    assert found > 3


def test_the_history_is_what_was_known_at_the_end_of_each_month(champions: FakeChampions) -> None:
    said = proofs.proof(desk.store(), champions, LIGHTS, JUNE)
    assert len(said.history) == proofs.MONTHS
    row = next(r for r in said.history if r.period == "2024-03")
    assert row.first_asof == "2024-04-30"
    one, then = fitted(day(2024, 4, 30))
    told = one.lights(then, [Period.parse("2024-03")])
    assert (row.first_index, row.first_light) == (told.index[0], told.light[0])
    assert any(r.first_index != r.index for r in said.history)  # or nothing was ever revised


def test_the_thresholds_before_are_those_of_a_year_earlier(champions: FakeChampions) -> None:
    said = proofs.proof(desk.store(), champions, LIGHTS, JUNE)
    (before,) = said.before
    assert before.rules_en == "thresholds before: quantiles 2008-01…2021-12"
    assert before.rules_zh == "此前的阈值：quantiles 2008-01…2021-12"
    assert before.differ == ("thresholds",)
    model, panel = fitted()[0].model, fitted()[1]
    older = model.fit(build_panel(desk.store(), model.inputs, day(2023, 3, 31)))
    told = older.lights(panel, [Period.parse(said.period)])
    assert (before.index, before.light) == (told.index[0], told.light[0])


def test_the_version_before_is_asked_too_and_what_differs_is_said() -> None:
    items = fitted()[0].model.items
    heavy = (replace(items[0], weight=20), *items[1:])
    older = desk.champion(
        "warning", replace(fitted()[0].model, items=heavy, delta=0.0), "warning.lights", day(2023, 12, 31), version="1"
    )
    now = replace(desk.lights(), version="2")
    said = proofs.proof(desk.store(), FakeChampions(None, (now,), (older,)), LIGHTS, JUNE)
    version = said.before[1]
    assert version.rules_en.startswith("version 1: ")
    assert version.differ == ("weights", "rules")
    assert version.index != said.index


@pytest.mark.parametrize("target", [LIGHTS, INDEX])
def test_nothing_that_came_later_moves_a_proof_or_a_change(champions: FakeChampions, target: str) -> None:
    inputs = champions.champion(target, "warning" if target == LIGHTS else "index").bundle.model.inputs
    other = desk.altered(JULY, inputs)
    if target == LIGHTS:
        assert proofs.proof(other, champions, LIGHTS, JULY) == proofs.proof(desk.store(), champions, LIGHTS, JULY)
    kind = "warning" if target == LIGHTS else "index"
    a, b = (changes.changes(s, champions, kind, target, JUNE, JULY) for s in (desk.store(), other))
    assert a == b
    earlier = desk.altered(JUNE, inputs)
    assert changes.changes(earlier, champions, kind, target, JUNE, JULY).after != a.after


@pytest.mark.parametrize(("kind", "target"), [("warning", LIGHTS), ("index", INDEX)])
def test_changes_add_up_between_what_was_read_on_the_two_days(champions: FakeChampions, kind: str, target: str) -> None:
    moved = 0
    for since, until in ((day(2024, 6, 12), JUNE), (JUNE, JULY), (day(2024, 3, 20), day(2025, 5, 31))):
        said = changes.changes(desk.store(), champions, kind, target, since, until)
        assert said.before.period < said.after.period or until == JUNE
        assert math.fsum(i.impact for i in said.items) == pytest.approx(said.change, abs=1e-9)
        assert math.fsum(said.sums.values()) == pytest.approx(said.change, abs=1e-9)
        for end, asof in ((said.before, since), (said.after, until)):
            read = readings.ask(desk.store(), champions.champion(target, kind), asof, 24).rows
            value = read.filter(pl.col("period") == end.period, pl.col("level") == "index")["value"].item()
            assert end.value == pytest.approx(value, abs=1e-9)
        if kind == "warning":
            lights = [said.before.light, *(i.light_after for i in said.items)]
            assert lights[-1] == said.after.light
        moved += said.change != 0
    assert moved
    assert said.sums["new months"] != 0
    held = changes.changes(
        desk.store(), champions, kind, target, day(2024, 3, 20), day(2025, 5, 31), None, Period.parse("2023-06")
    )
    assert (held.before.period, held.after.period, held.sums["new months"]) == ("2023-06", "2023-06", 0)
    assert held.change == pytest.approx(math.fsum(held.sums.values()), abs=1e-9)


def test_another_model_between_two_days_is_a_step_of_its_own() -> None:
    """On the earlier day version 1, a composite, had published; today the Conference Board's form answers."""
    old, now = desk.index("prosperity.composite"), replace(desk.index(), version="2")
    store = desk.of(desk.store().all)  # type: ignore[attr-defined]
    store.published = desk.published(old, JUNE)  # type: ignore[attr-defined]
    said = changes.changes(store, FakeChampions(None, (now,), (old,)), "index", INDEX, JUNE, JULY)
    assert (said.before.version, said.after.version) == ("1", "2")
    assert said.sums["rules"] != 0
    assert math.fsum(said.sums.values()) == pytest.approx(said.change, abs=1e-9)
    without = changes.changes(desk.store(), FakeChampions(None, (now,), (old,)), "index", INDEX, JUNE, JULY)
    assert without.sums["rules"] == 0


def test_what_cannot_be_opened_says_why(champions: FakeChampions) -> None:
    store = desk.store()
    with pytest.raises(Unknown, match="does not read SYN-3301"):
        proofs.proof(store, champions, LIGHTS, JUNE, "SYN-3301")
    with pytest.raises(NotEnoughData, match="2024-12"):
        proofs.proof(store, champions, LIGHTS, JUNE, None, Period.parse("2024-12"))
    with pytest.raises(BadInput, match="is not before"):
        changes.changes(store, champions, "index", INDEX, JULY, JULY)
    with pytest.raises(NotEnoughData, match="2024-07"):
        changes.changes(store, champions, "index", INDEX, JUNE, JULY, None, Period.parse("2024-07"))
    other = FakeChampions(None, (replace(desk.index(), name=f"warning-{INDEX.replace('@', '-')}"),))
    with pytest.raises(BadInput, match="no index of lights"):
        proofs.proof(store, other, INDEX, JUNE)


def test_the_command_says_what_the_route_says(
    client: TestClient, champions: FakeChampions, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def connect() -> Iterator[Any]:
        yield desk.store()

    monkeypatch.setattr(featurestore.connect, "connect", connect)
    monkeypatch.setattr(commands, "_champions", lambda: champions)

    def run(name: str, *words: str, code: int = 0) -> Any:
        said = CliRunner().invoke(getattr(commands, name), words, catch_exceptions=False)
        assert said.exit_code == code, said.output
        return said

    proof = f"/v1/warnings/{LIGHTS}/proof?asof=2024-06-30&period=2024-03"
    said = run("warning", LIGHTS, "--asof", "2024-06-30", "--period", "2024-03", "--proof", "--json")
    assert said.stdout_bytes == client.get(proof).content
    moved = f"/v1/indices/{INDEX}/changes?from=2024-06-12&to=2024-07-31"
    assert run("index", INDEX, "--since", "2024-06-12", "--asof", "2024-07-31", "--json").stdout_bytes == (
        client.get(moved).content
    )
    text = run("warning", LIGHTS, "--asof", "2024-06-30", "--proof").output
    for part in ("SYNTHETIC 合成数据", "thresholds in force 现行阈值", "社会消费品零售", "此前的阈值", "first known 首次可知",
                 "flips 翻转", "2024-05"):  # fmt: skip
        assert part in text, text
    text = run("index", INDEX, "--since", "2024-06-12", "--asof", "2024-07-31").output
    for part in ("before 之前", "after 之后", "新月份", "新数据", "2024-05", "2024-06", "change"):
        assert part in text, text
    assert "one at a time" in run("warning", LIGHTS, "--proof", "--since", "2024-06-30", code=2).output
    assert "--period goes with" in run("index", INDEX, "--period", "2024-03", code=2).output
    assert "--months" in run("warning", LIGHTS, "--proof", "--months", "3", code=2).output


def test_thresholds_and_all_marks_are_among_the_readings_and_months_are_as_many_as_asked(client: TestClient) -> None:
    url = f"/v1/warnings/{LIGHTS}?asof=2024-06-30"
    rows = client.get(url).json()["readings"]
    newest = max(r["period"] for r in rows)
    one, panel = fitted()
    for k in range(4):
        told = {r["name"]: r["value"] for r in rows if r["level"] == f"cut{k + 1}"}
        assert {r["period"] for r in rows if r["level"] == f"cut{k + 1}"} == {newest}
        assert told == dict(zip(one.model.inputs, one.cuts[:, k].tolist(), strict=True))
    for months in (1, 3, 24, 60):
        asked = client.get(f"{url}&months={months}").json()["readings"]
        assert len({r["period"] for r in asked}) == months
    whole = client.get(f"{url}&months=0").json()["readings"]
    assert {r["period"] for r in whole} == {str(p) for p in one.lights(panel).periods}
    assert client.get(f"{url}&months=-1").status_code == 422
    assert client.get(f"/v1/indices/{INDEX}?asof=2024-06-30&months=0").status_code == 200
    assert np.isfinite([r["value"] for r in whole]).all()
