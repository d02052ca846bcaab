"""An entry of a facility's log: 197 bytes that say what was recorded, when, of whom, behind what.

Whoever has the newest entry has a commitment to all: each holds the hash of the one before. What
was said stands as a blinded hash, so that entries can be public and their bodies need not be.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from api.domain.hashing import sha256
from api.domain.units import MAX_I64, ZERO32, Address, Bytes32, FacilityId
from api.errors import EvidenceInvalid

_ENTRY_TAG = b"rentroll/entry/1"
_BODY_TAG = b"rentroll/body/1"
ENTRY_BYTES = 197
BLIND_BYTES = 16
_LOG_NAME = re.compile("(0|[1-9][0-9]{0,18}):(0x[0-9a-f]{40}):(0|[1-9][0-9]{0,18})")
# Nobody signed it: an API key or a session vouches for it, to the service alone.
UNSIGNED = ZERO32


class EntryKind(IntEnum):
    """What the body of an entry is. Numbers never change; 2 and 5 are kept for what may come."""

    BATCH = 1  # events of one request
    KEY = 3  # a key that may sign from here on
    KEY_END = 4  # a key that may not, from here on
    SUCCESSOR = 6  # the key that signs receipts in place of the log's own, from here on


@dataclass(frozen=True, slots=True)
class LogName:
    """Which log: of a facility, by the chain and the registry that know it."""

    chain_id: int
    registry: Address
    facility_id: FacilityId

    def __str__(self) -> str:
        return f"{self.chain_id}:{self.registry.lower()}:{self.facility_id}"


def log_name(text: str) -> LogName:
    """Read a log's name, as `str` writes it. Raises ValueError."""
    found = _LOG_NAME.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:100]!r} names no log")
    return LogName(int(found[1]), Address(found[2]), FacilityId(int(found[3])))


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry.

    number: from 1.  previous: hash of the entry before, 32 zero bytes for the first.
    body: `body_hash`.  author: Ed25519 public key, or UNSIGNED.  answers: `answers_hash`.
    """

    log: LogName
    number: int
    previous: Bytes32
    kind: EntryKind
    body: Bytes32
    author: Bytes32
    recorded_at_s: int
    answers: Bytes32


def body_hash(body: bytes, *, blind: bytes) -> Bytes32:
    """What an entry says of its body: a hash that nobody can find by trying bodies."""
    return Bytes32(hashlib.sha256(_BODY_TAG + blind + sha256(body)).digest())


def answers_hash(answers: bytes) -> Bytes32:
    """What an entry says of the answers to its body, a byte an event."""
    return sha256(answers)


def encode_entry(entry: Entry) -> bytes:
    """The 197 bytes of an entry, big-endian."""
    log = entry.log
    return b"".join(
        (
            _ENTRY_TAG,
            log.chain_id.to_bytes(8, "big"),
            bytes.fromhex(log.registry[2:]),
            log.facility_id.to_bytes(8, "big"),
            entry.number.to_bytes(8, "big"),
            entry.previous,
            entry.kind.to_bytes(1, "big"),
            entry.body,
            entry.author,
            entry.recorded_at_s.to_bytes(8, "big"),
            entry.answers,
        )
    )


def entry_hash(entry: Entry) -> Bytes32:
    """SHA-256 of an entry: what the next one names, and the log's head while there is none."""
    return sha256(encode_entry(entry))


def decode_entry(data: bytes) -> Entry:
    """Read 197 bytes. Raises EvidenceInvalid."""
    if len(data) != ENTRY_BYTES or not data.startswith(_ENTRY_TAG):
        message = f"an entry has {ENTRY_BYTES} bytes and begins with {_ENTRY_TAG.decode()}"
        raise EvidenceInvalid(message)
    chain_id, registry, facility, number, previous, kind, body, author, second, answers = _cut(
        data[len(_ENTRY_TAG) :], (8, 20, 8, 8, 32, 1, 32, 32, 8, 32)
    )
    numbers = [int.from_bytes(each, "big") for each in (chain_id, facility, number, second)]
    if max(numbers) > MAX_I64:
        raise EvidenceInvalid("an entry holds a number beyond 63 bits")
    try:
        known = EntryKind(kind[0])
    except ValueError as error:
        raise EvidenceInvalid(f"no entry is of kind {kind[0]}") from error
    return Entry(
        log=LogName(numbers[0], Address("0x" + registry.hex()), FacilityId(numbers[1])),
        number=numbers[2],
        previous=Bytes32(previous),
        kind=known,
        body=Bytes32(body),
        author=Bytes32(author),
        recorded_at_s=numbers[3],
        answers=Bytes32(answers),
    )


def _cut(data: bytes, lengths: Sequence[int]) -> list[bytes]:
    parts, start = [], 0
    for length in lengths:
        parts.append(data[start : start + length])
        start += length
    return parts


@dataclass(frozen=True, slots=True)
class LogEnd:
    """Where a log ends, or ended.

    size: number of its newest entry.  head: hash of that entry, 32 zero bytes without any.
    """

    size: int = 0
    head: Bytes32 = ZERO32


NO_LOG = LogEnd()


def end_of(entries: Sequence[Entry], before: LogEnd) -> LogEnd:
    """Where a log ends that has some more entries."""
    return LogEnd(entries[-1].number, entry_hash(entries[-1])) if entries else before


def require_follows(entry: Entry, *, log: LogName, end: LogEnd, at_s: int) -> None:
    """Refuse an entry that does not come behind the end of a log, recorded at a time.

    Raises:  EvidenceInvalid.
    """
    where = f"entry {entry.number} of log {log}"
    if entry.log != log:
        raise EvidenceInvalid(f"{where}: it is of another log, {entry.log}", entry=entry.number)
    if entry.number != end.size + 1:
        raise EvidenceInvalid(f"{where}: entry {end.size + 1} comes next", entry=entry.number)
    if entry.previous != end.head:
        message = f"{where}: it does not name the hash of the entry before"
        raise EvidenceInvalid(message, entry=entry.number)
    if entry.recorded_at_s < at_s:
        message = f"{where}: it was recorded before the entry before"
        raise EvidenceInvalid(message, entry=entry.number)
    if entry.kind is not EntryKind.BATCH and entry.author == UNSIGNED:
        message = f"{where}: it is about a key, and nobody signed it"
        raise EvidenceInvalid(message, entry=entry.number)
