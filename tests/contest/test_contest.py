"""The tables of the contest on made-up records whose scores are known, and what must not pass."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from contest import china, choose, judge, page, pictures
from scipy.special import ndtri

from engine.calendar import Freq, Period
from engine.errors import BadInput
from engine.estimate import LEVELS
from experiments import spec
from experiments.replay import QUANTILES
from experiments.spec import Candidate

QUARTERS = [str(Period.parse("2005-Q1") + k) for k in range(40)]
HORIZONS = (-1, 0)


def truth() -> pl.DataFrame:
    return pl.DataFrame({"period": QUARTERS, "outcome": np.random.default_rng(0).normal(2.0, 1.0, len(QUARTERS))})


def records(spread: dict[str, float], seed: int = 1) -> pl.DataFrame:
    """Models whose errors are normal with these standard deviations, and whose bands say so."""
    g = np.random.default_rng(seed)
    out = dict(truth().rows())
    rows = []
    for model, sd in spread.items():
        for period in QUARTERS:
            for h in HORIZONS:
                month = Period.parse(period).last_month + h
                at = datetime(month.end.year, month.end.month, month.end.day, tzinfo=UTC)
                mean = out[period] + g.normal(0, sd)
                bands = dict(zip(QUANTILES, mean + sd * ndtri(LEVELS), strict=True))
                rows.append(
                    {"model": model, "origin": at, "period": period, "horizon": h, "published": False, "mean": mean}
                    | bands
                )
    return pl.DataFrame(rows)


SPREAD = {"good": 0.5, "fair": 0.9, "bad": 3.0}


def test_scores_are_those_of_the_errors() -> None:
    rows = judge.cases(records(SPREAD), truth())
    table = judge.table(rows, "bad", "good")
    assert table["model"].to_list() == ["good", "fair", "bad"]
    good = rows.filter(model="good")
    for h in HORIZONS:
        part = good.filter(horizon=h)
        by_hand = float(np.sqrt(((part["mean"] - part["outcome"]) ** 2).mean()))
        assert table.filter(model="good")[f"h{h}"].item() == pytest.approx(by_hand)
    top = table.row(0, named=True)
    assert top["rmse"] == pytest.approx(np.mean([top["h-1"], top["h0"]]))
    assert table["ratio"].to_list()[-1] == pytest.approx(1.0)
    assert top["dm_benchmark"] < 0.01
    assert top["dm_pool"] is None
    assert table["mcs_range"].to_list()[0] == 1.0
    assert table["mcs_range"].to_list()[-1] < 0.01
    assert table["cover80"].is_between(0.7, 0.9).all()
    found = judge.coverage(rows, "good")
    assert found["n"].to_list() == [40, 40, 40]
    assert found.drop_nulls("p80")["p80"].min() > 0.01


def test_years_are_left_out_and_published_ones_do_not_count() -> None:
    rows = judge.cases(records(SPREAD), truth(), without=(2008, 2009))
    assert not [p for p in rows["period"].unique() if p[:4] in ("2008", "2009")]
    assert rows["period"].n_unique() == 32
    told = records(SPREAD).with_columns(published=pl.col("period") == "2006-Q1")
    assert "2006-Q1" not in set(judge.cases(told, truth())["period"])


def test_a_missing_case_is_no_fair_comparison() -> None:
    short = records(SPREAD).filter(~((pl.col("model") == "fair") & (pl.col("period") == "2010-Q4")))
    with pytest.raises(BadInput, match="2010-Q4: the comparison would not be fair"):
        judge.cases(short, truth())


def test_prose_around_the_numbers_stays(tmp_path: Path) -> None:
    to = tmp_path / "contest.md"
    table = judge.table(judge.cases(records(SPREAD), truth()), "bad", "good")
    page.write(to, "Title", page.skill(table, "bad"))
    to.write_text(to.read_text().replace("# Title", "# Title\n\nWhat it shows.") + "\nWhat it does not.\n")
    page.write(to, "Title", page.tests(table, "bad", "good"))
    text = to.read_text()
    assert text.startswith("# Title\n\nWhat it shows.\n")
    assert text.rstrip().endswith("What it does not.")
    assert "MCS p, range" in text
    assert "against bad" not in text
    to.write_text("# no marks")
    with pytest.raises(SystemExit, match="marks"):
        page.write(to, "Title", "")


def test_the_choice_sees_nothing_after_2007() -> None:
    run, _ = spec.load("contest_us")
    assert choose._until(run.real)[-1] == choose.LAST == date(2007, 12, 31)
    assert choose.PSEUDO.days[-1] < choose.PSEUDO.vintage == run.real[0]
    assert run.pools[0] == "pool"  # which the page tests all others against
    assert set(run.models["pool"].options["members"]) <= set(choose.MAKES)


def test_the_choice_strips_samples_and_scores_plain_means() -> None:
    inner = {"members": {"a": {"model": "nowcast.ar", "options": {"since": "1985-01", "lags": 2}}}, "since": "1970-01"}
    assert choose._whole(Candidate("nowcast.pool", inner)).options == {
        "members": {"a": {"model": "nowcast.ar", "options": {"lags": 2}}}
    }
    wide = pl.DataFrame(
        {"horizon": [0, 0, 1, 1], "outcome": [0.0] * 4, "a": [1.0, 1, 3, 3], "b": [-1.0, 1, 1, 1], "ar": [2.0] * 4}
    )
    assert choose._ratios([wide, wide], ["a"], "ar") == pytest.approx((1.0, 1.0))  # (1 + 3) / 2 of 2
    assert choose._ratios([wide, wide], ["a", "b"], "ar")[0] == pytest.approx((np.sqrt(0.5) + 2) / 4)


def test_pictures_are_drawn() -> None:
    rows = judge.cases(records(SPREAD), truth())
    table = judge.table(rows, "bad", "good")
    for image in (
        pictures.skill(table, ["good", "bad"], "bad", "t", "%", "en"),
        pictures.fan(rows.filter(model="good"), 0, "t", "%", "en"),
        pictures.falls(rows.filter(model="good"), "t", "en"),
    ):
        assert image.startswith(b"\x89PNG")


def test_growth_of_the_month_on_the_year() -> None:
    """January and February as one, on February; a year-to-date figure is differenced first."""
    start = Period.parse("2010-01").ordinal
    flow = {start + t: 100.0 * (1.1 if t >= 12 else 1.0) * (1.5 if t == 12 else 1.0) for t in range(24)}
    grown = china._growth(flow, "flow")
    assert start + 12 not in grown
    assert grown[start + 13] == pytest.approx(100 * (1.1 * 2.5 / 2 - 1))
    assert grown[start + 14] == pytest.approx(10.0)
    totals: dict[int, float] = {}
    for t in range(24):
        totals[start + t] = flow[start + t] + (totals[start + t - 1] if t % 12 else 0.0)
    assert china._growth(totals, "ytd") == pytest.approx(grown)
    assert china._growth(flow, "rate") == flow


@pytest.mark.skipif(not china.DATA.exists(), reason="the internal figures are not on this machine")
def test_the_store_of_china_knows_by_the_calendar() -> None:
    store = china.store_of(china.DATA)
    assert len(store.series()) > 40
    delay = {s.id: s.indicator.delay_days for s in store.series().values()}
    assert (delay["pmi@CN"], delay["iva@CN"], delay["gdp_yoy@CN"]) == (0, 17, 18)
    history = store.history(["gdp_yoy@CN", "iva@CN"])
    gdp = {str(Period(Freq.Q, p)): v for p, v in history.filter(series="gdp_yoy@CN").select("period", "value").rows()}
    assert (gdp["2020-Q1"], gdp["2022-Q4"]) == (-6.9, 2.9)
    assert not any(p % 12 == 0 for p in history.filter(series="iva@CN")["period"])
