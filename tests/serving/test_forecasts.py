"""Forecasts served: who answers, in which forms, one and many, and that nothing from after the day is used."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import cast

import numpy as np
import orjson
import polars as pl
import pytest
import seasonal
from click.testing import CliRunner
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from engine.calendar import Freq, Period, end_of
from engine.errors import BadInput, NoChampion, NotEnoughData, NotReady, Unknown
from engine.indicator import Series
from engine.settings import Settings
from engine.typing import Floats
from featurestore.memory import MemoryStore
from featurestore.panel import build_panel
from featurestore.store import VALUES, Release
from modelzoo import bundle, zoo
from modelzoo.bundle import Bundle
from serving import forecasts, wire
from serving.app import create_app
from serving.champions import Champion, Champions
from serving.forecast_schemas import Forecast
from tests.serving.shop import FakeChampions

DAY, LATER = end_of(date(2020, 11, 16)), end_of(date(2020, 12, 16))
YTD, RATE, SHORT, FLAT = (f"{n}@SYN-33" for n in ("ytd", "rate", "short", "flat"))


def shelf() -> MemoryStore:
    store = MemoryStore()
    held: dict[Series, Floats] = {
        seasonal.series(
            "ytd", Freq.M, kind="level_ytd", jan_feb="combined", module="three demands"
        ): seasonal.since_january(seasonal.growing(142, 12, 1)),
        seasonal.series("rate", Freq.M, kind="yoy_month", module="gdp"): seasonal.swinging(142, 2),
        seasonal.series("short", Freq.M, kind="level", module="gdp"): seasonal.growing(9, 12, 3),
        seasonal.series("flat", Freq.M, kind="share", module="gdp"): np.full(142, 3.0),
    }
    rows = [
        (s.id, seasonal.FIRST.ordinal + t, float(v), "A")
        for s, x in held.items()
        for t, v in enumerate(x)
        if not np.isnan(v)
    ]
    say(store, DAY, rows, list(held))
    return store


def say(store: MemoryStore, day: object, rows: list[tuple[str, int, float, str]], series: list[Series]) -> None:
    release = Release("test", str(day), day, "day", repr((day, rows)).encode())  # type: ignore[arg-type]
    store.append(release, pl.DataFrame(rows, schema=VALUES, orient="row"), series)


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    return shelf()


def champion(store: MemoryStore, name: str = "forecast.seasonal_naive") -> Champion:
    model = zoo.about(name, RATE, {})
    panel = build_panel(store, model.inputs, DAY)
    return Champion(
        f"forecast-{RATE.replace('@', '-')}",
        "3",
        "77ff",
        Bundle(name, model, (bundle.fit(model, panel),), panel.series),
    )


def test_without_a_champion_the_pool_answers_and_says_so(store: MemoryStore) -> None:
    said = forecasts.forecast(store, FakeChampions(None), YTD, DAY)
    assert (said.model, said.version, said.run_id, said.fitted_asof) == ("forecast.pool", None, None, "2020-11-16")
    assert said.newest == "2020-10"
    months = [r.period for r in said.estimates]
    assert months[:3] == ["2020-11", "2020-12", "2021-02"]  # no January is published
    assert len(months) == 11
    mean = [r.mean for r in said.estimates]
    assert said.newest_value < mean[0] < mean[1] > mean[2]
    assert mean[2] < mean[3] < mean[4]


def test_a_champion_answers_near_and_the_trend_far(store: MemoryStore) -> None:
    held = FakeChampions(champion(store))
    near = forecasts.forecast(store, held, RATE, DAY)
    assert (near.model, near.version, near.run_id) == ("forecast.seasonal_naive", "3", "77ff")
    values = build_panel(store, [RATE], DAY).values[:, 0]
    assert [r.mean for r in near.estimates] == pytest.approx(values[-12:].tolist())
    far = forecasts.forecast(store, held, RATE, DAY, Period.parse("2030"))
    assert (far.model, far.version, far.estimates[-1].period) == ("forecast.trend", None, "2030-12")
    assert forecasts.forecast(store, held, RATE, DAY, model="theta").model == "forecast.theta"


def test_nothing_from_after_the_day_is_used(store: MemoryStore) -> None:
    before = forecasts.forecast(store, FakeChampions(None), YTD, DAY)
    later = shelf()
    last = seasonal.FIRST.ordinal + 141
    say(later, LATER, [(YTD, last, 1.0, "A"), (YTD, last + 1, 99.0, "A")], [later.series()[YTD]])
    assert forecasts.forecast(later, FakeChampions(None), YTD, DAY) == before
    assert forecasts.forecast(later, FakeChampions(None), YTD, LATER) != before


def test_a_batch_says_what_each_call_says_and_why_others_are_left_out(store: MemoryStore) -> None:
    done: list[tuple[int, int]] = []
    ids = forecasts.chosen(store, [], "SYN-33")
    said = forecasts.many(
        store, FakeChampions(champion(store)), ids, DAY, workers=1, progress=lambda a, b: done.append((a, b))
    )
    assert [f.target for f in said.forecasts] == [RATE, YTD]
    assert said.forecasts == tuple(
        forecasts.forecast(store, FakeChampions(champion(store)), i, DAY) for i in (RATE, YTD)
    )
    reasons = {o.target: o.reason for o in said.left_out}
    assert "26 values" in reasons[SHORT]
    assert "are all 3" in reasons[FLAT]
    assert done[-1] == (3, 3)
    empty = forecasts.many(store, FakeChampions(None), [YTD, "none@SYN-33"], end_of(date(1990, 1, 1)), workers=1)
    assert len(empty.left_out) == 2
    assert not empty.forecasts


def test_series_are_chosen_by_pattern_region_and_module(store: MemoryStore) -> None:
    assert forecasts.chosen(store, ["r*@SYN-33", YTD]) == [RATE, YTD]
    assert forecasts.chosen(store, [], "SYN-33", "三大需求") == [YTD]
    for wrong in ({"patterns": ["z*"]}, {"patterns": [], "region": "CN"}, {"patterns": [RATE], "module": "finance"}):
        with pytest.raises(Unknown):
            forecasts.chosen(store, **wrong)


@pytest.mark.parametrize(
    ("target", "to", "model", "error", "said"),
    [
        ("none@SYN-33", None, None, Unknown, "none@SYN-33"),
        (SHORT, None, None, NotEnoughData, "26 values"),
        (RATE, "2020-10", None, BadInput, "published until 2020-10"),
        (RATE, "2040", None, BadInput, "more than 15 years"),
        (RATE, None, "nope", Unknown, "seasonal_naive"),
        (YTD, "2020-11-30", None, BadInput, "frequency"),
    ],
)
def test_what_cannot_be_answered_says_why(
    store: MemoryStore, target: str, to: str | None, model: str | None, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        forecasts.forecast(store, FakeChampions(None), target, DAY, Period.parse(to) if to else None, model)


def test_http_and_command_say_the_same_in_three_forms(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from featurestore import connect
    from serving import commands, forecast_commands

    @contextmanager
    def held() -> Iterator[MemoryStore]:
        yield store

    client = TestClient(create_app(store, FakeChampions(None), Settings(Path("/nowhere"), None, (), "")))
    url = f"/v1/forecasts/{YTD}?asof=2020-11-16&model=seasonal_naive&to=2022-06"
    body = client.get(url)
    assert body.status_code == 200, body.text
    said = TypeAdapter(Forecast).validate_json(body.content)
    assert wire.encode(said) == body.content
    table = pl.read_ipc_stream(io.BytesIO(client.get(url, headers={"Accept": wire.ARROW}).content))
    assert table["mean"].to_list() == [r.mean for r in said.estimates]
    assert table["version"].null_count() == table.height
    assert "q900" in client.get(url, headers={"Accept": wire.CSV}).text
    assert client.get(url, headers={"If-None-Match": body.headers["etag"]}).status_code == 304
    assert client.get("/v1/forecasts/none@SYN-33").status_code == 404
    assert client.get(f"/v1/forecasts/{SHORT}").json()["type"].endswith("not-enough-data")
    assert client.get(f"/v1/forecasts/{YTD}?until=2022").status_code == 422
    monkeypatch.setattr(connect, "connect", held)
    monkeypatch.setattr(commands, "_champions", lambda: FakeChampions(None))
    words = [YTD, "--asof", "2020-11-16", "--model", "seasonal_naive", "--to", "2022-06"]
    run = CliRunner()
    assert (
        run.invoke(forecast_commands.forecast, [*words, "--json"], catch_exceptions=False).stdout_bytes == body.content
    )
    drawn = tmp_path / "f.svg"
    text = run.invoke(forecast_commands.forecast, [*words, "--chart", str(drawn)], catch_exceptions=False).output
    assert "SYNTHETIC" in text
    assert "no champion" in text
    assert b"<svg" in drawn.read_bytes()
    many = ["--all", "SYN-33", "--workers", "1", "--model", "seasonal_naive"]
    listed = run.invoke(forecast_commands.forecast, many, catch_exceptions=False).output
    assert "2 series forecast, 2 left out" in listed
    both = orjson.loads(run.invoke(forecast_commands.forecast, [*many, "--json"], catch_exceptions=False).stdout_bytes)
    assert [o["target"] for o in both["left_out"]] == [FLAT, SHORT]
    assert run.invoke(forecast_commands.forecast, []).exit_code == 2


def test_a_frozen_champion_runs_over_what_came_since(store: MemoryStore) -> None:
    held = champion(store, "forecast.theta")
    later = shelf()
    say(later, LATER, [(RATE, seasonal.FIRST.ordinal + 142, 5.0, "A")], [later.series()[RATE]])
    said = forecasts.forecast(later, FakeChampions(held), RATE, LATER)
    assert (said.newest, said.fitted_asof, said.estimates[0].period) == ("2020-11", "2020-11-16", "2020-12")
    assert replace(held).kind == "forecast"


def test_a_registry_out_of_reach_is_no_missing_champion() -> None:
    """The default stands in where nobody was promoted, never where nobody can tell."""

    class Unreachable:
        def __init__(self, error: type[NotReady]) -> None:
            self._error = error

        def champion(self, target: str, kind: str = "nowcast") -> Champion:
            raise self._error("the MLflow server does not answer as it should")

    assert forecasts.champion_for(cast(Champions, Unreachable(NoChampion)), "x@US") is None
    with pytest.raises(NotReady, match="does not answer"):
        forecasts.champion_for(cast(Champions, Unreachable(NotReady)), "x@US")
