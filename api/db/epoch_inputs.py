"""SQL of what a statement rests on: entries and outages of an epoch, and the raw events."""

from sqlalchemy import Connection, and_, or_, select

from api.db.tables.ledger import meter_events, outages, usage_records, usage_voids
from api.domain.metering.usage import LineKind, Outage
from api.domain.statements.lines import Entry
from api.domain.units import Bytes32

# Calling an enum for every row costs more than reading the row.
_KINDS = {kind.value: kind for kind in LineKind}


def entries_of(connection: Connection, facility_id: int, epoch: int) -> list[Entry]:
    """Recorded entries of a statement: standing usage, and voids of earlier statements' usage.

    A void in the same statement as its record removes the record and leaves no line.
    """
    columns = (
        usage_records.c.kind,
        usage_records.c.device,
        usage_records.c.lease,
        usage_records.c.start_s,
        usage_records.c.end_s,
    )
    joined = usage_records.outerjoin(
        usage_voids, usage_voids.c.record_pk == usage_records.c.record_pk
    )
    standing = (
        select(*columns)
        .select_from(joined)
        .where(
            usage_records.c.facility_id == facility_id,
            usage_records.c.statement_epoch == epoch,
            or_(usage_voids.c.record_pk.is_(None), usage_voids.c.statement_epoch != epoch),
        )
    )
    entries = [
        Entry(_KINDS[kind], device, lease, start_s, end_s, end_s - start_s)
        for kind, device, lease, start_s, end_s in connection.execute(standing)
    ]
    voids = (
        select(*columns)
        .join(usage_voids, usage_voids.c.record_pk == usage_records.c.record_pk)
        .where(
            usage_voids.c.facility_id == facility_id,
            usage_voids.c.statement_epoch == epoch,
            usage_records.c.statement_epoch != epoch,
        )
    )
    entries += [
        Entry(LineKind.VOID, Bytes32(r[1]), Bytes32(r[2]), r[3], r[4], r[4] - r[3])
        for r in connection.execute(voids)
    ]
    return entries


def outages_of(connection: Connection, facility_id: int, epoch: int) -> list[Outage]:
    """Outages of an epoch."""
    query = select(outages).where(
        outages.c.facility_id == facility_id, outages.c.statement_epoch == epoch
    )
    return [
        Outage(Bytes32(r.device), Bytes32(r.lease), r.start_s, r.end_s)
        for r in connection.execute(query)
    ]


def events_of(connection: Connection, facility_id: int, epoch: int) -> list[tuple[int, bytes]]:
    """`(recorded_at_s, payload)` of every event that a statement rests on, in ledger order.

    Events of usage, outages and voids placed in the epoch, and the events that such voids name.
    """
    columns = (meter_events.c.event_pk, meter_events.c.recorded_at_s, meter_events.c.payload)
    found: dict[int, tuple[int, bytes]] = {}
    for table in (usage_records, outages, usage_voids):
        query = select(*columns).join(table, table.c.event_pk == meter_events.c.event_pk)
        placed = and_(table.c.facility_id == facility_id, table.c.statement_epoch == epoch)
        found.update({r[0]: (r[1], r[2]) for r in connection.execute(query.where(placed))})
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
    found.update({r[0]: (r[1], r[2]) for r in connection.execute(voided)})
    return [found[key] for key in sorted(found)]
