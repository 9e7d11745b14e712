"""Seasonal adjustment: X-13ARIMA-SEATS with Spring Festival and trading days, STL for what it cannot take, results on file.

>>> reviewed = adjust(first, values).specification          # once a year: model, windows and outliers are chosen
>>> adjust(first, longer, reviewed).adjusted                # each month: the same model, new moving averages
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine import x13
from engine.calendar import Freq, Period
from engine.errors import BadInput, JingqiError, LookAhead, NotEnoughData
from engine.festival import SETS, Window
from engine.regarima import Specification, blocks, identify, unfit
from engine.typing import Floats

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_FORMAT = 1  # raise it when the same arguments would give another result
_TABLES = ("d10", "d11", "d12", "d13")


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """How good an X-11 decomposition is; None for what the program did not state (some M need more years).

    m: M1 to M11, q: their weighted mean, both best at 0 and acceptable below 1 (Lothian & Morry 1978). qs_original, qs_adjusted:
    the QS statistic for seasonality and its p-value. seasonal_filter, trend_filter: the moving averages that the program chose.
    mcd: months until the trend's change outweighs the irregular's. identifiable: the combined test for seasonality.
    """

    m: tuple[float | None, ...]
    q: float | None
    qs_original: tuple[float, float] | None
    qs_adjusted: tuple[float, float] | None
    seasonal_filter: str
    trend_filter: int | None
    mcd: int | None
    identifiable: bool

    @property
    def acceptable(self) -> bool:
        """Q below 1 and no seasonality left at one percent."""
        return self.q is not None and self.q < 1 and self.qs_adjusted is not None and self.qs_adjusted[1] > 0.01


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A decomposition, ``(T,)`` each, from ``first`` on, NaN where the value is not known.

    ``seasonal`` and ``irregular`` are factors around 1 where ``multiplicative``, else amounts around 0. ``adjusted`` is the
    series without season, trading days and festival. ``method`` names the method and, for STL, why it was not X-13.
    ``specification`` and ``diagnostics`` are X-13's, None for STL.
    """

    first: Period
    adjusted: Floats
    trend: Floats
    seasonal: Floats
    irregular: Floats
    multiplicative: bool
    method: str
    specification: Specification | None
    diagnostics: Diagnostics | None


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
    if path and (found := _load(path)):
        return found
    inner = _decompose(first + lead, values[lead:end], specification, sets)

    def spread(part: Floats) -> Floats:
        whole = np.full(len(values), np.nan)
        whole[seen] = part[seen - lead]
        return whole

    result = replace(
        inner,
        first=first,
        adjusted=spread(inner.adjusted),
        trend=spread(inner.trend),
        seasonal=spread(inner.seasonal),
        irregular=spread(inner.irregular),
    )
    if path:
        _save(path, result)
    return result


def adjust_all(
    series: Mapping[str, tuple[Period, Floats, Specification | None]],
    *,
    sets: Mapping[str, tuple[Window, ...]] = SETS,
    cache: Path | None = None,
    workers: int | None = None,
) -> dict[str, Adjusted]:
    """:func:`adjust` for many series by name, as many programs at a time as there are processors. Errors name the series."""

    def one(name: str) -> Adjusted:
        first, values, specification = series[name]
        try:
            return adjust(first, values, specification, sets=sets, cache=cache)
        except JingqiError as e:
            raise type(e)(f"{name}: {e}") from e

    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        return dict(zip(series, pool.map(one, series), strict=True))


def _decompose(
    first: Period, values: Floats, specification: Specification | None, sets: Mapping[str, tuple[Window, ...]]
) -> Adjusted:
    reason = unfit(first, values, log=specification is not None and specification.log)
    if reason:
        return _by_stl(first, values, reason)
    model = specification or identify(first, values, sets)
    text = x13.write(
        first, values, {**blocks(model, first, len(values)), "estimate": {}, "x11": {"save": list(_TABLES)}}
    )
    output = x13.run(text, _TABLES)
    seasonal, adjusted, trend, irregular = (output.tables[t] for t in _TABLES)
    return Adjusted(
        first, adjusted, trend, seasonal, irregular, model.log, "X-13ARIMA-SEATS, X-11", model, _diagnostics(output)
    )


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


def to_json(result: Adjusted) -> bytes:
    """A decomposition as JSON; floats to the last bit, NaN as null."""
    import orjson

    return orjson.dumps(result, option=orjson.OPT_SERIALIZE_NUMPY)


@functools.cache
def _readers() -> tuple[TypeAdapter[Period], TypeAdapter[Specification | None], TypeAdapter[Diagnostics | None]]:
    from pydantic import TypeAdapter

    return TypeAdapter(Period), TypeAdapter(Specification | None), TypeAdapter(Diagnostics | None)


def from_json(text: bytes) -> Adjusted:
    """Inverse of :func:`to_json`. Raises BadInput for anything else."""
    import orjson

    period, specification, diagnostics = _readers()
    try:
        raw = orjson.loads(text)
        parts = {k: np.array(raw.pop(k), dtype=np.float64) for k in ("adjusted", "trend", "seasonal", "irregular")}
        return Adjusted(
            period.validate_python(raw["first"]),
            **parts,
            multiplicative=raw["multiplicative"],
            method=raw["method"],
            specification=specification.validate_python(raw["specification"]),
            diagnostics=diagnostics.validate_python(raw["diagnostics"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise BadInput(f"not a stored adjustment: {e}") from None


def _load(path: Path) -> Adjusted | None:
    """A result on file; None where there is none, or a damaged one, which is then computed and written again."""
    try:
        return from_json(path.read_bytes())
    except (FileNotFoundError, BadInput):
        return None


def _save(path: Path, result: Adjusted) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(to_json(result))
        Path(name).replace(path)  # whole or not at all, whoever else writes the same
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
