"""SQL of closed epochs: their statements and signatures."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from api.db.rows import rows_as
from api.db.tables.statements import attestations, statements
from api.domain.units import Bytes32, Epoch, FacilityId, Micros


@dataclass(frozen=True, slots=True)
class ClosedEpochRow:
    """What the console shows of a closed epoch's statement."""

    epoch: Epoch
    gross_revenue_micros: Micros
    line_count: int
    statement_hash: Bytes32


def closed_epochs(
    connection: Connection, facility_id: FacilityId, *, first: int, last: int
) -> dict[Epoch, ClosedEpochRow]:
    """Statements of epochs `first` to `last`, by epoch."""
    s = statements.c
    query = select(s.epoch, s.gross_revenue_micros, s.line_count, s.statement_hash).where(
        s.facility_id == facility_id, s.epoch.between(first, last)
    )
    return {row.epoch: row for row in rows_as(ClosedEpochRow, connection.execute(query))}


def signature_counts(
    connection: Connection, facility_id: FacilityId, *, first: int, last: int
) -> dict[Epoch, int]:
    """Signatures that we hold of statements of epochs `first` to `last`, by epoch."""
    query = (
        select(attestations.c.epoch, func.count())
        .where(attestations.c.facility_id == facility_id, attestations.c.epoch.between(first, last))
        .group_by(attestations.c.epoch)
    )
    return dict(connection.execute(query).all())


def first_epoch_with(
    connection: Connection,
    facility_id: FacilityId,
    *,
    statement_hashes: Collection[Bytes32],
    from_epoch: int,
) -> Epoch | None:
    """First epoch from `from_epoch` on whose statement in the books is among some, or None."""
    s = statements.c
    query = select(s.epoch).where(
        s.facility_id == facility_id,
        s.statement_hash.in_(statement_hashes),
        s.epoch >= from_epoch,
    )
    return connection.execute(query.order_by(s.epoch).limit(1)).scalar()
