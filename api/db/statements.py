"""SQL of statements: closing an epoch, its lines and signatures."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, case, exists, func, select, update

from api.db.bulk import insert_many
from api.db.rows import columns_of, first_as, insert_record, row_as, rows_as
from api.db.tables.facilities import facilities
from api.db.tables.refusals import refusals
from api.db.tables.statements import (
    LineRow,
    StatementKey,
    StatementRow,
    attestations,
    statement_lines,
    statements,
)
from api.db.trees import insert_tree
from api.domain.log.entry import LogEnd
from api.domain.merkle import MerkleTree
from api.domain.metering.usage import LineKind
from api.domain.statements.evidence import SignedShare
from api.domain.statements.lines import Line
from api.domain.statements.statement import Statement, statement_hash
from api.domain.units import Bytes32, Epoch, FacilityId, GpuSeconds, Minor
from api.errors import NotFound


def statement_row(
    connection: Connection, facility_id: FacilityId, epoch: Epoch
) -> StatementRow | None:
    """Stored statement, or None."""
    query = select(statements).where(
        statements.c.facility_id == facility_id, statements.c.epoch == epoch
    )
    return first_as(StatementRow, connection.execute(query))


def known_statement_row(
    connection: Connection, facility_id: FacilityId, epoch: Epoch
) -> StatementRow:
    """Stored statement. Raises NotFound."""
    row = statement_row(connection, facility_id, epoch)
    if row is None:
        message = f"facility {facility_id} has no statement of epoch {epoch}"
        raise NotFound(message, facility_id=facility_id, epoch=epoch)
    return row


@dataclass(frozen=True, slots=True)
class ClosedStatement:
    """How far in the log a statement came, and the hashes that the next one names."""

    epoch: Epoch
    statement_hash: Bytes32
    evidence_hash: Bytes32
    log_size: int
    log_head: Bytes32


def statements_before(
    connection: Connection, facility_id: FacilityId, number: Epoch
) -> list[ClosedStatement]:
    """Closed epochs of a facility before a number, ascending."""
    c = statements.c
    query = select(c.epoch, c.statement_hash, c.evidence_hash, c.log_size, c.log_head).where(
        c.facility_id == facility_id, c.epoch < number
    )
    return rows_as(ClosedStatement, connection.execute(query.order_by(c.epoch)))


def stated_log_size(connection: Connection, facility_id: FacilityId) -> int:
    """How far in the log the statements of a facility came; 0 without any."""
    query = select(func.max(statements.c.log_size)).where(statements.c.facility_id == facility_id)
    return connection.execute(query).scalar() or 0


def to_statement(row: StatementRow) -> Statement:
    """Domain value of a stored statement."""
    return Statement(
        facility_id=row.facility_id,
        epoch=row.epoch,
        epoch_start_s=row.epoch_start_s,
        epoch_end_s=row.epoch_end_s,
        available_gpu_seconds=row.available_gpu_seconds,
        available_adjustment=row.available_adjustment,
        billed_gpu_seconds=row.billed_gpu_seconds,
        gross_revenue_micros=row.gross_revenue_micros,
        line_count=row.line_count,
        usage_root=row.usage_root,
        evidence_hash=row.evidence_hash,
        previous_statement_hash=row.previous_statement_hash,
        top_renter_bps=row.top_renter_bps,
        committed_bps=row.committed_bps,
    )


def insert_statement(
    connection: Connection,
    statement: Statement,
    lines: Sequence[Line],
    tree: MerkleTree,
    *,
    closing: bool,
    log: LogEnd,
    signed: SignedShare,
    closed_at_s: int,
) -> None:
    """Store a closed epoch with the tree over its lines, and advance the facility.

    The closing statement is of no epoch. The primary key makes it happen once.
    """
    facility_id, epoch = statement.facility_id, statement.epoch
    row = StatementRow(
        facility_id=facility_id,
        epoch=epoch,
        closing=closing,
        epoch_start_s=statement.epoch_start_s,
        epoch_end_s=statement.epoch_end_s,
        available_gpu_seconds=statement.available_gpu_seconds,
        available_adjustment=statement.available_adjustment,
        billed_gpu_seconds=statement.billed_gpu_seconds,
        gross_revenue_micros=statement.gross_revenue_micros,
        line_count=statement.line_count,
        usage_root=statement.usage_root,
        evidence_hash=statement.evidence_hash,
        previous_statement_hash=statement.previous_statement_hash,
        top_renter_bps=statement.top_renter_bps,
        committed_bps=statement.committed_bps,
        statement_hash=statement_hash(statement),
        log_size=log.size,
        log_head=log.head,
        signed_gpu_seconds=GpuSeconds(signed.gpu_seconds),
        signed_charge=Minor(signed.charge),
        absolute_charge=Minor(sum(abs(line.charge_micros) for line in lines)),
        closed_at_s=closed_at_s,
    )
    insert_record(connection, row)
    insert_many(connection, [_line_row(statement, line) for line in lines])
    insert_tree(connection, facility_id, epoch, tree)
    if not closing:
        connection.execute(
            update(facilities)
            .where(facilities.c.facility_id == facility_id)
            .values(epochs_closed=epoch + 1)
        )


def _line_row(statement: Statement, line: Line) -> LineRow:
    return LineRow(
        facility_id=statement.facility_id,
        epoch=statement.epoch,
        epoch_start_s=statement.epoch_start_s,
        line_index=line.index,
        kind=line.kind.value,
        subject=line.subject,
        lease=line.lease,
        start_s=line.start_s,
        end_s=line.end_s,
        gpu_seconds=line.gpu_seconds,
        charge_micros=line.charge_micros,
        cumulative_gpu_seconds=line.cumulative_gpu_seconds,
        cumulative_charge_micros=line.cumulative_charge_micros,
    )


def line_from_db(row: LineRow) -> Line:
    """Domain value of a stored line."""
    return Line(
        index=row.line_index,
        kind=LineKind(row.kind),
        subject=row.subject,
        lease=row.lease,
        start_s=row.start_s,
        end_s=row.end_s,
        gpu_seconds=row.gpu_seconds,
        charge_micros=row.charge_micros,
        cumulative_gpu_seconds=row.cumulative_gpu_seconds,
        cumulative_charge_micros=row.cumulative_charge_micros,
    )


def lines_of(
    connection: Connection,
    facility_id: FacilityId,
    epoch: Epoch,
    *,
    offset: int = 0,
    limit: int = -1,
) -> list[Line]:
    """Lines of a statement, by index."""
    query = (
        select(statement_lines)
        .where(
            *_of_statement(connection, facility_id, epoch),
            # Indices have no gaps: the key leads to a page without counting what comes before.
            statement_lines.c.line_index >= offset,
        )
        .order_by(statement_lines.c.line_index)
    )
    if limit >= 0:
        query = query.limit(limit)
    return [line_from_db(row) for row in rows_as(LineRow, connection.execute(query))]


def _of_statement(
    connection: Connection, facility_id: FacilityId, epoch: Epoch
) -> tuple[ColumnElement[bool], ...]:
    """Lines of a statement. Its time is asked first: the month is then known when it is planned."""
    begins = select(statements.c.epoch_start_s).where(
        statements.c.facility_id == facility_id, statements.c.epoch == epoch
    )
    line = statement_lines.c
    return (
        line.facility_id == facility_id,
        line.epoch == epoch,
        line.epoch_start_s == connection.execute(begins).scalar(),
    )


def line_kinds(
    connection: Connection, facility_id: FacilityId, epoch: Epoch
) -> dict[LineKind, int]:
    """Lines of each kind that a statement has, in their order; kinds without any left out."""
    query = (
        select(statement_lines.c.kind, func.count())
        .where(*_of_statement(connection, facility_id, epoch))
        .group_by(statement_lines.c.kind)
        .order_by(statement_lines.c.kind)
    )
    return {LineKind(kind): count for kind, count in connection.execute(query)}


@dataclass(frozen=True, slots=True)
class SignedKey:
    """A statement's epoch and hash, and whether any attester signed it."""

    epoch: Epoch
    statement_hash: Bytes32
    signed: bool


def statement_keys(connection: Connection, facility_id: FacilityId) -> list[SignedKey]:
    """Keys of all statements of a facility, by epoch."""
    signed = exists().where(
        attestations.c.facility_id == statements.c.facility_id,
        attestations.c.epoch == statements.c.epoch,
    )
    query = (
        select(statements.c.epoch, statements.c.statement_hash, signed.label("signed"))
        .where(statements.c.facility_id == facility_id)
        .order_by(statements.c.epoch)
    )
    return [row_as(SignedKey, row) for row in connection.execute(query)]


def statement_numbers(connection: Connection, facility_id: FacilityId) -> list[Epoch]:
    """Numbers of the stored statements of a facility, ascending; the closing one's last."""
    query = select(statements.c.epoch).where(statements.c.facility_id == facility_id)
    return list(connection.execute(query.order_by(statements.c.epoch)).scalars())


def closing_ends(
    connection: Connection, facility_id: FacilityId | None = None
) -> dict[FacilityId, tuple[Epoch, int]]:
    """Number and end of the closing statement of every facility that has one, or of one."""
    s = statements.c
    query = select(s.facility_id, s.epoch, s.epoch_end_s).where(s.closing)
    if facility_id is not None:
        query = query.where(s.facility_id == facility_id)
    return {row.facility_id: (row.epoch, row.epoch_end_s) for row in connection.execute(query)}


def statement_rows(
    connection: Connection, facility_id: FacilityId, epochs: Collection[Epoch]
) -> dict[Epoch, StatementRow]:
    """Stored statements of some epochs, by epoch."""
    query = select(statements).where(
        statements.c.facility_id == facility_id, statements.c.epoch.in_(epochs)
    )
    return {row.epoch: row for row in rows_as(StatementRow, connection.execute(query))}


def attesters_by_epoch(
    connection: Connection, facility_id: FacilityId, epochs: Sequence[Epoch]
) -> dict[Epoch, list[str]]:
    """Accounts whose signatures we hold, of some epochs; those without any left out."""
    query = select(attestations.c.epoch, attestations.c.attester).where(
        attestations.c.facility_id == facility_id, attestations.c.epoch.in_(epochs)
    )
    by_epoch: dict[Epoch, list[str]] = {}
    for row in connection.execute(query):
        by_epoch.setdefault(row.epoch, []).append(row.attester)
    return by_epoch


def signatures_of(
    connection: Connection, facility_id: FacilityId, epoch: Epoch
) -> dict[str, bytes]:
    """Signature by attester of one statement."""
    query = select(attestations.c.attester, attestations.c.signature).where(
        attestations.c.facility_id == facility_id, attestations.c.epoch == epoch
    )
    return {row.attester: row.signature for row in connection.execute(query)}


def _lacks_signature(attester: str) -> ColumnElement[bool]:
    signed = exists().where(
        attestations.c.facility_id == statements.c.facility_id,
        attestations.c.epoch == statements.c.epoch,
        attestations.c.attester == attester,
    )
    return ~signed


def facilities_unsigned_by(connection: Connection, attester: str) -> list[FacilityId]:
    """Facilities with a closed statement that an attester has not signed."""
    query = select(statements.c.facility_id).distinct().where(_lacks_signature(attester))
    return list(connection.execute(query).scalars())


def unsigned_by(
    connection: Connection,
    attester: str,
    facility_ids: Collection[FacilityId],
    *,
    offset: int,
    limit: int,
) -> list[StatementKey]:
    """Closed statements of some facilities that an attester has not signed, in turns.

    First what it has not refused, one of each facility, then the next of each, by epoch: however
    many wait of one facility, they come after the first of every other.
    """
    c = statements.c
    refused = exists().where(
        refusals.c.attester == attester,
        refusals.c.about == c.statement_hash,
        refusals.c.facility_id == c.facility_id,
    )
    last = case((refused, 1), else_=0)
    turn = func.row_number().over(partition_by=(c.facility_id, last), order_by=c.epoch)
    query = (
        select(*columns_of(StatementKey))
        .where(c.facility_id.in_(facility_ids), _lacks_signature(attester))
        .order_by(last, turn, c.facility_id)
    )
    return rows_as(StatementKey, connection.execute(query.offset(offset).limit(limit)))


def signed_epochs(connection: Connection) -> dict[FacilityId, list[Epoch]]:
    """Epochs by facility whose statement somebody signed, ascending."""
    query = (
        select(attestations.c.facility_id, attestations.c.epoch)
        .distinct()
        .order_by(attestations.c.facility_id, attestations.c.epoch)
    )
    by_facility: dict[FacilityId, list[Epoch]] = {}
    for row in connection.execute(query):
        by_facility.setdefault(row.facility_id, []).append(row.epoch)
    return by_facility
