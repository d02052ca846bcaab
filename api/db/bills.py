"""SQL of bills: documents that were issued, and what statements and facts say of a month."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, case, func, or_, select

from api.db.bulk import chunks
from api.db.facts import fact_of
from api.db.log import payloads_at
from api.db.rows import columns_of, first_as, insert_record, rows_as
from api.db.tables.bills import BillRow, NewBill, StoredBill, bills
from api.db.tables.facilities import operators
from api.db.tables.ledger import FactKind, FactRow, facts
from api.db.tables.statements import statement_lines, statements
from api.domain.bills.documents import StatedLine
from api.domain.metering.calendar import month_start_s
from api.domain.metering.event_types import AdjustmentEvent
from api.domain.metering.events import parse_event
from api.domain.metering.facts import Place
from api.domain.metering.intervals import Span
from api.domain.metering.usage import LineKind
from api.domain.statements.told import Told
from api.domain.units import (
    ZERO32,
    Bytes32,
    Epoch,
    FacilityId,
    GpuSeconds,
    Micros,
    Minor,
    OperatorId,
)

_ROW = columns_of(BillRow)


# --- documents -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OperatorName:
    """An operator as a bill names it."""

    name: str
    address: str


def operator_name(connection: Connection, operator_id: OperatorId) -> OperatorName:
    """A registered operator."""
    query = select(operators.c.name, operators.c.address).where(
        operators.c.operator_id == operator_id
    )
    (found,) = rows_as(OperatorName, connection.execute(query))
    return found


def lock_numbers(connection: Connection, operator_id: OperatorId) -> None:
    """Let nobody else number documents of an operator until this transaction ends."""
    mine = select(operators.c.operator_id).where(operators.c.operator_id == operator_id)
    connection.execute(mine.with_for_update())


def last_document(connection: Connection, operator_id: OperatorId) -> tuple[int, Bytes32, int]:
    """Number, hash and date of an operator's newest document; 0 and zero bytes without any."""
    query = select(bills.c.number, bills.c.document_hash, bills.c.issued_at_s)
    mine = query.where(bills.c.operator_id == operator_id)
    row = connection.execute(mine.order_by(bills.c.number.desc()).limit(1)).first()
    return (0, ZERO32, 0) if row is None else (row.number, row.document_hash, row.issued_at_s)


def insert_bill(connection: Connection, bill: NewBill) -> None:
    """Store a document. Its unique keys make a number, and a place in its month, happen once."""
    insert_record(connection, bill)


def bill_rows(connection: Connection, facility_id: FacilityId) -> list[BillRow]:
    """Documents of a facility, by number."""
    query = select(*_ROW).where(bills.c.facility_id == facility_id)
    return rows_as(BillRow, connection.execute(query.order_by(bills.c.number)))


def stored_bill(connection: Connection, facility_id: FacilityId, number: int) -> StoredBill | None:
    """A document of a facility by its operator's number, or None."""
    query = select(*columns_of(StoredBill)).where(
        bills.c.facility_id == facility_id, bills.c.number == number
    )
    return first_as(StoredBill, connection.execute(query))


# --- what was stated ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CutRow:
    """A statement, and how far in the log it came."""

    epoch: Epoch
    closing: bool
    epoch_start_s: int
    epoch_end_s: int
    statement_hash: Bytes32
    log_size: int


@dataclass(frozen=True, slots=True)
class StatedSum:
    """What one statement says of a lease and month."""

    lease: Bytes32
    month: int
    epoch: Epoch
    charge_micros: Micros
    lines: int
    charged_lines: int


def stated_sums(
    connection: Connection, facility_id: FacilityId, months: Sequence[int], *, first: CutRow
) -> list[StatedSum]:
    """What each statement from a first one on says of each lease and month, in their order.

    Args:    months: ascending and without a gap; lines lie in them.  One look at all lines.
    """
    line = statement_lines.c
    month = case(*((line.start_s < month_start_s(m + 1), m) for m in months), else_=months[-1])
    query = (
        select(
            line.lease,
            month.label("month"),
            line.epoch,
            func.sum(line.charge_micros),
            func.count(),
            func.sum(case((line.charge_micros != 0, 1), else_=0)),
        )
        .where(
            line.facility_id == facility_id,
            line.epoch >= first.epoch,
            line.epoch_start_s >= first.epoch_start_s,
        )
        .group_by(line.lease, month, line.epoch)
        .order_by(line.epoch, line.lease, month)
    )
    return [
        StatedSum(lease, month, epoch, Micros(int(charge)), count, int(charged))
        for lease, month, epoch, charge, count, charged in connection.execute(query)
    ]


def lines_of_month(
    connection: Connection,
    facility_id: FacilityId,
    month: int,
    leases: Sequence[Bytes32],
    *,
    first: Epoch,
    through: Epoch,
    begins_s: Span,
) -> dict[Bytes32, list[StatedLine]]:
    """Lines of a month in the statements from one to another, by lease, in their order.

    Args:    begins_s: when the epochs of these two begin.
    """
    line = statement_lines.c
    found: dict[Bytes32, list[StatedLine]] = {lease: [] for lease in leases}
    for some in chunks(leases):
        query = select(
            line.lease,
            line.epoch,
            line.line_index,
            line.kind,
            line.subject,
            line.start_s,
            line.end_s,
            line.gpu_seconds,
            line.charge_micros,
        ).where(
            line.facility_id == facility_id,
            line.epoch >= first,
            line.epoch <= through,
            line.epoch_start_s.between(*begins_s),
            line.lease.in_(some),
            line.start_s >= month_start_s(month),
            line.start_s < month_start_s(month + 1),
        )
        for row in connection.execute(query.order_by(line.epoch, line.line_index)):
            lease, epoch, index, kind, subject, start_s, end_s, seconds, charge = row
            found[lease].append(
                StatedLine(
                    epoch,
                    index,
                    LineKind(kind),
                    subject,
                    start_s,
                    end_s,
                    GpuSeconds(seconds),
                    Minor(charge),
                )
            )
    return found


def cut_rows(connection: Connection, facility_id: FacilityId) -> list[CutRow]:
    """Statements of a facility, ascending."""
    s = statements.c
    query = select(
        s.epoch, s.closing, s.epoch_start_s, s.epoch_end_s, s.statement_hash, s.log_size
    ).where(s.facility_id == facility_id)
    return rows_as(CutRow, connection.execute(query.order_by(s.epoch)))


# --- what facts say ----------------------------------------------------------------------------


def told_of_month(
    connection: Connection, facility_id: FacilityId, month: int, *, up_to: int, longest_s: int
) -> Iterator[Told]:
    """Facts up to an entry that can speak of a month, in the order of the log.

    Without sightings, which no money depends on.
    Args:    longest_s: no fact of the facility is longer, however long it lasts by now.
    """
    of_no_time = facts.c.kind > FactKind.SEEN.value
    of_month = and_(
        facts.c.kind < FactKind.SEEN.value,
        facts.c.start_s > month_start_s(month) - longest_s - 1,
        facts.c.start_s < month_start_s(month + 1),
    )
    query = select(*columns_of(FactRow)).where(
        facts.c.facility_id == facility_id, facts.c.entry <= up_to, or_(of_no_time, of_month)
    )
    ordered = query.order_by(facts.c.entry, facts.c.place, facts.c.part)
    for row in rows_as(FactRow, connection.execute(ordered)):
        yield Told(Place(row.entry, row.place), row.recorded_at_s, fact_of(row))


def adjustment_reason(connection: Connection, facility_id: FacilityId, told: Told) -> str:
    """Why an adjustment was made, as its event says."""
    texts = payloads_at(connection, facility_id, {told.place: told.recorded_at_s})
    event = parse_event(texts[told.place])
    assert isinstance(event, AdjustmentEvent)  # of which the fact was told
    return event.reason
