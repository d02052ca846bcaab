"""What an attester signed, kept in a file: whoever signs two rival statements can be charged.

With each statement the end of the log that it rests on, so that no later log can be another.
"""

import fcntl
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from api.attester.memory_rows import (
    BROKEN_ROW,
    Begun,
    Bound,
    Moved,
    Place,
    Row,
    Signed,
    Whose,
    decode_row,
    encode_row,
    signed_row,
)
from api.domain.log.entry import NO_LOG, LogEnd
from api.domain.log.receipts import SignedEntry
from api.domain.metering.instants import format_instant
from api.domain.statements.statement import Statement, statement_hash
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import Misconfigured

_MODE = 0o600


class SignedMemory:
    """Statements that one account signed for one deployment, by facility, epoch and previous one.

    A line of JSON each, in a file of one process: a line is on the disk before what it says is
    signed. Without a file, what was signed is forgotten with the process. A file that cannot be
    used, or is another's, raises Misconfigured; so does one that was exported, when it shall sign.
    """

    def __init__(self, file: Path | None, bound: Bound) -> None:
        self.bound = bound
        self._file = file
        self._out: int | None = None
        self._length = 0
        self._rows: list[Row] = []
        self._signed: dict[Place, set[Bytes32]] = {}
        self._logs: dict[FacilityId, dict[int, Bytes32]] = {}
        self._ends: dict[tuple[FacilityId, int], SignedEntry] = {}
        self._begun: dict[FacilityId, Epoch] = {}
        self._moved: Moved | None = None
        if file is None:
            return
        try:
            self._open(file)
        except BlockingIOError as error:
            self.close()
            message = f"another process uses the attester's memory {file}"
            raise Misconfigured(message) from error
        except (OSError, *BROKEN_ROW) as error:
            self.close()
            raise Misconfigured(f"the attester's memory {file} is not usable: {error!r}") from error
        except Misconfigured:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        if self._out is not None:
            os.close(self._out)
            self._out = None

    def _open(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._out = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, _MODE)
        # Two processes with one key would not know what the other signed.
        fcntl.flock(self._out, fcntl.LOCK_EX | fcntl.LOCK_NB)
        data = _all_of(self._out)
        # What a crash cut off was never signed: a line is whole on the disk before.
        whole, end, cut = data.rpartition(b"\n")
        self._length = len(whole) + len(end)
        for line in whole.splitlines():
            bound, row = decode_row(line)
            if bound != self.bound:
                message = (
                    f"{file} is the memory of {bound.sentence()}; this attester is"
                    f" {self.bound.sentence()}: each has a file of its own"
                )
                raise Misconfigured(message)
            self._keep(row)
        if cut:
            os.ftruncate(self._out, self._length)
            os.fsync(self._out)
        if not self._rows:
            self._write(Whose())
            # The name is durable only once its folder is.
            folder = os.open(file.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _keep(self, row: Row) -> None:
        self._rows.append(row)
        if isinstance(row, Signed):
            self._signed.setdefault(row.place, set()).add(row.statement)
            if row.log != NO_LOG:
                self._logs.setdefault(row.place.facility_id, {})[row.log.size] = row.log.head
            if row.end is not None:
                self._ends[row.place.facility_id, row.log.size] = row.end
        elif isinstance(row, Begun):
            known = self._begun.get(row.facility_id, Epoch(0))
            self._begun[row.facility_id] = max(known, row.epoch)
        elif isinstance(row, Moved):
            self._moved = row

    # --- what is known --------------------------------------------------------------------------

    @property
    def rows(self) -> list[Row]:
        """All rows in order."""
        return list(self._rows)

    @property
    def exported(self) -> Moved | None:
        """The export that stopped this signer, or the import that was cut off; None if it may
        sign."""
        moved = self._moved
        return None if moved is None or moved.kind == "imported" else moved

    @property
    def facilities(self) -> list[FacilityId]:
        """Facilities of which something was signed."""
        return sorted({place.facility_id for place in self._signed})

    def log_end(self, facility_id: FacilityId) -> LogEnd:
        """The furthest end of a facility's log that was signed over."""
        ends = self.log_ends(facility_id)
        size = max(ends, default=0)
        return LogEnd(size, ends[size]) if size else NO_LOG

    def log_ends(self, facility_id: FacilityId) -> dict[int, Bytes32]:
        """All ends of a facility's log that were signed over: hashes by size."""
        return dict(self._logs.get(facility_id, {}))

    def signed_end(self, facility_id: FacilityId, size: int) -> SignedEntry | None:
        """An end of a facility's log that was signed over, as the log's key signed it."""
        return self._ends.get((facility_id, size))

    def begun(self, facility_id: FacilityId) -> Epoch | None:
        """First epoch of a facility of which this memory would know a rival; None if the facility
        is new to it."""
        if facility_id in self._begun:
            return self._begun[facility_id]
        known = any(place.facility_id == facility_id for place in self._signed)
        return Epoch(0) if known else None

    def has_signed(self, facility_id: FacilityId, epoch: Epoch, hashed: Bytes32) -> bool:
        """Whether a statement of an epoch was signed."""
        return any(
            (place.facility_id, place.epoch) == (facility_id, epoch) and hashed in signed
            for place, signed in self._signed.items()
        )

    def rivals(self, statement: Statement) -> list[Bytes32]:
        """Hashes of other statements of the same place that were signed, ascending."""
        place = signed_row(statement, NO_LOG).place
        return sorted(self._signed.get(place, set()) - {statement_hash(statement)})

    # --- what is added --------------------------------------------------------------------------

    def require_active(self) -> None:
        """Refuse to sign from a memory that was exported. Raises Misconfigured."""
        moved = self.exported
        if moved is not None and moved.kind == "importing":
            raise Misconfigured("an import into this memory was cut off: import again")
        if moved is not None:
            message = (
                f"this memory was exported at {format_instant(moved.at_s)}: it signs no more."
                " Import a newer export, or use the file where that one went"
            )
            raise Misconfigured(message)

    def begin(self, facility_id: FacilityId, epoch: Epoch) -> None:
        """Keep from which epoch on a facility is signed. Raises Misconfigured."""
        self.require_active()
        self._write(Begun(facility_id, epoch))

    def remember(
        self, statement: Statement, log: LogEnd = NO_LOG, end: SignedEntry | None = None
    ) -> None:
        """Keep a statement, and the log's end that it rests on, before it is signed: no crash
        forgets it. Raises Misconfigured."""
        self.require_active()
        row = signed_row(statement, log, end)
        if row.statement not in self._signed.get(row.place, set()):
            self._write(row)

    def write(self, rows: Iterable[Row]) -> None:
        """Add rows of another file. Raises Misconfigured."""
        for row in rows:
            self._write(row)

    def _write(self, row: Row) -> None:
        if self._file is not None:
            self._append(encode_row(self.bound, row))
        self._keep(row)

    def _append(self, line: bytes) -> None:
        if self._out is None:
            raise Misconfigured("the attester's memory is closed")
        try:
            if not os.path.samestat(os.fstat(self._out), os.stat(self._file or "")):
                raise OSError("another file is in its place")
            written = 0
            while written < len(line):
                written += os.write(self._out, line[written:])
            os.fsync(self._out)
        except OSError as error:
            # Half a line would spoil the next one. What is not known to be on the disk is not
            # written over: after this only a fresh start goes on.
            with suppress(OSError):
                os.ftruncate(self._out, self._length)
            self.close()
            message = f"the attester's memory cannot be written: {error}"
            raise Misconfigured(message) from error
        self._length += len(line)


def peek(file: Path, bound: Bound) -> tuple[list[Row], bool]:
    """Rows of a memory, and whether a process holds it; nothing is changed.

    Raises:  Misconfigured for what is no memory of this key and deployment; OSError if there is no
             such file.
    """
    descriptor = os.open(file, os.O_RDONLY)
    try:
        held = False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            held = True
        whole, _, _cut = _all_of(descriptor).rpartition(b"\n")
    finally:
        os.close(descriptor)
    try:
        lines = [decode_row(line) for line in whole.splitlines()]
    except BROKEN_ROW as error:
        raise Misconfigured(f"the attester's memory {file} is not usable: {error!r}") from error
    for whose, _row in lines:
        if whose != bound:
            message = f"{file} is the memory of {whose.sentence()}, not of {bound.sentence()}"
            raise Misconfigured(message)
    return [row for _whose, row in lines], held


def _all_of(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    parts = []
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    return b"".join(parts)
