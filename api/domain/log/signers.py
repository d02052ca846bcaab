"""Which key signs receipts of an entry: the key of `facility.json`, and those that follow it.

A key signs receipts of entries up to the one that names its successor, and none behind it. Its
successor may sign receipts of earlier entries too: whoever has the log then has that key.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from api.domain.json_text import as_list, as_object
from api.domain.log.authors import PATHS
from api.domain.log.ed25519 import holds
from api.domain.log.entry import Entry, EntryKind, LogName, entry_hash
from api.domain.log.keys import KeyRole, LogKeys, read_key_body
from api.domain.log.logged import LoggedEntry, logged_from
from api.domain.log.requests import key_text
from api.domain.units import ZERO32, Bytes32
from api.errors import EvidenceInvalid

_TAG = b"rentroll/receipt/1"


def receipt_bytes(entry: Entry) -> bytes:
    """What the log's key signs."""
    return _TAG + entry_hash(entry)


@dataclass(frozen=True, slots=True)
class LogSigner:
    """A log's own key. until: the entry that names its successor; None of the present one."""

    key: Bytes32
    until: int | None = None

    def signs(self, number: int) -> bool:
        """Whether it may sign receipts of an entry."""
        return self.until is None or number <= self.until


@dataclass(frozen=True, slots=True)
class LogSigners:
    """The keys of one log that sign receipts, in order; the last one is the present one."""

    signers: Sequence[LogSigner]

    @property
    def present(self) -> Bytes32:
        """The key that signs now."""
        return self.signers[-1].key

    def __iter__(self) -> Iterator[LogSigner]:
        return iter(self.signers)

    def signer_of(self, entry: Entry, signature: bytes) -> LogSigner | None:
        """Whose signature over an entry it is, whether or not that key may sign it."""
        message = receipt_bytes(entry)
        found = (s for s in reversed(self.signers) if holds(signature, message, key=s.key))
        return next(found, None)

    def require_signer(self, entry: Entry, signature: bytes, *, where: str) -> LogSigner:
        """Refuse what no key of the log signed. One that signs behind its end proves a fork by it,
        as two entries of one number do. Raises EvidenceInvalid."""
        signer = self.signer_of(entry, signature)
        if signer is None:
            raise EvidenceInvalid(f"{where}: the log's key did not sign it", entry=entry.number)
        return signer

    def require_signed(self, entry: Entry, signature: bytes, *, where: str) -> None:
        """Refuse an entry that no key signed that may. Raises EvidenceInvalid."""
        signer = self.require_signer(entry, signature, where=where)
        if not signer.signs(entry.number):
            message = (
                f"{where}: key {key_text(signer.key)} signed it, which entry {signer.until}"
                " replaced by another"
            )
            raise EvidenceInvalid(message, entry=entry.number)

    def followed(
        self, logged: LoggedEntry, *, log: LogName, believes: Callable[[Bytes32, Bytes32], bool]
    ) -> "LogSigners":
        """These, and the one that an entry names, as somebody shows it who has not the log.

        The key before proves its successor by its own signature. Of a ledger key's, nobody sees
        here whether the operator's address names it.
        Args:    believes: whether another author's word counts for a key; (author, key).
        Raises:  EvidenceInvalid, and what says that the entry does not hold.
        """
        entry, before = logged.entry, self.signers[-1]
        if entry.log != log:
            raise EvidenceInvalid(f"{logged.where} is of log {entry.log}, not of {log}")
        logged.require_whole()
        request = logged.request
        if request is None or entry.kind is not EntryKind.SUCCESSOR:
            raise EvidenceInvalid(f"{logged.where} names no successor of the log's key")
        if not request.path.endswith(PATHS[entry.kind]):
            raise EvidenceInvalid(f"{logged.where}: it was signed for another path")
        key = read_key_body(logged.body, entry.kind).key
        if entry.number <= max((s.until or 0 for s in self.signers), default=0):
            raise EvidenceInvalid(f"{logged.where}: it is not behind the one before")
        if any(key == signer.key for signer in self.signers):
            raise EvidenceInvalid(f"{logged.where}: it names a key that the log had before")
        if entry.author != before.key and not believes(entry.author, key):
            message = (
                f"{logged.where}: key {key_text(entry.author)} names {key_text(key)} for the log,"
                f" and the log's key {key_text(before.key)} did not"
            )
            raise EvidenceInvalid(message, entry=entry.number)
        ended = LogSigner(before.key, entry.number)
        return LogSigners((*self.signers[:-1], ended, LogSigner(key)))


def shown_successors(document: Mapping[str, object]) -> list[LoggedEntry]:
    """Entries that name successors, as `GET /v1/facilities/{id}/log` shows them, in order; none
    of a service that knows of none.

    Raises:  EvidenceInvalid, SignatureRefused, ValueError, KeyError, TypeError.
    """
    return [logged_from(as_object(each)) for each in as_list(document.get("successors", []))]


def only(log_key: Bytes32) -> LogSigners:
    """The signers of a log of which nobody knows more than its first key."""
    return LogSigners((LogSigner(log_key),))


def signers_of(keys: LogKeys) -> LogSigners:
    """The signers of a log, by its entries so far."""
    own = sorted((key for key in keys if key.role is KeyRole.LOG), key=lambda key: key.entry)
    return LogSigners(tuple(LogSigner(key.key, key.ended) for key in own)) if own else only(ZERO32)
