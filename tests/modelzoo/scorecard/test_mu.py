"""亩均论英雄 by hand, from the published bases of Huangyan for 2022 and 2021."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BadInput, NotEnoughData
from modelzoo.scorecard.mu import HUANGYAN_2021, HUANGYAN_2022, below_size, capped, grades, yields

FIRM = np.array([[36.1455, 102.12, 2.694, 2464.905, 9.07, 0.0453]])  # 1.5, .75, 1, .5, .5 and 1.5 of the bases of 2022
ONE, SECTOR = ("甲公司",), ("33",)


def test_a_firm_of_2022_and_of_2021_by_hand() -> None:
    found = yields(FIRM, HUANGYAN_2022, ONE, SECTOR)
    assert found.items[0] == pytest.approx([45, 15, 20, 5, 5, 15])
    assert found.score[0] == pytest.approx(105)
    #      30·36.1455/26.01 + 20·102.12/132.27 + 20·2.694/2.54 + 10·2464.905/4861.08 + 10·9.07/17.45 + 10·.0453/.0305
    by_hand = 41.690311 + 15.441143 + 21.212598 + 5.070694 + 5.197708 + 14.852459
    assert yields(FIRM, HUANGYAN_2021, ONE, SECTOR).score[0] == pytest.approx(by_hand, abs=1e-5)


@pytest.mark.parametrize("items", [HUANGYAN_2022, HUANGYAN_2021])
def test_the_bases_earn_all_points(items: tuple[object, ...]) -> None:
    bases = np.array([[item.base for item in items]])  # type: ignore[attr-defined]
    assert yields(bases, items, ONE, SECTOR).score[0] == pytest.approx(100)  # type: ignore[arg-type]


def test_caps_and_losses() -> None:
    found = yields(FIRM * [[10, 1, 1, 1, 1, -1]], capped(HUANGYAN_2022, 1.2), ONE, SECTOR)
    assert found.items[0] == pytest.approx([36, 15, 20, 5, 5, 0])


def test_missing_emissions_take_the_mean_score_of_the_sector() -> None:
    values = np.repeat(FIRM, 4, 0)
    values[:, 3] = [4929.81, 2 * 4929.81, np.nan, np.nan]
    sectors = ("33", "33", "33", "34")
    with pytest.raises(NotEnoughData, match=r"sector 34: no firm reports 单位排放增加值"):
        yields(values, HUANGYAN_2022, ("a", "b", "c", "d"), sectors)
    found = yields(values[:3], capped(HUANGYAN_2022, 1.5), ("a", "b", "c"), sectors[:3])
    assert found.items[:, 3] == pytest.approx([10, 15, 12.5]), "the mean of scores, after the cap, and not of values"
    assert found.filled.tolist() == [[False] * 6, [False] * 6, [False, False, False, True, False, False]]
    values[0, 0] = np.nan
    with pytest.raises(BadInput, match=r"a: 亩均税收 \(mu_tax\) is not known"):
        yields(values[:3], HUANGYAN_2022, ("a", "b", "c"), sectors[:3])


def test_below_size_is_half_and_half() -> None:
    found = yields(np.array([[20.0, 3.0]]), below_size(10.0, 6.0), ONE, SECTOR)
    assert found.items[0] == pytest.approx([100, 25])


def test_grades_go_by_rank() -> None:
    score = np.array([90.0, 40, 70, 60, 20, 70, 10, 5, 4, 3])
    assert "".join(grades(score, (0.2, 0.4, 0.3, 0.1))) == "ABABBACCCD"
    assert "".join(grades(np.full(4, 7.0), (0.25, 0.25, 0.25, 0.25))) == "AAAA"
    with pytest.raises(BadInput, match="sum to 1"):
        grades(score, (0.2, 0.4, 0.3, 0.2))


@given(st.lists(st.floats(0, 500), min_size=1, max_size=60), st.integers(0, 100), st.integers(0, 100))
def test_a_better_score_never_has_a_worse_grade(scores: list[float], a: int, b: int) -> None:
    shares = np.array([a, b, 100, 50]) / (a + b + 150)
    given_grades = grades(np.array(scores), tuple(shares / shares.sum()))
    order = np.argsort(-np.array(scores), kind="stable")
    letters = [given_grades[i] for i in order]
    assert letters == sorted(letters)
    assert letters.count("A") >= int(shares[0] * len(scores) + 1e-9)
