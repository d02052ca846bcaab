"""How long one read may keep the database at work, for those whom anybody can ask."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

from sqlalchemy import Connection, event

from api.db.failures import BUSY, as_unavailable
from api.errors import DatabaseUnavailable

# `reason` of DatabaseUnavailable.
TOO_LONG = "too_long"
# SQLite asks after so many of its steps, some milliseconds of them.
_STEPS = 50_000
_MILLIS = 1_000
_seconds: ContextVar[float | None] = ContextVar("seconds", default=None)


@contextmanager
def time_limited(seconds: float | None) -> Iterator[None]:
    """Every read that begins within, in whatever thread, ends within so long; None: whenever."""
    token = _seconds.set(seconds)
    try:
        yield
    finally:
        _seconds.reset(token)


@contextmanager
def limited_read(connection: Connection) -> Iterator[None]:
    """Hold a read to the limit. Args: connection: in a transaction that ends with the read.

    Raises:  DatabaseUnavailable (`too_long`).
    """
    seconds = _seconds.get()
    if seconds is None:
        yield
        return
    until = monotonic() + seconds
    ended = _limit(connection, seconds=seconds, until=until)
    try:
        yield
    except Exception as error:
        ours = error if isinstance(error, DatabaseUnavailable) else as_unavailable(error)
        if monotonic() < until or ours is None or ours.context.get("reason") != BUSY:
            raise
        raise _too_long(seconds) from error
    finally:
        ended()


def _too_long(seconds: float) -> DatabaseUnavailable:
    message = f"this read takes longer than {seconds:g} s: ask for less, or try again later"
    return DatabaseUnavailable(message, reason=TOO_LONG)


def _limit(connection: Connection, *, seconds: float, until: float) -> Callable[[], None]:
    """Begin; returns what ends it."""
    if connection.dialect.name == "sqlite":
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_progress_handler(lambda: monotonic() > until, _STEPS)
        return lambda: driver.set_progress_handler(None, 0)

    def before(*_: object) -> None:
        # The server's limit is of one statement.
        if monotonic() > until:
            raise _too_long(seconds)

    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, int(seconds * _MILLIS))}")
    event.listen(connection, "before_cursor_execute", before)
    return lambda: event.remove(connection, "before_cursor_execute", before)
