"""What the operations of a recipe do: official figures in, comparable ones out, and behind each value the cells it came from.

A :class:`Column` carries, beside its figures, a matrix that says which published cells stand behind each value, known or not. When
a column became known, and why a cell is empty, both follow from it. All is a pure function of the cells that are given. January and
February stay one observation on February, flagged PAIR; only ``split`` makes two of it, flagged IMPUTED. After ``sa`` a month is
flagged by what it is itself, not by the neighbours that the filters have seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

import numpy as np

from engine.algebra import derive, nominal_growth, split_pair
from engine.calendar import Freq
from engine.derivations import passed_on, shifted
from engine.errors import NotEnoughData
from engine.figures import SEPARATE, Figures, Flags, Kind, Origin
from engine.steps import analyse
from engine.typing import Bools, Floats
from featurestore.recipes import Recipe

SHOWN = int(Origin.PAIR | Origin.IMPUTED | Origin.NOMINAL_SCOPE)
"""The flags that a panel keeps."""


@dataclass(frozen=True, slots=True)
class Column:
    """behind: ``(T, n)`` whether a value reads each of the ``n`` published cells. note: what the data made of the recipe."""

    figures: Figures
    behind: Bools
    note: str = ""


Operate = Callable[[Column, Sequence[Column], str], Column]


def cook(recipe: Recipe, sources: Sequence[Column]) -> Column:
    """Apply the operations, ``sa`` not among them, to the first source; the others are those that an operation asks for."""
    column = sources[0]
    for o in recipe:
        column = _OPERATIONS[o.name](column, sources[1:], o.argument)
    return column


def adjusted(column: Column, values: Floats, note: str) -> Column:
    """The column with seasonally adjusted values ``(T,)``: each has seen all that is known. A note from before goes first."""
    f = column.figures
    origin = np.where(np.isnan(values), 0, passed_on(f.origin)).astype(np.uint8)
    seen = column.behind[~np.isnan(f.values)].any(axis=0)
    return Column(
        replace(f, values=values, origin=origin, path=(*f.path, "sa")), column.behind | seen, column.note or note
    )


def _month(c: Column, others: Sequence[Column], argument: str) -> Column:
    f = c.figures
    return Column(derive(f, _single("level", f)), c.behind | (_before(f)[:, None] & _lag(c.behind, 1)))


def _split(c: Column, others: Sequence[Column], argument: str) -> Column:
    made = split_pair(c.figures, "half" if argument == "half" else "days")
    behind = np.zeros((len(made), c.behind.shape[1]), np.bool_)
    behind[c.figures.first - made.first :] = c.behind
    january = np.flatnonzero(made.in_pair(0)[:-1] & made.has(Origin.IMPUTED)[:-1])
    behind[january] |= behind[january + 1]
    return Column(made, behind)


def _nominal_yoy(c: Column, others: Sequence[Column], argument: str) -> Column:
    f, n = c.figures, c.figures.per_year
    made = nominal_growth(f, "yoy_ytd" if f.kind == "level_ytd" else _growth(f))
    alone = f.has(Origin.PAIR) & (shifted(f.has(Origin.PAIR), n) == 0)  # a pair on last year's January and February
    return Column(made, c.behind | _lag(c.behind, n) | (alone[:, None] & _lag(c.behind, n + 1)))


def _month_yoy(c: Column, others: Sequence[Column], argument: str) -> Column:
    f, base = replace(c.figures, basis=argument), others[0]
    level = replace(base.figures, basis=argument)
    both = c.behind | _over(base, f)
    return Column(derive(f, _growth(f), base=level), both | (_before(f)[:, None] & _lag(both, 1)))


def _two_year(c: Column, others: Sequence[Column], argument: str) -> Column:
    return Column(derive(c.figures, "two_year_average"), c.behind | _lag(c.behind, c.figures.per_year))


def _rate(c: Column, others: Sequence[Column], argument: str) -> Column:
    f = c.figures
    to: Kind = _growth(f) if f.kind == "index_yoy" else "yoy_ytd" if f.kind == "index_yoy_ytd" else "mom"
    return replace(c, figures=derive(f, to))


def _chain(c: Column, others: Sequence[Column], argument: str) -> Column:
    f = derive(c.figures, "mom")
    known = np.flatnonzero(~np.isnan(f.values))
    if not len(known):
        return replace(c, figures=replace(f, kind="level_eop", pairs=SEPARATE))
    start = int(known[0])
    hundred = Figures("level_eop", f.first + (start - 1), np.array([100.0]), np.array([Origin.DERIVED], np.uint8))
    level = derive(f, "level_eop", base=hundred).over(f.first + start, f.first + (len(f) - 1))
    level = level.over(f.first, f.first + (len(f) - 1))  # without the base, which nobody published
    since = (np.arange(len(f)) >= start)[:, None]
    return Column(level, c.behind | (since & np.logical_or.accumulate(c.behind & since, axis=0)))


def _year_change(c: Column, others: Sequence[Column], argument: str) -> Column:
    n = c.figures.per_year
    change = c.figures.values - shifted(c.figures.values, n)
    flags = passed_on(c.figures.origin) | passed_on(shifted(c.figures.origin, n))
    return Column(_numbers(c.figures, change, flags, "year_change"), c.behind | _lag(c.behind, n))


def _pch(c: Column, others: Sequence[Column], argument: str) -> Column:
    f, before = c.figures, shifted(c.figures.origin, 1)
    change = analyse(f.values, "pch", f.first.freq)
    change[((f.origin | before) & Origin.PAIR) != 0] = np.nan
    flags = passed_on(f.origin) | passed_on(before)
    if f.path[0].startswith("level"):  # its scope may have changed since the period before
        flags = flags | np.uint8(Origin.NOMINAL_SCOPE)
    return Column(_numbers(f, change, flags, "pch"), c.behind | _lag(c.behind, 1), c.note)


def _deflate(c: Column, others: Sequence[Column], argument: str) -> Column:
    """(1 + g) / (index / 100) - 1; over a pair or a quarter the mean index, since January the index of the last month."""
    f, price = c.figures, others[0].figures
    weights = np.zeros((len(f), len(price)))
    for t, end in enumerate((f.first + i).last_month - price.first.last_month for i in range(len(f))):
        step = 3 if price.first.freq is Freq.Q else 1
        months = (
            1 if f.kind == "yoy_ytd" or step == 3 else 3 if f.first.freq is Freq.Q else 1 + int(f.has(Origin.PAIR)[t])
        )
        at = [(end - back) // step for back in range(months)]
        if at[-1] >= 0 and at[0] < len(price):
            weights[t, at] = 1.0 / months
    read = weights > 0
    whole = read.any(axis=1) & ~(read & np.isnan(price.values)).any(axis=1)
    mean = np.where(whole, weights @ np.nan_to_num(price.values), np.nan)
    rates = 100.0 * ((100.0 + f.values) / np.where(mean > 0, mean, np.nan) - 1.0)
    origin = np.where(np.isnan(rates), 0, passed_on(f.origin, pair=True)).astype(np.uint8)
    made = replace(f, values=rates, origin=origin, path=(*f.path, "deflate"))
    return Column(made, c.behind | (read.astype(np.uint8) @ others[0].behind.astype(np.uint8) > 0))


def _monthly(c: Column, others: Sequence[Column], argument: str) -> Column:
    """Quarters spread over months along the months of other figures: the newest run of quarters in which these are all known."""
    from engine import disaggregate
    from engine.constraints import spread

    quarters = derive(c.figures, "level_quarter")
    months = [split_pair(derive(o.figures, "level_month"), "days") for o in others]
    start = quarters.first.to(Freq.M) + -2
    lines: Floats = np.column_stack([m.over(start, start + (3 * len(quarters) - 1)).values for m in months])
    by_quarter: Floats = lines.reshape(len(quarters), -1)
    gaps = np.flatnonzero(np.isnan(by_quarter).any(axis=1))
    ends = np.setdiff1d(np.flatnonzero(~np.isnan(quarters.values)), gaps)
    last = int(ends[-1]) if len(ends) else -1
    first = max((int(g) + 1 for g in gaps if g < last), default=0)
    values, note = np.full(len(lines), np.nan), ""
    method = getattr(disaggregate, argument)
    try:
        if last < first:
            raise NotEnoughData("no quarter with all its months is known")
        run = slice(3 * first, 3 * last + 3)
        target = spread(
            quarters.first + first, quarters.values[first : last + 1], start + 3 * first, run.stop - run.start, "sum"
        )
        values[run] = method(target, lines[run, 0] if argument == "denton" else lines[run]).values
    except NotEnoughData as e:
        note = f"not spread over months: {e}"
    origin = np.where(np.isnan(values), 0, Origin.DERIVED | Origin.IMPUTED).astype(np.uint8)
    made = Figures("level_month", start, values, origin, path=(*c.figures.path, f"monthly({argument})"))
    seen = np.array([x.behind[~np.isnan(x.figures.values)].any(axis=0) for x in (c, *others)]).any(axis=0)
    behind = np.repeat(c.behind, 3, axis=0) | (~np.isnan(values)[:, None] & seen)
    return Column(made, behind, note)


_OPERATIONS: Mapping[str, Operate] = {
    "month": _month,
    "split": _split,
    "nominal_yoy": _nominal_yoy,
    "month_yoy": _month_yoy,
    "two_year": _two_year,
    "rate": _rate,
    "chain": _chain,
    "year_change": _year_change,
    "deflate": _deflate,
    "monthly": _monthly,
    "pch": _pch,
}


def _single(form: str, f: Figures) -> Kind:
    return cast(Kind, f"{form}_{'month' if f.first.freq is Freq.M else 'quarter'}")


def _growth(f: Figures) -> Literal["yoy_month", "yoy_quarter"]:
    return "yoy_month" if f.first.freq is Freq.M else "yoy_quarter"


def _before(f: Figures) -> Bools:
    """``(T,)`` whether a single period is a difference: not where the year begins, be it with January or with the pair."""
    pair = f.in_pair(1) & np.isnan(shifted(f.values, 1))
    start: Bools = (f.ordinals % f.per_year == 0) | pair
    return ~start


def _lag(behind: Bools, by: int) -> Bools:
    out = np.zeros_like(behind)
    out[by:] = behind[: len(behind) - by] if by < len(behind) else False
    return out


def _over(c: Column, f: Figures) -> Bools:
    """The cells behind a column, on the axis of other figures."""
    out = np.zeros((len(f), c.behind.shape[1]), np.bool_)
    lo, hi = max(0, c.figures.first - f.first), min(len(f), c.figures.first - f.first + len(c.figures))
    if lo < hi:
        since = f.first - c.figures.first
        out[lo:hi] = c.behind[lo + since : hi + since]
    return out


def _numbers(f: Figures, values: Floats, flags: Flags, step: str) -> Figures:
    """Values that are of none of the algebra's kinds: neither summed nor chained."""
    origin = np.where(np.isnan(values), 0, flags & np.uint8(~np.uint8(Origin.PAIR))).astype(np.uint8)
    return Figures("share", f.first, values, origin, path=(*f.path, step))
