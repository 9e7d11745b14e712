"""How releases get into PostgreSQL: many in one transaction, in a dozen questions, whatever stands there already.

Each row of a release is compared with the last word on its value before it: of this batch, or of what is stored. What
differs is written. Where a stored release repeated a value that an older vintage of this batch now changes, that
repetition says something after all, and becomes a row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl
from psycopg import Connection
from psycopg.types.json import Jsonb

from engine.calendar import Freq
from engine.errors import BadInput
from engine.indicator import Series
from featurestore import rows, timescale, wire
from featurestore.sources import Load
from featurestore.store import Receipt

LOCK = 0x6A696E68
"""The lock under which one writer at a time appends: versions of one series may come from several releases, so that a
lock for each release would not do."""

_MANY = 500
"""Rows from which on it pays to tell the planner how many there are."""

_STAGED = {
    "series_id": "int4",
    "period": "date",
    "value": "float8",
    "status": "text1",
    "known_at": "timestamptz",
    "release_id": "int4",
}

# What was said after the first of our releases, of our series: empty unless older vintages come late.
_LATER = """
CREATE TEMP TABLE later ON COMMIT DROP AS
SELECT v.series_id, v.first_period, v.last_period, r.known_at, r.release_id
FROM fs.coverage v JOIN fs.release r USING (release_id)
WHERE r.release_id < (SELECT min(release_id) FROM stage) AND r.known_at > (SELECT min(known_at) FROM stage)
  AND v.series_id IN (SELECT series_id FROM stage)"""

# Each row with the last stored word on its value (stored), and with the one before and the time of the next of our own;
# ``ours``: the one before is ours.
_HEARD = """
CREATE TEMP TABLE heard ON COMMIT DROP AS
SELECT w.series_id, w.period, w.known_at, w.release_id, w.value, w.status, w.next, w.previous_value, w.previous_status,
       p.release_id IS NOT NULL AS stored, p.value AS stored_value, p.status AS stored_status,
       w.previous IS NOT NULL AND NOT EXISTS (
           SELECT FROM later l WHERE l.series_id = w.series_id AND w.period BETWEEN l.first_period AND l.last_period
           AND l.known_at > w.previous AND l.known_at <= w.known_at) AS ours
FROM (SELECT *, lag(known_at) OVER c AS previous, lag(value) OVER c AS previous_value,
             lag(status) OVER c AS previous_status, lead(known_at) OVER c AS next
      FROM (SELECT series_id, period, known_at, release_id, nullif(value, 'NaN') AS value, status FROM stage) s
      WINDOW c AS (PARTITION BY series_id, period ORDER BY known_at, release_id)) w
LEFT JOIN LATERAL (
    SELECT o.value, o.status, o.release_id FROM fs.obs o
    WHERE o.series_id = w.series_id AND o.period = w.period AND o.known_at <= w.known_at
    ORDER BY o.known_at DESC, o.release_id DESC LIMIT 1) p ON true"""

_CHANGED = """(NOT (ours OR stored) OR ROW(value, status) IS DISTINCT FROM
 CASE WHEN ours THEN ROW(previous_value, previous_status) ELSE ROW(stored_value, stored_status) END)"""

# Rows to write. The second half: stored repetitions of what is no longer the word before them, unless they are rows.
_FRESH = f"""
CREATE TEMP TABLE fresh ON COMMIT DROP AS
SELECT known_at, value, series_id, period, release_id, status FROM heard WHERE {_CHANGED}
UNION ALL
SELECT l.known_at, h.stored_value, h.series_id, h.period, l.release_id, h.stored_status
FROM heard h CROSS JOIN LATERAL (
    SELECT l.known_at, l.release_id FROM later l
    WHERE l.series_id = h.series_id AND h.period BETWEEN l.first_period AND l.last_period
      AND l.known_at > h.known_at AND (h.next IS NULL OR l.known_at <= h.next)
    ORDER BY l.known_at, l.release_id LIMIT 1) l
WHERE h.stored AND ROW(h.stored_value, h.stored_status) IS DISTINCT FROM ROW(h.value, h.status)
  AND NOT EXISTS (SELECT FROM fs.obs o WHERE o.series_id = h.series_id AND o.period = h.period
                  AND o.known_at = l.known_at AND o.release_id = l.release_id)"""

# A row that repeats the one before it (an older vintage came late) stays as evidence and is never the newest knowledge.
_ENDS = """
CREATE TEMP TABLE ends ON COMMIT DROP AS
WITH every AS (
    SELECT series_id, period, known_at, release_id, value, status, superseded_at FROM fs.obs
    JOIN (SELECT DISTINCT series_id, period FROM fresh) touched USING (series_id, period)
    UNION ALL SELECT series_id, period, known_at, release_id, value, status, NULL FROM fresh),
marked AS (
    SELECT *, lag(release_id) OVER w IS NULL
              OR ROW(value, status) IS DISTINCT FROM ROW(lag(value) OVER w, lag(status) OVER w) AS version
    FROM every WINDOW w AS (PARTITION BY series_id, period ORDER BY known_at, release_id))
SELECT *, CASE WHEN version THEN coalesce(min(known_at) FILTER (WHERE version) OVER (
    PARTITION BY series_id, period ORDER BY known_at, release_id ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING),
    '9999-12-31 00:00+00') ELSE known_at END AS until
FROM marked"""

_CLOSE = """
UPDATE fs.obs o SET superseded_at = e.until FROM ends e
WHERE o.series_id = e.series_id AND o.period = e.period AND o.known_at = e.known_at AND o.release_id = e.release_id
  AND e.superseded_at <> e.until"""

_INSERT = """
INSERT INTO fs.obs (known_at, superseded_at, value, series_id, period, release_id, status)
SELECT known_at, until, value, series_id, period, release_id, status FROM ends
WHERE superseded_at IS NULL ORDER BY series_id, period, known_at, release_id"""

_COUNT = f"""
UPDATE fs.release r SET n_new = n.new, n_revised = n.revised
FROM (SELECT release_id, count(*) FILTER (WHERE NOT (ours OR stored)) AS new,
             count(*) FILTER (WHERE (ours OR stored) AND {_CHANGED}) AS revised
      FROM heard GROUP BY release_id) n
WHERE r.release_id = n.release_id RETURNING r.release_id, r.n_new, r.n_revised"""

_KEYS = "unnest(%s::text[], %s::text[], %s::timestamptz[], %s::bytea[]"


def append(c: Connection[tuple[Any, ...]], loads: Sequence[Load], values: pl.DataFrame) -> tuple[Receipt, ...]:
    """Inside a transaction of the caller: what is new or changed, release after release as they became known.

    loads: by known_at; values: their rows as ``rows.check_all`` gives them. Raises BadInput for a series that is stored
    with another frequency.
    """
    c.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    numbers = _describe(c, loads)
    keys = [(x.release.source, x.release.code, x.release.known_at, x.release.content) for x in loads]
    columns = [list(column) for column in zip(*keys, strict=True)]
    stored: dict[Any, tuple[int, int]] = {
        keys[n - 1]: (number, height)
        for n, number, height in c.execute(
            f"SELECT k.n, r.release_id, r.n_rows FROM {_KEYS}) WITH ORDINALITY k (source, code, known_at, content, n) "
            "JOIN fs.release r USING (source, code, known_at, content)".encode(), columns,
        )
    }  # fmt: skip
    fresh = {key: i for i, key in reversed(list(enumerate(keys))) if key not in stored}  # of the same twice, the first
    mine = sorted(fresh.values())
    receipts: dict[Any, Receipt] = {}
    if mine:
        releases = _record(c, [loads[i] for i in mine])
        _stage(c, loads, values, numbers, dict(zip(mine, releases, strict=True)))
        load = dict(zip(releases, mine, strict=True))
        for number, new, revised in _write(c):
            height = loads[load[number]].values.height
            receipts[keys[load[number]]] = Receipt(number, height, new, revised, height - new - revised, repeated=False)
    answers = []
    for i, key in enumerate(keys):
        if fresh.get(key) == i:
            answers.append(receipts[key])
        else:
            number, height = stored[key] if key in stored else (receipts[key].release, receipts[key].rows)
            answers.append(Receipt(number, height, 0, 0, height, repeated=True))
    return tuple(answers)


def _record(c: Connection[tuple[Any, ...]], loads: Sequence[Load]) -> list[int]:
    """Numbers of new releases, ascending. One stamp for all: they arrived together."""
    found = [x.release for x in loads]
    fields = ([r.source for r in found], [r.code for r in found], [r.known_at for r in found],
              [r.content for r in found], [r.precision for r in found], [r.uri for r in found],
              [x.values.height for x in loads])  # fmt: skip
    made = c.execute(
        "INSERT INTO fs.release (source, code, known_at, content, precision, uri, n_rows, recorded_at) "
        "SELECT source, code, known_at, content, precision, uri, n_rows, at "
        f"FROM {_KEYS}, %s::text[], %s::text[], %s::int[]) "
        "WITH ORDINALITY k (source, code, known_at, content, precision, uri, n_rows, n), "
        "(SELECT clock_timestamp() AS at OFFSET 0) stamp ORDER BY n RETURNING release_id".encode(),
        fields,
    ).fetchall()
    return sorted(number for (number,) in made)


def _describe(c: Connection[tuple[Any, ...]], loads: Sequence[Load]) -> dict[str, int]:
    """Store what the series mean where it is new or has changed; their numbers by id."""
    told: dict[str, list[Series]] = {}
    for x in loads:
        for s in x.series:
            if s != (meanings := told.setdefault(s.id, [s]))[-1]:
                meanings.append(s)
    c.execute(
        "INSERT INTO fs.series (code, freq) SELECT * FROM unnest(%s::text[], %s::text[]) ON CONFLICT DO NOTHING",
        [list(told), [meanings[0].freq.value for meanings in told.values()]],
    )
    stored = {
        code: (number, freq, meaning)
        for code, number, freq, meaning in c.execute(
            "SELECT DISTINCT ON (s.code) s.code, s.series_id, s.freq, m.meaning FROM fs.series s "
            "LEFT JOIN fs.meaning m USING (series_id) WHERE s.code = ANY(%s) ORDER BY s.code, m.recorded_at DESC",
            [list(told)],
        )
    }
    changed: list[tuple[int, Jsonb]] = []
    for code, meanings in told.items():
        number, freq, last = stored[code]
        for s in meanings:
            if freq != s.freq:
                raise BadInput(f"{code} is stored with frequency {freq}, not {s.freq}")
            fields = {k: v for k, v in asdict(s).items() if k != "made"}  # only what is published is stored
            if fields != last:
                changed.append((number, Jsonb(fields, json.dumps)))
                last = fields
    if changed:  # a microsecond apart: a series may have changed its meaning twice
        c.execute(
            "INSERT INTO fs.meaning (series_id, recorded_at, meaning) "
            "SELECT series_id, clock_timestamp() + n * interval '1 microsecond', meaning "
            "FROM unnest(%s::int[], %s::jsonb[]) WITH ORDINALITY k (series_id, meaning, n)",
            [[n for n, _ in changed], [m for _, m in changed]],
        )
    return {code: number for code, (number, _, _) in stored.items()}


def _stage(
    c: Connection[tuple[Any, ...]],
    loads: Sequence[Load],
    values: pl.DataFrame,
    numbers: Mapping[str, int],
    releases: Mapping[int, int],
) -> None:
    """The rows of new releases into a temporary table, and the runs of periods that they speak of into ``fs.coverage``.

    releases: the number of a load's release, for those that are new.
    """
    if len(releases) < len(loads):
        values = values.filter(pl.col("load").is_in(list(releases)))
    release = values["load"].replace_strict(releases, return_dtype=pl.Int32).to_numpy()
    known = {i: x.release.known_at for i, x in enumerate(loads) if i in releases}
    instant = values["load"].replace_strict(known, return_dtype=pl.Datetime("us", "UTC")).dt.epoch("us").to_numpy()
    number = values["series"].replace_strict(numbers, return_dtype=pl.Int32).to_numpy()
    ordinal = values["period"].cast(pl.Int64).to_numpy()
    freqs = {numbers[s.id]: s.freq for x in loads for s in x.series}
    start = np.empty_like(ordinal)
    for freq in Freq:
        here = np.isin(number, [n for n, f in freqs.items() if f is freq])
        start[here] = rows.starts(ordinal[here], freq)
    c.execute(
        "CREATE TEMP TABLE stage (series_id int, period date, value float8, status text, known_at timestamptz, "
        "release_id int) ON COMMIT DROP"
    )
    columns = {
        "series_id": number,
        "period": start,
        "value": values["value"].fill_null(np.nan).to_numpy(),
        "status": values["status"].to_numpy().astype("S1"),
        "known_at": instant,
        "release_id": release,
    }
    with c.cursor().copy("COPY stage FROM STDIN (FORMAT binary)") as copy:
        for piece in wire.pack(columns, _STAGED.values()):
            copy.write(piece)
    if len(number) > _MANY:
        c.execute("ANALYZE stage")
    begins = np.ones(len(ordinal), bool)  # sorted by release, series, period: a run ends where one of them leaves off
    begins[1:] = (np.diff(release) != 0) | (np.diff(number) != 0) | (np.diff(ordinal) != 1)
    ends = np.append(begins[1:], True)
    runs = {
        "series_id": number[begins],
        "release_id": release[begins],
        "first_period": start[begins],
        "last_period": start[ends],
    }
    with c.cursor().copy("COPY fs.coverage FROM STDIN (FORMAT binary)") as copy:
        for piece in wire.pack(runs, ("int4", "int4", "date", "date")):
            copy.write(piece)


def _write(c: Connection[tuple[Any, ...]]) -> list[tuple[int, int, int]]:
    """From the stage into ``fs.obs``; number, new and revised rows of each release."""
    if timescale.in_use(c):
        c.execute("SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0")
    for table, step in (("later", _LATER), ("heard", _HEARD), ("fresh", _FRESH), ("ends", _ENDS)):
        if c.execute(step.encode()).rowcount > _MANY:
            if table == "later":
                c.execute("CREATE INDEX ON later (series_id, known_at)")
            c.execute(f"ANALYZE {table}".encode())
    c.execute(_CLOSE.encode())
    c.execute(_INSERT.encode())
    return c.execute(_COUNT.encode()).fetchall()
