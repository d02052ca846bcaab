"""Folders of escrow: of each facility its state, its log line by line, and the log's signed end.

A log's file only grows, line by line and durably: what a writer that was killed left behind is the
beginning of a line, which the next one cuts off. All of it is for its owner's eyes alone.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from api.db.tables.leases import LeaseRow
from api.domain.json_text import as_object, canonical_line, read_json
from api.domain.log.entry import NO_LOG, LogEnd, LogName, end_of
from api.domain.log.logged import LoggedEntry, logged_from
from api.domain.log.receipts import SignedEntry, signed_entry_document, signed_entry_from
from api.domain.statements.evidence import facility_folder
from api.domain.units import FacilityId
from api.errors import AppError, Conflict, EvidenceInvalid, Misconfigured, NotFound
from api.evidence_store import sync_folder
from api.ledger.escrow import EscrowState, lease_from, state_from
from api.rescue.objects import write_owned

_STATE, _LOG, _HEAD = "state.json", "log.jsonl", "head.json"
_PREFIX = "facility-"
_OTHERS = 0o077


class EscrowForked(Conflict):
    """A log does not go on behind the end that its escrow has: it is another log now."""

    code = "escrow_forked"


class EscrowBroken(EvidenceInvalid):
    """A file of an escrow is not what the service gave. `context` names facility and file."""

    code = "escrow_broken"


def facilities_in(folder: Path) -> list[FacilityId]:
    """Facilities of which a folder has an escrow, ascending. Raises NotFound."""
    try:
        names = [path.name for path in folder.iterdir() if path.is_dir()]
    except OSError as error:
        raise NotFound(f"no escrow at {folder}: {error.strerror}") from error
    numbers = [name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX)]
    return sorted(FacilityId(int(each)) for each in numbers if each.isascii() and each.isdigit())


@dataclass(frozen=True, slots=True)
class FacilityEscrow:
    """The folder of one facility."""

    facility_id: FacilityId
    folder: Path

    @property
    def state_file(self) -> Path:
        """Where the state is."""
        return self.folder / _STATE

    @property
    def log_file(self) -> Path:
        """Where the log is."""
        return self.folder / _LOG

    @property
    def head_file(self) -> Path:
        """Where the log's signed end is."""
        return self.folder / _HEAD

    def broken(self, file: Path, why: str) -> EscrowBroken:
        """The error of a file of it."""
        message = f"escrow of facility {self.facility_id}: {file}: {why}"
        return EscrowBroken(message, facility_id=self.facility_id, file=str(file))

    # --- reading --------------------------------------------------------------------------------

    def state(self) -> EscrowState:
        """What the database knew beside the log. Raises EscrowBroken."""
        try:
            state = state_from(self._read(self.state_file))
        except EscrowBroken:
            raise
        except EvidenceInvalid as error:
            raise self.broken(self.state_file, error.message) from error
        if state.facility_id != self.facility_id:
            raise self.broken(self.state_file, f"it is of facility {state.facility_id}")
        return state

    def head(self) -> SignedEntry | None:
        """The newest entry that the log's key signed for it; None without. Raises EscrowBroken."""
        if not self.head_file.exists():
            return None
        try:
            return signed_entry_from(as_object(read_json(self._read(self.head_file))))
        except (EvidenceInvalid, ValueError, TypeError) as error:
            raise self.broken(self.head_file, f"it cannot be read: {error}") from error

    def _read(self, file: Path) -> bytes:
        try:
            return file.read_bytes()
        except OSError as error:
            raise self.broken(file, f"it cannot be read: {error.strerror}") from error

    def lines(self) -> Iterator[LoggedEntry | LeaseRow]:
        """The log's lines, in order; what a writer that was killed began is no line.

        Raises:  EscrowBroken.
        """
        try:
            with self.log_file.open("rb") as lines:
                for number, line in enumerate(lines, start=1):
                    if line.endswith(b"\n"):
                        yield self._line(line, number)
        except FileNotFoundError:
            return
        except OSError as error:
            why = f"it cannot be read: {error.strerror}"
            raise self.broken(self.log_file, why) from error

    def _line(self, line: bytes, number: int) -> LoggedEntry | LeaseRow:
        try:
            document = as_object(read_json(line))
            if document["type"] == "lease":
                return lease_from(self.facility_id, document)
            return logged_from(document)
        except (AppError, ValueError, KeyError, TypeError) as error:
            why = f"line {number} cannot be read: {error!r}"[:300]
            raise self.broken(self.log_file, why) from error

    def entries(
        self, log: LogName | None = None, *, on_lease: Callable[[LeaseRow], None] | None = None
    ) -> Iterator[LoggedEntry]:
        """The log's entries, each behind the one before and whole.

        Args:    log: whose entries they have to be; None for that of the first.
                 on_lease: told of each lease whose names stand between them.
        Raises:  EscrowBroken.
        """
        end = NO_LOG
        for line in self.lines():
            if isinstance(line, LeaseRow):
                if on_lease is not None:
                    on_lease(line)
                continue
            entry = line.entry
            log = entry.log if log is None else log
            if entry.log != log:
                raise self.broken(self.log_file, f"it has an entry of log {entry.log}, not {log}")
            if (entry.number, entry.previous) != (end.size + 1, end.head):
                why = f"behind entry {end.size} comes one that does not follow it: {entry.number}"
                raise self.broken(self.log_file, why)
            try:
                line.require_whole()
            except AppError as error:
                raise self.broken(self.log_file, error.message) from error
            end = end_of([entry], end)
            yield line

    def end(self) -> LogEnd:
        """Where the log ends in it. Raises EscrowBroken."""
        end = NO_LOG
        for logged in self.entries():
            end = end_of([logged.entry], end)
        return end

    # --- writing --------------------------------------------------------------------------------

    def write_state(self, document: Mapping[str, object]) -> None:
        """Put the state in the place of the one before, durably."""
        write_owned(self.state_file, canonical_line(document))

    def write_head(self, head: SignedEntry) -> None:
        """Keep the log's end as its key signed it, in the place of the one before."""
        write_owned(self.head_file, canonical_line(signed_entry_document(head)))


def escrow_of(folder: Path, facility_id: FacilityId) -> FacilityEscrow:
    """The escrow of a facility in a folder of some."""
    return FacilityEscrow(facility_id, folder / facility_folder(facility_id))


def open_folder(folder: Path) -> None:
    """Make a folder that its owner alone may enter. Raises Misconfigured where others may."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & _OTHERS:
        message = f"others may enter {folder}, and an escrow is secret: run `chmod 700` on it"
        raise Misconfigured(message)


class Appender:
    """The one writer of a log's file."""

    def __init__(self, escrow: FacilityEscrow, descriptor: int, end: LogEnd) -> None:
        self._escrow, self._descriptor, self.end = escrow, descriptor, end

    def append(self, documents: Sequence[Mapping[str, object]]) -> None:
        """Add lines behind those that are there, durably. The entries have to follow.

        Raises:  EscrowForked, EscrowBroken; then nothing is added.
        """
        end = self.end
        for document in documents:
            if document.get("type") != "entry":
                continue
            logged = logged_from(document)
            entry = logged.entry
            if (entry.number, entry.previous) != (end.size + 1, end.head):
                message = (
                    f"{self._escrow.log_file} ends with entry {end.size}, and the service's log"
                    " does not go on behind it: keep the file, and tell attesters and holders"
                )
                raise EscrowForked(message, facility_id=self._escrow.facility_id)
            logged.require_whole()
            end = end_of([entry], end)
        data = b"".join(map(canonical_line, documents))
        while data:
            data = data[os.write(self._descriptor, data) :]
        os.fsync(self._descriptor)
        self.end = end


@contextmanager
def appending(folder: Path, facility_id: FacilityId) -> Iterator[tuple[FacilityEscrow, Appender]]:
    """The escrow of a facility to be brought up to date, by one process at a time.

    What a writer that was killed had begun is cut off.
    Raises:  Misconfigured where others may enter, Conflict while another process writes,
             EscrowBroken.
    """
    open_folder(folder)
    escrow = escrow_of(folder, facility_id)
    open_folder(escrow.folder)
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
    descriptor = os.open(escrow.log_file, flags, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"another process writes {escrow.log_file}"
            raise Conflict(message, reason="in_use") from error
        sync_folder(escrow.folder)
        _cut_begun_line(descriptor)
        yield escrow, Appender(escrow, descriptor, escrow.end())
    finally:
        os.close(descriptor)


def _cut_begun_line(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    whole, part = size, 1 << 16
    while whole:
        start = max(0, whole - part)
        found = os.pread(descriptor, whole - start, start).rfind(b"\n")
        if found >= 0:
            whole = start + found + 1
            break
        whole = start
    if whole < size:
        os.ftruncate(descriptor, whole)
        os.fsync(descriptor)
