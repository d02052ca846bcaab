"""Engines and transactions. The only place that commits."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection as Connection  # other rooms take these two types from here
from sqlalchemy import Engine as Engine
from sqlalchemy import create_engine, event, make_url, text

SQLITE_BUSY_TIMEOUT_MS = 30_000


def open_engine(database_url: str) -> Engine:
    """Engine for SQLite (embedded default) or PostgreSQL, with the settings that keep money safe.

    SQLite: WAL, every commit synced to disk, foreign keys, writers take the lock at once, so that
    two of them never deadlock half way. PostgreSQL: connections are checked before use.
    """
    url = make_url(database_url)
    if url.get_backend_name() == "postgresql":
        return create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    # isolation_level None: the driver begins nothing by itself; `transaction` says BEGIN IMMEDIATE.
    engine = create_engine(url, connect_args={"isolation_level": None, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_TIMEOUT_MS}")
        cursor.close()

    return engine


def is_sqlite(connection: Connection | Engine) -> bool:
    """Whether the database is SQLite, for the few statements that differ."""
    return connection.dialect.name == "sqlite"


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One write transaction: all or nothing. Never hold one open across a chain call."""
    with engine.connect() as connection:
        if not is_sqlite(connection):
            with connection.begin():
                yield connection
            return
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent read: every query sees the same state."""
    with engine.connect() as connection:
        if not is_sqlite(connection):
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection
            return
        connection.exec_driver_sql("BEGIN DEFERRED")
        try:
            yield connection
        finally:
            connection.exec_driver_sql("ROLLBACK")


def ping(engine: Engine) -> None:
    """Raise if the database does not answer."""
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
