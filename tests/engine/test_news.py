"""News that adds up: the linear road against telescoping, against withdrawals and against models that cannot explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import nyfed
import polars as pl
import pytest

from engine.calendar import Period
from engine.errors import BadInput
from engine.estimate import Estimate
from engine.model import Explains, Fitted, Linear, State
from engine.news import SCHEMA, news
from engine.panel import Panel
from modelzoo.nowcast.dfm import Dfm, FittedDfm

FEW = ("gdpc1@US", "payems@US", "indpro@US", "rsafs@US", "gacdisa066msfrbny@US", "ulcnfb@US")
Q3 = Period.parse("2016-Q3")


@dataclass(frozen=True)
class Closed:
    """A fitted model that keeps its weights to itself."""

    inner: Fitted

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        return self.inner.estimate(panel, periods)

    def state(self) -> State:
        return self.inner.state()


@cache
def fitted() -> tuple[FittedDfm, Panel, Panel]:
    old, new = (p.select(FEW) for p in nyfed.panels())
    return Dfm("gdpc1@US", {"global": FEW}, since="1992-01").fit(old), old, new


def test_both_roads_have_one_end() -> None:
    model, old, new = fitted()
    assert isinstance(model, Explains)
    assert not isinstance(Closed(model), Explains)
    shut = Closed(model)
    opened, closed = news(model, model, old, new, Q3), news(shut, shut, old, new, Q3)
    assert opened.table.schema == closed.table.schema == SCHEMA
    assert opened.before == pytest.approx(closed.before, abs=1e-12)
    assert opened.after == pytest.approx(closed.after, abs=1e-12)
    for told in (opened, closed):
        assert told.table["impact"].sum() == pytest.approx(told.after - told.before, abs=1e-10)
    by_kind = [t.table.group_by("kind").agg(pl.col("impact").sum()).sort("kind") for t in (opened, closed)]
    np.testing.assert_allclose(
        by_kind[0]["impact"], by_kind[1]["impact"], atol=1e-10
    )  # revisions are linear on either road


def test_each_row_is_weight_times_news() -> None:
    model, old, new = fitted()
    table = news(model, model, old, new, Q3).table
    np.testing.assert_allclose(table["impact"], table["weight"] * table["news"], atol=1e-15)
    np.testing.assert_allclose(table["news"], table["actual"] - table["expected"], atol=1e-12)
    row = table.filter(pl.col("series") == "gdpc1@US", pl.col("period") == "2016-Q2", pl.col("kind") == "release")
    guess = model.estimate(old, [Period.parse("2016-Q2")]).at(Period.parse("2016-Q2"))
    assert row["actual"].item() == pytest.approx(1.218234, abs=1e-6)
    assert abs(row["expected"].item() - guess) < 0.5  # not equal: what was expected is after the revisions
    assert (table["known_at"] == new.asof).all()


def test_without_revisions_the_expectation_is_the_old_nowcast() -> None:
    model, old, new = fitted()
    a, b = old.over(old.first, new.last).matrix(FEW), new.matrix(FEW)
    unrevised = new.with_values(FEW, np.where(np.isnan(a), b, a))
    table = news(model, model, old, unrevised, Q3).table
    assert set(table["kind"]) == {"release"}
    row = table.filter(pl.col("series") == "gdpc1@US")
    q2 = Period.parse("2016-Q2")
    assert row["expected"].item() == pytest.approx(model.estimate(old, [q2]).at(q2), abs=1e-10)


def test_a_value_taken_back_is_told_too() -> None:
    model, old, new = fitted()
    values = new.matrix(["indpro@US"])
    values[old.row(Period.parse("2016-04"))] = np.nan
    told = news(model, model, old, new.with_values(["indpro@US"], values), Q3)
    gone = told.table.filter(pl.col("actual").is_null())
    assert gone["series"].to_list() == ["indpro@US"]
    assert gone["period"].to_list() == ["2016-04"]
    assert told.table["impact"].sum() == pytest.approx(told.after - told.before, abs=1e-10)


def test_new_parameters_are_one_row() -> None:
    model, old, new = fitted()
    second = Dfm("gdpc1@US", {"global": FEW}, since="1992-01").fit(new)
    told = news(model, second, old, new, Q3)
    assert told.table["kind"].to_list().count("re-estimation") == 1
    same = news(model, model, old, new, Q3)
    assert told.table.filter(pl.col("kind") != "re-estimation").equals(same.table)
    assert told.after == second.estimate(new, [Q3]).at(Q3)
    assert told.table["impact"].sum() == pytest.approx(told.after - told.before, abs=1e-10)


def test_nothing_new_is_no_news() -> None:
    model, old, _ = fitted()
    told = news(model, model, old, old, Q3)
    assert told.table.height == 0
    assert told.after == told.before


def test_what_cannot_be_told() -> None:
    model, old, new = fitted()
    with pytest.raises(BadInput, match="runs forward"):
        news(model, model, new, old, Q3)
    with pytest.raises(BadInput, match="same series"):
        news(model, model, old, new.select(FEW[:3]), Q3)


def test_weights_that_lie_are_found_out() -> None:
    model, old, new = fitted()

    @dataclass(frozen=True)
    class Liar(Closed):
        def explain(self, panels: Sequence[Panel], period: Period) -> tuple[Linear, ...]:
            return tuple(replace(x, weights=x.weights * 1.01) for x in model.explain(panels, period))

    with pytest.raises(ArithmeticError, match="misses the change"):
        news(Liar(model), model, old, new, Q3)
