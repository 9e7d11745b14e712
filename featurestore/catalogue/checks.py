"""What a row of indicators must keep: every cell says something known, and the cells fit each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import get_args

from engine.calendar import Freq
from engine.indicator import Aggregation, Indicator, PublishedKind, Step
from featurestore.catalogue.tables import Tables

_ID = re.compile(r"[a-z0-9_]+")
_RULE = re.compile(r"separate|combined|(separate|combined) to ([12]\d{3}), (separate|combined) since ([12]\d{3})")
_CHOICES = {
    "freq": tuple(Freq),
    "step": get_args(Step),
    "aggregation": get_args(Aggregation),
    "kind": get_args(PublishedKind),
    "direction": ("pro", "counter"),
    "role": ("leading", "coincident", "lagging"),
    "polarity": ("+", "-", "neutral"),
}
_FIELDS = {f.name for f in fields(Indicator)}
_ENDINGS = {"ytd": "MQ", "month": "M", "quarter": "Q", "annual": "A", "mom": "M"}
"""Frequencies in which a kind with such an ending is published."""


def mistakes(cells: Mapping[str, str], known: Tables) -> Iterator[tuple[str, str]]:
    """Column and problem of what an indicator's cells say wrongly; ``cells`` may lack optional columns."""
    if not _ID.fullmatch(cells["id"]):
        yield "id", f"{cells['id']!r} does not match {_ID.pattern}"
    for column, choices in _CHOICES.items():
        if (said := cells.get(column, "")) and said not in choices:
            yield column, f"{said!r} is none of {', '.join(choices)}"
    for column, file, there in (
        ("agency", "departments.csv", known.departments),
        ("unit", "units.csv", known.units),
        ("unit_analysed", "units.csv", known.units),
        ("module", "modules.csv", known.modules),
    ):
        if cells[column] not in there:
            yield column, f"{cells[column]!r} is not in {file}"
    yield from _place(cells, known)
    yield from _steps(cells)
    yield from _pair(cells)
    if strange := sorted(set(cells.get("assumed", "").split()) - _FIELDS):
        yield "assumed", f"{', '.join(strange)}: no field of an indicator"


def _place(cells: Mapping[str, str], known: Tables) -> Iterator[tuple[str, str]]:
    """In a module of the plan a row stands in a submodule and says what kind of figure it is."""
    if (module := known.modules.get(cells["module"])) is None:
        return
    submodule = cells.get("submodule", "")
    if submodule not in module.submodules and (submodule or module.submodules):
        yield "submodule", f"{submodule!r} is no submodule of {module.name_en} in submodules.csv"
    if module.number is not None and not cells.get("kind"):
        yield "kind", f"is empty, though {module.name_en} is a module of the plan"


def _steps(cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Step, aggregation, frequency and delay, among themselves and with the kind."""
    kind, freq, step = cells.get("kind", ""), cells["freq"], cells["step"]
    ending = kind.rpartition("_")[2]
    if step == "pca" and freq in ("W", "D"):
        yield "step", "an annual rate needs a frequency that divides the year"
    if step == "lin" and cells["unit_analysed"] != cells["unit"]:
        yield "unit_analysed", f"differs from the unit ({cells['unit']}), though the step is lin"
    if step != "lin" and (ending == "ytd" or kind.startswith("yoy")):
        yield "step", f"{step} of {kind} is the change of no period: such a figure is analysed as it is (lin)"
    if freq in tuple(Freq) and freq not in _ENDINGS.get(ending, "AQMWD"):
        yield "freq", f"{kind} is not published with frequency {freq}"
    if kind in get_args(PublishedKind) and cells["aggregation"] not in (fit := _aggregations(kind, ending)):
        yield "aggregation", f"{cells['aggregation']!r} does not fit the kind {kind}: {' or '.join(fit)}"
    try:
        if not -366 <= int(cells["delay_days"]) <= 1000:
            yield "delay_days", f"{cells['delay_days']} is not between -366 and 1000 days"
    except ValueError:
        yield "delay_days", f"not a whole number: {cells['delay_days']!r}"


def _aggregations(kind: str, ending: str) -> tuple[Aggregation, ...]:
    """A figure up to or at the end of a quarter is that of its last month; a rate or an index is averaged; growth on the year may
    also be read as that of months that grow on the month.
    """
    if ending in ("ytd", "eop"):
        return ("last",)
    if kind in ("yoy_month", "yoy_quarter"):
        return ("average", "year")
    return ("sum", "average", "growth") if kind.startswith("level") else ("average",)


def _pair(cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """A rule for January and February stands with monthly figures of a known kind, and with no others."""
    rule, monthly = cells.get("jan_feb", ""), cells["freq"] == "M"
    if not rule:
        if monthly and cells.get("kind"):
            yield "jan_feb", "is empty, though the figure is monthly"
        return
    if not monthly:
        yield "jan_feb", "only a monthly figure has a rule for January and February"
    if not (form := _RULE.fullmatch(rule)):
        yield "jan_feb", f"{rule!r} is not of the form separate, combined or separate to 2019, combined since 2020"
    elif form[1] and (form[1] == form[3] or int(form[2]) + 1 != int(form[4])):
        yield "jan_feb", f"{rule!r}: one rule ends in the year before the other, different one begins"
