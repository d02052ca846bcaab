"""SQL of what attesters refuse."""

from sqlalchemy import ColumnElement, Connection, delete, exists, func, select

from api.db import event_columns as e
from api.db.rows import first_as, insert_record, rows_as
from api.db.tables.refusals import RefusalRow, refusals
from api.db.tables.statements import statements
from api.domain.units import Bytes32, Epoch, FacilityId


def _place(row: RefusalRow) -> tuple[ColumnElement[bool], ...]:
    c = refusals.c
    return (
        c.facility_id == row.facility_id,
        c.epoch == row.epoch,
        c.attester == row.attester,
        c.about == row.about,
    )


def keep_refusal(connection: Connection, row: RefusalRow) -> bool:
    """Keep a refusal in the place of an earlier one of the same; False where one is there that
    counts as long or longer."""
    known = first_as(RefusalRow, connection.execute(select(refusals).where(*_place(row))))
    if known is not None and known.until_s >= row.until_s:
        return False
    connection.execute(delete(refusals).where(*_place(row)))
    insert_record(connection, row)
    return True


def refusals_of(
    connection: Connection,
    facility_id: FacilityId,
    *,
    epoch: Epoch | None,
    offset: int,
    limit: int,
) -> tuple[int, list[RefusalRow]]:
    """Number and a page of a facility's refusals, the newest epoch first."""
    c = refusals.c
    where = [c.facility_id == facility_id]
    if epoch is not None:
        where.append(c.epoch == epoch)
    total = connection.execute(select(func.count()).where(*where)).scalar_one()
    query = select(refusals).where(*where)
    query = query.order_by(c.epoch.desc(), c.received_at_s.desc(), c.attester, c.about)
    return total, rows_as(RefusalRow, connection.execute(query.offset(offset).limit(limit)))


def is_statement(
    connection: Connection, facility_id: FacilityId, epoch: Epoch, hashed: Bytes32
) -> bool:
    """Whether a hash is of a statement of an epoch that is closed here, or was posted."""
    closed = exists().where(
        statements.c.facility_id == facility_id,
        statements.c.epoch == epoch,
        statements.c.statement_hash == hashed,
    )
    posted = exists().where(
        e.event == "StatementPosted",
        e.facility_id == facility_id,
        e.epoch == epoch,
        e.statement_hash == hashed,
    )
    return bool(connection.execute(select(closed | posted)).scalar())
