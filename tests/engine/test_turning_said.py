"""Turns as a value: phases and states; what may be said of the last months, and what would have been said before."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import BadInput, NotEnoughData
from engine.turning import Bbq, BryBoschan, Dating, Kind, Oecd, Phase, Turn, Turns, date, date_all, marks, replay, said
from engine.typing import Floats

PEAK, TROUGH = Kind.PEAK, Kind.TROUGH
ALL: list[Dating] = [BryBoschan(), Bbq(), Bbq.quarterly(), Oecd()]


def wave(T: int, noise: float = 0.0, seed: int = 0) -> Floats:
    """Peaks at 12, 60, 108, …; troughs at 36, 84, …"""
    w = np.sin(2 * np.pi * np.arange(T) / 48)
    return w + noise * np.random.default_rng(seed).normal(size=T)


def test_phases_and_states() -> None:
    turns = Turns((Turn(12, PEAK), Turn(36, TROUGH), Turn(60, PEAK, False)), 3, 70)
    assert turns.phases == (
        Phase(3, 12, True, False),
        Phase(13, 36, False, True),
        Phase(37, 60, True, True),
        Phase(61, 70, False, False),
    )
    assert [p.length for p in turns.phases] == [10, 24, 24, 10]
    assert (turns.peaks, turns.troughs) == ((12, 60), (36,))
    assert turns.confirmed.all == turns.all[:2]
    states = turns.states(75)
    assert list(states[[2, 3, 12, 13, 36, 37, 60, 61, 70, 71]]) == [0, 1, 1, -1, -1, 1, 1, -1, -1, 0]
    assert Turns((), 0, 10).phases == ()
    assert not Turns((), 0, 10).states(11).any()


def test_candidate_then_confirmed() -> None:
    y = wave(200)
    assert date(y, Oecd()).peaks == (12, 60, 108, 156)
    history = {n: said(y[: 108 + 1 + n], Oecd()).all[-1] for n in range(8)}
    assert all(history[n] == Turn(84, TROUGH) for n in range(3))
    assert history[3] == history[4] == Turn(108, PEAK, False)
    assert history[5] == Turn(108, PEAK, True)
    assert said(y[:114], Oecd(), after=6).all[-1] == Turn(108, PEAK, False)
    assert said(y[:110], Oecd(), changes=1).all[-1] == Turn(108, PEAK, False)
    assert said(y[:114], Bbq()).all[-1] == Turn(108, PEAK, False)  # dated from 6 months on
    assert said(y[:115], Bbq()).all[-1] == Turn(108, PEAK, True)


def test_a_candidate_is_the_extreme_and_needs_every_change_to_lead_away() -> None:
    y = np.concatenate([wave(100), wave(100)[-1] + np.array([0.1, 0.3, 0.2, 0.15, 0.1])])
    assert said(y, Oecd()).all[-1] == Turn(101, PEAK, False)
    y[-2] = y[-3]  # one month of standstill
    assert said(y, Oecd()).all[-1] == Turn(84, TROUGH)


@pytest.mark.parametrize("dating", ALL, ids=str)
@given(seed=st.integers(0, 10_000), noise=st.floats(0, 1))
@settings(max_examples=15, deadline=None)
def test_a_replay_is_what_was_said_each_month(dating: Dating, seed: int, noise: float) -> None:
    y = wave(150, noise, seed)
    told = replay(y, dating, 100)
    assert [s.asof for s in told] == list(range(99, 150))
    later = np.append(y[:120], 50 * np.random.default_rng(seed).normal(size=30))
    assert replay(later, dating, 100)[: 120 - 99] == told[: 120 - 99]  # what comes later moves nothing that was said
    for s in told[::10]:
        assert s.turns == said(y[: s.asof + 1], dating)
        kinds = [t.kind for t in s.turns.all]
        assert all(a is not b for a, b in pairwise(kinds))
        assert [t.row for t in s.turns.all] == sorted({t.row for t in s.turns.all})
        assert all(s.asof - t.row >= (5 if t.confirmed else 2) for t in s.turns.all)
    vintages = np.where(np.arange(150)[:, None] <= np.arange(99, 150), y[:, None], np.nan)
    assert replay(vintages, dating, 100) == told


@pytest.mark.parametrize("dating", ALL, ids=str)
def test_more_months_change_only_what_is_near_the_end(dating: Dating) -> None:
    """Documented reach: a turn more than a cycle and the window from the end of a smooth cycle keeps its date."""
    y = wave(300, 0.05, 3)
    early, late = date(y[:200], dating), date(y, dating)
    settled = [t for t in early.all if t.row < 200 - 48 - 12]
    assert len(settled) >= 4
    assert settled == list(late.all[: len(settled)])


@pytest.mark.parametrize("dating", ALL, ids=str)
def test_series_begin_and_end_when_they_like(dating: Dating) -> None:
    y = np.column_stack([wave(200, 0.1, i) for i in range(3)])
    y[:20, 1], y[190:, 1], y[195:, 2] = np.nan, np.nan, np.nan
    found = date_all(y, dating)
    for i, run in enumerate((slice(0, 200), slice(20, 190), slice(0, 195))):
        alone = date(y[run, i], dating)
        assert [(t.row - run.start, t.kind) for t in found[i].all] == [(t.row, t.kind) for t in alone.all]
        assert (found[i].first, found[i].last) == (run.start, run.stop - 1)
        assert [(int(t), int(marks(y, dating)[t, i])) for t in np.flatnonzero(marks(y, dating)[:, i])] == [
            (t.row, t.kind.sign) for t in found[i].all
        ]


def test_a_short_deep_recession_stands_if_asked_for() -> None:
    """2020: two months down by 13 %, and back."""
    y = np.concatenate([np.linspace(0, 0.3, 60), [0.2, 0.17], np.linspace(0.2, 0.29, 8), 0.29 + 0.002 * np.arange(60)])
    assert date(y, Bbq()).all == ()
    assert date(y, Bbq(deep=0.104)).all == (Turn(59, PEAK), Turn(61, TROUGH))


@pytest.mark.parametrize("dating", ALL, ids=str)
@pytest.mark.parametrize("y", [np.zeros(80), np.arange(80.0)], ids=["flat", "line"])
def test_no_turn_where_nothing_turns(dating: Dating, y: Floats) -> None:
    assert date(y, dating).all == ()
    assert said(y, dating).all == ()


def test_what_is_refused() -> None:
    y = wave(100)
    with pytest.raises(NotEnoughData, match="series 1 has 20 values; turning points by Oecd"):
        date(y[:20], Oecd())
    with pytest.raises(BadInput, match="one series is"):
        date(y[:, None], Oecd())
    with pytest.raises(BadInput, match="values are"):
        date_all(y, Oecd())
    with pytest.raises(BadInput, match="1 ≤ phase ≤ cycle"):
        date(y, Bbq(phase=20))
    with pytest.raises(BadInput, match="changes is 1 or more"):
        said(y, Oecd(), changes=0)
    with pytest.raises(NotEnoughData, match="no vintage has 200 values"):
        replay(y, Oecd(), 200)
    with pytest.raises(BadInput, match="vintages are"):
        replay(np.zeros((2, 2, 2)), Oecd())
    y[50] = np.nan
    with pytest.raises(BadInput, match="row 51, column 1: dating takes no gaps"):
        date(y, Oecd())
