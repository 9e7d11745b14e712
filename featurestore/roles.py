"""Who may do what in the database: three roles without a password, to be granted to the users of your server.

jingqi_writer   brings releases in and publishes: reads all, adds to all, and changes only when a value was superseded and
                what a release counted; it can delete nothing (TimescaleDB cannot limit a right to a column of a table
                with a column store: there a writer may change values, and does not)
jingqi_modeler  reads all, and adds scores, news and readings; it can change nothing
jingqi_api      reads the views of ``api_v1``: no raw table, no answer of a single firm
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection
from psycopg.errors import InsufficientPrivilege

from featurestore import timescale

ROLES = ("jingqi_writer", "jingqi_modeler", "jingqi_api")

# A role belongs to the server, not to the database: another database may just be making it.
_CREATE = """
DO $$ BEGIN CREATE ROLE {role} NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"""

_GRANT = """
GRANT USAGE ON SCHEMA fs TO jingqi_writer, jingqi_modeler;
GRANT USAGE ON SCHEMA api_v1 TO jingqi_writer, jingqi_modeler, jingqi_api;
GRANT SELECT ON ALL TABLES IN SCHEMA fs TO jingqi_writer, jingqi_modeler;
GRANT SELECT ON ALL TABLES IN SCHEMA api_v1 TO jingqi_writer, jingqi_modeler, jingqi_api;
GRANT INSERT ON ALL TABLES IN SCHEMA fs TO jingqi_writer;
REVOKE INSERT ON fs.migration FROM jingqi_writer;
GRANT UPDATE {superseded} ON fs.obs TO jingqi_writer;
GRANT UPDATE (n_new, n_revised) ON fs.release TO jingqi_writer;
GRANT INSERT ON fs.score_run, fs.score, fs.news, fs.reading TO jingqi_modeler"""


def found(connection: Connection[tuple[Any, ...]]) -> tuple[str, ...]:
    """The roles that this server has and that may enter this database."""
    named = connection.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND has_schema_privilege(rolname, to_regnamespace('api_v1'), "
        "'USAGE')", [list(ROLES)],
    ).fetchall()  # fmt: skip
    return tuple(r for r in ROLES if (r,) in named)


def use(connection: Connection[tuple[Any, ...]]) -> tuple[str, ...]:
    """Create the roles and grant them what they may do; doing it again changes nothing.

    Where the user of the connection may not, the database is left as it is: its owner can do it with ``jingqi db upgrade``.
    """
    if connection.execute("SELECT to_regnamespace('api_v1')").fetchone() != (None,):
        try:
            with connection.transaction():
                for role in ROLES:
                    connection.execute(_CREATE.format(role=role).encode())
                superseded = "" if timescale.in_use(connection) else "(superseded_at)"
                connection.execute(_GRANT.format(superseded=superseded).encode())
        except InsufficientPrivilege:
            pass
    return found(connection)
