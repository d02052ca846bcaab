"""Rows of tables as objects of a backup.

A table is cut where the hash of a row says so, not by count: rows that come in between change the
part that has them, and all others are objects that a backup of before has already.
"""

import json
import zlib
from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, Table

from api.db.copying import Row, from_json, month_in, rows_of, to_json
from api.domain.json_text import read_json
from api.errors import EvidenceInvalid
from api.rescue.manifest import TableCopy
from api.rescue.objects import ObjectName, Objects

# On average so many rows a part; and at most so many bytes before they are packed.
_ROWS, _BYTES = 4_096, 16 << 20
_LEVEL = 6


def copy_table(connection: Connection, table: Table, objects: Objects) -> TableCopy:
    """Copy all rows of a table, as one view of the database has them."""
    parts: list[ObjectName] = []
    lines: list[bytes] = []
    count, size, months = 0, 0, set[int]()
    for row in rows_of(connection, table):
        line = json.dumps(to_json(row), ensure_ascii=True, separators=(",", ":")).encode()
        lines.append(line)
        count, size = count + 1, size + len(line)
        month = month_in(table, row)
        months |= set() if month is None else {month}
        if zlib.crc32(line) % _ROWS == 0 or size > _BYTES:
            parts.append(objects.put(_pack(lines)))
            lines, size = [], 0
    if lines:
        parts.append(objects.put(_pack(lines)))
    names = tuple(column.name for column in table.columns)
    return TableCopy(table.name, names, count, tuple(parts), tuple(sorted(months)))


def _pack(lines: Iterable[bytes]) -> bytes:
    return zlib.compress(b"\n".join(lines), _LEVEL)


def copied_rows(table: Table, copy: TableCopy, objects: Objects) -> Iterator[Row]:
    """Rows of a copy. Raises EvidenceInvalid."""
    if tuple(column.name for column in table.columns) != copy.columns:
        raise EvidenceInvalid(f"table {table.name} had other columns when the backup was made")
    for part in copy.parts:
        try:
            lines = zlib.decompress(objects.get(part)).split(b"\n")
            for line in lines:
                yield from_json(table, read_json(line))
        except (ValueError, TypeError, zlib.error) as error:
            raise EvidenceInvalid(f"rows of {table.name} cannot be read: {error}") from error
