"""Where the store is: ``JINGQI_DATABASE_URL``, or the embedded server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection
from psycopg_pool import ConnectionPool, PoolTimeout

from engine.errors import NotReady
from engine.settings import settings
from featurestore import embedded, migrations
from featurestore.postgres import PostgresStore

_POOL = 8
_WAIT = 10.0


@contextmanager
def connect() -> Iterator[PostgresStore]:
    """The store, ready for use. The embedded one is upgraded on the way.

    Raises NotReady if the server cannot be reached, or if a server of yours lacks a migration.
    """
    conninfo, own = where()
    with link(conninfo) as c:
        if own:
            migrations.upgrade(c)
        elif todo := migrations.pending(c):
            raise NotReady(f"the database lacks {', '.join(s.name for s in todo)}: run jingqi db upgrade")
    pool: ConnectionPool[Connection[tuple[Any, ...]]] = ConnectionPool(
        conninfo, kwargs={"options": "-c timezone=UTC"}, min_size=1, max_size=_POOL, timeout=_WAIT, open=True,
        check=ConnectionPool.check_connection, name="jingqi",
    )  # fmt: skip
    try:
        yield PostgresStore(pool)
    except (psycopg.OperationalError, PoolTimeout) as error:
        raise NotReady(f"the database went away: {error}") from error
    finally:
        pool.close()


def where() -> tuple[str, bool]:
    """How to connect, and whether the server is our own embedded one, which is started if need be. Raises NotReady."""
    found = settings()
    return (found.database_url, False) if found.database_url else (embedded.start(found.home), True)


@contextmanager
def link(conninfo: str) -> Iterator[Connection[tuple[Any, ...]]]:
    """One connection, closed at the end. Raises NotReady if there is no server."""
    try:
        connection = psycopg.connect(conninfo, autocommit=True, connect_timeout=10, options="-c timezone=UTC")
    except psycopg.OperationalError as error:
        raise NotReady(f"no database at JINGQI_DATABASE_URL: {error}") from error
    except psycopg.ProgrammingError:  # its message repeats the address, in which a password may stand
        raise NotReady("JINGQI_DATABASE_URL is not an address such as postgresql://user@host/jingqi") from None
    with connection:
        yield connection
