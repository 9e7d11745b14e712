"""Measures of warnings: by hand, against scikit-learn's way of counting pairs, and the degenerate noise to signal of card 2.10."""

from __future__ import annotations

import numpy as np
import pytest
import warned
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from engine.calendar import Period
from engine.classify import Table, auroc, auroc_interval, best_threshold, brier, leads, tabulate
from engine.errors import BadInput, NotEnoughData
from modelzoo.warning.event import Event


def test_a_table_by_hand() -> None:
    t = Table(hits=6, false=2, missed=3, quiet=14)
    assert (t.recall, t.type_1, t.type_2) == pytest.approx((2 / 3, 1 / 3, 1 / 8))
    assert t.nsr == pytest.approx(3 / 16)
    assert t.youden == pytest.approx(2 / 3 - 1 / 8)
    assert t.gain == pytest.approx(6 / 8 - 9 / 25)
    assert t.usefulness(0.4) == pytest.approx(0.4 - 0.4 / 3 - 0.6 / 8)
    signal, y = np.array([True, True, False, False, True]), np.array([1, 0, 1, 0, np.nan])
    assert tabulate(signal, y) == Table(1, 1, 1, 1)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(5, 60))
def test_the_area_counts_pairs(seed: int, n: int) -> None:
    g = np.random.default_rng(seed)
    x, y = g.integers(0, 8, n).astype(float), (g.random(n) < 0.4).astype(float)
    y[:2] = 0, 1
    hot, calm = x[y == 1], x[y == 0]
    pairs = np.mean((hot[:, None] > calm) + 0.5 * (hot[:, None] == calm))
    assert auroc(x, y) == pytest.approx(pairs, abs=1e-12)
    assert auroc(x, y) == pytest.approx(mannwhitneyu(hot, calm).statistic / len(hot) / len(calm))
    assert auroc(-x, y) == pytest.approx(1 - pairs)
    assert auroc(np.exp(x), y) == auroc(x, y)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["youden", "usefulness", "nsr"]), st.sampled_from([0.0, 0.5, 2 / 3, 1.0]))
def test_no_other_threshold_is_better(seed: int, criterion: str, recall: float) -> None:
    g = np.random.default_rng(seed)
    x, y = g.integers(0, 12, 60).astype(float), (g.random(60) < 0.4).astype(float)
    y[:2] = 0, 1
    best = best_threshold(x, y, criterion, recall, 0.3)  # type: ignore[arg-type]

    def worth(t: Table) -> float:
        return {"youden": t.youden, "usefulness": t.usefulness(0.3), "nsr": -t.nsr}[criterion]

    assert best.table == tabulate(x >= best.at, y)
    assert best.table.recall >= recall - 1e-12
    others = [tabulate(x >= v, y) for v in np.unique(x)]
    assert worth(best.table) >= max(worth(t) for t in others if t.hits and t.recall >= recall - 1e-12) - 1e-12


@pytest.mark.skipif(bool(warned.ABSENT), reason=warned.ABSENT)
def test_least_noise_to_signal_is_degenerate_and_a_floor_cures_it() -> None:
    """Card 2.10 on the US spread, 12 months, recession months left out: AUROC .932; at the 1st percentile nsr is 0 with 7 of 100
    months called. The floor of two thirds calls at least 67."""
    p = warned.us()
    x, y = Event("usrec@US", when="within", ahead=12).sample(p, ["spread@US"])
    rows = slice(p.row(Period.parse("1960-01")), p.row(Period.parse("2022-09")) + 1)
    score, y = -x[rows, 0], y[rows]
    assert np.nansum(y) == 100
    assert auroc(score, y) == pytest.approx(0.932, abs=1e-3)
    first = tabulate(score >= np.percentile(score[~np.isnan(y)], 99), y)
    assert (first.hits, first.false, first.nsr) == (7, 0, 0.0)
    free = best_threshold(score, y, "nsr", recall=0.0).table
    assert free.nsr == 0.0
    assert free.hits < 30  # as good as it gets, and most months are missed
    for criterion in ("nsr", "youden", "usefulness"):
        held = best_threshold(score, y, criterion).table
        assert held.hits >= 67
        assert 0 < held.nsr < 0.25
    area = auroc_interval(score, y)
    assert area.value == auroc(score, y)
    assert 0.8 < area.low < area.value < area.high < 1


def test_an_interval_is_wider_in_longer_blocks_and_repeatable() -> None:
    g = np.random.default_rng(1)
    y = (np.arange(480) % 80 < 16).astype(float)
    x = y + np.repeat(g.normal(size=40), 12)
    short, long = auroc_interval(x, y, 1), auroc_interval(x, y, 24)
    assert long == auroc_interval(x, y, 24)
    assert long.high - long.low > 1.3 * (short.high - short.low)
    assert short.low < short.value < short.high


def test_leads_by_hand() -> None:
    event = np.array([0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, np.nan])
    signal = np.zeros(16, bool)
    signal[[1, 3, 4, 9]] = True  # 3 months before the first, 2 before the second, none before the third
    found = leads(signal, event, ahead=4)
    assert (found.events, found.called, found.lead.tolist()) == (3, 2, [3.0, 2.0])
    assert leads(signal, event, ahead=1).called == 1


def test_brier() -> None:
    assert brier(np.array([0.8, 0.1, np.nan, 0.3]), np.array([1, 0, 1, np.nan])) == pytest.approx((0.04 + 0.01) / 2)


def test_refusals() -> None:
    x = np.arange(6.0)
    with pytest.raises(NotEnoughData, match="6 months with a score, 0 of them before an event"):
        auroc(x, np.zeros(6))
    with pytest.raises(BadInput, match="0, 1 or NaN"):
        auroc(x, x)
    with pytest.raises(BadInput, match="blocks of 24 months"):
        auroc_interval(x, np.array([0, 1, 0, 1, 0, 1.0]))
    with pytest.raises(NotEnoughData, match="no month has both"):
        brier(x, np.full(6, np.nan))
