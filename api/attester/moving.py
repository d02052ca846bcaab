"""Moving a memory to another machine: an export stops its signer, an import goes on from it."""

import secrets
from collections.abc import Callable, Iterable, Sequence

from api.attester.memory import SignedMemory
from api.attester.memory_rows import (
    BROKEN_ROW,
    Begun,
    Bound,
    Moved,
    Row,
    Signed,
    decode_row,
    encode_row,
)
from api.domain.log.entry import Entry, LogEnd, entry_hash
from api.domain.statements.evidence import hex32
from api.domain.units import Epoch, FacilityId
from api.errors import Conflict, InvalidInput

# Whether the log of a facility that ends at the second end holds the first one.
Extends = Callable[[FacilityId, LogEnd, LogEnd], bool]
_ID_BYTES = 16


def export_memory(memory: SignedMemory, *, now_s: int) -> bytes:
    """Stop a signer for good, then give out what it knows.

    The stop is on the disk before a byte is given out. Asked again, the same export comes out: a
    document that was lost on its way is no reason to sign from the old file.
    Raises:  Misconfigured if the file cannot be written, Conflict where an import was cut off.
    """
    moved = memory.exported
    if moved is not None and moved.kind != "exported":
        raise Conflict("an import into this memory was cut off: import again, then export")
    if moved is None:
        moved = Moved("exported", secrets.token_hex(_ID_BYTES), now_s, len(memory.rows))
        memory.write([moved])
    rows = memory.rows
    return b"".join(encode_row(memory.bound, row) for row in rows[: rows.index(moved) + 1])


def read_export(document: bytes, bound: Bound) -> tuple[Sequence[Row], Moved]:
    """Rows of an export, and its end.

    Raises:  InvalidInput if it is none, is not whole, or is of another key or deployment.
    """
    whole, _, cut = document.rpartition(b"\n")
    try:
        lines = [decode_row(line) for line in whole.splitlines()]
    except BROKEN_ROW as error:
        raise InvalidInput("this is no export of an attester's memory", field="file") from error
    for whose, _row in lines:
        if whose != bound:
            message = f"this is the memory of {whose.sentence()}, not of {bound.sentence()}"
            raise InvalidInput(message, field="file")
    rows = [row for _whose, row in lines]
    end = rows[-1] if rows else None
    if cut or not isinstance(end, Moved) or end.kind != "exported" or end.rows != len(rows) - 1:
        message = (
            "this is no whole export: make one with `rentroll attester memory export`, so that"
            " the signer there stops"
        )
        raise InvalidInput(message, field="file")
    return rows[:-1], end


def import_memory(
    memory: SignedMemory, document: bytes, *, extends: Extends, now_s: int
) -> list[FacilityId]:
    """Take over what an export knows, the higher of each; the signer then goes on from there.

    Killed in between, it does not sign until the same export was imported again.

    Args:    extends: asked only where neither memory shows by itself that its log goes on from the
             other's.
    Returns: facilities that the export knows.
    Raises:  InvalidInput for what is no export of this key and deployment; Conflict for one that
             came before or was made from this file, and for logs of which none extends the other;
             ChainUnavailable where the service has to be asked and does not answer.
    """
    rows, end = read_export(document, memory.bound)
    _require_new(memory, end)
    theirs = SignedMemory(None, memory.bound)
    theirs.write(row for row in rows if not isinstance(row, Moved))
    for facility_id in theirs.facilities:
        _require_one_log(facility_id, memory, theirs=theirs, extends=extends)
    stopped = memory.exported
    if stopped is None or stopped.kind == "exported":
        memory.write([Moved("importing", end.id, now_s, len(rows))])
    elif stopped.id != end.id:
        raise Conflict("the import of another export was cut off here: finish that one first")
    memory.write(_lacking(memory, theirs=theirs))
    memory.write([Moved("imported", end.id, now_s, len(rows))])
    return theirs.facilities


def _require_new(memory: SignedMemory, end: Moved) -> None:
    before = [row for row in memory.rows if isinstance(row, Moved) and row.id == end.id]
    if any(row.kind == "exported" for row in before):
        message = (
            "this export was made from this very file, whose signer it stopped: what was signed"
            " since, if it was imported elsewhere, only that file knows"
        )
        raise Conflict(message)
    if any(row.kind == "imported" for row in before):
        raise Conflict("this export was imported into this memory before")


def _require_one_log(
    facility_id: FacilityId, ours: SignedMemory, *, theirs: SignedMemory, extends: Extends
) -> None:
    own, other = ours.log_ends(facility_id), theirs.log_ends(facility_id)
    for size in own.keys() & other.keys():
        if own[size] != other[size]:
            message = (
                f"two logs of facility {facility_id}: entry {size} is {hex32(own[size])} here"
                f" and {hex32(other[size])} in the export, and none extends the other"
            )
            raise Conflict(message)
    lower, higher = sorted(
        (ours.log_end(facility_id), theirs.log_end(facility_id)), key=lambda end: end.size
    )
    # Whoever signed over the higher end had seen that it extends each end that it signed before.
    if lower.size in (0, higher.size) or {own.get(lower.size), other.get(lower.size)} == {
        lower.head
    }:
        return
    if not extends(facility_id, lower, higher):
        message = (
            f"two logs of facility {facility_id}: the one with {higher.size} entries does not"
            f" hold entry {lower.size} of the other, so that none extends the other"
        )
        raise Conflict(message)


def _lacking(ours: SignedMemory, *, theirs: SignedMemory) -> list[Row]:
    """What the other one knows and this one does not."""
    known = {(row.place, row.statement) for row in ours.rows if isinstance(row, Signed)}
    lacking: list[Row] = [
        row
        for row in theirs.rows
        if isinstance(row, Signed) and (row.place, row.statement) not in known
    ]
    begun = [row for row in theirs.rows if isinstance(row, Begun)]
    lacking += [row for row in begun if row.epoch > (ours.begun(row.facility_id) or Epoch(0))]
    return lacking


def holds(entries: Iterable[Entry], *ends: LogEnd) -> bool:
    """Whether a log, read from its first entry, passes through some ends."""
    wanted = {end.size: end.head for end in ends}
    last, found = LogEnd(), 0
    for entry in entries:
        if entry.number != last.size + 1 or entry.previous != last.head:
            return False
        last = LogEnd(entry.number, entry_hash(entry))
        found += wanted.get(last.size) == last.head
    return found == len(wanted)
