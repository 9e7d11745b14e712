"""Where bands come from: parts that add up, and revisions held against w'Rw with the matrices written out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pytest
import synthetic_panel
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine import uncertainty
from engine.calendar import Freq, Period, end_of
from engine.errors import LookAhead, NotEnoughData
from engine.estimate import Estimate
from engine.model import State
from engine.outcome import in_turn
from engine.panel import Panel
from engine.typing import Floats
from modelzoo.nowcast.dfm import Dfm

NAMES = ("y@ZZ", "x0@ZZ", "x1@ZZ", "x2@ZZ")
NEXT = Period.parse("1989-Q4")


@dataclass(frozen=True)
class Weighed:
    """Σ w cells: ``weights`` ``(L, N)`` on the newest L values of each series, the newest first."""

    weights: Floats

    def estimate(self, panel: Panel, periods: Sequence[Period]) -> Estimate:
        said = 0.0
        for j, column in enumerate(panel.values.T):
            known = column[~np.isnan(column)][::-1]
            said += float(self.weights[: len(known), j] @ known[: len(self.weights)])
        n = len(periods)
        return Estimate.normal("y@ZZ", panel.asof, periods, np.full(n, said), np.ones(n))

    def state(self) -> State:
        return {}


def panel_as_of(day: date, columns: dict[str, tuple[Freq, Floats]]) -> Panel:
    whole: Panel = synthetic_panel.panel_of(columns)
    return replace(whole, asof=end_of(day))


def vintages(months: int, seed: int, shift: float = 0.0) -> tuple[Panel, list[tuple[Panel, Panel]]]:
    """A panel, and twenty pairs of an earlier one and what became of it: every value revised, the newer the more."""
    g = np.random.default_rng(seed)
    now = synthetic_panel.simulate(months, 3, seed).select(NAMES)
    pairs = []
    for k in range(20):
        settled = now.values[: months - 6 - 3 * k]
        age = np.arange(len(settled))[::-1, None]
        said = settled + shift + g.normal(size=settled.shape) * 0.6 / (1 + age)
        cut = 3 + 3 * (k % 2)  # the settled panel knows more months than the early one
        pairs.append((of(now, said[: len(said) - cut]), of(now, settled)))
    return now, pairs


def of(like: Panel, values: Floats) -> Panel:
    n = len(values)
    stamps = np.where(np.isnan(values), like.stamps.min(), 0)
    return replace(like, values=values, stamps=stamps, flags=like.flags[:n])


def moments(now: Panel, pairs: Sequence[tuple[Panel, Panel]]) -> tuple[list[tuple[int, int]], Floats]:
    """The known cells of the panel, newest first in each series, and R, the second moments of past revisions by their age."""
    cells: list[tuple[int, int]] = []
    past: list[list[float]] = [[] for _ in pairs]
    for j in range(len(now.ids)):
        rows = np.flatnonzero(~np.isnan(now.values[:, j]))[::-1]
        cells += [(int(r), j) for r in rows]
        for m, (then, after) in enumerate(pairs):
            seen = np.flatnonzero(~np.isnan(then.values[:, j]))[::-1]
            change = [after.values[r, j] - then.values[r, j] for r in seen][: len(rows)]
            past[m] += [*change, *[0.0] * (len(rows) - len(change))]
    r = np.array(past)
    return cells, r.T @ r / len(r)


def test_revisions_of_the_factor_model_are_its_weights_times_their_moments() -> None:
    now, pairs = vintages(120, 3)
    fitted = Dfm("y@ZZ", {"global": NAMES}, tolerance=1e-4).fit(now)
    found = uncertainty.revisions(fitted, now, pairs, [NEXT], NAMES)
    (opened,) = fitted.explain((now,), NEXT)
    cells, R = moments(now, pairs)
    w = np.array([opened.weights[cell] for cell in cells])
    assert found.variance[0] == pytest.approx(w @ R @ w, rel=1e-9)
    assert found.variance[0] > 1e-6
    assert (found.count, found.unknown) == (20, ())


@given(weights=arrays(float, (5, 4), elements=st.floats(-2, 2)), seed=st.integers(0, 50), shift=st.floats(-1, 1))
def test_revisions_of_any_weighted_sum(weights: Floats, seed: int, shift: float) -> None:
    now, pairs = vintages(80, seed, shift)
    found = uncertainty.revisions(Weighed(weights), now, pairs, [NEXT], NAMES)
    cells, R = moments(now, pairs)
    w, count = np.zeros(len(cells)), [0] * 4
    for i, (_, j) in enumerate(cells):
        w[i] = weights[count[j], j] if count[j] < len(weights) else 0.0
        count[j] += 1
    assert found.variance[0] == pytest.approx(w @ R @ w, rel=1e-9, abs=1e-12)


def test_a_series_that_ended_is_not_taken_for_one_that_is_never_revised() -> None:
    now, pairs = vintages(80, 2)
    dead = []
    for then, after in pairs:
        values = after.values.copy()
        values[then.months - 3 :, 2] = np.nan
        early = then.values.copy()
        early[:, 2] = np.where(np.isnan(values[: then.months, 2]), np.nan, values[: then.months, 2])
        dead.append((of(then, early), of(after, values)))
    assert uncertainty.revisions(Weighed(np.ones((3, 4))), now, dead, [NEXT], NAMES).unknown == ("x1@ZZ",)


def test_nothing_is_learned_from_after_the_panel() -> None:
    now, pairs = vintages(80, 2)
    late = replace(now, asof=now.asof + timedelta(days=1))
    with pytest.raises(LookAhead, match="say nothing of"):
        uncertainty.revisions(Weighed(np.ones((3, 4))), now, [*pairs, (now, late)], [NEXT], NAMES)


def test_series_without_a_past_are_left_out_and_named() -> None:
    now, pairs = vintages(80, 1)
    asked = Weighed(np.ones((3, 4)))
    without = [(then.select(NAMES[:3]), after) if m < 10 else (then, after) for m, (then, after) in enumerate(pairs)]
    found = uncertainty.revisions(asked, now, without, [NEXT], NAMES)
    three = uncertainty.revisions(asked, now, pairs, [NEXT], NAMES[:3])  # x2's releases have no days on record
    assert found.unknown == three.unknown == ("x2@ZZ",)
    assert found.variance == three.variance
    few = uncertainty.revisions(asked, now, pairs[:11], [NEXT, NEXT + 1], NAMES)
    assert np.isnan(few.variance).all()
    assert few.unknown == NAMES


@given(
    share=arrays(float, 3, elements=st.floats(0, 1)),
    parts=arrays(float, (3, 2), elements=st.floats(0, 9)),
)
def test_parts_of_what_moves_together_add_up(share: Floats, parts: Floats) -> None:
    said = [(float(s + p), float(s), float(p)) for s, p in parts]
    total, states, parameters = uncertainty.comonotone(share, said)
    assert total == pytest.approx(float(share @ np.sqrt(parts.sum(1))) ** 2)
    assert states + parameters == pytest.approx(total, abs=1e-12)
    assert min(states, parameters) >= 0


def test_who_knows_less_decides_for_all() -> None:
    both = [(4.0, 3.0, 1.0), (4.0, 4.0, np.nan)]
    assert np.isnan(uncertainty.comonotone(np.array([0.5, 0.5]), both)[1:]).all()
    alike = [(4.0, 4.0, np.nan), (1.0, 1.0, np.nan)]
    assert uncertainty.comonotone(np.array([0.5, 0.5]), alike)[:2] == (2.25, 2.25)


def quarters(count: int) -> list[Panel]:
    """Quarter q first said to be q, then q + 0.5 when the next one comes, q + 2 from the one after on."""
    out = []
    for n in range(2, count):
        values = np.full(3 * count, np.nan)
        for q in range(n):
            values[3 * q + 2] = q + (0.0 if q == n - 1 else 0.5 if q == n - 2 else 2.0)
        out.append(panel_as_of(date(2000, 1, 1) + timedelta(days=n), {"y": (Freq.Q, values)}))
    return out


def test_the_target_from_its_first_release_to_later_ones() -> None:
    panels = quarters(20)
    np.testing.assert_array_equal(uncertainty.target_revisions(panels, 1), [0.5] * 16)
    np.testing.assert_array_equal(uncertainty.target_revisions(panels, 3), [2.0] * 14)
    with pytest.raises(NotEnoughData, match="11 first releases have a value 6 periods later"):
        uncertainty.target_revisions(panels, 6)
    first = in_turn(panels, 0)
    assert [(str(p), v) for p, v, _ in first][:2] == [
        ("1980-Q3", 2.0),
        ("1980-Q4", 3.0),
    ]  # the earliest brings history whole
    assert first[0][2] == panels[1].asof
