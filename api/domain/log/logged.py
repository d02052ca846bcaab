"""An entry with what stands behind its hashes: what attesters and auditors are given of a log."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.domain.json_text import as_list, as_text, read_json
from api.domain.log.bodies import pack, plain_of, read_plain, unpack
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
from api.domain.log.requests import (
    SignedRequest,
    content_digest,
    request_document,
    request_from,
)
from api.domain.units import Bytes32
from api.errors import AppError, EvidenceInvalid


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """An entry, its body packed, the answers to its events, and what blinds the body.

    Bodies stay packed: many are held at once, and one can be mostly spaces.
    request: what its author signed beside the body; None of one that nobody signed.
    """

    entry: Entry
    blind: bytes
    packed: bytes
    answers: bytes
    request: SignedRequest | None = None

    @property
    def body(self) -> bytes:
        """The body as it was hashed. Raises EvidenceInvalid."""
        try:
            return unpack(self.packed)
        except ValueError as error:
            message = f"{self.where}: {error}"
            raise EvidenceInvalid(message, entry=self.entry.number) from error

    def require_whole(self) -> None:
        """Refuse body or answers that are not what the entry commits to, or a signature that is not
        its author's over them. Raises EvidenceInvalid."""
        body = self.body
        if body_hash(body, blind=self.blind) != self.entry.body:
            raise EvidenceInvalid(f"{self.where}: its body is another", entry=self.entry.number)
        if answers_hash(self.answers) != self.entry.answers:
            raise EvidenceInvalid(f"{self.where}: its answers are others", entry=self.entry.number)
        author = UNSIGNED if self.request is None else self.request.author
        if author != self.entry.author:
            raise EvidenceInvalid(f"{self.where}: its author did not sign", entry=self.entry.number)
        if self.request is not None:
            try:
                self.request.require_signed(content_digest(body), log=self.entry.log)
            except AppError as error:
                message = f"{self.where}: {error.message}"
                raise EvidenceInvalid(message, entry=self.entry.number) from error

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
    request: SignedRequest | None = None,
) -> LoggedEntry:
    """The entry that comes behind the end of a log."""
    entry = Entry(
        log=log,
        number=end.size + 1,
        previous=end.head,
        kind=kind,
        body=body_hash(body, blind=blind),
        author=UNSIGNED if request is None else request.author,
        recorded_at_s=recorded_at_s,
        answers=answers_hash(answers),
    )
    return LoggedEntry(entry, blind, pack(body), answers, request)


def events_of(body: bytes, author: Bytes32) -> Sequence[object]:
    """Events of a body, in order: what was signed is as it was sent; of what nobody signed, those
    alone are there that were accepted. Raises ValueError."""
    if author != UNSIGNED:
        try:
            return read_plain(plain_of(body)).events
        except AppError as error:
            raise ValueError(error.message) from error
    try:
        return as_list(read_json(body))
    except TypeError as error:
        raise ValueError(f"it is no list of events: {error}") from error


def entry_document(logged: LoggedEntry) -> dict[str, object]:
    """An entry as JSON, for attesters and auditors."""
    document: dict[str, object] = {
        "type": "entry",
        "entry": "0x" + encode_entry(logged.entry).hex(),
        "blind": "0x" + logged.blind.hex(),
        "answers": "0x" + logged.answers.hex(),
        "packed": base64.b64encode(logged.packed).decode("ascii"),
    }
    if logged.request is not None:
        document["request"] = request_document(logged.request)
    return document


def logged_from(document: Mapping[str, object]) -> LoggedEntry:
    """Read what `entry_document` wrote.

    Raises:  EvidenceInvalid, SignatureRefused, ValueError, KeyError, TypeError.
    """
    blind = _bytes(document["blind"])
    if len(blind) != BLIND_BYTES:
        raise ValueError(f"a blind has {BLIND_BYTES} bytes")
    return LoggedEntry(
        decode_entry(_bytes(document["entry"])),
        blind,
        base64.b64decode(as_text(document["packed"]), validate=True),
        _bytes(document["answers"]),
        request_from(document["request"]) if "request" in document else None,
    )


def _bytes(value: object) -> bytes:
    return bytes.fromhex(as_text(value).removeprefix("0x"))
