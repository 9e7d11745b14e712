"""The command says what the service says, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import pytest
from fastapi.testclient import TestClient

import featurestore.connect
from engine.errors import BadInput, NotReady, Unknown
from featurestore.store import Store
from tests.serving.shop import GDP, Run, Shop


@pytest.mark.parametrize(
    ("words", "query"),
    [
        ("--asof 2016-07-29", "?asof=2016-07-29"),
        ("--asof 2016-06-29 --period 2016-Q4 --period 2016-Q2", "?asof=2016-06-29&period=2016-Q2&period=2016-Q4"),
        ("", ""),
    ],
)
def test_json_is_the_body_of_the_http_answer(run: Run, http: TestClient, words: str, query: str) -> None:
    said = run("nowcast", GDP, *words.split(), "--json")
    assert said.exit_code == 0
    assert said.stdout_bytes == http.get(f"/v1/nowcasts/{GDP}{query}").content


def test_json_with_news(run: Run, http: TestClient) -> None:
    said = orjson.loads(run("nowcast", GDP, "--news-since", "2016-06-29", "--json").stdout_bytes)
    assert said["nowcast"] == http.get(f"/v1/nowcasts/{GDP}").json()
    url = f"/v1/nowcasts/{GDP}/news?from=2016-06-29&period="
    assert said["news"] == [http.get(url + period).json() for period in ("2016-Q2", "2016-Q3")]


def test_the_table_for_people(run: Run) -> None:
    text = run("nowcast", GDP, "--asof", "2016-07-29", "--news-since", "2016-06-29").output
    for part in ("实际国内生产总值", "as of 2016-07-29", "real time", "50 % band", "95 % band", "nowcast.bridge, version 1",
                 "run 5f0c6e3b", "learned as of 2016-06-29", "Industrial production", "工业生产指数"):  # fmt: skip
        assert part in text
    tables = text.split("News for ")[1:]
    assert [t[:7] for t in tables] == ["2016-Q2", "2016-Q3"]
    for table in (re.sub(r"(?m)^(change.*)\n[\s\S]*", r"\1", t) for t in tables):
        impacts = [float(x) for x in re.findall(r"([+-]\d+\.\d{3})$", table, re.MULTILINE)]
        before, after = (float(x) for x in re.findall(r"estimate \w+ .* (-?\d+\.\d{3})$", table, re.MULTILINE))
        *rows, change = impacts
        assert sum(rows) == pytest.approx(change, abs=6e-3)
        assert after - before == pytest.approx(change, abs=2e-3)
    assert max(map(len, text.splitlines())) <= 150


def test_publish_twice_says_so(run: Run, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def connect() -> Iterator[Store]:
        yield shop.store

    monkeypatch.setattr(featurestore.connect, "connect", connect)
    first = run("publish").output
    assert "2016-06-29" in first
    assert "2016-07-29" in first
    assert "nothing to publish" in run("publish").output


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("nope@US", Unknown),
        ("payems@US", NotReady),
        (f"{GDP} --asof yesterday", BadInput),
        (f"{GDP} --asof 2900-01-01", BadInput),
        (f"{GDP} --period soon", BadInput),
        (f"{GDP} --news-since 2016-07-29", BadInput),
    ],
)
def test_a_question_that_cannot_be_answered_is_a_domain_error(run: Run, words: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        run("nowcast", *words.split())
