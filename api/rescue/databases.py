"""A whole database in the place of an empty or an old one: all of it, or nothing after a kill."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from time import sleep

from sqlalchemy import Connection, Engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from api.db.copying import is_empty
from api.db.migrate import upgrade_within
from api.db.session import opened, reading, transaction
from api.errors import Conflict, Misconfigured
from api.evidence_store import sync_folder

Fill = Callable[[Connection], None]
_LOOKS, _PAUSE_S = 20, 0.1
_JOURNALS = ("", "-wal", "-shm", "-journal")


def put_database(url: str, fill: Fill, *, replace: bool, stamp: str) -> str | None:
    """Make a database of tables that `fill` fills, at the place of one without rows.

    Args:    replace: one with rows is put aside, where its name ends in the stamp.
    Returns: where the old one is now, if one was put aside.
    Raises:  Conflict where there is one that is not to be replaced, or that somebody uses;
             DatabaseUnavailable; what `fill` raises. Then all is as it was.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise Misconfigured("DATABASE_URL names no file")
        return _put_file(Path(parsed.database), fill, replace=replace, stamp=stamp)
    try:
        with opened(url) as engine:
            return _put_schema(engine, fill, replace=replace, stamp=stamp)
    except ProgrammingError as error:
        message = "the database's user may not make tables and schemas: restore as its owner"
        raise Misconfigured(message) from error


def require_room(url: str, *, replace: bool) -> None:
    """Refuse at once what `put_database` would refuse at its end. Raises as it does."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        path = Path(parsed.database or "")
        if path.exists():
            _require_replaceable(url, replace=replace)
            _require_alone(path)
        return
    _require_replaceable(url, replace=replace)


def _require_replaceable(url: str, *, replace: bool) -> bool:
    """Whether the database has rows, where that may be."""
    with opened(url) as engine, reading(engine) as connection:
        empty = is_empty(connection)
    if not empty and not replace:
        raise _has_rows()
    return not empty


def _has_rows() -> Conflict:
    message = "the database has rows (DATABASE_URL): restore into an empty one, or with --replace"
    return Conflict(message, reason="not_empty")


def _in_use() -> Conflict:
    message = "the database is in use (DATABASE_URL): stop `rentroll serve` and `worker` first"
    return Conflict(message, reason="in_use")


# --- SQLite: a file beside, and one name for another ----------------------------------------------


def _put_file(path: Path, fill: Fill, *, replace: bool, stamp: str) -> str | None:
    old = path.exists() and _require_replaceable(f"sqlite:///{path}", replace=replace)
    if path.exists():
        _require_alone(path)
    staging = path.with_name(f"{path.name}.restoring")
    for journal in _JOURNALS:
        Path(f"{staging}{journal}").unlink(missing_ok=True)
    with opened(f"sqlite:///{staging}") as engine, transaction(engine) as connection:
        upgrade_within(connection)
        fill(connection)
    _require_alone(staging)
    _sync(staging)
    aside = None
    if old:
        aside = path.with_name(f"{path.name}.before-{stamp}")
        if aside.exists():
            raise Conflict(f"{aside} is there already", reason="not_empty")
        path.rename(aside)
    _put_in_place(staging, path)
    return None if aside is None else str(aside)


def _put_in_place(staging: Path, path: Path) -> None:
    staging.replace(path)
    sync_folder(path.parent)


def _require_alone(path: Path) -> None:
    """Bring a database into its one file, which needs that nobody else has it open."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=1.0)
    try:
        (mode,) = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.OperationalError as error:
        raise _in_use() from error
    finally:
        connection.close()
    if mode != "delete":
        raise _in_use()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- PostgreSQL: one transaction ------------------------------------------------------------------


def _put_schema(engine: Engine, fill: Fill, *, replace: bool, stamp: str) -> str | None:
    with transaction(engine) as connection:
        aside = None
        _require_nobody(connection)
        if not is_empty(connection):
            if not replace:
                raise _has_rows()
            aside = _put_aside(connection, stamp)
        upgrade_within(connection)
        fill(connection)
    return aside


def _require_nobody(connection: Connection) -> None:
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    for _ in range(_LOOKS):
        if not connection.execute(others).scalar():
            return
        # A connection that was just closed is there for a moment yet; and what was seen is kept.
        sleep(_PAUSE_S)
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))
    raise _in_use()


def _put_aside(connection: Connection, stamp: str) -> str:
    schema = connection.execute(text("SELECT current_schema()")).scalar_one()
    quoted = connection.dialect.identifier_preparer.quote
    aside = f"{schema}_before_{stamp.lower()}"
    connection.execute(text(f"ALTER SCHEMA {quoted(schema)} RENAME TO {quoted(aside)}"))
    connection.execute(text(f"CREATE SCHEMA {quoted(schema)}"))
    return f"schema {aside}"
