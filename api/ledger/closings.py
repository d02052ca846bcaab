"""Closings that came too early, before a log had entries of their time back."""

from sqlalchemy import Connection, select

from api.db import lost as store
from api.db.facilities import set_last_recorded
from api.db.reopenings import reopenings_of, take_out
from api.db.tables.facilities import FacilityRow
from api.db.tables.statements import attestations
from api.domain.facility import FacilityTerms
from api.domain.lifecycle import cut_off_s
from api.domain.statements.evidence import epoch_folder
from api.domain.units import Epoch
from api.errors import EntryRefused
from api.evidence_store import EvidenceFolder


def take_back(
    connection: Connection,
    evidence: EvidenceFolder,
    row: FacilityRow,
    terms: FacilityTerms,
    *,
    at_s: int,
) -> None:
    """Take back what was closed behind a second in which an entry was recorded that is lost.

    A statement that somebody signed stays: signers are charged for two of one epoch.
    Raises:  EntryRefused.
    """
    if row.last_recorded_at_s <= at_s:
        return
    newest_s = store.newest_second(connection, row.facility_id)
    if newest_s > at_s:
        raise EntryRefused("the log has entries of later seconds already", reason="passed")
    reopened = reopenings_of(connection, row.facility_id)
    first = Epoch(row.epochs_closed)
    while first and at_s < cut_off_s(
        Epoch(first - 1),
        epoch_end_s=terms.epoch_bounds(Epoch(first - 1))[1],
        grace_s=row.grace_s,
        reopenings=reopened,
    ):
        first = Epoch(first - 1)
    signed = select(attestations.c.epoch).where(
        attestations.c.facility_id == row.facility_id, attestations.c.epoch >= first
    )
    epoch = connection.execute(signed.limit(1)).scalar()
    if epoch is not None:
        message = f"the statement of epoch {epoch} was closed without it, and somebody signed that"
        raise EntryRefused(message, reason="passed")
    closed = row.epochs_closed
    take_out(connection, row.facility_id, first)
    for number in map(Epoch, range(first, closed + 1)):
        evidence.remove(epoch_folder(row.facility_id, number))
    set_last_recorded(connection, row.facility_id, newest_s)
