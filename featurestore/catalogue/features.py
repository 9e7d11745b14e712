"""Named features: comparable columns and how each is made of published series. ``features.csv``, checked when it is loaded.

A row whose id begins with ``*`` is a rule: it holds for every indicator of its ``kinds`` and frequencies. Any other is about the
indicator before the dot, goes before the rules, and may name further ``sources``. A row with a ``reason`` instead of a recipe says
what must not be made, and why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from engine.calendar import Freq
from engine.errors import BadInput, Refused, Unknown
from engine.indicator import Aggregation, Indicator, PublishedKind
from engine.kinds import KINDS
from featurestore.catalogue.tables import Tables, rows
from featurestore.recipes import Recipe, outcome, parse

NAME = "features.csv"
_REQUIRED = ("id", "version")
_OPTIONAL = (
    "kinds", "freq", "sources", "recipe", "name_zh", "name_en", "unit", "aggregation", "direction", "role", "polarity",
    "reason",
)  # fmt: skip
_ID = re.compile(r"(\*|[a-z0-9_]+)\.(\*|[a-z][a-z0-9_]*)")
_CHOICES = {
    "aggregation": get_args(Aggregation),
    "direction": ("pro", "counter"),
    "role": ("leading", "coincident", "lagging"),
    "polarity": ("+", "-", "neutral"),
}
_STRETCH_ZH, _STRETCH_EN = re.compile(r"\((累计|当月)\)$"), re.compile(r"(, year to date| in the month)$")


@dataclass(frozen=True, slots=True)
class Entry:
    """One row. source: the indicator, or ``*``; suffix: what stands after the dot, or ``*`` for all; others: further sources.

    Of names, ``{}`` stands for that of the source; what is empty is that of the source. reason: why nothing is made, then the
    recipe is empty.
    """

    source: str
    suffix: str
    kinds: tuple[str, ...]
    freqs: tuple[Freq, ...]
    others: tuple[str, ...]
    recipe: Recipe
    name_zh: str
    name_en: str
    unit: str
    unit_zh: str
    aggregation: str
    direction: str
    role: str
    polarity: str
    version: int
    reason: str

    def holds_for(self, indicator: Indicator) -> bool:
        """Whether the row speaks of an indicator."""
        if self.source != "*":
            return self.source == indicator.id
        return indicator.kind in self.kinds and indicator.freq in self.freqs

    def names(self, indicator: Indicator) -> tuple[str, str]:
        """English and Chinese name of the feature; a stretch of time that the recipe changes is left out of the source's."""
        en, zh = indicator.name_en, indicator.name_zh
        if indicator.kind in ("level_ytd", "count_ytd", "level_month"):
            en, zh = _STRETCH_EN.sub("", en), _STRETCH_ZH.sub("", zh)
        return self.name_en.replace("{}", en), self.name_zh.replace("{}", zh)

    def units(self, indicator: Indicator) -> tuple[str, str]:
        """English and Chinese unit of the feature."""
        if self.unit:
            return self.unit, self.unit_zh
        if indicator.unit == "%" and self.recipe and self.recipe[-1].name == "year_change":
            return "percentage points", "百分点"
        return indicator.unit, indicator.unit_zh


Entries = tuple[Entry, ...]


def of(entries: Entries, indicator: Indicator) -> list[Entry]:
    """What is made of an indicator, by suffix, and why not; its own rows before the rules."""
    found: dict[str, Entry] = {}
    for entry in _in_order(entries, indicator):
        if entry.suffix == "*" and entry.source != "*":
            return [entry]
        found.setdefault(entry.suffix, entry)
    return list(found.values())


def find(entries: Entries, indicator: Indicator, suffix: str) -> Entry:
    """The row behind ``indicator.suffix``. Raises Refused with the reason, Unknown with the features that there are."""
    there = of(entries, indicator)
    for entry in there:
        if entry.suffix in (suffix, "*"):
            if entry.reason:
                raise Refused(f"{indicator.id}.{suffix}: {entry.reason}")
            return entry
    if reasons := sorted(_reasons(entries, indicator, suffix), key=lambda why: ("it takes" in why, len(why))):
        raise Refused(f"{indicator.id}.{suffix}: {reasons[0]}")
    names = ", ".join(f"{indicator.id}.{e.suffix}" for e in there if e.recipe) or "no feature of it"
    raise Unknown(f"no feature {indicator.id}.{suffix}; there is {names} (jingqi data catalogue --features)")


def _reasons(entries: Entries, indicator: Indicator, suffix: str) -> Iterator[str]:
    """Why the rules of that name, which are for other kinds, do not hold for this one: the words of the reporting algebra."""
    for entry in entries:
        if entry.source == "*" and entry.suffix == suffix and entry.recipe and indicator.kind in KINDS:
            try:
                outcome(entry.recipe, [KINDS[indicator.kind]], indicator.freq)
            except Refused as e:
                yield str(e)


def _in_order(entries: Entries, indicator: Indicator) -> Iterator[Entry]:
    mine = [e for e in entries if e.holds_for(indicator)]
    yield from sorted(mine, key=lambda e: (e.source == "*", e.suffix == "*" and e.source == "*"))


def read(folder: Path, known: Tables, indicators: Mapping[str, Indicator], wrong: list[BadInput]) -> Entries:
    """All rows of the file, none where it is not there; mistakes are added to ``wrong``."""
    path = folder / NAME
    if not path.is_file():
        return ()
    entries: list[Entry] = []
    taken: set[tuple[str, ...]] = set()
    for row in rows(path, _REQUIRED, _OPTIONAL, wrong):
        problems: dict[str, str] = {}
        entry = _entry({c: row.cells.get(c, "") for c in (*_REQUIRED, *_OPTIONAL)}, known, indicators, problems)
        if entry:
            said = {(entry.source, entry.suffix, k, f) for k in entry.kinds or [""] for f in entry.freqs or [""]}
            if said & taken:
                problems["id"] = f"{row.cells['id']} stands twice" + (
                    " for one kind and frequency" if entry.kinds else ""
                )
            taken |= said
        wrong += [row.bad(problem, column) for column, problem in problems.items()]
        if entry and not problems:
            entries.append(entry)
    return tuple(entries)


def _entry(
    cells: Mapping[str, str], known: Tables, indicators: Mapping[str, Indicator], problems: dict[str, str]
) -> Entry | None:
    """The row; what is wrong with it goes to ``problems``, by column."""
    if not (form := _ID.fullmatch(cells["id"])):
        problems["id"] = f"{cells['id']!r} is not of the form indicator.feature or *.feature"
        return None
    source, suffix = form[1], form[2]
    for column, choices in _CHOICES.items():
        if cells[column] and cells[column] not in choices:
            problems[column] = f"{cells[column]!r} is none of {', '.join(choices)}"
    if cells["unit"] and cells["unit"] not in known.units:
        problems["unit"] = f"{cells['unit']!r} is not in units.csv"
    if not re.fullmatch(r"[1-9]\d*", cells["version"]):
        problems["version"] = f"{cells['version']!r} is no version: 1, 2, 3 …"
    kinds, freqs, sources = (cells[c].split() for c in ("kinds", "freq", "sources"))
    if source == "*":
        if strange := [k for k in kinds if k not in get_args(PublishedKind)]:
            problems["kinds"] = f"no kind of a published figure: {', '.join(strange)}"
        if not kinds:
            problems["kinds"] = "is empty: a rule says for which kinds it holds"
        if not freqs or any(f not in tuple(Freq) for f in freqs):
            problems["freq"] = f"{cells['freq']!r}: a rule says for which frequencies it holds, as in M Q"
        if sources:
            problems["sources"] = "only a row about one indicator names sources"
    else:
        if kinds or freqs:
            problems["kinds"] = "only a rule (*) speaks of kinds and frequencies"
        if strange := [i for i in (source, *sources) if i not in indicators]:
            problems["sources"] = f"no indicator of the catalogue: {', '.join(strange)}"
        elif cells["recipe"] and sources[:1] != [source]:
            problems["sources"] = f"begin with {source}, of which the feature is made"
    recipe: Recipe = ()
    if bool(cells["recipe"]) == bool(cells["reason"]):
        problems["recipe"] = "a row has either a recipe or the reason why there is none"
    elif cells["recipe"]:
        if suffix == "*":
            problems["id"] = "* stands for all features of a source, of which one row can only say why there are none"
        if not (cells["name_zh"] and cells["name_en"]):
            problems["name_en"] = "a feature has a name in English and in Chinese"
        try:
            recipe = parse(cells["recipe"])
            if not problems:
                _check(recipe, source, kinds, freqs, [indicators[i] for i in sources])
        except (BadInput, Refused) as e:
            problems["recipe"] = str(e)
    if problems:
        return None
    return Entry(
        source, suffix, tuple(kinds), tuple(Freq(f) for f in freqs), tuple(sources[1:]), recipe,
        cells["name_zh"], cells["name_en"], cells["unit"], known.units.get(cells["unit"], ""), cells["aggregation"],
        cells["direction"], cells["role"], cells["polarity"], int(cells["version"]), cells["reason"],
    )  # fmt: skip


def _check(
    recipe: Recipe, source: str, kinds: Sequence[str], freqs: Sequence[str], sources: Sequence[Indicator]
) -> None:
    """Raise Refused or BadInput where the recipe does not fit one of the kinds, or its sources."""
    asked: list[tuple[list[str], Freq, list[Freq]]] = [([k], Freq(f), []) for k in kinds for f in freqs]
    if source != "*":
        asked = [([i.kind for i in sources], sources[0].freq, [i.freq for i in sources[1:]])]
    for published, freq, others in asked:
        if strange := [k for k in published if k not in KINDS]:
            raise Refused(f"nothing is made of {strange[0] or 'a figure of no stated kind'}")
        outcome(recipe, [KINDS[k] for k in published], freq, others)


def row_of(entry: Entry, indicator: Indicator) -> dict[str, str]:
    """A feature, or why there is none, as it is listed."""
    english, chinese = entry.names(indicator)
    unit, unit_zh = entry.units(indicator) if entry.recipe else ("", "")
    made = " | ".join([" + ".join((indicator.id, *entry.others)), *map(str, entry.recipe)])
    return {
        "id": f"{indicator.id}.{entry.suffix}", "名称": chinese, "name": english, "单位": unit_zh, "unit": unit,
        "recipe": made if entry.recipe else "", "version": str(entry.version), "reason": entry.reason,
    }  # fmt: skip
