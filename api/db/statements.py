"""SQL of statements: closing an epoch, its lines and signatures."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, exists, func, insert, select, update

from api.db.bulk import insert_tuples
from api.db.ledger import prices_of
from api.db.tables.ledger import (
    attestations,
    facilities,
    leases,
    statement_lines,
    statements,
)
from api.db.trees import insert_tree
from api.domain.merkle import MerkleTree
from api.domain.metering.usage import LineKind
from api.domain.statements.lines import Line
from api.domain.statements.rating import LeaseTerms, PricePlan, PriceVersion
from api.domain.statements.statement import Statement, statement_hash
from api.domain.units import Bytes32, Epoch, FacilityId


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


def statement_keys(connection: Connection, facility_id: int) -> list[Row[Any]]:
    """`epoch`, `statement_hash` and whether it is `signed`, of all statements of a facility."""
    signed = exists().where(
        attestations.c.facility_id == statements.c.facility_id,
        attestations.c.epoch == statements.c.epoch,
    )
    query = select(statements.c.epoch, statements.c.statement_hash, signed.label("signed"))
    mine = statements.c.facility_id == facility_id
    return list(connection.execute(query.where(mine).order_by(statements.c.epoch)))


def statement_rows(
    connection: Connection, facility_id: int, epochs: Sequence[int]
) -> dict[int, Row[Any]]:
    """Stored statements of some epochs, by epoch."""
    query = select(statements).where(
        statements.c.facility_id == facility_id, statements.c.epoch.in_(epochs)
    )
    return {row.epoch: row for row in connection.execute(query)}


def attesters_by_epoch(
    connection: Connection, facility_id: int, epochs: Sequence[int]
) -> dict[int, list[str]]:
    """Accounts whose signatures we hold, of some epochs; those without any left out."""
    query = select(attestations.c.epoch, attestations.c.attester).where(
        attestations.c.facility_id == facility_id, attestations.c.epoch.in_(epochs)
    )
    found: dict[int, list[str]] = {}
    for epoch, attester in connection.execute(query):
        found.setdefault(epoch, []).append(attester)
    return found


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
