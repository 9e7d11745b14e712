"""Answers of firms in PostgreSQL: numbers for firms and questions, and one row a wave and question, by binary COPY."""

from __future__ import annotations

import hashlib
import struct
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from psycopg import Connection

from engine.calendar import Freq
from featurestore import rows
from featurestore.answers import ANSWERS, FIRM, QUESTION, Told, check, waves

_LOCK = 0x6A696E69
"""One survey at a time, so that two of them do not number the same firm twice."""

_INT4, _INT2 = 23, 21  # the types' numbers in PostgreSQL
_HEADER, _TRAILER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0), struct.pack("!h", -1)


def write(c: Connection[tuple[Any, ...]], answers: pl.DataFrame) -> Told:
    """Inside a transaction of the caller: every wave that is not there yet. Raises BadInput."""
    answers = check(answers)
    c.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    firm, question = _numbers(c, answers, "firm", FIRM), _numbers(c, answers, "question", QUESTION)
    answer = answers["answer"].to_numpy()
    said = new = 0
    stream = [_HEADER]
    for wave in waves(answers):
        said += 1
        part = slice(wave.start, wave.end)
        order = np.lexsort((firm[part], question[part]))
        who, what, how = (x[part][order] for x in (firm, question, answer))
        content = hashlib.sha256(who.tobytes() + what.tobytes() + how.tobytes()).digest()
        period = rows.starts(np.array([wave.wave]), Freq(wave.freq)).astype("datetime64[D]")[0].item()
        found = c.execute(
            "INSERT INTO fs.wave (source, freq, period, known_at, content, n_rows) VALUES (%s, %s, %s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING RETURNING wave_id",
            [wave.source, wave.freq, period, wave.known_at, content, len(who)],
        ).fetchone()
        if found is None:
            continue
        new += len(who)
        begins = np.flatnonzero(np.diff(what, prepend=-1)).tolist()
        for start, end in zip(begins, [*begins[1:], len(what)], strict=True):
            arrays = _array(who[start:end], _INT4), _array(how[start:end], _INT2)
            stream.append(struct.pack("!hiiii", 4, 4, found[0], 4, int(what[start])))
            stream += [piece for a in arrays for piece in (struct.pack("!i", len(a)), a)]
    if len(stream) > 1:
        with c.cursor().copy(
            "COPY fs.answer (wave_id, question_id, firms, answers) FROM STDIN (FORMAT binary)"
        ) as copy:
            copy.write(b"".join([*stream, _TRAILER]))
    return Told(said, answers.height, new)


def read(c: Connection[tuple[Any, ...]], asof: datetime) -> pl.DataFrame:
    """ANSWERS rows: of each wave the newest version at ``asof``."""
    found = c.execute(
        "SELECT w.source, w.freq, w.period, w.known_at, question_id, array_send(firms), array_send(answers) FROM ("
        "SELECT DISTINCT ON (source, freq, period) * FROM fs.wave WHERE known_at <= %s "
        "ORDER BY source, freq, period, known_at DESC, wave_id DESC) w JOIN fs.answer USING (wave_id) "
        'ORDER BY w.source COLLATE "C", w.freq, w.period, question_id',
        [asof],
    ).fetchall()
    if not found:
        return pl.DataFrame(schema=ANSWERS)
    firms = [_numbers_of(f, _INT4) for *_, f, _ in found]
    place = np.repeat(np.arange(len(found)), [len(f) for f in firms])
    ordinals = [int(rows.ordinals(_days(p), Freq(f))[0]) for _, f, p, *_ in found]
    told = pl.DataFrame(
        {
            "source": [r[0] for r in found],
            "freq": [r[1] for r in found],
            "wave": ordinals,
            "known_at": [r[3] for r in found],
            "question_id": [r[4] for r in found],
        }
    ).join(_table(c, "question", QUESTION), on="question_id", how="left", maintain_order="left")
    about = _table(c, "firm", FIRM)
    where = np.zeros(int(about["firm_id"].max()) + 1, np.int64)  # type: ignore[arg-type]
    where[about["firm_id"].to_numpy()] = np.arange(about.height)
    wide = pl.concat([told[place], about[where[np.concatenate(firms)]]], how="horizontal")
    answer = np.concatenate([_numbers_of(a, _INT2) for *_, a in found])
    wide = wide.with_columns(pl.Series("answer", answer))
    return wide.select(pl.col(n).cast(t) for n, t in ANSWERS.items())


def _days(day: object) -> NDArray[np.int64]:
    return np.array([day], "datetime64[D]").astype(np.int64)


def _array(values: NDArray[Any], kind: int) -> bytes:
    """A PostgreSQL array of one dimension in its binary form: header, then length and value of each element."""
    element = np.dtype([("n", ">i4"), ("v", ">i4" if kind == _INT4 else ">i2")])
    elements = np.empty(len(values), element)
    elements["n"], elements["v"] = element["v"].itemsize, values
    return struct.pack("!iiiii", 1, 0, kind, len(values), 1) + elements.tobytes()


def _numbers_of(array: bytes, kind: int) -> NDArray[np.int64]:
    """The inverse of _array."""
    element = np.dtype([("n", ">i4"), ("v", ">i4" if kind == _INT4 else ">i2")])
    return np.frombuffer(array, element, offset=20)["v"].astype(np.int64)


def _numbers(c: Connection[tuple[Any, ...]], answers: pl.DataFrame, name: str, columns: list[str]) -> NDArray[np.int64]:
    """The number of each row's firm or question; what is new is stored."""
    seen = answers.select(columns).unique(maintain_order=True)
    known = _table(c, name, columns)
    new = seen.join(known, on=columns, how="anti", maintain_order="left")
    if new.height:
        with c.cursor().copy(f"COPY fs.{name} ({', '.join(columns)}) FROM STDIN".encode()) as copy:
            for row in new.iter_rows():
                copy.write_row(row)
        known = _table(c, name, columns)
    found = answers.select(columns).join(known, on=columns, how="left", maintain_order="left")[f"{name}_id"]
    return found.to_numpy().astype(np.int64)


def _table(c: Connection[tuple[Any, ...]], name: str, columns: list[str]) -> pl.DataFrame:
    found = c.execute(f"SELECT {name}_id, {', '.join(columns)} FROM fs.{name}".encode()).fetchall()
    return pl.DataFrame(found, schema={f"{name}_id": pl.Int32} | {k: ANSWERS[k] for k in columns}, orient="row")
