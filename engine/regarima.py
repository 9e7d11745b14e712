"""The model behind a seasonal adjustment: regression on the calendar with ARIMA errors, identified once and then held.

Which regressors, which ARIMA model and which outliers is a search that takes a second and may turn out differently with every
new month. So it is done at a yearly review; in between, model and coefficients stand in a :class:`Specification` and only the
moving averages are run anew (the partial concurrent adjustment of the European Statistical System's guidelines, 2015, item 4.2).
Source of the criteria: X-13ARIMA-SEATS Reference Manual 1.1, chapter 5 (AICc) and sections 7.1, 7.11, 7.13, 7.18.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from engine import x13
from engine.calendar import Freq, Period
from engine.errors import BadInput, NotConverged, NotEnoughData
from engine.festival import SETS, Window, regressor
from engine.typing import Floats

TradingDays = Literal["none", "td1coef", "td"]
"""Nothing; weekdays against weekends; six contrasts of the days of the week. Both bring the leap year with them."""

# What X-13 calls the coefficients, and the words that ask for them with logarithms and without. With logarithms it divides by the
# length of February beforehand; without, the leap year is a regressor of its own.
_DAYS: Mapping[TradingDays, tuple[list[str], list[str], list[str]]] = {
    "none": ([], [], []),
    "td1coef": (["Weekday"], ["td1coef"], ["td1nolpyear", "lpyear"]),
    "td": (["Mon", "Tue", "Wed", "Thu", "Fri", "Sat"], ["td"], ["tdnolpyear", "lpyear"]),
}
_AIRLINE = "(0 1 1)(0 1 1)"
_MOST_MISSING = 0.1  # each costs X-13 one of its 80 regressors
_LONGEST = 780  # observations, X-13's own bound
_OUTLIER = re.compile(r"(AO|LS|TC|SO)(\d{4})\.(\w+)$")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True)
class Specification:
    """A model of one series.

    ``outliers`` by X-13's names (``LS2008.Nov``). ``regression`` (by X-13's name of the variable), ``ar`` and ``ma`` (lags in
    order, the seasonal ones last, X-13's signs) are held fixed; where ``regression`` and both are empty they are estimated with
    every run. ``identified`` is the newest period that the choice has seen, None for a model written by hand.
    ``compared`` tells each candidate's AICc at the choice: log or not, window set, trading days.
    """

    freq: Freq
    log: bool
    arima: str = _AIRLINE
    trading_days: TradingDays = "none"
    windows: tuple[Window, ...] = ()
    outliers: tuple[str, ...] = ()
    constant: bool = False
    regression: tuple[tuple[str, float], ...] = ()
    ar: tuple[float, ...] = ()
    ma: tuple[float, ...] = ()
    identified: Period | None = None
    compared: tuple[tuple[str, float], ...] = ()


def unfit(first: Period, values: Floats, log: bool = False) -> str:
    """Why X-13 cannot take a series, in a few words; "" where it can.

    values: ``(T,)`` from ``first`` on, known at both ends, NaN where missing. log: the model takes logarithms.
    """
    n, year = len(values), first.freq.per_year
    seen = ~np.isnan(values)
    seasons = (first.ordinal + np.arange(n)) % year
    unit = "months" if first.freq is Freq.M else "quarters"
    if n < 3 * year:
        return f"{n} {unit}, X-13 needs {3 * year}"
    if n > _LONGEST:
        return f"{n} {unit}, X-13 takes at most {_LONGEST}"
    if (share := 1 - seen.mean()) > _MOST_MISSING:
        return f"{share:.0%} of the {unit} are missing, X-13 is given up to {_MOST_MISSING:.0%}"
    if (rare := np.bincount(seasons[seen], minlength=year)).min() < 3:
        return f"{unit[:-1]} {rare.argmin() + 1} is known in {rare.min()} years, X-13 needs 3"
    if np.ptp(values[seen]) == 0:
        return "the series does not vary"
    if log and values[seen].min() <= 0:
        return f"the model takes logarithms and {first + int(np.nanargmin(values))} is not positive"
    return ""


def identify(first: Period, values: Floats, sets: Mapping[str, tuple[Window, ...]] = SETS) -> Specification:
    """Choose a model for a series and estimate it.

    With the airline model, AICc chooses between logarithms and none (none must be better by 2), then the Spring Festival windows
    among ``sets`` (monthly series; ``{"none": ()}`` where no one keeps the festival), then trading days. With these,
    X-13 searches for the ARIMA model (automdl) and for additive outliers and level shifts.

    values: ``(T,)`` from ``first`` on, known at both ends. Raises NotEnoughData where X-13 cannot take the series, NotConverged
    where no candidate could be estimated.
    """
    if reason := unfit(first, values):
        raise NotEnoughData(f"no model can be identified: {reason}")
    monthly = first.freq is Freq.M
    sets = sets if monthly else {"none": ()}
    compared: dict[str, float] = {}

    def best(names: Mapping[str, Specification], head_start: float = 0.0) -> Specification:
        for name, candidate in names.items():
            compared[name] = aicc(first, values, candidate)
        ahead = {name: compared[name] - (head_start if i == 0 else 0.0) for i, name in enumerate(names)}
        if min(ahead.values()) == np.inf:
            raise NotConverged(f"none of the models {', '.join(names)} could be estimated")
        return names[min(ahead, key=lambda name: ahead[name])]

    days: TradingDays = "td1coef"
    plain = Specification(first.freq, bool(np.nanmin(values) > 0), trading_days=days, windows=list(sets.values())[-1])
    chosen = best({"log": plain, "level": replace(plain, log=False)}, 2.0) if plain.log else plain
    if len(sets) > 1:
        chosen = best({f"windows {name}": replace(chosen, windows=w) for name, w in sets.items()})
    else:
        chosen = replace(chosen, windows=next(iter(sets.values())))
    kinds: tuple[TradingDays, ...] = ("none", "td1coef", "td")
    chosen = best({f"trading days {k}": replace(chosen, trading_days=k) for k in kinds})
    search = {k: v for k, v in blocks(chosen, first, len(values)).items() if k != "arima"}
    search = {**search, "automdl": {}, "outlier": {}, "estimate": {"save": ["est"]}}
    output = x13.run(x13.write(first, values, search), ["est"])
    return replace(
        held(chosen, output),
        identified=first + (len(values) - 1),
        compared=tuple((name, a) for name, a in compared.items() if a < np.inf),
    )


def aicc(first: Period, values: Floats, specification: Specification) -> float:
    """AICc of a model estimated on a series, infinite where the estimation fails. Comparable at equal differencing."""
    text = x13.write(first, values, {**blocks(specification, first, len(values)), "estimate": {"save": ["est"]}})
    try:
        found = x13.run(text, ["est"]).numbers("aicc")
    except NotConverged:
        return np.inf
    return found[0] if found else np.inf


def held(specification: Specification, output: x13.Output) -> Specification:
    """The specification with model, outliers and coefficients as a run has found them."""
    names = tuple(name for name in output.regression if not name.startswith("MV"))
    values = {part: tuple(c.value for c in cs) for part, cs in output.arma.items()}
    return replace(
        specification,
        arima=output.facts["arimamdl"],
        constant="Constant" in names,
        outliers=tuple(name for name in names if _OUTLIER.match(name)),
        regression=tuple((name, output.regression[name].value) for name in names),
        ar=values.get(("AR", "Nonseasonal"), ()) + values.get(("AR", "Seasonal"), ()),
        ma=values.get(("MA", "Nonseasonal"), ()) + values.get(("MA", "Seasonal"), ()),
    )


def blocks(specification: Specification, first: Period, n: int) -> dict[str, dict[str, str | Sequence[str] | Floats]]:
    """The model as blocks for :func:`engine.x13.write`, for ``n`` periods from ``first`` on and a year of forecasts."""
    s, ahead = specification, first.freq.per_year
    if s.freq is not first.freq:
        raise BadInput(f"the specification is of frequency {s.freq}, the series begins with {first}")
    days, with_log, without = _DAYS[s.trading_days]
    words = with_log if s.log else without
    outliers = [o for o in s.outliers if first < _period(o, s.freq) <= first + (n - 1)]
    variables = [*(["const"] if s.constant else []), *words, *outliers]
    festival = [f"festival{i + 1}" for i in range(len(s.windows))]
    regression: dict[str, str | Sequence[str] | Floats] = {}
    if variables:
        regression["variables"] = variables
    if festival:
        columns = np.column_stack([regressor(first, n + ahead, w) for w in s.windows])
        regression |= {"user": festival, "usertype": "holiday", "start": x13.start(first), "data": columns.ravel()}
    fixed = dict(s.regression)
    if fixed and regression:
        names = [*(["Constant"] if s.constant else []), *days, *(["Leap Year"] if "lpyear" in words else [])]
        names += [*outliers, *festival]
        if lacking := [name for name in names if name not in fixed]:
            raise BadInput(f"the specification holds no coefficient for {', '.join(lacking)}")
        regression["b"] = [f"{fixed[name]!r}f" for name in names]
    arima: dict[str, str | Sequence[str] | Floats] = {"model": s.arima}
    arima |= {part: [f"{c!r}f" for c in cs] for part, cs in (("ar", s.ar), ("ma", s.ma)) if cs}
    transform: dict[str, str | Sequence[str] | Floats] = {"function": "log" if s.log else "none"}
    return {"transform": transform, **({"regression": regression} if regression else {}), "arima": arima}


def _period(outlier: str, freq: Freq) -> Period:
    hit = _OUTLIER.match(outlier)
    if not hit:
        raise BadInput(f"not an outlier by X-13's name: {outlier!r} (AO2008.Nov, LS2008.4)")
    part = hit[3].lower()
    place = _MONTHS.index(part) if part in _MONTHS else int(part) - 1 if part.isdigit() else -1
    if not 0 <= place < freq.per_year:
        raise BadInput(f"outlier {outlier!r} names no period of frequency {freq}")
    return Period(freq, int(hit[2]) * freq.per_year + place)
