"""A facility's log that signs receipts, and lies as it is told."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.agent.flights import Flight, Flights, Result
from api.agent.signing import KeySigner, Logs
from api.agent.spool import Spool
from api.domain.log.answers import ACCEPTED
from api.domain.log.entry import (
    NO_LOG,
    Entry,
    EntryKind,
    LogName,
    answers_hash,
    body_hash,
    end_of,
)
from api.domain.log.receipts import Receipt, pack_receipt, receipt_document
from api.domain.log.requests import key_text
from api.domain.log.signers import receipt_bytes
from api.domain.units import Address, Bytes32, FacilityId
from tests.factories import Clock

LOG = LogName(31_337, Address("0x" + "ab" * 20), FacilityId(1))
BLIND = b"b" * 16


def raw_key(key: Ed25519PrivateKey) -> Bytes32:
    """The public half of a key."""
    return Bytes32(key.public_key().public_bytes_raw())


@dataclass
class SignedLog:
    """A log with a key of its own. Each receipt is of an entry that it has then."""

    name: LogName = LOG
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    entries: list[Entry] = field(default_factory=list)
    asked: int = 0

    def said(self, facility: int) -> bytes:
        """What the service says of it."""
        self.asked += 1
        return orjson.dumps({"log": str(self.name), "log_key": key_text(raw_key(self.key))})

    def take(
        self,
        body: bytes,
        author: Bytes32,
        *,
        answers: bytes = bytes([ACCEPTED]),
        kind: EntryKind = EntryKind.BATCH,
        at_s: int = 1_000,
        **changes: Any,
    ) -> Receipt:
        """Record a body; returns its receipt. changes: of the entry."""
        end = end_of(self.entries, NO_LOG)
        entry = Entry(
            log=self.name,
            number=end.size + 1,
            previous=end.head,
            kind=kind,
            body=body_hash(body, blind=BLIND),
            author=author,
            recorded_at_s=at_s,
            answers=answers_hash(answers),
        )
        self.entries.append(replace(entry, **changes))
        signature = self.key.sign(receipt_bytes(self.entries[-1]))
        return Receipt(self.entries[-1], BLIND, answers, signature)


@dataclass
class Signing:
    """A signer, its spool and clock, and the log that it writes to."""

    spool: Spool
    log: SignedLog = field(default_factory=SignedLog)
    clock: Clock = field(default_factory=lambda: Clock(1_000))
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    pinned: str | None = None

    @property
    def public(self) -> Bytes32:
        """The agent's public key."""
        return raw_key(self.key)

    def signer(self, ask: Callable[[int], bytes] | None = None) -> KeySigner:
        """A signer as a new process has it."""
        logs = Logs(self.spool, ask or self.log.said, key=self.pinned)
        return KeySigner(self.key, logs, self.clock)

    def flight(self, body: bytes = b"[{}]", after: Receipt | None = None) -> Flight:
        """A body under way, behind a receipt."""
        packed = b"" if after is None else pack_receipt(after)
        return Flight(str(LOG), self.signer().author, 1, (1,), body, packed)

    def next(self) -> Flight:
        """What the spool sends next."""
        flight = Flights(self.spool).next(1, log=str(LOG), author=self.signer().author)
        assert flight is not None
        return flight


def answer(receipt: Receipt, **changes: Any) -> dict[str, Any]:
    """What the service answers. changes: of the receipt."""
    return {"receipt": receipt_document(replace(receipt, **changes))}


def accepted(count: int = 1) -> list[Result]:
    """Results of events that were taken."""
    return [Result("accepted")] * count
