"""Overrides: what was accepted in spite of a doubt, by whom, when and why. Evidence, kept like the values themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
from psycopg import Connection

from featurestore.store import OVERRIDES, Override


def write(c: Connection[tuple[Any, ...]], overrides: Sequence[Override]) -> None:
    """Inside a transaction of the caller; what is there already stays as it is."""
    c.cursor().executemany(
        "INSERT INTO fs.override (value, expected, says, because, accepted_by, finding, source, code, known_at, content) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [(o.value, o.expected, o.says, o.because, o.accepted_by, *o.key()) for o in overrides],
    )


def read(c: Connection[tuple[Any, ...]]) -> pl.DataFrame:
    """OVERRIDES rows, in the order in which they were accepted."""
    found = c.execute(
        "SELECT finding, value, expected, says, because, accepted_by, accepted_at, source, code, known_at, r.release_id "
        "FROM fs.override o LEFT JOIN fs.release r USING (source, code, known_at, content) ORDER BY override_id"
    ).fetchall()
    return pl.DataFrame(found, schema=OVERRIDES, orient="row")
