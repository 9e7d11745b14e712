"""Lights and alarms of the synthetic province and its 11 cities, as of real days; the shocks are known by construction."""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np
import polars as pl
import pytest

from engine.calendar import Freq, Period, end_of
from engine.classify import auroc
from engine.indicator import Series
from engine.lights import Light
from engine.panel import NEVER, Panel
from featurestore.sources.province import Economy, economy
from modelzoo.warning import alarms, rules
from modelzoo.warning.bridge import bridge
from modelzoo.warning.event import Event
from modelzoo.warning.lights import CompositeLights
from modelzoo.warning.proof import first_published

PROVINCE = CompositeLights("warning@SYN-33")
CITIES = tuple(CompositeLights(f"warning@SYN-33{n:02d}", rules.load("zhejiang_city")[0]) for n in range(1, 12))


@cache
def world() -> tuple[Economy, pl.DataFrame, dict[str, Series]]:
    """The economy, all values with the instants at which they became known (microseconds), and what the series mean.

    Straight from the releases: a store would say the same, and takes twenty times as long to fill.
    """
    made = economy()
    loads = list(made.releases())
    meaning = {s.id: s for load in loads for s in load.series}
    wanted = {i for m in (PROVINCE, *CITIES) for i in m.inputs}
    wanted |= {i for r in alarms.load() for i in r.inputs("SYN-33")} & set(meaning)
    when = [int(load.release.known_at.timestamp() * 1e6) for load in loads]
    values = pl.concat(
        [
            load.values.select("series", "period", "value", known=pl.lit(at))
            for load, at in zip(loads, when, strict=True)
        ]
    )
    return made, values.filter(pl.col("series").is_in(wanted)), {i: meaning[i] for i in sorted(wanted)}


@cache
def known(year: int, month: int, day: int) -> Panel:
    """The last version of each value at the end of that day; all series are analysed as they are published."""
    asof, (_, values, meaning) = end_of(date(year, month, day)), world()
    then = values.filter(pl.col("known") <= int(asof.timestamp() * 1e6)).sort("known", maintain_order=True)
    last = then.group_by("series", "period", maintain_order=True).last()
    place = {i: k for k, i in enumerate(meaning)}
    column = np.array([place[i] for i in last["series"]])
    quarterly = np.array([s.freq is Freq.Q for s in meaning.values()])[column]
    rows = np.where(quarterly, last["period"].to_numpy() * 3 + 2, last["period"].to_numpy())
    first = int(rows.min())
    shape = (int(rows.max()) - first + 1, len(meaning))
    x, stamps = np.full(shape, np.nan), np.full(shape, NEVER)
    x[rows - first, column] = last["value"].fill_null(np.nan).to_numpy()
    stamps[rows - first, column] = last["known"].to_numpy()
    return Panel(asof, tuple(meaning.values()), Period(Freq.M, first), x, np.where(np.isnan(x), NEVER, stamps))


def test_twelve_regions_have_their_lights() -> None:
    panel = known(2024, 6, 28)
    for model in (PROVINCE, *CITIES):
        told = model.fit(panel).lights(panel)
        assert told.periods[-1] >= Period.parse("2024-04")
        assert set(told.light.tolist()) == {1, 2, 3, 4, 5}, model.region
        assert len(told.periods) > 180


def test_the_index_follows_the_state_that_nobody_knows() -> None:
    """Against the latent activity of the economy; cold lights against the coldest fifth of its months. The items are growth on the
    year before and sums since January, so they cannot follow it to the month."""
    made, _, _ = world()
    panel = known(2026, 2, 20)
    told = PROVINCE.fit(panel).lights(panel)
    truth = dict(made.truth.states.select("period", "activity").iter_rows())
    activity = np.array([truth[p.ordinal] for p in told.periods])
    assert np.corrcoef(told.index, activity)[0, 1] > 0.6
    lowest = activity <= np.quantile(activity, 0.2)
    assert auroc(-told.index, lowest.astype(float)) > 0.75
    cold = told.light[lowest] <= Light.LIGHT_BLUE
    assert cold.mean() > 0.5, f"{cold.mean():.0%} of the coldest fifth of the months were called"


def test_the_collapse_of_2020_is_blue_on_the_day_and_rings_the_alarms() -> None:
    """The state falls furthest early in 2020; by its first release, not only in hindsight."""
    panel = known(2020, 4, 30)
    told = PROVINCE.fit(panel).lights(panel, [Period.parse("2020-02"), Period.parse("2020-03")])
    assert (told.light <= Light.LIGHT_BLUE).all()
    rung = alarms.alarms(alarms.load(), panel, ["SYN-33", "SYN-3301"], Period.parse("2020-02"))
    on = set(rung.filter(pl.col("status") == "alarm", region="SYN-33")["rule"])
    assert {"industry_falls", "investment_falls", "retail_falls", "exports_fall"} <= on
    calm = alarms.alarms(alarms.load(), known(2019, 6, 30), ["SYN-33"])
    assert "industry_falls" not in set(calm.filter(pl.col("status") == "alarm")["rule"])
    assert "not published" in set(rung.filter(region="SYN-3301", rule="exports_fall")["status"])


def test_alarms_have_a_record() -> None:
    panel = known(2026, 2, 20)
    event = Event("ind_va_yoy@SYN-33", "slowdown", "within", ahead=6, fall=4.0)
    told = alarms.record(alarms.load(), panel, {"SYN-33": event})
    assert told.height >= 8
    assert (told["hits"] + told["missed"]).min() > 0  # type: ignore[operator]
    assert told.filter(rule="industry_falls")["false_rate"][0] < 0.2


def test_history_as_first_published_and_a_bridge_through_it() -> None:
    """Twelve vintages: what was first said of each month stays on record, and every change is accounted for."""
    panels = [known(2015 + k // 12, k % 12 + 1, 28) for k in range(12)]
    fits = [PROVINCE.fit(p) for p in panels]
    told = first_published([f.lights(p) for f, p in zip(fits, panels, strict=True)])
    row = told.row(by_predicate=pl.col("period") == "2015-05", named=True)
    assert row["first_asof"] == panels[5].asof
    moved = told.filter(pl.col("first_index") != pl.col("index"))
    assert 0 < moved.height < told.height
    month = Period.parse("2015-05")
    change = bridge(fits[5], fits[11], panels[5], panels[11], month)
    assert change.before == row["first_index"]
    assert change.after == row["index"]
    assert sum(change.by_step().values()) == pytest.approx(row["index"] - row["first_index"], abs=1e-9)
