"""The catalogue: what is measured, where, and how it is read. Data files, checked when they are loaded.

``regions.csv``, ``modules.csv``, ``submodules.csv``, ``departments.csv`` and ``units.csv`` say what there is, in English and
Chinese; ``features.csv`` says what is made of indicators. Every other ``.csv`` beside them holds one indicator a row: the fields
of ``engine.indicator.Indicator`` (those with a default may be left out, those that end in ``_zh`` come from the tables), and
``regions``: the codes in which it is measured, separated by blanks; ``CN-33/*`` stands for all regions within CN-33.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from pathlib import Path

from engine.calendar import Freq
from engine.errors import BadInput, Unknown
from engine.indicator import Indicator, Region, Series, split_id
from featurestore.catalogue import checks, features, tables
from featurestore.catalogue.tables import Module, Row, Tables

_FILLED = ("unit_zh", "unit_analysed_zh", "agency_zh")
_REQUIRED = (*(f.name for f in fields(Indicator) if f.default is MISSING), "regions")
_OPTIONAL = tuple(f.name for f in fields(Indicator) if f.default is not MISSING and f.name not in _FILLED)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """indicators, regions and modules by id, code and English name; ``measured``: the regions of each indicator; ``features``:
    what is made of them, see :mod:`featurestore.catalogue.features`."""

    indicators: Mapping[str, Indicator]
    regions: Mapping[str, Region]
    modules: Mapping[str, Module]
    measured: Mapping[str, tuple[str, ...]]
    features: features.Entries = ()

    def series(self, series_id: str) -> Series:
        """What ``gdpc1@US`` means. Raises BadInput for another form of id, Unknown if it is not in the catalogue."""
        indicator, region = split_id(series_id)
        if region not in self.measured.get(indicator, ()):
            raise Unknown(f"{series_id} is not in the catalogue (jingqi data catalogue lists it)")
        return Series(self.indicators[indicator], self.regions[region])

    def all(self) -> tuple[Series, ...]:
        """Every series, in the order of the files."""
        return tuple(Series(i, self.regions[r]) for i in self.indicators.values() for r in self.measured[i.id])

    def module(self, name: str) -> Module:
        """A module by its English or Chinese name or its number in the plan; raises Unknown."""
        for module in self.modules.values():
            if name.casefold() in (module.name_en.casefold(), module.name_zh.casefold(), str(module.number)):
                return module
        raise Unknown(f"no module {name!r}; there are {', '.join(self.modules)}")


@cache
def load(folder: Path = Path(__file__).parent) -> Catalogue:
    """Read and check all files. Raises BadInput that names every mistake with its file, row and column."""
    wrong: list[BadInput] = []
    known = tables.read(folder, wrong)
    indicators: dict[str, Indicator] = {}
    measured: dict[str, tuple[str, ...]] = {}
    for path in sorted(p for p in folder.glob("*.csv") if p.name not in (*tables.NAMES, features.NAME)):
        for row in tables.rows(path, _REQUIRED, _OPTIONAL, wrong):
            found = dict(checks.mistakes(row.cells, known))
            where = _where(row, known, found)
            if row.cells["id"] in indicators:
                found["id"] = f"{row.cells['id']} stands twice"
            wrong += [row.bad(problem, column) for column, problem in found.items()]
            if not found:
                indicators[row.cells["id"]] = _indicator(row.cells, known)
                measured[row.cells["id"]] = where
    made = features.read(folder, known, indicators, wrong)
    if wrong:
        raise BadInput("; ".join(str(w) for w in wrong))
    return Catalogue(indicators, known.regions, known.modules, measured, made)


def _where(row: Row, known: Tables, found: dict[str, str]) -> tuple[str, ...]:
    """The codes of the cell ``regions``; a mistake goes to ``found``."""
    codes: list[str] = []
    strange: list[str] = []
    for said in row.cells["regions"].split():
        parent = said.removesuffix("/*")
        here = [c for c, r in known.regions.items() if r.within == parent] if parent != said else [said]
        codes += here
        strange += [said] if not here or parent not in known.regions else []
    if strange:
        found["regions"] = f"not in regions.csv: {', '.join(strange)}"
    elif len(set(codes)) < len(codes):
        found["regions"] = "names a region twice"
    return tuple(codes)


def _indicator(cells: Mapping[str, str], known: Tables) -> Indicator:
    said = {k: v for k, v in cells.items() if k != "regions"}
    filled = {
        "unit_zh": known.units[said["unit"]],
        "unit_analysed_zh": known.units[said["unit_analysed"]],
        "agency_zh": known.departments[said["agency"]],
    }
    typed = {"freq": Freq(said["freq"]), "delay_days": int(said["delay_days"])}
    return Indicator(**said | filled | typed)  # type: ignore[arg-type]
