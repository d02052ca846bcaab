"""Engines and transactions. The only place that commits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import SystemRandom
from time import sleep
from typing import Any, TypeVar

from sqlalchemy import Connection as Connection  # other rooms take these two types from here
from sqlalchemy import Engine as Engine
from sqlalchemy import create_engine, event, make_url, text

from api.db.failures import CLASHED, named_failures
from api.db.time_limits import limited_read
from api.errors import DatabaseUnavailable

SQLITE_BUSY_TIMEOUT_MS = 30_000
# How often a write that clashed with another is tried in all, and the longest first pause.
WRITE_ATTEMPTS = 5
_FIRST_PAUSE_S = 0.05
_T = TypeVar("_T")
_random = SystemRandom()


def open_engine(database_url: str) -> Engine:
    """Engine for SQLite (embedded default) or PostgreSQL, with the settings that keep money safe.

    SQLite: WAL, every commit synced to disk, foreign keys, writers take the lock at once, so that
    two of them never deadlock half way. PostgreSQL: connections are checked before use.
    """
    url = make_url(database_url)
    if url.get_backend_name() == "postgresql":
        # A prepared statement is planned for tables as they were at its fifth use, here nearly
        # empty ones, and stays so: on a growing ledger each plan is better made anew.
        return create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"prepare_threshold": None},
        )
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    # isolation_level None: the driver begins nothing by itself; `transaction` says BEGIN IMMEDIATE.
    engine = create_engine(
        url,
        connect_args={"isolation_level": None, "check_same_thread": False},
        # Errors that are logged name no row's values: some are secrets.
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_TIMEOUT_MS}")
        cursor.close()

    return engine


@contextmanager
def opened(database_url: str) -> Iterator[Engine]:
    """Engine as `open_engine` makes it, whose connections end with the block."""
    engine = open_engine(database_url)
    try:
        yield engine
    finally:
        engine.dispose()


def is_sqlite(connection: Connection | Engine) -> bool:
    """Whether the database is SQLite, for the few statements that differ."""
    return connection.dialect.name == "sqlite"


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One write transaction: all or nothing. Never hold one open across a chain call.

    A clash with another writer fails it; `write` tries again.
    Raises:  DatabaseUnavailable.
    """
    with named_failures(), engine.connect() as connection:
        if not is_sqlite(connection):
            with connection.begin():
                yield connection
            return
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            # The driver's, which says nothing where a full disk has ended the transaction already.
            connection.connection.rollback()
            raise


def write(
    engine: Engine,
    work: Callable[[Connection], _T],
    *,
    clashes: tuple[type[Exception], ...] = (),
) -> _T:
    """Do `work` in a transaction of its own, whole again after a clash with another writer.

    PostgreSQL ends one of two transactions that wait for each other (40P01) or that no order
    explains (40001); nothing of it is left.
    Args:    work: changes nothing but the database, or can be done twice.
             clashes: what else shows that another writer was quicker, such as a unique key.
    Returns: what `work` returned in the transaction that was committed.
    Raises:  DatabaseUnavailable, also if it clashed `WRITE_ATTEMPTS` times.
    """
    for attempt in range(WRITE_ATTEMPTS):
        # Of two that clashed, one comes first: pauses are drawn, and grow.
        sleep(_random.uniform(0, _FIRST_PAUSE_S * 2**attempt) if attempt else 0)
        try:
            with transaction(engine) as connection:
                return work(connection)
        except DatabaseUnavailable as error:
            if error.context.get("reason") != CLASHED:
                raise
            last: Exception = error
        except clashes as error:
            last = error
    message = "others write the same: try again"
    raise DatabaseUnavailable(message, reason=CLASHED) from last


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent read: every query sees the same state. Raises DatabaseUnavailable.

    Within `time_limited` it takes no longer than that.
    """
    with named_failures(), engine.connect() as connection:
        if not is_sqlite(connection):
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin(), limited_read(connection):
                yield connection
            return
        connection.exec_driver_sql("BEGIN DEFERRED")
        try:
            with limited_read(connection):
                yield connection
        finally:
            connection.connection.rollback()


def ping(engine: Engine) -> None:
    """Raise if the database does not answer."""
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
