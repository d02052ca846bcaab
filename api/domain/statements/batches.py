"""Entries as evidence shows them: `batches.jsonl`, a line an entry, in the order of the log."""

from collections.abc import Iterable

from api.domain.json_text import (
    as_bytes32,
    as_integer,
    as_object,
    as_text,
    canonical_line,
    read_json,
)
from api.domain.log.entry import Entry, EntryKind, LogEnd, LogName, end_of, require_follows
from api.domain.statements.evidence import BATCHES_FILE, hex32
from api.errors import EvidenceInvalid

_KINDS = {EntryKind.BATCH: "batch", EntryKind.KEY: "key", EntryKind.KEY_END: "key-end"}
_BY_NAME = {name: kind for kind, name in _KINDS.items()}


def encode_entries(entries: Iterable[Entry]) -> bytes:
    """Entries in order of the log, a line each. What each line before it says is left out."""
    return b"".join(
        canonical_line(
            {
                "entry": entry.number,
                "kind": _KINDS[entry.kind],
                "recorded_at_s": entry.recorded_at_s,
                "author": hex32(entry.author),
                "body": hex32(entry.body),
                "answers": hex32(entry.answers),
            }
        )
        for entry in entries
    )


def decode_entries(data: bytes, *, log: LogName, before: LogEnd, recorded_at_s: int) -> list[Entry]:
    """Read what `encode_entries` wrote.

    Args:    before: where the log ended before.  recorded_at_s: of its last entry then.
    Raises:  EvidenceInvalid naming the line.
    """
    entries: list[Entry] = []
    end, number = before, 0
    try:
        for line in data.splitlines():
            number += 1
            doc = as_object(read_json(line))
            entry = Entry(
                log=log,
                number=as_integer(doc["entry"]),
                previous=end.head,
                kind=_kind(as_text(doc["kind"])),
                body=as_bytes32(doc["body"]),
                author=as_bytes32(doc["author"]),
                recorded_at_s=as_integer(doc["recorded_at_s"]),
                answers=as_bytes32(doc["answers"]),
            )
            require_follows(entry, log=log, end=end, at_s=recorded_at_s)
            entries.append(entry)
            end, recorded_at_s = end_of([entry], end), entry.recorded_at_s
    except (ValueError, KeyError, TypeError, OverflowError, EvidenceInvalid) as error:
        message = f"{BATCHES_FILE} line {number}: {error}"
        raise EvidenceInvalid(message, file=BATCHES_FILE, line=number) from error
    return entries


def _kind(name: str) -> EntryKind:
    kind = _BY_NAME.get(name)
    if kind is None:
        raise ValueError(f"no entry is of kind {name[:40]!r}")
    return kind
