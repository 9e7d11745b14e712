"""One file a source: from what an office publishes to releases whose rows have three times."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from engine.indicator import Series
from featurestore.store import Release


@dataclass(frozen=True, slots=True)
class Load:
    """One release as a source gives it: what ``Store.append`` takes."""

    release: Release
    values: pl.DataFrame
    series: tuple[Series, ...]
