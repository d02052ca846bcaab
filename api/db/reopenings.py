"""SQL of reopened epochs: what was reopened when, and the statements that were replaced."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, select, update

from api.db.rows import columns_of, insert_record, insert_records, new_key, rows_as
from api.db.tables.facilities import facilities
from api.db.tables.history import (
    NewReopening,
    NewSuperseded,
    epoch_reopenings,
    superseded_statements,
)
from api.db.tables.statements import (
    StatementRow,
    attestations,
    statement_lines,
    statement_trees,
    statements,
)
from api.domain.lifecycle import Reopening
from api.domain.units import Epoch, FacilityId


def reopenings_of(connection: Connection, facility_id: FacilityId) -> tuple[Reopening, ...]:
    """Reopenings of a facility in order of time; nearly always none."""
    query = select(epoch_reopenings.c.first_epoch, epoch_reopenings.c.reopened_at_s).where(
        epoch_reopenings.c.facility_id == facility_id
    )
    rows = connection.execute(query.order_by(epoch_reopenings.c.reopened_at_s))
    return tuple(Reopening(first_epoch=row.first_epoch, at_s=row.reopened_at_s) for row in rows)


def reopened_of(connection: Connection, facility_id: FacilityId) -> list[tuple[int, NewReopening]]:
    """Reopenings of a facility as they are stored, each with its key, in the order of keys."""
    key = epoch_reopenings.c.reopening_pk
    query = select(key, *columns_of(NewReopening)).where(
        epoch_reopenings.c.facility_id == facility_id
    )
    return [(row[0], NewReopening(*row[1:])) for row in connection.execute(query.order_by(key))]


def superseded_count(connection: Connection, facility_id: FacilityId, epoch: Epoch) -> int:
    """How many statements of an epoch were replaced: each later one is a new transaction."""
    query = select(func.count()).where(
        superseded_statements.c.facility_id == facility_id,
        superseded_statements.c.epoch == epoch,
    )
    return int(connection.execute(query).scalar_one())


def statements_from(
    connection: Connection, facility_id: FacilityId, epoch: Epoch
) -> list[StatementRow]:
    """Stored statements of an epoch and those after it, ascending."""
    query = select(statements).where(
        statements.c.facility_id == facility_id, statements.c.epoch >= epoch
    )
    return rows_as(StatementRow, connection.execute(query.order_by(statements.c.epoch)))


def superseded_of(connection: Connection, facility_id: FacilityId) -> list[NewSuperseded]:
    """Statements of a facility that were replaced, in the order in which that happened."""
    query = select(*columns_of(NewSuperseded)).where(
        superseded_statements.c.facility_id == facility_id
    )
    rows = connection.execute(query.order_by(superseded_statements.c.superseded_pk))
    return rows_as(NewSuperseded, rows)


def add_reopening(connection: Connection, reopening: NewReopening) -> int:
    """Store a reopening; returns its key."""
    return new_key(insert_record(connection, reopening))


def supersede(
    connection: Connection, facility_id: FacilityId, epoch: Epoch, rows: Sequence[NewSuperseded]
) -> None:
    """Keep statements as superseded, and take them out of the books from `epoch` on."""
    insert_records(connection, rows)
    take_out(connection, facility_id, epoch)


def take_out(connection: Connection, facility_id: FacilityId, epoch: Epoch) -> None:
    """Take statements out of the books from `epoch` on."""
    for table in (attestations, statement_trees, statement_lines, statements):
        gone = delete(table).where(table.c.facility_id == facility_id, table.c.epoch >= epoch)
        connection.execute(gone)
    mine = facilities.c.facility_id == facility_id
    connection.execute(update(facilities).where(mine).values(epochs_closed=epoch))
