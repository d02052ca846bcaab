"""SQL of statements: entries of an epoch, closing it, its lines and signatures."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update

from api.db.bulk import insert_tuples
from api.db.ledger import prices_of
from api.db.tables import (
    attestations,
    facilities,
    leases,
    meter_events,
    outages,
    statement_lines,
    statements,
    usage_records,
    usage_voids,
)
from api.db.trees import insert_tree
from api.domain.lines import Entry, Line
from api.domain.merkle import MerkleTree
from api.domain.rating import LeaseTerms, PricePlan, PriceVersion
from api.domain.statement import Statement, statement_hash
from api.domain.units import Bytes32, Epoch, FacilityId
from api.domain.usage import LineKind, Outage

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


def lease_rows(connection: Connection, facility_id: int) -> list[Row[Any]]:
    """Stored leases of a facility."""
    return list(connection.execute(select(leases).where(leases.c.facility_id == facility_id)))


def leases_of(connection: Connection, facility_id: int) -> dict[Bytes32, LeaseTerms]:
    """Terms of all leases of a facility."""
    prices: dict[bytes, list[PriceVersion]] = {}
    for p in prices_of(connection, facility_id):
        version = PriceVersion(
            p.version, p.effective_from_s, p.price_micros_per_gpu_hour, p.sla_credit_bps
        )
        prices.setdefault(p.lease, []).append(version)
    return {
        Bytes32(row.lease): LeaseTerms(
            Bytes32(row.lease),
            Bytes32(row.renter),
            PricePlan(row.plan),
            row.committed_gpus,
            row.opened_at_s,
            row.closed_at_s,
            tuple(prices[row.lease]),
        )
        for row in lease_rows(connection, facility_id)
    }


def statement_row(connection: Connection, facility_id: int, epoch: int) -> Any:
    """Stored statement, or None."""
    query = select(statements).where(
        statements.c.facility_id == facility_id, statements.c.epoch == epoch
    )
    return connection.execute(query).first()


def to_statement(row: Any) -> Statement:
    """Domain value of a stored statement."""
    return Statement(
        FacilityId(row.facility_id),
        Epoch(row.epoch),
        row.epoch_start_s,
        row.epoch_end_s,
        row.available_gpu_seconds,
        row.billed_gpu_seconds,
        row.gross_revenue_micros,
        row.line_count,
        Bytes32(row.usage_root),
        Bytes32(row.evidence_hash),
        Bytes32(row.previous_statement_hash),
        row.top_renter_bps,
        row.committed_bps,
    )


def insert_statement(
    connection: Connection,
    statement: Statement,
    lines: Sequence[Line],
    tree: MerkleTree,
    *,
    carry_json: bytes,
    closed_at_s: int,
) -> None:
    """Store a closed epoch with the tree over its lines, and advance the facility.

    The primary key makes it happen once.
    """
    names = [c.name for c in statements.columns][:13]
    values = dict(zip(names, statement.as_abi_tuple(), strict=True))
    values |= {
        "statement_hash": statement_hash(statement),
        "carry_json": carry_json,
        "closed_at_s": closed_at_s,
    }
    connection.execute(insert(statements), values)
    key = (int(statement.facility_id), int(statement.epoch))
    rows = [
        (
            *key,
            x.index,
            x.kind.value,
            x.device,
            x.lease,
            x.start_s,
            x.end_s,
            x.gpu_seconds,
            x.charge_micros,
            x.cumulative_gpu_seconds,
            x.cumulative_charge_micros,
        )
        for x in lines
    ]
    insert_tuples(connection, statement_lines, statement_lines.columns.keys(), rows)
    insert_tree(connection, *key, tree)
    connection.execute(
        update(facilities)
        .where(facilities.c.facility_id == statement.facility_id)
        .values(epochs_closed=statement.epoch + 1)
    )


def lines_of(
    connection: Connection, facility_id: int, epoch: int, *, offset: int = 0, limit: int = -1
) -> list[Line]:
    """Lines of a statement, by index."""
    query = (
        select(statement_lines)
        .where(
            statement_lines.c.facility_id == facility_id,
            statement_lines.c.epoch == epoch,
            # Indices have no gaps: the key leads to a page without counting what comes before.
            statement_lines.c.line_index >= offset,
        )
        .order_by(statement_lines.c.line_index)
    )
    if limit >= 0:
        query = query.limit(limit)
    return [
        Line(
            r.line_index,
            LineKind(r.kind),
            Bytes32(r.device),
            Bytes32(r.lease),
            r.start_s,
            r.end_s,
            r.gpu_seconds,
            r.charge_micros,
            r.cumulative_gpu_seconds,
            r.cumulative_charge_micros,
        )
        for r in connection.execute(query)
    ]


def line_kinds(connection: Connection, facility_id: int, epoch: int) -> dict[LineKind, int]:
    """Lines of each kind that a statement has, in their order; kinds without any left out."""
    at = (statement_lines.c.facility_id == facility_id, statement_lines.c.epoch == epoch)
    query = (
        select(statement_lines.c.kind, func.count())
        .where(*at)
        .group_by(statement_lines.c.kind)
        .order_by(statement_lines.c.kind)
    )
    return {LineKind(kind): count for kind, count in connection.execute(query)}


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


def signatures_of(connection: Connection, facility_id: int, epoch: int) -> dict[str, bytes]:
    """Signature by attester of one statement."""
    query = select(attestations.c.attester, attestations.c.signature).where(
        attestations.c.facility_id == facility_id, attestations.c.epoch == epoch
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def unsigned_by(connection: Connection, attester: str, *, limit: int) -> list[Row[Any]]:
    """Closed statements that an attester has not signed, oldest epochs first."""
    signed = and_(
        attestations.c.facility_id == statements.c.facility_id,
        attestations.c.epoch == statements.c.epoch,
        attestations.c.attester == attester,
    )
    query = (
        select(statements.c.facility_id, statements.c.epoch, statements.c.statement_hash)
        .outerjoin(attestations, signed)
        .where(attestations.c.attester.is_(None))
        .order_by(statements.c.epoch, statements.c.facility_id)
        .limit(limit)
    )
    return list(connection.execute(query))


def quorum_reached(connection: Connection, threshold: int) -> dict[int, list[int]]:
    """Epochs by facility with at least `threshold` signatures, ascending."""
    query = (
        select(attestations.c.facility_id, attestations.c.epoch)
        .group_by(attestations.c.facility_id, attestations.c.epoch)
        .having(func.count() >= threshold)
        .order_by(attestations.c.facility_id, attestations.c.epoch)
    )
    found: dict[int, list[int]] = {}
    for facility_id, epoch in connection.execute(query):
        found.setdefault(facility_id, []).append(epoch)
    return found
