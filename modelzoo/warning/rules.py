"""Items of a warning index and the thresholds between its lights: data, versioned, with reasons.

A data file in ``modelzoo/warning/data`` holds ``[[items]]`` and, where an office sets its own thresholds, ``[[sets]]`` with
``[[sets.cuts]]``. A threshold may be given as four numbers (``at``) or as a target with its widths (``centre``, ``inner``,
``outer``): centre ± inner is green, to centre ± outer yellow and light blue.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from engine.calendar import Freq, Period
from engine.errors import BadInput, NotEnoughData, Unknown
from engine.typing import Floats

Form = Literal["as is", "growth"]
Side = Literal["", "high", "low", "both"]
Learning = Literal["quantiles", "deviations"]

QUANTILES = (0.10, 0.30, 0.70, 0.90)
"""Occupancy 10, 20, 40, 20, 10 per cent, from blue to red."""

DEVIATIONS = (-1.5, -0.5, 0.5, 1.5)
"""In standard deviations from the mean."""

LEAST = {Freq.M: 24, Freq.Q: 8}
"""Values from which thresholds may be learned."""


@dataclass(frozen=True)
class Item:
    """One of the items of a warning index.

    id: indicator (``cpi_yoy``), measured in the region of the index; or a whole series id.
    weight: a whole number.
    name_zh: name in Chinese.
    name_en: name in English.
    form: "as is", or "growth" on the same period of last year in per cent, computed from a level.
    side: "high" more is hotter; "low" more is colder; "both" thresholds lie symmetrically around the centre; "" as the
        catalogue says: counter-cyclical is low, of neutral polarity is both, the rest is high.
    reason: why it is there, and what was assumed.
    """

    id: str
    weight: int
    name_zh: str = ""
    name_en: str = ""
    form: Form = "as is"
    side: Side = ""
    reason: str = ""

    def __post_init__(self) -> None:
        if self.weight < 1:
            raise BadInput(f"item {self.id}: a weight is a whole number from 1, not {self.weight}")

    def series(self, region: str) -> str:
        """The series id in a region."""
        return self.id if "@" in self.id else f"{self.id}@{region}"


@dataclass(frozen=True)
class Cuts:
    """The four thresholds of one item, ascending; a value on a threshold belongs above it."""

    item: str
    at: tuple[float, float, float, float]

    def __post_init__(self) -> None:
        if not np.isfinite(self.at).all() or any(a > b for a, b in pairwise(self.at)) or self.at[0] == self.at[3]:
            raise BadInput(f"item {self.item}: four finite thresholds that ascend, not {self.at}")


@dataclass(frozen=True)
class ThresholdSet:
    """Thresholds that an office sets, for the items it names, in force from a month on. The others keep theirs.

    version: its name. valid_from: the first month scored by it, ``2020-01``. reason: why they were set so.
    """

    version: str
    valid_from: str
    reason: str
    cuts: tuple[Cuts, ...]

    def __post_init__(self) -> None:
        if Period.parse(self.valid_from).freq is not Freq.M:
            raise BadInput(f"thresholds {self.version}: valid_from is a month, not {self.valid_from}")
        if not self.reason.strip():
            raise BadInput(f"thresholds {self.version}: say the reason")
        if not self.cuts:
            raise BadInput(f"thresholds {self.version}: name at least one item")


def check_sets(sets: tuple[ThresholdSet, ...], items: tuple[Item, ...]) -> None:
    """In order, at most one a year, of items that there are. Raises BadInput."""
    for a, b in pairwise(sets):
        months = Period.parse(b.valid_from) - Period.parse(a.valid_from)
        if months < 12:
            raise BadInput(f"thresholds {b.version} come {months} months after {a.version}: re-set at most once a year")
    known = {i.id for i in items}
    for one in sets:
        if alien := [c.item for c in one.cuts if c.item not in known]:
            raise BadInput(f"thresholds {one.version}: no such item: {', '.join(alien)}")


def learn(values: Floats, how: Learning, both: bool, freq: Freq, name: str) -> Floats:
    """``(4,)`` thresholds from known values ``(n,)``.

    Of an item with two sides they lie symmetrically around the centre, the median (mean, under "deviations"), so wide that
    the same share of values lies within as the one-sided rule would have: for quantiles 40 and 80 per cent.

    Raises NotEnoughData below LEAST values, or where the values do not vary.
    """
    if len(values) < LEAST[freq]:
        raise NotEnoughData(f"{name}: {len(values)} values in the window; thresholds need {LEAST[freq]}, or set them")
    if how == "deviations":
        cuts = values.mean() + np.array(DEVIATIONS) * values.std(ddof=1)
    elif both:
        centre = float(np.median(values))
        inner, outer = _quantiles(np.abs(values - centre), (QUANTILES[2] - QUANTILES[1], QUANTILES[3] - QUANTILES[0]))
        cuts = centre + np.array([-outer, -inner, inner, outer])
    else:
        cuts = _quantiles(values, QUANTILES)
    if not cuts[0] < cuts[3]:
        raise NotEnoughData(f"{name}: nearly all values in the window are {cuts[0]:g}; no thresholds can be learned")
    return np.asarray(cuts, np.float64)


def _quantiles(values: Floats, levels: tuple[float, ...]) -> Floats:
    """As numpy.quantile, which takes thirty times as long for so few values."""
    x = np.sort(values)
    return np.asarray(np.interp(np.array(levels) * (len(x) - 1), np.arange(len(x)), x), np.float64)


@cache
def load(name: str) -> tuple[tuple[Item, ...], tuple[ThresholdSet, ...]]:
    """Items and threshold sets of a data file by its name, ``zhejiang``. Raises Unknown, BadInput naming the file."""
    file = files("modelzoo.warning") / "data" / f"{name}.toml"
    if not file.is_file():
        raise Unknown(f"no items {name!r} in modelzoo/warning/data")
    return parse(file.read_text(encoding="utf-8"), f"{name}.toml")


def parse(text: str, name: str) -> tuple[tuple[Item, ...], tuple[ThresholdSet, ...]]:
    """Items and threshold sets of a TOML text. Raises BadInput naming the file and the place."""
    from pydantic import TypeAdapter, ValidationError

    try:
        content = tomllib.loads(text)
        if extra := set(content) - {"items", "sets"}:
            raise BadInput(f"has {', '.join(sorted(extra))} where items and sets are expected", file=name)
        items = TypeAdapter(tuple[Item, ...]).validate_python(content["items"])
        sets = TypeAdapter(tuple[ThresholdSet, ...]).validate_python([_widths(s) for s in content.get("sets", [])])
    except tomllib.TOMLDecodeError as wrong:
        raise BadInput(str(wrong), file=name) from None
    except KeyError as missing:
        raise BadInput(f"{missing} is missing", file=name) from None
    except ValidationError as wrong:
        first = wrong.errors()[0]
        raise BadInput(first["msg"], file=name, column=".".join(map(str, first["loc"]))) from None
    return items, sets


def _widths(said: dict[str, Any]) -> dict[str, Any]:
    """A target with its widths becomes four numbers."""
    cuts = []
    for one in said.get("cuts", []):
        if "centre" in one:
            c, inner, outer = one["centre"], one["inner"], one["outer"]
            one = {"item": one["item"], "at": (c - outer, c - inner, c + inner, c + outer)}
        cuts.append(one)
    return {**said, "cuts": cuts}


def by_name(items: Any) -> Any:
    """Where items are expected, the name of a data file will do: what an experiment spec writes."""
    return load(items)[0] if isinstance(items, str) else items
