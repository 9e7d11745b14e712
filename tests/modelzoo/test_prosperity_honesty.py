"""The record of an index against numbers computed apart from it, and against models that cannot be revised."""

from __future__ import annotations

from datetime import timedelta

import indices
import numpy as np
import polars as pl
import pytest

from engine.calendar import Period
from engine.cycle import growth_cycle
from engine.errors import NotEnoughData
from engine.panel import Panel
from engine.record import FEWEST, record, words
from engine.revisions import LEAST
from engine.track import MATURE
from modelzoo.prosperity import honesty
from modelzoo.prosperity.composite import Composite
from modelzoo.prosperity.conference import Conference
from modelzoo.prosperity.diffusion import Diffusion

IDS = ("a@US", "b@US", "c@US")
MONTHS = 240


def whole() -> Panel:
    """Three levels with one cycle of 50 months, noise of their own, and a month's delay of the third."""
    g = np.random.default_rng(5)
    t = np.arange(MONTHS)
    wave = 0.04 * np.sin(2 * np.pi * t[:, None] / 50 + np.array([0.0, 0.3, -0.2]))
    level = 100 * np.exp(0.003 * t[:, None] + wave + 0.004 * g.normal(size=(MONTHS, 3)))
    level[-1, 2] = np.nan
    made: Panel = indices.panel("2000-01", level, [indices.series(i[0]) for i in IDS])
    return made


def until(months: int, scale: float = 1.0) -> Panel:
    """What was known so many months from the beginning; scale: of what was known of the newest month then, revised since."""
    p = whole()
    values = p.values[:months].copy()
    values[-1, 2] = np.nan
    values[-1, :2] *= scale
    cut: Panel = indices.panel("2000-01", values, p.series, indices.ASOF + timedelta(days=31 * (months - MONTHS)))
    return cut


def read(model: Conference | Composite | Diffusion, scale: float = 1.0) -> tuple[pl.DataFrame, list[honesty.Reading]]:
    now = until(MONTHS)
    fitted = model.fit(now)
    readings = honesty.readings(model, [until(n, scale) for n in range(100, MONTHS)], (fitted, now))["US"]
    return honesty.judged(fitted, readings), readings


def test_noise_and_signs_are_those_of_the_readings() -> None:
    """Age 0 and age 11 by hand: as each month's reading said it, against the last, of months old enough."""
    told, readings = read(Conference("coincident@US", IDS), 1.004)
    final = 100 * growth_cycle(np.log(readings[-1].values)).cycle
    newest = readings[-1].last
    for age in (0, 11):
        pairs = []
        for r in readings:
            at = len(r.values) - 1 - age
            if newest - (r.first + at) >= MATURE:
                pairs.append((100 * growth_cycle(np.log(r.values)).cycle[at], final[r.first + at - readings[-1].first]))
        said, became = np.array(pairs).T
        row = dict(told.filter(period=str(newest + -age)).select("level", "value").iter_rows())
        assert row["noise"] == pytest.approx(np.std(became - said, ddof=1) / np.std(became, ddof=1), rel=1e-9)
        assert row["sign"] == pytest.approx((np.sign(said) == np.sign(became)).mean())
        assert row["cycle"] == pytest.approx(final[-1 - age])
        assert row["cycle_low"] == pytest.approx(final[-1 - age] + np.quantile(became - said, 0.1))
    noise = told.filter(level="noise").sort("period")["value"].to_list()
    assert noise[-1] > noise[0] > 0  # the newest month is the least certain


def test_an_index_that_only_counts_rises_is_not_revised_unless_its_data_are() -> None:
    steady = read(Diffusion("coincident@US", IDS[:2], span=3))[0]
    assert set(steady.filter(level="noise")["value"]) == {0.0}
    assert set(steady.filter(pl.col("level").is_in(["sign", "direction"]))["value"]) == {1.0}
    revised = read(Diffusion("coincident@US", IDS[:2], span=3), 1.02)[0]
    newest = revised["period"].max()
    assert revised.filter(level="noise", period=newest)["value"].item() > 0.1
    assert set(revised.filter(pl.col("level") == "noise", pl.col("period") != newest)["value"]) == {0.0}


def test_the_turns_of_the_record_are_those_of_the_cycle_that_was_made() -> None:
    told = dict(
        read(Composite("coincident@US", IDS))[0]
        .filter(pl.col("level").str.starts_with("turns"))
        .select("level", "value")
        .iter_rows()
    )
    assert told["turns"] >= 2
    assert told["turns_found"] == 1.0
    assert 4 <= told["turns_months"] <= 8


def test_too_few_readings_say_so() -> None:
    now = until(MONTHS)
    model = Conference("coincident@US", IDS)
    fitted = model.fit(now)
    few = honesty.readings(model, [until(n) for n in range(MONTHS - 40, MONTHS)], (fitted, now))["US"]
    with pytest.raises(NotEnoughData, match="24 are needed"):
        honesty.judged(fitted, few)
    assert FEWEST == LEAST + MATURE + 11


def test_a_reading_that_ends_before_an_earlier_one_is_left_out() -> None:
    first = Period.parse("2000-01")
    lengths = (100, 101, 99, 102, 104, 103)
    table, start = honesty._table([honesty.Reading(first, np.ones(n)) for n in lengths])
    assert (table.shape, start) == ((103, 4), first)
    assert np.isfinite(table).sum(0).tolist() == [100, 101, 102, 103]


def test_what_is_said_of_a_record() -> None:
    def rows(*more: tuple[str, str, float]) -> pl.DataFrame:
        schema = {"unit": pl.String, "period": pl.String, "level": pl.String, "name": pl.String, "value": pl.Float64}
        return pl.DataFrame([("US", "2020-01", *m) for m in more], schema=schema, orient="row")

    assert record(rows(("index", "", 1.0)), "US") is None
    few = record(rows(("vintages", "real", 2.0), ("vintages", "pseudo", 30.0)), "US")
    assert few is not None
    assert few.timing == ""
    assert "2 earlier months with real vintages and 30 in pseudo real time are too few; 71" in words(few)[0][0]
    assert "真实历史版本" in words(few)[0][1]
    beside = [(level, "", 0.5) for level in ("cycle", "cycle_low", "cycle_high", "noise", "sign", "direction")]
    turns = [("turns", "", 4.0), ("turns_found", "", 0.75), ("turns_false", "", 0.5), ("turns_months", "", 6.0)]
    real = record(rows(("vintages", "real", 90.0), *beside, *turns), "US")
    assert real is not None
    assert (real.timing, real.months["2020-01"].noise) == ("real", 0.5)
    text = " ".join(en for en, _ in words(real))
    assert "90 earlier months" in text
    assert "(real time)" in text
    assert "of the 4 dated now, 75% were confirmed in their time, 6 months after them" in text
    pseudo = record(rows(("vintages", "real", 2.0), ("vintages", "pseudo", 90.0), *beside), "US")
    assert pseudo is not None
    assert pseudo.timing == "pseudo"
    assert "What offices revised is not in it" in words(pseudo)[0][0]
