"""Many rows at once, by the shortest way of each driver, inside the caller's transaction."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from api.db.rows import table_and_tuples
from api.db.session import is_sqlite

_T = TypeVar("_T")
_CHUNK = 500


def chunks(items: Sequence[_T]) -> Iterable[Sequence[_T]]:
    """Slices small enough for the bound parameters of any database."""
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


def insert_many(connection: Connection, records: Sequence[object]) -> None:
    """Insert records of one class, whose values are int, str, bytes, bool or None.

    SQLite: one prepared statement. PostgreSQL: COPY. Columns that the class lacks stay empty or
    get the database's own default; defaults of the tables do not apply.
    Raises:  IntegrityError as any other insert.
    """
    if not records:
        return
    table, columns, rows = table_and_tuples(records)
    insert_rows(connection, table.name, columns, rows)


def insert_rows(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert tuples, at least one, into columns of a table; otherwise as `insert_many`."""
    # A column may go by a word of SQL's.
    names = ",".join(map(connection.dialect.identifier_preparer.quote, columns))
    if is_sqlite(connection):
        marks = ",".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
        connection.exec_driver_sql(statement, list(rows))
        return
    statement = f"COPY {table} ({names}) FROM STDIN"
    cursor = connection.connection.cursor()
    try:
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.IntegrityError as error:
        raise IntegrityError(statement, None, error) from error  # others: db/failures.py
    finally:
        cursor.close()
