"""Reads a small file by a reader of the importers."""

from collections import Counter
from pathlib import Path
from typing import Any

from api.ledger.importers.rows import LEFT_OUT, REFUSALS, LeftOut, Refused, Row, Usage
from api.ledger.importers.tables import open_source
from tests.factories import device

# Node n1 has two GPUs of the facility, n2 one, and one that is another's.
DEVICES = f"""
[devices]
complete = true
[devices.n1]
0 = "{device(0)}"
1 = "{device(1)}"
[devices.n2]
0 = "{device(2)}"
1 = "-"
"""


def written(folder: Path, name: str, text: str | bytes) -> Path:
    """A file with a text."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def rows_of(reader: Any, path: Path, **form: str) -> list[Row]:
    """All rows that a reader makes of a file; their reasons are of the tables."""
    with open_source(path, **form) as source:
        rows = list(reader.rows(source))
    for row in rows:
        if isinstance(row, Refused):
            assert row.reason in REFUSALS
            assert row.detail
        elif isinstance(row, LeftOut):
            assert row.reason in LEFT_OUT
    return rows


def refusals(rows: list[Row]) -> list[tuple[int, str]]:
    """Line and reason of each refused row."""
    return [(row.line, row.reason) for row in rows if isinstance(row, Refused)]


def left_out(rows: list[Row]) -> Counter[str]:
    """How many rows were left out, by reason."""
    return Counter(row.reason for row in rows if isinstance(row, LeftOut))


def uses(rows: list[Row]) -> list[Usage]:
    """Rows that say use."""
    return [row for row in rows if isinstance(row, Usage)]
