"""Figures say what they show, and refuse to show what does not belong together."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from engine import charts
from engine.calendar import end_of
from engine.errors import BadInput
from engine.estimate import LEVELS, quantile_name
from engine.news import SCHEMA

QUANTILES = {quantile_name(level): [k - 3.0, k - 2.5, k - 2.0] for k, level in enumerate(LEVELS)}
RECORDS = pl.DataFrame(
    {
        "period": ["2016-Q1", "2016-Q1", "2016-Q2"],
        "origin": [end_of(date(2016, 2, 29)), end_of(date(2016, 3, 31)), end_of(date(2016, 4, 30))],
        "timing": ["pseudo"] * 3,
        "mean": [0.0, 0.5, 1.0],
        "outcome": [0.8, 0.8, None],
        **QUANTILES,
    }
)


def test_the_same_figure_gives_the_same_bytes() -> None:
    one, two = (charts.fan(RECORDS, "title", "%") for _ in range(2))
    assert one == two
    assert one.startswith(b"<?xml")
    assert charts.fan(RECORDS.with_columns(pl.col("mean") + 0.1), "title", "%") != one


@pytest.mark.parametrize("language", charts.languages())
def test_every_language_this_machine_claims_can_be_drawn(
    language: charts.Language, recwarn: pytest.WarningsRecorder
) -> None:
    charts.fan(RECORDS, "季度" if language == "zh" else "quarter", "%", language)
    assert not [w for w in recwarn if "Glyph" in str(w.message)]


def test_real_and_pseudo_are_not_drawn_as_one() -> None:
    mixed = RECORDS.with_columns(timing=pl.Series(["pseudo", "real", "real"]))
    with pytest.raises(BadInput, match="one timing, not pseudo, real"):
        charts.fan(mixed, "title", "%")
    with pytest.raises(BadInput, match="not none"):
        charts.fan(RECORDS.clear(), "title", "%")


def test_names_at_the_ends_of_lines_keep_apart() -> None:
    places = charts._spread([1.0, 1.01, 1.02, 5.0], 0.5)
    assert np.allclose(places, [0.51, 1.01, 1.51, 5.0])
    assert charts._spread([1.0, 2.0], 0.5) == [1.0, 2.0]


def _table(*rows: tuple[str, str, float]) -> pl.DataFrame:
    return pl.DataFrame(
        [{"kind": k, "name_en": n, "name_zh": n, "period": "2016-06", "impact": v} for k, n, v in rows], schema=SCHEMA
    )


def test_the_waterfall_shows_large_releases_and_sums_the_others() -> None:
    table = _table(("release", "A", 0.2), ("release", "B", -0.5), ("release", "C", 0.001), ("revision", "A", 0.1),
                   ("revision", "B", 0.1), ("re-estimation", "", 0.05))  # fmt: skip
    bars = charts._bars(table, "en", 10)
    assert [(n, round(v, 6)) for n, v in bars] == [
        ("B 2016-06", -0.5), ("A 2016-06", 0.2), ("1 smaller", 0.001), ("revisions", 0.2), ("new parameters", 0.05),
    ]  # fmt: skip
    charts.news(table, (("2016-06-29", 1.0), ("2016-07-29", 0.951)), "news", "%")


def test_a_waterfall_that_misses_its_end_is_refused() -> None:
    with pytest.raises(BadInput, match="does not add up"):
        charts.news(_table(("release", "A", 0.2)), (("2016-06-29", 1.0), ("2016-07-29", 1.3)), "news", "%")


def test_a_made_up_place_is_written_across_every_figure() -> None:
    table = _table(("release", "A", 0.2))
    news = (table, (("2016-06-29", 1.0), ("2016-07-29", 1.2)), "news", "%")
    for plain, marked in (
        (charts.fan(RECORDS, "t", "%"), charts.fan(RECORDS, "t", "%", synthetic=True)),
        (charts.news(*news), charts.news(*news, synthetic=True)),
    ):
        rotated = b"rotate(-18)"
        assert rotated in marked
        assert rotated not in plain
