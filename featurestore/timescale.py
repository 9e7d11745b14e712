"""TimescaleDB, where the server has it loaded: the table of values in chunks of ten years, old ones stored by column.

Chunks follow the period, because every question names series and wants all their periods as known on one day. There is
no retention: vintages are evidence.
"""

from __future__ import annotations

from typing import Literal

from psycopg import Connection

Kind = Literal["absent", "apache", "community"]


def probe(connection: Connection[tuple[object, ...]]) -> Kind:
    """What this database uses: nothing of it, chunks only (``apache``), or the column store too (``community``)."""
    if not in_use(connection):
        return "absent"
    connection.execute(
        "SELECT 1 FROM timescaledb_information.hypertables"
    )  # loads the library, which knows its licence
    licence = connection.execute("SELECT current_setting('timescaledb.license', true)").fetchone()
    return "community" if licence == ("timescale",) else "apache"


def in_use(connection: Connection[tuple[object, ...]]) -> bool:
    """Whether this database has the extension."""
    return connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'").fetchone() is not None


def use(connection: Connection[tuple[object, ...]]) -> Kind:
    """Make the table of values a hypertable if the server can; doing it again changes nothing.

    An extension that is merely available, and not preloaded, would fail at the first use: it is left alone.
    """
    if not in_use(connection):
        preloaded = connection.execute(
            "SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb' AND EXISTS (SELECT FROM pg_settings "
            "WHERE name = 'shared_preload_libraries' AND position('timescaledb' IN setting) > 0)"  # not everybody sees it
        ).fetchone()
        if preloaded is None:
            return "absent"
        connection.execute("CREATE EXTENSION timescaledb")
    kind = probe(connection)
    with connection.transaction():
        connection.execute(
            "SELECT create_hypertable('fs.obs', by_range('period', INTERVAL '10 years'), "
            "create_default_indexes => false, if_not_exists => true, migrate_data => true)"
        )
        if (
            kind == "community"
            and not connection.execute(
                "SELECT 1 FROM timescaledb_information.hypertables WHERE hypertable_schema = 'fs' "
                "AND hypertable_name = 'obs' AND compression_enabled"
            ).fetchone()
        ):
            connection.execute(
                "ALTER TABLE fs.obs SET (timescaledb.compress, timescaledb.compress_segmentby = 'series_id', "
                "timescaledb.compress_orderby = 'period, known_at DESC, release_id DESC')"
            )
            connection.execute("SELECT add_compression_policy('fs.obs', INTERVAL '10 years', if_not_exists => true)")
    return kind


def version(connection: Connection[tuple[object, ...]]) -> str | None:
    """The version of the extension, None without it."""
    found = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
    return None if found is None else str(found[0])


def hypertables(connection: Connection[tuple[object, ...]]) -> list[dict[str, object]]:
    """Of each table in chunks its name, the number of chunks, and how many of them are stored by column."""
    found = connection.execute(
        "SELECT h.hypertable_schema || '.' || h.hypertable_name, h.num_chunks, "
        "(SELECT count(*) FROM timescaledb_information.chunks c WHERE c.hypertable_schema = h.hypertable_schema "
        "AND c.hypertable_name = h.hypertable_name AND c.is_compressed) "
        "FROM timescaledb_information.hypertables h WHERE h.hypertable_schema = 'fs' ORDER BY 1"
    ).fetchall()
    return [{"name": name, "chunks": chunks, "by_column": packed} for name, chunks, packed in found]


def size(connection: Connection[tuple[object, ...]]) -> int:
    """Bytes of the table of values with its indexes, all chunks."""
    found = connection.execute("SELECT hypertable_size('fs.obs')").fetchone()
    return int(found[0]) if found and isinstance(found[0], int) else 0
