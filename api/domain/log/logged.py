"""An entry with what stands behind its hashes: what attesters and auditors are given of a log."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from api.domain.json_text import as_list, as_text, read_json
from api.domain.log.entry import (
    BLIND_BYTES,
    UNSIGNED,
    Entry,
    EntryKind,
    LogEnd,
    LogName,
    answers_hash,
    body_hash,
    decode_entry,
    encode_entry,
)
from api.domain.units import Bytes32
from api.errors import EvidenceInvalid


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """An entry, the bytes of its body, the answers to its events, and what blinds the body."""

    entry: Entry
    blind: bytes
    body: bytes
    answers: bytes

    def require_whole(self) -> None:
        """Refuse body or answers that are not what the entry commits to. Raises EvidenceInvalid."""
        if body_hash(self.body, blind=self.blind) != self.entry.body:
            raise EvidenceInvalid(f"{self.where}: its body is another", entry=self.entry.number)
        if answers_hash(self.answers) != self.entry.answers:
            raise EvidenceInvalid(f"{self.where}: its answers are others", entry=self.entry.number)

    @property
    def where(self) -> str:
        """Its place, for messages."""
        return f"entry {self.entry.number} of the log"


def logged_entry(
    log: LogName,
    end: LogEnd,
    kind: EntryKind,
    body: bytes,
    *,
    answers: bytes,
    recorded_at_s: int,
    blind: bytes,
    author: Bytes32 = UNSIGNED,
) -> LoggedEntry:
    """The entry that comes behind the end of a log."""
    entry = Entry(
        log=log,
        number=end.size + 1,
        previous=end.head,
        kind=kind,
        body=body_hash(body, blind=blind),
        author=author,
        recorded_at_s=recorded_at_s,
        answers=answers_hash(answers),
    )
    return LoggedEntry(entry, blind, body, answers)


def events_of(body: bytes) -> Sequence[object]:
    """Events of a body that nobody signed: those alone that were accepted. Raises ValueError."""
    try:
        return as_list(read_json(body))
    except TypeError as error:
        raise ValueError(f"it is no list of events: {error}") from error


def entry_document(logged: LoggedEntry) -> dict[str, str]:
    """An entry as JSON, for attesters and auditors."""
    return {
        "type": "entry",
        "entry": "0x" + encode_entry(logged.entry).hex(),
        "blind": "0x" + logged.blind.hex(),
        "answers": "0x" + logged.answers.hex(),
        "body": base64.b64encode(logged.body).decode("ascii"),
    }


def logged_from(document: dict[str, object]) -> LoggedEntry:
    """Read what `entry_document` wrote. Raises EvidenceInvalid, ValueError, KeyError, TypeError."""
    blind = _bytes(document["blind"])
    if len(blind) != BLIND_BYTES:
        raise ValueError(f"a blind has {BLIND_BYTES} bytes")
    return LoggedEntry(
        decode_entry(_bytes(document["entry"])),
        blind,
        base64.b64decode(as_text(document["body"]), validate=True),
        _bytes(document["answers"]),
    )


def _bytes(value: object) -> bytes:
    return bytes.fromhex(as_text(value).removeprefix("0x"))
