"""Published scores in PostgreSQL: what a model said, as of when, and why it moved. Dashboards read ``api_v1``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import polars as pl
from psycopg import Connection, sql

from featurestore import rows
from featurestore.store import NEWS, QUANTILES, SCORES, ScoreRun

RUN_COLUMNS = ("run_id", "target", "model", "version", "asof", "fitted_asof", "timing", "panel")


def write(c: Connection[tuple[Any, ...]], run: ScoreRun, scores: pl.DataFrame, news: pl.DataFrame | None) -> bool:
    """Inside a transaction of the caller: False if the same run was published before. Raises BadInput."""
    scores, news = rows.check_scores(run, scores, news)
    number = insert_run(c, asdict(run))
    if number is None:
        return False
    c.cursor().executemany(_insert("score", ("score_run_id", *scores.columns)), [(number, *r) for r in scores.rows()])
    c.cursor().executemany(_insert("news", ("score_run_id", *NEWS.names())), [(number, *r) for r in news.rows()])
    return True


def insert_run(c: Connection[tuple[Any, ...]], fields: Mapping[str, Any]) -> int | None:
    """The number of a new run, None if the same was published before."""
    made = c.execute(
        _insert("score_run", RUN_COLUMNS) + sql.SQL(" ON CONFLICT DO NOTHING RETURNING score_run_id"),
        [fields[f] for f in RUN_COLUMNS],
    ).fetchone()
    return None if made is None else int(made[0])


def read(c: Connection[tuple[Any, ...]], target: str, asof: datetime | None) -> pl.DataFrame:
    """SCORES rows of a target, newest information date first."""
    columns = [*RUN_COLUMNS, "published_at", "period", "phase", "mean", *QUANTILES]
    query = sql.SQL(
        "SELECT {} FROM fs.score_run JOIN fs.score USING (score_run_id) WHERE target = %s "
        "AND (%s::timestamptz IS NULL OR asof <= %s) "
        'ORDER BY asof DESC, published_at DESC, period COLLATE "C"'
    ).format(sql.SQL(", ").join(map(sql.Identifier, columns)))
    found = c.execute(query, [target, asof, asof]).fetchall()
    return pl.DataFrame(found, schema={name: SCORES[name] for name in columns}, orient="row").select(SCORES.names())


def _insert(table: str, columns: tuple[str, ...]) -> sql.Composed:
    return sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier("fs", table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join([sql.Placeholder()] * len(columns)),
    )
