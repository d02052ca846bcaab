"""Bringing a database to the newest schema, with Alembic."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from api.db.session import is_sqlite, opened, reading, transaction

MIGRATIONS = Path(__file__).parent / "migrations"
# Any number will do, as long as all of our processes use the same.
_LOCK = 7_261_100


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run the migrations that are missing, in one transaction; a second process waits."""
    with transaction(engine) as connection:
        upgrade_within(connection, revision)


def upgrade_within(connection: Connection, revision: str = "head") -> None:
    """The same inside the caller's transaction."""
    config = _config()
    if not is_sqlite(connection):
        connection.execute(text("SELECT pg_advisory_xact_lock(:k)"), {"k": _LOCK})
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


@contextmanager
def migrated(database_url: str) -> Iterator[Engine]:
    """A database of this version, whose connections end with the block."""
    with opened(database_url) as engine:
        upgrade(engine)
        yield engine


def newest_migration() -> str:
    """The migration that this version's tables are of."""
    newest = _newest()
    assert newest is not None  # there are migrations
    return newest


def database_problems(engine: Engine) -> list[str]:
    """What keeps this code from working on its database now, in words; empty: nothing does.

    Raises:  DatabaseUnavailable.
    """
    try:
        with reading(engine) as connection:
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except SQLAlchemyError:
        return ["the database has no tables of ours"]
    if found != _newest():
        return [f"the database is of migration {found}, this version of {_newest()}"]
    return []


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


@cache
def _newest() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()
