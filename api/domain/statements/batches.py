"""Entries as evidence shows them: `batches.jsonl`, a line an entry, in the order of the log.

Of entries about keys the body and what was signed are shown too: whose key an author's is, anybody
can see. What was metered stays behind its hash.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from api.domain.json_text import (
    as_bytes32,
    as_integer,
    as_object,
    as_text,
    canonical_line,
    read_json,
)
from api.domain.log.answers import ACCEPTED
from api.domain.log.bodies import pack
from api.domain.log.entry import (
    BLIND_BYTES,
    Entry,
    EntryKind,
    LogEnd,
    LogName,
    end_of,
    require_follows,
)
from api.domain.log.logged import LoggedEntry
from api.domain.log.requests import request_document, request_from
from api.domain.statements.evidence import BATCHES_FILE, hex32
from api.errors import EvidenceInvalid, SignatureRefused

_KINDS = {
    EntryKind.BATCH: "batch",
    EntryKind.KEY: "key",
    EntryKind.KEY_END: "key-end",
    EntryKind.SUCCESSOR: "successor",
}
_BY_NAME = {name: kind for kind, name in _KINDS.items()}


@dataclass(slots=True)
class PublishedEntries:
    """Entries of a log; of those about keys, what stands behind their hashes."""

    entries: list[Entry] = field(default_factory=list)
    about_keys: list[LoggedEntry] = field(default_factory=list)


def encode_entries(entries: Iterable[Entry], about_keys: Iterable[LoggedEntry] = ()) -> bytes:
    """Entries in order of the log, a line each. What each line before it says is left out.

    Args:    about_keys: those of the entries that are about keys.
    """
    whole = {logged.entry.number: logged for logged in about_keys}
    return b"".join(
        canonical_line(
            {
                "entry": entry.number,
                "kind": _KINDS[entry.kind],
                "recorded_at_s": entry.recorded_at_s,
                "author": hex32(entry.author),
                "body": hex32(entry.body),
                "answers": hex32(entry.answers),
                **(_about(whole[entry.number]) if entry.kind is not EntryKind.BATCH else {}),
            }
        )
        for entry in entries
    )


def _about(logged: LoggedEntry) -> dict[str, object]:
    assert logged.request is not None  # of an entry about a key
    return {
        "blind": "0x" + logged.blind.hex(),
        "said": base64.b64encode(logged.body).decode("ascii"),
        "request": request_document(logged.request),
    }


def decode_entries(
    data: bytes, *, log: LogName, before: LogEnd, recorded_at_s: int
) -> PublishedEntries:
    """Read what `encode_entries` wrote.

    Args:    before: where the log ended before.  recorded_at_s: of its last entry then.
    Raises:  EvidenceInvalid naming the line.
    """
    found = PublishedEntries()
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
            found.entries.append(entry)
            if entry.kind is not EntryKind.BATCH:
                found.about_keys.append(_logged(entry, doc))
            end, recorded_at_s = end_of([entry], end), entry.recorded_at_s
    except (
        *(ValueError, KeyError, TypeError, OverflowError),
        *(EvidenceInvalid, SignatureRefused),
    ) as error:
        message = f"{BATCHES_FILE} line {number}: {error}"
        raise EvidenceInvalid(message, file=BATCHES_FILE, line=number) from error
    return found


def _logged(entry: Entry, doc: Mapping[str, object]) -> LoggedEntry:
    """What stands behind the hashes of an entry about a key, checked with its signature."""
    blind = bytes.fromhex(as_text(doc["blind"]).removeprefix("0x"))
    if len(blind) != BLIND_BYTES:
        raise ValueError(f"a blind has {BLIND_BYTES} bytes")
    body = base64.b64decode(as_text(doc["said"]), validate=True)
    logged = LoggedEntry(entry, blind, pack(body), bytes([ACCEPTED]), request_from(doc["request"]))
    logged.require_whole()
    return logged


def _kind(name: str) -> EntryKind:
    if name not in _BY_NAME:
        raise ValueError(f"no entry is of kind {name[:40]!r}")
    return _BY_NAME[name]
