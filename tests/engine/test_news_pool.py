"""News of pools: members by their weights, what the change of weights adds, and a path that is found with few estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import nyfed
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.calendar import Freq, Period
from engine.errors import NotEnoughData
from engine.estimate import Estimate
from engine.indicator import Indicator, Region, Series
from engine.model import Explains, Fitted, Pooled, State
from engine.news import SCHEMA, News, news
from engine.news_steps import changes
from engine.panel import EPOCH, Panel
from engine.typing import Floats
from modelzoo.nowcast.ar import Ar
from modelzoo.nowcast.bridge import Bridge
from modelzoo.nowcast.dfm import Dfm

FEW = ("gdpc1@US", "payems@US", "indpro@US", "rsafs@US", "gacdisa066msfrbny@US", "ulcnfb@US")
Q3 = Period.parse("2016-Q3")


@dataclass(frozen=True)
class Pool:
    """A pool as a test needs it: given members, given weights."""

    members: Mapping[str, Fitted]
    share: Mapping[str, float]

    def weights(self, panel: Panel, period: Period) -> Mapping[str, float]:
        return self.share

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        said = {k: self.members[k].estimate(panel, periods) for k, w in self.share.items() if w}
        mean = sum((self.share[k] * e.mean for k, e in said.items()), np.zeros(len(periods)))
        return Estimate.normal("gdpc1@US", panel.asof, periods, mean, np.ones(len(periods)))

    def state(self) -> State:
        return {}


@cache
def panels() -> tuple[Panel, Panel]:
    old, new = nyfed.panels()
    return old.select(FEW), new.select(FEW)


@cache
def members(late: bool = False) -> dict[str, Fitted]:
    panel = panels()[late]
    return {
        "dfm": Dfm("gdpc1@US", {"global": FEW}, since="1992-01").fit(panel),
        "few": Dfm("gdpc1@US", {"global": FEW[:4]}, since="2000-01", loadings="components").fit(panel),
        "bridge": Bridge("gdpc1@US", ("indpro@US", "payems@US")).fit(panel),
        "ar": Ar("gdpc1@US").fit(panel),
    }


def by_cell(told: News) -> dict[tuple[str, str, str], float]:
    rows = (
        told.table.filter(pl.col("kind").is_in(["release", "revision"]))
        .select("kind", "series", "period", "impact")
        .rows()
    )
    assert len({r[:3] for r in rows}) == len(rows)  # one row a cell
    return {(k, s, p): impact for k, s, p, impact in rows}


def adds_up(told: News) -> None:
    assert told.table.schema == SCHEMA
    assert float(told.table["impact"].sum()) == pytest.approx(told.after - told.before, abs=1e-10)
    given = told.table.filter(pl.col("weight").is_not_null(), pl.col("news").is_not_null())
    np.testing.assert_allclose(given["impact"], given["weight"] * given["news"], atol=1e-12)
    np.testing.assert_allclose(given["news"], given["actual"] - given["expected"], atol=1e-12)


def test_members_news_count_by_their_weights() -> None:
    old, new = panels()
    share = {"dfm": 0.5, "bridge": 0.3, "ar": 0.2}
    pool = Pool(members(), share)
    assert isinstance(pool, Pooled)
    told = news(pool, pool, old, new, Q3)
    adds_up(told)
    assert told.before == pool.estimate(old, [Q3]).at(Q3)
    assert told.after == pool.estimate(new, [Q3]).at(Q3)
    assert set(told.table["kind"]) == {"release", "revision"}  # the same weights, the same parameters
    own = {k: by_cell(news(members()[k], members()[k], old, new, Q3)) for k in share}
    for cell, impact in by_cell(told).items():
        assert impact == pytest.approx(sum(w * own[k][cell] for k, w in share.items()), abs=1e-12)


def test_new_weights_add_what_a_member_says_beyond_the_pool() -> None:
    old, new = panels()
    first = Pool(members(), {"dfm": 0.5, "bridge": 0.25, "ar": 0.25})
    second = Pool(members(), {"dfm": 0.2, "bridge": 0.25, "ar": 0.15, "few": 0.4})
    told = news(first, second, old, new, Q3)
    adds_up(told)
    rows = {r["series"]: r for r in told.table.filter(pl.col("kind") == "weights").to_dicts()}
    assert {k: round(r["weight"], 10) for k, r in rows.items()} == {"dfm": -0.3, "bridge": 0.0, "ar": -0.1, "few": 0.4}
    middle = first.estimate(new, [Q3]).at(Q3)
    for k, r in rows.items():
        assert r["expected"] == pytest.approx(middle, abs=1e-12)
        assert r["actual"] == members()[k].estimate(new, [Q3]).at(Q3)
    assert sum(r["impact"] for r in rows.values()) == pytest.approx(
        second.estimate(new, [Q3]).at(Q3) - middle, abs=1e-12
    )
    assert by_cell(told) == by_cell(news(first, first, old, new, Q3))  # cells count at the old weights
    assert told.table.filter(pl.col("kind") == "re-estimation")["impact"].to_list() == [0.0]


def test_new_parameters_count_at_the_old_weights() -> None:
    old, new = panels()
    share = {"dfm": 0.6, "bridge": 0.4}
    first, second = Pool(members(), share), Pool(members(True), share)
    told = news(first, second, old, new, Q3)
    adds_up(told)
    assert told.after == second.estimate(new, [Q3]).at(Q3)
    row = told.table.filter(pl.col("kind") == "re-estimation")
    gains = {k: members(True)[k].estimate(new, [Q3]).at(Q3) - members()[k].estimate(new, [Q3]).at(Q3) for k in share}
    assert row["impact"].item() == pytest.approx(sum(share[k] * g for k, g in gains.items()), abs=1e-10)


def test_what_was_expected_is_told_where_members_agree_on_it() -> None:
    old, new = panels()
    pool = Pool(members(), {"dfm": 0.5, "few": 0.5})
    table = news(pool, pool, old, new, Q3).table
    single = {k: news(members()[k], members()[k], old, new, Q3).table for k in ("dfm", "few")}
    mine = (pl.col("series") == "payems@US") & (pl.col("kind") == "release")
    row = table.filter(mine).head(1).to_dicts()[0]
    expected = [single[k].filter(mine).head(1)["expected"].item() for k in single]
    assert expected[0] != pytest.approx(expected[1], abs=1e-6)
    assert row["expected"] == pytest.approx(sum(expected) / 2, abs=1e-12)
    assert row["weight"] is None  # two expectations, no one weight
    other = (pl.col("series") == "gacdisa066msfrbny@US") & (pl.col("kind") == "release")  # "few" does not read it
    assert table.filter(other)["weight"][0] == pytest.approx(0.5 * single["dfm"].filter(other)["weight"][0], abs=1e-15)
    assert table.filter(pl.col("kind") == "revision")["weight"].null_count() == 0


def test_a_pool_in_a_pool() -> None:
    old, new = panels()
    inner = Pool(members(), {"bridge": 0.5, "ar": 0.5}), Pool(members(), {"bridge": 0.8, "ar": 0.2})
    first = Pool({"in": inner[0], "dfm": members()["dfm"]}, {"in": 0.5, "dfm": 0.5})
    second = Pool({"in": inner[1], "dfm": members()["dfm"]}, {"in": 0.4, "dfm": 0.6})
    told = news(first, second, old, new, Q3)
    adds_up(told)
    assert set(told.table.filter(pl.col("kind") == "weights")["series"]) == {"in", "dfm", "in / bridge", "in / ar"}


@dataclass(frozen=True)
class Mute:
    """A member that cannot speak from a day on."""

    inner: Fitted
    from_: Panel

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        if panel.asof >= self.from_.asof:
            raise NotEnoughData("mute")
        return self.inner.estimate(panel, periods)

    def state(self) -> State:
        return {}


def test_a_member_that_falls_silent_leaves_with_what_it_said() -> None:
    old, new = panels()
    both = {"bridge": members()["bridge"], "ar": Mute(members()["ar"], new)}
    told = news(Pool(both, {"bridge": 0.5, "ar": 0.5}), Pool(both, {"bridge": 1.0}), old, new, Q3)
    adds_up(told)
    row = told.table.filter(pl.col("kind") == "weights", pl.col("series") == "ar")
    assert row["actual"].item() == members()["ar"].estimate(old, [Q3]).at(Q3)
    assert row["weight"].item() == -0.5


def test_a_pool_that_is_not_its_members_is_found_out() -> None:
    old, new = panels()

    @dataclass(frozen=True)
    class Biased(Pool):
        def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
            said = super().estimate(panel, periods)
            return replace(said, mean=said.mean + 0.01)

    pool = Biased(members(), {"bridge": 0.5, "ar": 0.5})
    with pytest.raises(ArithmeticError, match="members by their weights"):
        news(pool, pool, old, new, Q3)


# The path of a model that does not explain itself.


@dataclass
class Counting:
    """A model of lags and signs on a monthly panel, not linear, that counts how often it is asked."""

    weights: Floats  # (L, N) on the newest L months
    bend: float = 0.0
    asked: list[int] = field(default_factory=list)

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        self.asked.append(1)
        known = np.nan_to_num(panel.values[-len(self.weights) :])
        x = float((self.weights * known).sum())
        mean = np.full(len(periods), x + self.bend * np.sin(3 * x) + self.bend * float((known > 0).sum()))
        return Estimate.normal("a@XX", panel.asof, periods, mean, np.ones(len(periods)))

    def state(self) -> State:
        return {}


def grid(values: Floats, day: int) -> Panel:
    region = Region("XX", "", "")
    series = tuple(
        Series(Indicator(c, c, c, Freq.M, "%", "%", "lin", "average", 10, "", ""), region)
        for c in "abcdef"[: values.shape[1]]
    )
    asof = EPOCH.replace(year=2020, day=day)
    stamp = np.where(np.isnan(values), np.iinfo(np.int64).min, int((asof - EPOCH).total_seconds() * 1e6))
    return Panel(asof, series, Period.parse("2000-01"), values, stamp.astype(np.int64))


def pair(seed: int, T: int = 120, N: int = 4) -> tuple[Panel, Panel]:
    """All of the past revised, some cells taken back, a month released."""
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((T, N))
    b = np.where(rng.random((T, N)) < 0.8, a + 0.1 * rng.standard_normal((T, N)), a)
    b[rng.random((T, N)) < 0.01] = np.nan
    a[-1] = np.nan
    return grid(a, 1), grid(b, 2)


def one_by_one(model: Fitted, old: Panel, new: Panel, period: Period) -> Floats:
    """The plain twin: one estimate a change."""
    here, level, out = old.values.copy(), model.estimate(old, [period]).mean[0], []
    for c in changes(old, new):
        here[c.row, c.column] = c.after
        step = model.estimate(grid(here, 2), [period]).mean[0]
        out.append(step - level)
        level = step
    return np.array(out)


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), lags=st.integers(1, 30), bend=st.sampled_from([0.0, 0.7]))
def test_the_path_is_that_of_one_change_after_another(seed: int, lags: int, bend: float) -> None:
    old, new = pair(seed, T=40)
    rng = np.random.default_rng(seed)
    weights = rng.standard_normal((lags, 4)) * (rng.random((lags, 4)) < 0.6)  # some cells are not read
    model = Counting(weights, bend)
    assert not isinstance(model, Explains)
    period = old.last
    told = news(model, model, old, new, period).table
    np.testing.assert_allclose(told["impact"], one_by_one(model, old, new, period), rtol=0, atol=1e-12)


def test_few_estimates_do_where_few_cells_are_read() -> None:
    old, new = pair(1, T=600)
    model = Counting(np.ones((3, 4)))
    count = len(changes(old, new))
    told = news(model, model, old, new, old.last)
    assert count > 1800
    assert 10 <= int((told.table["impact"] != 0).sum()) <= 12
    assert len(model.asked) < 0.15 * count
    whole = Counting(np.ones((600, 4)))
    news(whole, whole, old, new, old.last)
    assert len(whole.asked) <= count + 1  # never more than one a change


def test_changes_that_cancel_are_not_taken_for_idle() -> None:
    old, _ = pair(2, T=60)
    values = old.values.copy()
    values[-5:-1, 0] += [1.0, -1.0, 1.0, -1.0]  # their sum stays, to the last bit but rounding
    new = grid(values, 2)
    model = Counting(np.round(np.ones((8, 4))))
    exact = grid(np.round(old.values), 1), grid(np.round(new.values), 2)
    told = news(model, model, *exact, old.last).table
    assert told["impact"].to_list() == one_by_one(model, *exact, old.last).tolist()
    assert sorted(told["impact"].to_list()) == [-1.0, -1.0, 1.0, 1.0]
