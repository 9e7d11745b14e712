"""Rows to and from PostgreSQL's binary COPY as numpy records: millions a second, without a Python object for each.

Every field has a fixed width, so that a row is one record: a null float8 travels as NaN, a status as one byte.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from engine.errors import NotReady

_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
_TRAILER = struct.pack("!h", -1)
_TYPES = {"int4": ">i4", "date": ">i4", "timestamptz": ">i8", "float8": ">f8", "text1": "S1"}
_DAYS = (date(2000, 1, 1) - date(1970, 1, 1)).days  # PostgreSQL counts from 2000, numpy and polars from 1970
_EPOCH = {"date": _DAYS, "timestamptz": timedelta(days=_DAYS) // timedelta(microseconds=1)}


def pack(columns: dict[str, NDArray[np.generic]], types: Iterable[str]) -> bytes:
    """The stream for ``COPY … FROM STDIN (FORMAT binary)``. Dates are days, timestamps microseconds, from 1970."""
    kinds = list(types)
    record = _record(kinds)
    rows = np.zeros(len(next(iter(columns.values()))), record)
    rows["n"] = len(kinds)
    for i, (kind, values) in enumerate(zip(kinds, columns.values(), strict=True)):
        rows[f"l{i}"] = record[f"v{i}"].itemsize
        rows[f"v{i}"] = values.astype(np.int64) - _EPOCH[kind] if kind in _EPOCH else values
    return _HEADER + rows.tobytes() + _TRAILER


def unpack(stream: bytes, types: Iterable[str]) -> list[NDArray[np.generic]]:
    """The columns of a stream from ``COPY … TO STDOUT (FORMAT binary)``, in native byte order; the inverse of pack."""
    kinds = list(types)
    if len(stream) < len(_HEADER) + len(_TRAILER) or not stream.startswith(_HEADER):
        raise NotReady("the database did not answer in the binary format of COPY")
    record = _record(kinds)
    rows = np.frombuffer(stream, record, (len(stream) - len(_HEADER) - len(_TRAILER)) // record.itemsize, len(_HEADER))
    columns: list[NDArray[np.generic]] = []
    for i, kind in enumerate(kinds):
        values = rows[f"v{i}"].astype(record[f"v{i}"].newbyteorder("="))
        columns.append(values.astype(np.int64) + _EPOCH[kind] if kind in _EPOCH else values)
    return columns


def _record(kinds: list[str]) -> np.dtype[np.void]:
    """Two bytes for the number of fields; four for the length before each value."""
    fields: list[tuple[str, str]] = [("n", ">i2")]
    for i, kind in enumerate(kinds):
        fields += [(f"l{i}", ">i4"), (f"v{i}", _TYPES[kind])]
    return np.dtype(fields)
