"""The judge of corrections: may a record be voided, and which statement says so? No I/O."""

from api.db.ledger import CorrectionTarget
from api.db.tables.ledger import UsageVoidRow
from api.domain.lifecycle import sealed_from_s
from api.domain.metering.events import USAGE, CorrectionEvent
from api.domain.metering.usage import DELIVERY_KINDS
from api.errors import EventRejected
from api.ledger.judge import Snapshot


def judge_correction(
    snapshot: Snapshot, event: CorrectionEvent, target: CorrectionTarget | None, *, event_pk: int
) -> UsageVoidRow:
    """The void that a correction makes of the record it names.

    While the record's statement is open, both vanish from it; later the void becomes a line of
    the earliest open epoch. A stated delivery stays: it may have served a voucher.
    Args:    target: the operator's event that the correction names, if there is one.
    Raises:  EventRejected `correction_target_unknown`, `not_correctable`, `already_voided`,
             `facility_closed`, `sealed`.
    """
    facility_id = snapshot.terms.facility_id
    if target is None or target.facility_id not in (None, facility_id):
        message = f"no event {event.corrects_id!r} of {event.corrects_source!r} in this facility"
        raise EventRejected("correction_target_unknown", message, field="corrects")
    if (
        target.type != USAGE
        or target.record_pk is None
        or target.statement_epoch is None
        or target.start_s is None
    ):
        raise EventRejected("not_correctable", "only usage events can be voided", field="corrects")
    if target.voided_by is not None:
        raise EventRejected("already_voided", "this event is already voided", field="corrects")
    if snapshot.earliest_open is None:
        raise EventRejected("facility_closed", "the books of the facility are closed")
    stated = snapshot.earliest_open > target.statement_epoch
    if stated and target.kind in DELIVERY_KINDS:
        message = "a delivery is voided before its statement, not after"
        raise EventRejected("not_correctable", message, field="corrects")
    sealed_s = sealed_from_s(snapshot.terms, target.start_s, grace_s=snapshot.facility.grace_s)
    if stated and snapshot.recorded_at_s >= sealed_s:
        message = "its month is sealed: what was stated of it stays"
        raise EventRejected("sealed", message, field="corrects")
    return UsageVoidRow(
        record_pk=target.record_pk,
        event_pk=event_pk,
        facility_id=facility_id,
        statement_epoch=max(snapshot.earliest_open, target.statement_epoch),
        recorded_at_s=snapshot.recorded_at_s,
    )
