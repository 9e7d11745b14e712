"""What a database is and holds, for ``jingqi db status``."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from featurestore import migrations, roles, timescale

_COUNTS = {
    "releases": "fs.release",
    "series": "fs.series",
    "values": "fs.obs",
    "published": "fs.score_run",
}


def facts(c: Connection[tuple[Any, ...]], where: str) -> dict[str, Any]:
    """Server, migrations, chunks, roles, counts and sizes in bytes. Raises BadInput and NotReady as migrations.pending."""
    todo = [s.name for s in migrations.pending(c)]
    kind = timescale.probe(c)
    (version,) = c.execute("SHOW server_version").fetchone() or ("",)
    return {
        "server": f"PostgreSQL {version}",
        "where": where,
        "timescaledb": kind,
        "timescaledb_version": timescale.version(c),
        "applied": [s.name for s in migrations.steps() if s.name not in todo],
        "pending": todo,
        "hypertables": [] if kind == "absent" else timescale.hypertables(c),
        "roles": list(roles.found(c)),
        **{name: 0 if todo else _one(c, f"SELECT count(*) FROM {table}") for name, table in _COUNTS.items()},
        "bytes_database": _one(c, "SELECT pg_database_size(current_database())"),
        "bytes_values": 0 if todo else timescale.size(c) if kind != "absent" else _one(
            c, "SELECT pg_total_relation_size('fs.obs')"
        ),
    }  # fmt: skip


def _one(c: Connection[tuple[Any, ...]], query: str) -> int:
    return int((c.execute(query.encode()).fetchone() or (0,))[0])


def text(found: dict[str, Any]) -> str:
    """The facts for people, one a line."""

    def say(name: str, value: Any) -> str:
        if name.startswith("bytes_"):
            return f"{value / 2**20:,.1f} MB"
        if isinstance(value, list):
            return ", ".join(v if isinstance(v, str) else _table(v) for v in value) or "none"
        return f"{value:,}" if isinstance(value, int) else str(value)

    named = {k.removeprefix("bytes_").replace("_", " ") + (" size" if k.startswith("bytes_") else ""): say(k, v)
             for k, v in found.items() if v is not None}  # fmt: skip
    width = max(map(len, named))
    return "\n".join(f"{k:<{width}}  {v}" for k, v in named.items())


def _table(table: dict[str, Any]) -> str:
    return f"{table['name']} ({table['chunks']} chunks, {table['by_column']} stored by column)"
