"""Rows of releases: what a store accepts, and how versions follow from what was said. Both stores share it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import get_args

import numpy as np
import polars as pl

from engine.calendar import Freq, Period, known_day
from engine.errors import BadInput, Unknown
from engine.indicator import Series
from featurestore.sources import Load
from featurestore.store import HISTORY, KNOWN, NEWS, QUANTILES, VALUES, Precision, Release, ScoreRun

NO_VALUE = ("M", "O", "L", "Q", "H")
"""SDMX statuses under which a value is absent: missing, not collected …"""

EARLIEST = date(1600, 1, 1)


def check(release: Release, values: pl.DataFrame, series: Sequence[Series]) -> pl.DataFrame:
    """The rows, sorted by series and period. Raises BadInput for any row that a store must not take.

    Refused: another schema; no row; a series that is not described, or described twice; a value that is not finite; a
    null without a status that says why; a status that is not one letter; two rows for one (series, period); a period
    before 1600, or one that had not begun when it was known, unless it is a forecast (status F).
    """
    return check_all([Load(release, values, tuple(series))]).drop("load")


def arrive(loads: Sequence[Load]) -> tuple[list[int], list[Load], pl.DataFrame]:
    """Releases in the order in which they became known, their rows checked; and where each of ``loads`` is among them."""
    order = sorted(range(len(loads)), key=lambda i: loads[i].release.known_at.timestamp())
    place = [0] * len(loads)
    for at, i in enumerate(order):
        place[i] = at
    arrived = [loads[i] for i in order]
    return place, arrived, check_all(arrived)


def check_all(loads: Sequence[Load]) -> pl.DataFrame:
    """The rows of many releases, each checked as by :func:`check`; ``load`` says of which, and sorts them first."""
    limits: list[tuple[int, str, int, int]] = []
    first = {f: Period.of(EARLIEST, f).ordinal for f in Freq}
    for n, (release, values, series) in enumerate((x.release, x.values, x.series) for x in loads):
        what = _name(release)
        if release.known_at.tzinfo is None:
            raise BadInput(f"{what}: known_at needs a time zone")
        if release.precision not in get_args(Precision):
            raise BadInput(f"{what}: precision {release.precision!r} is none of {', '.join(get_args(Precision))}")
        if values.schema != VALUES:
            raise BadInput(f"{what}: rows need the columns {dict(VALUES)}, not {dict(values.schema)}")
        if not values.height:
            raise BadInput(f"{what}: a release without a row")
        if len({s.id for s in series}) != len(series):
            raise BadInput(f"{what}: a series is described twice")
        if computed := [s.id for s in series if s.made]:
            raise BadInput(f"{what}: only what was published is stored, and {', '.join(computed)} was computed")
        begun = {f: Period.of(known_day(release.known_at), f).ordinal for f in {s.freq for s in series}}
        limits += [(n, s.id, first[s.freq], begun[s.freq]) for s in series]
    said = pl.concat([x.values for x in loads]).with_columns(
        load=pl.Series(np.repeat(np.arange(len(loads)), [x.values.height for x in loads]), dtype=pl.Int64)
    )
    described = pl.DataFrame(limits, schema={"load": pl.Int64, "series": pl.String, "low": pl.Int64, "high": pl.Int64},
                             orient="row")  # fmt: skip
    rows = said.join(described, on=["load", "series"], how="left").sort("load", "series", "period")
    if (strange := rows.filter(pl.col("low").is_null())).height:
        names = sorted(str(i) for i in strange.filter(load=strange["load"][0])["series"].unique())
        raise BadInput(f"{_name(loads[strange['load'][0]].release)}: no meaning is given for {', '.join(names)}")
    problems = (
        ("no period", pl.col("period").is_null()),
        ("two rows for one period", pl.struct("load", "series", "period").is_duplicated()),
        ("not a finite number", ~pl.col("value").is_finite()),
        ("a status is one capital letter", ~pl.col("status").str.contains("^[A-Z]$").fill_null(False)),
        (f"no value needs one of the statuses {', '.join(NO_VALUE)}, and they need no value",
         pl.col("value").is_null() != pl.col("status").is_in(NO_VALUE)),
        (f"a period before {EARLIEST.year}", pl.col("period") < pl.col("low")),
        ("a period that had not begun when it was known",
         (pl.col("period") > pl.col("high")) & (pl.col("status") != "F")),
    )  # fmt: skip
    for problem, where in problems:
        if (hit := rows.filter(where)).height:
            at = hit.row(0, named=True)
            load = loads[at["load"]]
            freq = next(s.freq for s in load.series if s.id == at["series"])
            period = "" if at["period"] is None else f" {Period(freq, at['period'])}"
            many = hit.filter(load=at["load"]).height
            raise BadInput(f"{_name(load.release)}: {at['series']}{period}: {problem} ({many} such rows)")
    return rows.drop("low", "high")


def _name(release: Release) -> str:
    return f"{release.source} {release.code}"


def versions(said: pl.DataFrame) -> pl.DataFrame:
    """HISTORY from all that was said (HISTORY without nth): what only repeats its predecessor is no version.

    Versions are ordered by known_at, and on one day by the order in which they were recorded.
    """
    cell = ("series", "period")
    changed = pl.any_horizontal(pl.col(c).ne_missing(pl.col(c).shift(1)) for c in (*cell, "value", "status"))
    kept = said.sort(*cell, "known_at", "release").filter(changed)
    return kept.with_columns(nth=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over(*cell)).select(HISTORY.names())


def at(history: pl.DataFrame, asof: datetime) -> pl.DataFrame:
    """KNOWN rows of a history: the last version of each value at ``asof``, without values that were taken back."""
    known = history.filter(pl.col("known_at") <= asof).group_by("series", "period", maintain_order=True).last()
    return known.filter(pl.col("value").is_not_null()).select(KNOWN.names())


def not_stored(ids: Sequence[str]) -> Unknown:
    """The error for series that were never stored."""
    return Unknown(f"not in the store: {', '.join(ids)} (jingqi data ingest brings series in)")


def ordinals(starts: np.ndarray, freq: Freq) -> np.ndarray:
    """Ordinals of periods from their first days, both integer arrays; days count from 1970."""
    if freq in (Freq.D, Freq.W):
        since = starts.astype(np.int64) + date(1970, 1, 1).toordinal()
        return since if freq is Freq.D else (since - 1) // 7
    n = freq.per_year
    months = starts.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) + 1970 * 12
    return months // 12 * n + months % 12 * n // 12


def starts(ordinals: np.ndarray, freq: Freq) -> np.ndarray:
    """First days, counted from 1970, of periods; inverse of :func:`ordinals`."""
    ordinals = ordinals.astype(np.int64)
    if freq in (Freq.D, Freq.W):
        return (ordinals if freq is Freq.D else ordinals * 7 + 1) - date(1970, 1, 1).toordinal()
    months = ordinals * (12 // freq.per_year) - 1970 * 12
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def identity(run: ScoreRun) -> tuple[object, ...]:
    """What makes a published run the same as another."""
    return run.target, run.run_id, run.version, run.asof, run.panel


def check_scores(run: ScoreRun, scores: pl.DataFrame, news: pl.DataFrame | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Scores (period … q975) and NEWS rows as they are stored. Raises BadInput if they do not belong to the run."""
    score = ["period", "phase", "mean", *QUANTILES]
    if missing := [c for c in ("target", "asof", *score) if c not in scores.columns]:
        raise BadInput(
            f"scores of {run.target}: the columns {', '.join(missing)} are missing (Estimate.to_frame() has them)"
        )
    if not scores.height or (scores["target"] != run.target).any() or (scores["asof"] != run.asof).any():
        raise BadInput(f"scores of {run.target}: rows must carry the target and the information date of their run")
    news = pl.DataFrame(schema=NEWS) if news is None else news
    if missing := [c for c in NEWS.names() if c not in news.columns]:
        raise BadInput(f"news of {run.target}: the columns {', '.join(missing)} are missing")
    return scores.select(score), news.select(pl.col(c).cast(t) for c, t in NEWS.items())
