"""Logs that are behind what their published statements say: a database restored from a copy."""

from collections.abc import Iterator

from sqlalchemy import Connection, Engine

from api.db.facilities import facility_rows, lock_facility
from api.db.lost import keep_lost, lost_row, set_log_due
from api.db.session import reading, transaction
from api.db.tables.facilities import FacilityRow
from api.db.tables.lost import LostRow, LostState
from api.domain.log.entry import LogEnd
from api.domain.statements.evidence import MANIFEST_FILE, epoch_folder
from api.domain.statements.evidence_reader import follows_of
from api.domain.units import Epoch, FacilityId
from api.errors import AppError, NotFound
from api.evidence_store import HOSTILE, EvidenceFolder


def note_published(
    engine: Engine, evidence: EvidenceFolder, facility_id: FacilityId | None = None
) -> list[FacilityId]:
    """Note how far logs have to come: published statements that the books lack say it.

    Evidence is no part of the database, and a restore of one is seldom one of the other.
    Returns: facilities whose log is behind by it.
    """
    found = []
    with reading(engine) as connection:
        rows = facility_rows(connection, facility_id)
    for row in rows:
        ends = [end for end in _published(evidence, row) if end.size > row.log_size]
        if not ends:
            continue
        with transaction(engine) as connection:
            for end in ends:
                _note(connection, row.facility_id, end)
        found.append(row.facility_id)
    return found


def _published(evidence: EvidenceFolder, row: FacilityRow) -> Iterator[LogEnd]:
    """Where the log ends by each statement that is published and not in the books."""
    epoch = row.epochs_closed
    while True:
        path = f"{epoch_folder(row.facility_id, Epoch(epoch))}/{MANIFEST_FILE}"
        try:
            yield follows_of(evidence.read(path)).log
        except (NotFound, AppError, *HOSTILE):
            return
        epoch += 1


def _note(connection: Connection, facility_id: FacilityId, end: LogEnd) -> None:
    row = lock_facility(connection, facility_id)
    if end.size <= row.log_size:
        return
    known = lost_row(connection, facility_id, end.head)
    if known is not None and known.state != LostState.HELD.value:
        return
    if known is None:
        # Its hash alone is known: whoever shows an entry of that hash shows the right one.
        keep_lost(
            connection,
            LostRow(
                facility_id=facility_id,
                entry_hash=end.head,
                number=end.size,
                state=LostState.HELD.value,
                entry=b"",
                signature=None,
                blind=None,
                answers=None,
                body=None,
                request=None,
                refused=None,
                shown_at_s=0,
            ),
        )
    set_log_due(connection, facility_id, max(row.log_due, end.size))
