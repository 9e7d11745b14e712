"""What may be derived from which figures: levels, year-to-date sums, growth, indices, two-year averages.

>>> from engine.calendar import Period
>>> from engine.figures import COMBINED, published
>>> fai = published("level_ytd", Period.parse("2008-02"), np.array([8121.29, 18316.94]), pairs=COMBINED)
>>> month = derive(fai, "level_month")
>>> month.values.round(2).tolist(), month.has(Origin.PAIR).tolist()
([8121.29, 10195.65], [True, False])

:func:`derive` gives values with their origin, or raises :class:`~engine.errors.Refused` with the reason. Three rules stand
behind the refusals. Official growth is on a comparable basis, published levels are not: fixed-asset investment fell by 13 %
in 2019 by its levels and grew by 5.4 % officially. Growth at constant prices and levels at current prices do not mix. A rate
says nothing of the level it starts from. :func:`nominal_growth` computes growth from levels all the same, flagged for life.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np

from engine.calendar import Freq, Period
from engine.derivations import (
    Made,
    chain_months,
    chain_years,
    cumulate,
    difference,
    growth_of_one,
    growth_since_january,
    last_year,
    passed_on,
    shifted,
    two_years,
)
from engine.errors import BadInput, Refused
from engine.figures import LASTING, SEPARATE, Figures, Kind, Origin

_FORM = {  # month and quarter share one rule
    "level_month": "level",
    "level_quarter": "level",
    "yoy_month": "yoy",
    "yoy_quarter": "yoy",
}


def derive(figures: Figures, to: Kind, *, base: Figures | None = None) -> Figures:
    """The same figures as another kind.

    Without a base: level ↔ year-to-date level; growth ↔ its index (= 100); year-on-year growth → two-year average.
    With a base: growth → level, where ``base`` is one whole calendar year of levels (:meth:`Figures.year`; for ``mom`` any
    known level to start from); year-to-date growth ↔ growth of the single period, where ``base`` are levels of the same kind
    and the same stated ``basis`` (scope and prices), for the same periods.

    A value is NaN where what it needs is not known, or covers other months than it (a February against a pair). Rounding of
    published growth to ±ε costs a single period up to about ε·(C_m + C_{m-1})/x_m, some 2m times ε in month m.

    Raises Refused where the result would mislead; BadInput where axes or January-February rules do not fit.
    """
    if to == figures.kind:
        return figures
    growth = _of_index(to, figures.first.freq)
    if growth is not None:
        rates = derive(figures, growth, base=base)
        return _result(rates, to, (rates.first, 100.0 + rates.values, passed_on(rates.origin, pair=True)))
    growth = _of_index(figures.kind, figures.first.freq)
    if growth is not None:
        rates = _result(figures, growth, (figures.first, figures.values - 100.0, passed_on(figures.origin, pair=True)))
        return derive(rates, to, base=base)
    route = (_FORM.get(figures.kind, figures.kind), _FORM.get(to, to))
    if base is None and route in _ALONE:
        return _result(figures, to, _ALONE[route](figures))
    if base is not None and route in _ON_BASE and _FORM.get(base.kind, base.kind) == _BASE_KIND.get(route, route[1]):
        _refuse_other_axis(figures, base)
        source = replace(figures, pairs=SEPARATE) if figures.kind == "mom" else figures
        return _result(source, to, _ON_BASE[route](figures, base))
    raise Refused(f"{figures.kind} to {to}: {_reason(route, base)}")


def nominal_growth(levels: Figures, to: Literal["yoy_month", "yoy_quarter", "yoy_ytd", "mom"]) -> Figures:
    """Growth, in percent, of levels as published: not the official growth, and flagged NOMINAL_SCOPE for life.

    A pair is set against last year's pair, or against the sum of its January and February where these were separate; a
    February that is one is never set against a pair. NaN on a base that is not positive. Raises Refused for kinds without it.
    """
    route = (_FORM.get(levels.kind, levels.kind), _FORM.get(to, to))
    if route not in {
        ("level", "yoy"),
        ("level_ytd", "yoy_ytd"),
        ("level_eop", "yoy"),
        ("level", "mom"),
        ("level_eop", "mom"),
    }:
        raise Refused(f"{levels.kind} to {to}: no such growth; take a level of the same form (level_ytd for yoy_ytd)")
    if levels.kind == "level_eop":  # a stock has its January
        levels = replace(levels, pairs=SEPARATE)
    values, origin = levels.values, levels.origin
    if to == "mom":
        before, flags = shifted(values, 1), shifted(origin, 1)
        usable = ~(levels.has(Origin.PAIR) | ((flags & Origin.PAIR) != 0))
        pair = False
    else:
        before, flags, usable = last_year(levels, levels.has(Origin.PAIR))
        pair = True
    usable &= before > 0
    rates = np.full(len(values), np.nan)
    rates[usable] = 100.0 * (values[usable] / before[usable] - 1.0)
    made = passed_on(origin, pair=pair) | passed_on(flags) | np.uint8(Origin.NOMINAL_SCOPE)
    return _result(levels, to, (levels.first, rates, made.astype(np.uint8)))


def split_pair(levels: Figures, by: Literal["half", "days"] | Figures) -> Figures:
    """Every January-February pair of a flow as two months, both flagged IMPUTED; all other values as they were.

    by: ``half``; ``days`` of the calendar; or other monthly flows, which lend their ratio of January to February of the same
    year (a pair stays a pair where they do not know it). No rule is good: on China's trade 1998-2013 each misses January by
    5 to 10 % on average. Models do better to take January as missing and February as the sum. Raises Refused, BadInput.
    """
    if levels.kind != "level_month":
        raise Refused(f"{levels.kind}: only a flow of the month can be split, growth and sums since January cannot")
    if isinstance(by, Figures) and by.kind != "level_month":
        raise BadInput(f"split by the months of other figures: level_month is needed, not {by.kind}")
    wide = levels.over(levels.first + -(levels.first.ordinal % 12), levels.first + (len(levels) - 1))
    february = np.flatnonzero(wide.has(Origin.PAIR))
    years = wide.ordinals[february] // 12
    if isinstance(by, Figures):
        other = by.over(wide.first, wide.first + (len(wide) - 1))
        one, two = other.values[february - 1], other.values[february]
        one = np.where(other.has(Origin.PAIR)[february], np.nan, one)
        with np.errstate(divide="ignore", invalid="ignore"):
            january = np.where((one > 0) & (two > 0), one / (one + two), np.nan)
    elif by == "days":
        ends = [Period(Freq.M, 12 * int(year) + 1).end for year in years]
        january = np.array([31 / (31 + end.day) for end in ends])
    else:
        january = np.full(len(february), 0.5)
    known = ~np.isnan(january)
    february, january = february[known], january[known]
    values, origin = wide.values.copy(), wide.origin.copy()
    whole = values[february]
    values[february - 1] = january * whole
    values[february] = whole - values[february - 1]
    flags = np.uint8(Origin.DERIVED | Origin.IMPUTED) | (origin[february] & np.uint8(LASTING))
    origin[february - 1] = origin[february] = flags
    rule = f"split by {by if isinstance(by, str) else 'the ratio of other figures'}"
    return replace(wide, values=values, origin=origin, path=(*levels.path, rule))


def _result(source: Figures, kind: Kind, made: Made) -> Figures:
    first, values, origin = made
    origin = np.where(np.isnan(values), 0, origin).astype(np.uint8)
    return replace(source, kind=kind, first=first, values=values, origin=origin, path=(*source.path, kind))


def _of_index(kind: Kind, freq: Freq) -> Kind | None:
    """The growth that an index = 100 says in another form."""
    single: Kind = "yoy_month" if freq is Freq.M else "yoy_quarter"
    forms: dict[Kind, Kind] = {"index_yoy": single, "index_yoy_ytd": "yoy_ytd", "index_mom": "mom"}
    return forms.get(kind)


def _refuse_other_axis(figures: Figures, base: Figures) -> None:
    if figures.first.freq is not base.first.freq:
        raise BadInput(f"{figures.kind} and its base differ in frequency")


def _reason(route: tuple[str, str], base: Figures | None) -> str:
    """Why there is no way."""
    source, to = route
    if route in _ON_BASE:
        need = _BASE_KIND.get(route, to)
        if source in ("yoy_ytd", "yoy") and to in ("yoy", "yoy_ytd"):
            why = (
                "rates do not add up or subtract: each stands on other levels; at constant prices these are not published. "
                f"Needs base={need} with the same scope and prices as the growth"
            )
        else:
            why = f"a rate says nothing of the level it starts from: needs base={need}, one whole base year (any month for mom)"
        return why if base is None else f"{why}; got {base.kind}"
    if route in _ALONE:
        return "needs no base; leave it out"
    if "share" in route:
        return "a share, rate or ratio is neither a sum nor a growth: it cannot be differenced, summed or chained"
    if source.startswith("level") and not to.startswith("level"):
        return (
            "official growth is never computed from published levels: their scope and base change each year, growth is on a "
            "comparable basis. Store the published growth as its own series, or take nominal_growth(), which is flagged"
        )
    if "level_eop" in route:
        return "a stock and a flow do not follow from each other: stocks also change by valuation, write-offs and reclassification"
    if "mom" in route:
        return (
            "month-on-month rates are seasonally adjusted or rounded and do not multiply up to the official growth, nor follow "
            "from it; chain a level on a base and take nominal_growth()"
        )
    if source == "two_year_average":
        return "the average of two years does not say what each was; take the published growth"
    return "no rule leads there in one step; derive the level in between"


_Rule = Callable[[Figures], Made]
_BaseRule = Callable[[Figures, Figures], Made]
_ALONE: dict[tuple[str, str], _Rule] = {
    ("level", "level_ytd"): cumulate,
    ("level_ytd", "level"): difference,
    ("yoy", "two_year_average"): two_years,
    ("yoy_ytd", "two_year_average"): two_years,
}
_ON_BASE: dict[tuple[str, str], _BaseRule] = {
    ("yoy", "level"): chain_years,
    ("yoy", "level_eop"): chain_years,
    ("yoy_ytd", "level_ytd"): chain_years,
    ("mom", "level"): chain_months,
    ("mom", "level_eop"): chain_months,
    ("yoy_ytd", "yoy"): growth_of_one,
    ("yoy", "yoy_ytd"): growth_since_january,
}
_BASE_KIND = {("yoy_ytd", "yoy"): "level_ytd", ("yoy", "yoy_ytd"): "level"}  # elsewhere that of the result
