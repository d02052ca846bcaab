"""Bulk inserts by the shortest way of each driver, inside the caller's transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection, Table
from sqlalchemy.exc import IntegrityError

from api.db.session import is_sqlite


def insert_tuples(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Insert rows of plain values (int, str, bytes, bool, None), given in the order of `columns`.

    SQLite: one prepared statement. PostgreSQL: COPY. Columns that are not named stay empty or get
    the database's own default; defaults of `tables.py` do not apply.
    Raises:  IntegrityError as any other insert.
    """
    if not rows:
        return
    names = ",".join(table.columns[name].name for name in columns)
    if is_sqlite(connection):
        marks = ",".join("?" * len(columns))
        statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608
        connection.exec_driver_sql(statement, [tuple(row) for row in rows])
        return
    statement = f"COPY {table.name} ({names}) FROM STDIN"
    cursor = connection.connection.cursor()
    try:
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.IntegrityError as error:
        raise IntegrityError(statement, None, error) from error
    finally:
        cursor.close()


def insert_mappings(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert rows that all name the same columns, in the same order."""
    if rows:
        insert_tuples(connection, table, list(rows[0]), [tuple(row.values()) for row in rows])
