"""A CSV file that another program appends to: a use a row, each with start and end."""

import csv
import io
import os
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from api.agent import events
from api.agent.events import NewEvent
from api.agent.failures import SourceFailed
from api.agent.leases import NOBODY, Holder, LeaseTable
from api.agent.settings import CsvSettings
from api.agent.spool import Problem, Spool, append, cursor_of, note_problems, set_cursor
from api.domain.devices import check_device
from api.domain.json_text import as_integer, as_object, as_text, read_json
from api.domain.metering.instants import parse_instant
from api.errors import AppError, InvalidInput

KIND = "csv"
_NEEDED = ("device", "start", "end")
_OPTIONAL = ("job", "account", "user", "partition", "namespace")
# A poll reads so much at most: a file of years takes some polls.
_MOST_BYTES = 4 * 1_048_576


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the file was read to: offset in bytes, of which file, and its header."""

    inode: int
    offset: int
    header: str


class CsvSource:
    """Follows the file. Its place moves in the transaction that spools the rows before it."""

    def __init__(
        self,
        settings: CsvSettings,
        spool: Spool,
        source: str,
        *,
        leases: LeaseTable,
        facility_of: Callable[[str], int | None],
    ) -> None:
        self._settings, self._spool, self._source = settings, spool, source
        self._leases, self._facility_of = leases, facility_of

    def step(self, now_s: int) -> int:
        """Spool whole rows that are new. Returns how many events.

        Raises:  SourceFailed, SpoolFailed.
        """
        with self._spool.write() as db:
            place = _place(cursor_of(db, self._source))
            lines, place, at = self._new_lines(place)
            told: list[NewEvent] = []
            problems: list[Problem] = []
            for line, text in lines:
                try:
                    told += self._row(text, place.header, now_s)
                except SourceFailed:
                    raise
                except _Ahead:
                    break
                except AppError as error:
                    problems.append(Problem("row", f"byte {line}", error.message))
                at = line + len(text)
            count = append(db, told, now_s=now_s)
            if problems:
                note_problems(db, self._source, problems, now_s=now_s)
            moved = orjson.dumps({"inode": place.inode, "offset": at, "header": place.header})
            set_cursor(db, self._source, moved.decode())
        return count

    def _new_lines(self, place: _Place | None) -> tuple[list[tuple[int, bytes]], _Place, int]:
        """Whole lines behind the place, with where each begins, and where reading began."""
        try:
            with self._settings.file.open("rb") as file:
                size = file.seek(0, io.SEEK_END)
                inode = os.fstat(file.fileno()).st_ino
                if place is None or place.inode != inode or place.offset > size:
                    # The first look, or another file under the name: its first line is a header.
                    file.seek(0)
                    header = file.readline()
                    if not header.endswith(b"\n"):
                        raise SourceFailed(f"{self._settings.file} has no header yet")
                    place = _Place(inode, len(header), header.decode("utf-8-sig").strip())
                file.seek(place.offset)
                block = file.read(_MOST_BYTES)
        except (OSError, UnicodeDecodeError) as error:
            raise SourceFailed(f"{self._settings.file}: {error}") from error
        lines = []
        at = place.offset
        for text in block.splitlines(keepends=True):
            if not text.endswith(b"\n"):
                break
            lines.append((at, text))
            at += len(text)
        return lines, place, place.offset

    def _row(self, text: bytes, header: str, now_s: int) -> list[NewEvent]:
        if not text.strip():
            return []
        try:
            names, cells = csv.reader(
                [header, text.decode().strip("\r\n")], delimiter=self._settings.separator
            )
        except (ValueError, csv.Error, UnicodeDecodeError) as error:
            raise InvalidInput("the row cannot be read") from error
        if len(names) != len(cells):
            raise InvalidInput(f"the row has {len(cells)} cells, the header {len(names)}")
        row = dict(zip(names, cells, strict=True))
        said = {key: self._cell(row, key) for key in (*_NEEDED, *_OPTIONAL)}
        device = check_device(said["device"])
        start_s = parse_instant(said["start"], field="start")
        end_s = parse_instant(said["end"], field="end")
        if end_s <= start_s:
            raise InvalidInput("the end is not after the start")
        if end_s > now_s:
            raise _Ahead("the row speaks of time to come")
        facility = self._facility_of(device)
        holder = Holder(said["account"], said["user"], said["partition"], said["namespace"])
        lease = self._leases.lease_of(holder, source=KIND)
        if lease is None:
            raise InvalidInput(f"no lease fits {holder.shown()}")
        if facility is None or lease == NOBODY:
            return []
        span = {"start_s": start_s, "end_s": end_s}
        job = said["job"] or "row"
        return [events.used(facility, self._source, job=job, device=device, lease=lease, **span)]

    def _cell(self, row: dict[str, str], key: str) -> str:
        column = self._settings.columns.get(key, key)
        if column in row:
            return row[column].strip()
        if key in _NEEDED or key in self._settings.columns:
            raise SourceFailed(f"{self._settings.file} has no column {column!r} for {key}")
        return ""


class _Ahead(AppError):
    """A row whose time has not come: it and all behind it are read again."""


def _place(cursor: str | None) -> _Place | None:
    if cursor is None:
        return None
    said = as_object(read_json(cursor))
    return _Place(as_integer(said["inode"]), as_integer(said["offset"]), as_text(said["header"]))
