"""SQL of reopened epochs: what was reopened when, and statements that gave way."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from api.db.tables.history import epoch_reopenings, superseded_statements
from api.db.tables.ledger import (
    attestations,
    facilities,
    statement_lines,
    statement_trees,
    statements,
)
from api.domain.lifecycle import Reopening


def reopenings_of(connection: Connection, facility_id: int) -> tuple[Reopening, ...]:
    """Reopenings of a facility in order of time; nearly always none."""
    query = select(epoch_reopenings.c.first_epoch, epoch_reopenings.c.reopened_at_s).where(
        epoch_reopenings.c.facility_id == facility_id
    )
    rows = connection.execute(query.order_by(epoch_reopenings.c.reopened_at_s))
    return tuple(Reopening(first, at_s) for first, at_s in rows)


def superseded_count(connection: Connection, facility_id: int, epoch: int) -> int:
    """How many statements of an epoch gave way: each later one is posted as a new transaction."""
    query = select(func.count()).where(
        superseded_statements.c.facility_id == facility_id,
        superseded_statements.c.epoch == epoch,
    )
    return int(connection.execute(query).scalar_one())


def statements_from(connection: Connection, facility_id: int, epoch: int) -> list[Any]:
    """Stored statements of an epoch and those after it, ascending."""
    query = select(statements).where(
        statements.c.facility_id == facility_id, statements.c.epoch >= epoch
    )
    return list(connection.execute(query.order_by(statements.c.epoch)))


def add_reopening(connection: Connection, row: Mapping[str, Any]) -> int:
    """Store a reopening; returns its key."""
    found = connection.execute(insert(epoch_reopenings).values(**row)).inserted_primary_key
    return int(found[0]) if found else 0


def supersede(
    connection: Connection, facility_id: int, epoch: int, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Keep statements as superseded, and take them out of the books from `epoch` on."""
    connection.execute(insert(superseded_statements), [dict(row) for row in rows])
    for table in (attestations, statement_trees, statement_lines, statements):
        gone = delete(table).where(table.c.facility_id == facility_id, table.c.epoch >= epoch)
        connection.execute(gone)
    mine = facilities.c.facility_id == facility_id
    connection.execute(update(facilities).where(mine).values(epochs_closed=epoch))
