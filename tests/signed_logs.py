"""Logs with authors, for tests: keys that are brought and ended, and batches that they sign."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.domain.facility import FacilityTerms
from api.domain.log.answers import ACCEPTED
from api.domain.log.authors import PATHS, NamedKey
from api.domain.log.entry import BLIND_BYTES, NO_LOG, EntryKind, LogEnd, end_of, entry_hash
from api.domain.log.keys import KeyRole, key_body, key_end_body
from api.domain.log.logged import LoggedEntry, logged_entry
from api.domain.log.requests import SignedRequest, read_request, sign_request
from api.domain.units import ZERO32, Bytes32
from tests.logs import batch_entry

TYPES = {
    EntryKind.BATCH: "application/cloudevents-batch+json",
    EntryKind.KEY: "application/json",
    EntryKind.KEY_END: "application/json",
    EntryKind.SUCCESSOR: "application/json",
}


@dataclass
class Signer:
    """A key, always the same of a name, and the entry of its last receipt."""

    name: str
    after: Bytes32 = ZERO32
    key: Ed25519PrivateKey = field(default=None)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.key is None:
            seed = hashlib.sha256(self.name.encode()).digest()
            self.key = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public(self) -> Bytes32:
        """Its public key."""
        return Bytes32(self.key.public_key().public_bytes_raw())


@dataclass
class SignedLog:
    """A log that grows entry by entry. It takes what it is told, right or wrong.

    named: ledger keys that the operator named on-chain.
    begin: where another log ended, behind which this one goes on.
    """

    terms: FacilityTerms
    entries: list[LoggedEntry] = field(default_factory=list)
    named: list[NamedKey] = field(default_factory=list)
    begin: LogEnd = NO_LOG

    @property
    def end(self) -> LogEnd:
        """Where it ends."""
        return end_of([logged.entry for logged in self.entries], self.begin)

    def unsigned(self, events: Sequence[object], *, at_s: int) -> LoggedEntry:
        """A batch that nobody signed."""
        self.entries.append(batch_entry(self.terms, self.end, at_s, events))
        return self.entries[-1]

    def events(
        self, author: Signer, events: Sequence[object], answers: Sequence[int], *, at_s: int
    ) -> LoggedEntry:
        """A batch that somebody signed, with its answers."""
        body = json.dumps(list(events)).encode()
        return self.add(author, EntryKind.BATCH, body, bytes(answers), at_s=at_s)

    def add(
        self,
        author: Signer,
        kind: EntryKind,
        body: bytes,
        answers: bytes = bytes([ACCEPTED]),
        *,
        at_s: int,
        request: SignedRequest | None = None,
        **changes: Any,
    ) -> LoggedEntry:
        """An entry that somebody signed; its author goes on behind it.

        Args:    request: what was signed before, in place of what would be now.
                 changes: of what is signed.
        """
        signed = request or self.request(author, kind, body, **{"created_s": at_s, **changes})
        logged = logged_entry(
            self.terms.log,
            self.end,
            kind,
            body,
            answers=answers,
            recorded_at_s=at_s,
            blind=hashlib.sha256(body).digest()[:BLIND_BYTES],
            request=signed,
        )
        self.entries.append(logged)
        author.after = entry_hash(logged.entry)
        return logged

    def request(
        self, author: Signer, kind: EntryKind, body: bytes, **changes: Any
    ) -> SignedRequest:
        """What an author signs beside a body."""
        values = {
            "path": PATHS[kind],
            "content_type": TYPES[kind],
            "body": body,
            "log": self.terms.log,
            "after": author.after,
            "created_s": 0,
            **changes,
        }
        return read_request(sign_request(author.key, **values), path=values["path"])

    def name(self, ledger: Signer, *, at_s: int) -> None:
        """The operator names a ledger key on-chain."""
        self.named.append(NamedKey(ledger.public, at_s))

    def bring_itself(self, ledger: Signer, *, at_s: int) -> None:
        """A ledger key brings itself into the log."""
        body = key_body(ledger.public, name=ledger.name, role=KeyRole.LEDGER)
        self.add(ledger, EntryKind.KEY, body, at_s=at_s)

    def bring(self, ledger: Signer, collector: Signer, *, at_s: int) -> None:
        """A ledger key names a collector's."""
        body = key_body(collector.public, name=collector.name, role=KeyRole.COLLECTOR)
        self.add(ledger, EntryKind.KEY, body, at_s=at_s)
        collector.after = self.end.head

    def end_key(self, author: Signer, other: Signer, *, at_s: int) -> None:
        """A key ends one."""
        self.add(author, EntryKind.KEY_END, key_end_body(other.public), at_s=at_s)
