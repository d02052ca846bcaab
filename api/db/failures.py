"""Why a database cannot serve now: what its drivers raise, as one error of ours."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from api.errors import DatabaseUnavailable

# `reason` of DatabaseUnavailable.
CLASHED, BUSY, FULL, READ_ONLY, UNREACHABLE = "clashed", "busy", "full", "read_only", "unreachable"
_SENTENCES = {
    CLASHED: "two writers clashed: try again",
    BUSY: "the database is busy: try again",
    FULL: "the database has no room: try again later",
    READ_ONLY: "the database takes no writes now: try again later",
    UNREACHABLE: "the database does not answer: try again",
}
# Source: PostgreSQL 18, appendix A, read 2026-11-30. Whole codes before classes.
_SQLSTATES = {
    "40001": CLASHED,  # serialization_failure
    "40P01": CLASHED,  # deadlock_detected
    "55P03": BUSY,  # lock_not_available
    "57014": BUSY,  # query_canceled, by a timeout
    "53100": FULL,  # disk_full
    "25006": READ_ONLY,  # read_only_sql_transaction: a standby
    "25P03": UNREACHABLE,  # idle_in_transaction_session_timeout
    "25P04": UNREACHABLE,  # transaction_timeout
    "08": UNREACHABLE,  # connection_exception
    "53": BUSY,  # insufficient_resources
    "57": UNREACHABLE,  # operator_intervention: it stops or starts
    "58": UNREACHABLE,  # system_error
}
# Source: sqlite.org/rescode.html, read 2026-11-30. Primary result codes.
_SQLITE_CODES = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_NOMEM: BUSY,
    sqlite3.SQLITE_INTERRUPT: BUSY,
    sqlite3.SQLITE_PROTOCOL: BUSY,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_IOERR: UNREACHABLE,
    sqlite3.SQLITE_CANTOPEN: UNREACHABLE,
}


def unavailable_because(error: BaseException) -> str | None:
    """Reason why the database cannot serve now; None if the error says nothing of the kind.

    Args:    error: SQLAlchemy's, or a driver's own, which COPY raises.
    """
    if isinstance(error, PoolTimeout):
        return BUSY
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return _SQLITE_CODES.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
    if isinstance(cause, psycopg.Error):
        state = cause.sqlstate
        if state is not None:
            return _SQLSTATES.get(state) or _SQLSTATES.get(state[:2])
        lost = isinstance(cause, (psycopg.OperationalError, psycopg.InterfaceError))
        return UNREACHABLE if lost else None
    return UNREACHABLE if isinstance(error, OperationalError) else None


def as_unavailable(error: BaseException) -> DatabaseUnavailable | None:
    """The error of ours for a database that cannot serve now, without a word of the driver's."""
    reason = unavailable_because(error)
    return None if reason is None else DatabaseUnavailable(_SENTENCES[reason], reason=reason)


@contextmanager
def named_failures() -> Iterator[None]:
    """Let what a driver raises leave as DatabaseUnavailable, if the database cannot serve now."""
    try:
        yield
    except Exception as error:
        ours = as_unavailable(error)
        if ours is None:
            raise
        raise ours from error
