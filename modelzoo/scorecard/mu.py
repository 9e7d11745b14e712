"""亩均论英雄: firms by what they yield per mu of land, energy, emission and head, with caps, sector means and grades A to D.

score = Σ points · value / base, each item held at ``cap`` times its points. Where an item that a sector need not report is
missing (emissions), the mean *score* of the sector stands in for it, marked. Grades go by rank: the first shares of all firms are
A, the next B, and so on.

Huangyan district, rules for 2022 and 2021 (items, points and bases as published); below size half taxes per mu, half taxes per
kWh. Caps and the shares of grades differ from county to county, so they are arguments and have no default.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.board import ranks
from engine.errors import BadInput, NotEnoughData
from engine.typing import Bools, Floats

GRADES = ("A", "B", "C", "D")


@dataclass(frozen=True, slots=True)
class Item:
    """base: the value that earns all ``points``. cap: the most it may earn, times its points; none if inf. by_sector: a gap is
    filled with the sector's mean score; elsewhere a gap is refused. Raises BadInput."""

    name: str
    name_zh: str
    base: float
    points: float
    cap: float = float("inf")
    by_sector: bool = False

    def __post_init__(self) -> None:
        if not (np.isfinite(self.base) and self.base > 0 and self.points > 0 and self.cap >= 1):
            raise BadInput(f"{self.name}: an item takes a base and points above 0 and a cap from 1, not {self}")


def _huangyan(tax: float, va: float, energy: float, emission: float, labour: float, rd: float) -> tuple[Item, ...]:
    return (
        Item("mu_tax", "亩均税收", tax, 30.0),
        Item("mu_va", "亩均增加值", va, 20.0),
        Item("va_per_energy", "单位能耗增加值", energy, 20.0),
        Item("va_per_emission", "单位排放增加值", emission, 10.0, by_sector=True),
        Item("labour_productivity", "全员劳动生产率", labour, 10.0),
        Item("rd_to_revenue", "R&D经费支出占主营业务收入之比", rd, 10.0),
    )


HUANGYAN_2022 = _huangyan(24.097, 136.16, 2.694, 4929.81, 18.14, 0.0302)
HUANGYAN_2021 = _huangyan(26.01, 132.27, 2.54, 4861.08, 17.45, 0.0305)
"""规上. Taxes and value added in 10,000 yuan per mu, tonne or head; research as a share, .0302 for 3.02 %."""


def below_size(tax: float, tax_per_kwh: float) -> tuple[Item, ...]:
    """规下: half taxes per mu, half taxes per unit of electricity, by the bases of the county."""
    return (
        Item("mu_tax", "亩均税收", tax, 50.0),
        Item("tax_per_power", "单位用电税收", tax_per_kwh, 50.0),
    )


def capped(items: Sequence[Item], cap: float) -> tuple[Item, ...]:
    """The same items, each earning at most ``cap`` times its points."""
    return tuple(replace(item, cap=cap) for item in items)


@dataclass(frozen=True, slots=True, eq=False)
class Yield:
    """items: ``(F, K)`` what each earned. score: ``(F,)`` their sum. filled: ``(F, K)`` where the sector's mean stands in."""

    items: Floats
    score: Floats
    filled: Bools


def yields(values: Floats, items: Sequence[Item], firms: Sequence[str], sectors: Sequence[str]) -> Yield:
    """Score ``(F, K)`` values of firms, NaN where not known. Losses and negative taxes earn nothing, and take nothing.

    Raises BadInput naming firm and item where a gap may not be filled, NotEnoughData where nobody in the sector reports it.
    """
    values = np.asarray(values, float)
    if values.shape != (len(firms), len(items)) or len(sectors) != len(firms):
        raise BadInput(
            f"{len(firms)} firms, {len(sectors)} sectors and {len(items)} items need values of that shape, not {values.shape}"
        )
    earned = np.empty(values.shape)
    filled = np.isnan(values)
    labels = np.array(sectors)
    for k, item in enumerate(items):
        earned[:, k] = item.points * np.clip(values[:, k] / item.base, 0.0, item.cap)
        gaps = np.flatnonzero(filled[:, k])
        if len(gaps) and not item.by_sector:
            raise BadInput(f"{firms[int(gaps[0])]}: {item.name_zh} ({item.name}) is not known; ask for it")
        for sector in dict.fromkeys(labels[gaps].tolist()):
            mine = labels == sector
            known = earned[mine & ~filled[:, k], k]
            if not len(known):
                raise NotEnoughData(
                    f"sector {sector}: no firm reports {item.name_zh} ({item.name}); its mean is not known"
                )
            earned[mine & filled[:, k], k] = known.mean()
    return Yield(earned, earned.sum(1), filled)


def grades(score: Floats, shares: Sequence[float]) -> tuple[str, ...]:
    """A, B, C or D by rank. shares: of firms in A, B, C and D, summing to 1. Equal scores share the better grade.

    >>> grades(np.array([90.0, 40.0, 70.0, 60.0, 20.0]), (0.2, 0.4, 0.2, 0.2))
    ('A', 'C', 'B', 'B', 'D')
    """
    if len(shares) != len(GRADES) or any(s < 0 for s in shares) or abs(sum(shares) - 1) > 1e-9:
        raise BadInput(f"the shares of A, B, C and D are four numbers that sum to 1, not {tuple(shares)}")
    if not np.isfinite(score).all():
        raise BadInput("only firms with a score are graded")
    ends = np.cumsum(shares)[:-1] * len(score)
    return tuple(GRADES[int(np.searchsorted(ends, rank - 1e-9))] for rank in ranks(score).tolist())
