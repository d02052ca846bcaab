"""CSV for spreadsheets: RFC 4180, and no cell that a spreadsheet would run as a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

# OWASP, CSV Injection (2024): cells that begin with one of these are formulas to spreadsheets.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

Cell = str | int | bool | None


def _cell(value: Cell) -> str | int:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return "'" + value
    return value


def encode_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """CSV in UTF-8 with CRLF line ends; unknown is an empty cell.

    Text that begins like a formula gets an apostrophe in front. Numbers stay numbers, negative too.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return file.getvalue().encode()
