"""What a seasonal adjustment gives: the decomposition, how good it is, and both as a file."""

from __future__ import annotations

import functools
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.calendar import Period
from engine.errors import BadInput
from engine.regarima import Specification
from engine.typing import Floats

if TYPE_CHECKING:
    from pydantic import TypeAdapter


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


def load(path: Path) -> Adjusted | None:
    """A result on file; None where there is none, or a damaged one, which is then computed and written again."""
    try:
        return from_json(path.read_bytes())
    except (FileNotFoundError, BadInput):
        return None


def save(path: Path, result: Adjusted) -> None:
    """Write a result to a file, whole or not at all; several may write the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(to_json(result))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
