"""TimescaleDB, where the server has it loaded: the table of values in chunks of ten years, old ones stored by column.

Chunks follow the period, because every question names series and wants all their periods as known on one day. There is
no retention: vintages are evidence.
"""

from __future__ import annotations

from typing import Literal

from psycopg import Connection

Kind = Literal["absent", "apache", "community"]


def probe(connection: Connection[tuple[object, ...]]) -> Kind:
    """What the server offers. Available but not preloaded is absent; ``apache`` has chunks and no column store."""
    found = connection.execute(
        "SELECT current_setting('timescaledb.license', true) FROM pg_available_extensions WHERE name = 'timescaledb' "
        "AND position('timescaledb' IN current_setting('shared_preload_libraries')) > 0"
    ).fetchone()
    if found is None:
        return "absent"
    return "community" if found[0] == "timescale" else "apache"


def in_use(connection: Connection[tuple[object, ...]]) -> bool:
    """Whether this database uses it."""
    return connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'").fetchone() is not None


def use(connection: Connection[tuple[object, ...]]) -> Kind:
    """Make the table of values a hypertable if the server can; doing it again changes nothing."""
    kind = probe(connection)
    if kind == "absent":
        return kind
    with connection.transaction():
        connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
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
