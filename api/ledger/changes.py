"""Rare events that change what later ones are judged by: corrections, leases, devices."""

from sqlalchemy import Connection

from api.db.ledger import correction_target
from api.db.rows import insert_record
from api.domain.metering.events import (
    CorrectionEvent,
    DeviceRegisteredEvent,
    LeaseClosedEvent,
    LeaseOpenedEvent,
)
from api.domain.statements.rating import PricePlan
from api.errors import AppError, EventRejected, InvalidInput
from api.ledger.corrections import judge_correction
from api.ledger.judge import Snapshot
from api.ledger.leases import NewLease, close_lease, open_lease

Change = CorrectionEvent | LeaseOpenedEvent | LeaseClosedEvent | DeviceRegisteredEvent


def apply_change(
    connection: Connection, snapshot: Snapshot, event: Change, *, event_pk: int
) -> None:
    """Write what a change does to its facility. Raises EventRejected."""
    try:
        if isinstance(event, CorrectionEvent):
            _void(connection, snapshot, event, event_pk=event_pk)
        elif isinstance(event, LeaseOpenedEvent):
            existing = snapshot.taken.leases.get(event.lease_id)
            open_lease(connection, snapshot.facility, _new_lease(event), existing=existing)
        elif isinstance(event, LeaseClosedEvent):
            lease = snapshot.taken.lease(event.lease_id)
            close_lease(connection, snapshot.facility, lease, closed_at_s=event.closed_at_s)
        else:
            message = "the pledge of a facility is fixed when it is registered"
            raise EventRejected("pledge_fixed", message)
    except EventRejected:
        raise
    except AppError as error:
        reason = str(error.context.get("reason", error.code))
        raise EventRejected(reason, error.message) from error


def _void(
    connection: Connection, snapshot: Snapshot, event: CorrectionEvent, *, event_pk: int
) -> None:
    target = correction_target(
        connection,
        snapshot.facility.operator_id,
        source=event.corrects_source,
        event_id=event.corrects_id,
    )
    insert_record(connection, judge_correction(snapshot, event, target, event_pk=event_pk))


def _new_lease(event: LeaseOpenedEvent) -> NewLease:
    """A lease as a collector reported it. Raises InvalidInput for a plan that is none of ours."""
    try:
        plan = PricePlan(event.plan)
    except ValueError as error:
        message = f"plan must be one of {', '.join(PricePlan)}"
        raise InvalidInput(message, field="plan", reason="malformed_event") from error
    return NewLease(
        lease_id=event.lease_id,
        renter_ref=event.renter_ref,
        plan=plan,
        committed_gpus=event.committed_gpus,
        max_gpus=event.max_gpus,
        opened_at_s=event.opened_at_s,
        price_micros_per_gpu_hour=event.price_micros_per_gpu_hour,
        sla_credit_bps=event.sla_credit_bps,
    )
