"""The dashboard: all of it is served and nothing else, every section asks for routes that there are, in both languages."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, get_args, get_type_hints

import polars as pl
import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from engine.settings import Settings
from experiments.spec import Kind
from serving import wire
from serving.app import PAGES, create_app
from serving.cycles import _rows
from serving.schemas import NewsItem, Reading, Readings
from tests.engine import readings as small
from tests.serving import desk
from tests.serving import test_boards as duel
from tests.serving.shop import FakeChampions
from tests.serving.test_forecasts import RATE, SHORT, shelf

SECTIONS = sorted((PAGES / "sections").glob("*.js"))
KINDS = {"indices": small.INDEX, "lights": small.LIGHTS, "monitors": small.MONITOR, "scorecards": small.BOARD}
ROUTE = {"indices": "indices", "lights": "warnings", "monitors": "monitors", "scorecards": "scorecards"}
NODE = shutil.which("node")


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def words(script: str) -> dict[str, set[str]]:
    """The words of a file, by language."""
    parts = re.findall(r"^  (en|zh): \{(.*?)\},\n(?=  zh: |\};)", script, re.MULTILINE | re.DOTALL)
    return {lang: set(re.findall(r'(?:^|[{,\s])"?([\w-]+)"?: (?=["(\[])', said)) for lang, said in parts}


def test_every_file_is_reached_from_the_page_and_loads_nothing_from_elsewhere(http: TestClient) -> None:
    wanted = re.findall(r'(?:src|href)="(pages/[^"]+)"', http.get("/").text)
    seen: set[Path] = {PAGES / "index.html"}
    while wanted:
        name = wanted.pop()
        reply = http.get(f"/{name}")
        assert reply.status_code == 200, name
        outside = r"@import|url\(" if name.endswith(".css") else r"\beval\(|\bimport\("
        assert not re.search(rf"https?://|{outside}", reply.text), name
        assert len(reply.text.splitlines()) <= 300, name
        file = (PAGES.parent / name).resolve()
        if file not in seen:
            seen.add(file)
            found = re.findall(r'^import (?:[^"]* from )?"(\.[^"]+)";$', reply.text, re.MULTILINE)
            wanted += [str((file.parent / i).resolve().relative_to(PAGES.parent)) for i in found]
    assert seen == {f for f in PAGES.rglob("*") if f.is_file()}


def test_every_section_is_offered_and_reads_routes_that_there_are(http: TestClient) -> None:
    paths = {re.sub(r"{\w+}", "*", p) for p in http.get("/openapi.json").json()["paths"]}
    listed = re.findall(r'^import \w+ from "\./(\w+)\.js";$', read(PAGES / "sections/all.js"), re.MULTILINE)
    assert {f.stem for f in SECTIONS} == {*listed, "all"}
    asked: set[str] = set()
    for file in SECTIONS:
        script = read(file)
        if file.stem == "all":
            continue
        (route,) = re.findall(r'^  route: "([^"]+)",$', script, re.MULTILINE)
        (kind,) = re.findall(r'^  kind: "([^"]*)",$', script, re.MULTILINE)
        assert kind in ("", *Kind.__args__), file.stem  # type: ignore[attr-defined]
        assert f'name: "{file.stem}"' in script
        asked.add(route)
        asked |= {f"/v1/{r}" for r in re.findall(r'called\("([^"]+)"', script)}
        asked |= {f"/{r}" for r in re.findall(r'[`"](v1/[^`"?]+)', re.sub(r"\$\{encodeURI[^}]+\}", "*", script))}
        asked |= {f"/v1/nowcasts/*{more}" for more in re.findall(r'"(/news|/coming|/what-if)"', script)}
    asked = {re.sub(r"{\w+}", "*", a.replace("${more}", "")) for a in asked}
    assert len(asked) >= 10
    assert asked <= paths


@pytest.mark.parametrize("file", [f for f in SECTIONS if f.stem != "all"], ids=lambda f: f.stem)
def test_every_word_is_there_in_both_languages(file: Path) -> None:
    script, common = read(file), words(read(PAGES / "words.js"))
    own = words(script)
    assert own["en"] == own["zh"]
    assert common["en"] == common["zh"]
    assert len(common["en"]) > 40
    assert file.stem in own["en"]
    charts = "".join(read(PAGES / "charts" / f) for f in re.findall(r'"\.\./charts/(\w+\.js)"', script))
    charts += "".join(read(PAGES / f) for f in re.findall(r'"\.\./((?:awaited|proof|unit)\.js)"', script))
    said = set(re.findall(r'say\("([\w-]+)"\)', script + charts + read(PAGES / "readings.js")))
    assert said <= own["en"] | common["en"], said - own["en"] - common["en"]


def test_every_kind_of_news_has_its_word() -> None:
    kinds = get_args(get_args(get_type_hints(NewsItem, include_extras=True)["kind"])[0])
    assert len(kinds) == 4
    own = words(read(PAGES / "sections/nowcasts.js"))
    assert {*kinds} <= own["en"]


def test_a_made_up_place_is_named_above_the_numbers_and_across_each_chart() -> None:
    assert 'id="synthetic"' in read(PAGES / "index.html")
    assert 'page.say("mark")' in read(PAGES / "html.js")
    for file in (PAGES / "charts").glob("*.js"):
        assert re.search(r"\bsvg\(page, ", read(file)), file.name
        assert "<svg" not in re.sub(r"const swatch = .*", "", read(file)), file.name


def answer(kind: str, table: pl.DataFrame, synthetic: bool) -> Readings:
    names = {"US": ("United States", "美国"), "SYN-33": ("Synthetic <Zhejiang>", "合成浙江"), "b": ("Bee", "乙")}
    rows = [
        Reading(**r, unit_en=names.get(r["unit"], ("",))[0], unit_zh=names.get(r["unit"], ("", ""))[1], name_en="", name_zh="")
        for r in table.iter_rows(named=True)
    ]  # fmt: skip
    return Readings(
        target="x@SYN-33", kind=kind, title_en="Title", title_zh="题目", asof="2024-04-30", model="m", version="1",
        run_id="r", fitted_asof="2024-04-30", timing="real", panel="p" * 64, is_synthetic=synthetic, readings=tuple(rows),
    )  # fmt: skip


def drawn(answers: dict[str, Any], asked: list[dict[str, Any]]) -> dict[str, Any]:
    if NODE is None:
        pytest.skip("needs node, to run the scripts of the page without a browser")
    done = subprocess.run(
        [NODE, str(Path(__file__).with_name("draw.mjs")), str(PAGES)],
        input=json.dumps({"answers": answers, "asked": asked}), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


@pytest.mark.parametrize("synthetic", [False, True])
def test_readings_are_drawn_at_any_width_in_both_languages(synthetic: bool) -> None:
    answers: dict[str, Any] = {}
    for name, table in KINDS.items():
        said = answer(name, table, synthetic)
        answers[f"v1/{ROUTE[name]}/x@SYN-33"] = json.loads(wire.encode(said))
        if name == "indices":
            answers["v1/indices/x@SYN-33/cycle"] = {"cycle": json.loads(wire.encode(list(_rows(said))))}
    asked = [
        {"name": n, "lang": lang, "width": width, "target": "x@SYN-33"}
        for n in KINDS for lang in ("en", "zh") for width in (320, 1100)
    ]  # fmt: skip
    found = drawn(answers, asked)
    assert found["missing"] == []
    mark = {"en": "SYNTHETIC DATA", "zh": "合成数据"}
    for one in found["drawn"]:
        html, where = one["html"], (one["name"], one["lang"], one["width"])
        assert not re.search(r"NaN|undefined|null|Infinity|\[object", html), where
        charts = re.findall(r'<svg class="plot [^>]*width="([\d.]+)"', html)
        assert charts, where
        assert all(float(w) <= one["width"] for w in charts), where
        assert html.count(mark[one["lang"]]) == (len(charts) if synthetic else 0), where
        assert html.count('role="group" aria-label="') >= len(charts)
        assert html.count('tabindex="0" data-x') == len(charts), where  # one way into each chart by keyboard
        assert "<Zhejiang>" not in html
        assert ("题目" if one["lang"] == "zh" else "Title") in html
    text = {(o["name"], o["lang"], o["width"]): o["html"] for o in found["drawn"]}
    line = text["indices", "en", 1100]
    assert line.count('class="peak"') + line.count('class="trough"') >= 4
    assert "Cycle clock" in line
    assert "▲" in text["lights", "zh", 320]
    assert "红灯" in text["lights", "zh", 320]
    assert "carried" in text["lights", "en", 1100]
    assert re.search(r"1\s+Bee", text["scorecards", "en", 320])
    assert "80% 区间" in text["monitors", "zh", 1100]


def test_a_probability_is_drawn_in_per_cent() -> None:
    table = small.index_of([0.25, 0.5, 0.75], "SYN-33", "", "2024-01").filter(pl.col("level") == "index")
    answers = {"v1/warnings/x@SYN-33": json.loads(wire.encode(answer("warning", table, True)))}
    (one,) = drawn(answers, [{"name": "lights", "lang": "en", "width": 900, "target": "x@SYN-33"}])["drawn"]
    assert "Chance of a downturn, %" in one["html"]
    assert ": 75.00" in one["html"]


def test_nowcasts_and_models_are_drawn_from_the_service_itself(http: TestClient) -> None:
    paths = [
        "v1/nowcasts/gdpc1@US",
        "v1/series/gdpc1@US",
        "v1/nowcasts/gdpc1@US/news",
        "v1/nowcasts/gdpc1@US/coming",
        "v1/models/nowcast-gdpc1-US/versions",
    ]
    answers = {p: http.get(f"/{p}").json() for p in paths}
    coming = answers["v1/nowcasts/gdpc1@US/coming"]
    due = coming["releases"][0]
    question = {
        "period": coming["period"],
        "suppose": [{"series": due["series"], "period": due["period"], "value": 3.5}],
    }
    what = http.post("/v1/nowcasts/gdpc1@US/what-if", json=question).json()
    answers["v1/nowcasts/gdpc1@US/what-if"] = what
    choice = {"release": f"{due['series']} {due['period']}", "value": "3.5"}
    models = http.get("/v1/models").json()["models"]
    asked: list[dict[str, Any]] = [
        {"name": n, "lang": lang, "width": 390, "target": "gdpc1@US", "models": models, "choice": choice}
        for n in ("nowcasts", "models") for lang in ("en", "zh")
    ]  # fmt: skip
    found = drawn(answers, asked)
    assert found["missing"] == []
    for one in found["drawn"]:
        assert not re.search(r"NaN|undefined|null|Infinity", one["html"]), one["name"]
    assert found["drawn"][0]["html"].count('class="b95"') >= 2
    english, chinese = (o["html"] for o in found["drawn"][:2])
    assert f"{100 * due['reduction_in_turn']:.1f} %" in english
    assert due["day"] in english
    assert f"<strong>{what['after']['mean']:.2f}</strong>".replace("-", "−") in english
    assert "假设情形" in chinese
    assert "Asking the service" in found["drawn"][0]["first"]
    assert "nowcast-gdpc1-US" in found["drawn"][2]["html"]
    sections = {s["name"]: s for s in found["about"]}
    assert TypeAdapter(list[str]).validate_python(list(sections))[0] == "nowcasts"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_forecast_is_a_line_and_its_fan_and_says_who_answered(lang: str) -> None:
    client = TestClient(create_app(shelf(), FakeChampions(None), Settings(Path("/nowhere"), None, (), "")))
    day = "?asof=2021-01-31"
    paths = [f"v1/series/{RATE}", f"v1/forecasts/{RATE}", f"v1/series/{SHORT}", f"v1/forecasts/{SHORT}"]
    answers = {p: client.get(f"/{p}{day}").json() for p in paths} | {
        "v1/indicators": client.get("/v1/indicators").json()
    }
    asked = [
        {"name": "forecasts", "lang": lang, "width": width, "choice": {"series": series}}
        for series in (RATE, SHORT, "SYN ra") for width in (320, 1100)
    ]  # fmt: skip
    found = drawn(answers, asked)
    assert found["missing"] == []
    for one in found["drawn"]:
        assert not re.search(r"NaN|undefined|null|Infinity|\[object", one["first"] + one["html"])
    forecast, refused, searched = (o["html"] for o in found["drawn"][::2])
    waiting = found["drawn"][0]["first"]
    last = answers[f"v1/forecasts/{RATE}"]["estimates"][-1]
    for part in ('class="b95"', "line ahead", last["period"], f'<data value="{last["quantiles"]["q975"]}">'):
        assert part in forecast
        assert part not in waiting
    assert "forecast.pool" in forecast
    assert 'class="line"' in waiting
    assert forecast.count({"en": "SYNTHETIC DATA", "zh": "合成数据"}[lang]) == 1
    assert "26 values" in refused
    assert {"en": "No forecast:", "zh": "无法预测："}[lang] in refused
    assert 'class="line"' in refused
    assert f'<button type="button" data-choose="series" value="{RATE}">' in searched
    assert f'value="{SHORT}">{SHORT}' not in searched


def opened(client: TestClient, name: str, path: str, choice: str, more: str, query: str) -> tuple[Any, list[str]]:
    """What the service says of a thing that is opened, and the section with it, in English and Chinese, narrow and wide."""
    board = client.get(f"/{path}?asof={query}").json()
    period = choice.partition(" ")[2]
    said = client.get(
        f"/{path}/{more}?asof={query}" + (f"&region={choice.split()[0]}&period={period}" if period else "")
    )
    assert said.status_code == 200, said.text
    answers = {path: board, f"{path}/{more}": said.json()}
    asked = [
        {"name": name, "lang": lang, "width": width, "target": board["target"], "choice": {"open": choice}}
        for lang in ("en", "zh") for width in (320, 1100)
    ]  # fmt: skip
    found = drawn(answers, asked)
    assert found["missing"] == []
    for one in found["drawn"]:
        assert not re.search(r"NaN|undefined|null|Infinity|\[object", one["first"] + one["html"])
        assert re.search(r"Asking the service|正在查询", one["first"])
        assert one["html"].count('id="opened"') == 1
    return said.json(), [o["html"] for o in found["drawn"]]


def test_a_light_opens_its_proof() -> None:
    champions = FakeChampions(None, (desk.lights(), desk.index()))
    client = TestClient(create_app(desk.store(), champions, Settings(Path("/nowhere"), None, (), "")))
    said, (english, _, chinese, _) = opened(
        client, "lights", f"v1/warnings/{desk.LIGHTS}", f"{desk.REGION} 2024-03", "proof", "2024-06-30"
    )
    assert f'data-open="{desk.REGION} 2024-03"' in english
    proof = english[english.index('id="opened"') :]
    flips = [i for i in said["items"] if i["needed"] is not None]
    assert flips
    for item in said["items"]:
        assert " | ".join(f"{c:.2f}".replace("-", "−") for c in item["cuts"]) in proof
    for item in flips:
        assert f'<data value="{item["needed"]}">' in proof
    assert said["thresholds"] in proof
    assert "现行阈值" in chinese


def test_a_unit_of_a_scorecard_opens_its_page() -> None:
    store = duel.stored()
    champions = FakeChampions(None, (duel.version(store, "2", duel.framework()),))
    client = TestClient(create_app(store, champions, Settings(Path("/nowhere"), None, (), "")))
    unit = duel.UNITS[1]
    said, (english, _, chinese, _) = opened(
        client, "scorecards", f"v1/scorecards/{duel.TARGET}", unit, f"units/{unit}", "2017-02-10"
    )
    assert f'role="button" data-open="{unit}"' in english
    page = english[english.index('id="opened"') :]
    assert "2 of 3" in page
    for lift in said["lifts"]:
        assert f'<data value="{lift["needed"]}">' in page
    assert "税收" in chinese[chinese.index('id="opened"') :]
