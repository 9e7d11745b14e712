"""Leads by correlation and information against cif, numpy and scipy; the size of the test of chance; verdicts on known cases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy

from engine.comovement import Group, Reason, chance, classify, cross_correlation, kullback_leibler, stability
from engine.cycle import growth_cycle
from engine.errors import BadInput, NotEnoughData
from engine.kernels import comovement as kernels
from engine.matching import match
from engine.selection import WEIGHTS, Criteria, criteria, scores
from engine.turning import Oecd, date
from engine.typing import Floats

CIF = Path(__file__).parents[1] / "golden" / "cif"


def column(name: str, series: str) -> Floats:
    return pl.read_csv(CIF / f"{name}.csv")[series].cast(pl.Float64).fill_null(np.nan).to_numpy()


def cycles(T: int, lead: int, noise: float, seed: int = 0) -> tuple[Floats, Floats]:
    """A reference of irregular cycles and a series ``lead`` months ahead of it."""
    g = np.random.default_rng(seed)
    common = growth_cycle(np.cumsum(g.normal(size=T + 60)), ahead=0).cycle
    common = common / common.std()
    own = growth_cycle(np.cumsum(g.normal(size=T + 60)), ahead=0).cycle
    return common[30 : T + 30], common[30 + lead : T + 30 + lead] + noise * own[30 : T + 30] / own.std()


def plain(y: Floats, x: Floats, lead: int) -> tuple[Floats, Floats]:
    pairs = [(y[t], x[t - lead]) for t in range(len(y)) if 0 <= t - lead < len(x)]
    known = [p for p in pairs if np.isfinite(p[0] + p[1])]
    return np.array([p[0] for p in known]), np.array([p[1] for p in known])


@pytest.mark.parametrize(
    ("series", "lead", "r"),
    [("houst", 8, 0.69), ("awhman", 3, 0.84), ("m2sl", 10, 0.37), ("unrate_INV", -2, 0.91), ("isratio_INV", 5, 0.68)],
)
def test_correlations_of_cif(series: str, lead: int, r: float) -> None:
    """cif leaves the last lead out and starts its search at 0, so that a strongest correlation below 0 is lost."""
    golden = pl.read_csv(CIF / "evaluation.csv").filter(pl.col("") == series)
    found = cross_correlation(column("reference_norm", "indpro"), column("components_norm", series), 9, 24)
    theirs = found.values[:-1]  # its range(-9, 24)
    best = int(np.argmax(theirs))
    assert theirs[best] == pytest.approx(golden["corrMax"][0], abs=1e-10)
    assert found.leads[best] == golden["corrPosition"][0]
    assert (found.lead, round(found.value, 2)) == (lead, r)
    over = cross_correlation(column("reference_norm", "indpro"), -column("components_norm", series), 9, 24)
    assert (over.lead, round(over.value, 2)) == (lead, -r)


def test_scores_of_cif() -> None:
    golden = pl.read_csv(CIF / "evaluation_total.csv")
    reference, dating = column("reference_norm", "indpro"), Oecd(4, 5, 6, 16)
    turns, table = date(reference, dating), []
    for name in golden[""]:
        x = column("components_norm", name)
        table.append(criteria(match(turns, date(x, dating)), cross_correlation(reference, x)))
    np.testing.assert_allclose([c.gap for c in table], golden["sanityCheck"].to_numpy(), atol=1e-12)
    np.testing.assert_allclose(scores(table), golden["total"].to_numpy(), rtol=0, atol=1e-8)
    np.testing.assert_allclose(scores([*table, *table])[:5], 2 * scores(table), rtol=1e-12)
    assert sum(WEIGHTS) == pytest.approx(1.0)
    with pytest.raises(BadInput, match="one series or more"):
        scores([])


def test_criteria_where_nothing_matches() -> None:
    y, x = cycles(200, 0, 0.1)
    none = match(date(y, Oecd()), date(np.arange(200.0), Oecd()))
    c = criteria(none, cross_correlation(y, x))
    assert (c.mean, c.deviation, c.variation) == (0.0, 0.0, np.inf)
    assert np.isfinite(scores([c, Criteria(0, 0, 0, 5, 1, 0.2, 0, 0.9)])).all()


@given(T=st.integers(100, 140), seed=st.integers(0, 1000), late=st.integers(0, 10), early=st.integers(0, 20))
@settings(max_examples=25, deadline=None)
def test_plain_twins(T: int, seed: int, late: int, early: int) -> None:
    g = np.random.default_rng(seed)
    y, x = np.cumsum(g.normal(size=T)), np.cumsum(g.normal(size=T))
    y[:5], x[-7:], x[50] = np.nan, np.nan, np.nan
    found = cross_correlation(y, x, late, early)
    expected = [np.corrcoef(*plain(y, x, lead))[0, 1] for lead in range(-late, early + 1)]
    np.testing.assert_allclose(found.values, expected, atol=1e-10)
    assert abs(found.value) == np.abs(found.values).max()
    y, x = 100 + y, 100 + x
    information = kullback_leibler(y, x, late, early)
    np.testing.assert_allclose(
        information.values, [1e4 * entropy(*plain(y, x, lead)) for lead in range(-late, early + 1)], atol=1e-6
    )
    assert (information.values >= 0).all()
    assert information.value == information.values.min()


@given(T=st.integers(40, 90), seed=st.integers(0, 1000), block=st.integers(1, 30))
@settings(max_examples=15, deadline=None)
def test_twin_of_the_blocks(T: int, seed: int, block: int) -> None:
    g = np.random.default_rng(seed)
    y, x = 50 + np.cumsum(g.normal(size=T)), 3 * np.cumsum(g.normal(size=T)) - 20
    starts = g.integers(0, T, (5, -(-T // block)))
    out = np.empty(5)
    kernels.strongest(y, x, starts, block, 4, 7, out)
    for b in range(5):
        drawn = np.concatenate([np.take(x, range(s, s + block), mode="wrap") for s in starts[b]])[:T]
        best = max(abs(np.corrcoef(*plain(y, drawn, lead))[0, 1]) for lead in range(-4, 8))
        assert out[b] == pytest.approx(best, abs=1e-9)


def test_the_last_lead_is_in_the_window() -> None:
    y, x = cycles(400, 24, 0.0)
    assert cross_correlation(y, x, 9, 24).lead == 24
    assert kullback_leibler(100 + y, 100 + x, 9, 24).lead == 24
    y, x = cycles(400, -9, 0.0)
    assert cross_correlation(y, x, 9, 24).lead == -9


@pytest.mark.parametrize("lead", [-6, 0, 5])
def test_information_finds_the_lead(lead: int) -> None:
    y, x = cycles(400, lead, 0.2)
    assert kullback_leibler(100 + 5 * y, 100 + 5 * x).lead == pytest.approx(lead, abs=1)


def test_unrelated_cycles_are_called_related_about_as_often_as_said() -> None:
    found = []
    for seed in range(120):
        y = growth_cycle(np.cumsum(np.random.default_rng(seed).normal(size=(480, 2)), axis=0), ahead=0).cycle
        found.append(chance(y[:, 0], y[:, 1], draws=99))
    p = np.array(found)
    assert np.mean(p <= 0.05) <= 0.10
    assert np.mean(p <= 0.20) == pytest.approx(0.20, abs=0.12)
    assert p.min() >= 0.01
    assert chance(*cycles(480, 6, 0.3)) == 0.005  # of 199 draws none came near


@pytest.mark.parametrize(
    ("lead", "sign", "group"),
    [(6, 1, Group.LEADING), (6, -1, Group.LEADING), (0, 1, Group.COINCIDENT), (-6, 1, Group.LAGGING)],
)
def test_groups(lead: int, sign: int, group: Group) -> None:
    y, x = cycles(480, lead, 0.2)
    verdict = classify(y, sign * x, Oecd())
    assert (verdict.group, verdict.reasons, verdict.sign) == (group, (), sign)
    assert verdict.lead == pytest.approx(lead, abs=1)
    assert verdict.correlation.lead == pytest.approx(lead, abs=1)
    assert verdict.probability <= 0.05


def test_reasons_not_to_classify() -> None:
    y, _ = cycles(480, 0, 0.0, 1)
    unrelated, _ = cycles(480, 0, 0.0, 2)
    verdict = classify(y, unrelated, Oecd())
    assert verdict.group is Group.UNCLASSIFIED
    assert Reason.CHANCE in verdict.reasons
    edge = classify(*cycles(480, 30, 0.1), Oecd())
    assert edge.group is Group.UNCLASSIFIED
    assert Reason.EDGE in edge.reasons
    few = classify(*cycles(80, 5, 0.1), Oecd())
    assert few.group is Group.UNCLASSIFIED
    assert Reason.PAIRS in few.reasons
    wave = 2 * np.pi * np.arange(480) / 48
    early_turns = classify(np.sin(wave), np.sin(wave) + 0.4 * np.sin(2 * wave + 1.5), Oecd())
    assert (early_turns.lead, early_turns.correlation.lead) == (3.5, 0)
    assert early_turns.reasons == (Reason.CONFLICT,)
    between = classify(np.sin(wave), np.sin(wave) + 0.6 * np.sin(2 * wave + 0.9), Oecd())
    assert (between.lead, between.reasons) == (2.5, (Reason.CONFLICT, Reason.BETWEEN))


def test_verdicts_on_us_components() -> None:
    """Housing starts and the stock-sales ratio lead; hours and the unemployment rate go with it; money is not classified."""
    reference = column("reference_norm", "indpro")
    names = ("houst", "isratio_INV", "awhman", "unrate_INV", "m2sl")
    found = {s: classify(reference, column("components_norm", s), Oecd()) for s in names}
    assert [v.group for v in found.values()] == [
        Group.LEADING, Group.LEADING, Group.COINCIDENT, Group.COINCIDENT, Group.UNCLASSIFIED,
    ]  # fmt: skip
    assert found["m2sl"].reasons == (Reason.CHANCE, Reason.CONFLICT)
    assert found["houst"].lead == 8.0


def test_stability_over_expanding_windows() -> None:
    g = np.random.default_rng(4)
    common = np.cumsum(g.normal(size=500))
    y, x = common[:480], common[6:486] + 0.3 * g.normal(size=480)

    def cycle(v: Floats) -> Floats:
        return growth_cycle(v, order=3).cycle

    found = stability(y, x, cycle, Oecd(), range(240, 481, 60))
    assert found.lengths == (240, 300, 360, 420, 480)
    assert found.verdicts[-1].group is Group.LEADING
    assert found.share == sum(v.group is Group.LEADING for v in found.verdicts) / 5
    later = x.copy()
    later[360:] = 0.0
    changed = stability(y, later, cycle, Oecd(), range(240, 361, 60))
    assert [v.group for v in changed.verdicts] == [v.group for v in found.verdicts[:3]]
    np.testing.assert_array_equal(changed.verdicts[1].correlation.values, found.verdicts[1].correlation.values)
    with pytest.raises(BadInput, match="lengths rise"):
        stability(y, x, cycle, Oecd(), [300, 240])
    with pytest.raises(BadInput, match="480 months are known"):
        stability(y, x, cycle, Oecd(), [500])


@given(seed=st.integers(0, 1000), scale=st.floats(0.01, 100), shift=st.floats(-100, 100))
@settings(max_examples=15, deadline=None)
def test_unit_and_level_do_not_matter(seed: int, scale: float, shift: float) -> None:
    y, x = cycles(200, 3, 0.5, seed)
    one, other = cross_correlation(y, x), cross_correlation(y, scale * x + shift)
    np.testing.assert_allclose(one.values, other.values, atol=1e-6)
    assert chance(y, x, draws=19) == chance(y, scale * x + shift, draws=19)


def test_what_is_refused() -> None:
    y, x = cycles(100, 0, 0.1)
    with pytest.raises(NotEnoughData, match="26 months in common"):
        cross_correlation(y[:50], x[:50])
    with pytest.raises(BadInput, match="of the same months"):
        cross_correlation(y, x[:50])
    with pytest.raises(BadInput, match="never moves"):
        cross_correlation(y, np.ones(100))
    with pytest.raises(BadInput, match="0 months or more"):
        cross_correlation(y, x, -1, 3)
    with pytest.raises(BadInput, match="the reference is not positive in row"):
        kullback_leibler(y, 100 + x)
    x[40] = np.nan
    with pytest.raises(BadInput, match="row 41: blocks of months take no gaps"):
        chance(y, x)
