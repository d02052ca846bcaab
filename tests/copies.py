"""Copies of a world's database: what a service that was restored from one begins with."""

from contextlib import closing
from pathlib import Path
from sqlite3 import connect

from api.db.facilities import known_facility_row
from api.db.log import logged_after
from api.db.session import reading
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

    def make(self) -> None:
        """Keep what there is now."""
        self._copy.unlink(missing_ok=True)
        with closing(connect(self._database)) as now, closing(connect(self._copy)) as copy:
            now.backup(copy)

    def restore(self) -> None:
        """Go back to what was kept."""
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
