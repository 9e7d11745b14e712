"""Source, check, append: each release reaches the store whole or not at all, and the same twice changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from engine.errors import BadInput, Held, Unknown
from featurestore import review
from featurestore.review import Doubt
from featurestore.sources import Load
from featurestore.store import Override, Receipt, Store

SOURCES = ("nyfed", "province", "csv", "xlsx", "office", "sdmx", "alfred", "answers", "vintages", "fredmd", "rtdsm")

SHOWN = 5
"""So many findings are told in full; of others their number."""


def read(
    source: str,
    path: Path | None = None,
    mapping: Path | None = None,
    *,
    faults: bool = False,
    seed: int | None = None,
) -> tuple[Load, ...]:
    """All releases that a source holds, read to the last row before any is stored.

    faults, seed: of the synthetic province.

    Raises BadInput, NotReady, or Unknown for a source that does not exist.
    """
    if source not in SOURCES:
        raise Unknown(f"no source {source!r}; there are {', '.join(SOURCES)}")
    if source != "province" and (faults or seed is not None):
        raise BadInput(f"the source {source} is real: only the province has a seed, and faults planted in it")
    if source == "nyfed":
        if path or mapping:
            raise BadInput("the source nyfed is found in the statsmodels distribution: it takes no file and no mapping")
        from featurestore.sources import nyfed

        return tuple(nyfed.loads())
    if source == "province":
        if path or mapping:
            raise BadInput("the source province makes its own economy: it takes no file and no mapping")
        from featurestore.sources import province

        return tuple(province.economy(province.SEED if seed is None else seed, faults).releases())
    if source == "answers":
        return ()
    if source in ("fredmd", "rtdsm"):
        if path is None or mapping:
            raise BadInput(f"the source {source} needs a path and no mapping: what stands where is known")
        from featurestore.sources import fredmd, rtdsm

        return tuple(fredmd.loads(path) if source == "fredmd" else rtdsm.loads(path))
    if path is None or mapping is None:
        raise BadInput(f"the source {source} needs a file and --mapping, a TOML file that says what stands where in it")
    if source == "office":
        from featurestore.sources import office

        return tuple(office.loads(path, mapping))
    if source == "sdmx":
        from featurestore.sources import sdmx

        return tuple(sdmx.loads(path, mapping))
    if source == "alfred":
        from featurestore.sources import alfred

        return tuple(alfred.loads(path, mapping))
    if source == "vintages":
        from featurestore.sources import vintages

        return tuple(vintages.loads(path, mapping))
    from featurestore.sources import table

    kind: Literal["csv", "xlsx"] = "csv" if source == "csv" else "xlsx"
    return tuple(table.loads(path, mapping, kind))


def survey(
    source: str, path: Path | None = None, mapping: Path | None = None, *, faults: bool = False, seed: int | None = None
) -> pl.DataFrame | None:
    """ANSWERS rows of firms that a source holds, None where it is no survey. Raises BadInput."""
    if source == "province":
        from featurestore.sources import province

        return province.economy(province.SEED if seed is None else seed, faults).opinions()
    if source != "answers":
        return None
    if path is None or mapping:
        raise BadInput("the source answers needs a CSV file with a row an answer, and no mapping (docs/sources.md)")
    from featurestore.sources import answers

    return answers.read(path)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Findings that somebody has looked at: their names, or ``rule:series`` for all of a series; why, and who."""

    findings: tuple[str, ...]
    because: str
    by: str

    def covers(self, doubt: Doubt) -> bool:
        return any(f in (doubt.name, f"{doubt.rule}:{doubt.series}") for f in self.findings)


NOTHING = Acceptance((), "", "")


def ingest(
    store: Store,
    loads: Sequence[Load],
    accepted: Acceptance = NOTHING,
    note: Callable[[Doubt], None] = lambda _: None,
    again: str = "jingqi data ingest SOURCE PATH",
) -> list[tuple[Load, Receipt]]:
    """Store all releases, or none.

    They are reviewed before the first is stored. ``note`` hears of every doubt that is explained; ``again`` is the command
    that a person would repeat. Raises Held if a doubt is neither explained nor accepted, and BadInput where ``accepted``
    names what is not there; then nothing is stored.
    """
    found = review.doubts(store, loads)
    waiting = [d for d in found if not d.explained]
    for name in accepted.findings:
        if not any(name in (d.name, f"{d.rule}:{d.series}") for d in waiting) and not _done(store, name):
            there = ", ".join(d.name for d in waiting[:SHOWN]) or "none at all"
            raise BadInput(f"--accept {name}: there is no such finding in this load; there is {there}")
    if held := [d for d in waiting if not accepted.covers(d)]:
        raise Held(_held(held, again, accepted.findings))
    store.override(
        [Override(d.name, d.value, d.expected, d.says, accepted.because, accepted.by, d.release) for d in waiting]
    )
    for doubt in found:
        if doubt.explained:
            note(doubt)
    return list(zip(loads, store.append_all(loads), strict=True))


def _done(store: Store, name: str) -> bool:
    """Whether it was accepted in an earlier load: the same command twice changes nothing."""
    return any(name in (f, f.rpartition(":")[0]) for f in store.overrides()["finding"])


def _held(held: Sequence[Doubt], again: str, before: Sequence[str]) -> str:
    """In one line: what was found, and what to type once somebody has looked."""
    shown = "; ".join(map(str, held[:SHOWN])) + (f"; and {len(held) - SHOWN} more" if len(held) > SHOWN else "")
    many = Counter(f"{d.rule}:{d.series}" for d in held)
    names = [d.name if many[f"{d.rule}:{d.series}"] == 1 else f"{d.rule}:{d.series}" for d in held]
    accept = " ".join(f"--accept {name}" for name in dict.fromkeys([*before, *names]))
    count = "a finding waits" if len(held) == 1 else f"{len(held)} findings wait"
    return f'nothing was stored: {count} for review. {shown}. If it is right: {again} {accept} --because "reason"'
