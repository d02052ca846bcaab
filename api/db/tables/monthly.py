"""Tables that PostgreSQL keeps in partitions, one a UTC month. SQLite keeps each of them whole.

A unique key of a partitioned table has to have the partition's column in it, so it holds within a
month alone. Rows are unique all the same, because that column is fixed by the rest of the key:

* `log_entries`, `facts`: an entry is recorded once. Its number is the log's next one, which
  `facilities.grow_log` gives away under the facility's lock and never again; and the events of an
  entry stand in `meter_events`, whose key of facility, entry and place is over all time. So no
  entry, and no fact of it, is in two months.
* `statement_lines`: a foreign key of facility, epoch and begin leads to the statement, which is
  one row: all lines of a statement are in the month in which its epoch begins.

`meter_events` stays whole: that an identity is known for ever is what its index is for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Table, UniqueConstraint, event, text

# Rows of months without a partition: without it they would be refused.
DEFAULT = "default"
# In the `info` of a constraint that only an unpartitioned table can have.
OF_WHOLE = "of_whole"


@dataclass(frozen=True, slots=True)
class Monthly:
    """A table, and the column whose UTC month says in which partition a row is."""

    table: Table
    column: str

    @property
    def name(self) -> str:
        """Name of the table."""
        return self.table.name

    @property
    def default(self) -> str:
        """Name of the partition that takes what no other does."""
        return f"{self.name}_{DEFAULT}"

    def partition(self, month: int) -> str:
        """Name of the partition of a month, such as `facts_2026_11`."""
        return f"{self.name}_{month // 12:04}_{month % 12 + 1:02}"


def by_month(table: Table, column: Column[int], *, key: Sequence[str]) -> Monthly:
    """Let PostgreSQL keep a table by the months of a column.

    Args:    key: what is unique in it, with the column. It becomes the primary key there; the one
             that the table declares is SQLite's.
    """
    monthly = Monthly(table, column.name)
    table.primary_key.ddl_if(dialect="sqlite")
    table.dialect_kwargs["postgresql_partition_by"] = f"RANGE ({column.name})"
    names = ", ".join((*key, column.name))

    def complete(_table: Table, connection: Connection, **_more: object) -> None:
        if connection.dialect.name == "postgresql":
            key_of = f"ALTER TABLE {table.name} ADD CONSTRAINT pk_{table.name}"
            connection.execute(text(f"{key_of} PRIMARY KEY ({names})"))
            rest = f"CREATE TABLE {monthly.default} PARTITION OF {table.name} DEFAULT"
            connection.execute(text(rest))

    event.listen(table, "after_create", complete)
    return monthly


def of_whole(*columns: str) -> UniqueConstraint:
    """A unique key of a table that SQLite keeps whole; on PostgreSQL the primary key has it."""
    return UniqueConstraint(*columns, info={OF_WHOLE: True}).ddl_if(dialect="sqlite")
