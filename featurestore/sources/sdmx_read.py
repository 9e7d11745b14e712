"""SDMX data messages as plain observations: SDMX-CSV 1.0 and 2.0, SDMX-JSON 1.0 and 2.0, series or flat.

Source: the SDMX Technical Working Group's field guides for the two formats.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import BadInput
from featurestore.sources.grid import read_csv

TIME = "TIME_PERIOD"
_FIRST = re.compile(r"\ufeff?\"?(DATAFLOW|STRUCTURE)(\[.\])?(: ?[^\",;\t]*)?\"?([,;\t])")
_ABOUT = ("DATAFLOW", "STRUCTURE", "STRUCTURE_ID", "STRUCTURE_NAME", "ACTION", "SERIES_KEY", "OBS_KEY")
_LEVELS = ("dataSet", "series", "observation")


@dataclass(frozen=True, slots=True)
class Seen:
    """One observation: codes of its dimensions (the time among them) and of its attributes; where it stands."""

    codes: Mapping[str, str]
    attributes: Mapping[str, str]
    value: object
    deleted: bool
    row: int | None
    place: str | None


def observations(content: bytes, file: str, *, unterminated: bool) -> Iterator[Seen]:
    """All observations of a message. Raises BadInput that names the row, or the series and observation."""
    if content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{":
        yield from _from_json(content, file)
    else:
        yield from _from_csv(content, file, unterminated)


def _from_csv(content: bytes, file: str, unterminated: bool) -> Iterator[Seen]:
    hit = _FIRST.match(content[:300].decode("utf-8", "replace"))
    if not hit:
        raise BadInput("no SDMX-CSV: the first column must be DATAFLOW (1.0) or STRUCTURE (2.0)", file=file, row=1)
    names: list[str] = []
    labelled: list[bool] = []
    end = 0
    for row, cells in read_csv(content, file, delimiter=hit[4], encoding="utf-8", unterminated=unterminated):
        texts = [str(c) for c in cells]
        if not names:
            labelled = [": " in t for t in texts]  # with labels=both a column is "FREQ: Frequency", a cell "M: Monthly"
            names = [re.split(r": |\[", t)[0] for t in texts]
            if lost := [n for n in (TIME, "OBS_VALUE") if names.count(n) != 1]:
                raise BadInput(f"column {lost[0]} must stand there once", file=file, row=row, column=lost[0])
            end = names.index(TIME)
            continue
        if len(texts) != len(names):
            raise BadInput(f"{len(texts)} cells under {len(names)} columns", file=file, row=row)
        codes = [t.split(": ")[0] if has else t for t, has in zip(texts, labelled, strict=True)]
        cell = dict(zip(names, codes, strict=True))
        dimensions = {n: cell[n] for n in names[: end + 1] if n not in _ABOUT}
        attributes = {n: cell[n] for n in names[end + 1 :] if n != "OBS_VALUE" and cell[n]}
        if cell.get("ACTION", "I") not in ("I", "A", "M", "R", "D", ""):
            raise BadInput(f"no action (I, A, M, R, D): {cell['ACTION']!r}", file=file, row=row, column="ACTION")
        yield Seen(dimensions, attributes, cell["OBS_VALUE"], cell.get("ACTION") == "D", row, None)


def _from_json(content: bytes, file: str) -> Iterator[Seen]:
    try:
        message = json.loads(content)
    except ValueError as error:
        raise BadInput(f"not whole JSON: {error}", file=file) from None
    where = "the message"
    try:
        data = message.get("data", message)
        structures = data["structures"] if "structures" in data else [data["structure"]]
        for n, found in enumerate(data["dataSets"]):
            where = f"data set {n}"
            structure = structures[found.get("structure", 0)]
            for seen in _of_set(structure, found, file):
                where = seen.place or where
                yield seen
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise BadInput(
            f"no SDMX-JSON data message after {where} ({type(error).__name__}: {error})", file=file
        ) from None


def _of_set(structure: Any, found: Any, file: str) -> Iterator[Seen]:
    dimensions = {level: structure["dimensions"].get(level) or [] for level in _LEVELS}
    attributes = structure.get("attributes") or {}
    if hidden := [a["id"] for a in attributes.get("dimensionGroup") or [] if a["id"] in ("OBS_STATUS", "UNIT_MULT")]:
        raise BadInput(f"{hidden[0]} is told of groups of dimensions: ask for this message as SDMX-CSV", file=file)
    measures = [m["id"] for m in (structure.get("measures") or {}).get("observation") or [{"id": "OBS_VALUE"}]]
    at = measures.index("OBS_VALUE")
    deleted = found.get("action") == "Delete"
    common = {d["id"]: _code(d["values"][0]) for d in dimensions["dataSet"]}
    told = _told(attributes.get("dataSet"), found.get("attributes"))
    for key, series in (found.get("series") or {"": found}).items():
        codes = common | (_codes(dimensions["series"], key) if key else {})
        own = told | (_told(attributes.get("series"), series.get("attributes")) if key else {})
        for moment, cells in (series.get("observations") or {}).items():
            where = f"series {key}, observation {moment}" if key else f"observation {moment}"
            values = cells if isinstance(cells, list) else [cells]
            mine = own | _told(attributes.get("observation"), values[len(measures) :])
            value = values[at] if values else None
            yield Seen(codes | _codes(dimensions["observation"], moment), mine, value, deleted, None, where)


def _codes(dimensions: Sequence[Any], key: str) -> dict[str, str]:
    """``0:3:1`` to the codes at these places."""
    places = [int(p) for p in key.split(":")]
    if len(places) != len(dimensions) or min(places) < 0:
        raise ValueError(f"key {key} for {len(dimensions)} dimensions")
    return {d["id"]: _code(d["values"][p]) for d, p in zip(dimensions, places, strict=True)}


def _told(attributes: Any, cells: Any) -> dict[str, str]:
    """Attributes by id: a cell is a place in the attribute's values or, where it has none, the value itself."""
    told = {}
    for attribute, cell in zip(attributes or [], cells or [], strict=False):
        if cell is not None:
            values = attribute.get("values")
            told[attribute["id"]] = _code(values[cell]) if values and isinstance(cell, int) else str(cell)
    return told


def _code(value: Any) -> str:
    return str(value["id"] if "id" in value else value["value"])
