"""How each derivation of :mod:`engine.algebra` is computed: values with their origin, nothing of what is allowed.

Every function takes figures that the algebra found fit and gives the first period, ``(T,)`` values (NaN where what is needed
is not known or covers other months) and ``(T,)`` Origin bits, which count where the value is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias, overload

import numpy as np

from engine.calendar import Freq, Period
from engine.errors import BadInput, Refused
from engine.figures import LASTING, Figures, Flags, Origin
from engine.typing import Bools, Floats

Made: TypeAlias = tuple[Period, Floats, Flags]


def difference(figures: Figures) -> Made:
    """x_1 = C_1, x_m = C_m - C_(m-1); a combined year begins with the pair, on February."""
    before, flags = shifted(figures.values, 1), shifted(figures.origin, 1)
    pair = figures.in_pair(1) & np.isnan(before)
    start = (figures.ordinals % figures.per_year == 0) | pair
    values = np.where(start, figures.values, figures.values - before)
    origin = passed_on(figures.origin | np.where(start, 0, flags).astype(np.uint8))
    return figures.first, values, origin | np.where(pair, np.uint8(Origin.PAIR), np.uint8(0))


def cumulate(figures: Figures) -> Made:
    """C_m = x_1 + ... + x_m within the year; not known after a gap."""
    n = figures.per_year
    start = figures.first + -(figures.first.ordinal % n)
    last = figures.first + (len(figures) - 1)
    wide = figures.over(start, last + (n - 1 - last.ordinal % n))
    values = np.where(shifted(wide.has(Origin.PAIR), -1) != 0, 0.0, wide.values).reshape(-1, n)
    sums = np.cumsum(values, axis=1).ravel()
    sums[wide.in_pair(0) & np.isnan(wide.values)] = np.nan
    flags = np.bitwise_or.accumulate(wide.origin.reshape(-1, n), axis=1).ravel()
    inside = slice(figures.first - start, figures.first - start + len(figures))
    return figures.first, sums[inside], passed_on(flags[inside])


def two_years(figures: Figures) -> Made:
    """((1 + g_t)(1 + g_(t-1 year)))^(1/2) - 1, as the bureau's notes of 2021 define it."""
    before, flags = shifted(figures.values, figures.per_year), shifted(figures.origin, figures.per_year)
    a, b = 1.0 + figures.values / 100.0, 1.0 + before / 100.0
    same = ((figures.origin ^ flags) & np.uint8(Origin.PAIR)) == 0  # a pair with a pair
    usable = same & (a > 0) & (b > 0)
    mean = np.full(len(figures), np.nan)
    mean[usable] = 100.0 * (np.sqrt(a[usable] * b[usable]) - 1.0)
    return figures.first, mean, passed_on(figures.origin, pair=True) | passed_on(flags)


def chain_years(figures: Figures, base: Figures) -> Made:
    """L_y = L_(y-1) (1 + g_y), from one whole year on."""
    n = figures.per_year
    first = _base_year(base)
    last = max(figures.first + (len(figures) - 1), first + (n - 1))
    growth, levels = figures.over(first, last), base.over(first, last)
    if np.any(base.pairs.combined(levels.ordinals[:1] // n) != figures.pairs.combined(levels.ordinals[:1] // n)):
        raise BadInput(f"January-February rules differ in the base year: {base.pairs} and {figures.pairs}")
    run = replace(levels, pairs=figures.pairs, values=levels.values.copy(), origin=levels.origin.copy())
    paired = growth.has(Origin.PAIR) & (base.kind == "level_month")
    for start in range(n, len(run), n):
        now = slice(start, min(start + n, len(run)))
        before, flags, usable = last_year(run, paired)
        factor = 1.0 + growth.values / 100.0
        made = np.where(usable & (factor > 0), before * factor, np.nan)
        origin = passed_on(growth.origin, pair=base.kind == "level_month") | passed_on(flags)
        values, origins = run.values.copy(), run.origin.copy()
        values[now], origins[now] = made[now], np.where(np.isnan(made), 0, origin)[now]
        run = replace(run, values=values, origin=origins)
    return first, run.values, run.origin


def chain_months(figures: Figures, base: Figures) -> Made:
    """L_t = L_(t-1) (1 + g_t), from the newest known level on."""
    known = np.flatnonzero(~np.isnan(base.values))
    if not len(known) or base.origin[known[-1]] & Origin.PAIR:
        raise Refused("a month-on-month rate needs a level of one month to start from; the base knows none, or a pair")
    first = base.first + int(known[-1])
    last = max(figures.first + (len(figures) - 1), first)
    growth = figures.over(first, last)
    steps = growth.values.copy()
    steps[0] = 0.0
    factor = 1.0 + steps / 100.0
    values = base.values[known[-1]] * np.cumprod(np.where(factor > 0, factor, np.nan))
    origin = np.bitwise_or.accumulate(growth.origin)
    origin = passed_on(origin | base.origin[known[-1]])
    origin[0] = base.origin[known[-1]]
    return first, values, origin


def growth_of_one(figures: Figures, base: Figures) -> Made:
    """g_m = (C_m - C_(m-1)) / (B_m - B_(m-1)) - 1 with B_m = C_m / (1 + G_m), last year's levels in this year's scope."""
    return _regrow(figures, base, difference)


def growth_since_january(figures: Figures, base: Figures) -> Made:
    """G_m = sum x / sum b - 1 with b_m = x_m / (1 + g_m)."""
    return _regrow(figures, base, cumulate)


def _regrow(figures: Figures, base: Figures, step: Callable[[Figures], Made]) -> Made:
    _refuse_other_basis(figures, base)
    base = base.over(figures.first, figures.first + (len(figures) - 1))
    years = figures.ordinals // figures.per_year
    if figures.first.freq is Freq.M and np.any(figures.pairs.combined(years) != base.pairs.combined(years)):
        raise BadInput(f"January-February rules differ: {figures.pairs} and {base.pairs}")
    factor = 1.0 + figures.values / 100.0
    usable = (factor > 0) & (((base.origin ^ figures.origin) & np.uint8(Origin.PAIR)) == 0)
    last = np.full(len(figures), np.nan)
    last[usable] = base.values[usable] / factor[usable]
    both = base.origin | figures.origin
    then = replace(base, values=last, origin=np.where(np.isnan(last), 0, both).astype(np.uint8))
    now = replace(base, values=np.where(np.isnan(last), np.nan, base.values), origin=then.origin)
    _, top, flags = step(now)
    _, bottom, _ = step(then)
    rates = np.full(len(figures), np.nan)
    usable = bottom > 0
    rates[usable] = 100.0 * (top[usable] / bottom[usable] - 1.0)
    return figures.first, rates, flags


def _base_year(base: Figures) -> Period:
    known = base.first.ordinal + np.flatnonzero(~np.isnan(base.values))
    years = np.unique(known // base.per_year)
    if len(years) == 1:
        year = base.year(int(years[0]))
        january = year.in_pair(0) & (base.kind != "level_eop")
        if np.all(january | ~np.isnan(year.values)):
            return year.first
    raise Refused(
        "levels from growth need one base year with all its months (or ten and the pair) or quarters; "
        f"the base knows {len(known)} periods in {len(years)} years: take base.year(Y)"
    )


def _refuse_other_basis(figures: Figures, base: Figures) -> None:
    if not figures.basis or figures.basis != base.basis:
        raise Refused(
            f"growth on the basis {figures.basis or 'not stated'!r} and levels on {base.basis or 'not stated'!r}: the scope and "
            "prices of both must be stated and the same, as growth at constant prices does not fit levels at current ones"
        )


def last_year(levels: Figures, paired: Bools) -> tuple[Floats, Flags, Bools]:
    """What a year-on-year rate stands on: ``(T,)`` levels and flags of a year ago, and whether they cover the same months.

    paired: where the rate is that of a pair; its base is last year's pair, or January plus February.
    """
    n = levels.per_year
    before, flags = shifted(levels.values, n), shifted(levels.origin, n)
    january, others = shifted(levels.values, n + 1), shifted(levels.origin, n + 1)
    was = (flags & Origin.PAIR) != 0
    add = paired & ~was
    return np.where(add, before + january, before), np.where(add, flags | others, flags).astype(np.uint8), paired | ~was


def passed_on(origin: Flags, *, pair: bool = False) -> Flags:
    """The flags of what is computed with such values: derived, and what lasts; the pair where the result covers it too."""
    keep = LASTING | (int(Origin.PAIR) if pair else 0)
    return ((origin & np.uint8(keep)) | np.uint8(Origin.DERIVED)).astype(np.uint8)


@overload
def shifted(values: Floats, by: int) -> Floats: ...
@overload
def shifted(values: Flags, by: int) -> Flags: ...
@overload
def shifted(values: Bools, by: int) -> Bools: ...
def shifted(values: Floats | Flags | Bools, by: int) -> Floats | Flags | Bools:
    """``out[t] = values[t - by]``; NaN, 0 or False where that lies outside."""
    out = np.full_like(values, np.nan if values.dtype == np.float64 else 0)
    if by > 0:
        out[by:] = values[:-by]
    else:
        out[:by] = values[-by:]
    return out
