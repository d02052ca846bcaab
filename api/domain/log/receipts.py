"""Receipts: what an author is given for a request, signed by the log's own key.

A receipt is the whole entry. Two that differ for one log and number prove a fork, and a log that
ends before one, or has another entry there, is not the log that gave it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.domain.json_text import as_text
from api.domain.log.entry import (
    BLIND_BYTES,
    ENTRY_BYTES,
    Entry,
    answers_hash,
    body_hash,
    decode_entry,
    encode_entry,
)
from api.domain.log.logged import LoggedEntry
from api.domain.log.signers import LogSigners, receipt_bytes
from api.errors import EvidenceInvalid

_SIGNATURE_BYTES = 64
_FIXED_BYTES = ENTRY_BYTES + BLIND_BYTES + _SIGNATURE_BYTES


@dataclass(frozen=True, slots=True)
class SignedEntry:
    """An entry, and the log key's signature over it: of a receipt what anybody may see."""

    entry: Entry
    signature: bytes

    def require_signed(self, signers: LogSigners) -> None:
        """Refuse an entry that no key of the log signed that may. Raises EvidenceInvalid."""
        signers.require_signed(self.entry, self.signature, where=self.where)

    @property
    def where(self) -> str:
        """Its place, for messages."""
        return f"entry {self.entry.number} of log {self.entry.log}"

    def forks(self, other: "SignedEntry") -> bool:
        """Whether both are of one log and number, and of different entries."""
        ours, theirs = self.entry, other.entry
        return (ours.log, ours.number) == (theirs.log, theirs.number) and ours != theirs


@dataclass(frozen=True, slots=True)
class Receipt:
    """An entry as its author was given it. signature: Ed25519, of the log's key."""

    entry: Entry
    blind: bytes
    answers: bytes
    signature: bytes

    def require_signed(self, signers: LogSigners) -> None:
        """Refuse a receipt that no key of the log signed that may, or whose answers are others.

        Raises:  EvidenceInvalid.
        """
        self.require_answers()
        signers.require_signed(self.entry, self.signature, where=self.where)

    def require_answers(self) -> None:
        """Refuse a receipt whose answers are others than its entry's. Raises EvidenceInvalid."""
        if answers_hash(self.answers) != self.entry.answers:
            raise EvidenceInvalid(f"{self.where}: its answers are others than the entry's")

    def require_of(self, body: bytes) -> None:
        """Refuse a receipt that is for another body. Raises EvidenceInvalid."""
        if body_hash(body, blind=self.blind) != self.entry.body:
            raise EvidenceInvalid(f"{self.where}: it is for another body than the one sent")

    @property
    def where(self) -> str:
        """Its place, for messages."""
        return f"receipt of entry {self.entry.number} of log {self.entry.log}"


def receipt_of(logged: LoggedEntry, key: Ed25519PrivateKey) -> Receipt:
    """The receipt of an entry, once it is durable."""
    signature = key.sign(receipt_bytes(logged.entry))
    return Receipt(logged.entry, logged.blind, logged.answers, signature)


def signed_entry_of(logged: LoggedEntry, key: Ed25519PrivateKey) -> SignedEntry:
    """A durable entry, signed by the log's key."""
    return SignedEntry(logged.entry, key.sign(receipt_bytes(logged.entry)))


def signed_entry_document(signed: SignedEntry) -> dict[str, str]:
    """A signed entry as JSON."""
    return {
        "entry": "0x" + encode_entry(signed.entry).hex(),
        "signature": "0x" + signed.signature.hex(),
    }


def signed_entry_from(document: Mapping[str, object]) -> SignedEntry:
    """Read what `signed_entry_document` wrote. Raises EvidenceInvalid."""
    entry, signature = _bytes_of(document, "entry", "signature")
    return SignedEntry(decode_entry(entry), signature)


def pack_receipt(receipt: Receipt) -> bytes:
    """A receipt in the fewest bytes: entry, blind, signature, answers; half of its JSON."""
    return encode_entry(receipt.entry) + receipt.blind + receipt.signature + receipt.answers


def unpack_receipt(packed: bytes) -> Receipt:
    """Read what `pack_receipt` wrote. Raises EvidenceInvalid."""
    if len(packed) < _FIXED_BYTES:
        raise EvidenceInvalid(f"a packed receipt has {_FIXED_BYTES} bytes, and one an event")
    entry, rest = packed[:ENTRY_BYTES], packed[ENTRY_BYTES:]
    blind, rest = rest[:BLIND_BYTES], rest[BLIND_BYTES:]
    signature, answers = rest[:_SIGNATURE_BYTES], rest[_SIGNATURE_BYTES:]
    return Receipt(decode_entry(entry), blind, answers, signature)


def receipt_document(receipt: Receipt) -> dict[str, str]:
    """A receipt as JSON."""
    return {
        "entry": "0x" + encode_entry(receipt.entry).hex(),
        "blind": "0x" + receipt.blind.hex(),
        "answers": "0x" + receipt.answers.hex(),
        "signature": "0x" + receipt.signature.hex(),
    }


def receipt_from(document: Mapping[str, object]) -> Receipt:
    """Read what `receipt_document` wrote. Raises EvidenceInvalid."""
    names = ("entry", "blind", "answers", "signature")
    entry, blind, answers, signature = _bytes_of(document, *names)
    if len(blind) != BLIND_BYTES:
        raise EvidenceInvalid(f"a receipt's blind has {BLIND_BYTES} bytes")
    return Receipt(decode_entry(entry), blind, answers, signature)


def _bytes_of(document: Mapping[str, object], *names: str) -> list[bytes]:
    try:
        return [bytes.fromhex(as_text(document[name]).removeprefix("0x")) for name in names]
    except (ValueError, KeyError, TypeError) as error:
        raise EvidenceInvalid(f"a receipt cannot be read: {error!r}") from error
