"""Bringing a database to the newest schema, with Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

from api.db.session import is_sqlite, transaction

MIGRATIONS = Path(__file__).parent / "migrations"
# Any number will do, as long as all of our processes use the same.
_LOCK = 7_261_100


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run the migrations that are missing, in one transaction; a second process waits."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with transaction(engine) as connection:
        if not is_sqlite(connection):
            connection.execute(text("SELECT pg_advisory_xact_lock(:k)"), {"k": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
