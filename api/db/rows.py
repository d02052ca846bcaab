"""Rows as typed records, one class beside its table: read and written by column name.

`record_of` holds a class against its table when the module is imported, so a column that is
missing, misspelt or of another type stops the process at its start; a misspelt field of a record
is an error of mypy.
"""

from collections.abc import Callable, Sequence
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from sqlalchemy import Column, Connection, CursorResult, Result, Row, Table, insert

R = TypeVar("R")
_TABLES: dict[type, Table] = {}
_FIELDS: dict[object, tuple[str, ...]] = {}


def record_of(table: Table) -> Callable[[type[R]], type[R]]:
    """Declare a class the record of a table: a field a column. Raises TypeError if it is not."""

    def declare(record: type[R]) -> type[R]:
        _declare(record, table)
        missing = sorted({*table.columns.keys()} - {*_FIELDS[record]})
        if missing:
            raise TypeError(f"{record.__name__} lacks {', '.join(missing)} of {table.name}")
        return record

    return declare


def part_of(table: Table) -> Callable[[type[R]], type[R]]:
    """Declare a class a record of some columns of a table. Raises TypeError if one is unknown."""

    def declare(record: type[R]) -> type[R]:
        _declare(record, table)
        return record

    return declare


def _declare(record: type, table: Table) -> None:
    hints = get_type_hints(record)
    for name, hint in hints.items():
        if name not in table.columns:
            raise TypeError(f"{record.__name__}.{name} is no column of {table.name}")
        column = table.columns[name]
        kinds = set(get_args(hint)) if get_origin(hint) in (Union, UnionType) else {hint}
        plain = {_plain(kind) for kind in kinds - {NoneType}}
        if plain != {column.type.python_type} or column.nullable != (NoneType in kinds):
            raise TypeError(f"{record.__name__}.{name} is not of the type of {table.name}")
    _TABLES[record], _FIELDS[record] = table, tuple(hints)


def _plain(kind: Any) -> object:
    """The builtin type below a `NewType`."""
    while hasattr(kind, "__supertype__"):
        kind = kind.__supertype__
    return kind


def columns_of(record: type) -> tuple[Column[Any], ...]:
    """Columns of a record in the order of its fields, to select."""
    table = _TABLES[record]
    return tuple(table.columns[name] for name in _FIELDS[record])


def row_as(record: Callable[..., R], row: Row[*tuple[Any, ...]]) -> R:
    """One row as its record, by column name. Raises TypeError if the names differ."""
    return record(**row._mapping)


def rows_as(record: Callable[..., R], result: Result[*tuple[Any, ...]]) -> list[R]:
    """All rows of a result as records, by column name. Raises TypeError if the names differ.

    Args:    record: a declared class, or another whose fields are the columns that were asked.
    """
    # Columns that come in the order of the fields need no name a row: this is twice as fast.
    if tuple(result.keys()) == _FIELDS.get(record):
        return [record(*row) for row in result]
    return [row_as(record, row) for row in result]


def first_as(record: Callable[..., R], result: Result[*tuple[Any, ...]]) -> R | None:
    """The first row of a result as its record, or None."""
    row = result.first()
    return None if row is None else row_as(record, row)


def values_of(record: object) -> dict[str, object]:
    """Values of a record by column name."""
    return {name: getattr(record, name) for name in _FIELDS[type(record)]}


def table_and_tuples(records: Sequence[object]) -> tuple[Table, list[str], list[tuple[Any, ...]]]:
    """Table, column names and values in their order, of records of one class; at least one."""
    record = type(records[0])
    values_in_order = attrgetter(*_FIELDS[record])
    return _TABLES[record], list(_FIELDS[record]), [values_in_order(r) for r in records]


def insert_records(connection: Connection, records: Sequence[object]) -> None:
    """Insert records of one class into their table."""
    if records:
        table = _TABLES[type(records[0])]
        connection.execute(insert(table), [values_of(record) for record in records])


def insert_record(connection: Connection, record: object) -> CursorResult[*tuple[Any, ...]]:
    """Insert one record; `new_key` of the result is the key that the database gave it."""
    return connection.execute(insert(_TABLES[type(record)]).values(values_of(record)))


def new_key(result: CursorResult[*tuple[Any, ...]]) -> int:
    """Primary key, one number, of a record that was inserted."""
    key = result.inserted_primary_key
    assert key is not None  # every insert of one record gives its key
    return int(key[0])
