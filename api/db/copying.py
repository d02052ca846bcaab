"""All rows of a database, out of it and into an empty one, whichever of the two kinds either is.

Rows are written table by table, in an order in which whatever a row refers to comes before it.
"""

import pkgutil
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, func, inspect, select, text

import api.db.tables
from api.db.bulk import insert_rows
from api.db.partitions import MONTHLY, make_months, partition_names
from api.db.session import is_sqlite
from api.db.tables.base import metadata
from api.domain.json_text import as_list, as_text
from api.domain.metering.calendar import month_of

# Nobody's sign-in outlives a restore: what ended meanwhile would count again.
LEFT_OUT = frozenset({"sessions", "session_nonces"})
_AT_ONCE = 5_000
Row = tuple[Any, ...]


def all_tables() -> Sequence[Table]:
    """Every table of ours, whatever a row refers to before it."""
    for module in pkgutil.iter_modules(api.db.tables.__path__):
        import_module(f"{api.db.tables.__name__}.{module.name}")
    return metadata.sorted_tables


def copied_tables() -> Sequence[Table]:
    """Tables whose rows are copied."""
    return [table for table in all_tables() if table.name not in LEFT_OUT]


def is_empty(connection: Connection) -> bool:
    """Whether no table of ours has a row; also where there are no tables."""
    names = set(inspect(connection).get_table_names())
    there = [table for table in all_tables() if table.name in names]
    return all(connection.execute(select(1).select_from(t).limit(1)).first() is None for t in there)


def detached_months(connection: Connection) -> list[str]:
    """Months that were detached from their tables: no table of ours has their rows."""
    apart = set(inspect(connection).get_table_names()) - partition_names(connection)
    names = tuple(f"{monthly.name}_" for monthly in MONTHLY)
    return sorted(name for name in apart - set(metadata.tables) if name.startswith(names))


def rows_of(connection: Connection, table: Table) -> Iterator[Row]:
    """Rows of a table in an order that stays: what is new in a log comes last."""
    monthly = [each.column for each in MONTHLY if each.table is table]
    keys = [*monthly, *(column.name for column in table.primary_key.columns)]
    query = select(table).order_by(*(table.c[name] for name in keys))
    options = {"yield_per": _AT_ONCE}
    for row in connection.execution_options(**options).execute(query):
        yield tuple(row)


def month_in(table: Table, row: Row) -> int | None:
    """The month by which PostgreSQL keeps a row; None of a table that it keeps whole."""
    for monthly in MONTHLY:
        if monthly.table is table:
            at_s: int = row[table.columns.keys().index(monthly.column)]
            return month_of(at_s)
    return None


def to_json(row: Row) -> list[object]:
    """A row as JSON: bytes in base64."""
    return [b64encode(v).decode("ascii") if isinstance(v, bytes) else v for v in row]


def from_json(table: Table, values: object) -> Row:
    """Read what `to_json` wrote. Raises ValueError, TypeError."""
    row = as_list(values)
    if len(row) != len(table.columns):
        raise ValueError(f"a row of {table.name} has {len(table.columns)} columns")
    pairs = zip(table.columns, row, strict=True)
    return tuple(_value(column.type.python_type, value) for column, value in pairs)


def _value(kind: type, value: object) -> object:
    if value is None:
        return None
    if kind is bytes:
        return b64decode(as_text(value), validate=True)
    if type(value) is not kind:
        raise TypeError(f"{str(value)[:40]!r} is no {kind.__name__}")
    return value


def put_rows(connection: Connection, table: Table, rows: Iterable[Row]) -> int:
    """Write rows into an empty table. Returns how many."""
    names = [column.name for column in table.columns]
    left, count = iter(rows), 0
    while part := list(islice(left, _AT_ONCE)):
        insert_rows(connection, table.name, names, part)
        count += len(part)
    return count


def make_partitions(connection: Connection, months: Iterable[int]) -> None:
    """Let an empty database keep rows of some months apart from each other."""
    if not is_sqlite(connection):
        make_months(connection, sorted(months))


def go_on_counting(connection: Connection) -> None:
    """Let PostgreSQL's next keys come behind those that were written."""
    if is_sqlite(connection):
        return
    for table in copied_tables():
        for column in table.primary_key.columns:
            named = {"t": table.name, "c": column.name}
            query = text("SELECT pg_get_serial_sequence(:t, :c)")
            sequence = connection.execute(query, named).scalar()
            newest = connection.execute(select(func.max(column))).scalar()
            if sequence is not None and newest is not None:
                connection.execute(select(func.setval(sequence, newest)))
