"""Corrections: voiding one earlier usage record, once."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from api.db import ledger
from api.db.tables.ledger import usage_voids
from api.domain.lifecycle import open_epoch
from api.domain.metering.events import USAGE, CorrectionEvent
from api.errors import EventRejected
from api.ledger.judge import FacilityView


def apply_correction(
    connection: Connection,
    operator_id: int,
    view: FacilityView,
    event: CorrectionEvent,
    row: Mapping[str, Any],
) -> None:
    """Void the record that an event names.

    While the record's statement is open, both vanish from it; later the void becomes a line of
    the earliest open epoch.
    Raises:  EventRejected `correction_target_unknown`, `not_correctable`, `already_voided`,
             `facility_closed`.
    """
    source, event_id = event.corrects_source, event.corrects_id
    target = ledger.correction_target(connection, operator_id, source=source, event_id=event_id)
    if target is None or target.facility_id not in (None, view.facility_id):
        message = f"no event {event_id!r} of {source!r} in this facility"
        raise EventRejected("correction_target_unknown", message, field="corrects")
    if target.type != USAGE or target.record_pk is None:
        raise EventRejected("not_correctable", "only usage events can be voided", field="corrects")
    if target.voided_by is not None:
        raise EventRejected("already_voided", "this event is already voided", field="corrects")
    current = open_epoch(
        view.terms, view.recorded_at_s, grace_s=view.grace_s, reopenings=view.reopenings
    )
    if current is None:
        raise EventRejected("facility_closed", "every epoch of the facility is closed")
    void = {
        "record_pk": target.record_pk,
        "event_pk": row["event_pk"],
        "facility_id": view.facility_id,
        "statement_epoch": max(current, target.statement_epoch),
        "recorded_at_s": row["recorded_at_s"],
    }
    ledger.insert_rows(connection, usage_voids, [void])
