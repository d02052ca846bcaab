"""SQL behind the reconciliation: what ledger, statements and indexed chain events say."""

from dataclasses import dataclass

from sqlalchemy import Connection, Select, and_, case, func, null, select

from api.db import event_columns as e
from api.db.rows import rows_as
from api.db.tables.statements import statement_lines, statements
from api.domain.metering.usage import LineKind
from api.domain.units import Address, Bytes32, Epoch, FacilityId, Micros
from api.reads.sql import payloads

# Events that move money of a facility. The reconciliation sums the same events that the API lists,
# so that a reader can add up every figure.
MONEY_EVENTS = (
    "RentPaid",
    "RentRefunded",
    "Settled",
    "FacilityClosed",
    "LateRentShared",
    "VoucherPaid",
    "ResidualOwed",
    "ReceivableWrittenOff",
    "RevenueAccrued",
    "RevenueClaimed",
)


def _sum(connection: Connection, query: Select[int]) -> int:
    # PostgreSQL sums 64-bit integers to its decimal type.
    return int(connection.execute(query).scalar() or 0)


@dataclass(frozen=True, slots=True)
class LineSecondsRow:
    """Length of all intervals of one kind of line."""

    kind: LineKind
    seconds: int


def line_seconds(connection: Connection, facility_id: FacilityId) -> list[LineSecondsRow]:
    """Length of the lines over all statements of a facility, by kind."""
    length_s = statement_lines.c.end_s - statement_lines.c.start_s
    query = (
        select(statement_lines.c.kind, func.sum(length_s))
        .where(statement_lines.c.facility_id == facility_id)
        .group_by(statement_lines.c.kind)
    )
    return [
        LineSecondsRow(kind=LineKind(kind), seconds=int(seconds or 0))
        for kind, seconds in connection.execute(query)
    ]


@dataclass(frozen=True, slots=True)
class RatedEpochRow:
    """Sum of the line charges of a closed epoch."""

    epoch: Epoch
    rated_micros: Micros


def rated_epochs(connection: Connection, facility_id: FacilityId) -> list[RatedEpochRow]:
    """Charges by closed epoch: from the lines, not from the statements' totals."""
    # Outer join: an epoch without lines is closed too, and rated at zero.
    query = (
        select(statements.c.epoch, func.coalesce(func.sum(statement_lines.c.charge_micros), 0))
        .outerjoin(
            statement_lines,
            and_(
                statement_lines.c.facility_id == statements.c.facility_id,
                statement_lines.c.epoch == statements.c.epoch,
                statement_lines.c.epoch_start_s == statements.c.epoch_start_s,
            ),
        )
        .where(statements.c.facility_id == facility_id)
        .group_by(statements.c.epoch)
    )
    return [
        RatedEpochRow(epoch=epoch, rated_micros=Micros(int(micros or 0)))
        for epoch, micros in connection.execute(query)
    ]


@dataclass(frozen=True, slots=True)
class MoneySumsRow:
    """Sums of a facility's money events over all blocks, micros.

    residual_micros: owed to the operator, with what closing and late rent left over.
    """

    rent_paid_micros: Micros
    rent_refunded_micros: Micros
    settled_micros: Micros
    fees_micros: Micros
    residual_micros: Micros
    written_off_micros: Micros
    accrued_micros: Micros
    claimed_micros: Micros

    @property
    def collected_micros(self) -> Micros:
        """Rent paid and not refunded."""
        return Micros(self.rent_paid_micros - self.rent_refunded_micros)

    @property
    def covered_micros(self) -> Micros:
        """Rent that nobody has to collect any more: it was paid or written off."""
        return Micros(self.collected_micros + self.written_off_micros)


_SUMMED = {
    "rent_paid_micros": ("RentPaid", e.amount_micros),
    "rent_refunded_micros": ("RentRefunded", e.amount_micros),
    "settled_micros": ("Settled", e.amount_micros),
    "fees_micros": ("Settled", e.fee_micros),
    "residual_micros": ("ResidualOwed", e.amount_micros),
    "written_off_micros": ("ReceivableWrittenOff", e.amount_micros),
    "accrued_micros": ("RevenueAccrued", e.amount_micros),
    "claimed_micros": ("RevenueClaimed", e.amount_micros),
}


def money_sums(connection: Connection, facility_id: FacilityId) -> MoneySumsRow:
    """What a facility's money events add up to."""
    names = {event for event, _ in _SUMMED.values()}
    sums = (
        func.sum(case((e.event == event, column), else_=0)).label(field)
        for field, (event, column) in _SUMMED.items()
    )
    query = select(*sums).where(e.facility_id == facility_id, e.event.in_(names))
    sums_row = connection.execute(query).one()
    return MoneySumsRow(**{field: Micros(int(sums_row._mapping[field] or 0)) for field in _SUMMED})


@dataclass(frozen=True, slots=True)
class MovementRow:
    """One event that moves money of a facility; only a settlement has a fee in it.

    payload: of a closing, or of late rent shared; its amount is what the event moved in all.
    """

    event: str
    amount_micros: Micros
    fee_micros: Micros | None
    account: Address | None
    token_id: str | None
    block_number: int
    block_time_s: int
    tx_hash: Bytes32
    payload: str | None

    @property
    def shared(self) -> payloads.Shared | None:
        """Where the amount of a closing or of late rent went; None for other events."""
        return None if self.payload is None else payloads.shared(self.event, self.payload)


def money_movements(
    connection: Connection, facility_id: FacilityId, *, offset: int, limit: int
) -> list[MovementRow]:
    """A page of the events behind a facility's money sums, in chain order."""
    fee_micros = case((e.event == "Settled", e.fee_micros), else_=null())
    shared = e.event.in_(("FacilityClosed", "LateRentShared"))
    query = (
        select(
            e.event,
            e.amount_micros.label("amount_micros"),
            fee_micros.label("fee_micros"),
            e.account,
            e.token_id,
            e.block_number,
            e.block_time_s,
            e.tx_hash,
            case((shared, e.payload), else_=null()).label("payload"),
        )
        .where(e.event.in_(MONEY_EVENTS), e.facility_id == facility_id)
        .order_by(*e.chain_order)
    )
    return rows_as(MovementRow, connection.execute(query.offset(offset).limit(limit)))
