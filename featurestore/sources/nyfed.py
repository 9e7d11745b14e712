"""Two real vintages of the New York Fed's nowcast, 29 US series as they stood on 2016-06-29 and on 2016-07-29.

They come inside the statsmodels distribution (Bok, Caratelli, Giannone, Sbordone & Tambalotti 2017; code and vintages
under the BSD licence of the Federal Reserve Bank of New York). statsmodels itself is not imported: that takes seconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import polars as pl

from engine.calendar import Freq, end_of
from engine.errors import BadInput, NotReady
from featurestore import catalogue
from featurestore.sources import Load
from featurestore.store import VALUES, Release

FOLDER = Path("tsa/statespace/tests/results/frbny_nowcast/Nowcasting/data/US")
VINTAGES = {
    date(2016, 6, 29): "e276bcd2ff98fe58e42a4e74abdef278b3a263221e7052d4749697e73cdbfc06",
    date(2016, 7, 29): "acf05d136be466c545b182a834d9b8c43b0746daec061fdac23b1b5d22b3d888",
}


def loads() -> Iterator[Load]:
    """One release a vintage, oldest first. Raises NotReady if statsmodels has no such file, BadInput if it differs."""
    for day, digest in VINTAGES.items():
        path = _folder() / f"{day}.csv"
        if not path.is_file():
            raise NotReady(
                f"the installed statsmodels carries no {FOLDER.name}/{path.name}; "
                "0.14.4 to 0.15.0 do: install one of them (pip install 'statsmodels>=0.14.4,<=0.15.0')"
            )
        content = path.read_bytes()
        found = hashlib.sha256(content)
        if found.hexdigest() != digest:
            problem = f"not the vintage we know: sha256 {found.hexdigest()[:12]}…, not {digest[:12]}…"
            raise BadInput(f"{problem}; reinstall statsmodels 0.15.0", file=str(path))
        series = tuple(catalogue.load().series(f"{name.lower()}@US") for name in _header(content))
        release = Release(
            "nyfed", "staff-nowcast", end_of(day), "day", found.digest(), f"statsmodels:{FOLDER}/{path.name}"
        )
        yield Load(release, _values(content, {s.id for s in series if s.freq is Freq.Q}), series)


def _folder() -> Path:
    spec = find_spec("statsmodels")  # finds a top-level package without running any of it
    if spec is None or not spec.submodule_search_locations:
        raise NotReady("the vintages come with statsmodels, which is not installed (pip install statsmodels)")
    return Path(spec.submodule_search_locations[0]) / FOLDER


def _header(content: bytes) -> list[str]:
    return content.split(b"\n", 1)[0].decode().strip().split(",")[1:]


def _values(content: bytes, quarterly: set[str]) -> pl.DataFrame:
    """VALUES of a wide file: dates as month/day/two-digit year, quarterly values in the last month of the quarter."""
    wide = pl.read_csv(content, infer_schema=False)
    wide = wide.rename({c: f"{c.lower()}@US" for c in wide.columns[1:]})
    month, _, year = (pl.col("Date").str.split("/").list.get(i).cast(pl.Int32) for i in range(3))
    century = pl.when(year < 50).then(2000).otherwise(1900)
    wide = wide.with_columns(period=(century + year) * 12 + month - 1).drop("Date")
    long = wide.unpivot(index="period", variable_name="series").drop_nulls("value")
    is_quarterly = pl.col("series").is_in(list(quarterly))
    return long.select(
        "series",
        pl.when(is_quarterly).then(pl.col("period") // 3).otherwise(pl.col("period")).cast(pl.Int32).alias("period"),
        pl.col("value").cast(pl.Float64),
        pl.lit("A").alias("status"),
    ).select(VALUES.names())
