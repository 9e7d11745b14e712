"""Source ``vintages``: a table of vintages in delta code, CSV or Parquet, whatever the country and the office.

Four columns say which series, which period, in which vintage and what value. A row stands only where a value is new, revised or
taken back (an empty value) in that vintage; what was known in one is the newest row at or before it. A mapping says what is
what::

    source = "philadelphia-fed"
    release = "rtdsm"
    series_column = "area"              # also period_column, vintage_column, value_column: by default they have these names
    known = "day"                       # the vintage is the day; "month_end": known on the last day of its month
    ignore = ["EA"]
    [series]
    US = "gdp_rt@US"

A name that is a series id needs no line. One series may have several names, where an office renamed it: the new name must begin
in the vintage in which the old one ends, or later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import ClassVar, Literal

import polars as pl

from engine.calendar import Freq, Period, end_of
from engine.errors import BadInput, Unknown
from engine.indicator import Series
from featurestore import catalogue
from featurestore.sources import Load, mapping
from featurestore.store import VALUES, Precision, Release


@dataclass(frozen=True, kw_only=True)
class Vintages:
    """A mapping file. ``ignore``: names that are left out on purpose."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}
    source: str
    release: str
    series: Mapping[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    series_column: str = "series"
    period_column: str = "period"
    vintage_column: str = "vintage"
    value_column: str = "value"
    known: Literal["day", "month_end"] = "day"
    precision: Precision = "day"


def loads(path: Path, mapping_path: Path) -> Iterator[Load]:
    """One release a vintage, oldest first. Raises BadInput that names file, series and vintage."""
    m = mapping.read(mapping_path, Vintages)
    return releases(path, m, m.series, mapping.content_of(mapping_path))


def releases(path: Path, m: Vintages, series: Mapping[str, str], rule: bytes) -> Iterator[Load]:
    """As :func:`loads`, from a mapping at hand. series: ids by name; rule: what besides the file makes these releases
    what they are."""
    rows = _rows(path, m)
    names = [n for n in rows["name"].unique(maintain_order=True) if n not in m.ignore]
    meaning = {name: _meaning(series.get(name, name), name, path) for name in names}
    rows = _one_name(rows.filter(pl.col("name").is_in(names)), {n: s.id for n, s in meaning.items()}, path)
    if rows.is_empty():
        raise BadInput("the table holds no value", file=path.name)
    digest, described = mapping.digest(mapping.content_of(path), rule), {s.id: s for s in meaning.values()}
    rows = rows.with_columns(period=_ordinals(described)).sort("vintage", "series", "period")
    for (day,), of in rows.group_by("vintage", maintain_order=True):
        assert isinstance(day, date)
        release = Release(m.source, m.release, end_of(_known(day, m)), m.precision, digest, path.name)
        values = of.select(VALUES.names())
        yield Load(release, values, tuple(described[i] for i in values["series"].unique(maintain_order=True)))


def _known(vintage: date, m: Vintages) -> date:
    return Period.of(vintage, Freq.M).end if m.known == "month_end" else vintage


def _rows(path: Path, m: Vintages) -> pl.DataFrame:
    """name, date, vintage, value, status. Raises BadInput."""
    names = {m.series_column: "name", m.period_column: "date", m.vintage_column: "vintage", m.value_column: "value"}
    kinds = {"name": pl.String, "date": pl.Date, "vintage": pl.Date, "value": pl.Float64}
    mapping.content_of(path)  # a file that is not there is told as everywhere else
    try:
        if path.suffix == ".parquet":
            rows = pl.read_parquet(path, columns=list(names)).rename(names)
        else:
            rows = pl.read_csv(path, columns=list(names), infer_schema=False).rename(names)
        texts = [c for c in ("date", "vintage") if rows.schema[c] == pl.String]
        rows = rows.with_columns(pl.col(texts).str.to_date("%Y-%m-%d")).cast(kinds)  # type: ignore[arg-type]
    except (pl.exceptions.PolarsError, OSError) as error:
        needed = f"the columns {', '.join(names)}: text, day, day and number"
        raise BadInput(f"no table of vintages ({needed}): {str(error).splitlines()[0]}", file=path.name) from None
    for column in ("name", "date", "vintage"):
        if (
            bad := rows.with_row_index("row", 1 if path.suffix == ".parquet" else 2).filter(pl.col(column).is_null())
        ).height:
            said = next(c for c, n in names.items() if n == column)
            raise BadInput("is empty", file=path.name, row=bad["row"][0], column=said)
    twice = rows.filter(pl.struct("name", "date", "vintage").is_duplicated())
    for name, day, vintage in twice.select("name", "date", "vintage").rows()[:1]:
        raise BadInput(f"{name} {day} stands twice in the vintage {vintage}", file=path.name)
    status = pl.when(pl.col("value").is_null()).then(pl.lit("M")).otherwise(pl.lit("A"))
    return rows.with_columns(status=status)


def _meaning(series_id: str, name: str, path: Path) -> Series:
    try:
        return catalogue.load().series(series_id)
    except (BadInput, Unknown) as error:
        raise BadInput(f"{error}; give it a row in the catalogue, or ignore it", file=path.name, column=name) from None


def _one_name(rows: pl.DataFrame, ids: Mapping[str, str], path: Path) -> pl.DataFrame:
    """The rows under the ids of their series. Where a renamed series is taken back under its old name and given under its
    new one in the same vintage, it is given."""
    rows = rows.with_columns(series=pl.col("name").replace_strict(ids, return_dtype=pl.String))
    spans = rows.group_by("series", "name").agg(first=pl.col("vintage").min(), last=pl.col("vintage").max())
    spans = spans.sort("series", "first").with_columns(
        before=pl.col("name").shift().over("series"), ended=pl.col("last").shift().over("series")
    )
    for _, name, first, _, before, ended in spans.filter(pl.col("first") < pl.col("ended")).rows():
        problem = f"{name} begins in the vintage {first}, but {before}, the same series, is there until {ended}"
        raise BadInput(problem, file=path.name)
    kept = rows.sort("series", "date", "vintage", pl.col("value").is_null())
    return kept.unique(["series", "date", "vintage"], keep="first", maintain_order=True)


def _ordinals(described: Mapping[str, Series]) -> pl.Expr:
    """The period that holds the day, at the frequency of its series."""
    days = pl.col("date").dt.year().cast(pl.Int32) * 12 + pl.col("date").dt.month().cast(pl.Int32) - 1
    months = {i: 12 // s.freq.per_year for i, s in described.items()}
    return (days // pl.col("series").replace_strict(months, return_dtype=pl.Int32)).cast(pl.Int32)
