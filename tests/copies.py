"""Copies of a world's database: what a service that was restored from one begins with."""

from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any

from sqlalchemy import Table, select

from api.db.facilities import known_facility_row
from api.db.log import logged_after
from api.db.session import is_sqlite, reading, transaction
from api.db.tables.base import metadata
from api.db.tables.facilities import FacilityRow
from api.domain.log.logged import LoggedEntry
from api.domain.statements.evidence_reader import terms_from_bytes
from tests.world import World


class Copies:
    """One copy of a world's database."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world, self._copy = world, folder / "copy.db"
        database = world.engine.url.database
        assert database is not None
        self._database = database
        # Of PostgreSQL the rows of all tables.
        self._rows: dict[Table, list[dict[str, Any]]] = {}

    def make(self) -> None:
        """Keep what there is now."""
        if not is_sqlite(self._world.engine):
            with reading(self._world.engine) as connection:
                for table in metadata.sorted_tables:
                    rows = connection.execute(select(table)).mappings()
                    self._rows[table] = [dict(row) for row in rows]
            return
        self._copy.unlink(missing_ok=True)
        with closing(connect(self._database)) as now, closing(connect(self._copy)) as copy:
            now.backup(copy)

    def restore(self) -> None:
        """Go back to what was kept."""
        if not is_sqlite(self._world.engine):
            with transaction(self._world.engine) as connection:
                for table in reversed(metadata.sorted_tables):
                    connection.execute(table.delete())
                for table, rows in self._rows.items():
                    if rows:
                        connection.execute(table.insert(), rows)
            return
        with closing(connect(self._database)) as now, closing(connect(self._copy)) as copy:
            copy.backup(now)

    @property
    def row(self) -> FacilityRow:
        """The facility as the database has it."""
        with reading(self._world.engine) as connection:
            return known_facility_row(connection, self._world.facility_id)

    def entries(self) -> list[LoggedEntry]:
        """The log, whole."""
        log = terms_from_bytes(self.row.terms_json).log
        with reading(self._world.engine) as connection:
            return logged_after(connection, log, after=0, most=1_000)
