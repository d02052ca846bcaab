"""SQL of vouchers: what the index says became of them, and the lines that may serve."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from api.db import event_columns as e
from api.db import statements
from api.db.rows import rows_as
from api.db.tables.statements import LineRow, statement_lines
from api.domain.metering.usage import DELIVERY_KINDS
from api.domain.statements.lines import Line
from api.domain.units import Bytes32, Epoch, FacilityId

EVENTS = ("VoucherIssued", "VoucherServed")


@dataclass(frozen=True, slots=True)
class VoucherEventRow:
    """An event of a voucher; its payload holds all arguments."""

    event: str
    payload: str
    block_time_s: int


def facilities_with_vouchers(connection: Connection) -> list[FacilityId]:
    """Facilities of which units were ever burned for compute, in order; none without an id here."""
    issued = select(e.facility_id).where(e.event == "VoucherIssued")
    query = issued.where(e.facility_id.is_not(None)).distinct()
    return sorted(connection.execute(query).scalars())


def voucher_events(connection: Connection, facility_id: FacilityId) -> list[VoucherEventRow]:
    """What became of a facility's vouchers, in chain order."""
    query = select(e.event, e.payload, e.block_time_s).where(
        e.event.in_(EVENTS), e.facility_id == facility_id
    )
    return rows_as(VoucherEventRow, connection.execute(query.order_by(*e.chain_order)))


def delivery_lines(
    connection: Connection,
    facility_id: FacilityId,
    leases: Collection[Bytes32],
    *,
    from_s: int,
    before_epoch: int,
) -> list[tuple[Epoch, Line]]:
    """Deliveries of some leases, in time or late, that begin at or after an instant, in order."""
    lines = statement_lines.c
    query = (
        select(statement_lines)
        .where(
            lines.kind.in_(DELIVERY_KINDS),
            lines.facility_id == facility_id,
            lines.lease.in_(leases),
            lines.epoch < before_epoch,
            lines.start_s >= from_s,
        )
        .order_by(lines.epoch, lines.line_index)
    )
    found = rows_as(LineRow, connection.execute(query))
    return [(row.epoch, statements.line_from_db(row)) for row in found]
