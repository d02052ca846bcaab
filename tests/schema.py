"""What a database has otherwise than the tables say, partitions and all."""

from collections.abc import Mapping
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.schema import SchemaItem

from api.db.partitions import MONTHLY, partition_names
from api.db.tables.base import metadata
from api.db.tables.monthly import OF_WHOLE


def differences(connection: Connection) -> list[Any]:
    """What alembic finds; on PostgreSQL also tables and partitions that are not by month."""
    apart = partition_names(connection)
    postgres = connection.dialect.name == "postgresql"

    def is_table(name: str | None, kind: str, _parents: Mapping[Any, Any]) -> bool:
        return kind != "table" or name not in apart

    def is_here(
        item: SchemaItem, _name: str | None, _kind: str, reflected: bool, _other: Any
    ) -> bool:
        return reflected or not (postgres and item.info.get(OF_WHOLE))

    options = {"include_name": is_table, "include_object": is_here}
    context = MigrationContext.configure(connection, opts=options)
    return compare_metadata(context, metadata) + (_unlike(connection) if postgres else [])


def _unlike(connection: Connection) -> list[Any]:
    """Tables by month whose key, indexes or partitions are other ones; alembic looks at none."""
    inspector = inspect(connection)
    found: list[Any] = []
    for monthly in MONTHLY:
        by = text("SELECT pg_get_partkeydef(CAST(:name AS regclass))")
        key_def = connection.execute(by, {"name": monthly.name}).scalar()
        if key_def != f"RANGE ({monthly.column})":
            found.append((monthly.name, key_def))
        key = inspector.get_pk_constraint(monthly.name)["constrained_columns"]
        if key[-1] != monthly.column:
            found.append((monthly.name, key))
        names = [n for n in partition_names(connection) if n.startswith(f"{monthly.name}_")]
        if monthly.default not in names:
            found.append((monthly.name, "no default partition"))
        indexed = _indexed(connection, monthly.name)
        found += [(name, "indexes") for name in names if _indexed(connection, name) != indexed]
    return found


def _indexed(connection: Connection, table: str) -> list[str]:
    """What is indexed of a table, however the indexes are called."""
    query = text(
        "SELECT regexp_replace(indexdef, '^CREATE (UNIQUE )?INDEX .* USING ', '\\1')"
        " FROM pg_indexes WHERE tablename = :table"
    )
    return sorted(connection.execute(query, {"table": table}).scalars())
