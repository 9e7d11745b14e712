"""Source, check, append: each release reaches the store whole or not at all, and the same twice changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from engine.errors import BadInput, Unknown
from featurestore.sources import Load
from featurestore.store import Receipt, Store

SOURCES = ("nyfed", "province", "csv", "xlsx", "office", "sdmx", "alfred")


def read(source: str, path: Path | None = None, mapping: Path | None = None) -> tuple[Load, ...]:
    """All releases that a source holds, read to the last row before any is stored.

    Raises BadInput, NotReady, or Unknown for a source that does not exist.
    """
    if source not in SOURCES:
        raise Unknown(f"no source {source!r}; there are {', '.join(SOURCES)}")
    if source == "nyfed":
        if path or mapping:
            raise BadInput("the source nyfed is found in the statsmodels distribution: it takes no file and no mapping")
        from featurestore.sources import nyfed

        return tuple(nyfed.loads())
    if source == "province":
        if path or mapping:
            raise BadInput("the source province makes its own economy: it takes no file and no mapping")
        from featurestore.sources import province

        return tuple(province.economy().releases())
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
    from featurestore.sources import table

    kind: Literal["csv", "xlsx"] = "csv" if source == "csv" else "xlsx"
    return tuple(table.loads(path, mapping, kind))


def ingest(
    store: Store, loads: Sequence[Load], watch: Callable[[Sequence[Load]], Iterator[Load]] = iter
) -> Iterator[tuple[Load, Receipt]]:
    """Append release after release; ``watch`` may wrap them, for instance in a progress bar."""
    for load in watch(loads):
        yield load, store.append(load.release, load.values, load.series)
