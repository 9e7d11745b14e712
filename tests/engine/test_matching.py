"""Pairs of turning points against cif's evaluation, solved cases, and what always holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadInput
from engine.matching import match
from engine.turning import Kind, Oecd, Turn, Turns, date
from engine.typing import Floats

CIF = Path(__file__).parents[1] / "golden" / "cif"


def turns(*rows: int, first: int = 0, last: int = 400, start: Kind = Kind.PEAK) -> Turns:
    other = Kind.TROUGH if start is Kind.PEAK else Kind.PEAK
    return Turns(tuple(Turn(r, other if i % 2 else start) for i, r in enumerate(rows)), first, last)


def column(frame: pl.DataFrame, name: str) -> Floats:
    return frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy()


@pytest.mark.parametrize("earliest", [23, 24])
def test_the_evaluation_of_cif(earliest: int) -> None:
    """cif says 24 months and looks at 23 (``range(lagFrom, lagTo)``); on these series both give its numbers."""
    dating = Oecd(4, 5, 6, 16)  # cif's window
    reference = date(column(pl.read_csv(CIF / "reference_norm.csv"), "indpro"), dating)
    components, golden = pl.read_csv(CIF / "components_norm.csv"), pl.read_csv(CIF / "evaluation.csv")
    for name, *expected in golden.select(["", *golden.columns[1:9]]).iter_rows():
        m = match(reference, date(column(components, name), dating), 9, earliest)
        found = (m.targeted, len(m.missing), len(m.before), len(m.extra), m.mean, m.median, m.deviation, m.variation)
        np.testing.assert_allclose(np.array(found, float), np.array(expected, float), rtol=0, atol=1e-12)


def test_a_solved_case() -> None:
    reference = turns(50, 80, 130, 170, 220, 260, last=290)
    series = turns(45, 83, 100, 110, 119, 160, 280, first=0, last=290)
    m = match(reference, series)
    assert [(p.reference, p.row, p.lead) for p in m.pairs] == [
        (50, 45, 5),
        (80, 83, -3),
        (130, 119, 11),
        (170, 160, 10),
    ]
    assert m.missing == (220, 260)
    assert m.extra == (100, 110)
    assert m.open == (280,)
    assert (m.mean, m.median, m.before) == (5.75, 7.5, ())
    assert m.deviation == pytest.approx(np.std([5, -3, 11, 10], ddof=1))
    assert m.variation == pytest.approx(np.std([5, -3, 11, 10], ddof=1) / 5.75)


def test_window_ends_belong_to_the_window() -> None:
    reference = turns(100, 160)
    assert [p.lead for p in match(reference, turns(76, 169)).pairs] == [24, -9]
    assert match(reference, turns(75, 170)).pairs == ()


def test_two_that_would_cross() -> None:
    """The reference peaks at 100 and falls to 104; the series has its trough, at 98, before its peak, at 103."""
    m = match(turns(100, 104), turns(98, 103, start=Kind.TROUGH))
    assert [(p.reference, p.lead) for p in m.pairs] == [(100, -3)]
    assert m.missing == (104,)


def test_one_turn_serves_the_nearer() -> None:
    m = match(turns(100, 110, 120, 140), turns(112, 130, start=Kind.PEAK))
    assert [(p.reference, p.row) for p in m.pairs] == [(120, 112), (140, 130)]
    assert m.missing == (100, 110)


def test_a_reference_older_than_the_series() -> None:
    m = match(turns(20, 40, 80, 110), turns(78, 105, first=60))
    assert (m.before, m.missing, m.targeted) == ((20, 40), (), 4)
    none = match(turns(20, 40), Turns((), 0, 100))
    assert (none.mean, none.median, none.deviation, none.variation, none.missing) == (None, None, None, None, (20, 40))
    with pytest.raises(BadInput, match="0 months or more"):
        match(turns(1), turns(2), -1, 3)


rows = st.lists(st.integers(0, 300), max_size=12, unique=True).map(sorted)


@given(ref=rows, own=rows, kind=st.sampled_from(list(Kind)))
def test_pairs_never_cross_and_everything_is_counted_once(ref: list[int], own: list[int], kind: Kind) -> None:
    reference, series = turns(*ref, last=300), turns(*own, last=300, start=kind)
    m = match(reference, series)
    assert [p.reference for p in m.pairs] == sorted({p.reference for p in m.pairs})
    assert [p.row for p in m.pairs] == sorted({p.row for p in m.pairs})
    for p in m.pairs:
        assert Turn(p.reference, p.kind) in reference.all
        assert Turn(p.row, p.kind) in series.all
        assert p.lead == p.reference - p.row
        assert -9 <= p.lead <= 24
    assert sorted([*m.missing, *m.before, *(p.reference for p in m.pairs)]) == ref
    assert sorted([*m.extra, *m.open, *(p.row for p in m.pairs)]) == own


@given(ref=rows, own=rows, shift=st.integers(0, 50))
def test_shifting_both_changes_nothing(ref: list[int], own: list[int], shift: int) -> None:
    one = match(turns(*ref), turns(*own))
    two = match(
        turns(*(r + shift for r in ref), first=shift, last=400 + shift),
        turns(*(r + shift for r in own), first=shift, last=400 + shift),
    )
    assert [p.lead for p in one.pairs] == [p.lead for p in two.pairs]
    assert (one.mean, len(one.extra), len(one.open)) == (two.mean, len(two.extra), len(two.open))
