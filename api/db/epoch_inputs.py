"""SQL of what a statement rests on: entries and outages of an epoch, and the raw events."""

from sqlalchemy import Connection, and_, or_, select

from api.db.rows import columns_of, rows_as
from api.db.tables.ledger import (
    OutageInterval,
    RawEvent,
    UsageInterval,
    meter_events,
    outages,
    usage_records,
    usage_voids,
)
from api.domain.metering.usage import COUNTED_KINDS, RECORDED_KINDS, LineKind, Outage
from api.domain.statements.entries import Entry
from api.domain.units import Epoch, FacilityId

# Calling an enum for every row costs more than reading the row.
_KINDS = {kind.value: kind for kind in RECORDED_KINDS}


def entries_of(connection: Connection, facility_id: FacilityId, epoch: Epoch) -> list[Entry]:
    """Recorded entries of a statement: standing usage, and voids of earlier statements' usage.

    A void in the same statement as its record removes the record and leaves no line.
    """
    return _entries(connection, facility_id, epoch, before_s=None)


def closing_entries_of(
    connection: Connection, facility_id: FacilityId, number: Epoch, *, before_s: int
) -> list[Entry]:
    """Recorded entries of a closing statement: what was late for all epochs, and voids.

    Args:    before_s: its cut-off. When the chain ends a facility, the service hears of it later,
             and has recorded more meanwhile; nor is usage of the epoch that was cut short stated.
    """
    entries = _entries(connection, facility_id, number, before_s=before_s)
    return [entry for entry in entries if entry.kind not in COUNTED_KINDS]


def _entries(
    connection: Connection, facility_id: FacilityId, epoch: Epoch, *, before_s: int | None
) -> list[Entry]:
    columns = columns_of(UsageInterval)
    void_of = usage_voids.c.record_pk == usage_records.c.record_pk
    in_time = [] if before_s is None else [usage_records.c.recorded_at_s < before_s]
    if before_s is not None:
        void_of = and_(void_of, usage_voids.c.recorded_at_s < before_s)
    joined = usage_records.outerjoin(usage_voids, void_of)
    standing = (
        select(*columns)
        .select_from(joined)
        .where(
            usage_records.c.facility_id == facility_id,
            usage_records.c.statement_epoch == epoch,
            or_(usage_voids.c.record_pk.is_(None), usage_voids.c.statement_epoch != epoch),
            *in_time,
        )
    )
    used = rows_as(UsageInterval, connection.execute(standing))
    entries = [_entry(_KINDS[row.kind], row) for row in used]
    voids = (
        select(*columns)
        .join(usage_voids, void_of)
        .where(
            usage_voids.c.facility_id == facility_id,
            usage_voids.c.statement_epoch == epoch,
            usage_records.c.statement_epoch != epoch,
        )
    )
    voided = rows_as(UsageInterval, connection.execute(voids))
    return entries + [_entry(LineKind.VOID, row) for row in voided]


def _entry(kind: LineKind, row: UsageInterval) -> Entry:
    return Entry(
        kind=kind,
        device=row.device,
        lease=row.lease,
        start_s=row.start_s,
        end_s=row.end_s,
    )


def outages_of(connection: Connection, facility_id: FacilityId, epoch: Epoch) -> list[Outage]:
    """Outages of an epoch."""
    query = select(*columns_of(OutageInterval)).where(
        outages.c.facility_id == facility_id, outages.c.statement_epoch == epoch
    )
    return [
        Outage(device=row.device, lease=row.lease, start_s=row.start_s, end_s=row.end_s)
        for row in rows_as(OutageInterval, connection.execute(query))
    ]


def events_of(connection: Connection, facility_id: FacilityId, epoch: Epoch) -> list[RawEvent]:
    """Every event that a statement rests on, in ledger order.

    Events of usage, outages and voids placed in the epoch, and the events that such voids name.
    """
    columns = columns_of(RawEvent)
    queries = []
    for table in (usage_records, outages, usage_voids):
        query = select(*columns).join(table, table.c.event_pk == meter_events.c.event_pk)
        placed = and_(table.c.facility_id == facility_id, table.c.statement_epoch == epoch)
        queries.append(query.where(placed))
    voided = (
        select(*columns)
        .join(usage_records, usage_records.c.event_pk == meter_events.c.event_pk)
        .join(usage_voids, usage_voids.c.record_pk == usage_records.c.record_pk)
        .where(
            usage_voids.c.facility_id == facility_id,
            or_(
                usage_voids.c.statement_epoch == epoch,
                usage_records.c.statement_epoch == epoch,
            ),
        )
    )
    by_key = {
        event.event_pk: event
        for query in (*queries, voided)
        for event in rows_as(RawEvent, connection.execute(query))
    }
    return [by_key[key] for key in sorted(by_key)]
