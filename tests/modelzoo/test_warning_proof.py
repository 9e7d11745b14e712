"""Flips are exact, bridges add up, and what was first published stays on record."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
import warned
from hypothesis import given, settings
from hypothesis import strategies as st
from warned import ITEMS, cycle, panel

from engine.calendar import Period
from engine.errors import BadInput, NotEnoughData
from engine.lights import Light, Mark
from engine.panel import Panel
from engine.typing import Floats
from modelzoo.warning.bridge import STEPS, bridge
from modelzoo.warning.lights import CompositeLights
from modelzoo.warning.proof import first_published, flips, prove
from modelzoo.warning.rules import Cuts, Item, ThresholdSet

MIXED = tuple(replace(i, side="low" if i.id == "i3" else "") for i in ITEMS)
SAID = {"i5": {"polarity": "neutral"}}
CHANCE = settings(max_examples=15, deadline=None)


def ragged(seed: int, months: int = 120) -> Floats:
    """Ten items: one quarterly, one without Januaries, and a ragged end."""
    x: Floats = cycle(months, seed)
    x[np.arange(months) % 3 != 2, 2] = np.nan
    x[np.arange(months) % 12 == 0, 6] = np.nan
    x[-1, [0, 4]] = np.nan
    x[-3:, 8] = np.nan
    return x


def made(x: Floats) -> Panel:
    found: Panel = panel(x, said=SAID, quarterly=["i2"])
    return found


@CHANCE
@given(
    st.integers(0, 10**6), st.integers(0, 30), st.sampled_from([0.0, 1.0, 6.0]), st.sampled_from(["february", "both"])
)
def test_flips_are_exact(seed: int, back: int, delta: float, january: str) -> None:
    """The flip applied, the light is another; a hair less, it is not; nor by any of many smaller changes."""
    p = made(ragged(seed))
    model = CompositeLights("warning@X", MIXED, delta=delta, january=january)  # type: ignore[arg-type]
    fitted = model.fit(p)
    month = p.last + -back
    told = fitted.lights(p, [month])
    now, rows = int(told.light[0]), flips(fitted, p, month)
    wide = p.over(p.first, month + 3)
    rng = np.random.default_rng(seed)

    def light(k: int, value: float) -> int:
        mark, source = told.marks[0, k], month - p.first
        if k == 2:
            source += 2 - (p.first + source).ordinal % 3
        elif mark == Mark.PAIRED:
            source += 1
        x = wide.matrix([told.items[k]])
        x[source] = value
        return int(fitted.lights(wide.with_values([told.items[k]], x), [month]).light[0])

    for k, row in enumerate(rows.iter_rows(named=True)):
        value = row["value"]
        if row["needed"] is None:
            assert row["light"] is None
            for far in (-1e9, *rng.normal(scale=30, size=5), 1e9):
                assert light(k, far) == now
            continue
        needed = row["needed"]
        assert light(k, needed) == {x.en: x for x in Light}[row["light"]] != now
        if value is None:
            assert row["change"] is None
            continue
        assert row["change"] == needed - value
        assert light(k, float(np.nextafter(needed, value))) == now
        for less in value + row["change"] * rng.uniform(-1, 0.999, 6):
            assert light(k, less) == now


def test_some_light_can_be_flipped_by_one_item() -> None:
    """The property above is not empty."""
    p = made(ragged(1))
    fitted = CompositeLights("warning@X", MIXED).fit(p)
    counts = [flips(fitted, p, p.last + -b)["needed"].is_not_null().sum() for b in range(30)]
    assert sum(counts) > 30


def test_a_proof_opens_a_light() -> None:
    x = ragged(2)
    p = made(x)
    model = CompositeLights("warning@X", MIXED)
    fitted = model.fit(p)
    sets = (ThresholdSet("plan", "2019-01", "plan target", (Cuts("i0", (-1e3, -9e2, 9e2, 1e3)),)),)
    before = CompositeLights("warning@X", tuple(replace(i, weight=1) for i in MIXED), sets).fit(p)
    past = [warned.until(p, p.first + t) for t in (112, 115)]
    history = [model.fit(q).lights(q) for q in past]
    proof = prove(fitted, p, p.last, before, history)
    told = fitted.lights(p, [p.last])
    assert proof.index == told.index[0]
    assert proof.items["adds"].sum() == pytest.approx(proof.index)
    assert proof.items["mark"].to_list()[8] == "missing, re-weighted"
    assert proof.items.columns[-1] == "mark"
    assert proof.previous is not None
    other = before.lights(p, [p.last])
    assert proof.previous == (other.index[0], Light(int(other.light[0])))
    row = proof.published.row(by_predicate=pl.col("period") == str(p.first + 112), named=True)
    assert row["first_asof"] == past[0].asof
    assert row["first_index"] == history[0].index[-1]
    assert row["index"] == fitted.lights(p, [p.first + 112]).index[0]
    late = proof.published.row(by_predicate=pl.col("period") == str(p.last), named=True)
    assert late["first_asof"] == p.asof
    assert "plan" in {before.lights(p, [p.last]).versions[0]}
    with pytest.raises(BadInput, match="runs forward"):
        first_published([history[1], history[0]])
    with pytest.raises(NotEnoughData, match="2020-06"):
        prove(fitted, p, Period.parse("2020-06"))


@CHANCE
@given(st.integers(0, 10**6), st.integers(0, 6))
def test_a_bridge_adds_up(seed: int, back: int) -> None:
    """Index and light: revised and new cells, new factors, thresholds, weights, rules, in any mixture."""
    g = np.random.default_rng(seed)
    x = ragged(seed)
    final, held = x.copy(), x.copy()
    revised = g.random(x.shape) < 0.05
    held[revised] += g.normal(scale=5, size=int(revised.sum()))
    final[:, 1] = held[:, 1] * (1 + 0.1 * np.sin(np.arange(120)))
    final[:, np.arange(10) != 1] = held[:, np.arange(10) != 1]
    whole, kept = made(final), made(held)
    old = warned.until(made(x), Period.parse("2019-09"))
    before = CompositeLights("warning@X", MIXED).fit(old)
    sets = (
        ThresholdSet(
            "plan", "2019-01", "plan target", (Cuts("i0", tuple(np.quantile(x[:110, 0], [0.2, 0.4, 0.6, 0.8]))),)
        ),
    )
    items = tuple(replace(i, weight=i.weight + n % 2) for n, i in enumerate(MIXED))
    after = CompositeLights("warning@X", items, sets, delta=3.0).fit(whole)
    month = Period.parse("2019-09") + -back
    told = bridge(before, after, old, whole, month, kept)
    a, b = before.lights(old, [month]), after.lights(whole, [month])
    assert told.before == a.index[0]
    assert told.after == b.index[0]
    assert told.table["impact"].sum() == pytest.approx(told.after - told.before, abs=1e-9)
    assert sum(told.by_step().values()) == pytest.approx(told.after - told.before, abs=1e-9)
    chain = told.table.select("light_before", "light_after").rows()
    assert chain[0][0] == a.light[0]
    assert chain[-1][1] == b.light[0]
    assert all(p[1] == q[0] for p, q in pairwise(chain))
    order = [STEPS.index(s) for s in told.table["step"]]
    assert order == sorted(order)
    cells = {s: told.table.filter(step=s)["cells"].sum() for s in STEPS}
    known = ~np.isnan(x[:117])
    assert cells["revisions"] == int((held[:117] != x[:117])[known].sum())
    assert cells["new data"] == int((~np.isnan(held[117:])).sum())
    assert cells["seasonal factors"] == int((final[:, 1] != held[:, 1])[~np.isnan(final[:, 1])].sum())


def test_a_bridge_names_the_one_thing_that_changed() -> None:
    x = cycle()
    old = panel(x)
    fitted = CompositeLights("warning@X", ITEMS).fit(old)
    month = old.last
    y = x.copy()
    y[-1, 3] += 100.0
    told = bridge(fitted, fitted, old, panel(y), month)
    assert told.table["step"].to_list() == ["revisions"]
    assert told.table["item"].to_list() == ["i3@X"]
    heavier = tuple(replace(i, weight=50) if i.id == "i3" else i for i in ITEMS)
    told = bridge(fitted, replace(fitted, model=replace(fitted.model, items=heavier)), old, old, month)
    assert told.table["step"].to_list() == ["weights"]
    assert told.table["step_zh"].to_list() == ["权重"]
    told = bridge(fitted, fitted, old, old, month)
    assert told.table.height == 0
    with pytest.raises(BadInput, match="two states of one index"):
        bridge(fitted, CompositeLights("warning@X", ITEMS[:5]).fit(old), old, old, month)
    with pytest.raises(BadInput, match="runs forward"):
        bridge(fitted, fitted, old, warned.until(old, Period.parse("2019-01")), Period.parse("2019-01"))


def test_growth_items_flip_in_their_growth() -> None:
    x = np.exp(cycle(seed=3) / 100)
    p = panel(x)
    fitted = CompositeLights("warning@X", (Item("i0", 1, form="growth"), Item("i1", 3, form="growth"))).fit(p)
    found = flips(fitted, p, p.last)
    values = fitted.model.values(p)
    assert found["value"].to_list() == values[-1].tolist()
    for k, needed in enumerate(found["needed"]):
        if needed is not None:
            other = values.copy()
            other[-1, k] = needed
            assert fitted.path(p, other, [p.last]).light[0] != fitted.lights(p, [p.last]).light[0]
