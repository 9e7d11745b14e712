"""Seasonal adjustment: X-13ARIMA-SEATS with Spring Festival and trading days, STL for what it cannot take, results on file.

reviewed = adjust(first, values).specification     # once a year: model, windows and outliers are chosen
adjust(first, longer, reviewed).adjusted           # each month: the same model, new moving averages
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from engine import x13
from engine.adjusted import Adjusted, Diagnostics, load, save
from engine.calendar import Freq, Period
from engine.errors import BadInput, JingqiError, LookAhead, NotEnoughData
from engine.festival import SETS, Window
from engine.regarima import Specification, blocks, identify, unfit
from engine.typing import Floats

_FORMAT = 1  # raise it when the same arguments would give another result
_TABLES = ("d10", "d11", "d12", "d13")
_BATCH = 40  # held series to a program
_X13 = "X-13ARIMA-SEATS, X-11"


def adjust(
    first: Period,
    values: Floats,
    specification: Specification | None = None,
    *,
    sets: Mapping[str, tuple[Window, ...]] = SETS,
    cache: Path | None = None,
) -> Adjusted:
    """Adjust one monthly or quarterly series.

    values: ``(T,)`` from ``first`` on, NaN where not known. specification: the model of the last review; without one it is
    identified now, with Spring Festival windows chosen among ``sets``, and comes back with the result. cache: a folder in
    which results are kept by the digest of values, arguments and versions; any number of processes may share it.

    Raises LookAhead if the specification was identified on data newer than these, NotEnoughData where STL has too little as
    well, NotConverged and BadInput as :func:`engine.x13.run`, NotReady where X-13 is not installed.
    """
    asked = _ask(first, values, specification, sets, cache)
    return asked.found or asked.keep(_decompose(asked, sets))


def smooth(first: Period, values: Floats, reason: str, *, cache: Path | None = None) -> Adjusted:
    """STL by decision, where X-13 has failed on a series that it can take; the result tells the reason.

    values, cache: as :func:`adjust`. Raises NotEnoughData where a season is not known twice.
    """
    asked = _ask(first, values, None, {reason: ()}, cache)
    return asked.found or asked.keep(_by_stl(asked.first, asked.values, reason))


def adjust_all(
    series: Mapping[str, tuple[Period, Floats, Specification | None]],
    *,
    sets: Mapping[str, tuple[Window, ...]] = SETS,
    cache: Path | None = None,
    workers: int | None = None,
) -> dict[str, Adjusted]:
    """:func:`adjust` for many series by name: as many programs at a time as processors, many held series to a program.

    Raises as :func:`adjust`, with the name of the series in front.
    """

    def named(name: str, error: JingqiError) -> JingqiError:
        return type(error)(f"{name}: {error}")

    def ask(name: str) -> _Asked:
        try:
            return _ask(*series[name], sets, cache)
        except JingqiError as e:
            raise named(name, e) from e

    def alone(name: str) -> Adjusted:
        try:
            return asked[name].keep(_decompose(asked[name], sets))
        except JingqiError as e:
            raise named(name, e) from e

    def together(names: Sequence[str]) -> list[Adjusted]:
        outputs = x13.run_many([text(name) for name in names], _TABLES)
        results = []
        for name, output in zip(names, outputs, strict=True):
            if isinstance(output, JingqiError):
                raise named(name, output) from output
            results.append(asked[name].keep(_by_x13(asked[name], held[name], output)))
        return results

    def text(name: str) -> str:
        try:
            return _text(asked[name], held[name])
        except JingqiError as e:
            raise named(name, e) from e

    asked = {name: ask(name) for name in series}
    new = [name for name in series if not asked[name].found]
    held = {name: s for name in new if (s := asked[name].specification) and not asked[name].unfit}
    rest = [name for name in new if name not in held]
    workers = workers or os.cpu_count() or 1
    size = min(_BATCH, -(-len(held) // workers) or 1)
    batches = [list(held)[i : i + size] for i in range(0, len(held), size)]
    results = {name: a.found for name, a in asked.items() if a.found}
    with ThreadPoolExecutor(workers) as pool:
        slow = pool.map(alone, rest)
        for batch, adjusted in zip(batches, pool.map(together, batches), strict=True):
            results |= dict(zip(batch, adjusted, strict=True))
        results |= dict(zip(rest, slow, strict=True))
    return {name: results[name] for name in series}


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request made ready: the series as it was given, its known span from ``first`` on, and what is on file for it."""

    given: tuple[Period, Floats]
    first: Period
    values: Floats
    specification: Specification | None
    unfit: str
    path: Path | None
    found: Adjusted | None

    def keep(self, inner: Adjusted) -> Adjusted:
        """The decomposition of the known span, spread over the periods that were given, and written to the file."""
        first, values = self.given
        seen = ~np.isnan(values)

        def spread(part: Floats) -> Floats:
            whole = np.full(len(values), np.nan)
            whole[seen] = part[np.flatnonzero(seen) - (self.first - first)]
            return whole

        result = replace(
            inner,
            first=first,
            adjusted=spread(inner.adjusted),
            trend=spread(inner.trend),
            seasonal=spread(inner.seasonal),
            irregular=spread(inner.irregular),
        )
        if self.path:
            save(self.path, result)
        return result


def _ask(
    first: Period,
    values: Floats,
    specification: Specification | None,
    sets: Mapping[str, tuple[Window, ...]],
    cache: Path | None,
) -> _Asked:
    if first.freq not in (Freq.M, Freq.Q):
        raise BadInput(f"seasons are adjusted in months and quarters, not from {first} on")
    seen = np.flatnonzero(~np.isnan(values))
    if not len(seen):
        raise NotEnoughData("no value is known")
    lead, end = int(seen[0]), int(seen[-1]) + 1
    newest = first + (end - 1)
    if specification and specification.identified and specification.identified > newest:
        raise LookAhead(
            f"the specification was identified on data to {specification.identified}, the series ends with {newest}"
        )
    path = _path(cache, first, values, specification, sets) if cache else None
    known = values[lead:end]
    reason = unfit(first + lead, known, log=specification is not None and specification.log)
    return _Asked((first, values), first + lead, known, specification, reason, path, load(path) if path else None)


def _decompose(asked: _Asked, sets: Mapping[str, tuple[Window, ...]]) -> Adjusted:
    if asked.unfit:
        return _by_stl(asked.first, asked.values, asked.unfit)
    model = asked.specification or identify(asked.first, asked.values, sets)
    return _by_x13(asked, model, x13.run(_text(asked, model), _TABLES))


def _text(asked: _Asked, model: Specification) -> str:
    parts: x13.Blocks = {
        **blocks(model, asked.first, len(asked.values)),
        "estimate": {},
        "x11": {"save": list(_TABLES)},
    }
    return x13.write(asked.first, asked.values, parts)


def _by_x13(asked: _Asked, model: Specification, output: x13.Output) -> Adjusted:
    seasonal, adjusted, trend, irregular = (output.tables[t] for t in _TABLES)
    return Adjusted(
        asked.first, adjusted, trend, seasonal, irregular, model.log, _X13, model, _diagnostics(output)
    )  # fmt: skip


def _by_stl(first: Period, values: Floats, reason: str) -> Adjusted:
    from engine.stl import decompose

    log = bool(np.nanmin(values) > 0)
    trend, seasonal, irregular = decompose(first, np.log(values) if log else values)
    adjusted = (np.log(values) if log else values) - seasonal
    if log:
        trend, seasonal, irregular, adjusted = (np.exp(part) for part in (trend, seasonal, irregular, adjusted))
    method = f"STL ({reason}); trading days and Spring Festival not removed"
    return Adjusted(first, adjusted, trend, seasonal, irregular, log, method, None, None)


def _diagnostics(output: x13.Output) -> Diagnostics:
    def one(key: str) -> float | None:
        numbers = output.numbers(key)
        return numbers[0] if numbers else None

    def pair(key: str) -> tuple[float, float] | None:
        numbers = output.numbers(key)
        return (numbers[0], numbers[1]) if len(numbers) == 2 else None

    def whole(key: str) -> int | None:
        number = one(key)
        return None if number is None else round(number)

    return Diagnostics(
        m=tuple(one(f"f3.m{i:02d}") for i in range(1, 12)),
        q=one("f3.q"),
        qs_original=pair("qsori"),
        qs_adjusted=pair("qssadj"),
        seasonal_filter=output.facts.get("sfmsr", ""),
        trend_filter=whole("finaltrendma"),
        mcd=whole("f2.mcd"),
        identifiable=output.facts.get("f2.idseasonal") == "yes",
    )


def _path(
    cache: Path,
    first: Period,
    values: Floats,
    specification: Specification | None,
    sets: Mapping[str, tuple[Window, ...]],
) -> Path:
    versions = [_FORMAT, x13.release(), version("statsmodels")]
    asked = [versions, str(first), asdict(specification) if specification else list(sets.items())]
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode())
    digest.update(np.where(np.isnan(values), np.nan, values).astype("<f8").tobytes())
    name = digest.hexdigest()
    return cache / name[:2] / f"{name}.json"
