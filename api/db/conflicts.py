"""SQL of events whose identity another one has: kept once each, the newest of an operator."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, select, text, update

from api.db.rows import values_of
from api.db.tables.facilities import facilities, operators
from api.db.tables.ledger import EventConflict, event_conflicts, meter_events
from api.domain.units import OperatorId

# Each has a payload of up to 64 KiB: at most 64 MiB of an operator.
CONFLICTS_KEPT = 1_000

# The same text on both databases.
_KEEP = text(
    "INSERT INTO event_conflicts (event_pk, payload_hash, payload, received_at_s)"
    " VALUES (:event_pk, :payload_hash, :payload, :received_at_s)"
    " ON CONFLICT (event_pk, payload_hash) DO NOTHING"
)


def keep_conflicts(
    connection: Connection, operator_id: OperatorId, conflicts: Sequence[EventConflict]
) -> None:
    """Keep the conflicts of one request, and of the operator's only the newest; count the rest."""
    if not conflicts:
        return
    # In one order for all writers: two that share some wait for each other one way.
    ordered = sorted(conflicts, key=lambda c: (c.event_pk, c.payload_hash))
    connection.execute(_KEEP, [values_of(conflict) for conflict in ordered])
    of_operator = (
        select(event_conflicts.c.conflict_pk)
        .join(meter_events, meter_events.c.event_pk == event_conflicts.c.event_pk)
        .join(facilities, facilities.c.facility_id == meter_events.c.facility_id)
        .where(facilities.c.operator_id == operator_id)
    )
    oldest_kept = (
        of_operator.order_by(event_conflicts.c.conflict_pk.desc())
        .offset(CONFLICTS_KEPT - 1)
        .limit(1)
        .scalar_subquery()
    )
    too_many = of_operator.where(event_conflicts.c.conflict_pk < oldest_kept)
    dropped = connection.execute(
        delete(event_conflicts).where(event_conflicts.c.conflict_pk.in_(too_many))
    ).rowcount
    if dropped:
        connection.execute(
            update(operators)
            .where(operators.c.operator_id == operator_id)
            .values(conflicts_dropped=operators.c.conflicts_dropped + dropped)
        )


def conflict_count(connection: Connection, operator_id: OperatorId) -> int:
    """Number of an operator's conflicts so far, kept or not."""
    dropped = select(operators.c.conflicts_dropped).where(operators.c.operator_id == operator_id)
    kept = (
        select(func.count())
        .select_from(event_conflicts)
        .join(meter_events, meter_events.c.event_pk == event_conflicts.c.event_pk)
        .join(facilities, facilities.c.facility_id == meter_events.c.facility_id)
        .where(facilities.c.operator_id == operator_id)
    )
    dropped_count, kept_count = (connection.execute(q).scalar_one() for q in (dropped, kept))
    return int(dropped_count) + int(kept_count)
