"""The schema of the database, in numbered steps. What was applied is recorded with its checksum and never changes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from psycopg import Connection

from engine.errors import BadInput, NotReady
from featurestore import roles, timescale

FOLDER = Path(__file__).parent / "schema"
_LOCK = 0x6A696E67  # any number that nobody else locks: "jing"


@dataclass(frozen=True, slots=True)
class Step:
    """One file ``NNN_name.sql``."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def steps(folder: Path = FOLDER) -> tuple[Step, ...]:
    """All steps of this jingqi, in order."""
    return tuple(Step(p.stem, p.read_text(encoding="utf-8")) for p in sorted(folder.glob("*.sql")))


def pending(connection: Connection[tuple[object, ...]], folder: Path = FOLDER) -> tuple[Step, ...]:
    """Steps that the database lacks. Raises BadInput for a step that was changed after it was applied.

    Raises NotReady for a database that a newer jingqi has upgraded.
    """
    ours = {s.name: s for s in steps(folder)}
    applied: dict[str, str] = {}
    if connection.execute("SELECT to_regclass('fs.migration')").fetchone() != (None,):
        applied = {str(n): str(c) for n, c in connection.execute("SELECT name, checksum FROM fs.migration").fetchall()}
    if newer := sorted(applied.keys() - ours.keys()):
        raise NotReady(f"the database has {', '.join(newer)}, which this jingqi does not know: upgrade jingqi")
    for name, checksum in applied.items():
        if ours[name].checksum != checksum:
            problem = "this step was changed after it was applied: restore it, and write a further step instead"
            raise BadInput(problem, file=f"{name}.sql")
    return tuple(s for s in ours.values() if s.name not in applied)


def upgrade(connection: Connection[tuple[object, ...]], folder: Path = FOLDER) -> tuple[str, ...]:
    """Apply what is pending, whole or not at all; use TimescaleDB if the server has it; grant the roles what they may do.

    Names what was applied.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        todo = pending(connection, folder)
        if todo:
            connection.execute("CREATE SCHEMA IF NOT EXISTS fs")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS fs.migration (name text PRIMARY KEY, checksum text NOT NULL, "
                "applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
            )
        for step in todo:
            connection.execute(step.sql.encode())
            connection.execute("INSERT INTO fs.migration (name, checksum) VALUES (%s, %s)", [step.name, step.checksum])
    timescale.use(connection)
    if todo or len(roles.found(connection)) < len(roles.ROLES):
        with connection.transaction():  # one process at a time: PostgreSQL refuses two that grant the same at once
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            roles.use(connection)
    return tuple(s.name for s in todo)
