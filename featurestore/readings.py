"""Published readings in PostgreSQL: what indices, lights, boards and monitors said, as of when."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import polars as pl
from psycopg import Connection, sql

from engine import reading
from engine.reading import READINGS
from featurestore.scores import RUN_COLUMNS, insert_run
from featurestore.store import PUBLISHED, ScoreRun


def write(c: Connection[tuple[Any, ...]], run: ScoreRun, readings: pl.DataFrame) -> bool:
    """Inside a transaction of the caller: False if the same run was published before. Raises BadInput."""
    rows = reading.check(readings, f"{run.target} as of {run.asof:%Y-%m-%d}")
    number = insert_run(c, asdict(run))
    if number is None:
        return False
    columns = sql.SQL(", ").join(map(sql.Identifier, READINGS.names()))
    with c.cursor().copy(sql.SQL("COPY fs.reading (score_run_id, {}) FROM STDIN").format(columns)) as copy:
        for row in rows.iter_rows():
            copy.write_row((number, *row))
    return True


def read(c: Connection[tuple[Any, ...]], target: str, asof: datetime | None) -> pl.DataFrame:
    """PUBLISHED rows of a target from its newest publication, with ``asof`` the newest of that very information date."""
    columns = sql.SQL(", ").join(map(sql.Identifier, [*RUN_COLUMNS, "published_at", *READINGS.names()]))
    found = c.execute(
        sql.SQL(
            "SELECT {} FROM fs.reading JOIN fs.score_run USING (score_run_id) WHERE score_run_id = ("
            "SELECT score_run_id FROM fs.score_run r WHERE target = %s AND (%s::timestamptz IS NULL OR asof = %s) "
            "AND EXISTS (SELECT FROM fs.reading g WHERE g.score_run_id = r.score_run_id) "
            "ORDER BY asof DESC, published_at DESC LIMIT 1) "
            'ORDER BY unit, period COLLATE "C", level COLLATE "C", name COLLATE "C"'
        ).format(columns),
        [target, asof, asof],
    ).fetchall()
    names = [*RUN_COLUMNS, "published_at", *READINGS.names()]
    return pl.DataFrame(found, schema={n: PUBLISHED[n] for n in names}, orient="row").select(PUBLISHED.names())
