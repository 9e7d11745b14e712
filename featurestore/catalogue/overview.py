"""The catalogue as it is listed, module by module: for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from engine.indicator import Indicator
from featurestore.catalogue import Catalogue
from featurestore.catalogue import features as made
from featurestore.catalogue.tables import Module


def heading(module: Module) -> str:
    """A module in one line: its number in the plan, its names."""
    number = f"{module.number} " if module.number is not None else ""
    return f"{number}{module.name_zh} {module.name_en}"


def lines(catalogue: Catalogue, module: Module) -> list[dict[str, str]]:
    """One line an indicator of the module, with what tells it apart from the others."""
    return [
        {"id": i.id, "名称": i.name_zh, "name": i.name_en, "freq": i.freq.value, "单位": i.unit_zh, "unit": i.unit}
        | {"kind": i.kind, "where": where(catalogue, i), "部门": i.agency_zh}
        for i in _of(catalogue, module)
    ]


def facts(catalogue: Catalogue, module: Module) -> list[dict[str, Any]]:
    """All that is known of the indicators of the module; ``regions`` are the codes in which each is measured."""
    return [
        asdict(i)
        | {"freq": i.freq.value, "module_zh": module.name_zh, "module_number": module.number}
        | {"submodule_zh": module.submodules.get(i.submodule, ""), "regions": list(catalogue.measured[i.id])}
        for i in _of(catalogue, module)
    ]


def features(catalogue: Catalogue, module: Module) -> list[dict[str, str]]:
    """One line a feature of the indicators of the module: names, unit, recipe, version, or the reason why there is none."""
    return [made.row_of(entry, i) for i in _of(catalogue, module) for entry in made.of(catalogue.features, i)]


def where(catalogue: Catalogue, indicator: Indicator) -> str:
    """The codes of the regions, as short as in the files: ``CN-33 CN-33/*``."""
    codes = catalogue.measured[indicator.id]
    said = [_shorter(catalogue, code, codes) for code in codes]
    return " ".join(dict.fromkeys(said))


def _shorter(catalogue: Catalogue, code: str, among: Sequence[str]) -> str:
    """``CN-33/*`` instead of a city, if all cities of CN-33 are there."""
    parent = catalogue.regions[code].within
    whole = {c for c, r in catalogue.regions.items() if parent and r.within == parent}
    return f"{parent}/*" if whole and whole <= set(among) else code


def _of(catalogue: Catalogue, module: Module) -> Iterator[Indicator]:
    return (i for i in catalogue.indicators.values() if i.module == module.name_en)
