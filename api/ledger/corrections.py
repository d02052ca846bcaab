"""Corrections: voiding one earlier usage record, once."""

from sqlalchemy import Connection

from api.db.ledger import correction_target
from api.db.rows import insert_record
from api.db.tables.ledger import UsageVoidRow
from api.domain.lifecycle import open_epoch
from api.domain.metering.events import USAGE, CorrectionEvent
from api.errors import EventRejected
from api.ledger.judge import Snapshot


def apply_correction(
    connection: Connection, snapshot: Snapshot, event: CorrectionEvent, *, event_pk: int
) -> None:
    """Void the record that an event names.

    While the record's statement is open, both vanish from it; later the void becomes a line of
    the earliest open epoch.
    Raises:  EventRejected `correction_target_unknown`, `not_correctable`, `already_voided`,
             `facility_closed`.
    """
    facility, terms = snapshot.facility, snapshot.terms
    source, event_id = event.corrects_source, event.corrects_id
    target = correction_target(connection, facility.operator_id, source=source, event_id=event_id)
    if target is None or target.facility_id not in (None, terms.facility_id):
        message = f"no event {event_id!r} of {source!r} in this facility"
        raise EventRejected("correction_target_unknown", message, field="corrects")
    if target.type != USAGE or target.record_pk is None or target.statement_epoch is None:
        raise EventRejected("not_correctable", "only usage events can be voided", field="corrects")
    if target.voided_by is not None:
        raise EventRejected("already_voided", "this event is already voided", field="corrects")
    current = open_epoch(
        terms,
        snapshot.recorded_at_s,
        grace_s=facility.grace_s,
        reopenings=snapshot.reopenings,
    )
    if current is None:
        raise EventRejected("facility_closed", "every epoch of the facility is closed")
    void = UsageVoidRow(
        record_pk=target.record_pk,
        event_pk=event_pk,
        facility_id=terms.facility_id,
        statement_epoch=max(current, target.statement_epoch),
        recorded_at_s=snapshot.recorded_at_s,
    )
    insert_record(connection, void)
