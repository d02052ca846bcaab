"""Files of rows, read one by one: compressed or not, whatever their line ends and separator."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from api.errors import InvalidInput, RowRefused
from api.ledger.importers.rows import Refused

_GZIP = b"\x1f\x8b"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_SHOWN = 20
SEPARATORS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True)
class Source:
    """An open file: its text, and how far of its bytes were read."""

    name: str
    text: io.TextIOBase
    size: int
    _raw: BinaryIO

    def position(self) -> int:
        """Bytes of the file, as it lies on disk, that were read."""
        return self._raw.tell()


@contextmanager
def open_source(path: Path, *, encoding: str = "utf-8-sig") -> Iterator[Source]:
    """Open a file of text, plain or gzip, without its byte order mark.

    Raises:  InvalidInput, also while it is read: not readable, not of the encoding.
    """
    with _readable(path.name, encoding=encoding), path.open("rb") as raw:
        head = raw.read(2)
        raw.seek(0)
        plain = gzip.GzipFile(fileobj=raw) if head == _GZIP else raw
        yield Source(
            path.name, _text(path.name, plain, head, encoding=encoding), path.stat().st_size, raw
        )


@contextmanager
def source_of(data: bytes, *, name: str, encoding: str = "utf-8-sig") -> Iterator[Source]:
    """The same of bytes that somebody sent. Raises InvalidInput as `open_source` does."""
    with _readable(name, encoding=encoding):
        raw = io.BytesIO(data)
        yield Source(name, _text(name, raw, data[:2], encoding=encoding), len(data), raw)


def _text(
    name: str, plain: BinaryIO | gzip.GzipFile, head: bytes, *, encoding: str
) -> io.TextIOBase:
    if head in _UTF_16 and not encoding.lower().replace("_", "-").startswith("utf-16"):
        message = f"{name} is UTF-16: save it as UTF-8, or name its encoding in a mapping"
        raise InvalidInput(message, field="encoding")
    # Line ends are left to who splits rows: a quoted one belongs to its field.
    return io.TextIOWrapper(plain, encoding=encoding, newline="")


@contextmanager
def _readable(name: str, *, encoding: str) -> Iterator[None]:
    try:
        yield
    except LookupError as error:
        raise InvalidInput(f"there is no encoding {encoding[:40]!r}", field="encoding") from error
    except UnicodeDecodeError as error:
        message = f"{name} is not {encoding.removesuffix('-sig')} text"
        raise InvalidInput(message, field="encoding") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput(f"{name} is not readable: {error}", field="file") from error


@dataclass(frozen=True, slots=True)
class Cells:
    """One row by the names of its columns. line: on which it begins."""

    line: int
    values: Mapping[str, str]

    def get(self, column: str) -> str:
        """A cell without spaces around it; empty if there is no such column."""
        return self.values.get(column, "").strip()

    def need(self, column: str) -> str:
        """A cell that must not be empty. Raises RowRefused."""
        value = self.get(column)
        if not value:
            raise RowRefused("field_missing", f"{column} is empty")
        return value


class Table:
    """Rows below a header.

    Args:    wanted: columns without which the file says nothing.
             separators: those that the file may have; the one that gives all columns is taken.
             quoted: fields may stand in quotes, and then hold separators and line ends.
    Raises:  InvalidInput naming file and column or line.
    """

    def __init__(
        self,
        source: Source,
        wanted: Sequence[str],
        *,
        separators: Sequence[str] = SEPARATORS,
        quoted: bool = True,
    ) -> None:
        self._source = source
        self._quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
        first = self._first_line()
        headers = {s: self._split(first, separator=s) for s in separators}
        fits = [s for s, header in headers.items() if set(wanted) <= set(header)]
        self._separator = fits[0] if fits else max(separators, key=lambda s: len(headers[s]))
        self.header = headers[self._separator]
        missing = [name for name in wanted if name not in self.header]
        if missing:
            message = f"{source.name} has no column {missing[0]!r}; it has {self._shown()}"
            raise InvalidInput(message, field="columns")
        twice = [name for name in wanted if self.header.count(name) > 1]
        if twice:
            raise InvalidInput(f"{source.name} has column {twice[0]!r} twice", field="columns")

    def _first_line(self) -> str:
        line = self._source.text.readline(65_536)
        if not line.strip():
            raise InvalidInput(f"{self._source.name} has no header", field="columns")
        return line

    def _split(self, line: str, *, separator: str) -> list[str]:
        fields = next(csv.reader([line], delimiter=separator, quoting=self._quoting))
        return [name.strip() for name in fields]

    def _shown(self) -> str:
        names = [name[:40] for name in self.header if name]
        more = len(names) - _SHOWN
        return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")

    def rows(self) -> Iterator[Cells | Refused]:
        """Rows in their order. Blank ones are none: spreadsheets leave them at the end."""
        reader = csv.reader(
            self._source.text, delimiter=self._separator, quoting=self._quoting, strict=True
        )
        width, line = len(self.header), 2
        while True:
            try:
                fields = next(reader, None)
            except csv.Error as error:
                # Where a quote is not closed, nobody knows where the next row begins.
                message = f"{self._source.name} line {line}: {error}; nothing after it is read"
                raise InvalidInput(message, field="file") from error
            if fields is None:
                return
            if not any(field.strip() for field in fields):
                pass
            elif len(fields) == width:
                yield Cells(line, dict(zip(self.header, fields, strict=True)))
            else:
                detail = f"{len(fields)} fields, the header has {width}"
                yield Refused(line, "row_malformed", detail)
            line = 2 + reader.line_num
